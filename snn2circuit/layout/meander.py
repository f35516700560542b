r"""A resistor in the plane: a strip of resistive ink that winds beside a bit line, as long as its value asks for.

A sheet of ink has ``Rs`` ohm per square, whatever the square's size, so a strip of width ``W`` and length ``L`` is
``L / W`` squares. Where it turns a right angle the current cuts the corner. The bend is mapped onto the upper half
plane by ``dz/dt = W / pi · sqrt((t - 1) / (t + 1)) / t``: its ends are ``t = 0`` and ``t = inf``, its inner corner
``t = 1``, its outer one ``t = -1``. From ``t = e`` to ``t = T`` there are ``ln(T / e) / pi`` squares, and from the
inner corner to ``T`` the strip is ``W / pi · (ln 2T - pi / 2)`` long, to ``e`` likewise with ``1 / e``. Therefore

    N = L / W + k · (1 - (2 / pi) ln 2) = L / W + 0.559 · k

with ``L`` the straight lengths *without* the ``k`` corner squares (P. M. Hall, Thin Solid Films 1, 277, 1967/68). The
formula is exact where corners are far apart; the field of a corner fades as ``exp(-pi x / W)``, and here no straight
piece is shorter than ``W``. Ends count up to the edge of the electrode, which conducts a thousand times better.

Seen from above, in axes of its own, with ``x`` away from the edge of the bit line and ``y`` away from that of the word
line, ``s`` the free space, ``m`` legs (an odd number, so that the last one runs home to the bit line)::

       │◂────── window ─────▸│
     ══╪═══════════════════╗ │      leg 3; its end lies under the bit line and reaches beyond it
       │ ╔═════════════════╝ │      leg 2
       │ ╚════════════╗      │      leg 1
     ──┼──────────────╫───────      word line; the foot lies on it and reaches beyond it
      bit line

Full legs have ``B = X - 2·W - s`` between their corners, which gives ``L = m·B + (m + 1)·s + W`` and ``k = 2·m - 1``. A
value takes the fewest legs that hold it. The rest is taken off at the foot, which moves by whole steps of the drop
grid ``g``, and if that does not do at the first turn, which counts twice. So ``L`` is met within ``g / 2``, and the
value within ``g / (2 W N)``.

What a meander meets *exactly* (:func:`printable_squares`) is, for ``m`` legs, every step ``h = g / W`` down from what
full legs hold, as far as fewer legs do not come as near: down to half a step above what ``m - 2`` legs hold. Corners
are no whole number of steps, so where the legs change two neighbours are between half a step and one and a half apart.
"""

from __future__ import annotations

import math

import numpy as np

from snn2circuit.errors import LayoutError
from snn2circuit.ir.noun import Floats, Ints, freeze, noun

CORNER = 1 - 2 / math.pi * math.log(2)  # squares of a right angle
CLOSE = 1e-6  # of a step on the grid: rounding, not another place
ROUNDING = 1e-9  # of what two legs more hold: rounding, not a reason for more legs


@noun
class Trace:
    """How a strip may be drawn, nm."""

    width: int
    space: int  # between legs, and from legs to lines; no less than the width
    reach: int  # how far an end goes over its line, from the near edge on
    grid: int  # every edge lies on a multiple of it

    def __post_init__(self) -> None:
        if self.space < self.width or min(self.width, self.grid) < 1 or self.reach < 0:
            raise LayoutError(
                f"a strip {self.width} nm wide with {self.space} nm between its legs on a grid of {self.grid} nm "
                "cannot be drawn: space must be at least the width, width and grid at least 1 nm"
            )

    @property
    def pitch(self) -> int:
        """From leg to leg."""
        return self.width + self.space

    @property
    def narrowest(self) -> int:
        """Least width of a window: there every value can be met, whatever its number of legs."""
        return 3 * self.space + 8 * self.width

    @property
    def shortest(self) -> float:
        """Squares of the shortest strip from line to line: straight up, one corner, straight across."""
        return 2 * self.space / self.width + CORNER

    @property
    def step(self) -> float:
        """Squares from one place on the grid to the next."""
        return self.grid / self.width

    def tolerance(self, squares: float) -> float:
        """Largest relative error that the grid leaves in a strip of so many squares."""
        return self.step / (2 * squares)


@noun
class Window:
    """The room of one resistor: beside its bit line, above its word line, nm."""

    trace: Trace
    width: int  # legs reach this far from the edge of the bit line
    legs: int  # odd

    @property
    def height(self) -> int:
        """From the edge of the word line to the far edge of the uppermost leg."""
        return self.legs * self.trace.pitch

    @property
    def holds(self) -> float:
        """Squares of its longest strip."""
        return full_length(self.trace, self.width, self.legs) / self.trace.width + (2 * self.legs - 1) * CORNER


@noun
class Meander:
    """One strip, drawn."""

    boxes: Ints  # (boxes, 4): x0, y0, x1, y1, nm; they touch where they connect and do not overlap
    squares: float  # by the formula

    def __post_init__(self) -> None:
        freeze(self, "boxes", np.int64)


def full_length(trace: Trace, width: int, legs: int) -> int:
    """Straight length of a strip of full legs in a window so wide, nm."""
    between = width - 2 * trace.width - trace.space
    return legs * between + (legs + 1) * trace.space + trace.width


def legs_needed(trace: Trace, width: int, squares: float) -> int:
    """Fewest legs with which a strip of ``squares``, or of half a step of the grid less, fits a window so wide."""
    one, three = (Window(trace=trace, width=width, legs=legs).holds for legs in (1, 3))
    missing = squares - trace.step / 2 - one
    return 1 + 2 * max(0, math.ceil(missing / (three - one) - ROUNDING))


def printable_squares(squares: Floats, window: Window) -> tuple[Floats, Floats]:
    """The squares next at or below and next at or above each of ``squares`` that a strip in ``window`` has exactly.

    Below the shortest strip and above the longest one that end is both.
    """
    trace, step = window.trace, window.trace.step
    one, three = (Window(trace=trace, width=window.width, legs=legs).holds for legs in (1, 3))
    wanted, more = np.clip(squares, trace.shortest, window.holds), three - one
    least = step * (0.5 + CLOSE) + 2 * ROUNDING * more  # above what fewer legs hold, for a value to be of more legs
    turns = np.maximum(0, np.ceil((wanted - step / 2 - one) / more - ROUNDING))  # pairs of legs beyond the first leg
    full = one + more * turns
    short = (full - wanted) / step
    below, above = (full - step * steps for steps in (np.ceil(short - CLOSE), np.floor(short + CLOSE)))
    below = np.where((turns > 0) & (below < full - more + least), full - more, below)
    above = np.where(above > full, full + more - step * np.floor((more - least) / step), above)
    return below, np.minimum(above, window.holds)


def width_needed(trace: Trace, legs: int, squares: float) -> int:
    """Least width of a window in which so many legs hold ``squares``."""
    between = ((squares - (2 * legs - 1) * CORNER) * trace.width - (legs + 1) * trace.space - trace.width) / legs
    return math.ceil(between) + 2 * trace.width + trace.space


def draw_meander(squares: float, window: Window) -> Meander:
    """The strip in ``window`` whose squares come nearest to ``squares``.

    Raises:
        LayoutError: it is shorter than from line to line, longer than the window holds, or the window is too narrow.
    """
    trace = window.trace
    w, s, g = trace.width, trace.space, trace.grid
    legs = legs_needed(trace, window.width, squares)
    if squares < trace.shortest - trace.step / 2:
        raise LayoutError(f"a strip of {squares:.4g} squares is too short: from line to line are {trace.shortest:.4g}")
    if legs > window.legs or window.width < trace.narrowest or window.width % g:
        raise LayoutError(
            f"a strip of {squares:.4g} squares takes {legs} legs in a window of {window.width} nm; it has room for "
            f"{window.legs}, and must be at least {trace.narrowest} nm wide, on a grid of {g} nm"
        )
    corners = 2 * legs - 1
    excess = full_length(trace, window.width, legs) - (squares - corners * CORNER) * w
    short = max(0, math.floor(excess / g + 0.5)) * g
    between = window.width - 2 * w - s
    at_foot = between - w if legs > 1 else between + w  # how far the foot can move in
    at_turn = -(-max(0, short - at_foot) // (2 * g)) * g
    foot = window.width - w - (short - 2 * at_turn)

    boxes = [(foot, -trace.reach, foot + w, s)]
    far = foot
    for leg in range(1, legs + 1):
        y = s + (leg - 1) * trace.pitch
        if leg > 1:
            turn = s if leg % 2 == 0 else far
            boxes.append((turn, y - s, turn + w, y))
            if leg % 2 == 0:
                far = window.width - w - (at_turn if leg == 2 else 0)
        boxes.append((-trace.reach if leg == legs else s, y, far + w, y + w))
    length = full_length(trace, window.width, legs) - short
    return Meander(boxes=np.array(boxes), squares=length / w + corners * CORNER)
