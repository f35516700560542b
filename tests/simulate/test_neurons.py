"""Every neuron with every reset that its circuit has, in ngspice: 2-4-1 networks, inputs that change in every step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from networks import simulate

from snn2circuit.analysis import compare_circuit
from snn2circuit.devices import DEVICES
from snn2circuit.frontends.snntorch import run_snntorch
from snn2circuit.ir.network import Layer, Network, Stimulus
from snn2circuit.ir.parts import Neuron
from snn2circuit.mapping import map_network
from snn2circuit.neurons import NEURONS
from snn2circuit.neurons.alpha import Alpha
from snn2circuit.neurons.lapicque import Lapicque
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.neurons.synaptic import Synaptic

RESETS = ("subtract", "zero", "none")
# A neuron and the size of the drive that lets it fire now and then.
CASES: list[tuple[Neuron, float]] = [
    *((Leaky(beta=0.9, threshold=1.2, reset_mechanism=reset), 0.4) for reset in RESETS),
    *((Lapicque(beta=0.9, threshold=0.8, reset_mechanism=reset), 2.5) for reset in RESETS),
    *((Lapicque(R=5.0, C=1.5, threshold=0.6, reset_mechanism=reset), 0.5) for reset in RESETS),
    *((Synaptic(alpha=0.7, beta=0.85, threshold=1.5, reset_mechanism=reset), 0.25) for reset in RESETS),
    *((Synaptic(alpha=0.95, beta=0.5, reset_mechanism=reset), 0.1) for reset in RESETS),
    (Synaptic(alpha=0.0, beta=0.8), 0.4),
    (Synaptic(alpha=0.6, beta=0.0, threshold=0.5), 0.7),
    (Synaptic(alpha=0.6, beta=1.0), 0.15),
    *((Alpha(alpha=0.9, beta=0.75, threshold=0.7, reset_mechanism=reset), 0.3) for reset in ("zero", "none")),
    (Alpha(alpha=0.8, beta=0.0, threshold=0.7), 0.4),
]


# Every case with current sources; each neuron and reset once with op-amps alone.
OPAMP_CASES = {(neuron.kind, neuron.reset_mechanism): (neuron, drive, "opamp") for neuron, drive in CASES}
ALL_CASES = [*((neuron, drive, "vccs") for neuron, drive in CASES), *OPAMP_CASES.values()]


@pytest.mark.parametrize(("neuron", "drive", "family"), ALL_CASES, ids=lambda each: getattr(each, "kind", None))
def test_no_spike_differs(neuron: Neuron, drive: float, family: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    layers = tuple(
        Layer(
            weight=rng.normal(0.3, 0.8, (outputs, inputs)) * drive * neuron.threshold,
            bias=rng.normal(0.2, 0.2, outputs) * drive * neuron.threshold,
            neuron=neuron,
        )
        for inputs, outputs in ((2, 4), (4, 1))
    )
    network = Network(name="two", layers=layers, steps=30)
    inputs = rng.uniform(-0.3, 1.3, (2, 30, 2))
    stimulus = Stimulus(inputs=inputs, labels=np.array([-1, -1]), indices=np.arange(2))
    crossbar = map_network(
        network, DEVICES["printed_resistor_kit"], v_rail=10.0, inputs=inputs.reshape(-1, 2), family=family
    )
    waveforms = simulate(crossbar, stimulus, tmp_path)
    equivalence = compare_circuit(crossbar, waveforms)
    assert equivalence.equivalent, str(equivalence)
    assert 0 < equivalence.layers[0].spikes_model < equivalence.layers[0].spikes_compared
    # Far below every margin here; larger states carry larger rounding.
    largest = max(np.abs(m).max() for m in crossbar.network().run(inputs).membranes)
    # A gate that is a switch opens and closes at the simulator's instants.
    accuracy = 2e-4 if neuron.kind == "synaptic" and family == "opamp" else 5e-5
    assert equivalence.worst_membrane_error < accuracy * max(1.0, largest)
    for ours, theirs in zip(waveforms.spikes, run_snntorch(crossbar.network(), inputs).spikes, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_no_neuron_is_forgotten() -> None:
    assert {neuron.kind for neuron, _ in CASES} == set(NEURONS)
