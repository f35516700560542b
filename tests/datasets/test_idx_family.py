"""MNIST's relatives: KMNIST, EMNIST with its transposed images and shifted labels, and any set of the same layout."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from idx_files import idx_bytes, write_dataset

from snn2circuit.datasets import DATASETS, load_dataset
from snn2circuit.datasets.emnist import emnist_files
from snn2circuit.errors import DataError


def write_emnist(folder: Path, split: str, labels: np.ndarray) -> np.ndarray:
    """Both halves of a split with these labels; the images as they look upright."""
    folder.mkdir(parents=True, exist_ok=True)
    upright = np.random.default_rng(1).integers(0, 256, (len(labels), 28, 28), dtype=np.uint8)
    for images, numbers in (emnist_files(split)[:2], emnist_files(split)[2:]):
        # By columns, as EMNIST stores them: pixel (row, column) of the upright image is (column, row) in the file.
        (folder / images).write_bytes(idx_bytes(np.stack([image.T for image in upright])))
        (folder / numbers).write_bytes(idx_bytes(labels))
    return upright


# Classes and sizes as in table II of the paper, arXiv:1702.05373.
@pytest.mark.parametrize(
    ("split", "classes", "first", "last"),
    [
        ("letters", 26, "A", "Z"), ("digits", 10, "0", "9"), ("balanced", 47, "0", "t"), ("bymerge", 47, "0", "t"),
        ("byclass", 62, "0", "z"), ("mnist", 10, "0", "9"),
    ],
)  # fmt: skip
def test_emnist_splits(split: str, classes: int, first: str, last: str, tmp_path: Path) -> None:
    shift = int(split == "letters")
    upright = write_emnist(tmp_path / "EMNIST" / "raw", split, np.arange(classes) + shift)
    data = load_dataset(f"emnist_{split}", tmp_path)
    assert (len(data.classes), data.classes[0], data.classes[-1]) == (classes, first, last)
    np.testing.assert_array_equal(data.test.labels, np.arange(classes))
    np.testing.assert_array_equal(data.train.inputs.reshape(-1, 28, 28) * 255, upright)


def test_emnist_letters_have_no_class_zero(tmp_path: Path) -> None:
    write_emnist(tmp_path, "letters", np.array([1, 0, 26]))
    with pytest.raises(DataError, match=r"label 0 of item 1 is out of range; 26 classes allow 1\.\.26"):
        load_dataset("emnist_letters", tmp_path)
    with pytest.raises(DataError, match="no emnist-digits-train-images-idx3-ubyte"):
        load_dataset("emnist_digits", tmp_path)


def test_torchvision_knows_the_same_classes() -> None:
    from snn2circuit.datasets.download import import_torchvision

    import_torchvision()
    from torchvision.datasets import EMNIST, KMNIST

    assert list(DATASETS["kmnist"].classes) == KMNIST.classes
    for split, classes in EMNIST.classes_split_dict.items():
        mine = [each.lower() if split == "letters" else each for each in DATASETS[f"emnist_{split}"].classes]
        assert mine == [each for each in classes if each != "N/A"]


def test_kmnist(tmp_path: Path) -> None:
    written = write_dataset(tmp_path / "KMNIST" / "raw", suffix=".gz")
    data = load_dataset("kmnist", tmp_path)
    np.testing.assert_array_equal(data.train.labels, written["train-labels-idx1-ubyte"])
    assert data.classes[:2] == ("o", "ki")


def test_any_idx_set_is_read_as_its_files_say(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (9, 5, 7), dtype=np.uint8)
    for prefix, labels in (("train", np.arange(9) % 4), ("t10k", np.arange(9) % 6)):
        (tmp_path / f"{prefix}-images-idx3-ubyte").write_bytes(idx_bytes(images))
        (tmp_path / f"{prefix}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    data = load_dataset("idx", tmp_path)
    assert (data.shape, data.classes) == ((5, 7), tuple("012345"))
    np.testing.assert_array_equal(data.train.inputs * 255, images.reshape(9, 35))
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx_bytes(images[:, :4]))
    with pytest.raises(DataError, match=r"images are 4 x 7 pixels; this dataset has 5 x 7"):
        load_dataset("idx", tmp_path)
    shutil.rmtree(tmp_path)
    with pytest.raises(DataError, match="dataset idx is not on this machine") as caught:
        load_dataset("idx", tmp_path)
    assert "snn2circuit download" not in str(caught.value)
