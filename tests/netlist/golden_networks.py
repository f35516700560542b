"""The networks behind netlists/golden. After a wanted change, run this file to write the decks again; read the diff."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from snn2circuit.devices import DEVICES
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.network import Layer, Network, Stimulus
from snn2circuit.mapping import map_network
from snn2circuit.netlist import write_netlist
from snn2circuit.neurons import NEURONS

GOLDEN = Path(__file__).parents[2] / "netlists" / "golden"
Leaky = NEURONS["leaky"]


def xor_2_4_2() -> tuple[CrossbarNetwork, Stimulus]:
    """Two inputs, biases, reset by subtraction, the four XOR patterns held for six steps."""
    hidden = Layer(
        weight=np.array([[1.2, -1.1], [-1.05, 1.3], [0.7, 0.65], [-0.4, -0.55]]),
        bias=np.array([-0.1, -0.05, -0.3, 0.6]),
        neuron=Leaky(beta=0.9),
    )
    output = Layer(
        weight=np.array([[-0.9, -0.8, 0.5, 0.75], [0.95, 0.9, -0.2, -0.6]]),
        bias=np.array([0.1, -0.1]),
        neuron=Leaky(beta=0.9),
    )
    network = Network(name="xor", layers=(hidden, output), steps=6)
    patterns = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    stimulus = Stimulus(inputs=network.encode(patterns), labels=np.array([0, 1, 1, 0]), indices=np.arange(4))
    return map_network(network, DEVICES["printed_resistor_kit"], levels=16, inputs=patterns), stimulus


def resets_3_2_2_1() -> tuple[CrossbarNetwork, Stimulus]:
    """The other branches of the leaky cell: zero, none, beta 0 and 1, no bias, inputs that change and go negative."""
    network = Network(
        name="resets",
        layers=(
            Layer(
                weight=np.array([[0.5, -0.25, 0.75], [1.0, 0.5, -0.5]]),
                neuron=Leaky(beta=0.75, threshold=0.6, reset_mechanism="zero"),
            ),
            Layer(
                weight=np.array([[0.8, -0.3], [0.45, 0.7]]),
                neuron=Leaky(beta=0.0, threshold=0.4, reset_mechanism="none"),
            ),
            Layer(weight=np.array([[0.3, 0.35]]), neuron=Leaky(beta=1.0, threshold=0.5)),
        ),
        steps=5,
    )
    inputs = np.array([[[1.0, 0.0, 0.5], [0.25, -0.5, 1.0], [0.0, 0.0, 0.5], [1.0, 1.0, 0.5], [-1.0, 0.5, 0.5]]])
    stimulus = Stimulus(inputs=inputs, labels=np.array([-1]), indices=np.array([0]))
    crossbar = map_network(network, DEVICES["rram_milo"], levels=8, spacing="geometric", inputs=inputs.reshape(-1, 3))
    return crossbar, stimulus


NETWORKS = {"xor_2_4_2": xor_2_4_2, "resets_3_2_2_1": resets_3_2_2_1}


def write(folder: Path) -> None:
    for name, make in NETWORKS.items():
        crossbar, stimulus = make()
        write_netlist(crossbar, stimulus, folder / name)
        (folder / name / "netlist.npz").unlink()


if __name__ == "__main__":
    write(GOLDEN)
    sys.stdout.write(f"wrote {', '.join(NETWORKS)} to {GOLDEN}\n")
