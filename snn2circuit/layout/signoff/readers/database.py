"""GDSII and OASIS, read by KLayout: the whole stack in one file."""

from __future__ import annotations

from pathlib import Path

import klayout.db as kdb

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import Process
from snn2circuit.layout.masks.database import DATABASE_UNIT
from snn2circuit.layout.signoff.bounds import check_bounds
from snn2circuit.layout.signoff.readers.drawn import MAX_SHEETS, Drawn


def read_database(path: Path, process: Process) -> Drawn:
    """Read a GDSII or OASIS file of a stack in ``process``.

    Raises:
        LayoutError: the file cannot be read, asks for more than :mod:`snn2circuit.layout.signoff.bounds` allows, has
            another unit, or holds a layer that the process does not have.
    """
    check_bounds(path)
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
    database.flatten(database.top_cell().cell_index(), -1, True)
    return Drawn(database)
