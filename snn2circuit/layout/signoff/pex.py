r"""Parasitic extraction: what the lines of the masks do to a signal, measured on the masks by stated formulas.

Lengths, widths, gaps and areas are KLayout's, from the written file; thickness, sheet resistance and permittivity are
the process's. Traces and their leads are read in :mod:`snn2circuit.layout.signoff.traces`, the formulas stand in
:mod:`snn2circuit.layout.signoff.fields`.

* *Segment*, from one crossing to the next: ``R = Rs · L / W``, ``W`` the area of the line between its first and its
  last crossing over that length. Word lines of a tile are alike, so are bit lines: the noun holds their mean.
* *Lead*: of a word line from its outermost crossing to where it is fed, of a bit line from row 0 to its neuron cell.
* *Joint*: from where the bit lines of a layer's row tiles meet through vias to the next sheet, or to the cell.
* *Via*: ``R = rho · t / A`` with ``rho = Rs · t`` of the conductor it lands on, unless the via layer has its own sheet
  resistance. The vias of a word line are in series and part of its lead.
* *Crossing*, *neighbours*: plates and coplanar strips.
* *Next sheet*: a word line and the bit lines of the sheet below: those it crosses, or where they are parallel the
  nearest on either side. What lies further apart, partly screened by these, is left out; so are the lines above a
  sheet that carries two tiles, whose upper word lines screen its bit lines.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.layout import Process, ProcessLayer
from snn2circuit.ir.noun import Floats, noun
from snn2circuit.ir.parasitics import CAPACITANCES, LayerParasitics, Parasitics, Quantities, TileParasitics
from snn2circuit.ir.parts import Quantity
from snn2circuit.layout.signoff.extract import ExtractedNetlist, extract_netlist
from snn2circuit.layout.signoff.fields import plate_capacitance, shifted_capacitance, strip_capacitance
from snn2circuit.layout.signoff.stack import MaskStack, read_masks
from snn2circuit.layout.signoff.traces import DrawnTile, TileReader, Trace, needed

FORMULAS = {
    "word_segments": "Rs L / W",
    "bit_segments": "Rs L / W",
    "word_leads": "Rs ∫ dx / W of the line + rho t / A of its vias",
    "bit_leads": "Rs ∫ dx / W",
    "vias": "rho t / A, as contained in word_leads",
    "joints": "Rs ∫ dx / W to the cell, rho t / A of the vias to the next sheet",
    "crosspoint": "plates with fringe, Palmer 1937",
    "neighbour": "coplanar strips, Wen 1969; word or bit lines, whichever is more",
    "below": "plates with fringe across, shifted strips along; bit lines of the sheet below",
    "above": "plates with fringe across, shifted strips along; word lines of the sheet above",
}


@noun
class Measured:
    """One parasitic of one tile over all its lines."""

    layer: int  # from 1
    tile: int  # of the layer, from 1
    name: str  # field of TileParasitics; word_leads apart by the end that they feed
    unit: str
    count: int
    least: float
    mean: float
    most: float
    formula: str


def extract_parasitics(
    path: Path, process: Process, crossbar: CrossbarNetwork
) -> tuple[Parasitics, tuple[Measured, ...]]:
    """Resistances and capacitances of every tile of ``crossbar`` from its mask file, and the table behind them.

    Raises:
        LayoutError: the masks hold no device of a row, bit lines lie in another order than their columns, or the
            process lacks a value that a formula needs.
    """
    stack = read_masks(path, process)
    return measure_parasitics(stack, extract_netlist(stack), crossbar)


def measure_parasitics(
    stack: MaskStack, found: ExtractedNetlist, crossbar: CrossbarNetwork
) -> tuple[Parasitics, tuple[Measured, ...]]:
    """:func:`extract_parasitics` of masks whose netlist is extracted already."""
    reader = TileReader(stack, found, crossbar)
    drawn = [reader.read(number, layer.tiles) for number, layer in enumerate(crossbar.layers, start=1)]
    by_sheet = {tile.sheet: tile for layer in drawn for tile in layer}
    layers: list[LayerParasitics] = []
    table: list[Measured] = []
    for number, layer in enumerate(drawn, start=1):
        tiles = []
        for index, tile in enumerate(layer, start=1):
            values = _values(stack, tile, by_sheet.get(tile.sheet - 1), by_sheet.get(tile.sheet + 1))
            table += _rows(number, index, tile, values)
            tiles.append(_noun(tile, values))
        shared = [tile.joints for tile in layer if len(tile.joints)]
        width = 2 * crossbar.layers[number - 1].columns  # crossbars beside one another have the bit lines of the layer
        joints = _several("joints", np.concatenate(shared).reshape(-1, width)) if shared else None
        layers.append(LayerParasitics(tiles=tuple(tiles), joints=joints))
    return Parasitics(layers=tuple(layers)), tuple(table)


def _values(stack: MaskStack, tile: DrawnTile, below: DrawnTile | None, above: DrawnTile | None) -> dict[str, Floats]:
    """Everything that is measured of a tile, by the name of its field."""
    process = stack.process
    planes = [process.layer(name) for name in tile.planes]
    foil = needed(next(layer for layer in process.layers if layer.role == "substrate"), "permittivity")
    neighbours = [
        _neighbours(traces, step, foil) for traces, step in zip((tile.words, tile.bits), tile.steps, strict=True)
    ]
    return {
        "word_segments": tile.word_segments,
        "bit_segments": tile.bit_segments,
        "word_leads": np.array([trace.lead for trace in tile.words]),
        "bit_leads": np.array([trace.lead for trace in tile.bits]),
        "vias": tile.vias,
        "joints": tile.joints,
        "crosspoint": np.array(
            [
                plate_capacitance(_permittivity(process, plane), word.width, tile.bits[0].width, plane.thickness.value)
                for plane in planes
                for word in tile.words
            ]
        ),
        "neighbour": max(neighbours, key=lambda farads: farads.max(initial=0)),
        "below": _between(stack, below, tile).sum(axis=0) / len(tile.bits) if below else np.empty(0),
        "above": _between(stack, tile, above).sum(axis=1) / len(tile.words) if above else np.empty(0),
    }


def _rows(layer: int, index: int, tile: DrawnTile, values: Mapping[str, Floats]) -> list[Measured]:
    """Lines of the table; word lines are told apart by the end that they are fed at."""
    leads = values["word_leads"]
    ends = {"word_leads, fed at column 0": leads[~tile.fed_far], "word_leads, fed at the far end": leads[tile.fed_far]}
    named = [
        (name, shown, found)
        for name in FORMULAS
        for shown, found in (ends if name == "word_leads" else {name: values[name]}).items()
    ]
    return [
        Measured(
            layer=layer,
            tile=index,
            name=shown,
            unit="F" if name in CAPACITANCES else "ohm",
            count=len(found),
            least=float(found.min()),
            mean=float(found.mean()),
            most=float(found.max()),
            formula=FORMULAS[name],
        )
        for name, shown, found in named
        if len(found)
    ]


def _noun(tile: DrawnTile, values: Mapping[str, Floats]) -> TileParasitics:
    def one(name: str) -> Quantity:
        mean = float(values[name].mean()) if len(values[name]) else 0.0
        return Quantity(value=mean, unit="F", source=_source(name), confidence="derived")

    return TileParasitics(
        rows=tile.rows,
        columns=tile.columns,
        word_segments=_several("word_segments", values["word_segments"]),
        bit_segments=_several("bit_segments", values["bit_segments"]),
        word_leads=_several("word_leads", values["word_leads"]),
        bit_leads=_several("bit_leads", values["bit_leads"]),
        fed_far=tile.fed_far,
        crosspoint=one("crosspoint"),
        neighbour=one("neighbour"),
        below=one("below"),
        above=one("above"),
    )


def _several(name: str, ohms: Floats) -> Quantities:
    return Quantities(values=ohms, unit="ohm", source=_source(name), confidence="derived")


def _source(name: str) -> str:
    return f"extracted from the masks: {FORMULAS[name]}"


def _neighbours(traces: tuple[Trace, ...], step: float, permittivity: float) -> Floats:
    """Capacitance between each two lines side by side, per crossing."""
    ordered = sorted(traces, key=lambda trace: trace.across)
    return np.array(
        [
            strip_capacitance(permittivity, (a.width + b.width) / 2, gap, step)
            for a, b in itertools.pairwise(ordered)
            if step and (gap := b.across - a.across - (a.width + b.width) / 2) > 0
        ]
    )


def _between(stack: MaskStack, lower: DrawnTile, upper: DrawnTile) -> Floats:
    """Capacitance of every bit line of a sheet to every word line of the next, ``(bit lines, word lines)``, F."""
    if len(lower.planes) > 1:  # word lines lie between
        return np.zeros((len(lower.bits), len(upper.words)))
    layer = next(
        stack.process.layer(name)
        for sheet, name in stack.places("substrate")
        if sheet == upper.sheet and not stack.region((sheet, name)).is_empty()
    )
    filling, distance = needed(layer, "permittivity"), layer.thickness.value
    farads = np.zeros((len(lower.bits), len(upper.words)))
    across = np.array([bit.across for bit in lower.bits])
    for row, word in enumerate(upper.words):
        if lower.axis == upper.axis:
            for at, bit in enumerate(lower.bits):
                if word.ends[0] <= bit.across <= word.ends[1] and bit.ends[0] <= word.across <= bit.ends[1]:
                    farads[at, row] = plate_capacitance(filling, word.width, bit.width, distance)
            continue
        sides = (np.flatnonzero(across <= word.across), np.flatnonzero(across > word.across))
        for nearest in (side[np.argmin(np.abs(across[side] - word.across))] for side in sides if len(side)):
            bit = lower.bits[nearest]
            length = min(word.ends[1], bit.ends[1]) - max(word.ends[0], bit.ends[0])
            width, shift = (word.width + bit.width) / 2, abs(bit.across - word.across)
            farads[nearest, row] = shifted_capacitance(filling, width, shift, distance, max(length, 0.0))
    return farads


def _permittivity(process: Process, device: ProcessLayer) -> float:
    """Of what fills a crossing: the device layer's, or the dielectric's around it."""
    if device.permittivity is not None and device.sheet_resistance is None:  # an ink lies beside its crossing
        return device.permittivity.value
    return needed(next((layer for layer in process.layers if layer.role == "dielectric"), device), "permittivity")
