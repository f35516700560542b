"""Poor op-amps and long wires: spikes differ, until the conductances are trimmed; ngspice is the referee."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from snn2circuit.analysis import compare_circuit
from snn2circuit.devices import DEVICES
from snn2circuit.electronics import ELECTRONICS
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.lines import LineResistances
from snn2circuit.ir.network import Layer, Network, Stimulus
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.parasitics import Parasitics, uniform_parasitics
from snn2circuit.ir.parts import Electronics, Neuron, Quantity
from snn2circuit.mapping import compensate_network, cut_tiles, map_network
from snn2circuit.netlist import write_netlist
from snn2circuit.neurons import NEURONS
from snn2circuit.neurons.families import FAMILIES
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.simulate import simulate_netlist
from snn2circuit.simulate.crossbar import Norton, norton
from snn2circuit.simulate.equivalents import Equivalents
from snn2circuit.steps import compensate_parts
from snn2circuit.steps.compensation import solve_exactly


def poor(**values: float) -> Electronics:
    quantities = {
        name: Quantity(value=value, unit="", source="this test", confidence="assumed") for name, value in values.items()
    }
    return Electronics(name="poor", technology="poor op-amps", **quantities)


def test_real_parts_spike_as_ideal_ones_after_trimming(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    layers = tuple(
        Layer(weight=rng.normal(0.1, 0.5, (columns, rows)), bias=rng.normal(0.1, 0.1, columns), neuron=Leaky(beta=0.9))
        for rows, columns in ((5, 6), (6, 3))
    )
    inputs = rng.uniform(0, 1, (40, 5))
    network = Network(name="poor", layers=layers, steps=20)
    parts = poor(gain=1e3, bandwidth=10e6)
    device = DEVICES["printed_resistor_kit"]
    crossbar = map_network(network, device, v_rail=10.0, inputs=inputs, electronics=parts)
    stimulus = Stimulus(inputs=network.encode(inputs), labels=np.full(40, -1), indices=np.arange(40))
    parasitics = uniform_parasitics(crossbar, r_word=5.0, r_bit=5.0, r_driver=50.0, source="this test")

    trimmed, done = compensate_parts(crossbar, stimulus, parasitics)
    assert done.before.mismatches > 20
    assert done.after.mismatches == 0
    assert done.after.worst_membrane_error < 1e-4
    assert all(layer.short == () for layer in done.layers)
    assert done.as_dict()["spike_mismatches_after"] == 0

    few = Stimulus(inputs=stimulus.inputs[:2], labels=stimulus.labels[:2], indices=stimulus.indices[:2])
    write_netlist(trimmed, few, tmp_path, parasitics=parasitics)
    equivalence = compare_circuit(trimmed, simulate_netlist(tmp_path, workers=1, time_limit=120))
    assert equivalence.equivalent, str(equivalence)
    assert sum(layer.spikes_model for layer in equivalence.layers) > 20


@pytest.mark.parametrize(("r_word", "r_bit", "near"), [(1.5, 1.0, []), (10.0, 6.0, [783])])
def test_a_bit_line_that_loses_half_of_its_current_is_trimmed_too(r_word: float, r_bit: float, near: list[int]) -> None:
    """784 rows as of images, few large weights among many small ones: shares differ from cell to cell.

    With the largest weights next to the neurons, poorer lines cannot carry what the first gain asks for; it gives way.
    """
    rng = np.random.default_rng(3)
    place = np.abs(np.arange(784) % 28 - 13.5) / 14
    weight = np.where(rng.random((4, 784)) < 0.02, 1.0, 0.15) * rng.normal(0, 1, (4, 784)) * (1 - 0.8 * place)
    weight[:, near] = 4.0
    network = Network(name="long", layers=(Layer(weight=weight, bias=None, neuron=Leaky(beta=0.9)),), steps=2)
    inputs = rng.uniform(0, 0.3, (3, 784))
    crossbar = map_network(network, DEVICES["printed_resistor_kit"], inputs=inputs)
    stimulus = Stimulus(inputs=network.encode(inputs), labels=np.full(3, -1), indices=np.arange(3))
    parasitics = uniform_parasitics(crossbar, r_word=r_word, r_bit=r_bit, r_driver=2.0, source="this test")
    _, done = compensate_parts(crossbar, stimulus, parasitics)
    (layer,) = done.layers
    assert layer.worst_before > 0.2
    assert layer.worst_after < 1e-7
    assert layer.short == ()


def lossy(
    neuron: Neuron, family: str = "vccs", electronics: Electronics | None = None, tile_rows: int = 0
) -> tuple[CrossbarNetwork, Stimulus, Parasitics]:
    """A layer whose lines take up to a third of a current, three samples for it, and the lines."""
    rng = np.random.default_rng(4)
    layer = Layer(weight=rng.normal(0.1, 0.5, (3, 20)), bias=rng.normal(0.1, 0.1, 3), neuron=neuron)
    network, inputs = Network(name="lossy", layers=(layer,), steps=6), rng.uniform(0, 1, (3, 20))
    mapped = map_network(
        network, DEVICES["printed_resistor_kit"], v_rail=10.0, inputs=inputs, family=family,
        electronics=electronics or ELECTRONICS["ideal"],
    )  # fmt: skip
    crossbar = cut_tiles(mapped, rows=tile_rows, columns=0)
    stimulus = Stimulus(inputs=network.encode(inputs), labels=np.full(3, -1), indices=np.arange(3))
    lines = uniform_parasitics(crossbar, r_word=60.0, r_bit=60.0, r_driver=50.0, source="this test")
    return crossbar, stimulus, lines


@pytest.mark.parametrize(
    ("neuron", "family", "gain", "tile_rows"),
    [*((*each, 0.0, 0) for each in itertools.product(NEURONS, FAMILIES)), ("leaky", "opamp", 1e4, 8)],
)
def test_the_sketch_of_the_lines_saves_rounds_and_changes_no_trim(
    neuron: str, family: str, gain: float, tile_rows: int
) -> None:
    electronics = poor(gain=gain, bandwidth=10e6) if gain else None
    crossbar, stimulus, lines = lossy(NEURONS[neuron](), family, electronics, tile_rows)

    def measure(number: int, alone: CrossbarNetwork, inputs: Floats) -> Floats:
        drives = Stimulus(inputs=inputs, labels=np.full(len(inputs), -1), indices=np.arange(len(inputs)))
        return solve_exactly(alone, drives, lines).membranes[0][:, -1] / alone.layers[0].volts_per_unit

    plain, (slow,) = compensate_network(crossbar, measure)
    trimmed, done = compensate_parts(crossbar, stimulus, lines)
    (fast,) = done.layers
    assert slow.worst_before == pytest.approx(fast.worst_before, rel=1e-9)
    assert fast.worst_before > 0.05
    assert max(slow.worst_after, fast.worst_after) < 1e-7
    assert fast.rounds < slow.rounds or gain, "what the sketch knows nothing of it cannot save"
    for made, expected in zip(trimmed.layers[0].programmed, plain.layers[0].programmed, strict=True):
        np.testing.assert_allclose(made, expected, rtol=0, atol=1e-6 * crossbar.device.g_max.value)


def test_a_crossbar_is_reduced_once_however_often_it_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    crossbar, stimulus, lines = lossy(Leaky(beta=0.9))
    reduced: list[bytes] = []

    def count(siemens: Floats, lines: LineResistances) -> Norton:
        reduced.append(siemens.tobytes())
        return norton(siemens, lines)

    monkeypatch.setattr("snn2circuit.simulate.equivalents.norton", count)
    _, done = compensate_parts(crossbar, stimulus, lines)
    assert len(reduced) == len(set(reduced))
    # As mapped, once a round, cut to the range, and on levels: nothing again for the spikes before and after.
    assert len(reduced) <= 1 + done.layers[0].rounds + 2


def test_an_equivalent_is_that_of_its_own_devices_and_lines() -> None:
    crossbar, stimulus, lines = lossy(Leaky(beta=0.9))
    other = uniform_parasitics(crossbar, r_word=60.0, r_bit=30.0, r_driver=50.0, source="this test")
    shared = Equivalents()
    for parasitics in (lines, other, None, lines):
        alone, kept = (solve_exactly(crossbar, stimulus, parasitics, known) for known in (None, shared))
        for mine, theirs in zip(kept.membranes, alone.membranes, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_trims_that_let_more_spikes_differ_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trimmed against lines that the circuit has not got."""
    crossbar, stimulus, lines = lossy(Leaky(beta=0.9))
    trimmed, done = compensate_parts(crossbar, stimulus, lines)
    assert done.kept
    assert done.left == ""
    assert trimmed is not crossbar
    monkeypatch.setattr(
        "snn2circuit.steps.compensation.compare_circuit",
        lambda made, waveforms: done.before if made is not crossbar else done.after,
    )
    back, worse = compensate_parts(crossbar, stimulus, lines)
    assert worse.before.mismatches < worse.after.mismatches
    assert back is crossbar
    assert worse.as_dict()["kept"] is False
    assert str(worse).endswith("conductances stay untrimmed")
