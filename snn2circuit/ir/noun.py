"""What makes a class one of the nouns: frozen, keyword-only, validated, with read-only arrays.

A noun never changes after it is made; a changed copy comes from :func:`dataclasses.replace`, which validates again.
Equality is identity, because arrays have no cheap equality; contents are compared by
:func:`snn2circuit.ir.files.fingerprint`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar, dataclass_transform

import numpy as np
from numpy.typing import DTypeLike, NDArray

from snn2circuit.errors import FileFormatError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True, eq_default=False)
def noun(cls: type[T]) -> type[T]:
    """Class decorator: a frozen, slotted, keyword-only dataclass that compares by identity."""
    return dataclass(frozen=True, eq=False, slots=True, kw_only=True)(cls)


def freeze(owner: object, name: str, dtype: DTypeLike) -> NDArray[Any]:
    """Replace field ``name`` of a noun under construction by a private read-only C-ordered copy, and return it.

    Raises:
        FileFormatError: the values cannot be held as ``dtype`` without loss, such as 0.9 as a whole number.
    """
    array = _copy(owner, name, getattr(owner, name), dtype)
    object.__setattr__(owner, name, array)
    return array


def freeze_each(owner: object, name: str, dtype: DTypeLike) -> tuple[NDArray[Any], ...]:
    """:func:`freeze` for a field that is a tuple of arrays."""
    arrays = tuple(_copy(owner, name, values, dtype) for values in getattr(owner, name))
    object.__setattr__(owner, name, arrays)
    return arrays


def _copy(owner: object, name: str, values: Any, dtype: DTypeLike) -> NDArray[Any]:
    with np.errstate(invalid="ignore"):
        array = np.array(values, dtype=dtype, order="C", copy=True)
    # Floats may come rounded from wider numbers; whole numbers and truth values must come through unchanged.
    if array.dtype.kind in "biu" and not np.array_equal(array, np.asarray(values)):
        raise FileFormatError(f"{type(owner).__name__}.{name} holds values that are not {array.dtype} without loss")
    array.setflags(write=False)
    return array
