"""Checks that every neuron part makes of its parameters, which it holds as the float32 numbers that snnTorch uses.

A parameter is one number, or one for each neuron of the layer where the part allows it (``per_neuron``).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from snn2circuit.errors import NetlistError, NetworkError
from snn2circuit.ir.parts import PerNeuron
from snn2circuit.ir.per_neuron import combined, listed

RESETS = ("subtract", "zero", "none")


def round_to_float32(part: object, *names: str) -> None:
    """Replace the named fields of a part under construction by the nearest float32; one number if all are equal.

    Raises:
        NetworkError: values for neurons are no row of numbers, or fields have values for different numbers of neurons.
    """
    given = {name: as_given(name, getattr(part, name)) for name in names}
    counts = {name: len(value) for name, value in given.items() if isinstance(value, tuple)}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{name} has {count}" for name, count in counts.items())
        raise NetworkError(f"a {_kind(part)} layer needs one number, or as many as it has neurons: {told}")
    with np.errstate(over="ignore"):  # what becomes infinite is refused by the checks below
        for name, value in given.items():
            rounded = combined(lambda number: float(np.float32(number)), value)
            same = isinstance(rounded, tuple) and len(set(rounded)) == 1
            object.__setattr__(part, name, listed(rounded)[0] if same else rounded)


def as_given(name: str, value: object) -> PerNeuron:
    """A parameter as it was given: a number as it is, a row of numbers, one for each neuron, as a tuple.

    Raises:
        NetworkError: it is something else.
    """
    if not isinstance(value, (tuple, list)) and np.ndim(value) == 0:  # type: ignore[arg-type]
        return value  # type: ignore[return-value]
    try:
        row = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise NetworkError(f"{name} holds something other than numbers: {error}") from error
    if row.ndim != 1 or not row.size:
        raise NetworkError(f"{name} has shape {row.shape}; it is one number, or a row with one for each neuron")
    return tuple(row.tolist())


def check_shares(part: object, *names: str) -> None:
    """Refuse decays outside 0..1."""
    for name in names:
        _check(part, name, lambda value: 0 <= value <= 1, f"0 <= {name} <= 1")


def check_positive(part: object, *names: str) -> None:
    """Refuse what is not finite and above 0."""
    for name in names:
        _check(part, name, lambda value: math.isfinite(value) and value > 0, "it finite and above 0")


def check_reset(part: object) -> None:
    """Refuse a reset mechanism that snnTorch does not have."""
    reset = getattr(part, "reset_mechanism", None)
    if reset not in RESETS:
        raise NetworkError(f"reset_mechanism is {reset!r}; allowed: {', '.join(RESETS)}")


def single(part: object, *names: str) -> list[float]:
    """The named parameters of a neuron that is to become a circuit, where each has to be one number.

    Raises:
        NetlistError: one has a number for each neuron of a layer.
    """
    found: list[float] = []
    for name in names:
        value: PerNeuron = getattr(part, name)
        if isinstance(value, tuple):
            raise NetlistError(
                f"{name} has {len(value)} values, one per neuron; a cell is one neuron's: take the neurons one by one "
                "with snn2circuit.ir.per_neuron"
            )
        found.append(value)
    return found


def _check(part: object, name: str, good: Callable[[float], bool], needs: str) -> None:
    value: PerNeuron = getattr(part, name)
    if not isinstance(value, tuple):
        if not good(value):
            raise NetworkError(f"{name} is {value}; a {_kind(part)} neuron needs {needs}")
        return
    if name not in getattr(part, "per_neuron", ()):
        raise NetworkError(f"{name} has {len(value)} values; a {_kind(part)} layer has one for all of its neurons")
    for place, number in enumerate(value):
        if not good(number):
            raise NetworkError(f"{name} of neuron {place} is {number}; a {_kind(part)} neuron needs {needs}")


def _kind(part: object) -> str:
    return str(getattr(part, "kind", type(part).__name__))
