"""What a reader of mask files hands over: one flat database, whatever the format was."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import klayout.db as kdb

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import Process
from snn2circuit.layout.masks.database import DATABASE_UNIT
from snn2circuit.layout.signoff.bounds import MAX_SHAPES

MAX_SHEETS = 512
MAX_TEXT = 2**28  # bytes of all files of a set in a text format
MAX_NAME = 256  # letters of a label

Place = tuple[int, str]  # number of a sheet from 1, name of a process layer
Label = tuple[str, int, int]  # name of a net, and where it is written, nm


@dataclass(frozen=True)
class Drawn:
    """The shapes of mask files."""

    database: kdb.Layout  # one flat cell, 1 nm; layer and datatype are a mask's number and its sheet
    named: bool = True  # the files say which net is which, by labels
    tolerance: int = 0  # nm, within which lengths are known; 0 for formats that hold whole nanometres
    loose: frozenset[str] = frozenset()  # layers of which that is so; the others are exact


class Drawing:
    """A database under construction, for formats that KLayout does not read."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.database = kdb.Layout()
        self.database.dbu = DATABASE_UNIT
        self.top = self.database.create_cell("stack")
        self.shapes = 0

    def insert(self, place: Place, shape: kdb.Box | kdb.Polygon | kdb.Region) -> None:
        """Add a shape, or many, to a mask."""
        self._at(place).insert(shape)
        self.shapes += shape.count() if isinstance(shape, kdb.Region) else 1
        if self.shapes > MAX_SHAPES:
            raise LayoutError(f"more than {MAX_SHAPES:,} shapes; split the stack into several sets of files")

    def label(self, place: Place, name: str, x: int, y: int) -> None:
        """Say what the conductor at ``x, y`` is called."""
        self._at(place).insert(kdb.Text(name[:MAX_NAME], x, y))

    def _at(self, place: Place) -> kdb.Shapes:
        sheet, name = place
        return self.top.shapes(self.database.layer(self.process.layer(name).mask, sheet))


def find_set(path: Path, pattern: re.Pattern[str], example: str) -> Iterator[tuple[Path, re.Match[str]]]:
    """All files beside ``path`` that its name says belong together, in the order of their names.

    Raises:
        LayoutError: the name does not fit ``pattern``, a file is not a regular one, or all of them are too large.
    """
    if not pattern.fullmatch(path.name):
        raise LayoutError(f"{path}: a file of this format is called {example}, so that its place in the stack is known")
    size = 0
    try:
        names = sorted(each.name for each in path.absolute().parent.iterdir())
        for name in names:
            if match := pattern.fullmatch(name):
                info = path.with_name(name).stat()
                if not stat.S_ISREG(info.st_mode):
                    raise LayoutError(f"{path.with_name(name)} is not a regular file")
                size += info.st_size
                if size > MAX_TEXT:
                    raise LayoutError(
                        f"{path.with_name(name)} and the files before it have {size:,} bytes; the limit is "
                        f"{MAX_TEXT:,}: write the masks as OASIS"
                    )
                yield path.with_name(name), match
    except OSError as error:
        raise LayoutError(f"{path} cannot be read: {error.strerror or error}") from error


def check_sheet(text: str, where: object) -> int:
    """The number of a sheet.

    Raises:
        LayoutError: it is not 1 to 512.
    """
    sheet = int(text)
    if not 1 <= sheet <= MAX_SHEETS:
        raise LayoutError(f"{where}: there is no sheet {text[:20]}; a stack has at most {MAX_SHEETS}, from 1")
    return sheet


def check_layer(name: str, process: Process, where: object) -> str:
    """The name of a layer of the process.

    Raises:
        LayoutError: the process does not have it.
    """
    names = [layer.name for layer in process.layers]
    if name not in names:
        raise LayoutError(f"{where}: process {process.name} has no layer {name[:80]!a}; it has {', '.join(names)}")
    return name


def insert_labels(database: kdb.Layout, process: Process, labels: Iterable[tuple[Place, Label]]) -> None:
    """Write labels on a drawn database."""
    for (sheet, name), (net, x, y) in labels:
        layer = database.layer(process.layer(name).mask, sheet)
        database.top_cell().shapes(layer).insert(kdb.Text(net, x, y))
