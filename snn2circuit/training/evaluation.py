"""What a module under training makes of a set of samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call

from snn2circuit.ir.noun import Ints
from snn2circuit.training.losses import LOSSES
from snn2circuit.training.models import SpikingNet
from snn2circuit.training.recipe import Recipe
from snn2circuit.training.samples import Samples

Run = Callable[[Tensor], tuple[Tensor, Tensor]]  # what a SpikingNet is, too: a drive to output spikes and membranes

EVALUATION_BATCH = 250  # samples; what happens to them in all steps then stays in the processor's caches


def outputs(module: Run, samples: Samples) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Spikes and membranes of the outputs ``(steps, samples, classes)`` and labels ``(samples,)``, batch by batch."""
    with torch.no_grad():
        for part in torch.split(torch.arange(len(samples)), EVALUATION_BATCH):
            spikes, membranes = module(samples.present(part))
            yield spikes, membranes, samples.labels[part]


def evaluate(module: Run, samples: Samples, recipe: Recipe) -> tuple[float, float]:
    """Mean loss as the recipe trains on it, and accuracy."""
    rule = LOSSES[recipe.loss]
    loss, correct = 0.0, 0
    for spikes, membranes, labels in outputs(module, samples):
        loss += rule.value(spikes, membranes, labels, recipe).item() * len(labels)
        correct += int((rule.votes(spikes, membranes).argmax(1) == labels).sum())
    return loss / len(samples), correct / len(samples)


def with_weights(module: SpikingNet, weights: Mapping[str, Tensor]) -> Run:
    """The forward pass of ``module`` with other parameters by name in place of its own."""

    def run(inputs: Tensor) -> tuple[Tensor, Tensor]:
        result: tuple[Tensor, Tensor] = functional_call(module, dict(weights), (inputs,))
        return result

    return run


def predict_many(
    module: SpikingNet, weight_sets: Iterable[Mapping[str, Tensor]], samples: Samples, recipe: Recipe
) -> Ints:
    """Predicted classes ``(sets, samples)`` under many sets of weights, such as draws of varying devices.

    Args:
        module: the network; its own weights stay.
        weight_sets: each names parameters of ``module``, as its ``state_dict`` does; what it leaves out stays.
        samples: what to classify.
        recipe: how the network was trained, which says what makes an output win.
    """
    rule, predicted = LOSSES[recipe.loss], []
    for weights in weight_sets:
        run = with_weights(module, weights)
        votes = [rule.votes(spikes, membranes) for spikes, membranes, _ in outputs(run, samples)]
        predicted.append(torch.cat(votes).argmax(1).numpy())
    return np.stack(predicted) if predicted else np.empty((0, len(samples)), dtype=np.int64)
