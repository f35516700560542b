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

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True, eq_default=False)
def noun(cls: type[T]) -> type[T]:
    """Class decorator: a frozen, slotted, keyword-only dataclass that compares by identity."""
    return dataclass(frozen=True, eq=False, slots=True, kw_only=True)(cls)


def freeze(owner: object, name: str, dtype: DTypeLike) -> NDArray[Any]:
    """Replace field ``name`` of a noun under construction by a private read-only C-ordered copy, and return it."""
    array = np.array(getattr(owner, name), dtype=dtype, order="C", copy=True)
    array.setflags(write=False)
    object.__setattr__(owner, name, array)
    return array


def freeze_each(owner: object, name: str, dtype: DTypeLike) -> tuple[NDArray[Any], ...]:
    """:func:`freeze` for a field that is a tuple of arrays."""
    arrays = tuple(np.array(array, dtype=dtype, order="C", copy=True) for array in getattr(owner, name))
    for array in arrays:
        array.setflags(write=False)
    object.__setattr__(owner, name, arrays)
    return arrays
