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
matrix products. Where the array itself ends, at the open ends of the lines, nothing is kept at all.

For ``n x n`` crossings the last merge dominates: order ``n³`` operations against ``n⁴`` for a banded elimination. The
idea is George's (SIAM J. Numer. Anal. 10, 345, 1973); a crossbar is the grid for which every separator is a line.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TypeAlias

import numpy as np

from snn2circuit.ir.noun import Floats, Ints
from snn2circuit.simulate.compile import compiled

LEAF = 4  # rows and columns of the smallest block, at most
Place: TypeAlias = tuple[int, int]
Shape: TypeAlias = tuple[int, int, bool, bool]  # rows, columns, open at the top, open at the right


def admittance(siemens: Floats, *, r_word: float, r_bit: float, r_in: float) -> Floats:
    """Admittance matrix between the sources and the ends of the bit lines, in S.

    Args:
        siemens: the devices ``(rows, columns)``.
        r_word: of each word line segment between two crossings, above 0.
        r_bit: of each bit line segment, above 0.
        r_in: from each source to its first crossing, above 0.

    Returns:
        ``Y`` of shape ``(rows + columns, rows + columns)``, symmetric: word lines' sources first, then bit lines' ends.
        ``Y @ volts`` are the currents that flow into the crossbar.
    """
    down, across = _halvings(siemens.shape[0]), _halvings(siemens.shape[1])
    tops, lefts = _cuts(siemens.shape[0], down), _cuts(siemens.shape[1], across)
    groups: dict[Shape, list[Place]] = defaultdict(list)
    for row in range(1 << down):
        for column in range(1 << across):
            rows, columns = tops[row + 1] - tops[row], lefts[column + 1] - lefts[column]
            groups[rows, columns, row == 0, column + 1 == 1 << across].append((row, column))
    blocks: dict[Place, tuple[Shape, Floats]] = {}
    for shape, places in groups.items():
        starts = np.array([(tops[row], lefts[column]) for row, column in places])
        leaves = _eliminate(siemens, starts, *shape, r_word, r_bit, r_in)
        blocks |= {place: (shape, leaf) for place, leaf in zip(places, leaves, strict=True)}
    while down or across:
        # Nearly square blocks have the shortest borders.
        if across == 0 or (down and siemens.shape[0] >> down <= siemens.shape[1] >> across):
            blocks, down = _merge(blocks, 0), down - 1
        else:
            blocks, across = _merge(blocks, 1), across - 1
    return blocks[0, 0][1]


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
            shape = (one[0] + two[0], one[1], one[2], one[3])
            halves = [(row // 2, column) for row, column in places]
        else:
            shape = (one[0], one[1] + two[1], one[2], two[3])
            halves = [(row, column // 2) for row, column in places]
        merged |= {place: (shape, block) for place, block in zip(halves, joined, strict=True)}
    return merged


def _sides(shape: Shape) -> dict[str, int]:
    """Nodes of a block by side, in the order of its matrix."""
    rows, columns, top, right = shape
    return {"left": rows, "right": 0 if right else rows, "top": 0 if top else columns, "bottom": columns}


def _join(first: Floats, one: Shape, second: Floats, two: Shape, axis: int) -> Floats:
    """Matrices ``(batch, nodes, nodes)`` of two batches of neighbours, joined."""
    shared = ("bottom", "top") if axis == 0 else ("right", "left")
    inner_one, outer_one = _indices(one, shared[0])
    inner_two, outer_two = _indices(two, shared[1])
    pivot = first[:, inner_one][:, :, inner_one] + second[:, inner_two][:, :, inner_two]
    links = np.concatenate([first[:, inner_one][:, :, outer_one], second[:, inner_two][:, :, outer_two]], axis=2)
    joined: Floats = -(links.transpose(0, 2, 1) @ np.linalg.solve(pivot, links))
    split = len(outer_one)
    joined[:, :split, :split] += first[:, outer_one][:, :, outer_one]
    joined[:, split:, split:] += second[:, outer_two][:, :, outer_two]
    diagonal = np.arange(joined.shape[1])
    joined[:, diagonal, diagonal] = 0.0
    joined[:, diagonal, diagonal] = -joined.sum(axis=2)
    order = _order(one, two, axis)
    return np.ascontiguousarray(joined[:, order][:, :, order])


def _indices(shape: Shape, shared: str) -> tuple[Ints, Ints]:
    """Positions of the shared side's nodes in a block's matrix, and of all others."""
    names = np.repeat(list(_sides(shape)), list(_sides(shape).values()))
    return np.flatnonzero(names == shared), np.flatnonzero(names != shared)


def _order(one: Shape, two: Shape, axis: int) -> Ints:
    """Where the joined block's nodes, side by side, stand among the kept nodes of both."""
    shared = ("bottom", "top") if axis == 0 else ("right", "left")
    kept = []
    for part, (shape, drop) in enumerate(zip((one, two), shared, strict=True)):
        kept += [(side, part) for side, count in _sides(shape).items() if side != drop for _ in range(count)]
    names = list(_sides(one))
    return np.array(sorted(range(len(kept)), key=lambda node: (names.index(kept[node][0]), kept[node][1], node)))


@compiled
def _eliminate(
    siemens: Floats,
    starts: Ints,
    rows: int,
    columns: int,
    top: bool,
    right: bool,
    r_word: float,
    r_bit: float,
    r_in: float,
) -> Floats:
    """Matrices of all leaves of one size, by Gaussian elimination of their inner nodes.

    Each crossing owns the segment on its left and the one below. Nodes are numbered so that kept ones come first: left
    ends, word nodes of the last column, bit nodes of the first row, lower ends; then the inner ones.
    """
    word = np.empty((rows, columns + 1), np.int64)
    bit = np.empty((rows + 1, columns), np.int64)
    count = 0
    for i in range(rows):
        word[i, 0] = count
        count += 1
    if not right:
        for i in range(rows):
            word[i, columns] = count
            count += 1
    if not top:
        for j in range(columns):
            bit[0, j] = count
            count += 1
    for j in range(columns):
        bit[rows, j] = count
        count += 1
    kept = count
    for i in range(rows):
        for j in range(1, columns + 1):
            if j < columns or right:
                word[i, j] = count
                count += 1
    for i in range(rows):
        for j in range(columns):
            if i > 0 or top:
                bit[i, j] = count
                count += 1
    leaves = np.empty((len(starts), kept, kept))
    matrix = np.empty((count, count))
    for leaf in range(len(starts)):
        matrix[:] = 0.0
        for i in range(rows):
            for j in range(columns):
                row, column = starts[leaf, 0] + i, starts[leaf, 1] + j
                for a, b, g in (
                    (word[i, j], word[i, j + 1], 1.0 / (r_word if column else r_in)),
                    (word[i, j + 1], bit[i, j], siemens[row, column]),
                    (bit[i, j], bit[i + 1, j], 1.0 / r_bit),
                ):
                    matrix[a, b] -= g
                    matrix[b, a] -= g
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
