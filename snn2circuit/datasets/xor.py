"""Exclusive or: two inputs that no single layer can tell apart, and the usual first circuit of printed electronics.

As in the printed-circuit literature, the four patterns are the whole problem: they are both the training and the test
split, and a network either solves it or does not. A pattern's two bits drive two input lines. The answer is read from
two output neurons, one for each class; class 1 means that the bits differ. An epoch is one pass over four samples, so
training takes a few hundred of them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from snn2circuit.datasets.source import Source
from snn2circuit.ir.dataset import Dataset, Split


def load_xor(folder: Path | None = None) -> Dataset:
    """The four patterns 00, 01, 10, 11 in that order; ``folder`` is not used."""
    del folder
    patterns = Split(inputs=np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), labels=np.array([0, 1, 1, 0]))
    return Dataset(
        name=SOURCE.name,
        title=SOURCE.title,
        source=SOURCE.origin,
        shape=SOURCE.shape,
        classes=SOURCE.classes,
        train=patterns,
        test=patterns,
    )


SOURCE = Source(
    name="xor",
    title="Exclusive or of two bits",
    origin="by definition; the same four patterns train and test",
    shape=(2,),
    classes=("equal", "different"),
    load=load_xor,
)
