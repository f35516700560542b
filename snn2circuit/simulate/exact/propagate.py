r"""From ``w' = A w + B u(t)`` to what a stretch of a slot does: ``w -> E w + G u``, exactly.

Inputs are straight lines between the corners of the clocks. Over such a segment of length ``h``, with
``u(t) = u0 + s·t``,

::

    w(h) = exp(A h) w(0) + Φ1 B u0 + Φ2 B s,   Φ1 = ∫ exp(A (h-t)) dt,   Φ2 = ∫ exp(A (h-t)) t dt

and one exponential of a block matrix holds all three (C. Van Loan, "Computing integrals involving the matrix
exponential", IEEE Trans. Automatic Control 23, 1978). Fast poles make the system stiff; an exponential does not mind.

On the edges of a clock that gates a transconductance ``A`` itself changes with time. There the augmented system is
stepped by the fourth-order Magnus series (S. Blanes, F. Casas, J. Oteo, J. Ros, "The Magnus expansion and some of its
applications", Physics Reports 470, 2009), its steps halved until nothing changes any more.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from snn2circuit.errors import CircuitNotLinear
from snn2circuit.ir.noun import Floats
from snn2circuit.simulate.exact.clocks import Clock
from snn2circuit.simulate.exact.nodal import Equations, Load, StateSpace

MAGNUS_ERROR = 1e-9  # relative, between steps and steps of half the length, which are 16 times better still
MAGNUS_HALVINGS = 14
STEADY = 1e-8  # V, of a gate; more than rounding, less than any edge


@dataclass(frozen=True)
class Stretch:
    """What part of a slot does: ``w -> E w + G u``, and the probes at its end ``P w + Q u`` from its beginning."""

    e: Floats  # (systems, states, states)
    g: Floats  # (systems, states, inputs)
    p: Floats  # (systems, probes, states)
    q: Floats  # (systems, probes, inputs)


class Propagator:
    """The stretches of a slot for one crossbar with its cells; equal positions of the switches are solved once."""

    def __init__(self, equations: Equations, load: Load, drive: Clock) -> None:
        """``drive`` is the course of the word lines' voltages, of unit height."""
        self.equations, self.load, self.drive = equations, load, drive
        self._known: dict[tuple[object, ...], StateSpace] = {}

    def stretches(self, instants: Sequence[float], bits: Sequence[bool]) -> list[Stretch]:
        """From the first instant to each of the others, in a slot whose latched bits are ``bits``."""
        found: list[Stretch] = []
        e = g = None
        for start, end in itertools.pairwise(instants):
            step_e, step_g = self._segment(start, end, bits)
            e, g = (step_e, step_g) if e is None or g is None else (step_e @ e, step_e @ g + step_g)
            space = self._space((start + end) / 2, (start + end) / 2, bits)
            found.append(Stretch(e=e, g=g, p=space.p @ e, q=space.p @ g + space.q * self.levels(end)))
        return found

    def levels(self, instant: float) -> Floats:
        """Height of every input at an instant of the slot: the bit lines', the clocks' and 1."""
        ports = len(self.equations.columns.bits) * (self.load.columns if self.load.joined else 1)
        clocks = [self.equations.columns.clocks[node].level(instant) for node in self.equations.clocks]
        return np.array([*[self.drive.level(instant)] * ports, *clocks, 1.0])

    def _segment(self, start: float, end: float, bits: Sequence[bool]) -> tuple[Floats, Floats]:
        length, middle = end - start, (start + end) / 2
        first, last = self.levels(start), self.levels(end)
        gates = [self.equations.gates(t) for t in (start, end)]
        if any(abs(a - b) > STEADY for a, b in zip(*gates, strict=True)):
            return self._magnus(start, end, bits)
        space = self._space(middle, middle, bits)
        n = space.a.shape[1]
        block = np.zeros((len(space.a), 3 * n, 3 * n))
        block[:, :n, :n] = space.a * length
        block[:, :n, n : 2 * n] = block[:, n : 2 * n, 2 * n :] = np.eye(n)
        power = exponential(block)
        one, two = power[:, :n, n : 2 * n] * length, power[:, :n, 2 * n :] * length
        return power[:, :n, :n], one @ (space.b * first) + two @ (space.b * (last - first))

    def _magnus(self, start: float, end: float, bits: Sequence[bool]) -> tuple[Floats, Floats]:
        def rate(instant: float) -> Floats:
            space = self._space((start + end) / 2, instant, bits)
            n = space.a.shape[1]
            augmented = np.zeros((len(space.a), n + space.b.shape[2], n + space.b.shape[2]))
            augmented[:, :n, :n], augmented[:, :n, n:] = space.a, space.b * self.levels(instant)
            return augmented

        before = _magnus(rate, start, end, 1)
        for halving in range(1, MAGNUS_HALVINGS):
            after = _magnus(rate, start, end, 2**halving)
            if np.abs(after - before).max() <= MAGNUS_ERROR * np.abs(after).max():
                break
            before = after
        else:
            raise CircuitNotLinear(
                f"{self.equations.columns.name}: the edge of a clock that gates a transconductance cannot be resolved; "
                "make the edge shorter or the amplifiers slower"
            )
        n = self._space((start + end) / 2, start, bits).a.shape[1]
        return after[:, :n, :n], after[:, :n, n:]

    def _space(self, middle: float, instant: float, bits: Sequence[bool]) -> StateSpace:
        """The state space with the switches as they are at ``middle`` and the gates as they are at ``instant``."""
        equations = self.equations
        gates = equations.gates(instant)
        key = (equations.positions(middle, bits), gates)
        if key not in self._known:
            space = equations.solve(self.load, middle, bits, gates)
            if len(self._known) < 64:
                self._known[key] = space
            return space
        return self._known[key]


def _magnus(rate: Callable[[float], Floats], start: float, end: float, steps: int) -> Floats:
    """Two Gauss points a step: ``exp(h/2 (A1 + A2) + √3 h²/12 [A2, A1])``, multiplied up."""
    h = (end - start) / steps
    product: Floats | None = None
    for step in range(steps):
        a1, a2 = (rate(start + h * (step + 0.5 + sign * math.sqrt(3) / 6)) for sign in (-1, 1))
        power = exponential(h / 2 * (a1 + a2) + math.sqrt(3) * h**2 / 12 * (a2 @ a1 - a1 @ a2))
        product = power if product is None else power @ product
    if product is None:
        raise CircuitNotLinear("a segment of a slot has no length")
    return product


# Numerator of the diagonal Padé approximant of order 13; the scaling below keeps its error under one rounding.
_PADE = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
    10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
_PADE_NORM = 5.371920351148152


def exponential(matrices: Floats) -> Floats:
    """``exp`` of each matrix of a batch ``(systems, n, n)``, by scaling and squaring.

    N. Higham, "The scaling and squaring method for the matrix exponential revisited", SIAM J. Matrix Anal. 26, 2005.
    """
    norm = float(np.abs(matrices).sum(axis=1).max(initial=0.0))
    squarings = max(0, math.ceil(math.log2(norm / _PADE_NORM))) if norm > _PADE_NORM else 0
    a = matrices / 2.0**squarings
    b, one = _PADE, np.eye(a.shape[-1])
    a2 = a @ a
    a4 = a2 @ a2
    a6 = a2 @ a4
    odd = a @ (a6 @ (b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * one)
    even = a6 @ (b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * one
    power = np.linalg.solve(even - odd, even + odd)
    for _ in range(squarings):
        power = power @ power
    return power.astype(np.float64, copy=False)
