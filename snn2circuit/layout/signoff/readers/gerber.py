"""Gerber files, one a layer and sheet: ``sheet1_word_lines.gbr`` with X2 attributes, ``.ger`` without.

What :mod:`snn2circuit.layout.masks.gerber` writes is read, flashes of rectangles and circles and regions with straight
edges, in millimetres. Every other command of the format is refused: what is not understood may draw. With attributes,
each object of a conductor carries the name of its net, and the file says which mask it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import klayout.db as kdb

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import Process
from snn2circuit.ir.plain import plain
from snn2circuit.layout.masks.drawing import circle
from snn2circuit.layout.masks.gerber import function
from snn2circuit.layout.signoff.readers.drawn import Drawing, Drawn, Place, check_layer, check_sheet, find_set

COMMAND = re.compile(r"\s*(?:%([^%*]{0,4096})\*%|([^%*]{0,4096})\*)")
APERTURE = re.compile(r"ADD([1-9]\d{1,8})(?:R,(\d{1,4}\.\d{6})X(\d{1,4}\.\d{6})|C,(\d{1,4}\.\d{6}))", re.ASCII)
MOVE = re.compile(r"X(-?\d{1,10})Y(-?\d{1,10})D0([123])", re.ASCII)
SELECT = re.compile(r"D([1-9]\d{1,8})", re.ASCII)
ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
SILENT = ("G01", "%LPD", "%TF.FilePolarity,Positive", "%TF.SameCoordinates,stack")  # what only says how it is anyway
REMARKS = ("G04", "%TF.GenerationSoftware,", "%TF.Part,", "%TF.CreationDate,", "%TF.MD5,")


def read_gerber(path: Path, process: Process) -> Drawn:
    """Read all Gerber files beside ``path`` that have its ending.

    Raises:
        LayoutError: a file is not named after its mask, is not whole, or has a command that masks are not written with.
    """
    drawing = Drawing(process)
    ending = path.suffix.lower()
    pattern = re.compile(rf"sheet(\d+)_(\w+)\{ending}", re.ASCII)
    for each, match in find_set(path, pattern, f"sheet1_word_lines{ending}"):
        place = check_sheet(match[1], each), check_layer(match[2], process, each)
        _File(each, place, drawing).read()
    return Drawn(drawing.database, named=ending == ".gbr")


class _File:
    """One file while it is read."""

    def __init__(self, path: Path, place: Place, drawing: Drawing) -> None:
        self.path, self.place, self.drawing = path, place, drawing
        self.named = drawing.process.layer(place[1]).role == "conductor"
        self.apertures: dict[str, Callable[[int, int], kdb.Box | kdb.Polygon]] = {}
        self.flash: Callable[[int, int], kdb.Box | kdb.Polygon] | None = None
        self.outline: list[kdb.Point] | None = None  # of the region that is open
        self.net = ""
        self.at = 0  # where in the text the command ends that is read
        self.said: set[str] = set()  # of what a file must say before it draws

    def read(self) -> None:
        """Draw what the file says."""
        text = ""
        try:
            # Decoded without an error: what is not ASCII is refused where it stands.
            text = self.path.read_bytes().decode("utf-8", "replace")
            for command in self._commands(text):
                if "end" in self.said:
                    raise LayoutError("there is more after the end, M02")
                self._take(command)
            if "end" not in self.said:
                raise LayoutError("the file is cut short: M02, its end, is missing")
        except OSError as error:
            raise LayoutError(f"{self.path} cannot be read: {error.strerror or error}") from error
        except LayoutError as error:
            raise LayoutError(f"{self.path}, line {text.count(chr(10), 0, self.at) + 1}: {error}") from None

    def _commands(self, text: str) -> Iterator[str]:
        """Each command; those between percent signs begin with one."""
        end = len(text.rstrip())
        while self.at < end:
            match = COMMAND.match(text, self.at)
            if match is None:
                raise LayoutError(f"no command begins or ends at {text[self.at : self.at + 40].strip()!a}")
            self.at = match.end()
            yield match[2].strip() if match[1] is None else f"%{match[1]}"

    def _take(self, command: str) -> None:
        if move := MOVE.fullmatch(command):
            self._draw(int(move[1]), int(move[2]), int(move[3]))
        elif select := SELECT.fullmatch(command):
            if select[1] not in self.apertures:
                raise LayoutError(f"aperture D{select[1]} is not defined")
            self.flash = self.apertures[select[1]]
        elif command == "G36":
            self._close()
            self.outline = []
        elif command == "G37":
            self._close()
            self.outline = None
        elif command.startswith("%TO.N,"):
            self.net = plain(ESCAPE.sub(_unescape, command[6:]))
        elif command in ("%TD.N", "%TD"):
            self.net = ""
        elif found := APERTURE.fullmatch(command[1:]) if command.startswith("%") else None:
            self.apertures[found[1]] = _aperture(found)
        elif command == "M02":
            self._close()
            self.said.add("end")
        else:
            self._read_header(command)

    def _read_header(self, command: str) -> None:
        if command in ("%FSLAX46Y46", "%MOMM"):
            self.said.add(command)
        elif command.startswith("%MO"):
            raise LayoutError(f"its unit is {command[3:20]!a}; masks are written in millimetres, %MOMM*%")
        elif command.startswith("%FS"):
            raise LayoutError(f"its numbers are {command[1:20]!a}; masks are written with %FSLAX46Y46*%")
        elif command.startswith("%TF.FileFunction,"):
            wanted = function(*self.place)
            if command[17:] != wanted:
                raise LayoutError(f"the file says that it is {command[17:100]!a}, not {wanted!a} as its name does")
        elif command not in SILENT and not command.startswith(REMARKS):
            raise LayoutError(f"{command.lstrip('%')[:40]!a} is not among what masks are written with")

    def _draw(self, x: int, y: int, what: int) -> None:
        if not {"%FSLAX46Y46", "%MOMM"} <= self.said:
            raise LayoutError("it draws before it says its unit, %MOMM*%, and its numbers, %FSLAX46Y46*%")
        if max(abs(x), abs(y)) >= 2**31 - 1:
            raise LayoutError(f"X{x}Y{y} lies further from the origin than 2.147 m")
        if self.outline is not None and what == 2:
            self._close()
            self.outline = [kdb.Point(x, y)]
        elif self.outline and what == 1:
            self.outline.append(kdb.Point(x, y))
        elif self.outline is None and what == 3:
            if self.flash is None:
                raise LayoutError("it flashes before an aperture is chosen")
            self._insert(self.flash(x, y))
        else:
            raise LayoutError(f"D0{what} does not belong here: masks are flashes and closed regions")

    def _close(self) -> None:
        """End a contour, which must be closed."""
        if self.outline:
            if len(self.outline) < 4 or self.outline[0] != self.outline[-1]:
                raise LayoutError("a region ends where it did not begin")
            self._insert(kdb.Polygon(self.outline[:-1]))
            self.outline = []

    def _insert(self, shape: kdb.Box | kdb.Polygon) -> None:
        self.drawing.insert(self.place, shape)
        if self.named and self.net:
            middle = (shape if isinstance(shape, kdb.Box) else shape.bbox()).center()
            self.drawing.label(self.place, self.net, middle.x, middle.y)


def _aperture(found: re.Match[str]) -> Callable[[int, int], kdb.Box | kdb.Polygon]:
    if found[4]:
        across = round(float(found[4]) * 1e6)
        return lambda x, y: circle(x - across // 2, y - across // 2, x - across // 2 + across, y - across // 2 + across)
    width, height = (round(float(found[each]) * 1e6) for each in (2, 3))
    return lambda x, y: kdb.Box(x - width // 2, y - height // 2, x - width // 2 + width, y - height // 2 + height)


def _unescape(found: re.Match[str]) -> str:
    code = int(found[1] or found[2], 16)
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code < 0xE000 else "?"
