r"""Parasitic extraction: what the lines of the masks do to a signal, measured on the masks by stated formulas.

Lengths, widths, gaps and areas are KLayout's, from the written file; thickness, sheet resistance and permittivity are
the process's.

* *Line*, from one crossing to the next: ``R = Rs · L / W``, ``W`` the area of the line between its first and its last
  crossing over that length.
* *Via*: ``R = rho · t / A`` with ``rho = Rs · t`` of the conductor it lands on, unless the via layer has its own sheet
  resistance.
* *Crossing*: two thin plates ``W`` by ``L`` at distance ``d``, with the fringe of both pairs of edges (H. B. Palmer,
  Trans. AIEE 56, 363, 1937): ``C = eps W L / d · (1 + f(d, W)) (1 + f(d, L))``, ``f(d, w) = d / (pi w) · (1 + ln(2 pi w
  / d))``. Printed lines are some hundred times wider than the ink between them is thick. That is outside of what the
  usual formulas of chips were fitted to, and inside of this one, which becomes exact as ``d / w`` vanishes.
* *Neighbours*: two thin coplanar strips of width ``W`` and gap ``s`` (C. P. Wen, IEEE Trans. MTT 17, 1087, 1969):
  ``C = eps K(k') / K(k)`` per length, ``k = s / (s + 2 W)``, ``K(k)`` the complete elliptic integral ``pi / (2 agm(1,
  k'))``. Both half spaces are taken as foil, as inside a stack; the thickness of the lines, small against their gap, is
  left out.

The noun holds one value a layer: the mean over its lines, such that a line's whole resistance is kept. Bit lines come
in pairs, so their segments alternate between short and long ones; the table gives the range. Which end of a line is fed
is not part of the noun: the solver feeds every line at its first crossing.
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import TypeVar

import klayout.db as kdb
import numpy as np

from snn2circuit.errors import LayoutError
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.layout import Process, ProcessLayer
from snn2circuit.ir.noun import Floats, Ints, noun
from snn2circuit.ir.parasitics import LayerParasitics, Parasitics
from snn2circuit.ir.parts import Quantity
from snn2circuit.layout.signoff.extract import ExtractedNetlist, extract_netlist
from snn2circuit.layout.signoff.lines import Lines
from snn2circuit.layout.signoff.stack import MaskStack, Place, read_masks

T = TypeVar("T", float, Floats)
VACUUM = 8.8541878128e-12  # F/m


@noun
class Measured:
    """One parasitic of one layer over all its lines."""

    layer: int  # from 1
    name: str  # field of LayerParasitics
    unit: str
    count: int
    least: float
    mean: float
    most: float
    formula: str


def extract_parasitics(
    path: Path, process: Process, crossbar: CrossbarNetwork
) -> tuple[Parasitics, tuple[Measured, ...]]:
    """Resistances and capacitances of every layer of ``crossbar`` from its mask file, and the table behind them.

    Raises:
        LayoutError: the masks hold no device of a layer, or the process lacks a value that a formula needs.
    """
    stack = read_masks(path, process)
    return measure_parasitics(stack, extract_netlist(stack), crossbar)


def measure_parasitics(
    stack: MaskStack, found: ExtractedNetlist, crossbar: CrossbarNetwork
) -> tuple[Parasitics, tuple[Measured, ...]]:
    """:func:`extract_parasitics` of masks whose netlist is extracted already."""
    lines = Lines(crossbar)
    layers: list[LayerParasitics] = []
    table: list[Measured] = []
    for number in range(1, len(crossbar.layers) + 1):
        measured = _layer(stack, found, lines, number)
        table += measured
        values = {each.name: _quantity(each) for each in measured}
        layers.append(LayerParasitics(**values))
    return Parasitics(layers=tuple(layers)), tuple(table)


def line_resistance(ohm_per_square: float, length: T, width: float) -> T:
    """Of straight lines, ohm; lengths in m."""
    return ohm_per_square * length / width


def plate_capacitance(permittivity: float, width: float, length: float, distance: float) -> float:
    """Of two thin plates with their fringe, F; lengths in m, ``permittivity`` relative."""

    def fringe(side: float) -> float:
        return distance / (math.pi * side) * (1 + math.log(2 * math.pi * side / distance))

    return VACUUM * permittivity * width * length / distance * (1 + fringe(width)) * (1 + fringe(length))


def strip_capacitance(permittivity: float, width: float, gap: float, length: float) -> float:
    """Between two thin coplanar strips with the same matter above and below, F; lengths in m."""
    k = gap / (gap + 2 * width)
    return VACUUM * permittivity * length * _agm(math.sqrt(1 - k * k)) / _agm(k)


def _agm(x: float) -> float:
    """Arithmetic-geometric mean of 1 and ``x``; ``K(k') = pi / (2 agm(1, k))``."""
    a = 1.0
    while abs(a - x) > 1e-15 * a:
        a, x = (a + x) / 2, math.sqrt(a * x)
    return a


@noun
class _Line:
    """One line of one layer, measured; m and ohm."""

    steps: Floats  # from crossing to crossing
    lead: float  # from its feed to its first crossing
    width: float
    across: float  # where it runs


def _layer(stack: MaskStack, found: ExtractedNetlist, lines: Lines, number: int) -> list[Measured]:
    process, devices = stack.process, found.devices
    word, bit = (
        [i for i, names in enumerate(found.nets) if any(table[name][0] == number for name in names if name in table)]
        for table in (lines.word, lines.bit)
    )
    mine = np.flatnonzero(np.isin(devices.below, word) & np.isin(devices.above, bit))
    if not len(mine):
        raise LayoutError(f"{stack.path}: the masks hold no device of layer {number}")
    sheet = int(devices.sheets[mine[0]])
    name = next(name for at, name in stack.places("device") if at == sheet)
    below, above = stack.between((sheet, name))
    if below is None or above is None:
        raise LayoutError(f"process {process.name}: {name} does not lie between two conductors")
    wires = {(place, net): region for place, net, region in found.wires}
    words = [_line(wires[below, int(net)], devices.places[mine[devices.below[mine] == net]]) for net in word]
    bits = [_line(wires[above, int(net)], devices.places[mine[devices.above[mine] == net]]) for net in bit]
    word_ohm, bit_ohm = (_needed(process.layer(place[1]), "sheet_resistance") for place in (below, above))
    segment = np.concatenate([line_resistance(word_ohm, line.steps, line.width) for line in words])
    leads = np.array([line_resistance(word_ohm, line.lead, line.width) for line in words])
    plates = _permittivity(process, process.layer(name))
    distance = process.layer(name).thickness.value
    crossings = [plate_capacitance(plates, line.width, bits[0].width, distance) for line in words]
    foil = _needed(next(layer for layer in process.layers if layer.role == "substrate"), "permittivity")
    neighbours = max(_neighbours(words, foil), _neighbours(bits, foil), key=lambda values: values.max(initial=0))
    table = (
        ("word_segment", "ohm", segment, "Rs L / W"),
        (
            "bit_segment",
            "ohm",
            np.concatenate([line_resistance(bit_ohm, line.steps, line.width) for line in bits]),
            "Rs L / W",
        ),
        (
            "driver",
            "ohm",
            np.maximum(leads - segment.mean() if len(segment) else leads, 0),
            "Rs L / W of the lead, less a segment",
        ),
        ("via", "ohm", _vias(stack, found, below, word), "rho t / A"),
        ("crosspoint", "F", np.array(crossings), "plates with fringe, Palmer 1937"),
        ("neighbour", "F", neighbours, "coplanar strips, Wen 1969; word or bit lines, whichever is more"),
    )
    return [
        Measured(
            layer=number,
            name=name,
            unit=unit,
            count=len(values),
            least=float(values.min(initial=math.inf)) if len(values) else 0.0,
            mean=float(values.mean()) if len(values) else 0.0,
            most=float(values.max(initial=0)),
            formula=formula,
        )
        for name, unit, values, formula in table
    ]


def _line(wire: kdb.Region, places: Ints) -> _Line:
    """A line from its shapes and its crossings; it is fed where it reaches further beyond them."""
    axis = (
        int(np.argmax(np.ptp(places, axis=0))) if len(places) > 1 else int(wire.bbox().height() > wire.bbox().width())
    )
    along, box = np.sort(places[:, axis]), wire.bbox()
    low, high = ((box.left, box.right), (box.bottom, box.top))[axis]
    first, last = (int(along[0]), int(along[-1])) if len(along) > 1 else (int(along[0]) - 500, int(along[0]) + 500)
    window = kdb.Box(first, box.bottom, last, box.top) if axis == 0 else kdb.Box(box.left, first, box.right, last)
    width = (wire & kdb.Region(window)).area() / (last - first)
    return _Line(
        steps=np.diff(along) / 1e9,
        lead=max(int(along[0]) - low, high - int(along[-1])) / 1e9,
        width=width / 1e9,
        across=float(places[0, 1 - axis]) / 1e9,
    )


def _neighbours(lines: list[_Line], permittivity: float) -> Floats:
    """Capacitance between each two lines side by side, per segment."""
    ordered = sorted(lines, key=lambda line: line.across)
    return np.array(
        [
            strip_capacitance(permittivity, (a.width + b.width) / 2, gap, float(a.steps.mean()))
            for a, b in itertools.pairwise(ordered)
            if len(a.steps) and (gap := b.across - a.across - (a.width + b.width) / 2) > 0
        ]
    )


def _vias(stack: MaskStack, found: ExtractedNetlist, below: Place, word: list[int]) -> Floats:
    """Resistance of the vias through which word lines come from the sheet below."""
    ohms = []
    lines = kdb.Region(
        [polygon for place, net, region in found.wires if place == below and net in word for polygon in region.each()]
    )
    for sheet, name in stack.places("via"):
        low, high = stack.between((sheet, name))
        if high != below or low is None or low[0] == sheet:
            continue
        layer, landing = stack.process.layer(name), stack.process.layer(below[1])
        rho = _needed(landing, "sheet_resistance") * landing.thickness.value
        if layer.sheet_resistance is not None:
            rho = layer.sheet_resistance.value * layer.thickness.value
        vias = stack.region((sheet, name)).interacting(lines)
        ohms += [rho * layer.thickness.value / (via.area() * 1e-18) for via in vias.each()]
    return np.array(ohms)


def _needed(layer: ProcessLayer, what: str) -> float:
    quantity: Quantity | None = getattr(layer, what)
    if quantity is None:
        raise LayoutError(f"layer {layer.name} of the process has no {what}; extraction needs it, give it a value")
    return quantity.value


def _permittivity(process: Process, device: ProcessLayer) -> float:
    """Of what fills a crossing: the device layer's, or the dielectric's around it."""
    if device.permittivity is not None:
        return device.permittivity.value
    return _needed(next((layer for layer in process.layers if layer.role == "dielectric"), device), "permittivity")


def _quantity(measured: Measured) -> Quantity:
    source = f"extracted from the masks: {measured.formula}"
    return Quantity(value=measured.mean, unit=measured.unit, source=source, confidence="derived")
