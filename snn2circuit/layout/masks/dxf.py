"""Masks as DXF, the whole stack in one file, in millimetres.

The file is of release 12 (AutoCAD, DXF Reference, AC1009), which every reader of the last thirty years takes: closed
polylines in blocks, one a shape's size, inserted as arrays. Release 12 has no word for a unit; the header says it as
later releases do, ``$INSUNITS`` 4 (millimetres) with ``$MEASUREMENT`` 1 (metric), which readers of release 12 skip. Six
decimals are nanometres.

A mask is a layer ``sheet1_3_word_lines``: sheet, mask number, name of the process layer, cut at the 31 characters that
release 12 allows. Circles are polygons of 64 corners, the very ones that are judged. Every net has a text on each
conductor it appears on.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from snn2circuit.ir.files import write_text
from snn2circuit.ir.layout import Layout, ProcessLayer
from snn2circuit.layout.masks.database import find_arrays
from snn2circuit.layout.masks.drawing import Mask, circle, labels, list_masks, millimetres

LONGEST = 31  # characters of a name
MILLIMETRES = 4  # of $INSUNITS
TEXT_HEIGHT = "0.05"  # mm


def write_dxf(layout: Layout, path: Path) -> None:
    """Write ``layout`` to ``path``."""
    masks = list(list_masks(layout))
    low = np.min([mask.boxes[:, :2].min(axis=0) for mask in masks], axis=0)
    high = np.max([mask.boxes[:, 2:].max(axis=0) for mask in masks], axis=0)
    blocks, entities = [], []
    for mask in masks:
        defined, placed = _draw(mask)
        blocks += defined
        entities += placed
        for net, x, y in labels(mask, layout.nets):
            name = net.encode("ascii", "backslashreplace").decode()
            entities += [*_entity("TEXT", mask), *_point(10, x, y), f"40\n{TEXT_HEIGHT}", f"1\n{name}"]
    lines = [
        "999\nsnn2circuit masks; coordinates are millimetres",
        *("0\nSECTION", "2\nHEADER", "9\n$ACADVER", "1\nAC1009"),
        *("9\n$INSUNITS", f"70\n{MILLIMETRES}", "9\n$MEASUREMENT", "70\n1"),
        *("9\n$EXTMIN", *_point(10, *low.tolist()), "9\n$EXTMAX", *_point(10, *high.tolist()), "0\nENDSEC"),
        *("0\nSECTION", "2\nTABLES", "0\nTABLE", "2\nLTYPE", "70\n1"),
        *("0\nLTYPE", "2\nCONTINUOUS", "70\n0", "3\nSolid line", "72\n65", "73\n0", "40\n0.0", "0\nENDTAB"),
        *("0\nTABLE", "2\nLAYER", f"70\n{len(masks)}"),
        *(line for mask in masks for line in _layer(mask)),
        *("0\nENDTAB", "0\nENDSEC"),
        *("0\nSECTION", "2\nBLOCKS", *blocks, "0\nENDSEC"),
        *("0\nSECTION", "2\nENTITIES", *entities, "0\nENDSEC", "0\nEOF"),
    ]
    write_text(path, "\n".join(lines) + "\n")


def layer_name(layer: ProcessLayer, sheet: int) -> str:
    """The name of a mask; sheet and mask number stand first, so that it is unique whatever is cut off."""
    return f"sheet{sheet}_{layer.mask}_{layer.name}"[:LONGEST]


def _layer(mask: Mask) -> Iterator[str]:
    yield from ("0\nLAYER", f"2\n{layer_name(mask.layer, mask.sheet)}", "70\n0")
    yield from (f"62\n{1 + (mask.layer.mask - 1) % 6}", "6\nCONTINUOUS")  # six colours, from red to magenta


def _draw(mask: Mask) -> tuple[list[str], list[str]]:
    """Blocks of the shapes of a mask, and what inserts them."""
    blocks, entities = [], []
    sizes = np.column_stack([mask.boxes[:, 2:] - mask.boxes[:, :2], mask.round])
    kinds, kind = np.unique(sizes, axis=0, return_inverse=True)
    for number, (width, height, is_round) in enumerate(kinds.tolist()):
        name = f"B{mask.sheet}_{mask.layer.mask}_{number}"
        corners = (
            [(point.x, point.y) for point in circle(0, 0, width, height).each_point_hull()]
            if is_round
            else [(0, 0), (width, 0), (width, height), (0, height)]
        )
        blocks += [*_entity("BLOCK", mask), f"2\n{name}", "70\n0", *_point(10, 0, 0), f"3\n{name}"]
        blocks += [*_entity("POLYLINE", mask), "66\n1", *_point(10, 0, 0), "70\n1"]
        for x, y in corners:
            blocks += [*_entity("VERTEX", mask), *_point(10, x, y)]
        blocks += [*_entity("SEQEND", mask), *_entity("ENDBLK", mask)]
        for x, y, dx, dy, columns, rows in find_arrays(mask.boxes[kind.ravel() == number, :2]):
            entities += [*_entity("INSERT", mask), f"2\n{name}", *_point(10, x, y)]
            if columns * rows > 1:
                entities += [
                    f"70\n{columns}",
                    f"71\n{rows}",
                    f"44\n{millimetres(2 * dx)}",
                    f"45\n{millimetres(2 * dy)}",
                ]
    return blocks, entities


def _entity(kind: str, mask: Mask) -> tuple[str, str]:
    return f"0\n{kind}", f"8\n{layer_name(mask.layer, mask.sheet)}"


def _point(code: int, x: int, y: int) -> tuple[str, str, str]:
    return f"{code}\n{millimetres(2 * x)}", f"{code + 10}\n{millimetres(2 * y)}", f"{code + 20}\n0.0"
