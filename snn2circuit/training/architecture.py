"""Convolutional layers as one word: ``8c5-p2-16c3s2p1-s2``.

Parts stand between hyphens, from the image on:

* ``8c5`` is a convolution with 8 output channels and a kernel of 5 x 5, followed by neurons; ``8c5s2p1`` has stride 2
  and padding 1.
* ``p2`` is mean pooling over windows of 2 x 2 that do not overlap, ``s2`` their sum. Pooling belongs to the layer after
  it, be that a convolution or the first fully connected one.

The notation is the field's own (``28x28-12C5-P2-64C5-P2-10``), without the sizes of input and output, which the data
decide.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from snn2circuit.errors import TrainingError

_CONVOLUTION = re.compile(r"(\d{1,5})c(\d{1,3})(?:s(\d{1,3}))?(?:p(\d{1,3}))?")
_POOLING = re.compile(r"([ps])(\d{1,3})")


@dataclass(frozen=True)
class Convolution:
    """A convolution with square kernel, followed by neurons."""

    channels: int
    kernel: int
    stride: int = 1
    padding: int = 0


@dataclass(frozen=True)
class Pooling:
    """Mean, or sum, over square windows that do not overlap."""

    kernel: int
    mean: bool


def parse_convolution(text: str) -> tuple[Convolution | Pooling, ...]:
    """The parts of a word such as ``8c5-p2``; none for an empty one.

    Raises:
        TrainingError: a part is neither convolution nor pooling, or has a size of 0.
    """
    return tuple(_parse(part, text) for part in text.split("-")) if text else ()


def count_layers(convolution: str, hidden: tuple[int, ...]) -> int:
    """Layers of neurons: one after each convolution, the hidden ones, and the outputs.

    Raises:
        TrainingError: ``convolution`` is no such word.
    """
    return sum(isinstance(part, Convolution) for part in parse_convolution(convolution)) + len(hidden) + 1


def follow_images(
    shape: tuple[int, ...], convolution: str
) -> Iterator[tuple[Convolution | Pooling, tuple[int, ...], tuple[int, ...]]]:
    """Each part with the shapes ``(channels, height, width)`` before and after it, for samples of ``shape``.

    Raises:
        TrainingError: the samples are no images, or become smaller than a window.
    """
    parts = parse_convolution(convolution)
    if parts and len(shape) not in (2, 3):
        raise TrainingError(f"convolution {convolution!r} needs images; the samples have the shape {shape}")
    shape = (1, *shape) if len(shape) == 2 else shape
    for part in parts:
        size, kernel = shape[1:], part.kernel
        stride, padding = (kernel, 0) if isinstance(part, Pooling) else (part.stride, part.padding)
        if min(size) + 2 * padding < kernel:
            raise TrainingError(
                f"convolution {convolution!r}: an image of {size[0]} x {size[1]} is smaller than a window of "
                f"{kernel} x {kernel}; take a smaller kernel, less pooling, or padding"
            )
        rest = tuple((each + 2 * padding - kernel) // stride + 1 for each in size)
        after = (shape[0] if isinstance(part, Pooling) else part.channels, *rest)
        yield part, shape, after
        shape = after


@dataclass(frozen=True)
class LayerSize:
    """What a layer is before it exists."""

    inputs: int  # word lines of its crossbar, the bias row not counted
    outputs: int  # neurons
    parameters: int  # that are trained


def layer_sizes(
    shape: tuple[int, ...], convolution: str, widths: Sequence[int], *, bias: bool
) -> tuple[LayerSize, ...]:
    """The size of each layer for samples of ``shape``; ``widths`` are those of the fully connected layers.

    Raises:
        TrainingError: as :func:`follow_images`.
    """
    sizes: list[LayerSize] = []
    inputs = last = math.prod(shape)  # of the next layer: as its crossbar sees them, and after pooling
    for part, before, after in follow_images(shape, convolution):
        last = math.prod(after)
        if isinstance(part, Convolution):
            parameters = part.channels * (before[0] * part.kernel**2 + bias)
            sizes.append(LayerSize(inputs, last, parameters))
            inputs = last
    for width in widths:
        sizes.append(LayerSize(inputs, width, width * (last + bias)))
        inputs = last = width
    return tuple(sizes)


def _parse(part: str, text: str) -> Convolution | Pooling:
    if match := _CONVOLUTION.fullmatch(part):
        channels, kernel, stride, padding = (
            int(each or usual) for each, usual in zip(match.groups(), "0010", strict=True)
        )
        if min(channels, kernel, stride) > 0:
            return Convolution(channels, kernel, stride, padding)
    if (match := _POOLING.fullmatch(part)) and int(match[2]) > 0:
        return Pooling(int(match[2]), match[1] == "p")
    raise TrainingError(
        f"convolution {text!r}: {part!r} is not known; write 8c5 for 8 maps of 5 x 5 (8c5s2p1 with stride 2 and "
        "padding 1), p2 for the mean over 2 x 2, s2 for the sum, with hyphens between"
    )
