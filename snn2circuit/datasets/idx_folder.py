"""Datasets that are four IDX files in a folder: where they are looked for, and how they become a :class:`Dataset`.

The layout is torchvision's, ``ROOT/MNIST/raw/train-images-idx3-ubyte``, so one folder serves both; files that lie
directly in the given folder are found too, which is how Debian and others ship them. Each may be plain or ``.gz``.
``ROOT`` is the folder that the caller gives; without one it is the environment variable ``SNN2CIRCUIT_DATA``, and
without that ``~/.cache/snn2circuit``.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from snn2circuit.datasets.idx import read_images, read_labels
from snn2circuit.datasets.source import Source
from snn2circuit.errors import DataError
from snn2circuit.ir.dataset import Dataset, Split

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
FOLDER_VARIABLE = "SNN2CIRCUIT_DATA"


def data_folder(folder: Path | None = None) -> Path:
    """The folder that holds datasets: ``folder``, else ``$SNN2CIRCUIT_DATA``, else ``~/.cache/snn2circuit``."""
    if folder is not None:
        return Path(folder).expanduser()
    if given := os.environ.get(FOLDER_VARIABLE):
        return Path(given).expanduser()
    return Path.home() / ".cache" / "snn2circuit"


def load_idx_folder(
    source: Source,
    folder: Path | None,
    shared: tuple[Path, ...] = (),
    *,
    transposed: bool = False,
    first_label: int = 0,
) -> Dataset:
    """Load a dataset of four IDX files; a pixel of 255 becomes an input of 1.

    Args:
        source: what the files must hold.
        folder: data folder; None is the default of :func:`data_folder`.
        shared: folders where a package manager puts the files; searched last, and only if no folder was given.
        transposed: whether the images are stored by columns; they are turned upright.
        first_label: what the first class is called in the files.

    Raises:
        DataError: files are missing (the text says where they were looked for and how to get them), damaged, or do not
            belong together.
    """
    paths = find_files(source, folder, shared)
    train, test = (
        _read_split(images, labels, source, transposed, first_label)
        for images, labels in ((paths[0], paths[1]), (paths[2], paths[3]))
    )
    return Dataset(
        name=source.name,
        title=source.title,
        source=f"{source.origin}, read from {paths[0].parent}",
        shape=source.shape,
        classes=source.classes,
        train=train,
        test=test,
    )


def find_files(source: Source, folder: Path | None, shared: tuple[Path, ...] = ()) -> tuple[Path, ...]:
    """Paths of the four files in the order of ``source.files``, all in one folder; plain ones win over ``.gz``.

    Raises:
        DataError: no folder has all four.
    """
    root = data_folder(folder)
    theirs = [root / source.torchvision / "raw"] if source.torchvision else []
    places = [*theirs, root, *(() if folder is not None else shared)]
    missing = []
    for place in places:
        found = [_plain_or_compressed(place / name) for name in source.files]
        paths = tuple(path for path in found if path is not None)
        if len(paths) == len(source.files):
            return paths
        missing.append(
            f"  {place}: no {', '.join(n for n, path in zip(source.files, found, strict=True) if path is None)}"
        )
    raise DataError(
        f"dataset {source.name} is not on this machine. Looked for its four IDX files (plain or .gz) in\n"
        + "\n".join(missing)
        + f"\nPut them there, or name another folder (the data folder of the design, or {FOLDER_VARIABLE})"
        + (
            ", or fetch them with torchvision: pip install 'snn2circuit[download]' and\n"
            f"  snn2circuit download {source.name}"
            if source.torchvision
            else ""
        )
    )


def _plain_or_compressed(path: Path) -> Path | None:
    for candidate in (path, path.with_name(path.name + ".gz")):
        if candidate.is_file():
            return candidate
    return None


def _read_split(images_path: Path, labels_path: Path, source: Source, transposed: bool, first_label: int) -> Split:
    images = read_images(images_path, source.shape)
    labels = read_labels(labels_path, len(source.classes), first_label)
    if len(images) != len(labels):
        raise DataError(
            f"{images_path} has {len(images)} images but {labels_path} has {len(labels)} labels;"
            " they do not belong together"
        )
    upright = images.transpose(0, 2, 1) if transposed else images
    return Split(inputs=upright.reshape(len(images), -1) / 255.0, labels=labels.astype(np.int64) - first_label)
