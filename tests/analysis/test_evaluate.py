"""The evaluation of a network, judged by scikit-learn and by snnTorch's own spikes."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import snntorch
import torch
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from snn2circuit.analysis.evaluate import Evaluation, evaluate
from snn2circuit.datasets import load_dataset
from snn2circuit.errors import DataError
from snn2circuit.frontends.snntorch import run_snntorch
from snn2circuit.ir.dataset import Dataset, Split
from snn2circuit.ir.network import Layer, Network
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.steps import from_snntorch, write_evaluation
from snn2circuit.training.maps import build_maps


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("digits")


def network(sizes: tuple[int, ...], decision: str = "membrane") -> Network:
    """Random weights; the first hidden neuron hears nothing and never spikes."""
    random = np.random.default_rng(2)
    layers = []
    for inputs, outputs in itertools.pairwise(sizes):
        weight = random.normal(0.05, 0.4, (outputs, inputs))
        weight[0] = 0 if outputs != sizes[-1] else weight[0]
        layers.append(Layer(weight=weight, neuron=Leaky(beta=0.9)))
    return Network(name="random", layers=tuple(layers), steps=5, decision=decision)


@pytest.mark.parametrize("decision", ["membrane", "count"])
def test_everything_agrees_with_independent_judges(digits: Dataset, decision: str) -> None:
    net, test = network((64, 7, 10), decision), digits.test
    result = evaluate(net, test, digits.classes)
    activity = run_snntorch(net, net.encode(test.inputs))
    votes = activity.membranes[-1] if decision == "membrane" else activity.spikes[-1]
    np.testing.assert_allclose(result.scores, votes.sum(axis=1), atol=1e-9)
    np.testing.assert_array_equal(result.predicted, net.predict(test.inputs))
    for rates, spikes in zip(result.firing_rates, activity.spikes, strict=True):
        np.testing.assert_allclose(rates, spikes.mean(axis=(0, 1)), rtol=1e-12)
    assert 0 in result.dead[0]
    assert result.flops == 2 * (64 * 7 + 7 * 10)
    data = result.as_dict()
    judged = precision_recall_fscore_support(test.labels, result.predicted, average="macro", zero_division=0)
    ours = [data["macro"][name] for name in ("precision", "recall", "f1")]
    assert ours == pytest.approx(judged[:3])
    areas = [roc_auc_score(test.labels == one, result.scores[:, one]) for one in range(10)]
    assert [each["roc_auc"] for each in data["classes"]] == pytest.approx(areas)
    assert data["macro"]["roc_auc"] == pytest.approx(np.mean(areas))
    assert sum(each["samples"] for each in data["classes"]) == data["samples"] == 360
    assert data["accuracy_interval_95"][0] < data["accuracy"] < data["accuracy_interval_95"][1]


def test_published_flops() -> None:
    """784-10-10, a size of the SNNtrainer3D paper: 7,940 weights, two operations each."""
    split = Split(inputs=np.zeros((1, 784)), labels=np.zeros(1, dtype=np.int64))
    one = evaluate(network((784, 10, 10)), split, tuple("abcdefghij"))
    assert one.flops == one.flops_unrolled == 15_880


def test_flops_of_a_convolution_are_its_own_and_not_those_of_its_matrix(digits: Dataset) -> None:
    """8 x 8 -> 4 maps of 3 x 3 at 36 places -> mean of 2 x 2 -> 10, by hand and by torch's counter."""
    maps = build_maps((8, 8), "4c3-p2", (10,), bias=True)
    module = nn.Sequential(maps[0], snntorch.Leaky(beta=0.9), maps[1], snntorch.Leaky(beta=0.9))
    net = from_snntorch(module, name="conv", steps=1, input_shape=(64,))
    few = Split(inputs=digits.test.inputs[:2], labels=digits.test.labels[:2])
    result = evaluate(net, few, digits.classes)
    with FlopCounterMode(display=False) as counter:  # counts convolutions and matrices, no pooling
        maps[1](maps[0](torch.zeros(1, 64)))
    products = 2 * (4 * 9 * 36) + 2 * (36 * 10)
    assert counter.get_total_flops() == products
    assert result.flops == products + 36 * 4 + 36
    assert result.flops_unrolled == 2 * (64 * 144 + 144 * 10)
    assert (result.as_dict()["flops"], result.as_dict()["flops_unrolled"]) == (result.flops, result.flops_unrolled)


@pytest.mark.parametrize("case", ["xor", "one class only", "one sample"])
def test_small_splits_and_absent_classes(case: str, digits: Dataset, tmp_path: Path) -> None:
    if case == "xor":
        dataset, net = load_dataset("xor"), network((2, 4, 2))
        split, classes = dataset.test, dataset.classes
    else:
        net, classes = network((64, 7, 10)), digits.classes
        chosen = digits.test.labels == 3 if case == "one class only" else np.arange(360) == 5
        split = Split(inputs=digits.test.inputs[chosen], labels=digits.test.labels[chosen])
    write_evaluation(evaluate(net, split, classes), tmp_path)
    data = json.loads((tmp_path / "metrics.json").read_text())
    present = {each["class"] for each in data["classes"] if each["samples"]}
    for each in data["classes"]:
        assert (each["recall"] is None) == (each["f1"] is None) == (each["class"] not in present)
        assert (each["roc_auc"] is None) == (len(present) == 1 or each["class"] not in present)
    assert data["macro"]["recall"] == pytest.approx(np.mean([e["recall"] for e in data["classes"] if e["samples"]]))
    assert (data["macro"]["roc_auc"] is None) == (len(present) == 1)
    for name in ("confusion", "roc", "firing"):
        assert min(matplotlib.image.imread(tmp_path / f"{name}.png").shape[:2]) > 300


def test_pictures_repeat_and_take_many_classes(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 47, 400)
    many = Evaluation(
        name="many", sizes=(3, 47), steps=2, classes=tuple(f"letter {n}" for n in range(47)), decision="membrane",
        labels=labels, predicted=random.integers(0, 47, 400), scores=random.random((400, 47)),
        firing_rates=(np.zeros(47),), flops=282,
    )  # fmt: skip
    for folder in ("a", "b"):
        write_evaluation(many, tmp_path / folder)
    names = {path.name for path in (tmp_path / "a").iterdir()}
    assert names == {"metrics.json", "confusion.png", "roc.png", "firing.png"}
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in names)


def test_what_cannot_be_evaluated(digits: Dataset) -> None:
    nothing = Split(inputs=np.empty((0, 64)), labels=np.empty(0, dtype=np.int64))
    with pytest.raises(DataError, match="no samples"):
        evaluate(network((64, 10)), nothing, digits.classes)
    with pytest.raises(DataError, match="has 9 outputs for 10 classes"):
        evaluate(network((64, 9)), digits.test, digits.classes)
