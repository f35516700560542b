r"""The lines of a crossbar as they lie on the masks: where they run, how wide they are, where they are fed.

A *trace* is one line on one sheet. It is straight, so its resistance between two points is ``Rs ∫ dx / W(x)``, with the
width ``W`` of its shapes at every ``x`` along it; how current spreads where the width changes is left out. A word line
is fed through the via that lands on it, or where there is none at its end, beyond whichever of its outermost crossings
it reaches further: a contact finger, with the contact where it is at its worst. A bit line leaves row 0 and ends at the
edge of its neuron cell, or where vias join it to the bit lines of other tiles of its layer, at these; from there the
joined lines go on to the next sheet or to the cell.
"""

from __future__ import annotations

import itertools
from collections import defaultdict

import klayout.db as kdb
import numpy as np

from snn2circuit.errors import LayoutError
from snn2circuit.ir.crossbar import CrossbarNetwork, Tile
from snn2circuit.ir.layout import ProcessLayer
from snn2circuit.ir.noun import Bools, Floats, Ints, noun
from snn2circuit.ir.parts import Quantity
from snn2circuit.layout.signoff.extract import ExtractedNetlist
from snn2circuit.layout.signoff.fields import line_resistance
from snn2circuit.layout.signoff.lines import Lines
from snn2circuit.layout.signoff.stack import MaskStack, Place


@noun
class Trace:
    """One line, m and ohm."""

    width: float  # between its first and its last crossing
    across: float  # where it runs
    ends: tuple[float, float]  # where it begins and ends
    lead: float  # from its outermost crossing to where it is fed or ends, vias included


@noun
class DrawnTile:
    """The crossbar of one tile as it lies on its sheet."""

    sheet: int  # from 1
    device: str  # process layer of its devices
    axis: int  # along which word lines run: 0 for x
    words: tuple[Trace, ...]  # row by row
    bits: tuple[Trace, ...]  # side by side
    fed_far: Bools  # (rows,)
    word_segments: Floats  # ohm, the mean over all word lines
    bit_segments: Floats  # ohm, the mean over all bit lines
    vias: Floats  # ohm, in the lead of every word line that has some
    joints: Floats  # (bit lines,), ohm, from where tiles meet to the next sheet or to the cell; none without tiles
    steps: tuple[float, float]  # m, mean distance of crossings along word lines and along bit lines


@noun
class _Via:
    place: Place  # of the conductor it comes up to
    centre: kdb.Point
    ohms: float


class TileReader:
    """Masks and their netlist, looked up tile by tile."""

    def __init__(self, stack: MaskStack, found: ExtractedNetlist, crossbar: CrossbarNetwork) -> None:
        self.stack, self.found, self.lines = stack, found, Lines(crossbar)
        self.wires = {(place, net): region for place, net, region in found.wires}
        self.net = {name: net for net, names in enumerate(found.nets) for name in names}
        self.vias = self._read_vias()

    def read(self, number: int, tile: Tile) -> DrawnTile:
        """The tile of layer ``number``, from 1.

        Raises:
            LayoutError: it has no device, its lines lie in another order than their names, or a value is missing.
        """
        words = self._nets(self.lines.word, number, tile.rows)
        bits = self._nets(self.lines.bit, number, tile.columns)
        devices, process = self.found.devices, self.stack.process
        mine = np.flatnonzero(np.isin(devices.below, words) & np.isin(devices.above, bits))
        which = f"layer {number}, rows {tile.rows.start} to {tile.rows.stop - 1}"
        if not len(mine):
            raise LayoutError(f"{self.stack.path}: the masks hold no device of {which}")
        sheet = int(devices.sheets[mine[0]])
        name = next(name for at, name in self.stack.places("device") if at == sheet)
        below, above = self.stack.between((sheet, name))
        if below is None or above is None:
            raise LayoutError(f"process {process.name}: {name} does not lie between two conductors")
        crossings = [
            np.rint([devices.places[mine[ends[mine] == net]].mean(axis=0) for net in nets]).astype(np.int64)
            for ends, nets in ((devices.above, bits), (devices.below, words))
        ]
        axis = int(np.argmax(np.ptp(crossings[0], axis=0)))
        along, down = crossings[0][:, axis], crossings[1][:, 1 - axis]
        for what, places in (("bit lines", along), ("rows", down)):
            if len(set(np.sign(np.diff(places)))) > 1:
                raise LayoutError(f"{self.stack.path}: {what} of {which} do not lie in the order of their names")
        ohms = [needed(process.layer(place[1]), "sheet_resistance") for place in (below, above)]

        word_regions = [self.wires[below, net] for net in words]
        feeds = [self._feed(region, below, net, axis, along) for region, net in zip(word_regions, words, strict=True)]
        far = np.array([abs(feed - along[-1]) < abs(feed - along[0]) for feed in feeds])
        in_series = np.array([sum(via.ohms for via in self.vias[net]) for net in words])
        word_leads = in_series + [
            ohms[0] * squares(region, axis, feed, int(along[-1] if end else along[0]))
            for region, feed, end in zip(word_regions, feeds, far, strict=True)
        ]
        bit_regions = [self.wires[above, net] for net in bits]
        cells = self._cells(sheet)
        met = [[via.centre for via in self.vias[net] if via.place[0] in (sheet, sheet + 1)] for net in bits]
        ends = [
            (centres[0].x, centres[0].y)[1 - axis] if centres else _edge(region & cells, 1 - axis, down)
            for centres, region in zip(met, bit_regions, strict=True)
        ]
        bit_leads, joints = [], []
        for net, region, end, centres in zip(bits, bit_regions, ends, met, strict=True):
            if end is None or abs(end - down[0]) > abs(end - down[-1]):
                raise LayoutError(f"{self.stack.path}: a bit line of {which} has no neuron cell next to row 0")
            bit_leads.append(ohms[1] * squares(region, 1 - axis, end, int(down[0])))
            if centres:
                cell = _edge(region & cells, 1 - axis, down)
                up = sum(via.ohms for via in self.vias[net] if via.place[0] == sheet + 1)
                joints.append(up if cell is None else ohms[1] * squares(region, 1 - axis, cell, end))
        word_traces = _traces(word_regions, axis, along, down, word_leads)
        bit_traces = _traces(bit_regions, 1 - axis, down, along, np.array(bit_leads))
        gaps = [np.abs(np.diff(places)) / 1e9 for places in (along, down)]
        return DrawnTile(
            sheet=sheet,
            device=name,
            axis=axis,
            words=word_traces,
            bits=bit_traces,
            fed_far=far,
            word_segments=np.mean([line_resistance(ohms[0], gaps[0], trace.width) for trace in word_traces], axis=0),
            bit_segments=np.mean([line_resistance(ohms[1], gaps[1], trace.width) for trace in bit_traces], axis=0),
            vias=in_series[in_series > 0],
            joints=np.array(joints),
            steps=(float(gaps[0].mean()), float(gaps[1].mean()) if len(gaps[1]) else 0.0),
        )

    def _nets(
        self, table: dict[str, tuple[int, int]] | dict[str, tuple[int, int, int]], layer: int, part: slice
    ) -> list[int]:
        """Nets of a layer's lines whose row or column is in ``part``, in their order; missing ones are left out."""
        return [
            self.net[name]
            for name, where in table.items()
            if where[0] == layer and part.start <= where[1] < part.stop and name in self.net
        ]

    def _feed(self, region: kdb.Region, place: Place, net: int, axis: int, along: Ints) -> int:
        """Where along its axis a word line is fed, nm."""
        vias = [via for via in self.vias[net] if via.place == place]
        if vias:
            return int((vias[0].centre.x, vias[0].centre.y)[axis])
        low, high = _reach(region, axis)
        return low if int(along.min()) - low > high - int(along.max()) else high

    def _cells(self, sheet: int) -> kdb.Region:
        """The neuron cells of a sheet."""
        cells = kdb.Region()
        for place in self.stack.places("cell"):
            if place[0] == sheet:
                cells += self.stack.region(place)
        return cells

    def _read_vias(self) -> dict[int, list[_Via]]:
        """All vias of every net."""
        vias: dict[int, list[_Via]] = defaultdict(list)
        for place in self.stack.places("via"):
            low, high = self.stack.between(place)
            if low is None or high is None:
                continue
            layer, landing = self.stack.process.layer(place[1]), self.stack.process.layer(high[1])
            rho = needed(landing, "sheet_resistance") * landing.thickness.value
            if layer.sheet_resistance is not None:
                rho = layer.sheet_resistance.value * layer.thickness.value
            search = kdb.Shapes()
            for (where, net), region in self.wires.items():
                for polygon in region.each() if where == high else ():
                    search.insert(kdb.PolygonWithProperties(polygon, {0: net}))
            for via in self.stack.region(place).each():
                centre, ohms = via.bbox().center(), rho * layer.thickness.value / (via.area() * 1e-18)
                for shape in search.each_touching(kdb.Box(centre, centre)):
                    if shape.polygon.inside(centre):
                        vias[int(shape.property(0))].append(_Via(place=high, centre=centre, ohms=ohms))
        return vias


def squares(region: kdb.Region, axis: int, start: int, stop: int) -> float:
    """Squares of a line between two places along it, nm: ``∫ dx / W(x)``."""
    low, high = sorted((start, stop))
    corners = {(point.x, point.y)[axis] for polygon in region.each() for point in polygon.each_point_hull()}
    cuts = sorted({low, high, *(at for at in corners if low < at < high)})
    return sum((b - a) ** 2 / _area(region, axis, a, b) for a, b in itertools.pairwise(cuts))


def needed(layer: ProcessLayer, what: str) -> float:
    """A value of a process layer that a formula cannot do without."""
    quantity: Quantity | None = getattr(layer, what)
    if quantity is None:
        raise LayoutError(f"layer {layer.name} of the process has no {what}; extraction needs it, give it a value")
    return quantity.value


def _traces(regions: list[kdb.Region], axis: int, crossings: Ints, across: Ints, leads: Floats) -> tuple[Trace, ...]:
    first, last = int(crossings.min()), int(crossings.max())
    if first == last:
        first, last = first - 500, last + 500
    found = []
    for region, at, lead in zip(regions, across.tolist(), leads.tolist(), strict=True):
        low, high = _reach(region, axis)
        width = _area(region, axis, first, last) / (last - first)
        found.append(Trace(width=width / 1e9, across=at / 1e9, ends=(low / 1e9, high / 1e9), lead=lead))
    return tuple(found)


def _edge(overlap: kdb.Region, axis: int, down: Ints) -> int | None:
    """Where along its axis a bit line meets its cell, nm; ``None`` without one."""
    if overlap.is_empty():
        return None
    low, high = _reach(overlap, axis)
    return high if high <= int(down.min()) else low


def _reach(region: kdb.Region, axis: int) -> tuple[int, int]:
    box = region.bbox()
    return ((box.left, box.right), (box.bottom, box.top))[axis]


def _area(region: kdb.Region, axis: int, start: int, stop: int) -> int:
    """Of what lies between two places along a line, nm2."""
    box = region.bbox()
    window = kdb.Box(start, box.bottom, stop, box.top) if axis == 0 else kdb.Box(box.left, start, box.right, stop)
    return int((region & kdb.Region(window)).area())
