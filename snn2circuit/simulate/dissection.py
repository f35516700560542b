r"""The whole admittance matrix of a crossbar at once: nested dissection with dense Schur complements, in batches.

A block of the crossbar is known from outside by the nodes where its lines leave it: left and right ends of its word
lines, upper and lower ends of its bit lines. Two neighbours share the nodes between them; with those eliminated, the
pair is a larger block. With the neighbours' matrices cut into kept and shared nodes, ``K`` and ``s``::

    P = Kss + Lss        Y = [ Kkk  0 ; 0  Lkk ] - [ Kks ; Lks ] P⁻¹ [ Ksk  Lsk ]

Nothing is grounded, so every row sums to 0 and the off-diagonals, all of one sign, are the whole truth: they only ever
grow, and each diagonal is summed up anew from them (Grassmann, Taksar and Heyman, Oper. Res. 33, 1107, 1985). Without
that, a line of milliohms beside devices of megaohms would cost nine digits.

The smallest blocks are eliminated node by node in compiled code. A crossbar is halved along its longer side until
blocks are that small, odd sizes into unequal halves, so nothing is padded; blocks of one size are merged in a batch of
matrix products. Where the array itself ends, only sources and ends of bit lines are kept, and nothing at an open end.

For ``n x n`` crossings the last merge dominates: order ``n³`` operations against ``n⁴`` for a banded elimination. The
idea is George's (SIAM J. Numer. Anal. 10, 345, 1973); a crossbar is the grid for which every separator is a line.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TypeAlias

import numpy as np

from snn2circuit.ir.lines import LineResistances
from snn2circuit.ir.noun import Bools, Floats, Ints
from snn2circuit.simulate.compile import compiled

LEAF = 4  # rows and columns of the smallest block, at most
Place: TypeAlias = tuple[int, int]
Shape: TypeAlias = tuple[int, int, int, int]  # how many nodes are kept: left, right, top, bottom
SIDES = ("left", "right", "top", "bottom")


def admittance(siemens: Floats, lines: LineResistances) -> Floats:
    """Admittance matrix between the sources and the ends of the bit lines, in S.

    Args:
        siemens: the devices ``(rows, columns)``.
        lines: every piece of line, all above 0.

    Returns:
        ``Y`` of shape ``(rows + columns, rows + columns)``, symmetric: word lines' sources first, then bit lines' ends.
        ``Y @ volts`` are the currents that flow into the crossbar.
    """
    far = lines.fed_far
    down, across = _halvings(siemens.shape[0]), _halvings(siemens.shape[1])
    tops, lefts = _cuts(siemens.shape[0], down), _cuts(siemens.shape[1], across)
    groups: dict[tuple[int, int, tuple[bool, ...], tuple[bool, ...], bool], list[Place]] = defaultdict(list)
    for row in range(1 << down):
        near_ends = tuple((~far[tops[row] : tops[row + 1]]).tolist())
        far_ends = tuple(far[tops[row] : tops[row + 1]].tolist())
        rows, last_row = len(far_ends), row + 1 == 1 << down
        for column in range(1 << across):
            left = near_ends if column == 0 else (True,) * rows
            right = far_ends if column + 1 == 1 << across else ()
            groups[rows, lefts[column + 1] - lefts[column], left, right, last_row].append((row, column))
    blocks: dict[Place, tuple[Shape, Floats]] = {}
    for (rows, columns, left, right, last_row), places in groups.items():
        starts = np.array([(tops[row], lefts[column]) for row, column in places])
        ends = np.array([left, right or (True,) * rows])
        leaves = _eliminate(
            siemens, starts, columns, ends, bool(right), last_row,
            lines.word_segments, lines.bit_segments, lines.word_leads, lines.bit_leads,
        )  # fmt: skip
        shape = (int(ends[0].sum()), int(ends[1].sum()), columns, 0 if last_row else columns)
        blocks |= {place: (shape, leaf) for place, leaf in zip(places, leaves, strict=True)}
    while down or across:
        # Nearly square blocks have the shortest borders.
        if across == 0 or (down and siemens.shape[0] >> down <= siemens.shape[1] >> across):
            blocks, down = _merge(blocks, 0), down - 1
        else:
            blocks, across = _merge(blocks, 1), across - 1
    matrix = blocks[0, 0][1]
    if not far.any():
        return matrix
    order = np.append(np.argsort(np.argsort(far, kind="stable"), kind="stable"), np.arange(len(far), len(matrix)))
    return np.ascontiguousarray(matrix[order][:, order])


def _halvings(length: int) -> int:
    """How often a side is halved until no part is longer than a leaf."""
    count = 0
    while -(-length // (1 << count)) > LEAF:
        count += 1
    return count


def _cuts(length: int, halvings: int) -> list[int]:
    """Where a side is cut: each half of a half, the longer half last."""
    cuts = [0, length]
    for _ in range(halvings):
        cuts = sorted({*cuts, *((a + b) // 2 for a, b in itertools.pairwise(cuts))})
    return cuts


def _merge(blocks: dict[Place, tuple[Shape, Floats]], axis: int) -> dict[Place, tuple[Shape, Floats]]:
    """Join every block with its neighbour: below it for axis 0, right of it for axis 1."""
    groups: dict[tuple[Shape, Shape], list[Place]] = defaultdict(list)
    for place, (shape, _) in blocks.items():
        if place[axis] % 2 == 0:
            other = (place[0] + 1 - axis, place[1] + axis)
            groups[shape, blocks[other][0]].append(place)
    merged: dict[Place, tuple[Shape, Floats]] = {}
    for (one, two), places in groups.items():
        first = np.stack([blocks[place][1] for place in places])
        second = np.stack([blocks[place[0] + 1 - axis, place[1] + axis][1] for place in places])
        joined = _join(first, one, second, two, axis)
        if axis == 0:
            shape = (one[0] + two[0], one[1] + two[1], one[2], two[3])
            halves = [(row // 2, column) for row, column in places]
        else:
            shape = (one[0], two[1], one[2] + two[2], one[3] + two[3])
            halves = [(row, column // 2) for row, column in places]
        merged |= {place: (shape, block) for place, block in zip(halves, joined, strict=True)}
    return merged


def _join(first: Floats, one: Shape, second: Floats, two: Shape, axis: int) -> Floats:
    """Matrices ``(batch, nodes, nodes)`` of two batches of neighbours, joined."""
    shared = ("bottom", "top") if axis == 0 else ("right", "left")
    parts = [(first, _spans(one)), (second, _spans(two))]
    own_one, own_two = (spans[side] for (_, spans), side in zip(parts, shared, strict=True))
    pivot = first[:, own_one, own_one] + second[:, own_two, own_two]
    kept: list[list[tuple[slice, slice]]] = [[], []]  # of each part: nodes there, nodes of the joined block
    count = 0
    for side in SIDES:
        for own, (_, spans), drop in zip(kept, parts, shared, strict=True):
            if side != drop:
                here = spans[side]
                own.append((here, slice(count, count + here.stop - here.start)))
                count = own[-1][1].stop
    links = np.empty((len(first), pivot.shape[1], count))
    for own, (matrix, spans), side in zip(kept, parts, shared, strict=True):
        for here, there in own:
            links[:, :, there] = matrix[:, spans[side], here]
    joined: Floats = links.transpose(0, 2, 1) @ np.linalg.solve(pivot, -links)
    for own, (matrix, _) in zip(kept, parts, strict=True):
        for (here, there), (across, beyond) in itertools.product(own, own):
            joined[:, there, beyond] += matrix[:, here, across]
    diagonal = np.arange(count)
    joined[:, diagonal, diagonal] = 0.0
    joined[:, diagonal, diagonal] = -joined.sum(axis=2)
    return joined


def _spans(shape: Shape) -> dict[str, slice]:
    """Where the nodes of each side stand in a block's matrix."""
    ends = list(itertools.accumulate(shape))
    return {side: slice(end - count, end) for side, count, end in zip(SIDES, shape, ends, strict=True)}


@compiled
def _eliminate(
    siemens: Floats,
    starts: Ints,
    columns: int,
    ends: Bools,
    at_right: bool,
    at_bottom: bool,
    word_segments: Floats,
    bit_segments: Floats,
    word_leads: Floats,
    bit_leads: Floats,
) -> Floats:
    """Matrices of all leaves of one kind, by Gaussian elimination of their inner nodes.

    Each crossing owns the pieces of line on its left and above it, towards row 0, and at the array's right edge the
    lead of a word line that is fed there. ``ends`` tells for the left and the right side which rows have a node there:
    a neighbour's last crossing or a source on the left, the last crossing or a source on the right. Nodes are numbered
    so that kept ones come first: left, right, top, bottom; then the inner ones.
    """
    rows = ends.shape[1]
    word = np.full((rows, columns + 2), -1, np.int64)  # left end, crossings, source on the right
    bit = np.empty((rows + 1, columns), np.int64)  # upper end, crossings
    count = 0
    for i in range(rows):
        if ends[0, i]:
            word[i, 0] = count
            count += 1
    last = columns + 1 if at_right else columns
    for i in range(rows):
        if ends[1, i]:
            word[i, last] = count
            count += 1
    for j in range(columns):
        bit[0, j] = count
        count += 1
    if not at_bottom:
        for j in range(columns):
            bit[rows, j] = count
            count += 1
    kept = count
    for i in range(rows):
        for j in range(1, columns + 1):
            if j < columns or at_right:
                word[i, j] = count
                count += 1
    for i in range(1, rows + 1):
        for j in range(columns):
            if i < rows or at_bottom:
                bit[i, j] = count
                count += 1
    leaves = np.empty((len(starts), kept, kept))
    matrix = np.empty((count, count))
    for leaf in range(len(starts)):
        matrix[:] = 0.0
        for i in range(rows):
            row = starts[leaf, 0] + i
            for j in range(columns):
                column = starts[leaf, 1] + j
                to_left = word_segments[column - 1] if column else word_leads[row]
                upwards = bit_segments[row - 1] if row else bit_leads[column]
                for a, b, g in (
                    (word[i, j], word[i, j + 1], 1.0 / to_left),
                    (word[i, j + 1], bit[i + 1, j], siemens[row, column]),
                    (bit[i, j], bit[i + 1, j], 1.0 / upwards),
                ):
                    if a >= 0:
                        matrix[a, b] -= g
                        matrix[b, a] -= g
            a, b = word[i, columns], word[i, columns + 1]
            if b >= 0:
                matrix[a, b] -= 1.0 / word_leads[row]
                matrix[b, a] -= 1.0 / word_leads[row]
        for node in range(count - 1, kept - 1, -1):
            pivot = -matrix[node, :node].sum()
            for a in range(node):
                factor = -matrix[a, node] / pivot
                if factor != 0.0:
                    for b in range(node):
                        matrix[a, b] += factor * matrix[node, b]
                    matrix[a, a] = 0.0
        for a in range(kept):
            matrix[a, a] = -matrix[a, :kept].sum()
        leaves[leaf] = matrix[:kept, :kept]
    return leaves
