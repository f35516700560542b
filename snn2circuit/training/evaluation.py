"""What a module under training makes of a set of samples."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from snn2circuit.training.losses import LOSSES
from snn2circuit.training.models import SpikingNet
from snn2circuit.training.recipe import Recipe
from snn2circuit.training.samples import Samples

EVALUATION_BATCH = 1000  # samples, bounds the memory of an evaluation


def outputs(module: SpikingNet, samples: Samples) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Spikes and membranes of the outputs ``(steps, samples, classes)`` and labels ``(samples,)``, batch by batch."""
    with torch.no_grad():
        for part in torch.split(torch.arange(len(samples)), EVALUATION_BATCH):
            spikes, membranes = module(samples.present(part))
            yield spikes, membranes, samples.labels[part]


def evaluate(module: SpikingNet, samples: Samples, recipe: Recipe) -> tuple[float, float]:
    """Mean loss as the recipe trains on it, and accuracy."""
    rule = LOSSES[recipe.loss]
    loss, correct = 0.0, 0
    for spikes, membranes, labels in outputs(module, samples):
        loss += rule.value(spikes, membranes, labels, recipe).item() * len(labels)
        correct += int((rule.votes(spikes, membranes).argmax(1) == labels).sum())
    return loss / len(samples), correct / len(samples)
