"""Weights files of SNNtrainer3D, written here from their description, judged by snnTorch modules that load them."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import snntorch
import torch
from torch import nn

from snn2circuit.errors import FileFormatError, NetworkError, Snn2CircuitError
from snn2circuit.frontends.imported import Imported
from snn2circuit.frontends.snntrainer3d import read_snntrainer3d, write_snntrainer3d
from snn2circuit.ir.layer import ConvLayer, Layer
from snn2circuit.ir.linear import Conv2d
from snn2circuit.ir.network import Network
from snn2circuit.neurons import NEURONS
from snn2circuit.neurons.alpha import Alpha
from snn2circuit.neurons.lapicque import Lapicque
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.neurons.synaptic import Synaptic


class Net(nn.Module):
    """The program's module as its files describe it."""

    def __init__(self, sizes: list[int], neuron: Any) -> None:
        super().__init__()
        pairs = list(itertools.pairwise(sizes))
        self.fc1 = nn.Linear(*pairs[0])
        self.fcs = nn.ModuleList([nn.Linear(*pair) for pair in pairs[1:-1]])
        if len(pairs) > 1:
            self.fc2 = nn.Linear(*pairs[-1])
        self.lifs = nn.ModuleList([neuron() for _ in pairs])

    def run(self, inputs: np.ndarray) -> list[np.ndarray]:
        """Spikes of every layer, ``(samples, steps, neurons)``, in double precision."""
        self.double()
        linears = [self.fc1, *self.fcs, *([self.fc2] if hasattr(self, "fc2") else [])]
        signal, fired = torch.from_numpy(inputs).transpose(0, 1), []
        with torch.no_grad():
            for linear, lif in zip(linears, self.lifs, strict=True):
                lif.reset_mem()
                state: tuple[torch.Tensor, ...] = ()
                spikes = []
                for current in linear(signal):
                    spike, *rest = lif(current, *state)
                    state = tuple(rest)
                    spikes.append(spike)
                signal = torch.stack(spikes).double()
                fired.append(signal.transpose(0, 1).numpy() > 0)
        return fired


NEURON_MODULES = {
    "Leaky": lambda: snntorch.Leaky(beta=0.95),
    "Lapicque": lambda: snntorch.Lapicque(beta=0.95),
    "Lapique": lambda: snntorch.Lapicque(beta=0.95),
    "RealisticLapicque": lambda: snntorch.Lapicque(R=10, C=0.0015, time_step=0.001),
    "Synaptic": lambda: snntorch.Synaptic(alpha=0.5, beta=0.95),
    "Alpha": lambda: snntorch.Alpha(alpha=0.97, beta=0.95),
}  # fmt: skip
GAIN = {"Lapicque": 20.0, "Lapique": 20.0, "RealisticLapicque": 2.0, "Alpha": 3.0}


def make(said: str, sizes: list[int], module: str | None = None) -> tuple[Net, dict[str, Any]]:
    """A module with weights that let it spike, and its file as a tree."""
    torch.manual_seed(len(sizes))
    net = Net(sizes, NEURON_MODULES[module or said])
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name.startswith("fc"):
                parameter.mul_(GAIN.get(module or said, 1.0)).add_(0.05 * GAIN.get(module or said, 1.0))
    weights = {key: {"data": value.tolist(), "dtype": str(value.dtype)} for key, value in net.state_dict().items()}
    parameters = {
        "neuron_type": said,
        "num_inputs": sizes[0],
        "hidden_layers": sizes[1:-1],
        "num_outputs": sizes[-1],
        "hyperparameters": {"beta": 0.95},
    }
    return net, {"weights": weights, "parameters": parameters}


def read(tree: Any, folder: Path, text: str | None = None) -> Imported:
    path = folder / "net.json"
    path.write_text(json.dumps(tree) if text is None else text)
    return read_snntrainer3d(path, neurons=NEURONS)


@pytest.mark.parametrize("sizes", [[4, 3], [4, 6, 3], [4, 6, 5, 5, 3]], ids=str)
@pytest.mark.parametrize("said", sorted(NEURON_MODULES))
def test_every_spelling_spikes_as_the_module(said: str, sizes: list[int], tmp_path: Path) -> None:
    net, tree = make(said, sizes)
    imported = read(tree, tmp_path)
    assert imported.warnings == ()
    assert imported.network.sizes == tuple(sizes)
    assert (imported.network.name, imported.network.steps) == ("net", 25)
    inputs = np.repeat(np.random.default_rng(0).uniform(0, 1, (5, 1, 4)), 40, axis=1)
    for mine, theirs in zip(imported.network.run(inputs).spikes, net.run(inputs), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert imported.network.run(inputs).spikes[-1].any()


def test_the_two_constructions_of_lapicque_differ(tmp_path: Path) -> None:
    beta_only = read(make("Lapique", [2, 2])[1], tmp_path).network.layers[0].neuron
    physical = read(make("RealisticLapicque", [2, 2])[1], tmp_path).network.layers[0].neuron
    assert beta_only == Lapicque(beta=0.95)
    assert physical == Lapicque(R=10, C=0.0015, time_step=0.001)
    assert beta_only.decay == pytest.approx(0.948707, abs=1e-6)
    assert physical.decay == pytest.approx(1 - 1 / 15, rel=1e-6)


def test_an_older_lapicque_file_without_r_and_c_is_built_from_beta(tmp_path: Path) -> None:
    _, tree = make("Lapicque", [2, 2])
    for field in ("R", "C", "time_step"):
        del tree["weights"][f"lifs.0.{field}"]
    assert read(tree, tmp_path).network.layers[0].neuron == Lapicque(beta=0.95)
    tree["parameters"]["neuron_type"] = "Realistic Lapicque"
    assert "no R and C" in read(tree, tmp_path).warnings[0]


def test_lapicque_that_is_not_what_it_says_is_flagged(tmp_path: Path) -> None:
    _, tree = make("Lapique", [2, 2], "RealisticLapicque")
    imported = read(tree, tmp_path)
    assert imported.network.layers[0].neuron == Lapicque(R=10, C=0.0015, time_step=0.001)
    assert "R and a time step of its own" in imported.warnings[0]


@pytest.mark.parametrize("evidence", ["state", "decays", "reset"])
def test_alpha_that_is_synaptic_is_flagged_and_read_as_what_it_is(evidence: str, tmp_path: Path) -> None:
    net, tree = make("Alpha", [4, 5, 3], "Synaptic")
    if evidence != "decays":
        for index in range(2):
            tree["weights"][f"lifs.{index}.alpha"]["data"] = 0.97
            net.lifs[index].alpha = torch.tensor(0.97, dtype=torch.float32)
    if evidence == "state":
        for index, size in enumerate((5, 3)):
            tree["weights"][f"lifs.{index}.syn"] = {"data": np.ones((128, size)).tolist(), "dtype": "torch.float32"}
    imported = read(tree, tmp_path)
    (warning,) = imported.warnings
    assert "says Alpha" in warning
    assert "Synaptic" in warning
    assert {"state": ".syn", "decays": "not above beta", "reset": "reset to zero"}[evidence] in warning
    assert all(isinstance(layer.neuron, Synaptic) for layer in imported.network.layers)
    inputs = np.repeat(np.random.default_rng(0).uniform(0, 1, (5, 1, 4)), 40, axis=1)
    for mine, theirs in zip(imported.network.run(inputs).spikes, net.run(inputs), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_the_state_of_the_last_batch_is_dropped_and_lists_of_one_are_numbers(tmp_path: Path) -> None:
    _, tree = make("Synaptic", [4, 6, 3])
    plain = read(tree, tmp_path).network
    for index, size in enumerate((6, 3)):
        for state in ("mem", "syn"):
            tree["weights"][f"lifs.{index}.{state}"] = {"data": [[0.5] * size] * 128, "dtype": "torch.float32"}
        for field in ("beta", "alpha", "threshold"):
            entry = tree["weights"][f"lifs.{index}.{field}"]
            entry["data"] = [entry["data"]]
    again = read(tree, tmp_path).network
    for one, other in zip(plain.layers, again.layers, strict=True):
        np.testing.assert_array_equal(one.weight, other.weight)
        assert one.neuron == other.neuron


def network(neuron: Any, sizes: tuple[int, ...] = (4, 6, 5, 3), bias: bool = True) -> Network:
    random = np.random.default_rng(2)
    gain = 15.0 if isinstance(neuron, Lapicque) else 1.5
    layers = [
        Layer(
            weight=np.float32(gain * random.normal(0.1, 0.5, (b, a))),
            bias=np.float32(gain * random.normal(0, 0.1, b)) if bias else None,
            neuron=neuron,
        )
        for a, b in itertools.pairwise(sizes)
    ]
    return Network(name="net", layers=tuple(layers), steps=25)


WRITABLE = {
    "leaky": (Leaky(beta=0.9, threshold=0.8), lambda: snntorch.Leaky(beta=0.5)),
    "lapicque": (Lapicque(beta=0.95), lambda: snntorch.Lapicque(beta=0.5)),
    "whole R": (Lapicque(R=10, C=0.5), lambda: snntorch.Lapicque(beta=0.5)),
    "synaptic": (Synaptic(alpha=0.6, beta=0.9), lambda: snntorch.Synaptic(alpha=0.1, beta=0.5)),
    "alpha": (Alpha(alpha=0.9, beta=0.8), lambda: snntorch.Alpha(alpha=0.6, beta=0.5)),
}


@pytest.mark.parametrize("sizes", [(4, 3), (4, 6, 3), (4, 6, 5, 3)], ids=str)
@pytest.mark.parametrize("case", sorted(WRITABLE))
def test_what_is_written_loads_strictly_and_spikes_the_same(case: str, sizes: tuple[int, ...], tmp_path: Path) -> None:
    neuron, module = WRITABLE[case]
    original = network(neuron, sizes, bias=case != "synaptic")
    path = tmp_path / "out.json"
    assert write_snntrainer3d(original, path) == ()
    tree = json.loads(path.read_text())
    state = {
        key: torch.tensor(entry["data"], dtype=getattr(torch, entry["dtype"].split(".")[-1]))
        for key, entry in tree["weights"].items()
    }
    net = Net(list(sizes), module)
    net.load_state_dict(state, strict=True)
    inputs = np.repeat(np.random.default_rng(0).uniform(0, 1, (5, 1, 4)), 30, axis=1)
    again = read_snntrainer3d(path, neurons=NEURONS)
    assert bool(again.warnings) == (case == "whole R")
    runs = (original.run(inputs).spikes, net.run(inputs), again.network.run(inputs).spikes)
    for mine, theirs, back in zip(*runs, strict=True):
        np.testing.assert_array_equal(mine, theirs)
        np.testing.assert_array_equal(mine, back)
    assert runs[0][-1].any()


UNWRITABLE = {
    "reset": (network(Leaky(reset_mechanism="zero")), "layer 1 resets by 'zero'"),
    "physical": (network(Lapicque(R=10, C=0.0015, time_step=0.001)), "layer 1 has R = 10 and time_step = 0.001"),
    "mixed": (
        Network(name="m", steps=1, layers=(*network(Leaky()).layers, *network(Synaptic(), (3, 2)).layers)),
        "one neuron type per network; this one has Leaky, Synaptic",
    ),
    "convolution": (
        Network(
            name="c",
            steps=1,
            layers=(ConvLayer(shape=(1, 3, 3), maps=(Conv2d(weight=np.ones((1, 1, 2, 2))),), neuron=Leaky()),),
        ),
        "layer 1 is a convolution",
    ),
    "double": (
        Network(name="d", steps=1, layers=(Layer(weight=[[0.1, 0.5]], neuron=Leaky()),)),
        "1 weights are not float32",
    ),
}


@pytest.mark.parametrize("case", UNWRITABLE)
def test_what_the_program_cannot_read_is_not_written(case: str, tmp_path: Path) -> None:
    original, reason = UNWRITABLE[case]
    with pytest.raises(NetworkError, match=reason):
        write_snntrainer3d(original, tmp_path / "out.json")
    assert not list(tmp_path.iterdir())


def test_rounding_is_said(tmp_path: Path) -> None:
    original = UNWRITABLE["double"][0]
    assert write_snntrainer3d(original, tmp_path / "o.json", approximate=True) == ("1 weights were rounded to float32",)


def spoil(key: str, value: Any, section: str = "weights") -> Any:
    def change(tree: dict[str, Any]) -> None:
        tree[section][key] = {"data": value, "dtype": "torch.float32"} if section == "weights" else value

    return change


def drop(key: str) -> Any:
    return lambda tree: tree["weights"].pop(key)


BAD = {
    "NaN": (spoil("fc1.weight", [[1.0, float("nan")], [1, 1]]), FileFormatError, r"fc1.weight at \(0, 1\) is nan"),
    "infinity": (spoil("fc1.bias", [1.0, float("inf")]), FileFormatError, r"weights.fc1.bias at \(1,\) is inf"),
    "shape": (spoil("fc1.weight", [[1.0, 1, 1], [1, 1, 1]]), FileFormatError, r"shape \(2, 3\).*need \(2, 2\)"),
    "ragged": (spoil("fc1.weight", [[1.0, 1], [1]]), FileFormatError, "fc1.weight: its rows differ"),
    "text": (spoil("fc1.weight", [["1", "1"], ["1", "1"]]), FileFormatError, "fc1.weight holds something other"),
    "null": (spoil("fc1.weight", [[None, 1], [1, 1]]), FileFormatError, "fc1.weight holds something other"),
    "missing weights": (drop("fc1.weight"), FileFormatError, "weights.fc1.weight is missing"),
    "missing alpha": (drop("lifs.0.alpha"), FileFormatError, "weights.lifs.0.alpha is missing"),
    "a value per neuron": (spoil("lifs.0.beta", [0.5, 0.9]), NetworkError, "lifs.0.beta has 2 values"),
    "beta": (spoil("lifs.0.beta", 1.5), NetworkError, "weights.lifs.0: beta is 1.5"),
    "threshold": (spoil("lifs.0.threshold", -1.0), NetworkError, "weights.lifs.0: threshold is -1"),
    "graded spikes": (spoil("lifs.0.graded_spikes_factor", 2.0), NetworkError, "graded_spikes_factor is 2"),
    "reset": (spoil("lifs.0.reset_mechanism_val", 3), FileFormatError, "reset_mechanism_val is 3"),
    "unknown key": (spoil("fc9.weight", [1.0]), FileFormatError, "weights.fc9.weight does not belong"),
    "unknown neuron": (spoil("neuron_type", "Izhikevich", "parameters"), FileFormatError, "is 'Izhikevich'; known"),
    "no sizes": (spoil("hidden_layers", 3, "parameters"), FileFormatError, "hidden_layers is 3"),
    "sizes": (spoil("num_inputs", -2, "parameters"), FileFormatError, r"layer sizes \[-2, 2\]"),
    "absurd sizes": (spoil("num_inputs", 10**12, "parameters"), FileFormatError, "need .2, 1000000000000."),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_refused_with_the_key(case: str, tmp_path: Path) -> None:
    change, error, reason = BAD[case]
    _, tree = make("Synaptic", [2, 2])
    tree["parameters"]["hyperparameters"] = {}
    change(tree)
    with pytest.raises(error, match=reason) as caught:
        read(tree, tmp_path)
    assert "net.json" in str(caught.value)


HOSTILE = {
    "empty": "",
    "list": "[]",
    "cut": "{",
    "numbers": '{"weights": 1, "parameters": {}}',
    "deep": "[" * 100_000,
    "digits": '{"weights": {}, "parameters": ' + "9" * 5000 + "}",
    "pickle": "\x80\x04K\x01.",
    "overflow": '{"weights": {"fc1.weight": {"data": 1e999}}, "parameters": {}}',
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_text_is_refused(case: str, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"net\.json"):
        read(None, tmp_path, HOSTILE[case])


def test_missing_and_huge_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="does not exist"):
        read_snntrainer3d(tmp_path / "none.json", neurons=NEURONS)
    with (tmp_path / "huge.json").open("wb") as stream:
        stream.truncate(257 * 2**20)
    with pytest.raises(FileFormatError, match="more than 268,435,456 are not read"):
        read_snntrainer3d(tmp_path / "huge.json", neurons=NEURONS)


def test_cut_files_never_give_anything_but_our_errors(tmp_path: Path) -> None:
    text = json.dumps(make("Synaptic", [2, 2])[1])
    random = np.random.default_rng(0)
    for _ in range(300):
        cut = bytearray(text.encode()[: random.integers(1, len(text))] if random.random() < 0.5 else text.encode())
        cut[random.integers(0, len(cut))] = random.integers(0, 256)
        (tmp_path / "net.json").write_bytes(bytes(cut))
        try:
            read_snntrainer3d(tmp_path / "net.json", neurons=NEURONS)
        except Snn2CircuitError:
            continue
