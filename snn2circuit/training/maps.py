"""The linear maps of a network in training, each from vectors to vectors: a matrix, or convolution and pooling.

The network hands vectors from layer to layer, so a convolution stands between ``nn.Unflatten`` and ``nn.Flatten``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import linear

from snn2circuit.errors import TrainingError
from snn2circuit.training.architecture import Pooling, parse_convolution
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
    parts = parse_convolution(convolution)
    if parts and len(shape) not in (2, 3):
        raise TrainingError(f"convolution {convolution!r} needs images; the samples have the shape {shape}")
    shape = (1, *shape) if parts and len(shape) == 2 else shape
    maps: list[nn.Module] = []
    pending: list[nn.Module] = []
    for part in parts:
        if not pending:
            pending.append(nn.Unflatten(1, shape))
        size, kernel = shape[1:], part.kernel
        stride, padding = (kernel, 0) if isinstance(part, Pooling) else (part.stride, part.padding)
        if min(size) + 2 * padding < kernel:
            raise TrainingError(
                f"convolution {convolution!r}: an image of {size[0]} x {size[1]} is smaller than a window of "
                f"{kernel} x {kernel}; take a smaller kernel, less pooling, or padding"
            )
        rest = tuple((each + 2 * padding - kernel) // stride + 1 for each in size)
        if isinstance(part, Pooling):
            pending.append(nn.AvgPool2d(kernel, divisor_override=None if part.mean else 1))
            shape = (shape[0], *rest)
        else:
            pending.append(nn.Conv2d(shape[0], part.channels, kernel, stride, padding, bias=bias))
            shape = (part.channels, *rest)
            maps.append(nn.Sequential(*pending, nn.Flatten()))
            pending = []
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
