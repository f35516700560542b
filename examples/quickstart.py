"""The pipeline in a dozen lines: train, map, write the decks, simulate, compare, build the stack.

Run ``python examples/quickstart.py``; it takes about a minute and leaves its files in ``out/quickstart``.
"""

from __future__ import annotations

from pathlib import Path

import snn2circuit as s2c


def main(out: Path = Path("out/quickstart"), epochs: int = 60, samples: int = 4) -> s2c.Equivalence:
    """Run the whole pipeline; returns what the comparison found."""
    digits = s2c.load_dataset("digits")
    network = s2c.train(digits, s2c.Recipe(hidden=(32,), neuron=s2c.Leaky(beta=0.9), steps=25, epochs=epochs), seed=0)
    crossbar = s2c.map_network(network, s2c.DEVICES["foil_memristor"], levels=32, inputs=digits.train.inputs)
    s2c.write_netlist(crossbar, s2c.choose_samples(crossbar, digits, count=samples), out / "netlist")
    waveforms = s2c.simulate_netlist(out / "netlist")
    equivalence = s2c.compare_circuit(crossbar, waveforms)
    stack = s2c.build_layout(crossbar, s2c.PROCESSES["inkjet"])
    s2c.check_connectivity(stack, crossbar)
    s2c.write_glb(stack, out / "stack.glb")
    return equivalence


if __name__ == "__main__":
    print(main())
