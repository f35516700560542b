"""The same spikes go into the model, snnTorch and the circuit, whatever the encoding, and the same spikes come out."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from networks import random_crossbar, simulate

from snn2circuit.analysis import compare_circuit
from snn2circuit.frontends.snntorch import run_snntorch
from snn2circuit.ir.circuit import PiecewiseSource
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.dataset import Dataset, Split
from snn2circuit.ir.encoding import Encoding
from snn2circuit.ir.files import load, save
from snn2circuit.netlist.build import build_circuit
from snn2circuit.steps import PARTS, choose_samples

ENCODINGS = {
    "constant": Encoding(offset=0.6, scale=0.31),
    "rate": Encoding(kind="rate", seed=11),
    "latency": Encoding(kind="latency"),
    "logarithmic": Encoding(kind="latency", linear=False, clip=False, threshold=0.3),
    "given": Encoding(kind="given"),
}
STEPS = 14


def dataset(given: bool) -> Dataset:
    rng = np.random.default_rng(3)
    values = (rng.random((6, STEPS, 4)) < 0.4).astype(float) if given else rng.random((6, 4))
    split = Split(inputs=values, labels=np.arange(6) % 3)
    return Dataset(
        name="made", title="Made", source="made here", shape=(4,), classes=tuple("abc"), train=split, test=split
    )


@pytest.mark.parametrize("name", ENCODINGS)
def test_no_spike_differs(name: str, tmp_path: Path) -> None:
    crossbar, _ = random_crossbar((4, 5, 3), beta=0.9, threshold=0.5, reset="subtract", seed=4, steps=STEPS)
    crossbar = dataclasses.replace(crossbar, encoding=ENCODINGS[name], decision="count")
    save(crossbar, tmp_path / "crossbar.npz")
    crossbar = load(tmp_path / "crossbar.npz", CrossbarNetwork, PARTS)
    assert crossbar.encoding == ENCODINGS[name]
    data = dataset(given=name == "given")
    stimulus = choose_samples(crossbar, data, count=2, first=3)
    # A sample keeps its spikes wherever it is shown: alone, among others, or in the whole split.
    np.testing.assert_array_equal(stimulus.inputs, crossbar.network().encode(data.test.inputs)[3:5])
    if name != "constant":
        assert set(np.unique(stimulus.inputs)) == {0.0, 1.0}
        assert (stimulus.inputs[:, 0] != stimulus.inputs[:, 1]).any()
        sources = build_circuit(crossbar, stimulus.inputs[0], "t").stimulus[2].elements
        assert any(isinstance(each, PiecewiseSource) for each in sources)
    else:
        assert stimulus.inputs.min() < 0  # word lines that are driven negative
    waveforms = simulate(crossbar, stimulus, tmp_path / "netlist")
    equivalence = compare_circuit(crossbar, waveforms)
    assert equivalence.equivalent, str(equivalence)
    assert 0 < sum(layer.spikes_model for layer in equivalence.layers) < equivalence.spikes_compared
    assert equivalence.predictions_equal == 2
    judged = run_snntorch(crossbar.network(), stimulus.inputs)
    for ours, theirs in zip(waveforms.spikes, judged.spikes, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_decks_are_the_same_bytes_every_time(tmp_path: Path) -> None:
    crossbar, _ = random_crossbar((4, 3), beta=0.9, threshold=0.5, reset="zero", seed=4, steps=6)
    crossbar = dataclasses.replace(crossbar, encoding=ENCODINGS["rate"])
    from snn2circuit.netlist import write_netlist

    for place in ("a", "b"):
        write_netlist(crossbar, choose_samples(crossbar, dataset(given=False), count=1, first=2), tmp_path / place)
    assert (tmp_path / "a" / "sample_0.cir").read_bytes() == (tmp_path / "b" / "sample_0.cir").read_bytes()
