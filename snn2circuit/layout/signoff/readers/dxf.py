"""DXF, read by KLayout: the whole stack in one file, its layers named after sheet and process layer.

The header must state its unit (``$INSUNITS``): without one a drawing is as large as its reader likes.
"""

from __future__ import annotations

import re
from pathlib import Path

import klayout.db as kdb

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import Process
from snn2circuit.layout.masks.dxf import layer_name
from snn2circuit.layout.signoff.bounds import check_bounds, check_file, dxf_options, read_start
from snn2circuit.layout.signoff.readers.drawn import Drawn, check_sheet

START = re.compile(rb"\s*(?:999[ \t]*\r?\n|0[ \t]*\r?\n[ \t]*SECTION)")
HEAD = 2**16  # bytes in which the unit stands
UNIT = re.compile(rb"^[ \t]*9\s+\$INSUNITS\s+70\s+(\d{1,4})\s", re.MULTILINE)
MICRONS = {1: 25_400.0, 4: 1e3, 5: 1e4, 6: 1e6, 13: 1.0}  # of inch, millimetre, centimetre, metre, micron
LAYER = re.compile(r"sheet(\d{1,4})_\d+_\w+", re.ASCII)


def read_dxf(path: Path, process: Process) -> Drawn:
    """Read a DXF file of a stack in ``process``.

    Raises:
        LayoutError: the file cannot be read, asks for more than :mod:`snn2circuit.layout.signoff.bounds` allows, states
            no unit, or holds a layer that the process does not have.
    """
    check_file(path)
    unit = _read_unit(path)
    check_bounds(path, unit)
    database = kdb.Layout(False)
    try:
        database.read(str(path), dxf_options(unit))
    except RuntimeError as error:
        raise LayoutError(f"{path}: KLayout cannot read it: {error}") from error
    if len(database.top_cells()) != 1:
        raise LayoutError(f"{path}: it has {len(database.top_cells())} drawings; a stack is one")
    top = database.top_cell()
    database.flatten(top.cell_index(), -1, True)
    for index in database.layer_indexes():
        name = database.get_info(index).name
        if top.bbox(index).empty() and not top.shapes(index).size():
            database.delete_layer(index)
            continue
        match = LAYER.fullmatch(name)
        sheet = check_sheet(match[1], f"{path}: layer {name[:80]!a}") if match else 0
        layer = next((each for each in process.layers if layer_name(each, sheet) == name), None)
        if layer is None:
            raise LayoutError(f"{path}: layer {name[:80]!a} is none of process {process.name} (sheet1_3_word_lines)")
        database.set_info(index, kdb.LayerInfo(layer.mask, sheet))
    return Drawn(database)


def _read_unit(path: Path) -> float:
    """Micrometres of one drawing unit.

    Raises:
        LayoutError: it is no DXF file in text, or the header does not say.
    """
    start = read_start(path, HEAD)
    if not START.match(start):
        raise LayoutError(f"{path} is no DXF file in text; export the masks as one, or as GDSII or OASIS")
    units = {int(number) for number in UNIT.findall(start)}
    if len(units) != 1 or not units <= MICRONS.keys():
        what = f"unit {', '.join(map(str, sorted(units)))}" if units else "no unit"
        raise LayoutError(f"{path}: its header states {what}; $INSUNITS must be 4, millimetres, as masks are written")
    return MICRONS[units.pop()]
