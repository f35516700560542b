"""SVG drawings, one a sheet: ``sheet1.svg`` and all beside it.

What :mod:`snn2circuit.layout.masks.svg` writes is read: in one group that turns y upwards a group a layer, in it
circles and paths of straight edges. Whatever else may change what is drawn (other elements, styles, transforms) is
refused. The size of the drawing says what one user unit is. There are no entities, no document types, no links.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.parsers import expat  # entities are refused

import klayout.db as kdb

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import Process
from snn2circuit.layout.masks.drawing import circle
from snn2circuit.layout.masks.svg import INKSCAPE, UP
from snn2circuit.layout.signoff.readers.drawn import Drawing, Drawn, check_layer, check_sheet, find_set

NAME = re.compile(r"sheet(\d+)\.svg", re.ASCII)
NUMBER = r"(-?\d{1,9}(?:\.\d{1,12})?)"
SIZE = re.compile(rf"{NUMBER}(mm|cm|in|pt|pc|px|)", re.ASCII)
UNITS = {"mm": 1e6, "cm": 1e7, "in": 25.4e6, "pt": 25.4e6 / 72, "pc": 25.4e6 / 6, "px": 25.4e6 / 96, "": 25.4e6 / 96}
STEP = re.compile(rf"\s*(?:([ML])\s*{NUMBER}[\s,]+{NUMBER}|([HV])\s*{NUMBER}|(Z))\s*", re.ASCII)
SVG = "http://www.w3.org/2000/svg "
LAYER = {f"{INKSCAPE} groupmode", f"{INKSCAPE} label", "id"}
KINDS = {  # of elements, by where they stand
    ("", "svg"): "svg",
    ("svg", "title"): "title",
    ("svg", "g"): "sheet",
    ("sheet", "g"): "layer",
    ("layer", "path"): "path",
    ("layer", "circle"): "circle",
}
ALLOWED = {  # attributes of each
    "svg": {"version", "width", "height", "viewBox"},
    "sheet": {*LAYER, "transform"},
    "layer": {*LAYER, "fill", "fill-opacity"},
    "path": {"d", "id"},
    "circle": {"cx", "cy", "r", "id"},
}


def read_svg(path: Path, process: Process) -> Drawn:
    """Read all drawings beside ``path``.

    Raises:
        LayoutError: a file is not named after its sheet, is no XML, or holds what masks are not written with.
    """
    drawing = Drawing(process)
    for each, match in find_set(path, NAME, "sheet1.svg"):
        _File(each, check_sheet(match[1], each), drawing).read()
    return Drawn(drawing.database, named=False)


class _File:
    """One drawing while it is read."""

    def __init__(self, path: Path, sheet: int, drawing: Drawing) -> None:
        self.path, self.sheet, self.drawing = path, sheet, drawing
        self.scale = (0.0, 0.0)  # nm a user unit, in x and y
        self.inside: list[str] = []  # kinds of the open elements
        self.layer = ""

    def read(self) -> None:
        """Draw what the file says."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = lambda _: self.inside.pop()
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.CharacterDataHandler = self._text
        try:
            parser.Parse(self.path.read_bytes(), True)
        except OSError as error:
            raise LayoutError(f"{self.path} cannot be read: {error.strerror or error}") from error
        except expat.ExpatError as error:
            raise LayoutError(f"{self.path}, line {error.lineno}: {expat.ErrorString(error.code)}") from error
        except (LayoutError, LookupError) as error:  # LookupError: an encoding that nobody knows
            raise LayoutError(f"{self.path}, line {parser.CurrentLineNumber}: {error}") from None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        kind = self._kind(name)
        self.inside.append(kind)
        if kind == "title":
            return
        if other := sorted(attributes.keys() - ALLOWED[kind]):
            raise LayoutError(f"attribute {other[0].split()[-1][:40]!a} is not among what masks are written with")
        if kind == "svg":
            self.scale = _scale(attributes)
        elif kind == "sheet":
            if attributes.get("transform") != UP:
                raise LayoutError(f"the sheet's group must have transform {UP!r}, which turns y upwards")
            if attributes.get("id") != f"sheet{self.sheet}":
                raise LayoutError(f"the drawing is of {attributes.get('id', '')[:40]!a}, not of the sheet in its name")
        elif kind == "layer":
            self.layer = check_layer(attributes.get("id", ""), self.drawing.process, "the group's id")
        elif kind == "circle":
            x, y, r = (_number(attributes.get(key, "")) for key in ("cx", "cy", "r"))
            box = [self._place(x + a * r, y + a * r) for a in (-1, 1)]
            self.drawing.insert((self.sheet, self.layer), circle(box[0].x, box[0].y, box[1].x, box[1].y))
        else:
            self._draw(attributes.get("d", ""))

    def _kind(self, name: str) -> str:
        """What an element is where it stands."""
        within = self.inside[-1] if self.inside else ""
        kind = KINDS.get((within, name.removeprefix(SVG))) if name.startswith(SVG) else None
        if kind is None:
            raise LayoutError(
                f"element {name.split()[-1][:40]!a} in {within or 'no other'} is not among what masks are written with"
            )
        return kind

    def _text(self, text: str) -> None:
        if text.strip() and self.inside[-1] != "title":
            raise LayoutError(f"text {text.strip()[:40]!a} is not among what masks are written with")

    def _draw(self, steps: str) -> None:
        """A path of straight edges; each contour is a polygon."""
        at, x, y = 0, 0.0, 0.0
        corners: list[kdb.Point] = []
        while at < len(steps):
            step = STEP.match(steps, at)
            if step is None or (step[1] == "M") == bool(corners):
                raise LayoutError(f"a path is closed contours of M, L, H, V and Z, not {steps[at : at + 40]!a}")
            at = step.end()
            if step[6]:
                self.drawing.insert((self.sheet, self.layer), kdb.Polygon(corners))
                corners = []
                continue
            x = float(step[2] or step[5]) if step[4] != "V" else x
            y = float(step[3] or step[5]) if step[4] != "H" else y
            corners.append(self._place(x, y))
        if corners or not steps:
            raise LayoutError("a path is not closed: Z is missing")

    def _place(self, x: float, y: float) -> kdb.Point:
        nm = round(x * self.scale[0]), round(y * self.scale[1])
        if max(map(abs, nm)) >= 2**31 - 1:
            raise LayoutError("a shape lies further from the origin than 2.147 m")
        return kdb.Point(*nm)


def _scale(attributes: dict[str, str]) -> tuple[float, float]:
    """What one user unit is, nm, in x and in y."""
    sizes = [SIZE.fullmatch(attributes.get(key, "")) for key in ("width", "height")]
    view = [_number(text) for text in attributes.get("viewBox", "").split(" ")]
    width, height = sizes
    if width is None or height is None or len(view) != 4 or min(view[2:]) <= 0:
        raise LayoutError("the drawing does not state its unit: width, height and viewBox are needed")
    return UNITS[width[2]] * (float(width[1]) / view[2]), UNITS[height[2]] * (float(height[1]) / view[3])


def _number(text: str) -> float:
    if not re.fullmatch(NUMBER, text, re.ASCII):
        raise LayoutError(f"{text[:40]!a} is no number as masks are written with")
    return float(text)


def _refuse_doctype(*_: object) -> None:
    raise LayoutError("a document type is not among what masks are written with")
