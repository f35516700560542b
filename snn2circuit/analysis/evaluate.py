"""How well a network classifies a split, and how lively its neurons are.

The score of a class is what decides for it: the output's membrane summed over the steps, or its spikes. FLOPs are
counted as in the SNNtrainer3D paper (S. L. Jurj et al., Applied Sciences 14(13), 5752, 2024,
doi:10.3390/app14135752): ``2·sum(l_i·l_{i+1})`` over the layer sizes, one multiplication and one addition for each
weight, regardless of neuron model, biases and steps. A convolution, which that formula does not know, counts a
multiplication and an addition for each weight at each place, ``2·outputs·(inputs/groups)·height·width`` times the
places (:mod:`snn2circuit.ir.linear`); beside it stands the paper's formula for the matrices that the crossbars hold.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from snn2circuit.errors import DataError
from snn2circuit.ir.dataset import Split
from snn2circuit.ir.network import Network
from snn2circuit.ir.noun import Floats, Ints, noun
from snn2circuit.training import (
    accuracy,
    confusion_matrix,
    mean_present,
    one_vs_rest_accuracy,
    precision_recall_f1,
    roc_auc,
    wilson_interval,
)

BATCH = 500  # samples, bounds the memory


@noun
class Evaluation:
    """A network on a labelled split."""

    name: str  # of the network
    sizes: tuple[int, ...]  # inputs, then the neurons of each layer
    steps: int
    classes: tuple[str, ...]
    decision: str  # what the scores are, see Network.decision
    labels: Ints  # (samples,)
    predicted: Ints  # (samples,)
    scores: Floats  # (samples, classes)
    firing_rates: tuple[Floats, ...]  # per layer (neurons,): spikes per step, mean over samples and steps
    flops: int  # of one step, a convolution as what it is

    @property
    def accuracy(self) -> float:
        """Share of samples whose class was found."""
        return accuracy(self.predicted, self.labels)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % confidence interval of the accuracy (Wilson)."""
        return wilson_interval(int((self.predicted == self.labels).sum()), len(self.labels))

    @property
    def confusion(self) -> Ints:
        """Counts ``(classes, classes)``: row is the true class, column the predicted one."""
        return confusion_matrix(self.predicted, self.labels, len(self.classes))

    @property
    def aucs(self) -> Floats:
        """Area under the ROC curve of each class against the rest; NaN where there is none."""
        return np.array([roc_auc(self.scores[:, one], self.labels == one) for one in range(len(self.classes))])

    @property
    def flops_unrolled(self) -> int:
        """Floating-point operations of one step with every layer as a matrix: the SNNtrainer3D paper's formula."""
        return 2 * sum(a * b for a, b in zip(self.sizes, self.sizes[1:], strict=False))

    @property
    def dead(self) -> tuple[tuple[int, ...], ...]:
        """Neurons of each layer that never spiked."""
        return tuple(tuple(np.flatnonzero(rates == 0).tolist()) for rates in self.firing_rates)

    def as_dict(self) -> dict[str, Any]:
        """Everything that ``metrics.json`` holds; what a class without samples does not have is null."""
        confusion, aucs = self.confusion, self.aucs
        precision, recall, f1 = precision_recall_f1(confusion)
        versus_rest = one_vs_rest_accuracy(confusion)
        return {
            "network": "-".join(map(str, self.sizes)),
            "name": self.name,
            "steps": self.steps,
            "samples": len(self.labels),
            "decision": self.decision,
            "accuracy": self.accuracy,
            "accuracy_interval_95": list(self.interval),
            "accuracy_one_vs_rest": float(versus_rest.mean()),
            "macro": {
                "precision": mean_present(precision),
                "recall": mean_present(recall),
                "f1": mean_present(f1),
                "roc_auc": mean_present(aucs),
            },
            "classes": [
                {
                    "class": name,
                    "samples": int(confusion[one].sum()),
                    "precision": _known(precision[one]),
                    "recall": _known(recall[one]),
                    "f1": _known(f1[one]),
                    "roc_auc": _known(aucs[one]),
                    "accuracy_one_vs_rest": float(versus_rest[one]),
                }
                for one, name in enumerate(self.classes)
            ],
            "confusion": confusion.tolist(),
            "flops": self.flops,
            "flops_unrolled": self.flops_unrolled,
            "layers": [
                {
                    "layer": number,
                    "neurons": len(rates),
                    "firing_rate": float(rates.mean()),
                    "dead": list(dead),
                    "firing_rates": rates.tolist(),
                }
                for number, (rates, dead) in enumerate(zip(self.firing_rates, self.dead, strict=True), start=1)
            ],
        }


def evaluate(network: Network, split: Split, classes: tuple[str, ...]) -> Evaluation:
    """Run ``network`` on every sample of ``split`` whose labels index ``classes``.

    Raises:
        DataError: the split is empty, or the network has not one output per class.
    """
    if not len(split.labels):
        raise DataError(f"{network.name}: there are no samples to evaluate on")
    if network.sizes[-1] != len(classes):
        raise DataError(f"{network.name} has {network.sizes[-1]} outputs for {len(classes)} classes; both must agree")
    counts = [np.zeros(layer.outputs) for layer in network.layers]
    scores, predicted = [], []
    for start in range(0, len(split.labels), BATCH):
        places = np.arange(start, min(start + BATCH, len(split.labels)))
        activity = network.run(network.encode(split.inputs[places], places))
        votes = activity.membranes[-1] if network.decision == "membrane" else activity.spikes[-1]
        scores.append(votes.sum(axis=1, dtype=np.float64))
        predicted.append(activity.predictions(network.decision))
        for count, spikes in zip(counts, activity.spikes, strict=True):
            count += spikes.sum(axis=(0, 1))
    return Evaluation(
        name=network.name,
        sizes=network.sizes,
        steps=network.steps,
        classes=classes,
        decision=network.decision,
        labels=split.labels,
        predicted=np.concatenate(predicted),
        scores=np.concatenate(scores),
        firing_rates=tuple(count / (len(split.labels) * network.steps) for count in counts),
        flops=sum(layer.flops for layer in network.layers),
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
