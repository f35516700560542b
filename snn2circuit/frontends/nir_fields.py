"""The fields of NIR nodes, however a program wrote them: numbers alone or in lists, vectors, images, any dtype.

NIR says what a field means and not how its numbers are stored, and the library's constructors are particular: a scalar
``tau`` beside a vector ``r`` fails its assertions. So every field is brought to one form before a node is made of it:

* parameters of neurons: floating point numbers of one shape per node, the shape of its largest field;
* weights: floating point matrices; a bias: one number per output;
* strides, paddings, dilations and kernels: two whole numbers; groups: one;
* text: Python's own.

Half precision and whole numbers become float64; float32 stays, since it says how precise a number is.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import nir
import numpy as np

from snn2circuit.errors import FileFormatError, NetworkError
from snn2circuit.ir.linear import Shape

NEURONS = (nir.LIF, nir.IF, nir.CubaLIF, nir.LI, nir.I, nir.CubaLI, nir.Threshold)
MAPS = (nir.Affine, nir.Linear, nir.Scale, nir.Conv2d, nir.SumPool2d, nir.AvgPool2d, nir.Flatten)
_ENDS = ("input_type", "output_type", "input_shape")  # follow from the graph; what a file says of them is not needed
_PAIRS = ("stride", "padding", "dilation", "kernel_size")


def read_node(name: str, kind: str, fields: Mapping[str, Any]) -> nir.NIRNode:
    """The node of a group's fields.

    Args:
        name: of the node, for messages.
        kind: its NIR class.
        fields: everything in its group but ``type``.

    Raises:
        FileFormatError: a field is missing, unknown, or holds what it cannot; the text names node and field.
        NetworkError: the class is none of those that can become part of a circuit.
    """
    cls = getattr(nir, kind, None)
    if cls not in (*NEURONS, *MAPS):
        known = isinstance(cls, type) and issubclass(cls, nir.NIRNode)
        raise (NetworkError if known else FileFormatError)(
            f"node {name!r}: a {kind} cannot become part of a crossbar circuit"
            if known
            else f"node {name!r} is of a type {kind!r:.40} that NIR does not know"
        )
    needed = {
        field.name: field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        for field in dataclasses.fields(cls)
        if field.name not in ("output_type", "metadata") and not (field.name == "input_type" and not field.init)
    }
    given = {key: value for key, value in fields.items() if key not in ("metadata", *_ENDS)}
    if unknown := sorted(set(given) - set(needed)):
        raise FileFormatError(f"node {name!r}: a {kind} has no field {unknown[0]!r:.40}")
    for key, obligatory in needed.items():
        if obligatory and key not in given and key not in (*_ENDS, "bias"):
            raise FileFormatError(f"node {name!r}: the {kind} lacks its {key}")
    where = f"node {name!r}: "
    values = {key: _read_field(where, key, value) for key, value in given.items()}
    if cls in (nir.Affine, nir.Linear) and math.prod(values["weight"].shape[:-2]) == 1:
        values["weight"] = values["weight"].reshape(values["weight"].shape[-2:])
    if cls in NEURONS:
        values = _one_shape(where, values)
    elif "bias" in needed:
        values["bias"] = fill(where + "bias", values.get("bias", np.zeros(1)), (len(values["weight"]),))
    ends = {key: None for key in ("input_type", "input_shape") if key in needed}
    node: nir.NIRNode = cls(**values, **ends, metadata=_metadata(fields.get("metadata", {})))
    return node


def fill(where: str, values: Any, shape: Shape) -> Any:
    """``values`` in ``shape``: one for all, one for each in whatever shape, or one for each channel ``(C, 1, 1)``.

    Raises:
        FileFormatError: there are neither one nor as many values as the shape has places.
    """
    if values.size == 1:
        return np.broadcast_to(values.reshape(()), shape)
    if values.size == math.prod(shape):
        return values.reshape(shape)
    if values.ndim == len(shape) and all(one in (1, size) for one, size in zip(values.shape, shape, strict=True)):
        return np.broadcast_to(values, shape)
    raise FileFormatError(f"{where} has {values.size} values {values.shape} for {math.prod(shape)} places {shape}")


def as_text(value: Any) -> str | None:
    """A text that stands alone or in a list of one; ``None`` for anything else."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else None


def read_whole(where: str, value: Any, count: int | None = None) -> tuple[int, ...]:
    """Whole numbers; ``count`` of them, of which a single one may stand for all.

    Raises:
        FileFormatError: something else, or another number of them.
    """
    numbers = _numbers(where, value).ravel()
    if count is not None and numbers.size == 1:
        numbers = np.repeat(numbers, count)
    if count is not None and numbers.size != count:
        raise FileFormatError(f"{where} has {numbers.size} values; {count} are needed")
    if not np.isfinite(numbers).all() or (numbers != np.floor(numbers)).any() or (np.abs(numbers) > 2**31).any():
        raise FileFormatError(f"{where} is {numbers.tolist()!s:.60}; whole numbers are needed")
    return tuple(int(each) for each in numbers)


def _read_field(where: str, name: str, value: Any) -> Any:
    where += name
    if name in _PAIRS:
        text = as_text(value)
        if name == "padding" and text is not None:
            if text not in ("same", "valid"):
                raise FileFormatError(f"{where} is {text!r:.40}; it must be numbers, 'same' or 'valid'")
            return text if text == "same" else (0, 0)
        return read_whole(where, value, 2)
    if name in ("groups", "start_dim", "end_dim"):
        return read_whole(where, value, 1)[0]
    numbers = _numbers(where, value)
    if name != "weight":
        return numbers
    # A network of one input and one output has a weight that some programs write as a number.
    if numbers.size == 1 and numbers.ndim < 2:
        numbers = numbers.reshape(1, 1)
    if numbers.ndim < 2:
        raise FileFormatError(f"{where} has shape {numbers.shape}; (outputs, inputs, ...) is needed")
    return numbers


def _numbers(where: str, value: Any) -> Any:
    numbers = np.asarray(value)
    if numbers.dtype.kind not in "biuf":
        raise FileFormatError(f"{where} holds {str(value)!r:.40}; numbers are needed")
    return numbers if numbers.dtype == np.float32 else numbers.astype(np.float64)


def _one_shape(where: str, values: dict[str, Any]) -> dict[str, Any]:
    """Parameters of a neuron in the shape of the largest."""
    largest = max(values.values(), key=lambda each: (each.size, each.ndim)).shape or (1,)
    try:
        return {name: fill(where + name, each, largest) for name, each in values.items()}
    except FileFormatError:
        # The odd one is to be named, which may be the largest.
        counted = Counter(each.shape for each in values.values() if each.size != 1)
        return {name: fill(where + name, each, counted.most_common(1)[0][0]) for name, each in values.items()}


def _metadata(given: Any) -> dict[str, Any]:
    return dict(given) if isinstance(given, Mapping) else {}
