"""A mask file read back: one flat region a process layer and sheet, and what lies between what.

Nothing here comes from the layout that was drawn. The process says which mask number is which layer, the file says
what is on it, the order of printing says what touches: a via, a device or a cell lies between the conductor printed
before it and the next one printed after it, and below the first layers of a sheet lies the sheet below. A conductor
that a sheet is printed without does not count: sheets without a tile above their bit lines end with these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import klayout.db as kdb

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import Layout, Process, ProcessLayer, Role
from snn2circuit.layout.masks.drawing import list_labels
from snn2circuit.layout.signoff.bitmaps import PICTURES, read_pictures
from snn2circuit.layout.signoff.crowding import check_crowding
from snn2circuit.layout.signoff.readers.database import read_database
from snn2circuit.layout.signoff.readers.drawn import Drawn, insert_labels
from snn2circuit.layout.signoff.readers.drawn import Place as Place
from snn2circuit.layout.signoff.readers.dxf import read_dxf
from snn2circuit.layout.signoff.readers.gerber import read_gerber
from snn2circuit.layout.signoff.readers.svg import read_svg

READERS: dict[str, Callable[[Path, Process], Drawn]] = {  # by the ending of a file's name
    ".gds": read_database,
    ".oas": read_database,
    ".dxf": read_dxf,
    ".svg": read_svg,
    ".gbr": read_gerber,
    ".ger": read_gerber,
    **dict.fromkeys(PICTURES, read_pictures),
}


@dataclass(frozen=True)
class MaskStack:
    """The masks of a stack as KLayout sees them."""

    path: Path
    process: Process
    database: kdb.Layout  # flat, 1 nm
    sheets: int
    tolerance: int = 0  # nm, within which lengths are known: a pixel of a bitmap, else nothing
    loose: frozenset[str] = frozenset()  # layers of which that is so; the others are exact
    _merged: dict[Place, kdb.Region] = field(default_factory=dict, init=False, repr=False, compare=False)
    _crossings: dict[tuple[Place, Place], kdb.Region] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def slack(self, *layers: str) -> int:
        """Within what lengths between edges of ``layers`` are known, nm."""
        return self.tolerance if self.loose.intersection(layers) else 0

    @property
    def top(self) -> kdb.Cell:
        """The only cell."""
        return self.database.top_cell()

    def index(self, place: Place) -> int:
        """KLayout's layer index of a mask; a mask without shapes gets one."""
        sheet, name = place
        return int(self.database.layer(self.process.layer(name).mask, sheet))

    def shapes(self, place: Place) -> kdb.Region:
        """The shapes of a mask as the file has them."""
        return kdb.Region(self.top.begin_shapes_rec(self.index(place)))

    def region(self, place: Place) -> kdb.Region:
        """The shapes of a mask, touching ones merged; found once and shared, so not to be changed in place."""
        if place not in self._merged:
            self._merged[place] = self.shapes(place).merged()
        return self._merged[place]

    def crossings(self, low: Place, high: Place) -> kdb.Region:
        """Where two masks overlap, touching parts merged; found once and shared, so not to be changed in place."""
        if (low, high) not in self._crossings:
            self._crossings[low, high] = (self.region(low) & self.region(high)).merged()
        return self._crossings[low, high]

    def is_empty(self, place: Place) -> bool:
        """Nothing is printed with a mask."""
        return bool(self.shapes(place).is_empty())

    def places(self, *roles: Role) -> list[Place]:
        """Every mask whose layer has one of ``roles``, in printing order."""
        return [
            (sheet, layer.name) for sheet in self.sheet_numbers for layer in self.process.layers if layer.role in roles
        ]

    @property
    def sheet_numbers(self) -> range:
        """From 1."""
        return range(1, self.sheets + 1)

    def between(self, place: Place) -> tuple[Place | None, Place | None]:
        """The printed conductors that a mask lies on and under; ``None`` at the ends of the stack."""
        order = [(sheet, layer) for sheet in self.sheet_numbers for layer in self.process.layers]
        at = next(i for i, (sheet, layer) in enumerate(order) if (sheet, layer.name) == place)

        def first(masks: list[tuple[int, ProcessLayer]]) -> Place | None:
            conductors = ((sheet, layer.name) for sheet, layer in masks if layer.role == "conductor")
            return next((place for place in conductors if not self.is_empty(place)), None)

        return first(order[at - 1 :: -1] if at else []), first(order[at + 1 :])


def clip(stack: MaskStack, window: tuple[int, int, int, int]) -> Iterator[tuple[Place, list[list[tuple[int, int]]]]]:
    """The corners of every polygon inside ``window`` (nm), mask by mask in printing order; empty masks are left out."""
    frame = kdb.Region(kdb.Box(*window))
    for place in stack.places(*get_args(Role)):
        pieces = (stack.region(place) & frame).decompose_trapezoids_to_region()
        corners = [[(point.x, point.y) for point in piece.each_point_hull()] for piece in pieces.each()]
        if corners:
            yield place, corners


def read_masks(path: Path, process: Process, layout: Layout | None = None) -> MaskStack:
    """Read the masks of a stack in ``process``, in any format of :data:`READERS`.

    Args:
        path: a file; of formats with one file a sheet or a layer, any of them stands for all beside it.
        process: what the stack is printed in.
        layout: where the files of the format do not name nets, the labels are written where it has them. What is
            connected is read from the shapes alone.

    Raises:
        LayoutError: a file cannot be read, asks for more than a stack needs, has another unit, holds a layer that the
            process does not have, or no shapes; the text names the file, and the line where there are any.
    """
    drawn = READERS.get(Path(path).suffix.lower(), read_database)(Path(path), process)
    database = drawn.database
    filled = [index for index in database.layer_indexes() if not database.top_cell().bbox(index).empty()]
    if not filled:
        raise LayoutError(f"{path}: it holds no shapes")
    check_crowding(database, path)
    if not drawn.named and layout is not None:
        insert_labels(database, process, list_labels(layout))
    return MaskStack(
        path=Path(path),
        process=process,
        database=database,
        sheets=max(database.get_info(index).datatype for index in filled),
        tolerance=drawn.tolerance,
        loose=drawn.loose,
    )
