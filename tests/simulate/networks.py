"""Small networks with inputs that change in every step, and the way from one to simulated waveforms."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from snn2circuit.devices import DEVICES
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.network import Layer, Network, Stimulus
from snn2circuit.ir.timing import Timing
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.mapping import map_network
from snn2circuit.netlist import write_netlist
from snn2circuit.neurons import NEURONS
from snn2circuit.simulate import simulate_netlist

Leaky = NEURONS["leaky"]


def random_crossbar(
    sizes: tuple[int, ...],
    *,
    beta: float,
    threshold: float,
    reset: str,
    seed: int,
    samples: int = 2,
    steps: int = 20,
    slot: float = 1e-3,
    device: str = "printed_resistor_kit",
) -> tuple[CrossbarNetwork, Stimulus]:
    """A mapped network whose neurons spike in some steps only, with analog inputs between -0.5 and 1.5."""
    rng = np.random.default_rng(seed)
    layers = []
    for inputs, outputs in itertools.pairwise(sizes):
        # Drives of about the threshold's size: excitation enough to fire, inhibition enough to fall silent.
        weight = rng.normal(0.15, 0.7, (outputs, inputs)) * threshold * max(1 - beta, 0.15) * 2.5
        bias = rng.normal(0.1, 0.15, outputs) * threshold
        layers.append(
            Layer(weight=weight, bias=bias, neuron=Leaky(beta=beta, threshold=threshold, reset_mechanism=reset))
        )
    network = Network(name="random", layers=tuple(layers), steps=steps)
    inputs = rng.uniform(-0.5, 1.5, (samples, steps, sizes[0]))
    stimulus = Stimulus(inputs=inputs, labels=np.full(samples, -1), indices=np.arange(samples))
    # Membranes are calibrated on constant inputs; the margin left is for inputs that change.
    timing = Timing(slot=slot)
    crossbar = map_network(network, DEVICES[device], timing=timing, v_rail=10.0, inputs=inputs.reshape(-1, sizes[0]))
    return crossbar, stimulus


def simulate(crossbar: CrossbarNetwork, stimulus: Stimulus, folder: Path) -> Waveforms:
    """Write the decks into ``folder`` and simulate them."""
    write_netlist(crossbar, stimulus, folder)
    return simulate_netlist(folder, time_limit=120)
