"""Bring your own snnTorch model: any chain of ``nn.Linear`` and ``snn.Leaky``, trained by you, becomes a circuit.

The circuit's spikes are held against snnTorch itself, not only against this package's own model.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import snntorch as snn
import torch
from torch import nn

import snn2circuit as s2c


def main(out: Path = Path("out/own_network")) -> int:
    """Build a small model, turn it into a circuit, simulate; returns in how many spikes snnTorch and ngspice differ."""
    torch.manual_seed(7)
    model = nn.Sequential(
        nn.Linear(3, 6),
        snn.Leaky(beta=0.8, init_hidden=True),
        nn.Linear(6, 2),
        snn.Leaky(beta=0.95, threshold=0.5, reset_mechanism="zero", init_hidden=True, output=True),
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.abs_()  # untrained weights: let them excite, so that there is something to see

    network = s2c.from_snntorch(model, name="own", steps=30)
    crossbar = s2c.map_network(network, s2c.DEVICES["pcm_joshi"], levels=256, inputs=np.eye(3))
    inputs = network.encode(np.random.default_rng(0).uniform(0, 1, (2, 3)))
    stimulus = s2c.Stimulus(inputs=inputs, labels=np.array([-1, -1]), indices=np.arange(2))
    s2c.write_netlist(crossbar, stimulus, out)
    waveforms = s2c.simulate_netlist(out)
    judged = s2c.run_snntorch(crossbar.network(), inputs)
    return sum(int((ours != theirs).sum()) for ours, theirs in zip(waveforms.spikes, judged.spikes, strict=True))


if __name__ == "__main__":
    print(f"{main()} spikes differ between snnTorch and ngspice")
