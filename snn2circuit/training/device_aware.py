"""Training that goes on against the device: every batch runs with the weights that devices would hold.

Quantisation is a staircase, whose derivative is 0 or nothing. The gradient is therefore passed straight through: it is
taken at the held weights and applied to the trained ones, ``w ← w - rate·dL/dw_held`` (Y. Bengio et al.,
arXiv:1308.3432). Where conductances vary, every batch draws its own devices, so that the weights learn to stand where
the spread does little harm.

What a device holds is a function that the caller gives (:data:`DeviceWeights`), so that it can be the mapper's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from snn2circuit.errors import TrainingError
from snn2circuit.ir.dataset import Dataset
from snn2circuit.ir.noun import Floats
from snn2circuit.training.evaluation import Run, predict_many, with_weights
from snn2circuit.training.models import SpikingNet
from snn2circuit.training.recipe import Recipe
from snn2circuit.training.samples import Samples

# (layer from 1, weights (inputs and bias, outputs), number of the draw) to what devices hold of them.
DeviceWeights = Callable[[int, Floats, int], Floats]


@dataclass(frozen=True, kw_only=True, eq=False)
class OnDevice:
    """Accuracy on the test split of one network: as trained, and as devices hold it."""

    trained: float
    held: tuple[float, ...]  # of each draw of the devices

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers, with mean and standard deviation over the draws."""
        spread = float(np.std(self.held, ddof=1)) if len(self.held) > 1 else 0.0
        return {"trained": self.trained, "held": list(self.held), "mean": float(np.mean(self.held)), "std": spread}


def held_parameters(module: SpikingNet, device: DeviceWeights, draw: int) -> dict[str, Tensor]:
    """Weights and biases of ``module`` by name as the devices of ``draw`` hold them; gradients reach its own."""
    parameters: dict[str, Tensor] = {}
    names = {child: name for name, child in module.named_children()}
    for number, (linear, _) in enumerate(module.layers(), start=1):
        if not isinstance(linear, nn.Linear):
            raise TrainingError(f"layer {number} is no plain matrix; training on devices takes fully connected layers")
        given = [linear.weight.t()] if linear.bias is None else [linear.weight.t(), linear.bias[None]]
        rows = torch.cat(given).detach().double().numpy()
        held = torch.from_numpy(device(number, rows, draw)).to(linear.weight.dtype)
        weight = held[: linear.in_features].t().contiguous()
        parameters[f"{names[linear]}.weight"] = _straight_through(linear.weight, weight)
        if linear.bias is not None:
            parameters[f"{names[linear]}.bias"] = _straight_through(linear.bias, held[-1])

    return parameters


def on_device(module: SpikingNet, device: DeviceWeights, draw: int) -> Run:
    """The forward pass of ``module`` with :func:`held_parameters`."""
    return with_weights(module, held_parameters(module, device, draw))


def measure_on_device(
    module: SpikingNet, device: DeviceWeights, dataset: Dataset, recipe: Recipe, *, draws: int = 1
) -> OnDevice:
    """Accuracy on the test split as trained, and on each of ``draws`` sets of devices."""
    test = Samples(dataset.test, recipe.encoding, recipe.steps)
    with torch.no_grad():
        sets = ({}, *(held_parameters(module, device, draw) for draw in range(draws)))
    predicted = predict_many(module, sets, test, recipe)
    trained, *held = (predicted == test.labels.numpy()).mean(axis=1).tolist()
    return OnDevice(trained=trained, held=tuple(held))


def _straight_through(parameter: Tensor, held: Tensor) -> Tensor:
    result: Tensor = _StraightThrough.apply(parameter, held)  # type: ignore[no-untyped-call]
    return result


class _StraightThrough(torch.autograd.Function):
    """``held`` on the way forward, the identity on the way back."""

    @staticmethod
    def forward(ctx: Any, parameter: Tensor, held: Tensor) -> Tensor:
        return held.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None
