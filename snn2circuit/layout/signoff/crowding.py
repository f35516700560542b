"""How often the shapes of a sheet may cross, estimated before they are merged.

Merging is fast where shapes lie side by side, and takes time and memory for every crossing: three thousand lines over
three thousand others are six thousand shapes and nine million crossings. So each sheet is cut by a grid whose lines
are quantiles of the shapes' edges, and the outlines ``n`` that touch each field are counted. Two that cross share a
field, so the crossings are at most

    sum over fields of n**2

and in a stack, where a field holds a few devices with their lines, that is a small multiple of the outlines.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import klayout.db as kdb
import numpy as np

from snn2circuit.errors import LayoutError
from snn2circuit.ir.noun import Ints

FIELDS = 512  # along each side
FREE, EACH = 20_000_000, 500  # crossings allowed: on any sheet, and for each outline of it


def check_crowding(database: kdb.Layout, path: Path) -> None:
    """Refuse flat masks whose shapes cross too often to be merged.

    Raises:
        LayoutError: the text names the sheet, the estimate and the limit.
    """
    sheets: dict[int, list[int]] = {}
    for index in database.layer_indexes():
        sheets.setdefault(database.get_info(index).datatype, []).append(index)
    for sheet, indices in sorted(sheets.items()):
        outlines = _outlines(database.top_cell(), indices)
        crossings, limit = estimate_crossings(outlines), FREE + EACH * len(outlines)
        if crossings > limit:
            raise LayoutError(
                f"{path}: the {len(outlines):,} outlines of sheet {sheet} lie over each other up to {crossings:,} "
                f"times; the limit is {limit:,}: merge the shapes of each layer before they are written"
            )


def estimate_crossings(outlines: Ints) -> int:
    """At least as many as there are pairs of ``outlines`` (n, 4: left, bottom, right, top) that touch."""
    if not len(outlines):
        return 0
    shares = np.linspace(0, 1, FIELDS + 1)
    first, last = [], []
    for low, high in ((0, 2), (1, 3)):
        lines = np.unique(np.quantile(outlines[:, (low, high)], shares, method="nearest"))
        first.append(np.searchsorted(lines, outlines[:, low], side="right") - 1)
        last.append(np.searchsorted(lines, outlines[:, high], side="right"))
    # Corners of each outline's rectangle of fields; summed up along both sides they give the count in every field.
    count = np.zeros((FIELDS + 2, FIELDS + 2), dtype=np.int64)
    for sign, x, y in ((1, first, first), (-1, last, first), (-1, first, last), (1, last, last)):
        np.add.at(count, (x[0], y[1]), sign)
    touching = count.cumsum(axis=0).cumsum(axis=1).astype(np.float64)
    return int((touching**2).sum())


def _outlines(top: kdb.Cell, indices: Iterable[int]) -> Ints:
    """Boxes as they are, of everything else the edges."""
    found = []
    for index in indices:
        shapes = top.shapes(index)
        boxes = (shape.box for shape in shapes.each(kdb.Shapes.SBoxes))
        others = (shape.polygon for shape in shapes.each(kdb.Shapes.SPolygons | kdb.Shapes.SPaths))
        edges = (edge.bbox() for polygon in others for edge in polygon.each_edge())
        for group in (boxes, edges):
            corners = ((box.left, box.bottom, box.right, box.top) for box in group)
            found.append(np.fromiter(corners, dtype=np.dtype((np.int64, 4))))
    return np.concatenate(found) if found else np.empty((0, 4), dtype=np.int64)
