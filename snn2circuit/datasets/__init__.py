"""Data to train and test on: one file a dataset, one line here. Importing this loads no data and no heavy library."""

from __future__ import annotations

from pathlib import Path

from snn2circuit.datasets import any_idx, arrays, digits, emnist, fashion_mnist, kmnist, mnist, xor
from snn2circuit.datasets.source import Source
from snn2circuit.errors import DataError
from snn2circuit.ir.dataset import Dataset

DATASETS: dict[str, Source] = {
    source.name: source
    for source in (
        digits.SOURCE,
        xor.SOURCE,
        mnist.SOURCE,
        fashion_mnist.SOURCE,
        kmnist.SOURCE,
        *emnist.SOURCES,
        any_idx.SOURCE,
        arrays.SOURCE,
    )
}


def load_dataset(name: str, folder: Path | None = None) -> Dataset:
    """Load a dataset by its name.

    Args:
        name: a key of ``DATASETS``.
        folder: where datasets that are files lie; None is ``$SNN2CIRCUIT_DATA`` or ``~/.cache/snn2circuit``.

    Raises:
        DataError: there is no such dataset, or its files are missing or damaged.
    """
    return _source(name).load(folder)


def download_dataset(name: str, folder: Path | None = None) -> Path:
    """Fetch the files of a dataset with torchvision into the data folder and return the folder they are in.

    Raises:
        DataError: there is no such dataset, it needs no files, torchvision is missing, or the download failed.
        OutputError: the folder cannot be written.
    """
    from snn2circuit.datasets.download import fetch

    return fetch(_source(name), folder)


def _source(name: str) -> Source:
    if name not in DATASETS:
        raise DataError(f"there is no dataset {name!r}; known are {', '.join(DATASETS)}")
    return DATASETS[name]
