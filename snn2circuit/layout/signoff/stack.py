"""A mask file read back: one flat region a process layer and sheet, and what lies between what.

Nothing here comes from the layout that was drawn. The process says which mask number is which layer, the file says
what is on it, the order of printing says what touches: a via, a device or a cell lies between the conductor printed
before it and the next one printed after it, and below the first layers of a sheet lies the sheet below. A conductor
that a sheet is printed without does not count: sheets without a tile above their bit lines end with these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import klayout.db as kdb

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import Process, ProcessLayer, Role
from snn2circuit.layout.masks.database import DATABASE_UNIT
from snn2circuit.layout.signoff.bounds import check_bounds
from snn2circuit.layout.signoff.crowding import check_crowding

MAX_SHEETS = 512

Place = tuple[int, str]  # number of a sheet from 1, name of a process layer


@dataclass(frozen=True)
class MaskStack:
    """The masks of a stack as KLayout sees them."""

    path: Path
    process: Process
    database: kdb.Layout  # flat, 1 nm
    sheets: int

    @property
    def top(self) -> kdb.Cell:
        """The only cell."""
        return self.database.top_cell()

    def index(self, place: Place) -> int:
        """KLayout's layer index of a mask; a mask without shapes gets one."""
        sheet, name = place
        return int(self.database.layer(self.process.layer(name).mask, sheet))

    def region(self, place: Place) -> kdb.Region:
        """The shapes of a mask, touching ones merged."""
        return kdb.Region(self.top.begin_shapes_rec(self.index(place))).merged()

    def is_empty(self, place: Place) -> bool:
        """Nothing is printed with a mask."""
        return bool(kdb.Region(self.top.begin_shapes_rec(self.index(place))).is_empty())

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


def read_masks(path: Path, process: Process) -> MaskStack:
    """Read a GDSII or OASIS file of a stack in ``process``.

    Raises:
        LayoutError: the file cannot be read, asks for more than :mod:`snn2circuit.layout.signoff.bounds` allows, has
            another unit, holds a layer that the process does not have, or no sheet.
    """
    check_bounds(Path(path))
    database = kdb.Layout(False)  # not editable: what a file repeats is not copied while it is read
    try:
        database.read(str(path))
    except RuntimeError as error:
        raise LayoutError(f"{path}: KLayout cannot read it: {error}") from error
    if abs(database.dbu - DATABASE_UNIT) > 1e-12:
        raise LayoutError(f"{path}: its database unit is {database.dbu:g} um; masks are drawn in 0.001 um")
    if len(database.top_cells()) != 1:
        raise LayoutError(f"{path}: it has {len(database.top_cells())} top cells; a stack has one")
    known = {layer.mask for layer in process.layers}
    sheets = 0
    for index in database.layer_indexes():
        info = database.get_info(index)
        if database.top_cell().bbox(index).empty():
            continue
        if info.layer not in known or info.datatype < 1:
            raise LayoutError(
                f"{path}: layer {info.layer}/{info.datatype} is none of process {process.name}, "
                f"whose masks are {', '.join(map(str, sorted(known)))} with the sheet's number from 1 as datatype"
            )
        if info.datatype > MAX_SHEETS:
            raise LayoutError(
                f"{path}: layer {info.layer}/{info.datatype} is of sheet {info.datatype}; "
                f"a stack has at most {MAX_SHEETS}"
            )
        sheets = max(sheets, info.datatype)
    if not sheets:
        raise LayoutError(f"{path}: it holds no shapes")
    database.flatten(database.top_cell().cell_index(), -1, True)
    check_crowding(database, path)
    return MaskStack(path=Path(path), process=process, database=database, sheets=sheets)
