"""How good a classifier is: accuracy with its uncertainty, what is taken for what, and how well the scores separate.

Everything but the ROC curve follows from the confusion matrix. For a class, ``TP`` samples of it were recognised,
``FN`` were not, ``FP`` of others were taken for it, and ``TN`` are the rest::

    precision = TP / (TP + FP)    recall = TP / (TP + FN)    F1 = 2·TP / (2·TP + FP + FN)
    one-vs-rest accuracy = (TP + TN) / (TP + TN + FP + FN)

Each wrong sample is one FN and one FP, so the mean of the one-vs-rest accuracies over ``C`` classes is ``1 - 2·(1 -
accuracy) / C``: with 10 classes it makes 90 % look like 98 %. It is given because others print it.

A class without a single sample has no recall, F1 or ROC curve (NaN here) and does not count in means over classes; a
class that was never predicted has precision 0, as in scikit-learn.
"""

from __future__ import annotations

import math

import numpy as np

from snn2circuit.errors import DataError
from snn2circuit.ir.noun import Bools, Floats, Ints

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


def precision_recall_f1(confusion: Ints) -> tuple[Floats, Floats, Floats]:
    """Precision, recall and F1 of each class, each ``(classes,)``, from a confusion matrix; NaN for absent classes."""
    hits, actual, predicted = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    present = actual > 0
    precision = np.where(present, hits / np.maximum(predicted, 1), np.nan)
    recall = np.where(present, hits / np.maximum(actual, 1), np.nan)
    f1 = np.where(present, 2 * hits / np.maximum(actual + predicted, 1), np.nan)
    return precision, recall, f1


def one_vs_rest_accuracy(confusion: Ints) -> Floats:
    """Share of samples on the right side of "this class or another", for each class ``(classes,)``."""
    hits = np.diag(confusion)
    wrong: Floats = (confusion.sum(axis=0) - hits + confusion.sum(axis=1) - hits) / confusion.sum()
    return 1 - wrong


def roc_curve(scores: Floats, positive: Bools) -> tuple[Floats, Floats]:
    """False and true positive rates as the threshold on ``scores`` ``(samples,)`` falls, from (0, 0) to (1, 1).

    Samples of equal score pass together. Both are NaN throughout if ``positive`` is true for none or for all.
    """
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # the last sample of each distinct score
    true = np.append(0, np.cumsum(positive[order])[last])
    false = np.append(0, last + 1) - true
    if not (true[-1] and false[-1]):
        nothing = np.full(len(true), np.nan)
        return nothing, nothing
    return false / false[-1], true / true[-1]


def roc_auc(scores: Floats, positive: Bools) -> float:
    """Area under :func:`roc_curve`: how likely a positive sample scores above a negative one, ties counted half."""
    false, true = roc_curve(scores, positive)
    return float(np.sum(np.diff(false) * (true[1:] + true[:-1]) / 2))


def mean_present(values: Floats) -> float | None:
    """Mean over the classes that have a value; ``None`` if none has."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None


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
