"""A wrong deck, on purpose: change one threshold in the emitted netlist, simulate again, read where it first shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import snn2circuit as s2c


def main(out: Path = Path("out/planted_fault")) -> tuple[s2c.Equivalence, s2c.Equivalence]:
    """Returns the comparison before and after the fault."""
    rng = np.random.default_rng(3)
    neuron = s2c.Leaky(beta=0.9)
    network = s2c.Network(
        name="fault",
        layers=(
            s2c.Layer(weight=rng.normal(0.2, 0.4, (5, 3)), bias=rng.normal(0, 0.1, 5), neuron=neuron),
            s2c.Layer(weight=rng.normal(0.2, 0.4, (2, 5)), neuron=neuron),
        ),
        steps=20,
    )
    crossbar = s2c.map_network(network, s2c.DEVICES["printed_resistor_kit"])
    stimulus = s2c.Stimulus(inputs=rng.uniform(0, 1, (1, 20, 3)), labels=np.array([-1]), indices=np.array([0]))
    s2c.write_netlist(crossbar, stimulus, out)
    before = s2c.compare_circuit(crossbar, s2c.simulate_netlist(out))

    cells = out / "cells.lib"
    cells.write_text(cells.read_text().replace("u(V(mem)-", "u(V(mem)-0.5*", 1))
    after = s2c.compare_circuit(crossbar, s2c.simulate_netlist(out))
    return before, after


if __name__ == "__main__":
    for result in main():
        print(result, end="\n\n")
