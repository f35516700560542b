"""Handwritten digits of 8x8 pixels: 1,797 real samples that come with scikit-learn.

Each pixel counts the set pixels of a 4x4 block of the original 32x32 bitmap, 0 to 16; it is divided by 16 so that
inputs lie in 0..1. Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository, 1998, doi:10.24432/C50P49; scikit-learn ships its test part.

The held-out split is fixed: 20 % (360 samples), stratified by class, drawn by scikit-learn's ``train_test_split`` with
``random_state=0``, so anyone can draw it again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from snn2circuit.datasets.source import Source
from snn2circuit.ir.dataset import Dataset, Split

HELD_OUT = 0.2
SPLIT_SEED = 0


def load_digits(folder: Path | None = None) -> Dataset:
    """The digits with their fixed split; they come with scikit-learn, ``folder`` is not used."""
    del folder
    from sklearn.datasets import load_digits as load_bunch
    from sklearn.model_selection import train_test_split

    pixels, labels = load_bunch(return_X_y=True)
    train, test = train_test_split(
        np.arange(len(labels)), test_size=HELD_OUT, stratify=labels, random_state=SPLIT_SEED, shuffle=True
    )
    return Dataset(
        name=SOURCE.name,
        title=SOURCE.title,
        source=SOURCE.origin,
        shape=SOURCE.shape,
        classes=SOURCE.classes,
        train=Split(inputs=pixels[train] / 16, labels=labels[train]),
        test=Split(inputs=pixels[test] / 16, labels=labels[test]),
    )


SOURCE = Source(
    name="digits",
    title="Handwritten digits, 8x8 pixels",
    origin="scikit-learn (UCI optical recognition of handwritten digits, doi:10.24432/C50P49)",
    shape=(8, 8),
    classes=tuple("0123456789"),
    load=load_digits,
)
