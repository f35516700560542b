"""KMNIST: MNIST's format and size with ten classes of cursive Japanese characters.

Source: T. Clanuwat et al., "Deep Learning for Classical Japanese Literature", arXiv:1812.01718, 2018.
"""

from __future__ import annotations

from pathlib import Path

from snn2circuit.datasets.idx_folder import FILES, load_idx_folder
from snn2circuit.datasets.source import Source
from snn2circuit.ir.dataset import Dataset


def load_kmnist(folder: Path | None = None) -> Dataset:
    """KMNIST from the four IDX files in ``folder`` (see :mod:`snn2circuit.datasets.idx_folder`).

    Raises:
        DataError: a file is missing or damaged.
    """
    return load_idx_folder(SOURCE, folder)


SOURCE = Source(
    name="kmnist",
    title="KMNIST cursive Japanese characters, 28x28 pixels",
    origin="Clanuwat et al. 2018, arXiv:1812.01718",
    shape=(28, 28),
    classes=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    load=load_kmnist,
    files=FILES,
    torchvision="KMNIST",
)
