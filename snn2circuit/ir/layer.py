"""One layer of a network: an affine map from its inputs to the drives of its neurons, and the neuron model.

A :class:`Layer` holds its map as a matrix. A :class:`ConvLayer` holds it as the chain of convolution and pooling that
it was trained as; the same matrix can be had from it, and becomes the crossbar when the network is mapped.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np

from snn2circuit.errors import NetworkError
from snn2circuit.ir.linear import BUILT_IN, Dense, Map, Shape, check_map
from snn2circuit.ir.noun import Floats, freeze, noun
from snn2circuit.ir.parts import Neuron

MAX_MATRIX = 4 * 2**30  # bytes of a convolution unrolled into a matrix
PORTION = 2**24  # numbers that a chain of maps holds at a time


@noun
class Layer:
    """One fully connected layer: ``current = weight @ input + bias``, then one neuron per output."""

    weight: Floats  # (outputs, inputs), dimensionless
    bias: Floats | None = None  # (outputs,), dimensionless; None for a layer without bias
    neuron: Neuron

    def __post_init__(self) -> None:
        weight = freeze(self, "weight", np.float64)
        if weight.ndim != 2 or 0 in weight.shape:
            raise NetworkError(f"weight of a layer has shape {weight.shape}; it needs (outputs, inputs), both >= 1")
        if self.bias is not None:
            bias = freeze(self, "bias", np.float64)
            if bias.shape != (weight.shape[0],):
                raise NetworkError(
                    f"bias has shape {bias.shape}; a layer with {weight.shape[0]} outputs needs ({weight.shape[0]},)"
                )
        _check_neuron(self.neuron)

    @property
    def outputs(self) -> int:
        """Number of neurons."""
        return int(self.weight.shape[0])

    @property
    def inputs(self) -> int:
        """Number of inputs, the bias not counted."""
        return int(self.weight.shape[1])

    @property
    def has_bias(self) -> bool:
        """Whether there is a bias."""
        return self.bias is not None

    @property
    def flops(self) -> int:
        """Multiplications and additions of one step, two for each weight."""
        return 2 * self.weight.size

    def current(self, signal: Floats) -> Floats:
        """Drive ``(..., outputs)`` of the neurons for ``signal`` ``(..., inputs)``."""
        current: Floats = signal @ self.weight.T
        return current if self.bias is None else current + self.bias

    def arrays(self) -> Iterator[tuple[str, Floats]]:
        """The trained arrays with their names."""
        yield "weight", self.weight
        if self.bias is not None:
            yield "bias", self.bias


@noun
class ConvLayer:
    """A layer whose map is a chain of convolution, pooling and matrices over an image, then one neuron per output."""

    shape: Shape  # of the input, e.g. (channels, height, width)
    maps: tuple[Map, ...]  # applied in this order
    neuron: Neuron

    def __post_init__(self) -> None:
        if not self.shape or min(self.shape) < 1:
            raise NetworkError(f"the input shape of a layer is {self.shape}; every length has to be at least 1")
        if not self.maps:
            raise NetworkError("a layer needs at least one map")
        _check_neuron(self.neuron)
        shape = self.shape
        for number, each in enumerate(self.maps, start=1):
            try:
                check_map(each, shape)
                shape = each.output_shape(shape)
            except NetworkError as error:
                raise NetworkError(f"map {number}: {error}") from error

    @property
    def output_shape(self) -> Shape:
        """Shape of the image of neurons."""
        shape = self.shape
        for each in self.maps:
            shape = each.output_shape(shape)
        return shape

    @property
    def inputs(self) -> int:
        """Number of inputs, the bias not counted."""
        return math.prod(self.shape)

    @property
    def outputs(self) -> int:
        """Number of neurons."""
        return math.prod(self.output_shape)

    @property
    def flops(self) -> int:
        """Multiplications and additions of one step, map by map; see :mod:`snn2circuit.ir.linear`."""
        shape, total = self.shape, 0
        for each in self.maps:
            total += each.flops(shape)
            shape = each.output_shape(shape)
        return total

    @property
    def weight(self) -> Floats:
        """The whole chain as one matrix ``(outputs, inputs)``, computed anew each time it is asked for.

        Raises:
            NetworkError: the matrix would take more than :data:`MAX_MATRIX` bytes.
        """
        if 8 * self.inputs * self.outputs > MAX_MATRIX:
            raise NetworkError(
                f"unrolled into a matrix, a layer of {self.outputs:,} neurons with {self.inputs:,} inputs takes "
                f"{8 * self.inputs * self.outputs / 2**30:.1f} GiB, the limit is {MAX_MATRIX / 2**30:g}; "
                "take a larger stride, fewer channels or a smaller image"
            )
        return np.ascontiguousarray(self._chain(np.eye(self.inputs), bias=False).T)

    @property
    def bias(self) -> Floats | None:
        """The bias of the whole chain, ``(outputs,)``; ``None`` if no map has one."""
        if not self.has_bias:
            return None
        bias: Floats = self._chain(np.zeros((1, self.inputs)), bias=True)[0]
        return bias

    @property
    def has_bias(self) -> bool:
        """Whether a map has a bias; of a user's own map, whether it makes anything of zero."""
        if all(type(each) in BUILT_IN for each in self.maps):
            return any(getattr(each, "bias", None) is not None for each in self.maps)
        return bool(self._chain(np.zeros((1, self.inputs)), bias=True).any())

    def current(self, signal: Floats) -> Floats:
        """Drive ``(..., outputs)`` of the neurons for ``signal`` ``(..., inputs)``, map by map."""
        rows = self._chain(signal.reshape(-1, self.inputs), bias=True)
        return rows.reshape(*signal.shape[:-1], self.outputs)

    def arrays(self) -> Iterator[tuple[str, Floats]]:
        """The trained arrays with their names."""
        for number, each in enumerate(self.maps, start=1):
            for name in _field_names(each):
                values = getattr(each, name)
                if isinstance(values, np.ndarray) and values.dtype.kind == "f":
                    yield f"{name} of map {number} ({type(each).__name__})", values

    def _chain(self, rows: Floats, *, bias: bool) -> Floats:
        # In portions, so that the images between two maps never take much memory.
        portion = max(1, PORTION // max(self.inputs, self.outputs))
        parts = []
        for start in range(0, len(rows), portion):
            image = rows[start : start + portion].reshape(-1, *self.shape)
            for each in self.maps:
                image = each.apply(image, bias=bias)
            parts.append(image.reshape(len(image), -1))
        return np.concatenate(parts) if parts else np.empty((0, self.outputs))


AnyLayer = Layer | ConvLayer


def _field_names(one: object) -> list[str]:
    return [field.name for field in dataclasses.fields(one)] if dataclasses.is_dataclass(one) else []


def make_layer(shape: Shape, maps: Sequence[Map], neuron: Neuron) -> AnyLayer:
    """The layer of a chain of maps on inputs of ``shape``: a :class:`Layer` if the chain is one matrix."""
    match maps:
        case [Dense() as dense]:
            dense.output_shape(shape)
            return Layer(weight=dense.weight, bias=dense.bias, neuron=neuron)
        case _:
            return ConvLayer(shape=shape, maps=tuple(maps), neuron=neuron)


def _check_neuron(neuron: object) -> None:
    if isinstance(neuron, type) or not isinstance(neuron, Neuron):
        raise NetworkError(f"{neuron!r} is not a neuron: it lacks a method of snn2circuit.ir.parts.Neuron")
