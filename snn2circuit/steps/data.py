"""The data that a network is calibrated on and simulated with: what it was trained on, or what a design file says."""

from __future__ import annotations

import math

from snn2circuit.datasets import DATASETS, load_dataset
from snn2circuit.design import Design
from snn2circuit.design.sections import Data
from snn2circuit.errors import DataError
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.dataset import Dataset
from snn2circuit.ir.network import Network
from snn2circuit.steps.training import data_folder

WAY_OUT = (
    "write a design file with [data] dataset = 'arrays' and folder = '...', a folder with x_train.npy, y_train.npy, "
    "x_test.npy and y_test.npy (or the name of a dataset that there is), and give it with --design"
)


def find_dataset(design: Design, network: Network | CrossbarNetwork, *, chosen: bool) -> Dataset | None:
    """The data of ``network``: the dataset it names, or the design's if a person has chosen that.

    Args:
        design: says the folder of the data and, where the network names none, the dataset.
        network: a network or its crossbar.
        chosen: whether a design file names a dataset; the built-in default is nobody's choice.

    Returns:
        The dataset; ``None`` if neither says one.

    Raises:
        DataError: there is no such dataset, its files are missing, or it is none that the network can take.
    """
    name = network.dataset if network.dataset in DATASETS or not chosen else ""
    if not name and not chosen:
        return None
    if name and name not in DATASETS:
        raise DataError(f"the network was trained on {name!r}, which is none of {', '.join(DATASETS)}: {WAY_OUT}")
    dataset = load_dataset(name or design.data.dataset, data_folder(design))
    whose = f"its dataset is {name!r}" if name else f"[data] dataset is {design.data.dataset!r}"
    check_fit(network, dataset, whose)
    return dataset


def needed_dataset(design: Design, network: Network | CrossbarNetwork, *, chosen: bool) -> Dataset:
    """As :func:`find_dataset`, where there is no going on without data.

    Raises:
        DataError: also if neither the network nor a design file names any.
    """
    dataset = find_dataset(design, network, chosen=chosen)
    if dataset is None:
        default = load_dataset(Data().dataset)
        raise DataError(
            f"the network takes {network.sizes[0]} inputs and does not say which data it was trained on; [data] "
            f"dataset is {default.name!r} (the built-in default), which has {math.prod(default.shape)} and is not "
            f"taken by chance: {WAY_OUT}"
        )
    return dataset


def check_fit(network: Network | CrossbarNetwork, dataset: Dataset, whose: str) -> None:
    """Refuse data that ``network`` cannot take; ``whose`` says in words where they come from.

    Raises:
        DataError: a sample has another number of inputs, or there are more classes than outputs.
    """
    inputs, outputs, given = network.sizes[0], network.sizes[-1], math.prod(dataset.shape)
    if given != inputs:
        raise DataError(f"the network takes {inputs} inputs; {whose}, which has {given}: {WAY_OUT}")
    if len(dataset.classes) > outputs:
        raise DataError(
            f"the network has {outputs} outputs; {whose}, which has {len(dataset.classes)} classes: {WAY_OUT}"
        )
