"""Masks as KLayout's database, and from it the formats that KLayout writes: GDSII and OASIS.

Layer number and datatype of a shape are its process layer's mask number and its sheet's number, from 1. The database
unit is 1 nm. Equal shapes are instances of one unit cell, and regular fields of them are arrays: a crossbar of 785 by
200 devices is a few hundred references. Every net has a text label on each conductor it appears on, so that whoever
reads the file can name what is connected.

Files suit strict and old readers: cell names have at most 32 characters of ``A-Z a-z 0-9 _ ? $`` (GDSII Stream Format
Manual, release 6.0, record STRNAME), OASIS keeps its names in strict tables (SEMI P39). They carry no date, so equal
layouts give equal bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import klayout.db as kdb
import numpy as np

from snn2circuit.ir.files import atomic
from snn2circuit.ir.layout import Layout
from snn2circuit.ir.noun import Ints
from snn2circuit.layout.masks.drawing import Mask, circle, labels, list_masks

DATABASE_UNIT = 1e-3  # um
LONGEST = 32  # characters of a cell's name


def draw_database(layout: Layout) -> kdb.Layout:
    """``layout`` as a hierarchical KLayout database: top cell, a cell a sheet, unit cells."""
    database = kdb.Layout()
    database.dbu = DATABASE_UNIT
    top = database.create_cell(top_name(layout.name))
    sheets: dict[int, kdb.Cell] = {}
    for mask in list_masks(layout):
        if mask.sheet not in sheets:
            sheets[mask.sheet] = database.create_cell(f"sheet{mask.sheet}")
            top.insert(kdb.CellInstArray(sheets[mask.sheet].cell_index(), kdb.Trans()))
        _draw_mask(database, sheets[mask.sheet], mask, layout.nets)
    return database


def top_name(name: str) -> str:
    """``name`` as the name of the top cell, unlike those of the cells below it."""
    name = re.sub(r"[^A-Za-z0-9_?$]", "_", name)
    return (f"stack_{name}" if name.lower().startswith("sheet") else name or "stack")[:LONGEST]


def cell_name(mask: Mask, number: int) -> str:
    """The name of a mask's unit cell; sheet and mask number stand first, so that cutting it leaves it unique."""
    return f"sheet{mask.sheet}_{mask.layer.mask}_{mask.layer.name}"[: LONGEST - len(f"_{number}")] + f"_{number}"


def write_database(database: kdb.Layout, path: Path, kind: str) -> None:
    """Write ``database`` to ``path`` in KLayout's format ``kind``: ``GDS2`` or ``OASIS``."""
    options = kdb.SaveLayoutOptions()
    options.format = kind
    options.gds2_write_timestamps = False
    options.gds2_max_cellname_length = LONGEST
    options.oasis_strict_mode = True
    options.write_context_info = False
    with atomic(path) as temporary:
        database.write(str(temporary), options)


def _draw_mask(database: kdb.Layout, sheet: kdb.Cell, mask: Mask, nets: tuple[str, ...]) -> None:
    index = database.layer(mask.layer.mask, mask.sheet, mask.name)
    sizes = np.column_stack([mask.boxes[:, 2:] - mask.boxes[:, :2], mask.round])
    kinds, kind = np.unique(sizes, axis=0, return_inverse=True)
    for number, (width, height, is_round) in enumerate(kinds.tolist()):
        unit = database.create_cell(cell_name(mask, number))
        unit.shapes(index).insert(circle(0, 0, width, height) if is_round else kdb.Box(0, 0, width, height))
        for x, y, dx, dy, columns, rows in find_arrays(mask.boxes[kind.ravel() == number, :2]):
            place = kdb.Trans(x, y)
            if columns * rows == 1:
                sheet.insert(kdb.CellInstArray(unit.cell_index(), place))
            else:
                steps = kdb.Vector(dx, 0), kdb.Vector(0, dy)
                sheet.insert(kdb.CellInstArray(unit.cell_index(), place, *steps, columns, rows))
    for net, x, y in labels(mask, nets):
        sheet.shapes(index).insert(kdb.Text(net, kdb.Trans(x, y)))


def find_arrays(corners: Ints) -> Iterator[tuple[int, int, int, int, int, int]]:
    """Cover points ``(n, 2)`` by regular arrays: x, y, step in x, step in y, columns, rows of each.

    Points are gathered in rows of equal y, rows with the same x form a block, and a block is cut where its steps
    change.
    """
    order = np.lexsort((corners[:, 0], corners[:, 1]))
    points = corners[order]
    blocks: dict[bytes, list[int]] = {}
    for row in np.split(points, np.flatnonzero(np.diff(points[:, 1])) + 1):
        blocks.setdefault(row[:, 0].tobytes(), []).append(int(row[0, 1]))
    for key, heights in blocks.items():
        across = list(_runs(np.frombuffer(key, dtype=np.int64)))
        for y, dy, rows in _runs(np.array(heights)):
            for x, dx, columns in across:
                yield x, y, dx, dy, columns, rows


def _runs(values: Ints) -> Iterator[tuple[int, int, int]]:
    """Cut increasing values into runs of equal steps: first value, step, count."""
    start = 0
    while start < len(values):
        steps = np.diff(values[start:])
        changes = np.flatnonzero(steps != steps[:1])
        count = (int(changes[0]) if len(changes) else len(steps)) + 1
        yield int(values[start]), int(steps[0]) if count > 1 else 0, count
        start += count
