"""MNIST: 60,000 training and 10,000 test images of handwritten digits, 28x28 pixels of 0..255, here divided by 255.

Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition", Proc.
IEEE 86(11), 1998, doi:10.1109/5.726791. The split is the published one.
"""

from __future__ import annotations

from pathlib import Path

from snn2circuit.datasets.idx_folder import FILES, load_idx_folder
from snn2circuit.datasets.source import Source
from snn2circuit.ir.dataset import Dataset


def load_mnist(folder: Path | None = None) -> Dataset:
    """MNIST from the four IDX files in ``folder`` (see :mod:`snn2circuit.datasets.idx_folder`).

    Raises:
        DataError: a file is missing or damaged.
    """
    return load_idx_folder(SOURCE, folder)


SOURCE = Source(
    name="mnist",
    title="MNIST handwritten digits, 28x28 pixels",
    origin="LeCun et al. 1998, doi:10.1109/5.726791",
    shape=(28, 28),
    classes=tuple("0123456789"),
    load=load_mnist,
    files=FILES,
    torchvision="MNIST",
)
