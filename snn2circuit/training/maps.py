"""The linear maps of a network in training, each from vectors to vectors: a matrix, or convolution and pooling.

The network hands vectors from layer to layer, so a convolution stands between ``nn.Unflatten`` and ``nn.Flatten``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import linear

from snn2circuit.training.architecture import Pooling, follow_images
from snn2circuit.training.product import multiply_spikes


def build_maps(shape: tuple[int, ...], convolution: str, widths: Sequence[int], *, bias: bool) -> list[nn.Module]:
    """One map per layer, with PyTorch's default initial weights.

    Args:
        shape: of one sample: a vector, ``(height, width)`` or ``(channels, height, width)``.
        convolution: the first layers, see :mod:`snn2circuit.training.architecture`.
        widths: neurons of the fully connected layers after them.
        bias: whether the maps have a bias.

    Raises:
        TrainingError: the samples are no images, or become smaller than a window.
    """
    maps: list[nn.Module] = []
    pending: list[nn.Module] = []
    for part, before, after in follow_images(shape, convolution):
        if not pending:
            pending.append(nn.Unflatten(1, before))
        if isinstance(part, Pooling):
            pending.append(nn.AvgPool2d(part.kernel, divisor_override=None if part.mean else 1))
        else:
            pending.append(nn.Conv2d(before[0], part.channels, part.kernel, part.stride, part.padding, bias=bias))
            maps.append(nn.Sequential(*pending, nn.Flatten()))
            pending = []
        shape = after
    inputs = math.prod(shape)
    for width in widths:
        matrix = nn.Linear(inputs, width, bias=bias)
        maps.append(nn.Sequential(*pending, nn.Flatten(), matrix) if pending else matrix)
        inputs, pending = width, []
    return maps


def apply_map(one: nn.Module, signal: Tensor, *, spikes: bool) -> Tensor:
    """The map of ``signal`` ``(steps, samples, inputs)``, all steps at once; ``spikes`` says that it is 0 and 1."""
    if isinstance(one, nn.Linear):
        return multiply_spikes(one, signal) if spikes else linear(signal, one.weight, one.bias)
    currents: Tensor = one(signal.flatten(0, 1))
    return currents.reshape(*signal.shape[:2], -1)
