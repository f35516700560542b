"""Causes planted one at a time are found and named."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from snn2circuit import steps
from snn2circuit.analysis import compare_circuit
from snn2circuit.analysis.causes import Explanation, explain_mismatches
from snn2circuit.cli import main
from snn2circuit.devices import DEVICES
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.files import save
from snn2circuit.ir.network import Layer, Network, Stimulus
from snn2circuit.ir.parasitics import Parasitics, uniform_parasitics
from snn2circuit.ir.parts import Electronics, Quantity
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.mapping import map_network
from snn2circuit.netlist import build_circuit
from snn2circuit.neurons import NEURONS
from snn2circuit.simulate.exact import ExactSolver


def value(number: float) -> Quantity:
    return Quantity(value=number, unit="", source="this test", confidence="assumed")


def make(parts: Electronics, levels: int = 64) -> tuple[CrossbarNetwork, Stimulus]:
    rng = np.random.default_rng(4)
    layers = tuple(
        Layer(weight=rng.normal(0.2, 0.6, (b, a)), bias=rng.normal(0.1, 0.2, b), neuron=NEURONS["leaky"](beta=0.9))
        for a, b in itertools.pairwise((6, 5, 3))
    )
    inputs = rng.uniform(0, 1.2, (6, 20, 6))
    network = Network(name="small", layers=layers, steps=20)
    crossbar = map_network(
        network, DEVICES["printed_resistor_kit"], levels=levels, v_rail=10.0, inputs=inputs.reshape(-1, 6),
        electronics=parts,
    )  # fmt: skip
    return crossbar, Stimulus(inputs=inputs, labels=np.full(6, -1), indices=np.arange(6))


def simulate(crossbar: CrossbarNetwork, stimulus: Stimulus, lines: Parasitics | None = None) -> Waveforms:
    circuit = build_circuit(crossbar, stimulus.inputs[0], "small", parasitics=lines)
    return ExactSolver(circuit).simulate(stimulus, traces=False)


def explain(parts: Electronics, ohms: dict[str, float] | None = None) -> Explanation:
    crossbar, stimulus = make(parts)
    lines = uniform_parasitics(crossbar, **ohms, source="this test") if ohms else None
    return explain_mismatches(crossbar, simulate(crossbar, stimulus, lines), lines)


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (Electronics(name="weak", gain=value(300.0), bandwidth=value(1e7)), "gain"),
        (Electronics(name="off", offset=value(2e-3)), "offset"),
        (Electronics(name="late", comparator_offset=value(5e-3)), "offset"),
        (Electronics(name="leaky", r_source=value(1e5)), "switches and sources"),
    ],
)
def test_a_fault_of_the_parts_is_named(parts: Electronics, name: str) -> None:
    found = explain(parts)
    assert found.mismatches > 10
    assert found.main is not None
    assert (found.main.name, found.main.without) == (name, 0)
    assert found.remaining == 0


def test_lines_are_named() -> None:
    found = explain(Electronics(), {"r_word": 200.0, "r_bit": 200.0, "r_driver": 500.0})
    assert found.mismatches > 10
    assert found.main is not None
    assert (found.main.name, found.main.without) == ("wires", 0)


def test_the_larger_of_two_faults_is_the_main_cause() -> None:
    found = explain(Electronics(name="both", gain=value(300.0), bandwidth=value(1e7), offset=value(2e-5)))
    assert found.main is not None
    assert found.main.name == "gain"
    offset = next(cause for cause in found.causes if cause.name == "offset")
    assert 0 <= abs(offset.removed) < found.main.removed


def test_a_simulator_that_errs_is_named() -> None:
    crossbar, stimulus = make(Electronics())
    good = simulate(crossbar, stimulus)
    spikes = good.spikes[0].copy()
    spikes[0, 3, 2] ^= True
    found = explain_mismatches(crossbar, replace(good, spikes=(spikes, good.spikes[1]), simulator="ngspice 0"))
    assert found.main is not None
    assert (found.main.name, found.main.before, found.main.without) == ("solver tolerance", 1, 0)


def test_quantisation_is_counted_against_the_network_before_it() -> None:
    crossbar, stimulus = make(Electronics(), levels=4)
    found = explain_mismatches(crossbar, simulate(crossbar, stimulus))
    (cause,) = found.causes
    assert (cause.name, cause.against) == ("quantisation", "unquantised")
    assert cause.before > 10
    assert cause.without == 0
    # The circuit does what its conductances say: no spike of it is wrong.
    assert found.mismatches == 0
    assert found.main is None


def test_a_run_writes_the_causes_next_to_the_comparison(tmp_path: Path) -> None:
    crossbar, stimulus = make(Electronics(name="off", offset=value(2e-3)))
    waveforms = simulate(crossbar, stimulus)
    equivalence = compare_circuit(crossbar, waveforms)
    causes = steps.find_causes(crossbar, waveforms, equivalence, None)
    steps.write_equivalence(equivalence, tmp_path / "equivalence.json", 0, causes)
    data = json.loads((tmp_path / "equivalence.json").read_text())
    assert data["causes"]["main_cause"] == "offset"
    assert data["causes"]["mismatches"] == data["spike_mismatches"] > 0
    ideal, stimulus = make(Electronics())
    good = simulate(ideal, stimulus)
    assert steps.find_causes(ideal, good, compare_circuit(ideal, good), None) is None


def test_the_command_names_the_cause(tmp_path: Path) -> None:
    crossbar, stimulus = make(Electronics(name="off", offset=value(2e-3)))
    save(crossbar, tmp_path / "crossbar.npz")
    save(simulate(crossbar, stimulus), tmp_path / "waveforms.npz")
    out = tmp_path / "causes.json"
    result = CliRunner().invoke(
        main,
        [
            *("explain", str(tmp_path / "crossbar.npz"), str(tmp_path / "waveforms.npz")),
            *("-o", str(out), "--circuit", "reference"),
        ],
    )
    assert result.exit_code == 0, result.output
    assert "main cause: offset" in result.output
    assert json.loads(out.read_text())["main_cause"] == "offset"
