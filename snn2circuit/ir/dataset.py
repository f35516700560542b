"""Labelled samples to train and test on."""

from __future__ import annotations

import numpy as np

from snn2circuit.errors import DataError
from snn2circuit.ir.noun import Floats, Ints, freeze, noun


@noun
class Split:
    """Samples with their labels."""

    inputs: Floats  # (samples, inputs), dimensionless; what the network is driven with
    labels: Ints  # (samples,), class index

    def __post_init__(self) -> None:
        inputs, labels = freeze(self, "inputs", np.float64), freeze(self, "labels", np.int64)
        if inputs.ndim != 2 or labels.shape != inputs.shape[:1]:
            raise DataError(
                f"inputs {inputs.shape} and labels {labels.shape} do not fit (samples, inputs) and (samples,)"
            )
        if not np.isfinite(inputs).all():
            sample, channel = (int(v) for v in np.argwhere(~np.isfinite(inputs))[0])
            raise DataError(f"input {channel} of sample {sample} is {inputs[sample, channel]}; inputs must be finite")


@noun
class Dataset:
    """A named dataset with a fixed test split."""

    name: str  # the word that names it on the command line
    title: str  # for people
    source: str  # where the data come from
    shape: tuple[int, ...]  # of one sample, e.g. (8, 8); its product is the number of inputs
    classes: tuple[str, ...]
    train: Split
    test: Split

    def __post_init__(self) -> None:
        for which, split in (("train", self.train), ("test", self.test)):
            if split.inputs.shape[1] != int(np.prod(self.shape)):
                raise DataError(
                    f"{self.name}: {which} samples have {split.inputs.shape[1]} inputs, shape says {self.shape}"
                )
            if len(split.labels) and not 0 <= split.labels.min() <= split.labels.max() < len(self.classes):
                raise DataError(
                    f"{self.name}: {which} labels run from {split.labels.min()} to {split.labels.max()}; "
                    f"with {len(self.classes)} classes they must lie in 0..{len(self.classes) - 1}"
                )
