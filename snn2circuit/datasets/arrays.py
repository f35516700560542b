"""Your own data: numpy arrays in a folder, or in one ``.npz`` file, by these names.

``x_train``, ``x_test``
    ``(samples, inputs)``, or images ``(samples, height, width, ...)``, which are laid out flat.
``y_train``, ``y_test``
    ``(samples,)``, whole numbers from 0: the class of each sample.
``spikes_train``, ``spikes_test``
    Instead of ``x_``: ``(samples, steps, inputs)`` or ``(samples, steps, height, width, ...)``, spikes or analog values
    given step by step, for the encoding ``given``.
``classes``
    Optional: the names of the classes, an array of text. Without it they are 0, 1, 2, ...

Values are taken as they are; the design's normalisation brings 0..255 to 0..1. How the files are read, and what is
refused, is in :mod:`snn2circuit.datasets.array_files`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn2circuit.datasets.array_files import Found, find_array
from snn2circuit.datasets.idx_folder import data_folder
from snn2circuit.datasets.source import Source
from snn2circuit.errors import DataError
from snn2circuit.ir.dataset import Dataset, Split
from snn2circuit.ir.npy import TEXT

MAX_CLASSES = 10_000
MAX_NAME = 100  # characters
SPLITS = ("train", "test")


def load_arrays(folder: Path | None = None) -> Dataset:
    """The dataset in ``folder``, or in ``folder`` itself if that is an ``.npz`` file.

    Raises:
        DataError: an array is missing, there twice, damaged, too large, of the wrong shape, or holds values that no
            network can be driven with or labels out of range; the file and the array are named.
    """
    root = data_folder(folder)
    kinds = [kind for kind in ("x", "spikes") if any(find_array(root, f"{kind}_{which}") for which in SPLITS)]
    if len(kinds) > 1:
        raise DataError(f"{root} has arrays named x_ and spikes_; which of them are the samples? Keep one kind")
    given = kinds == ["spikes"]
    inputs = [_needed(root, f"{'spikes' if given else 'x'}_{which}") for which in SPLITS]
    labels = [_needed(root, f"y_{which}") for which in SPLITS]
    classes = _classes(find_array(root, "classes", TEXT), labels)
    (where, first), (where_test, test) = inputs
    train_split, test_split = (_split(*pair, given=given) for pair in zip(inputs, labels, strict=True))
    if test.shape[1:] != first.shape[1:]:
        raise DataError(
            f"{where_test}: samples have shape {test.shape[1:]}, those of {where} have {first.shape[1:]}; "
            "both need the same"
        )
    return Dataset(
        name=SOURCE.name,
        title=f"Arrays of {root.resolve().name}",
        source=f"arrays read from {root}",
        shape=first.shape[2 if given else 1 :],
        classes=classes,
        train=train_split,
        test=test_split,
    )


def _needed(root: Path, name: str) -> Found:
    if (found := find_array(root, name)) is None:
        raise DataError(
            f"{root} holds no array {name}. Looked for {name}.npy and for the member {name} of every .npz file there."
            " The arrays are x_train, y_train, x_test, y_test (spikes_train, spikes_test if given step by step);"
            " the data folder of the design names the folder"
        )
    return found


def _split(inputs: Found, labels: Found, *, given: bool) -> Split:
    (where, values), (where_labels, numbers) = inputs, labels
    if values.ndim < (3 if given else 2) or 0 in values.shape:
        needed = "(samples, steps, inputs)" if given else "(samples, inputs) or (samples, height, width)"
        raise DataError(f"{where} has shape {values.shape}; {needed} is needed, each at least 1")
    if (place := _first(~np.isfinite(values))) is not None:
        raise DataError(f"{where}: value at {place} is {values[place]}; only finite inputs can drive a circuit")
    if numbers.shape != values.shape[:1]:
        raise DataError(
            f"{where_labels} has shape {numbers.shape}, {where} holds {len(values)} samples; "
            f"one label a sample, ({len(values)},), is needed"
        )
    return Split(inputs=values.reshape(*values.shape[: 2 if given else 1], -1), labels=numbers.astype(np.int64))


def _classes(names: Found | None, labels: Sequence[Found]) -> tuple[str, ...]:
    """Names of the classes, after every label was found to be one of them."""
    for where, numbers in labels:
        if numbers.ndim != 1 or numbers.dtype.kind not in "biu" or not len(numbers):
            raise DataError(
                f"{where} has shape {numbers.shape} of {numbers.dtype}; whole numbers (samples,) are needed,"
                " not rows of one-hot values"
            )
    if names is None:
        highest = max(int(numbers.max()) for _, numbers in labels)
        classes = tuple(map(str, range(max(0, min(highest, MAX_CLASSES - 1)) + 1)))
    else:
        classes = _names(*names)
    for where, numbers in labels:
        if (place := _first((numbers < 0) | (numbers >= len(classes)))) is not None:
            raise DataError(
                f"{where}: label {int(numbers[place])} of item {place[0]} is out of range; "
                f"{len(classes)} classes allow 0..{len(classes) - 1}"
            )
    return classes


def _names(where: str, array: NDArray[Any]) -> tuple[str, ...]:
    names = tuple(map(str, array.tolist())) if array.ndim == 1 else ()
    printable = all(0 < len(name) <= MAX_NAME and name.isprintable() for name in names)
    if not (1 <= len(names) == len(set(names)) <= MAX_CLASSES and printable):
        raise DataError(
            f"{where} has shape {array.shape}; 1 to {MAX_CLASSES} different printable names "
            f"of 1 to {MAX_NAME} characters are needed"
        )
    return names


def _first(mask: NDArray[np.bool_]) -> tuple[int, ...] | None:
    """Index of the first place at which ``mask`` holds, if it holds anywhere."""
    flat = int(np.argmax(mask))
    return tuple(int(i) for i in np.unravel_index(flat, mask.shape)) if mask.flat[flat] else None


SOURCE = Source(
    name="arrays",
    title="Your own arrays, .npy files or .npz",
    origin="x_train, y_train, x_test, y_test in the data folder; spikes_ instead of x_ if given step by step",
    load=load_arrays,
    files=("x_train", "y_train", "x_test", "y_test"),
)
