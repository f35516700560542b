"""Metrics against hand counts, scikit-learn and the published example of the Wilson interval."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score
from sklearn.metrics import confusion_matrix as judge

from snn2circuit.errors import DataError
from snn2circuit.training import accuracy, confusion_matrix, wilson_interval


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
