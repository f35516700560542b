"""Waveforms made from the model itself, so that a test can plant exactly one difference."""

from __future__ import annotations

import numpy as np

from snn2circuit.devices import DEVICES
from snn2circuit.ir.circuit import Readout
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.network import Layer, Network, Stimulus
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.mapping import map_network
from snn2circuit.neurons.leaky import Leaky

SAMPLES, STEPS = 3, 12


def make_crossbar(seed: int = 0, levels: int = 32) -> tuple[Network, CrossbarNetwork, Stimulus]:
    """A trained network, its mapping and a stimulus with changing inputs."""
    rng = np.random.default_rng(seed)
    layers = tuple(
        Layer(weight=rng.normal(0.3, 0.6, (b, a)), bias=rng.normal(0, 0.2, b), neuron=Leaky(beta=0.9))
        for a, b in ((4, 5), (5, 3))
    )
    network = Network(name="made", layers=layers, steps=STEPS)
    inputs = rng.uniform(0, 1, (SAMPLES, STEPS, 4))
    stimulus = Stimulus(inputs=inputs, labels=np.array([0, 1, 2]), indices=np.array([7, 8, 9]))
    return network, map_network(network, DEVICES["printed_resistor_kit"], levels=levels), stimulus


def perfect_waveforms(crossbar: CrossbarNetwork, stimulus: Stimulus, error: float = 0.0) -> Waveforms:
    """What a circuit without any fault would give; ``error`` units are added to every membrane."""
    activity = crossbar.network().run(stimulus.inputs)
    readout = Readout(
        timing=crossbar.timing,
        steps=stimulus.inputs.shape[1],
        membranes=tuple(
            tuple(f"mem_l{n}_n{j}" for j in range(layer.columns)) for n, layer in enumerate(crossbar.layers, 1)
        ),
        spikes=tuple(
            tuple(f"spike_l{n}_n{j}" for j in range(layer.columns)) for n, layer in enumerate(crossbar.layers, 1)
        ),
        volts_per_unit=tuple(layer.volts_per_unit for layer in crossbar.layers),
    )
    scales = readout.volts_per_unit
    rng = np.random.default_rng(1)
    time = np.linspace(0, crossbar.timing.stop(STEPS, 2), 50)
    return Waveforms(
        stimulus=stimulus,
        readout=readout,
        membranes=tuple((m + error) * scale for m, scale in zip(activity.membranes, scales, strict=True)),
        spikes=activity.spikes,
        time=time,
        traces=rng.normal(0, 0.01, (len(readout.nodes), len(time))),
        seconds=np.full(SAMPLES, 1.5),
        simulator="ngspice 39",
    )
