"""Fashion-MNIST: MNIST's format and size with pictures of clothes, a harder problem for the same network.

Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
Algorithms", arXiv:1708.07747, 2017. Debian packages it as ``dataset-fashion-mnist``, and where that is installed the
data are found without naming a folder.
"""

from __future__ import annotations

from pathlib import Path

from snn2circuit.datasets.idx_folder import FILES, load_idx_folder
from snn2circuit.datasets.source import Source
from snn2circuit.ir.dataset import Dataset

DEBIAN = Path("/usr/share/datasets/fashion-mnist")


def load_fashion_mnist(folder: Path | None = None) -> Dataset:
    """Fashion-MNIST from the four IDX files in ``folder`` (see :mod:`snn2circuit.datasets.idx_folder`).

    Raises:
        DataError: a file is missing or damaged.
    """
    return load_idx_folder(SOURCE, folder, shared=(DEBIAN,))


SOURCE = Source(
    name="fashion_mnist",
    title="Fashion-MNIST clothes, 28x28 pixels",
    origin="Xiao et al. 2017, arXiv:1708.07747",
    shape=(28, 28),
    classes=(
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ),
    load=load_fashion_mnist,
    files=FILES,
    torchvision="FashionMNIST",
)  # fmt: skip
