"""What a module under training makes of a set of samples."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from snn2circuit.ir.noun import Ints
from snn2circuit.training.models import SpikingNet
from snn2circuit.training.recipe import Recipe

EVALUATION_BATCH = 1000  # samples, bounds the memory of an evaluation


def predict(module: SpikingNet, samples: Tensor) -> tuple[Ints, Tensor]:
    """Classes ``(samples,)`` of inputs ``(samples, inputs)``, and the output membranes summed over steps."""
    with torch.no_grad():
        logits = torch.cat([module(part)[1].sum(0) for part in torch.split(samples, EVALUATION_BATCH)])
    predicted: Ints = logits.argmax(1).numpy()
    return predicted, logits


def evaluate(module: SpikingNet, inputs: Tensor, labels: Tensor, recipe: Recipe) -> tuple[float, float]:
    """Mean loss as the recipe trains on it, and accuracy."""
    predicted, logits = predict(module, inputs)
    loss = cross_entropy(logits / recipe.temperature, labels).item()
    return loss, float((torch.from_numpy(predicted) == labels).double().mean())
