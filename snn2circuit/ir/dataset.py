"""Labelled samples to train and test on."""

from __future__ import annotations

import numpy as np

from snn2circuit.errors import DataError
from snn2circuit.ir.noun import Floats, Ints, freeze, noun


@noun
class Split:
    """Samples with their labels."""

    inputs: Floats  # (samples, inputs), or (samples, steps, inputs) if given step by step; dimensionless
    labels: Ints  # (samples,), class index

    def __post_init__(self) -> None:
        inputs, labels = freeze(self, "inputs", np.float64), freeze(self, "labels", np.int64)
        if inputs.ndim not in (2, 3) or labels.shape != inputs.shape[:1]:
            raise DataError(
                f"inputs {inputs.shape} and labels {labels.shape} do not fit (samples, inputs) and (samples,), "
                "nor (samples, steps, inputs) and (samples,)"
            )
        if not np.isfinite(inputs).all():
            where = tuple(int(v) for v in np.argwhere(~np.isfinite(inputs))[0])
            raise DataError(
                f"input {where[-1]} of sample {where[0]} is {inputs[where]}"
                + (f" in step {where[1]}" if len(where) == 3 else "")
                + "; inputs must be finite"
            )


@noun
class Dataset:
    """A named dataset with a fixed test split."""

    name: str  # the word that names it on the command line
    title: str  # for people
    source: str  # where the data come from
    shape: tuple[int, ...]  # of one sample, or of one step of it, e.g. (8, 8); its product is the number of inputs
    classes: tuple[str, ...]
    train: Split
    test: Split

    def __post_init__(self) -> None:
        for which, split in (("train", self.train), ("test", self.test)):
            if split.inputs.shape[-1] != int(np.prod(self.shape)):
                raise DataError(
                    f"{self.name}: {which} samples have {split.inputs.shape[-1]} inputs, shape says {self.shape}"
                )
            if split.inputs.shape[1:] != self.train.inputs.shape[1:]:
                raise DataError(
                    f"{self.name}: train samples have shape {self.train.inputs.shape[1:]}, "
                    f"{which} samples {split.inputs.shape[1:]}; both splits need the same"
                )
            if len(split.labels) and not 0 <= split.labels.min() <= split.labels.max() < len(self.classes):
                raise DataError(
                    f"{self.name}: {which} labels run from {split.labels.min()} to {split.labels.max()}; "
                    f"with {len(self.classes)} classes they must lie in 0..{len(self.classes) - 1}"
                )
