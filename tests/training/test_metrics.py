"""Metrics against hand counts, scikit-learn and the published example of the Wilson interval."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_recall_fscore_support, roc_auc_score
from sklearn.metrics import confusion_matrix as judge
from sklearn.metrics import roc_curve as roc_judge

from snn2circuit.errors import DataError
from snn2circuit.training import (
    accuracy,
    confusion_matrix,
    mean_present,
    one_vs_rest_accuracy,
    precision_recall_f1,
    roc_auc,
    roc_curve,
    wilson_interval,
)


def test_accuracy_and_confusion_agree_with_scikit_learn() -> None:
    random = np.random.default_rng(3)
    labels, predicted = random.integers(0, 4, 200), random.integers(0, 4, 200)
    assert accuracy(predicted, labels) == accuracy_score(labels, predicted)
    np.testing.assert_array_equal(confusion_matrix(predicted, labels, 5), judge(labels, predicted, labels=range(5)))


@pytest.mark.parametrize(("predicted", "labels"), [([], []), ([1], [1, 2]), ([[1]], [[1]])])
def test_accuracy_of_nothing(predicted: list[int], labels: list[int]) -> None:
    with pytest.raises(DataError, match="as many labels as predictions"):
        accuracy(np.array(predicted), np.array(labels))


# R. G. Newcombe, Statistics in Medicine 17, 857 (1998), table I, method 3: intervals of 81/263, 15/148, 0/20, 1/29.
@pytest.mark.parametrize(
    ("correct", "total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_as_published(correct: int, total: int, low: float, high: float) -> None:
    assert wilson_interval(correct, total) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("correct", "total"), [(0, 0), (-1, 3), (4, 3)])
def test_wilson_interval_of_no_rate(correct: int, total: int) -> None:
    with pytest.raises(DataError, match="is no rate"):
        wilson_interval(correct, total)


@pytest.mark.parametrize("seed", range(8))
def test_class_metrics_agree_with_scikit_learn(seed: int) -> None:
    """Classes that are absent (4), never predicted (1), and everything in between."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, 60)
    predicted = np.where(random.random(60) < 0.6, labels, random.choice([0, 2, 3, 4], 60))
    predicted[predicted == 1] = 0
    present = np.unique(labels)
    ours = precision_recall_f1(confusion_matrix(predicted, labels, 5))
    theirs = precision_recall_fscore_support(labels, predicted, labels=present, zero_division=0)
    for own, judged in zip(ours, theirs[:3], strict=True):
        np.testing.assert_allclose(own[present], judged, rtol=1e-12)
        assert np.isnan(np.delete(own, present)).all()
        assert mean_present(own) == pytest.approx(judged.mean())
    binary = [accuracy_score(labels == one, predicted == one) for one in range(5)]
    versus_rest = one_vs_rest_accuracy(confusion_matrix(predicted, labels, 5))
    np.testing.assert_allclose(versus_rest, binary, rtol=1e-12)
    assert versus_rest.mean() == pytest.approx(1 - 2 * (1 - accuracy(predicted, labels)) / 5)


@pytest.mark.parametrize("distinct", [2, 5, 10_000])
def test_roc_agrees_with_scikit_learn(distinct: int) -> None:
    random = np.random.default_rng(distinct)
    positive = random.random(300) < 0.3
    scores = random.integers(0, distinct, 300) + 0.4 * distinct * positive
    assert roc_auc(scores, positive) == pytest.approx(roc_auc_score(positive, scores), rel=1e-12)
    false, true, _ = roc_judge(positive, scores, drop_intermediate=False)
    np.testing.assert_allclose(roc_curve(scores, positive), (false, true), rtol=1e-12)


@pytest.mark.parametrize("every", [True, False])
def test_no_roc_without_both_kinds(every: bool) -> None:
    assert np.isnan(roc_auc(np.arange(5.0), np.full(5, every)))
    assert mean_present(np.full(3, np.nan)) is None
