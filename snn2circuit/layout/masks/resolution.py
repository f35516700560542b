"""Whether a resolution holds what is drawn: no shapes merged, none cut, none lost, no gap or hole closed.

Edges fall on pixel boundaries column by column and row by row (:meth:`Frame.columns`), so a picture is the mask with
its coordinates moved in order, and what can change is exactly this: two edges that face each other, across ink or
across a gap, fall on the same boundary. Such a pair is less than a pixel apart, as every gap or width of a whole pixel
holds a pixel's centre. So the pairs that are nearer than a pixel are found by KLayout and looked up in the frame, one
by one; a pair that happens to hold is left alone. Corners that face each other diagonally merge, or part, where both
their columns and their rows coincide.

A circle is inked where a pixel's centre lies in it, in one piece whatever the frame. It is lost where none does, and
cannot be where a pixel's diagonal is no longer than its diameter. For gaps it stands as its box.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import klayout.db as kdb
import numpy as np

from snn2circuit.errors import LayoutError
from snn2circuit.layout.masks.drawing import Mask
from snn2circuit.layout.masks.frame import INCH, Frame
from snn2circuit.layout.masks.raster import Raster
from snn2circuit.layout.masks.spread import to_region


@dataclass(frozen=True)
class _Narrow:
    """What is smaller than a pixel."""

    mask: Mask
    what: str  # merges, cuts or loses
    size: int  # nm
    axes: str  # that keep it apart: "x", "y", or "xy" for a circle's diameter
    fixed: bool  # by that axis alone: whether it holds depends on no other
    held: bool
    at: tuple[int, int]  # nm


def check_resolution(masks: Sequence[Mask], frame: Frame, raster: Raster) -> None:
    """Make sure that the pictures of ``masks``, as they are drawn, show the same shapes.

    Raises:
        LayoutError: the resolution merges, cuts or loses shapes; the text says which, where, and the smallest
            resolution at which no gap and no width is below a pixel.
    """
    narrow = [each for mask in masks if mask.layer.role != "substrate" for each in _narrow(mask, frame)]
    failed = [each for each in narrow if not each.held]
    if not failed:
        return
    now = raster.dpi_x, raster.dpi_y
    needs = [_needed(axis, failed, narrow, frame, now["xy".index(axis)]) for axis in "xy"]
    worst = min(failed, key=lambda each: each.size)
    layers = sorted({each.mask.name for each in failed} - {worst.mask.name})
    more = f" ({len(failed) - 1:,} more such places{', also in ' + ', '.join(layers) if layers else ''})"
    sides = " by ".join(f"{INCH / dpi / 1e3:.4g}" for dpi in now)
    spread = raster.bias_of(worst.mask.layer)
    way = "x".join(dict.fromkeys(needs)) if len(set(needs)) == 1 else "x".join(needs)
    raise LayoutError(
        f"{' by '.join(f'{dpi:g}' for dpi in now)} dpi, pixels of {sides} um, {worst.what} of {worst.mask.layer.name} "
        f"on sheet {worst.mask.sheet}, {worst.size / 1e3:g} um {_across(worst)} at ({worst.at[0]}, {worst.at[1]}) nm"
        f"{f', with its bias of {spread / 1e3:g} um' if spread else ''}{more if len(failed) > 1 else ''}; the smallest "
        f"resolution that holds every gap and width is {way} dpi (x by y where they differ)"
    )


def _across(each: _Narrow) -> str:
    return "across" if each.axes == "xy" else f"in {each.axes}"


def _needed(axis: str, failed: list[_Narrow], narrow: list[_Narrow], frame: Frame, now: float) -> str:
    """The resolution of an axis at which nothing fails; what it is now, if nothing fails because of it."""
    if not any(axis in each.axes for each in failed) and not any(
        axis in each.axes and not each.fixed for each in narrow
    ):
        return f"{now!r}".removesuffix(".0")
    step = {"x": frame.step_x, "y": frame.step_y}[axis]
    diagonal = math.hypot(frame.step_x, frame.step_y)
    shares = [each.size / diagonal if each.axes == "xy" else each.size / step for each in narrow if axis in each.axes]
    return str(math.ceil(now / min([1.0, *shares]) - 1e-9))


def _narrow(mask: Mask, frame: Frame) -> Iterator[_Narrow]:
    limit = math.ceil(max(frame.step_x, frame.step_y))
    outlines, shapes = to_region(mask.boxes), to_region(mask.boxes[~mask.round])
    for what, pairs in (
        ("merges shapes", outlines.space_check(limit, False, kdb.Region.Square)),
        ("cuts or loses a shape", shapes.width_check(limit, False, kdb.Region.Square)),
    ):
        for pair in pairs.each():
            if (found := _pair(pair, mask, frame, what)) is not None:
                yield found
    circles = mask.boxes[mask.round]
    diameter, centre = circles[:, 2] - circles[:, 0], (circles[:, :2] + circles[:, 2:]) / 2
    off_x = _off((centre[:, 0] - frame.x0) / frame.step_x) * frame.step_x
    off_y = _off((frame.y1 - centre[:, 1]) / frame.step_y) * frame.step_y
    held = np.hypot(off_x, off_y) < diameter / 2
    for index in np.flatnonzero(diameter < math.hypot(frame.step_x, frame.step_y)).tolist():
        x, y = centre[index].astype(int).tolist()
        size = int(diameter[index])
        yield _Narrow(mask, "loses a circle", size, "xy", fixed=False, held=bool(held[index]), at=(x, y))


def _off(position: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Distance from the nearest pixel's centre, in pixels."""
    return np.abs(position - np.floor(position) - 0.5)


def _pair(pair: kdb.EdgePair, mask: Mask, frame: Frame, what: str) -> _Narrow | None:
    """Two edges that face each other, or nothing if they are a pixel apart after all, or meet in a corner as drawn."""
    one, two = pair.first.bbox(), pair.second.bbox()
    gap = {
        "x": (min(one.right, two.right), max(one.left, two.left)),
        "y": (min(one.top, two.top), max(one.bottom, two.bottom)),
    }  # from, to; the other way round where they lie side by side along that axis
    steps = {"x": frame.step_x, "y": frame.step_y}
    x, y = (np.array(gap[axis]) for axis in "xy")
    apart = {"x": int(np.diff(frame.columns(x))[0]), "y": int(-np.diff(frame.rows(y))[0])}
    along = [axis for axis in "xy" if gap[axis][1] >= gap[axis][0]]
    size = {axis: gap[axis][1] - gap[axis][0] for axis in along}
    if not any(size.values()) or any(size[axis] >= steps[axis] for axis in along):
        return None
    axis = max(along, key=lambda each: size[each] / steps[each])
    return _Narrow(
        mask=mask,
        what=what,
        size=size[axis],
        axes=axis,
        fixed=len(along) == 1,
        held=any(apart[each] > 0 for each in along),
        at=(pair.bbox().center().x, pair.bbox().center().y),
    )
