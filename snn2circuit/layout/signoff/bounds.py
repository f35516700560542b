"""How much a mask file may ask for, found out before anything of it is drawn flat.

A kilobyte of GDSII can say that a cell holds a million copies of a cell that holds a million copies, and OASIS repeats
any shape with three bytes. Reading, too, can take hours or memory without end, and a chain of twenty thousand cells
overflows the stack of KLayout's own recursion. So a child process looks over the file first: it reads it without
expanding arrays, on processor time and memory in proportion to the file's size, and counts down the hierarchy

    shapes(cell) = own shapes + sum over instances of (copies x shapes of the cell placed)

in whole numbers that cannot overflow. What passes is read again by the caller. The child is this module, run by name.
"""

from __future__ import annotations

import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import klayout.dbcore as kdb

from snn2circuit.child import python_command
from snn2circuit.errors import LayoutError

MAX_BYTES = 2**30
MAX_CELLS = 100_000
MAX_LAYERS = 4096
MAX_DEPTH = 64  # cells in cells; the writer of this package uses three levels
MAX_SHAPES = 5_000_000  # flat; thirty times those of 784-100-10, on whose masks the rules take a minute
MAX_CORNERS = 2**26  # of all flat shapes, and characters of labels
REACH = 2**31 - 1  # database units from the origin

READING = 0.4, 1.0  # s of the child's processor time: for any file, and for each MiB of it
COUNTING = 10.0  # s, of what was read
MEMORY = 2**30, 64  # bytes of the child: for any file, and for each byte of it
KINDS = {b"\x00\x06\x00\x02": "GDSII", b"%SEMI-OASIS\r\n": "OASIS"}  # how files begin
_REFUSED = 3  # exit status of a child that says why


def check_file(path: Path) -> int:
    """The size of a mask file.

    Raises:
        LayoutError: it is no regular file, or too large.
    """
    try:
        info = path.stat()
    except OSError as error:
        raise LayoutError(f"{path} cannot be read: {error.strerror or error}") from error
    if not stat.S_ISREG(info.st_mode):
        raise LayoutError(f"{path} is not a regular file")
    if info.st_size > MAX_BYTES:
        raise LayoutError(
            f"{path} has {info.st_size:,} bytes; the limit is {MAX_BYTES:,}: write it with arrays, as OASIS"
        )
    return info.st_size


def read_start(path: Path, most: int) -> bytes:
    """The first bytes of a mask file."""
    try:
        with path.open("rb") as stream:
            return stream.read(most)
    except OSError as error:
        raise LayoutError(f"{path} cannot be read: {error.strerror or error}") from error


def dxf_options(unit: float) -> kdb.LoadLayoutOptions:
    """How KLayout reads a DXF file whose unit is ``unit`` micrometres; of GDSII and OASIS it takes nothing from it."""
    options = kdb.LoadLayoutOptions()
    options.dxf_unit = unit
    options.dxf_dbu = 1e-3
    options.dxf_keep_layer_names = True
    options.dxf_polyline_mode = 2  # closed polylines are polygons
    return options


def check_bounds(path: Path, dxf_unit: float = 0.0) -> None:
    """Look over a mask file without drawing it.

    Args:
        path: GDSII or OASIS; DXF if there is a unit.
        dxf_unit: micrometres of a drawing unit.

    Raises:
        LayoutError: it is no GDSII or OASIS file, or asks for more than a stack needs; the text names cell and number.
    """
    size = check_file(path)
    start = read_start(path, max(map(len, KINDS)))
    if not dxf_unit and not any(start.startswith(kind) for kind in KINDS):
        raise LayoutError(
            f"{path} is neither GDSII nor OASIS (uncompressed as a whole); export the masks as one of these, or end "
            "its name as its format does (.dxf, .svg, .gbr ...)"
        )
    seconds = READING[0] + READING[1] * size / 2**20
    memory = MEMORY[0] + MEMORY[1] * size
    command = python_command(__name__, str(path.absolute()), str(seconds), str(memory), str(dxf_unit))
    done = subprocess.run(  # noqa: S603 - our own interpreter on our own module
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode == _REFUSED:
        raise LayoutError(f"{path}: {done.stderr.splitlines()[-1] if done.stderr else 'refused'}")
    if done.returncode:
        what = "more time" if done.returncode == -signal.SIGPROF else "more than a file should, or is damaged"
        raise LayoutError(
            f"{path}: KLayout cannot read it: it takes {what} (status {done.returncode}; a file of {size:,} "
            f"bytes gets {seconds:.1f} s and {memory / 2**30:.1f} GiB). If it is sound, write it as GDSII with arrays"
        )


@dataclass(frozen=True)
class _Flat:
    """What a cell is once everything in it is drawn."""

    shapes: int
    corners: int
    reach: float  # database units from its origin, at most
    depth: int  # levels below it


def _refuse_beyond(database: kdb.Layout) -> None:
    """Raise a LayoutError where the file's contents exceed a limit."""
    for count, limit, what in (
        (database.cells(), MAX_CELLS, "cells"),
        (database.layers(), MAX_LAYERS, "layers"),
    ):
        if count > limit:
            raise LayoutError(f"it has {count:,} {what}; the limit is {limit:,}: merge or drop what no mask needs")
    flat: dict[int, _Flat] = {}
    for index in database.each_cell_bottom_up():
        cell = database.cell(index)
        shapes, corners, reach, depth = 0, 0, 0.0, 0
        for layer in database.layer_indexes():
            shapes += cell.shapes(layer).size()
        _hold(cell, "shapes", shapes, MAX_SHAPES, depth)
        for points, far in _outlines(database, cell):
            corners += points
            reach = max(reach, far)
        for instance in cell.each_inst():
            below = flat[instance.cell_index]
            copies, steps = _array(instance)
            shapes += copies * below.shapes
            corners += copies * below.corners
            depth = max(depth, below.depth + 1)
            reach = max(reach, steps + below.reach * instance.dcplx_trans.mag * _turn(instance))
            _hold(cell, "shapes", shapes, MAX_SHAPES, depth)
            _hold(cell, "corners and letters", corners, MAX_CORNERS, depth)
            _hold(cell, "levels of cells in cells", depth, MAX_DEPTH, depth)
            _hold(cell, "database units of reach from its origin", reach, REACH, depth)
        _hold(cell, "corners and letters", corners, MAX_CORNERS, depth)
        flat[index] = _Flat(shapes, corners, reach, depth)


def _hold(cell: kdb.Cell, what: str, count: float, limit: int, depth: int) -> None:
    if count > limit:
        number = f"{int(count):,}" if count < 1e15 else f"{float(min(count, 1e300)):.3g}"
        raise LayoutError(
            f"cell {_shown(cell.name)}, {depth} levels above the lowest, comes to {number} {what} when it is drawn; "
            f"the limit is {limit:,}: check its arrays and references, or split the stack into several files"
        )


def _array(instance: kdb.Instance) -> tuple[int, float]:
    """How many copies an instance places, and how far from its cell's origin the furthest of them has its own."""
    at = instance.trans.disp
    steps = [(at.x, at.x), (at.y, at.y)]  # lowest and highest, of each axis
    copies = 1
    if instance.is_regular_array():
        for vector, count in ((instance.a, instance.na), (instance.b, instance.nb)):
            copies *= max(count, 1)
            for axis, step in enumerate((vector.x, vector.y)):
                way = step * (max(count, 1) - 1)
                low, high = steps[axis]
                steps[axis] = (low + min(way, 0), high + max(way, 0))
    else:
        copies = max(instance.size(), 1)
    return copies, float(max(abs(end) for axis in steps for end in axis))


def _turn(instance: kdb.Instance) -> float:
    """How much further than its sides a cell reaches when it is turned by no multiple of a right angle."""
    return 1.0 if instance.dcplx_trans.is_ortho() else 1.4143


def _outlines(database: kdb.Layout, cell: kdb.Cell) -> Iterator[tuple[int, float]]:
    """Of the shapes of the cell itself, some at a time: corners and letters, and how far they reach from the origin."""
    for layer in database.layer_indexes():
        shapes = cell.shapes(layer)
        boxes = shapes.size()
        if cell.is_leaf():
            yield 0, _reach(cell.bbox(layer))
        for shape in shapes.each(kdb.Shapes.SAll if not cell.is_leaf() else kdb.Shapes.SAll - kdb.Shapes.SBoxes):
            if not shape.is_box():
                boxes -= 1
                letters = len(shape.text_string) if shape.is_text() else 0
                points = shape.polygon.num_points() if shape.is_polygon() or shape.is_path() else 1
                yield points + letters, 0.0
            if not cell.is_leaf():
                yield 0, _reach(shape.bbox())
        yield 4 * boxes, 0.0


def _reach(box: kdb.Box) -> float:
    return 0.0 if box.empty() else float(max(map(abs, (box.left, box.bottom, box.right, box.top))))


def _shown(name: str) -> str:
    """A name from the file, short and printable."""
    return ascii(name[:60])


def _child(path: str, seconds: float, memory: int, dxf_unit: float) -> int:
    """Look over ``path``; the exit status."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    database = kdb.Layout(False)  # not editable: repeated shapes stay arrays
    try:
        database.read(path, dxf_options(dxf_unit or 1.0))
        signal.setitimer(signal.ITIMER_PROF, COUNTING)
        _refuse_beyond(database)
    except (LayoutError, RuntimeError, MemoryError) as error:
        text = str(error) if isinstance(error, LayoutError) else f"KLayout cannot read it: {error}"
        sys.stderr.write("\n" + " ".join(text.split()) + "\n")
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(_child(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
