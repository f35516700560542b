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

import re
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
