"""EMNIST: handwritten letters and digits in MNIST's format, in six splits that are six datasets here.

Two things differ from MNIST. Images are stored by columns, so each is transposed on reading and stands upright, as
MNIST's do. And the labels of ``letters`` begin at 1, which becomes 0. ``bymerge`` and ``balanced`` join the lower-case
letters that look like their capitals (c i j k l m o p s u v w x y z) with them, which leaves 47 classes of 62.

Source: G. Cohen, S. Afshar, J. Tapson, A. van Schaik, "EMNIST: an extension of MNIST to handwritten letters",
arXiv:1702.05373, 2017; the order of the classes is that of the mapping files that come with it.
"""

from __future__ import annotations

from pathlib import Path
from string import ascii_lowercase, ascii_uppercase, digits

from snn2circuit.datasets.idx_folder import load_idx_folder
from snn2circuit.datasets.source import Source
from snn2circuit.ir.dataset import Dataset

MERGED = tuple(digits + ascii_uppercase + "abdefghnqrt")


def emnist_files(split: str) -> tuple[str, ...]:
    """Names of the four files of a split."""
    return tuple(
        f"emnist-{split}-{which}-{what}-ubyte"
        for which in ("train", "test")
        for what in ("images-idx3", "labels-idx1")
    )  # fmt: skip


def _source(split: str, what: str, classes: tuple[str, ...], first_label: int = 0) -> Source:
    def load(folder: Path | None = None) -> Dataset:
        return load_idx_folder(source, folder, transposed=True, first_label=first_label)

    source = Source(
        name=f"emnist_{split}",
        title=f"EMNIST {what}, 28x28 pixels",
        origin="Cohen et al. 2017, arXiv:1702.05373",
        shape=(28, 28),
        classes=classes,
        load=load,
        files=emnist_files(split),
        torchvision="EMNIST",
        split=split,
    )
    return source


SOURCES = (
    _source("letters", "letters of either case", tuple(ascii_uppercase), first_label=1),
    _source("digits", "digits, 280,000 of them", tuple(digits)),
    _source("balanced", "digits and letters, as many of each", MERGED),
    _source("bymerge", "digits and letters, like-looking cases merged", MERGED),
    _source("byclass", "digits and letters of both cases", tuple(digits + ascii_uppercase + ascii_lowercase)),
    _source("mnist", "digits, as many as MNIST has", tuple(digits)),
)
