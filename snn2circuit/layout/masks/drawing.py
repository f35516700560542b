"""What every mask writer draws: the shapes of a stack, flattened to one list a process layer and sheet.

A mask is the set of shapes that one layer of one sheet is printed with, seen from above, in whole nanometres. Shapes
are boxes, or circles inscribed in boxes; on conductors and vias each knows its net.
"""

from __future__ import annotations

from collections.abc import Iterator

import klayout.db as kdb
import numpy as np

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import Layout, ProcessLayer
from snn2circuit.ir.noun import Bools, Ints, freeze, noun
from snn2circuit.ir.plain import plain

CORNERS = 64  # of the polygon that stands for a circle; its extent is the circle's diameter exactly


@noun
class Mask:
    """One printed layer of one sheet, seen from above."""

    layer: ProcessLayer
    sheet: int  # from 1
    boxes: Ints  # (shapes, 4), nm: x0, y0, x1, y1
    round: Bools  # (shapes,), a circle inscribed in the box instead of the box
    nets: Ints  # (shapes,), index into Layout.nets, or -1
    heights: tuple[int, int]  # bottom and top in the stack, nm

    def __post_init__(self) -> None:
        freeze(self, "boxes", np.int64)
        freeze(self, "round", np.bool_)
        freeze(self, "nets", np.int64)

    @property
    def name(self) -> str:
        """E.g. ``sheet1_word_lines``; used in file names."""
        return f"sheet{self.sheet}_{self.layer.name}"


def list_masks(layout: Layout) -> Iterator[Mask]:
    """The masks of ``layout``, sheet by sheet in printing order; layers without shapes have none.

    Raises:
        LayoutError: a shape lies further from the origin than the 32 bits of mask formats reach, 2.1 m.
    """
    for number, sheet in enumerate(layout.sheets, start=1):
        printed = layout.solids(sheet)
        for layer in layout.process.layers:
            groups = [shapes for shapes in printed if shapes.layer == layer.name]
            boxes = [shapes.boxes for shapes in groups]
            nets = [shapes.nets for shapes in groups]
            rounds = [np.full(len(shapes.boxes), shapes.round) for shapes in groups]
            solids = np.concatenate(boxes) if boxes else np.empty((0, 6), dtype=np.int64)
            if not len(solids):
                continue
            reach = int(np.abs(solids).max())
            if reach >= 2**31:
                raise LayoutError(
                    f"layout {layout.name}: {layer.name} of sheet {number} reaches {reach / 1e9:.3f} m from the "
                    "origin; masks in nanometres reach 2.147 m: choose a finer process or split the layer"
                )
            yield Mask(
                layer=layer,
                sheet=number,
                boxes=solids[:, [0, 1, 3, 4]],
                round=np.concatenate(rounds),
                nets=np.concatenate(nets),
                heights=(int(solids[:, 2].min()), int(solids[:, 5].max())),
            )


def list_labels(layout: Layout) -> Iterator[tuple[tuple[int, str], tuple[str, int, int]]]:
    """Every net's label on each conductor it appears on: sheet and layer, and name and place (nm) in its middle."""
    for mask in list_masks(layout):
        for label in labels(mask, layout.nets):
            yield (mask.sheet, mask.layer.name), label


def labels(mask: Mask, nets: tuple[str, ...], *, every: bool = False) -> Iterator[tuple[str, int, int]]:
    """The labels of one mask: in the middle of each net's first shape, or of every one."""
    if mask.layer.role == "conductor":
        shapes = np.arange(len(mask.nets)) if every else np.unique(mask.nets, return_index=True)[1]
        for net, (x0, y0, x1, y1) in zip(mask.nets[shapes].tolist(), mask.boxes[shapes].tolist(), strict=True):
            if net >= 0:
                yield plain(nets[net]), (x0 + x1) // 2, (y0 + y1) // 2


def circle(x0: int, y0: int, x1: int, y1: int) -> kdb.Polygon:
    """The polygon that stands for the circle in a box, in every format that has no circles and for every check."""
    return kdb.Polygon.ellipse(kdb.Box(x0, y0, x1, y1), CORNERS)


def millimetres(half_nm: int) -> str:
    """A length in half nanometres as millimetres, exactly and without an exponent."""
    return f"{half_nm / 2e6:.7f}".rstrip("0").rstrip(".")
