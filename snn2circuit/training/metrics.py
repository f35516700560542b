"""How good a classifier is: accuracy with its uncertainty, and what is taken for what."""

from __future__ import annotations

import math

import numpy as np

from snn2circuit.errors import DataError
from snn2circuit.ir.noun import Ints

Z_95 = 1.959963984540054  # two-sided 95 % quantile of the standard normal distribution


def accuracy(predicted: Ints, labels: Ints) -> float:
    """Share of ``predicted`` ``(samples,)`` that equals ``labels`` ``(samples,)``.

    Raises:
        DataError: there are no samples, or the two differ in length.
    """
    predicted, labels = np.asarray(predicted), np.asarray(labels)
    if predicted.shape != labels.shape or predicted.ndim != 1 or predicted.size == 0:
        raise DataError(
            f"accuracy needs as many labels as predictions, at least one; got {predicted.shape}, {labels.shape}"
        )
    return float(np.mean(predicted == labels))


def confusion_matrix(predicted: Ints, labels: Ints, classes: int) -> Ints:
    """Counts ``(classes, classes)``: row is the true class, column the predicted one."""
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (np.asarray(labels), np.asarray(predicted)), 1)
    return matrix


def wilson_interval(correct: int, total: int) -> tuple[float, float]:
    """95 % confidence interval of a rate of which ``correct`` of ``total`` were seen.

    With ``p = correct/total`` and the normal quantile ``z``: centre ``(p + z²/2n) / (1 + z²/n)``, half width
    ``z·sqrt(p(1-p)/n + z²/4n²) / (1 + z²/n)``. Unlike ``p ± z·sqrt(p(1-p)/n)`` it stays inside 0..1 and does not shrink
    to a point at 100 %. Source: E. B. Wilson, JASA 22, 209 (1927), doi:10.1080/01621459.1927.10502953.

    Raises:
        DataError: not ``0 <= correct <= total`` with ``total >= 1``.
    """
    if not 0 <= correct <= total or total < 1:
        raise DataError(f"{correct} correct of {total} is no rate")
    rate, share = correct / total, Z_95**2 / total
    centre = (rate + share / 2) / (1 + share)
    half = Z_95 * math.sqrt(rate * (1 - rate) / total + share / (4 * total)) / (1 + share)
    return max(0.0, centre - half), min(1.0, centre + half)
