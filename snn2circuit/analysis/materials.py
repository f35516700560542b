"""What a stack takes to make: ink and foil by layer, vias and crossovers, the parts of its neuron circuits.

Ink is the dry film that remains: area times thickness, 1 mm2 of 1 um is 1 nl. Shapes of one layer never overlap, so
areas add up. Where the process gives the share of solids ``f`` of a wet ink, ``1/f`` of the dry volume is printed; with
the volume of a drop that is a number of drops, with a price a cost, in the currency of the process file. What it does
not give is ``null``, never 0, and so is every sum that would need it. A crossover is a place where two conductors of
different nets cross on one sheet without a device between them: an insulator has to hold there. Waste and test strips
are not counted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from snn2circuit.ir.circuit import Subcircuit
from snn2circuit.ir.crossbar import CrossbarLayer, CrossbarNetwork
from snn2circuit.ir.files import write_json
from snn2circuit.ir.layout import Layout, Sheet
from snn2circuit.ir.noun import Floats, Ints, noun
from snn2circuit.ir.per_neuron import distinct_neurons
from snn2circuit.ir.tables import write_csv
from snn2circuit.layout.nets import RAILS

DRY = ("sheet", "layer", "mask", "material", "shapes", "area_mm2", "thickness_um", "volume_ul")
WET = ("wet_volume_ul", "passes", "drops", "cost")  # columns that only some processes give
COLUMNS = (*DRY, *WET)


@noun
class Print:
    """One layer of one sheet."""

    sheet: int  # from 1
    layer: str
    mask: int
    material: str
    shapes: int
    area: float  # m2
    thickness: float  # m
    passes: int | None = None  # that the thickness is printed in
    solids: float | None = None  # share of the wet ink's volume that remains
    drop: float | None = None  # m3, wet
    price: float | None = None  # of a litre of wet ink

    @property
    def volume(self) -> float:
        """Of the dry film, m3."""
        return self.area * self.thickness

    @property
    def wet(self) -> float | None:
        """Volume of the ink as it is printed, m3."""
        return None if self.solids is None else self.volume / self.solids

    @property
    def drops(self) -> int | None:
        """How many leave the nozzles, in all passes."""
        return None if self.wet is None or self.drop is None else math.ceil(self.wet / self.drop * (1 - 1e-12))

    @property
    def cost(self) -> float | None:
        """Of the ink."""
        return None if self.wet is None or self.price is None else self.wet * 1e3 * self.price


@noun
class Cells:
    """Neuron circuits of one layer that are made of the same parts, whatever their values."""

    layer: int  # from 1
    neuron: str  # kind
    count: int
    parts: dict[str, int]  # of one, by kind of element


@noun
class Bill:
    """What a whole stack takes."""

    prints: tuple[Print, ...]  # sheet by sheet, bottom to top
    size: tuple[float, float, float]  # m, outline of the stack
    vias: dict[str, int]  # by process layer
    crossovers: tuple[int, ...]  # a sheet
    fingers: int  # contacts at the edges
    devices: int
    cells: tuple[Cells, ...]  # layer by layer

    def as_dict(self) -> dict[str, Any]:
        """For JSON; keys name their units."""
        materials: dict[str, list[Print]] = {}
        for each in self.prints:
            materials.setdefault(each.material, []).append(each)
        parts: Counter[str] = Counter()
        for cells in self.cells:
            parts.update({part: cells.count * number for part, number in cells.parts.items()})
        return {
            "size_mm": [_rounded(length * 1e3) for length in self.size],
            "area_mm2": _rounded(self.size[0] * self.size[1] * 1e6),
            "height_mm": _rounded(self.size[2] * 1e3),
            "sheets": len(self.crossovers),
            "devices": self.devices,
            "vias": {**self.vias, "total": sum(self.vias.values())},
            "crossovers": {"per_sheet": list(self.crossovers), "total": sum(self.crossovers)},
            "contact_fingers": self.fingers,
            "cells": [
                {"layer": each.layer, "neuron": each.neuron, "count": each.count, "parts_of_one": each.parts}
                for each in self.cells
            ],
            "parts": dict(sorted(parts.items())),
            "materials": {
                name: {
                    "area_mm2": _rounded(sum(each.area for each in prints) * 1e6),
                    "volume_ul": _rounded(sum(each.volume for each in prints) * 1e9),
                    "wet_volume_ul": _total([each.wet for each in prints], 1e9),
                    "drops": _total([each.drops for each in prints]),
                    "cost": _total([each.cost for each in prints]),
                }
                for name, prints in sorted(materials.items())
            },
            "prints": [dict(zip(COLUMNS, row, strict=True)) for row in self.rows()],
        }

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """The table of :data:`COLUMNS`."""
        for each in self.prints:
            amounts = (each.area * 1e6, each.thickness * 1e6, each.volume * 1e9)
            dry = each.sheet, each.layer, each.mask, each.material, each.shapes, *map(_rounded, amounts)
            yield *dry, _total([each.wet], 1e9), each.passes, each.drops, _total([each.cost])


def list_materials(layout: Layout, crossbar: CrossbarNetwork) -> Bill:
    """Count what ``layout`` takes, and the parts of the neuron circuits of ``crossbar``."""
    prints, vias = [], Counter[str]()
    for number, sheet in enumerate(layout.sheets, start=1):
        printed = layout.solids(sheet)
        for layer in layout.process.layers:
            areas = [_areas(shapes.boxes, shapes.round) for shapes in printed if shapes.layer == layer.name]
            found = np.concatenate(areas) if areas else np.empty(0)
            if not len(found):
                continue
            if layer.role == "via":
                vias[layer.name] += len(found)
            prints.append(
                Print(
                    sheet=number,
                    layer=layer.name,
                    mask=layer.mask,
                    material=layer.material,
                    shapes=len(found),
                    area=float(found.sum()),
                    thickness=layer.thickness.value,
                    passes=None if layer.passes is None else int(layer.passes.value),
                    solids=None if layer.solids is None else layer.solids.value,
                    drop=None if layer.drop_volume is None else layer.drop_volume.value,
                    price=None if layer.cost is None else layer.cost.value,
                )
            )
    first, last = crossbar.layers[0], crossbar.layers[-1]
    rails = sum(name in RAILS for name in layout.nets)
    x, y, z = ((layout.bounds[3:] - layout.bounds[:3]) * 1e-9).tolist()
    return Bill(
        prints=tuple(prints),
        size=(x, y, z),
        vias=dict(vias),
        crossovers=tuple(_crossovers(layout, sheet) for sheet in layout.sheets),
        fingers=first.inputs + rails + last.columns + sum(layer.has_bias for layer in crossbar.layers),
        devices=crossbar.devices,
        cells=tuple(
            each for number, layer in enumerate(crossbar.layers, start=1) for each in _cells(number, layer, crossbar)
        ),
    )


def write_materials(bill: Bill, folder: Path) -> None:
    """Write ``materials.json``, everything, and ``materials.csv``, the table of layers, into ``folder``."""
    write_json(folder / "materials.json", bill.as_dict())
    write_csv(folder / "materials.csv", COLUMNS, bill.rows())


def _cells(number: int, layer: CrossbarLayer, crossbar: CrossbarNetwork) -> Iterator[Cells]:
    neurons, kinds = distinct_neurons(layer.neuron, layer.columns)
    counts: dict[tuple[tuple[str, int], ...], int] = {}
    for neuron, columns in zip(neurons, np.bincount(kinds).tolist(), strict=True):
        parts = tuple(_parts(neuron.cell("cell", crossbar.drive(layer))).items())
        counts[parts] = counts.get(parts, 0) + columns
    for parts, count in counts.items():
        yield Cells(layer=number, neuron=layer.neuron.kind, count=count, parts=dict(parts))


def _parts(cell: Subcircuit) -> dict[str, int]:
    """How many elements of each kind a neuron circuit has."""
    return dict(sorted(Counter(type(each).__name__ for block in cell.blocks for each in block.elements).items()))


def _areas(boxes: Ints, is_round: bool) -> Floats:
    """Of every shape, m2."""
    sides = (boxes[:, 3:5] - boxes[:, :2]) * 1e-9
    return sides[:, 0] * sides[:, 1] * (math.pi / 4 if is_round else 1)


def _crossovers(layout: Layout, sheet: Sheet) -> int:
    """Pairs of shapes of two conductors of one sheet that overlap from above, less those with a patch between them."""
    metal = [shapes for shapes in sheet.shapes if layout.process.layer(shapes.layer).role == "conductor"]
    count = 0
    for index, low in enumerate(metal):
        for high in metal[index + 1 :]:
            x0, y0, _, x1, y1, _ = high.boxes.T
            for box, net in zip(low.boxes.tolist(), low.nets.tolist(), strict=True):
                over = (x0 < box[3]) & (x1 > box[0]) & (y0 < box[4]) & (y1 > box[1]) & (high.nets != net)
                count += int(over.sum())
    is_patched = not any(layout.process.layer(shapes.layer).role == "device" for shapes in sheet.shapes)
    return count - is_patched * sum(len(devices.rows) for devices in sheet.planes)


def _total(values: Sequence[float | None], unit: float = 1) -> float | None:
    """The sum times ``unit``; nothing where one of the values is not known."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    total = sum(known) * unit
    return total if isinstance(total, int) else _rounded(total)


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
