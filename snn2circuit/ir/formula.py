"""A formula that is written once and read twice: by numpy as numbers, by SPICE as text.

A model states its equations as ordinary Python on values ``v`` and ``x`` with the functions of :class:`Functions`.
Given numbers and :data:`NUMERIC` it computes; given :class:`Text` and :data:`SPICE` it spells the same formula in the
subset that ngspice and LTspice share (no ``^``, no ``if``), so that deck and equations cannot drift apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from snn2circuit.units import spice


class Functions(Protocol):
    """What a formula may use besides ``+ - * /``."""

    def exp(self, a: Any) -> Any:
        """Exponential."""

    def sinh(self, a: Any) -> Any:
        """Hyperbolic sine."""

    def absolute(self, a: Any) -> Any:
        """Magnitude."""

    def least(self, a: Any, b: Any) -> Any:
        """The smaller of two."""

    def most(self, a: Any, b: Any) -> Any:
        """The larger of two."""

    def step(self, a: Any) -> Any:
        """1 above 0, else 0."""


def power(base: Any, exponent: int) -> Any:
    """``base`` to a whole power of at least 1, as a product: simulators spell powers differently."""
    result = base
    for _ in range(exponent - 1):
        result = result * base
    return result


@dataclass(frozen=True)
class Text:
    """A formula as SPICE text; arithmetic on it makes longer ones."""

    text: str

    def __add__(self, other: Any) -> Text:
        return Text(f"({self}+{_spell(other)})")

    def __radd__(self, other: Any) -> Text:
        return Text(f"({_spell(other)}+{self})")

    def __sub__(self, other: Any) -> Text:
        return Text(f"({self}-{_spell(other)})")

    def __rsub__(self, other: Any) -> Text:
        return Text(f"({_spell(other)}-{self})")

    def __mul__(self, other: Any) -> Text:
        return Text(f"{self}*{_spell(other)}")

    def __rmul__(self, other: Any) -> Text:
        return Text(f"{_spell(other)}*{self}")

    def __truediv__(self, other: Any) -> Text:
        return Text(f"{self}/({_spell(other)})")

    def __rtruediv__(self, other: Any) -> Text:
        return Text(f"{_spell(other)}/({self})")

    def __neg__(self) -> Text:
        return Text(f"(0-{self})")

    def __str__(self) -> str:
        return self.text


def _spell(value: Any) -> str:
    if isinstance(value, Text):
        return value.text
    return spice(float(value)) if value >= 0 else f"({spice(float(value))})"


class _Numeric:
    def exp(self, a: Any) -> Any:
        return np.exp(a)

    def sinh(self, a: Any) -> Any:
        return np.sinh(a)

    def absolute(self, a: Any) -> Any:
        return np.abs(a)

    def least(self, a: Any, b: Any) -> Any:
        return np.minimum(a, b)

    def most(self, a: Any, b: Any) -> Any:
        return np.maximum(a, b)

    def step(self, a: Any) -> Any:
        return np.where(np.asarray(a) > 0, 1.0, 0.0)


class _Spice:
    def exp(self, a: Any) -> Any:
        return Text(f"exp({_spell(a)})")

    def sinh(self, a: Any) -> Any:
        return Text(f"sinh({_spell(a)})")

    def absolute(self, a: Any) -> Any:
        return Text(f"abs({_spell(a)})")

    def least(self, a: Any, b: Any) -> Any:
        return Text(f"min({_spell(a)},{_spell(b)})")

    def most(self, a: Any, b: Any) -> Any:
        return Text(f"max({_spell(a)},{_spell(b)})")

    def step(self, a: Any) -> Any:
        return Text(f"u({_spell(a)})")


NUMERIC: Functions = _Numeric()
SPICE: Functions = _Spice()
