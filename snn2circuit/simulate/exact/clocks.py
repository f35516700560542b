"""Clocks, and what they let happen when: the time axis of the exact solver.

Every slot is alike, so instants are counted inside the slot, in ``(0, slot]``: an event at a slot's very beginning is
the end of the slot before. A clock may straddle the slot's end, as the one does whose falling edge is the end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from snn2circuit.errors import CircuitNotLinear
from snn2circuit.ir.circuit import PulseSource

EPSILON = 1e-9  # of a slot; instants nearer than this are one instant


@dataclass(frozen=True)
class Clock:
    """A periodic trapezoid as it looks inside one slot."""

    name: str
    high: float  # V
    corners: tuple[float, float, float, float]  # s: rise begins and ends, fall begins and ends; may pass the slot's end
    slot: float  # s
    first: int  # slot with the first pulse

    def level(self, instant: float) -> float:
        """Voltage at an instant of the slot."""
        return self.high * max(self._trapezoid(instant), self._trapezoid(instant + self.slot))

    @property
    def instants(self) -> list[float]:
        """Corners, inside the slot."""
        return [fold(corner, self.slot) for corner in self.corners]

    def window(self, threshold: float) -> tuple[float, float] | None:
        """From when until when the clock is above ``threshold``; the end may lie past the slot's."""
        if not 0 <= threshold < self.high:
            return None
        share = threshold / self.high
        a, b, c, d = self.corners
        return a + share * (b - a), d - share * (d - c)

    def same_course(self, other: Clock) -> bool:
        """Whether the other clock is a multiple of this one in every slot in which both are running."""
        return all(
            abs(mine - theirs) < EPSILON * self.slot
            for mine, theirs in zip(self.corners, other.corners, strict=True)
        )  # fmt: skip

    def idle(self, start: float, end: float) -> bool:
        """Whether the clock is at 0 V all the way from ``start`` to ``end``."""
        a, _, _, d = self.corners
        tolerance = EPSILON * self.slot
        return not any(
            start < d + turn - tolerance and a + turn < end - tolerance for turn in (-self.slot, 0.0, self.slot)
        )

    def _trapezoid(self, t: float) -> float:
        a, b, c, d = self.corners
        if t <= a or t >= d:
            return 0.0
        if t < b:
            return (t - a) / (b - a)
        return 1.0 if t <= c else (d - t) / (d - c)


def read_clock(source: PulseSource, slot: float) -> Clock:
    """The clock of a pulse source.

    Raises:
        CircuitNotLinear: its period is not the slot.
    """
    pulse = source.pulse
    if abs(pulse.period - slot) > EPSILON * slot:
        raise CircuitNotLinear(
            f"source {source.name} repeats after {pulse.period:g} s and a slot takes {slot:g} s; the exact solver "
            "needs clocks that repeat in every slot"
        )
    first = math.floor(pulse.delay / slot + EPSILON)
    a = pulse.delay - first * slot
    b = a + pulse.rise
    c = b + pulse.width
    return Clock(name=source.name, high=source.high, corners=(a, b, c, c + pulse.fall), slot=slot, first=first)


@dataclass(frozen=True)
class Control:
    """What opens and closes an element: ``scale`` volts, times a clock, while a latched bit is set; and a threshold."""

    threshold: float  # V
    clock: Clock | None = None
    scale: float = 1.0
    bit: int | None = None  # index of the latched bit; None: no bit takes part

    def on(self, instant: float, bits: Sequence[bool]) -> bool:
        """Whether the control is above its threshold."""
        if self.bit is not None and not bits[self.bit]:
            return self.threshold < 0
        return self.scale * (self.clock.level(instant) if self.clock else 1.0) > self.threshold

    @property
    def instants(self) -> list[float]:
        """Instants of the slot at which the control may pass its threshold."""
        window = self.clock.window(self.threshold / self.scale) if self.clock and self.scale > 0 else None
        return [] if window is None or self.clock is None else [fold(each, self.clock.slot) for each in window]


def fold(instant: float, slot: float) -> float:
    """The instant inside ``(0, slot]``; what lies within EPSILON of a slot's end is that end."""
    inside = instant % slot
    return slot if min(inside, slot - inside) < EPSILON * slot else inside


def merge(instants: Sequence[float], slot: float) -> list[float]:
    """Instants in order, each once."""
    merged: list[float] = []
    for instant in sorted(instants):
        if not merged or instant - merged[-1] > EPSILON * slot:
            merged.append(instant)
    return merged
