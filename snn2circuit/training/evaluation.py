"""What a module under training makes of a set of samples."""

from __future__ import annotations

import torch
from torch import Tensor

from snn2circuit.training.losses import LOSSES, Loss
from snn2circuit.training.models import SpikingNet
from snn2circuit.training.recipe import Recipe
from snn2circuit.training.samples import Samples

EVALUATION_BATCH = 1000  # samples, bounds the memory of an evaluation


def count_votes(module: SpikingNet, samples: Samples, rule: Loss) -> Tensor:
    """Votes ``(samples, classes)`` of the outputs, as ``rule`` counts them."""
    with torch.no_grad():
        parts = torch.split(torch.arange(len(samples)), EVALUATION_BATCH)
        return torch.cat([rule.votes(*module(samples.present(part))) for part in parts])


def evaluate(module: SpikingNet, samples: Samples, recipe: Recipe) -> tuple[float, float]:
    """Mean loss as the recipe trains on it, and accuracy."""
    rule = LOSSES[recipe.loss]
    votes = count_votes(module, samples, rule)
    loss = rule.value(votes, samples.labels, recipe).item()
    return loss, float((votes.argmax(1) == samples.labels).double().mean())
