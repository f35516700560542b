"""Any set of IDX files in MNIST's layout: images of whatever size, as many classes as the labels name.

The four files have MNIST's names (:data:`~snn2circuit.datasets.idx_folder.FILES`), plain or ``.gz``, and lie in the
data folder. Classes are numbered from 0 to the largest label that occurs.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from snn2circuit.datasets.idx import read_idx
from snn2circuit.datasets.idx_folder import FILES, find_files, load_idx_folder
from snn2circuit.datasets.source import Source
from snn2circuit.ir.dataset import Dataset


def load_any_idx(folder: Path | None = None) -> Dataset:
    """The IDX files in ``folder``; size and classes are read from them.

    Raises:
        DataError: a file is missing or damaged.
    """
    images, labels, _, test_labels = find_files(SOURCE, folder)
    highest = max(int(read_idx(path, dimensions=1).max()) for path in (labels, test_labels))
    source = dataclasses.replace(
        SOURCE,
        title=f"Images of {images.parent.resolve().name}",
        shape=read_idx(images, dimensions=3).shape[1:],
        classes=tuple(map(str, range(highest + 1))),
    )
    return load_idx_folder(source, folder)


SOURCE = Source(
    name="idx",
    title="Any IDX files in MNIST's layout",
    origin="train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-... in the data folder",
    load=load_any_idx,
    files=FILES,
)
