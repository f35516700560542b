"""The ways in and out on the command line: every format there and back, and what is refused leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import snntorch
import torch
from click.testing import CliRunner, Result
from torch import nn

from snn2circuit import FORMATS, Layer, Leaky, Network, export_network, save
from snn2circuit.cli import exchange, main
from snn2circuit.errors import FileFormatError
from snn2circuit.ir.files import fingerprint, load
from snn2circuit.steps import PARTS


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def network(reset: str = "subtract") -> Network:
    random = np.random.default_rng(0)
    neuron = Leaky(beta=0.9, threshold=0.5, reset_mechanism=reset)
    layers = tuple(
        Layer(weight=np.float32(random.normal(0.3, 0.5, (b, a))), bias=np.float32(random.normal(size=b)), neuron=neuron)
        for a, b in ((2, 4), (4, 2))
    )
    return Network(name="network", layers=layers, steps=25)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save(network(), tmp_path / "network.npz")
    return tmp_path / "network.npz"


@pytest.mark.parametrize(("kind", "name"), [("nir", "network.nir"), ("snntrainer3d", "network.json")])
def test_there_and_back(kind: str, name: str, saved: Path, tmp_path: Path) -> None:
    written = call("export", saved, "--format", kind, "-o", tmp_path / name, "--approximate", "--dt", 2e-3)
    assert written.exit_code == 0, written.output
    back = call("import", tmp_path / name, "-o", tmp_path / "back.npz")
    assert back.exit_code == 0, back.output
    assert "2-4-2, leaky, 25 steps" in back.output
    assert fingerprint(load(tmp_path / "back.npz", Network, PARTS)) == fingerprint(network())


def test_what_the_user_knows_better_than_the_file(saved: Path, tmp_path: Path) -> None:
    call("export", saved, "--format", "snntrainer3d", "-o", tmp_path / "w.json")
    call("import", tmp_path / "w.json", "-o", tmp_path / "back.npz", "--steps", 7, "--dataset", "xor")
    back = load(tmp_path / "back.npz", Network, PARTS)
    assert (back.steps, back.dataset, back.name) == (7, "xor", "w")


def test_a_state_dict_loads_into_snntorch(saved: Path, tmp_path: Path) -> None:
    assert call("export", saved, "--format", "snntorch", "-o", tmp_path / "w.pt").exit_code == 0
    module = nn.Sequential(nn.Linear(2, 4), snntorch.Leaky(beta=0.1), nn.Linear(4, 2), snntorch.Leaky(beta=0.1))
    module.load_state_dict(torch.load(tmp_path / "w.pt", weights_only=True), strict=True)
    assert module[2].weight.dtype == torch.float32
    np.testing.assert_array_equal(module[2].weight.detach().numpy(), network().layers[1].weight)
    assert float(module[3].beta) == network().layers[1].neuron.beta


def test_refusals_say_why_and_leave_nothing(saved: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    refused = call("export", saved, "--format", "nir", "-o", tmp_path / "w.nir")
    assert refused.exit_code == 1
    assert "NIR cannot hold this network exactly" in refused.output
    assert "layer 1: the reset subtracts" in refused.output
    (tmp_path / "x.json").write_text("{")
    for file, reason in ((tmp_path / "x.json", "damaged or not JSON"), (saved, "read from nir (.nir .h5 .hdf5)")):
        refused = call("import", file, "-o", tmp_path / "new.npz")
        assert refused.exit_code == 1
        assert reason in refused.output
    (tmp_path / "x.json").unlink()
    assert sorted(tmp_path.iterdir()) == before


def test_warnings_reach_the_terminal(saved: Path, tmp_path: Path) -> None:
    written = call("export", saved, "--format", "nir", "-o", tmp_path / "w.nir", "--approximate")
    assert "approximated: layer 1: the reset subtracts" in written.output


def test_the_command_line_offers_every_format() -> None:
    assert tuple(FORMATS) == exchange._FORMATS
    assert tuple(name for name, each in FORMATS.items() if each.read) == exchange._FORMATS[:2]
    with pytest.raises(FileFormatError, match=r"format 'onnx' is not known; allowed: nir, snntrainer3d, snntorch"):
        export_network(network(), Path("x.onnx"), kind="onnx")
