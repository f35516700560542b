r"""Resistance and capacitance of printed shapes by stated formulas; lengths in m, permittivities relative.

* *Line*: ``R = Rs · L / W``.
* *Crossing*: two thin plates ``W`` by ``L`` at distance ``d``, with the fringe of both pairs of edges (H. B. Palmer,
  Trans. AIEE 56, 363, 1937): ``C = eps W L / d · (1 + f(d, W)) (1 + f(d, L))``, ``f(d, w) = d / (pi w) · (1 + ln(2 pi w
  / d))``. Printed lines are some hundred times wider than the ink between them is thick. That is outside of what the
  usual formulas of chips were fitted to, and inside of this one, which becomes exact as ``d / w`` vanishes.
* *Neighbours*: two thin coplanar strips of width ``W`` and gap ``s`` (C. P. Wen, IEEE Trans. MTT 17, 1087, 1969):
  ``C = eps K(k') / K(k)`` per length, ``k = s / (s + 2 W)``, ``K(k)`` the complete elliptic integral ``pi / (2 agm(1,
  k'))``. Both half spaces are taken as foil, as inside a stack; the thickness of the lines, small against their gap, is
  left out.
* *Parallel lines of two levels* at distance ``d``, one shifted against the other: the plates ``eps b / d`` where they
  overlap by ``b``, and beside it coplanar strips of what is left of both, at the gap ``hypot(s, d / 2)``. This is ours:
  exact for large overlaps and for large gaps ``s``, and in between within 6 % of the integral equation while ``d`` is
  not above the width (15 % up to four widths).
"""

from __future__ import annotations

import math
from typing import TypeVar

from snn2circuit.ir.noun import Floats

T = TypeVar("T", float, Floats)
VACUUM = 8.8541878128e-12  # F/m


def line_resistance(ohm_per_square: float, length: T, width: float) -> T:
    """Of straight lines, ohm; lengths in m."""
    return ohm_per_square * length / width


def plate_capacitance(permittivity: float, width: float, length: float, distance: float) -> float:
    """Of two thin plates with their fringe, F."""

    def fringe(side: float) -> float:
        return distance / (math.pi * side) * (1 + math.log(2 * math.pi * side / distance))

    return VACUUM * permittivity * width * length / distance * (1 + fringe(width)) * (1 + fringe(length))


def strip_capacitance(permittivity: float, width: float, gap: float, length: float) -> float:
    """Between two thin coplanar strips with the same matter above and below, F."""
    k = gap / (gap + 2 * width)
    return VACUUM * permittivity * length * _agm(math.sqrt(1 - k * k)) / _agm(k)


def shifted_capacitance(permittivity: float, width: float, shift: float, distance: float, length: float) -> float:
    """Between two thin parallel strips of one width, the second ``distance`` above and ``shift`` aside, F."""
    overlap = max(width - shift, 0.0)
    plates = VACUUM * permittivity * overlap * length / distance
    rest = width - overlap
    if rest <= 0:
        return plates
    return plates + strip_capacitance(permittivity, rest, math.hypot(max(shift - width, 0.0), distance / 2), length)


def _agm(x: float) -> float:
    """Arithmetic-geometric mean of 1 and ``x``; ``K(k') = pi / (2 agm(1, k))``."""
    a = 1.0
    while abs(a - x) > 1e-15 * a:
        a, x = (a + x) / 2, math.sqrt(a * x)
    return a
