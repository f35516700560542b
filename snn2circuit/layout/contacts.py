"""Which solids touch: all boxes and round pillars that share a face or a volume, found without trying every pair.

Two solids are in contact when their closed shapes have at least an area in common: they overlap, or lie flat against
each other. Meeting in an edge or a corner only is no contact, nor is a pillar that a box meets only in the corner of
the pillar's bounding box.

Solids are grouped by their heights, since a layout has only a handful. Groups that meet in height are joined by sorting
one of them along x or along y, whichever leaves fewer candidates, in classes of similar length: within a class, a box
that reaches another one begins at most one class length before it. That keeps the work near the number of contacts for
combs of long lines as well as for fields of small patches.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from snn2circuit.ir.noun import Bools, Ints, freeze, noun

CHUNK = 2_000_000  # candidate pairs held in memory at a time


@noun
class Solids:
    """Boxes, and pillars inscribed in boxes."""

    boxes: Ints  # (solids, 6), nm
    round: Bools  # (solids,)

    def __post_init__(self) -> None:
        freeze(self, "boxes", np.int64)
        freeze(self, "round", np.bool_)


def find_contacts(first: Solids, second: Solids) -> Ints:
    """Pairs ``(contacts, 2)`` of indices into ``first`` and ``second`` of solids in contact, sorted."""
    found = [np.empty((0, 2), dtype=np.int64)]
    for heights, one in _by_height(first):
        for others, two in _by_height(second):
            if heights[1] < others[0] or others[1] < heights[0]:
                continue
            for pairs in _candidates(first.boxes[one], second.boxes[two]):
                pairs = np.stack([one[pairs[:, 0]], two[pairs[:, 1]]], axis=1)
                found.append(pairs[_in_contact(first, second, pairs)])
    joined = np.concatenate(found)
    return joined[np.lexsort((joined[:, 1], joined[:, 0]))]


def _by_height(solids: Solids) -> Iterator[tuple[Ints, Ints]]:
    heights, group = np.unique(solids.boxes[:, [2, 5]], axis=0, return_inverse=True)
    for index, height in enumerate(heights):
        yield height, np.flatnonzero(group.ravel() == index)


def _candidates(a: Ints, b: Ints) -> Iterator[Ints]:
    """Pairs of indices into ``a`` and ``b`` that may touch, in chunks."""
    plans = [list(_spans(a, b, axis)) for axis in (0, 1)]
    work = [sum(int((stop - start).sum()) for _, start, stop in plan) for plan in plans]
    for order, start, stop in plans[int(np.argmin(work))]:
        count = stop - start
        chunk = np.cumsum(count) // CHUNK
        for part in np.split(np.arange(len(a)), np.flatnonzero(np.diff(chunk)) + 1):
            repeats = count[part]
            within = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
            yield np.stack([np.repeat(part, repeats), order[np.repeat(start[part], repeats) + within]], axis=1)


def _spans(a: Ints, b: Ints, axis: int) -> Iterator[tuple[Ints, Ints, Ints]]:
    """For each length class of ``b``: its order along the axis, and for each ``a`` the range of that order to try."""
    low, length = b[:, axis], b[:, axis + 3] - b[:, axis]
    classes = np.frexp(length.astype(np.float64))[1]
    for each in np.unique(classes):
        members = np.flatnonzero(classes == each)
        order = members[np.argsort(low[members], kind="stable")]
        start = np.searchsorted(low[order], a[:, axis] - length[members].max(), side="left")
        stop = np.searchsorted(low[order], a[:, axis + 3], side="right")
        yield order, start, stop


def _in_contact(first: Solids, second: Solids, pairs: Ints) -> Bools:
    a, b = first.boxes[pairs[:, 0]], second.boxes[pairs[:, 1]]
    common = np.minimum(a[:, 3:], b[:, 3:]) - np.maximum(a[:, :3], b[:, :3])
    touching: NDArray[np.bool_] = (common >= 0).all(axis=1) & ((common == 0).sum(axis=1) <= 1)
    a_round, b_round = first.round[pairs[:, 0]], second.round[pairs[:, 1]]
    for index in np.flatnonzero(touching & (a_round | b_round)):
        touching[index] = _discs_meet(a[index], bool(a_round[index]), b[index], bool(b_round[index]))
    return touching


def _discs_meet(a: Ints, a_round: bool, b: Ints, b_round: bool) -> bool:
    """Whether two solids, at least one of them a pillar, have an area in common seen from above."""
    if not a_round:
        a, a_round, b, b_round = b, b_round, a, a_round
    centre, reach = (a[:2] + a[3:5]) / 2, float(min(a[3:5] - a[:2])) / 2
    if b_round:
        nearest, reach = (b[:2] + b[3:5]) / 2, reach + float(min(b[3:5] - b[:2])) / 2
    else:
        nearest = np.clip(centre, b[:2], b[3:5])
    return bool(((centre - nearest) ** 2).sum() < reach**2)
