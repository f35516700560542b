"""The data of a network that does not say what it was trained on: a design file's, and never the built-in by chance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from snn2circuit import Dataset, Layer, Leaky, Network, Split, choose_samples, load, load_dataset, save
from snn2circuit.cli import main
from snn2circuit.errors import DataError


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def network(inputs: int = 2, outputs: int = 2, dataset: str = "", beta: float = 0.9) -> Network:
    random = np.random.default_rng(0)
    neuron = Leaky(beta=beta, threshold=0.5)
    layers = tuple(
        Layer(weight=np.float32(random.normal(0.3, 0.5, (b, a))), neuron=neuron) for a, b in ((inputs, 4), (4, outputs))
    )
    return Network(name="imported", layers=layers, steps=5, dataset=dataset)


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    """A design file, and the samples of two inputs that it names."""
    folder = tmp_path / "samples"
    folder.mkdir()
    random = np.random.default_rng(1)
    for which, count in (("train", 6), ("test", 4)):
        np.save(folder / f"x_{which}.npy", random.uniform(0, 1, (count, 2)))
        np.save(folder / f"y_{which}.npy", np.arange(count) % 2)
    return design(tmp_path, f'dataset = "arrays"\nfolder = "{folder}"')


def design(folder: Path, data: str) -> Path:
    path = folder / "design.toml"
    path.write_text(f"[data]\n{data}\n[simulation]\nsamples = 2\n", encoding="utf-8")
    return path


def mapped(tmp_path: Path, network: Network, *options: object) -> Path:
    save(network, tmp_path / "network.npz")
    result = call("map", tmp_path / "network.npz", "-o", tmp_path / "crossbar.npz", *options)
    assert result.exit_code == 0, result.output
    return tmp_path / "crossbar.npz"


COMMANDS = {
    "netlist": lambda crossbar, out: ("netlist", crossbar, "-o", out),
    "advise": lambda crossbar, out: ("advise", crossbar, "-o", out),
    "verify": lambda crossbar, out: ("verify", crossbar, "-o", out, "-n", 2, "--referee", 1),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("inputs", [2, 64])
def test_the_built_in_data_are_never_taken_by_chance(command: str, inputs: int, tmp_path: Path) -> None:
    """Not even where they would fit."""
    crossbar = mapped(tmp_path, network(inputs, 10))
    silent = design(tmp_path, 'normalize = "none"')
    for options in ((), ("-d", silent)):
        result = call(*COMMANDS[command](crossbar, tmp_path / "out"), *options)
        assert result.exit_code == 1
        assert f"the network takes {inputs} inputs and does not say which data" in result.output
        assert "[data] dataset is 'digits' (the built-in default), which has 64" in result.output
        assert "dataset = 'arrays'" in result.output
        assert "x_train.npy" in result.output
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_data_that_do_not_fit_are_named_with_the_key(command: str, tmp_path: Path) -> None:
    crossbar = mapped(tmp_path, network())
    chosen = design(tmp_path, 'dataset = "digits"')
    result = call(*COMMANDS[command](crossbar, tmp_path / "out"), "-d", chosen)
    assert result.exit_code == 1
    assert "the network takes 2 inputs; [data] dataset is 'digits', which has 64" in result.output
    crossbar = mapped(tmp_path, network(64, 3))
    result = call(*COMMANDS[command](crossbar, tmp_path / "out"), "-d", chosen)
    assert "the network has 3 outputs; [data] dataset is 'digits', which has 10 classes" in result.output


@pytest.mark.parametrize("command", COMMANDS)
def test_the_data_of_a_design_file_are_taken_and_said(command: str, arrays: Path, tmp_path: Path) -> None:
    crossbar = mapped(tmp_path, network())
    result = call(*COMMANDS[command](crossbar, tmp_path / "out"), "-d", arrays)
    assert result.exit_code == 0, result.output
    assert f"data: Arrays of samples, as [data] dataset in {arrays} says" in result.output
    assert (tmp_path / "out").exists()


def test_a_network_that_names_its_data_needs_no_design_file(tmp_path: Path) -> None:
    crossbar = mapped(tmp_path, network(dataset="xor"))
    result = call("netlist", crossbar, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "data:" not in result.output


def test_a_network_of_data_that_nobody_has_says_so(tmp_path: Path, arrays: Path) -> None:
    crossbar = mapped(tmp_path, network(dataset="their-own"), "-d", arrays)
    result = call("netlist", crossbar, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "the network was trained on 'their-own', which is none of digits" in result.output
    assert call("netlist", crossbar, "-o", tmp_path / "out", "-d", arrays).exit_code == 0


def test_map_and_layout_need_no_data_and_map_takes_the_design_files(arrays: Path, tmp_path: Path) -> None:
    crossbar = mapped(tmp_path, network())
    assert load(crossbar).scale_basis == "bound"
    assert call("layout", crossbar, "-o", tmp_path / "stack.glb").exit_code == 0
    assert load(mapped(tmp_path, network(), "-d", arrays)).scale_basis == "data"


def test_map_says_which_key_to_set_where_it_cannot_do_without(arrays: Path, tmp_path: Path) -> None:
    save(network(beta=1.0), tmp_path / "network.npz")
    result = call("map", tmp_path / "network.npz", "-o", tmp_path / "c.npz")
    assert result.exit_code == 1
    assert "[data] dataset in a design file" in result.output
    assert call("map", tmp_path / "network.npz", "-o", tmp_path / "c.npz", "-d", arrays).exit_code == 0
    assert load(tmp_path / "network.npz", Network).dataset == ""


def test_the_same_in_python(tmp_path: Path) -> None:
    crossbar = load(mapped(tmp_path, network()))
    with pytest.raises(DataError, match="the network takes 2 inputs; the dataset is 'digits', which has 64"):
        choose_samples(crossbar, load_dataset("digits"))
    split = Split(inputs=np.zeros((1, 2)), labels=np.zeros(1))
    several = Dataset(name="mine", title="", source="", shape=(2,), classes=tuple("abc"), train=split, test=split)
    with pytest.raises(DataError, match="has 2 outputs; the dataset is 'mine', which has 3 classes"):
        choose_samples(crossbar, several)
