"""From a design's words on inputs to what every stage sees: own data, normalised, encoded, decided by spike counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from snn2circuit import flow
from snn2circuit.cli import main
from snn2circuit.datasets import load_dataset
from snn2circuit.design import Design, parse_design
from snn2circuit.errors import DataError, DesignError
from snn2circuit.ir.encoding import Encoding
from snn2circuit.steps import design_encoding, design_recipe
from snn2circuit.training import read_history


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two kinds of bytes images, 3x3, bright above or below; and the same problem as spikes over six steps."""
    place = tmp_path_factory.mktemp("own")
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    bright = np.repeat([[1, 1, 0], [0, 1, 1]], 3, axis=1).reshape(2, 9)[labels]
    images = np.clip(rng.normal(60 + 150 * bright, 25), 0, 255).astype(np.uint8).reshape(60, 3, 3)
    spikes = rng.random((60, 6, 9)) < (0.1 + 0.6 * bright)[:, None, :]
    for name, samples in (("x", images), ("spikes", spikes)):
        (place / name).mkdir()
        np.savez(
            place / name / "data.npz",
            **{
                f"{name}_train": samples[:40],
                f"{name}_test": samples[40:],
                "y_train": labels[:40],
                "y_test": labels[40:],
            },
            classes=np.array(["above", "below"]),
        )
    return place


def design(folder: Path, kind: str = "x", **keys: dict[str, object]) -> Design:
    sections: dict[str, dict[str, object]] = {
        "data": {"dataset": "arrays", "folder": str(folder / kind)},
        "network": {"hidden": [6], "steps": 6},
        "training": {"epochs": 25, "noise": 0.05},
        # To the exact solver a membrane and its threshold are apart when they are to the model, whatever was trained.
        "simulation": {"samples": 2, "solver": "exact"},
    }
    for name, values in keys.items():
        sections[name].update(values)
    text = ""
    for name, values in sections.items():
        text += f"[{name}]\n" + "".join(f"{key} = {value!r}\n" for key, value in values.items())
    return parse_design(text)


RUNS = {
    "rate": (
        "x",
        {
            "data": {"normalize": "range"},
            "network": {"encoding": "rate", "encoding_seed": 4},
            "training": {"loss": "ce_count"},
        },
    ),
    "given": ("spikes", {"network": {"encoding": "given"}}),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_whole_run_on_your_own_data(name: str, folder: Path, tmp_path: Path) -> None:
    kind, keys = RUNS[name]
    summary = flow.run(design(folder, kind, **keys), tmp_path)
    assert summary["spike_mismatches"] == summary["spike_mismatches_snntorch"] == 0
    assert 0 < summary["spikes_model"] < summary["spikes_compared"]
    history = read_history(tmp_path / "history.jsonl")
    assert history[-1].loss < history[0].loss
    assert summary["inputs"].startswith(name)
    assert summary["decision"] == ("count" if name == "rate" else "membrane")
    assert summary["inputs"] in (tmp_path / "report.html").read_text()


def test_the_keys_make_the_encoding(folder: Path) -> None:
    data = load_dataset("arrays", folder / "x")
    standard = design_encoding(design(folder, data={"normalize": "standard"}), data)
    values = standard.normalise(data.train.inputs)
    assert (values.mean(), values.std()) == (pytest.approx(0, abs=1e-12), pytest.approx(1))
    spread = design_encoding(design(folder, data={"normalize": "range"}), data)
    assert spread.limits(np.vstack([data.train.inputs, data.test.inputs])) == (0.0, 1.0)
    fixed = {"normalize": "fixed", "offset": 33.3, "scale": 78.6}
    assert design_encoding(design(folder, data=fixed), data) == Encoding(offset=33.3, scale=78.6)
    text = "[network]\nencoding = 'latency'\nlatency_threshold = 0.2\nlatency_linear = false\nlatency_clip = false"
    expected = Encoding(kind="latency", threshold=0.2, linear=False, clip=False)
    assert design_recipe(parse_design(text), data).encoding == expected


def test_contradictions_are_refused_before_any_training(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DesignError, match="normalize = 'standard' gives inputs below 0, which cannot be rate encoded"):
        flow.run(design(folder, data={"normalize": "standard"}, network={"encoding": "rate"}), tmp_path)
    with pytest.raises(DataError, match=r"takes inputs in 0\.\.1, but input \d+ of sample 0 is"):
        flow.run(design(folder, network={"encoding": "latency"}), tmp_path)
    with pytest.raises(DataError, match="'given' is for samples that already have steps"):
        flow.run(design(folder, network={"encoding": "given"}), tmp_path)
    with pytest.raises(DataError, match=r"the samples have shape .*the other encodings make them"):
        flow.run(design(folder, "spikes"), tmp_path)
    with pytest.raises(DataError, match="given over 6 steps, the network runs 5; set steps"):
        flow.run(design(folder, "spikes", network={"encoding": "given", "steps": 5}), tmp_path)
    assert not (tmp_path / "network.npz").exists()


def test_the_command_line_names_file_and_array(tmp_path: Path) -> None:
    np.save(tmp_path / "x_train.npy", np.array([[0.0, np.nan]]))
    for name in ("x_test", "y_train", "y_test"):
        np.save(tmp_path / f"{name}.npy", np.zeros((1, 2) if name == "x_test" else 1, dtype=int))
    (tmp_path / "d.toml").write_text(f'[data]\ndataset = "arrays"\nfolder = "{tmp_path}"\n')
    answer = CliRunner().invoke(main, ["train", "-d", str(tmp_path / "d.toml"), "-o", str(tmp_path / "n.npz")])
    assert answer.exit_code == 1
    assert f"{tmp_path / 'x_train.npy'}: value at (0, 1) is nan" in answer.output.replace("\n", "")
    assert not (tmp_path / "n.npz").exists()
