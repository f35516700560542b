"""Decks written by hand, with numbers a person derived: they judge from outside."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from snn2circuit.analysis import compare_circuit
from snn2circuit.devices import DEVICES
from snn2circuit.ir.network import Layer, Network, Stimulus
from snn2circuit.mapping import map_network
from snn2circuit.netlist import write_netlist
from snn2circuit.neurons import NEURONS
from snn2circuit.simulate import simulate_netlist
from snn2circuit.simulate.deck import read_deck
from snn2circuit.simulate.jobs import Job, run_jobs

REFERENCE = Path(__file__).parents[2] / "netlists" / "reference"
EXPECT = re.compile(r"^\* expect (\w+)\s+(\S+)\s+at (\S+) within (\S+)$", re.MULTILINE)


def expectations(path: Path) -> list[tuple[str, float, float, float]]:
    return [
        (node, float(value), float(at), float(within)) for node, value, at, within in EXPECT.findall(path.read_text())
    ]


@pytest.mark.parametrize("path", sorted(REFERENCE.glob("*.cir")), ids=lambda path: path.stem)
def test_a_reference_deck_gives_the_numbers_derived_by_hand(path: Path) -> None:
    expected = expectations(path)
    nodes = tuple(sorted({node for node, *_ in expected}))
    assert len(expected) >= 2
    stop = float(re.search(r"^\.tran \S+ (\S+)", path.read_text(), re.MULTILINE)[1])
    (result,) = run_jobs([Job(deck=read_deck(path), nodes=nodes, stop=stop)], workers=1, time_limit=60)
    for node, value, at, within in expected:
        found = np.interp(at, result.time, result.traces[nodes.index(node)])
        assert found == pytest.approx(value, abs=within), f"{node} at {at:g} s"


@pytest.mark.parametrize(
    ("deck", "beta", "threshold", "reset", "current"),
    [
        ("leaky_subtract", 0.9, 1.0, "subtract", 0.4),
        ("leaky_zero", 0.8, 0.5, "zero", 0.3),
        ("leaky_none", 0.8, 0.5, "none", 0.3),
    ],
)
def test_the_built_circuit_does_what_the_hand_written_one_does(
    deck: str, beta: float, threshold: float, reset: str, current: float, tmp_path: Path
) -> None:
    membranes = [-10 * value for node, value, *_ in expectations(REFERENCE / f"{deck}.cir") if node == "u"]
    spikes = {
        round(at * 1e3): bool(value) for node, value, at, _ in expectations(REFERENCE / f"{deck}.cir") if node == "q"
    }
    neuron = NEURONS["leaky"](beta=beta, threshold=threshold, reset_mechanism=reset)
    network = Network(name="one", layers=(Layer(weight=np.array([[current]]), neuron=neuron),), steps=len(membranes))
    crossbar = map_network(network, DEVICES["printed_resistor_kit"], inputs=np.ones((1, 1)))
    stimulus = Stimulus(inputs=network.encode(np.ones((1, 1))), labels=np.array([-1]), indices=np.array([0]))
    write_netlist(crossbar, stimulus, tmp_path)
    waveforms = simulate_netlist(tmp_path, workers=1)
    found = waveforms.membranes[0][0, :, 0] / waveforms.readout.volts_per_unit[0]
    # beta and threshold are float32 in the model and decimal in the hand-written deck: 3e-8 apart at most.
    np.testing.assert_allclose(found, membranes, atol=2e-5)
    for step, fired in spikes.items():
        assert waveforms.spikes[0][0, step - 1, 0] == fired, f"step {step}"
    assert compare_circuit(crossbar, waveforms).equivalent
