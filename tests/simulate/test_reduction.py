"""Loads between two bit lines go only where no membrane notices, by the bound and in both simulators."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snn2circuit.devices import DEVICES
from snn2circuit.electronics import select
from snn2circuit.ir.circuit import NortonCrossbar
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.network import Layer, Network, Stimulus
from snn2circuit.ir.parasitics import uniform_parasitics
from snn2circuit.ir.parts import Neuron
from snn2circuit.mapping import cut_tiles, map_network
from snn2circuit.netlist import build_circuit, write_netlist
from snn2circuit.neurons import NEURONS
from snn2circuit.simulate import simulate_netlist
from snn2circuit.simulate.crossbar import drop_mutual_loads
from snn2circuit.simulate.exact import ExactSolver
from snn2circuit.steps import reduce_crossbars, simulate_exactly
from snn2circuit.steps.reduction import UNNOTICED, memory
from tests.simulate.networks import random_crossbar


def mutual(reduced: NortonCrossbar) -> int:
    """Entries that join two bit lines."""
    return int(np.count_nonzero(reduced.load - np.diag(np.diag(reduced.load))))


@given(st.integers(0, 10**6), st.floats(1e-9, 1e-3), st.floats(1e-12, 1e-3))
@settings(max_examples=60, deadline=None)
def test_what_is_dropped_stays_within_the_allowed_current(seed: int, volts: float, amperes: float) -> None:
    random = np.random.default_rng(seed)
    joined = random.lognormal(-9, 3, (7, 7))
    joined = np.triu(joined, 1) + np.triu(joined, 1).T
    load = np.diag(joined.sum(axis=1) + 1e-4) - joined
    lines = tuple(f"b{number}" for number in range(7))
    whole = NortonCrossbar(name="l1", word_lines=(), bits=lines, transfer=np.empty((0, 7)), load=load)
    kept = drop_mutual_loads(whole, volts, amperes).load
    np.testing.assert_array_equal(kept, kept.T)
    np.testing.assert_array_equal(np.diag(kept), np.diag(load))
    assert set(kept[kept != load]) <= {0.0}
    assert volts * np.abs(load - kept).sum(axis=1).max() <= amperes * (1 + 1e-12)


def network(neuron: Neuron, family: str) -> tuple[CrossbarNetwork, Stimulus]:
    """Six inputs that change in every step, five neurons, three."""
    random = np.random.default_rng(4)
    layers = tuple(
        Layer(weight=random.normal(0.2, 0.5, (outputs, inputs)), bias=random.normal(0.2, 0.1, outputs), neuron=neuron)
        for inputs, outputs in ((6, 5), (5, 3))
    )
    drives = random.uniform(-0.5, 1.5, (1, 8, 6))
    crossbar = map_network(
        Network(name="random", layers=layers, steps=8),
        DEVICES["printed_resistor_kit"],
        v_rail=10.0,
        inputs=drives.reshape(-1, 6),
        family=family,
    )
    return crossbar, Stimulus(inputs=drives, labels=np.array([-1]), indices=np.array([0]))


@pytest.mark.parametrize("family", ["vccs", "opamp"])
@pytest.mark.parametrize("name", list(NEURONS))
def test_no_membrane_notices(name: str, family: str, tmp_path: Path) -> None:
    """Lines that take a good part of the currents: the exact solver keeps every load, ngspice's decks have none."""
    neuron = NEURONS[name](**{"alpha": {"reset_mechanism": "zero"}, "lapicque": {"R": 10.0}}.get(name, {}))
    crossbar, stimulus = network(neuron, family)
    lines = uniform_parasitics(crossbar, r_word=60.0, r_bit=20.0, r_driver=200.0, source="made up")
    reduced = reduce_crossbars(crossbar, lines)
    assert sum(map(mutual, reduced.values())) == 0
    write_netlist(crossbar, stimulus, tmp_path, parasitics=lines, reduced=reduced)
    found, exact = simulate_netlist(tmp_path, time_limit=120), simulate_exactly(crossbar, stimulus, lines)
    assert sum(int(layer.sum()) for layer in exact.spikes) > 3
    for layer, ours, theirs in zip(crossbar.layers, found.membranes, exact.membranes, strict=True):
        scale = max(layer.volts_per_unit, np.abs(theirs).max())
        assert np.abs(ours - theirs).max() < 1e-4 * scale  # what ngspice itself is off by
    for ours, theirs in zip(found.spikes, exact.spikes, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", list(NEURONS))
def test_the_exact_solver_sees_no_difference_beyond_the_bound(name: str) -> None:
    neuron = NEURONS[name](**{"alpha": {"reset_mechanism": "zero"}, "lapicque": {"R": 10.0}}.get(name, {}))
    crossbar, stimulus = network(neuron, "vccs")
    lines = uniform_parasitics(crossbar, r_word=60.0, r_bit=20.0, r_driver=200.0, source="made up")
    whole = build_circuit(crossbar, stimulus.inputs[0], "x", parasitics=lines)
    less = build_circuit(
        crossbar, stimulus.inputs[0], "x", parasitics=lines, reduced={"l2": reduce_crossbars(crossbar, lines)["l2"]}
    )
    one, two = (ExactSolver(circuit).simulate(stimulus, traces=False) for circuit in (whole, less))
    apart = np.abs(one.membranes[1] - two.membranes[1]).max() / crossbar.layers[1].volts_per_unit
    assert apart <= UNNOTICED


@pytest.mark.parametrize("electronics", [("finite_gain",), ("opa2277", "lm311", "dg411le", "74hc")])
def test_real_op_amps_keep_every_load(electronics: tuple[str, ...]) -> None:
    crossbar, _ = random_crossbar((6, 5, 3), beta=0.9, threshold=1.0, reset="subtract", seed=2, samples=1, steps=6)
    lines = uniform_parasitics(crossbar, r_word=60.0, r_bit=20.0, source="made up")
    reduced = reduce_crossbars(replace(crossbar, electronics=select(electronics)), lines)
    assert [mutual(each) for each in reduced.values()] == [10 * 9, 6 * 5]


def test_joints_of_tiles_are_no_grounds() -> None:
    crossbar, _ = random_crossbar((6, 5, 3), beta=0.9, threshold=1.0, reset="subtract", seed=2, samples=1, steps=6)
    tiled = cut_tiles(crossbar, rows=3)
    lines = uniform_parasitics(tiled, r_word=60.0, r_bit=20.0, source="made up")
    assert sum(map(mutual, reduce_crossbars(tiled, lines).values())) == 0
    shared = replace(
        lines,
        layers=tuple(
            replace(
                layer,
                joints=replace(layer.tiles[0].bit_leads, values=np.full((len(layer.tiles), 2 * each.columns), 5.0)),
            )
            for layer, each in zip(lines.layers, tiled.layers, strict=True)
        ),
    )
    reduced = reduce_crossbars(tiled, shared)
    ends = [mutual(each) for name, each in reduced.items() if not each.bits[0].startswith("b")]
    assert ends
    assert all(ends)


@pytest.mark.parametrize(("beta", "steps"), [(0.9, 25), (0.5, 4), (1.0, 7), (0.0, 3)])
def test_memory_is_the_sum_of_the_response(beta: float, steps: int) -> None:
    neuron = NEURONS["leaky"](beta=beta)
    held = np.float32(beta).item()
    wanted = sum(held**step for step in range(steps))
    np.testing.assert_allclose(memory(neuron, 2, steps), wanted, rtol=1e-9)
