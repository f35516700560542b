"""What the datasets hold, against facts known from elsewhere and against torchvision's own reader."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from idx_files import idx_bytes, write_dataset

from snn2circuit.datasets import DATASETS, load_dataset
from snn2circuit.datasets.fashion_mnist import DEBIAN
from snn2circuit.errors import DataError
from snn2circuit.ir.dataset import Dataset

CACHE = Path(__file__).parents[2] / ".cache"


def test_listing_is_light_and_complete() -> None:
    code = """
import sys
from snn2circuit.datasets import DATASETS
for name, source in DATASETS.items():
    assert source.name == name and source.title and source.origin and bool(source.classes) == bool(source.shape)
heavy = {"torch", "torchvision", "sklearn", "scipy"} & set(sys.modules)
sys.exit(f"listing loaded {heavy}" if heavy else 0)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert [name for name, source in DATASETS.items() if not source.needs_files] == ["digits", "xor"]
    assert [name for name, source in DATASETS.items() if not source.shape] == ["idx", "arrays"]


def test_unknown_name() -> None:
    with pytest.raises(DataError, match="no dataset 'minst'; known are digits, xor, mnist, fashion_mnist, kmnist"):
        load_dataset("minst")


def test_xor() -> None:
    xor = load_dataset("xor")
    for split in (xor.train, xor.test):
        assert {tuple(bits): int(label) for bits, label in zip(split.inputs, split.labels, strict=True)} == {
            (a, b): a ^ b for a in (0, 1) for b in (0, 1)
        }


def test_digits_split_is_fixed_stratified_and_disjoint() -> None:
    from sklearn.datasets import load_digits

    digits = load_dataset("digits")
    assert (len(digits.train.labels), len(digits.test.labels)) == (1437, 360)
    assert digits.train.inputs.min() == 0
    assert digits.train.inputs.max() == 1
    pixels, labels = load_digits(return_X_y=True)
    whole = np.bincount(labels)
    held = np.bincount(digits.test.labels)
    assert np.abs(held - 0.2 * whole).max() <= 1
    # Every original sample is in exactly one split, with its label.
    rows = np.vstack([digits.train.inputs, digits.test.inputs]) * 16
    both = np.column_stack([rows, np.concatenate([digits.train.labels, digits.test.labels])])
    original = np.column_stack([pixels, labels])
    assert sorted(map(tuple, both)) == sorted(map(tuple, original))
    again = load_dataset("digits")
    np.testing.assert_array_equal(again.test.inputs, digits.test.inputs)


@pytest.fixture(scope="module")
def mnist() -> Dataset:
    if not (CACHE / "MNIST").is_dir():
        pytest.fail("the real MNIST is missing; fetch it with: bash scripts/fetch_test_data.sh")
    return load_dataset("mnist", CACHE)


@pytest.fixture(scope="module")
def fashion() -> Dataset:
    if not DEBIAN.is_dir():
        pytest.fail("the real Fashion-MNIST is missing; install it with: apt-get install dataset-fashion-mnist")
    return load_dataset("fashion_mnist", DEBIAN)


# Known of MNIST: counts per class from LeCun's page and papers, mean 0.1307 and deviation 0.3081 from the
# normalisation that every tutorial uses, first labels 5 0 4 1 9 and 7 2 1 0 4.
def test_mnist_is_mnist(mnist: Dataset) -> None:
    assert mnist.train.inputs.shape == (60000, 784)
    assert mnist.test.inputs.shape == (10000, 784)
    assert mnist.train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert mnist.test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(mnist.train.labels).tolist() == counts
    assert mnist.train.inputs.mean() == pytest.approx(0.1307, abs=5e-5)
    assert mnist.train.inputs.std() == pytest.approx(0.3081, abs=5e-5)
    assert (mnist.train.inputs.min(), mnist.train.inputs.max()) == (0, 1)


# Known of Fashion-MNIST: 6,000 images per class, mean 0.2860 and deviation 0.3530, first label an ankle boot.
def test_fashion_mnist_is_fashion_mnist(fashion: Dataset) -> None:
    assert np.bincount(fashion.train.labels).tolist() == [6000] * 10
    assert np.bincount(fashion.test.labels).tolist() == [1000] * 10
    assert fashion.classes[fashion.train.labels[0]] == "Ankle boot"
    assert fashion.train.labels[:5].tolist() == [9, 0, 0, 3, 0]
    assert fashion.train.inputs.mean() == pytest.approx(0.2860, abs=5e-5)
    assert fashion.train.inputs.std() == pytest.approx(0.3530, abs=5e-5)


def test_torchvision_reads_the_same(mnist: Dataset, fashion: Dataset, tmp_path: Path) -> None:
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for path in DEBIAN.glob("*.gz"):
        with gzip.open(path) as packed, (raw / path.stem).open("wb") as plain:
            shutil.copyfileobj(packed, plain)
    code = """
import sys
import numpy as np
from snn2circuit.datasets.download import import_torchvision
import_torchvision()
from torchvision.datasets import MNIST, FashionMNIST
out = {}
for name, cls, root in (("mnist", MNIST, sys.argv[1]), ("fashion", FashionMNIST, sys.argv[2])):
    for which, train in (("train", True), ("test", False)):
        data = cls(root, train=train)
        out[f"{name}_{which}_images"], out[f"{name}_{which}_labels"] = data.data.numpy(), data.targets.numpy()
np.savez(sys.argv[3], **out)
"""
    judged = tmp_path / "torchvision.npz"
    subprocess.run([sys.executable, "-c", code, CACHE, tmp_path, judged], check=True)
    with np.load(judged) as theirs:
        for name, dataset in (("mnist", mnist), ("fashion", fashion)):
            for which, split in (("train", dataset.train), ("test", dataset.test)):
                pixels = theirs[f"{name}_{which}_images"].reshape(len(split.labels), -1)
                assert np.array_equal(split.inputs * 255, pixels)
                np.testing.assert_array_equal(split.labels, theirs[f"{name}_{which}_labels"])


@pytest.mark.parametrize(("inside", "suffix"), [("MNIST/raw", ""), ("MNIST/raw", ".gz"), ("", ""), ("", ".gz")])
def test_places_and_compression(tmp_path: Path, inside: str, suffix: str) -> None:
    arrays = write_dataset(tmp_path / inside, suffix=suffix)
    mnist = load_dataset("mnist", tmp_path)
    np.testing.assert_array_equal(mnist.test.labels, arrays["t10k-labels-idx1-ubyte"])
    np.testing.assert_array_equal(mnist.train.inputs * 255, arrays["train-images-idx3-ubyte"].reshape(20, 784))


def test_environment_names_the_folder_and_the_parameter_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNN2CIRCUIT_DATA", str(tmp_path / "env"))
    write_dataset(tmp_path / "env" / "MNIST" / "raw", train=3)
    write_dataset(tmp_path / "given", train=4)
    assert len(load_dataset("mnist").train.labels) == 3
    assert len(load_dataset("mnist", tmp_path / "given").train.labels) == 4


def test_missing_files_are_named_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_dataset(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError) as caught:
        load_dataset("mnist", tmp_path)
    text = str(caught.value)
    assert f"{tmp_path}: no t10k-labels-idx1-ubyte\n" in text
    assert f"{tmp_path / 'MNIST' / 'raw'}: no train-images-idx3-ubyte, train-labels-idx1-ubyte," in text
    for way_out in ("SNN2CIRCUIT_DATA", "snn2circuit[download]", "snn2circuit download mnist"):
        assert way_out in text
    monkeypatch.delenv("SNN2CIRCUIT_DATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with pytest.raises(DataError, match=r"home/\.cache/snn2circuit/MNIST/raw"):
        load_dataset("mnist")


def test_images_and_labels_that_do_not_belong_together(tmp_path: Path) -> None:
    write_dataset(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx_bytes(np.zeros(19)))
    with pytest.raises(DataError, match=r"has 20 images but .*train-labels-idx1-ubyte has 19 labels"):
        load_dataset("mnist", tmp_path)
