"""Linear maps of images: convolution, pooling, scaling, and the plain matrix.

Convolution is what deep learning calls by that name, a correlation, with zeros around the image::

    y[o, i, j] = b[o] + sum over c, u, v of  w[o, c, u, v] · x[first(o) + c, s·i + d·u - p, s·j + d·v - p]

with stride ``s``, dilation ``d``, padding ``p``, and ``first(o)`` the first input channel of the group that output
channel ``o`` belongs to. Sum pooling adds every window of a channel; average pooling divides the sum by the number of
places in the window, the padded ones counted. All of it is affine, so a chain of maps is one matrix and one bias:
the matrix is what the chain without its biases makes of the unit vectors, the bias what the chain makes of zero.

A map's FLOPs are the multiplications and additions that its equation takes as it stands, biases aside: a multiplication
and an addition for each weight at each place that it is applied to, padded zeros as any other number.

Pixels are numbered as in memory, ``(channel, row, column)`` with the column running fastest; a flat vector and an image
are the same numbers in the same order, so flattening is no map at all.

:class:`Map` is what a layer asks of a map. One that a user brings is used as it is, once :func:`check_map` has seen
that it is affine.
"""

from __future__ import annotations

import math
from typing import Protocol, runtime_checkable

import numpy as np

from snn2circuit.errors import NetworkError
from snn2circuit.ir.noun import Floats, freeze, noun

Shape = tuple[int, ...]
Pair = tuple[int, int]
_PROBES = 6  # samples that a map is tried on
_TOLERANCE = 1e-9  # of the largest value that comes out


@runtime_checkable
class Map(Protocol):
    """An affine map of each sample by itself: a frozen dataclass, with a class variable ``kind`` if it is to be saved.

    Its floating-point arrays are the weights that a network checks for finite values.
    """

    def output_shape(self, shape: Shape) -> Shape:
        """Shape of the result for an input of ``shape``; raises ``NetworkError`` if it takes no such input."""

    def flops(self, shape: Shape) -> int:
        """Multiplications and additions for an input of ``shape``, biases aside."""

    def apply(self, x: Floats, *, bias: bool = True) -> Floats:
        """The map of each of ``x`` ``(samples, *shape)``, with or without its bias."""


@noun
class Dense:
    """``y = weight @ x + bias`` on flat vectors."""

    weight: Floats  # (outputs, inputs)
    bias: Floats | None = None  # (outputs,)

    def __post_init__(self) -> None:
        weight = freeze(self, "weight", np.float64)
        if weight.ndim != 2 or 0 in weight.shape:
            raise NetworkError(f"weight of a Dense has shape {weight.shape}; it needs (outputs, inputs), both >= 1")
        _check_bias(self, self.bias, len(weight))

    def output_shape(self, shape: Shape) -> Shape:
        """Shape of the result for an input of ``shape``; an image is taken as the vector it is in memory."""
        if math.prod(shape) != self.weight.shape[1]:
            raise NetworkError(f"a Dense with {self.weight.shape[1]} inputs cannot take {shape}")
        return (len(self.weight),)

    def flops(self, shape: Shape) -> int:
        """Operations for an input of ``shape``: two for each weight."""
        return 2 * self.weight.size

    def apply(self, x: Floats, *, bias: bool = True) -> Floats:
        """The map of each of ``x`` ``(samples, *shape)``, with or without its bias."""
        y: Floats = x.reshape(len(x), -1) @ self.weight.T
        return y if self.bias is None or not bias else y + self.bias


@noun
class Conv2d:
    """A convolution, see the module's text."""

    weight: Floats  # (output channels, input channels / groups, height, width)
    bias: Floats | None = None  # (output channels,)
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1

    def __post_init__(self) -> None:
        weight = freeze(self, "weight", np.float64)
        if weight.ndim != 4 or 0 in weight.shape:
            raise NetworkError(
                f"weight of a Conv2d has shape {weight.shape}; it needs (outputs, inputs / groups, height, width)"
            )
        _check_bias(self, self.bias, len(weight))
        _check_pairs(self, stride=1, padding=0, dilation=1)
        if self.groups < 1 or len(weight) % self.groups:
            raise NetworkError(f"groups is {self.groups}; it has to divide the {len(weight)} output channels")

    def output_shape(self, shape: Shape) -> Shape:
        """``(output channels, height, width)`` for an input of ``shape`` ``(input channels, height, width)``."""
        channels = self.weight.shape[1] * self.groups
        if len(shape) != 3 or shape[0] != channels:
            raise NetworkError(f"a Conv2d with {channels} input channels cannot take {shape}")
        size = _windows(shape, self.weight.shape[2:], self.stride, self.padding, self.dilation)
        return (len(self.weight), *size)

    def flops(self, shape: Shape) -> int:
        """Operations for an input of ``shape``: two for each weight of the kernels, at every place of the result."""
        return 2 * self.weight.size * math.prod(self.output_shape(shape)[1:])

    def apply(self, x: Floats, *, bias: bool = True) -> Floats:
        """The map of each of ``x`` ``(samples, channels, height, width)``, with or without its bias."""
        outputs, inputs, height, width = self.weight.shape
        rows, columns = self.output_shape(x.shape[1:])[1:]
        image = _pad(x, self.padding)
        # One product per place of the kernel: no memory beyond the result's, whatever the size of the kernel.
        kernel = self.weight.reshape(self.groups, outputs // self.groups, inputs, height, width)
        y = np.zeros((len(x), self.groups, outputs // self.groups, rows * columns))
        for u, v in np.ndindex(height, width):
            patch = _patch(image, u * self.dilation[0], v * self.dilation[1], self.stride, (rows, columns))
            y += kernel[..., u, v] @ patch.reshape(len(x), self.groups, inputs, -1)
        image = y.reshape(len(x), outputs, rows, columns)
        return image if self.bias is None or not bias else image + self.bias[:, None, None]


@noun
class SumPool2d:
    """The sum over every window of each channel."""

    kernel: Pair
    stride: Pair
    padding: Pair = (0, 0)

    def __post_init__(self) -> None:
        _check_pairs(self, kernel=1, stride=1, padding=0)
        if any(2 * pad > size for pad, size in zip(self.padding, self.kernel, strict=True)):
            raise NetworkError(f"padding {self.padding} of a pooling is more than half of its kernel {self.kernel}")

    def output_shape(self, shape: Shape) -> Shape:
        """``(channels, height, width)`` for an input of ``shape`` ``(channels, height, width)``."""
        if len(shape) != 3:
            raise NetworkError(f"pooling takes (channels, height, width), not {shape}")
        return (shape[0], *_windows(shape, self.kernel, self.stride, self.padding, (1, 1)))

    def flops(self, shape: Shape) -> int:
        """Operations for an input of ``shape``: one addition for each place of the window, in every result."""
        return math.prod(self.kernel) * math.prod(self.output_shape(shape))

    def apply(self, x: Floats, *, bias: bool = True) -> Floats:
        """The map of each of ``x`` ``(samples, channels, height, width)``; there is no bias."""
        shape = self.output_shape(x.shape[1:])
        image, y = _pad(x, self.padding), np.zeros((len(x), *shape))
        for u, v in np.ndindex(*self.kernel):
            y += _patch(image, u, v, self.stride, shape[1:])
        return y


@noun
class AvgPool2d:
    """The mean over every window of each channel, padded zeros counted."""

    kernel: Pair
    stride: Pair
    padding: Pair = (0, 0)

    def __post_init__(self) -> None:
        self.sum()

    def sum(self) -> SumPool2d:
        """The sum over the same windows."""
        return SumPool2d(kernel=self.kernel, stride=self.stride, padding=self.padding)

    def output_shape(self, shape: Shape) -> Shape:
        """``(channels, height, width)`` for an input of ``shape`` ``(channels, height, width)``."""
        return self.sum().output_shape(shape)

    def flops(self, shape: Shape) -> int:
        """Operations for an input of ``shape``: those of the sum, and one division for each result."""
        return self.sum().flops(shape) + math.prod(self.output_shape(shape))

    def apply(self, x: Floats, *, bias: bool = True) -> Floats:
        """The map of each of ``x`` ``(samples, channels, height, width)``; there is no bias."""
        return self.sum().apply(x) / math.prod(self.kernel)


@noun
class Scale:
    """Every value times a factor of its own."""

    scale: Floats  # of the input's shape, or anything that numpy broadcasts to it

    def __post_init__(self) -> None:
        freeze(self, "scale", np.float64)

    def output_shape(self, shape: Shape) -> Shape:
        """The input's shape."""
        try:
            fits = np.broadcast_shapes(shape, self.scale.shape) == shape
        except ValueError:
            fits = False
        if not fits:
            raise NetworkError(f"a Scale of shape {self.scale.shape} cannot take {shape}")
        return shape

    def flops(self, shape: Shape) -> int:
        """Operations for an input of ``shape``: one multiplication for each value."""
        return math.prod(shape)

    def apply(self, x: Floats, *, bias: bool = True) -> Floats:
        """``x`` ``(samples, *shape)`` times the factors; there is no bias."""
        return x * self.scale


BUILT_IN = (Dense, Conv2d, SumPool2d, AvgPool2d, Scale)  # affine by their equations


def check_map(one: Map, shape: Shape) -> None:
    """Make sure that a map does to inputs of ``shape`` what :class:`Map` says, by trying it.

    A crossbar holds what the map makes of the unit vectors and of zero; of a map that is not affine it would hold
    another one.

    Raises:
        NetworkError: it is no map, changes its mind about a shape, mixes samples or is not affine.
    """
    name = type(one).__name__
    if not isinstance(one, Map):
        raise NetworkError(f"{one!r:.80} is not a map: it lacks a method of snn2circuit.ir.linear.Map")
    wanted = tuple(one.output_shape(shape))
    if type(one) in BUILT_IN:
        return
    if not wanted or min(wanted) < 1:
        raise NetworkError(f"{name} makes the shape {wanted} of {shape}; every length has to be at least 1")
    values = np.sin(np.arange(1.0, 1 + _PROBES * math.prod(shape)) ** 1.5).reshape(_PROBES, *shape)
    values[0] = 0
    x = np.concatenate([values, 3 * values[1:2] - 2 * values[2:3]])
    try:
        y, plain = np.asarray(one.apply(x)), np.asarray(one.apply(x, bias=False))
        alone = np.asarray(one.apply(x[-1:]))
    except Exception as error:
        # A user's code may raise anything.
        raise NetworkError(f"{name}.apply fails on inputs of {shape}: {type(error).__name__}: {error}") from error
    if y.shape != (len(x), *wanted) or plain.shape != y.shape:
        raise NetworkError(f"{name}.apply makes {y.shape[1:]} of {shape}, its output_shape says {wanted}")
    limit = _TOLERANCE * max(1e-30, float(np.abs(y).max()))
    faults = {
        "gives values that are not finite": not np.isfinite(y).all(),
        "gives a sample another result beside others than alone": np.abs(alone[0] - y[-1]).max() > limit,
        "is not affine": np.abs(3 * plain[1] - 2 * plain[2] - plain[-1]).max() > limit or plain[0].any(),
        "adds more than a bias without bias=False": np.abs(y - y[0] - plain).max() > limit,
    }
    if fault := next((text for text, wrong in faults.items() if wrong), None):
        raise NetworkError(f"{name} {fault}; a crossbar holds one matrix and one bias in double precision")


def _check_bias(owner: Dense | Conv2d, bias: Floats | None, outputs: int) -> None:
    if bias is not None and freeze(owner, "bias", np.float64).shape != (outputs,):
        raise NetworkError(
            f"bias of a {type(owner).__name__} has shape {np.shape(bias)}; {outputs} outputs need ({outputs},)"
        )


def _check_pairs(owner: object, **least: int) -> None:
    for name, low in least.items():
        pair = getattr(owner, name)
        if len(pair) != 2 or any(not isinstance(each, int) or each < low for each in pair):
            raise NetworkError(
                f"{name} of a {type(owner).__name__} is {pair}; it needs two whole numbers of at least {low}"
            )


def _windows(shape: Shape, kernel: Shape, stride: Pair, padding: Pair, dilation: Pair) -> Pair:
    """How many places a window has along height and width."""
    spans = [size + 2 * pad - gap * (length - 1) - 1 for size, pad, gap, length in zip(
        shape[1:], padding, dilation, kernel, strict=True
    )]  # fmt: skip
    if min(spans) < 0:
        raise NetworkError(f"an image of {shape[1]} x {shape[2]} is smaller than the window {kernel} with its padding")
    return spans[0] // stride[0] + 1, spans[1] // stride[1] + 1


def _pad(x: Floats, padding: Pair) -> Floats:
    return np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2)) if any(padding) else x


def _patch(image: Floats, row: int, column: int, stride: Pair, size: Shape) -> Floats:
    """What the window's place ``(row, column)`` sees at each of its ``size`` positions."""
    down, across = stride
    return image[
        :, :, row : row + down * (size[0] - 1) + 1 : down, column : column + across * (size[1] - 1) + 1 : across
    ]
