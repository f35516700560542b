"""Schematics of the neuron cells, drawn from the very elements that the decks are written from.

A cell's blocks stand below each other, each under its comment; within a block the elements follow from left to right
and are joined where one begins on the node on which the last one ended. Everything else is joined by name: a dot with
the same name is the same node. A value that is printed is the element's own, so a drawing cannot drift from the deck,
and a user's own neuron is drawn as well. Drawn with schemdraw.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from snn2circuit.errors import NetlistError
from snn2circuit.ir.circuit import (
    GROUND,
    Amplifier,
    Capacitor,
    Comparator,
    Element,
    GatedCurrent,
    GatedTransconductance,
    GatedVoltage,
    Resistor,
    Subcircuit,
    Switch,
    Transconductance,
    VoltageGain,
)
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.files import write_text
from snn2circuit.netlist.build import neuron_cells
from snn2circuit.units import engineering

ROW = 5.9  # drawing units from block to block
STEP = 3.5  # width of an element
GAP = 2.8  # before an element that is not joined to the last one
LETTER = 0.2  # width of a letter of a value
CAPTION = 110  # characters
DRAWN = 4  # different cells of a layer, which differ in values and hardly in parts


class Drawing(NamedTuple):
    """The schematic of one cell, and where it stands."""

    path: Path
    layer: int  # from 1
    neurons: int  # of the layer that are this cell
    undrawn: int  # different cells of the layer that have no drawing; told beside the last one that has


def write_schematics(crossbar: CrossbarNetwork, out: Path) -> tuple[Drawing, ...]:
    """Draw the neuron cells of every layer into the folder ``out``, of each the first :data:`DRAWN` different ones."""
    drawings = []
    for number, (cells, kinds) in enumerate(neuron_cells(crossbar), start=1):
        counts = np.bincount(kinds).tolist()
        shown = cells[:DRAWN]
        for place, cell in enumerate(shown, start=1):
            path = out / f"{cell.name}.svg"
            write_text(path, draw_cell(cell))
            undrawn = len(cells) - len(shown) if place == len(shown) else 0
            drawings.append(Drawing(path, number, counts[place - 1], undrawn))
    return tuple(drawings)


def draw_cell(cell: Subcircuit) -> str:
    """The schematic of a cell as SVG; the same cell gives the same text.

    Raises:
        NetlistError: the cell holds an element that is not drawn, such as a crossbar or another cell.
    """
    import schemdraw
    from schemdraw import elements

    schemdraw.use("svg")
    drawing = schemdraw.Drawing(show=False, fontsize=11, lw=1.4)
    drawing += elements.Label().at((0, 1.6)).label(cell.comment, halign="left", fontsize=14)
    for row, block in enumerate(cell.blocks):
        y = -ROW * row
        caption = "\n".join(textwrap.wrap(block.comment, CAPTION))
        drawing += (
            elements.Label().theta(0).at((0, y + 0.4)).label(caption, halign="left", fontsize=11, color="#555555")
        )
        pen = _Pen(drawing, elements, 1.2, y - 1.2)
        for element in block.elements:
            pen.draw(element, cell.name)
    svg: str = drawing.get_imagedata("svg").decode("utf-8")
    return re.sub(r"\s+\n", "\n", svg)


class _Pen:
    """Where the next element goes, and the node on which the last one ended."""

    def __init__(self, drawing: Any, elements: Any, x: float, y: float) -> None:
        self.drawing, self.elements, self.x, self.y = drawing, elements, x, y
        self.node = ""
        self.room = 0.0  # that the last element's value takes to its right

    def draw(self, element: Element, cell: str) -> None:
        """Draw one element and move on."""
        match element:
            case Resistor(a=a, b=b, ohms=ohms):
                self._passive(self.elements.Resistor, a, b, engineering(ohms, "Ω"))
            case Capacitor(a=a, b=b, farads=farads):
                self._passive(self.elements.Capacitor, a, b, engineering(farads, "F"))
            case Switch(a=a, b=b, control=control, threshold=threshold, r_on=r_on):
                note = f"closed while\nV({control}) > {threshold:g} V\n{engineering(r_on, 'Ω')}"
                self._passive(self.elements.Switch, a, b, note)
            case VoltageGain(out=out, plus=plus, minus=minus, gain=gain):
                self._triangle(out, plus, minus, f"× {gain:.6g}")
            case Amplifier(out=out, plus=plus, minus=minus):
                self._triangle(out, plus, minus, _amplifier(element))
            case Comparator(out=out, plus=plus, threshold=threshold, high=high):
                self._triangle(out, plus, f"{threshold:.6g} V", f"comparator\n0 or {high:g} V")
            case Transconductance(out=out, plus=plus, minus=minus, siemens=siemens):
                drive = f"V({plus})" if minus == GROUND else f"V({plus},{minus})"
                drive = f"-V({minus})" if plus == GROUND else drive
                self._source("SourceControlledI", out, f"{engineering(siemens, 'S')} · {drive}")
            case GatedTransconductance(out=out, control=control, gate=gate, siemens=siemens):
                self._source("SourceControlledI", out, f"{engineering(siemens, 'A')}\n· V({control}) · V({gate})")
            case GatedCurrent(out=out, enable=enable, gate=gate, amplitude=amplitude):
                self._source("SourceControlledI", out, f"-{engineering(amplitude, 'A')}\nif {enable}, · V({gate})")
            case GatedVoltage(out=out, enable=enable, gate=gate, amplitude=amplitude):
                self._source("SourceControlledV", out, f"{engineering(amplitude, 'V')}\nif {enable}, · V({gate})")
            case _:
                raise NetlistError(
                    f"cell {cell}: a {type(element).__name__} is not drawn; draw cells of single elements"
                )

    def _passive(self, kind: Callable[..., Any], a: str, b: str, value: str) -> None:
        if a == GROUND or (b == self.node and b != GROUND):
            a, b = b, a
        self._go_to(a)
        if b == GROUND:
            self.drawing += kind().down().at((self.x, self.y)).length(3)
            self._grounded(value)
        else:
            self.drawing += kind().right().at((self.x, self.y)).length(STEP).label(value, loc="bottom")
            self.x += STEP
            self._dot(b)
            self.node = b

    def _triangle(self, out: str, plus: str, minus: str, value: str) -> None:
        self._skip()
        shape = self.elements.Opamp(leads=True).right().at((self.x + 1.0, self.y)).anchor("in1")
        self.drawing += shape
        start, end = shape.in1, shape.in2
        for place, name in ((start, minus), (end, plus)):
            self._text(place, _terminal(name) + " ", "right")
        at = shape.absanchors["out"]
        self._text((at[0] - 1.5, at[1] - 1.9), value, "center")
        self.x = float(at[0])
        self.drawing += self.elements.Line().at(at).to((self.x, self.y))
        self._dot(out)
        self.node = out

    def _source(self, kind: str, out: str, value: str) -> None:
        self._go_to(out)
        self.drawing += getattr(self.elements, kind)().up().at((self.x, self.y - 3)).to((self.x, self.y))
        self._grounded(value)

    def _grounded(self, value: str) -> None:
        """Ground below the element that was just drawn downwards, its value beside it, and room for that."""
        self.drawing += self.elements.Ground().at((self.x, self.y - 3))
        self._text((self.x + 0.6, self.y - 1.5), value, "left")
        self.room = 1.0 + LETTER * max(map(len, value.split("\n")))

    def _go_to(self, node: str) -> None:
        """Stand on ``node``: a wire on, if the last element ended there, else a new beginning with its name."""
        if node == self.node:
            length = max(self.room, STEP / 2)
            self.drawing += self.elements.Line().at((self.x, self.y)).to((self.x + length, self.y))
            self.x += length
        else:
            self._skip()
            self._dot(node)
            self.node = node
        self.room = 0.0

    def _skip(self) -> None:
        if self.node:
            self.x += max(GAP, self.room + 1.0)
        self.node, self.room = "", 0.0

    def _text(self, place: Any, text: str, halign: str) -> None:
        # Without an angle of its own a label takes over the direction of the element drawn before it.
        label = self.elements.Label().theta(0).at(place)
        self.drawing += label.label(text, halign=halign, valign="center")

    def _dot(self, node: str) -> None:
        self.drawing += self.elements.Dot().at((self.x, self.y)).label(_terminal(node), loc="top")


def _terminal(name: str) -> str:
    return "ground" if name == GROUND else name


def _amplifier(each: Amplifier) -> str:
    words = [f"A0 {each.gain:.3g}"]
    if math.isfinite(each.bandwidth):
        words.append(f"GBW {engineering(each.bandwidth, 'Hz')}")
    if each.offset:
        words.append(f"offset {engineering(each.offset, 'V')}")
    if math.isfinite(each.high):
        words.append(f"{each.low:g} to {each.high:g} V")
    return "\n".join(words)
