"""Checks that every neuron part makes of its parameters, which it holds as the float32 numbers that snnTorch uses."""

from __future__ import annotations

import math

import numpy as np

from snn2circuit.errors import NetworkError

RESETS = ("subtract", "zero", "none")


def round_to_float32(part: object, *names: str) -> None:
    """Replace the named fields of a part under construction by the nearest float32."""
    with np.errstate(over="ignore"):  # what becomes infinite is refused by the checks below
        for name in names:
            object.__setattr__(part, name, float(np.float32(getattr(part, name))))


def check_shares(part: object, *names: str) -> None:
    """Refuse decays outside 0..1."""
    for name in names:
        if not 0 <= getattr(part, name) <= 1:
            raise NetworkError(f"{name} is {getattr(part, name)}; a {_kind(part)} neuron needs 0 <= {name} <= 1")


def check_positive(part: object, *names: str) -> None:
    """Refuse what is not finite and above 0."""
    for name in names:
        if not (math.isfinite(getattr(part, name)) and getattr(part, name) > 0):
            raise NetworkError(f"{name} is {getattr(part, name)}; a {_kind(part)} neuron needs it finite and above 0")


def check_reset(part: object) -> None:
    """Refuse a reset mechanism that snnTorch does not have."""
    reset = getattr(part, "reset_mechanism", None)
    if reset not in RESETS:
        raise NetworkError(f"reset_mechanism is {reset!r}; allowed: {', '.join(RESETS)}")


def _kind(part: object) -> str:
    return str(getattr(part, "kind", type(part).__name__))
