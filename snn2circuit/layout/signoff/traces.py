r"""The lines of a crossbar as they lie on the masks: where they run, how wide they are, where they are fed.

A *trace* is one line on one sheet. It is straight, so its resistance between two points is ``Rs ∫ dx / W(x)``, with the
width ``W`` of its shapes at every ``x`` along it; how current spreads where the width changes is left out. A word line
is fed through the via that lands on it, or where there is none at its end, beyond whichever of its outermost crossings
it reaches further: a contact finger, with the contact where it is at its worst. A bit line leaves row 0 and ends at the
edge of its neuron cell, or where vias join it to the bit lines of other tiles of its layer, at these; from there the
joined lines go on to the next sheet or to the cell. Resistors in the plane meet their lines beside the crossing, each
according to its length; the mean of these places stands for it, each with the weight of its conductance, as that is the
share of the current that it draws.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence

import klayout.db as kdb
import numpy as np

from snn2circuit.errors import LayoutError
from snn2circuit.ir.crossbar import CrossbarNetwork, Tile
from snn2circuit.ir.layout import ProcessLayer
from snn2circuit.ir.noun import Bools, Floats, Ints, noun
from snn2circuit.ir.parts import Quantity
from snn2circuit.layout.signoff.extract import ExtractedNetlist, by_net
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
    """The crossbar of one tile as it lies on its sheet, or of two that share bit lines."""

    sheet: int  # from 1
    planes: tuple[str, ...]  # process layers of its devices: below the bit lines, above them
    axis: int  # along which word lines run: 0 for x
    rows: Ints  # (rows,), of the layer, from the neurons outwards
    columns: tuple[int, int]  # of the layer, first and behind the last
    words: tuple[Trace, ...]  # in the order of ``rows``
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

    def read(self, number: int, tiles: Sequence[Tile]) -> list[DrawnTile]:
        """The crossbars that the ``tiles`` of layer ``number`` (from 1) make; those on one sheet share bit lines.

        Raises:
            LayoutError: a row has no device, bit lines lie in another order than their names, or a value is missing.
        """
        by_sheet: dict[int, list[Tile]] = defaultdict(list)
        for tile in tiles:
            by_sheet[self._sheet(number, tile)].append(tile)
        return [self._read(number, sheet, together) for sheet, together in by_sheet.items()]

    def _sheet(self, number: int, tile: Tile) -> int:
        words, bits = self._words(number, tile), self._bits(number, tile)
        devices = self.found.devices
        mine = (np.isin(devices.below, words) & np.isin(devices.above, bits)) | (
            np.isin(devices.below, bits) & np.isin(devices.above, words)
        )
        if not mine.any():
            raise LayoutError(
                f"{self.stack.path}: the masks hold no device of layer {number}, rows {tile.rows.start} to "
                f"{tile.rows.stop - 1}"
            )
        return int(devices.sheets[mine][0])

    def _read(self, number: int, sheet: int, tiles: Sequence[Tile]) -> DrawnTile:
        devices, process = self.found.devices, self.stack.process
        words = [net for tile in tiles for net in self._words(number, tile)]
        bits = self._bits(number, tiles[0])
        rows = np.concatenate([np.arange(tile.rows.start, tile.rows.stop) for tile in tiles])
        which = f"layer {number}, rows {rows[0]} to {rows[-1]}"
        here, upwards = devices.sheets == sheet, np.isin(devices.below, words)
        at_word = np.where(upwards, devices.below, devices.above)
        at_bit = np.where(upwards, devices.above, devices.below)
        mine = np.flatnonzero(here & np.isin(at_word, words) & np.isin(at_bit, bits))
        if len(rows) != len(words) or not np.isin(words, at_word[mine]).all():
            raise LayoutError(f"{self.stack.path}: a row of {which} has no device")
        # Patches have no squares; they all meet their lines at the crossing itself.
        shares = 1 / np.where(devices.squares > 0, devices.squares, 1)
        crossings = [
            np.rint(
                [
                    np.average(met[here], axis=0, weights=shares[here])
                    for here in (mine[ends[mine] == net] for net in nets)
                ]
            ).astype(np.int64)
            for met, ends, nets in ((devices.feet, at_bit, bits), (devices.ends, at_word, words))
        ]
        axis = int(np.argmax(np.ptp(devices.feet[mine[at_word[mine] == words[0]]], axis=0)))
        along, down = crossings[0][:, axis], crossings[1][:, 1 - axis]
        if len(set(np.sign(np.diff(along)))) > 1:
            raise LayoutError(f"{self.stack.path}: bit lines of {which} do not lie in the order of their names")
        kinds = [layer.name for layer in process.device_layers]
        planes = [int(devices.planes[mine[at_word[mine] == net]][0]) for net in words]
        sides = {plane: self._between(sheet, kinds[plane]) for plane in set(planes)}
        above = sides[planes[0]][1 if planes[0] == 0 else 0]
        word_places = [sides[plane][0 if plane == 0 else 1] for plane in planes]

        bit_regions, cells = [self.wires[above, net] for net in bits], self._cells(sheet)
        met = [[via.centre for via in self.vias[net] if via.place[0] in (sheet, sheet + 1)] for net in bits]
        ends: list[int] = []
        for region, centres in zip(bit_regions, met, strict=True):
            end = (centres[0].x, centres[0].y)[1 - axis] if centres else _edge(region & cells, 1 - axis, down)
            if end is None:
                raise LayoutError(f"{self.stack.path}: a bit line of {which} has neither a neuron cell nor a via")
            ends.append(end)
        order = np.argsort(np.abs(down - ends[0]), kind="stable")
        words, word_places, rows, down = (
            [words[at] for at in order], [word_places[at] for at in order], rows[order], down[order],
        )  # fmt: skip

        bit_ohms = needed(process.layer(above[1]), "sheet_resistance")
        bit_leads, joints = [], []
        for net, region, end, centres in zip(bits, bit_regions, ends, met, strict=True):
            bit_leads.append(bit_ohms * squares(region, 1 - axis, end, int(down[0])))
            if centres:
                cell = _edge(region & cells, 1 - axis, down)
                joints.append(self._up(net, above) if cell is None else bit_ohms * squares(region, 1 - axis, cell, end))
        word_regions = [self.wires[place, net] for place, net in zip(word_places, words, strict=True)]
        word_ohms = [needed(process.layer(place[1]), "sheet_resistance") for place in word_places]
        feeds = [
            self._feed(region, place, net, axis, along)
            for region, place, net in zip(word_regions, word_places, words, strict=True)
        ]
        far = np.array([abs(feed - along[-1]) < abs(feed - along[0]) for feed in feeds])
        in_series = np.array([self._below(net, place) for place, net in zip(word_places, words, strict=True)])
        word_leads = in_series + [
            ohms * squares(region, axis, feed, int(along[-1] if end else along[0]))
            for region, ohms, feed, end in zip(word_regions, word_ohms, feeds, far, strict=True)
        ]
        word_traces = _traces(word_regions, axis, along, down, word_leads)
        bit_traces = _traces(bit_regions, 1 - axis, down, along, np.array(bit_leads))
        gaps = [np.abs(np.diff(places)) / 1e9 for places in (along, down)]
        return DrawnTile(
            sheet=sheet,
            planes=tuple(kinds[plane] for plane in sorted(set(planes))),
            axis=axis,
            rows=rows,
            columns=(tiles[0].columns.start, tiles[0].columns.stop),
            words=word_traces,
            bits=bit_traces,
            fed_far=far,
            word_segments=np.mean(
                [
                    line_resistance(ohms, gaps[0], trace.width)
                    for ohms, trace in zip(word_ohms, word_traces, strict=True)
                ],
                axis=0,
            ),
            bit_segments=np.mean([line_resistance(bit_ohms, gaps[1], trace.width) for trace in bit_traces], axis=0),
            vias=in_series[in_series > 0],
            joints=np.array(joints),
            steps=(float(gaps[0].mean()), float(gaps[1].mean()) if len(gaps[1]) else 0.0),
        )

    def _between(self, sheet: int, device: str) -> tuple[Place, Place]:
        below, above = self.stack.between((sheet, device))
        if below is None or above is None:
            raise LayoutError(f"process {self.stack.process.name}: {device} does not lie between two conductors")
        return below, above

    def _up(self, net: int, bit_lines: Place) -> float:
        """Vias of a bit line from one sheet's plane of bit lines up to the next one's, ohm."""
        names = [layer.name for layer in self.stack.process.layers]
        start = (bit_lines[0], names.index(bit_lines[1]))
        stop = (start[0] + 1, start[1])
        return sum(via.ohms for via in self.vias[net] if start < (via.place[0], names.index(via.place[1])) <= stop)

    def _below(self, net: int, word_line: Place) -> float:
        """Vias of a word line up to where it runs on a sheet, ohm; others may go on to further column tiles."""
        names = [layer.name for layer in self.stack.process.layers]
        stop = (word_line[0], names.index(word_line[1]))
        return sum(via.ohms for via in self.vias[net] if (via.place[0], names.index(via.place[1])) <= stop)

    def _words(self, number: int, tile: Tile) -> list[int]:
        """Nets of a tile's word lines, in their order; missing ones are left out."""
        layer = self.lines.crossbar.layers[number - 1]
        run = self.lines.runs(number)[bisect_right(layer.column_cuts, tile.columns.start)]
        return [self.net[name] for name in run[tile.rows] if name in self.net]

    def _bits(self, number: int, tile: Tile) -> list[int]:
        """Nets of a tile's bit lines, side by side; missing ones are left out."""
        return [
            self.net[name]
            for name, (layer, column, _) in self.lines.bit.items()
            if layer == number and tile.columns.start <= column < tile.columns.stop and name in self.net
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
            search = by_net(self.found.wires, high)
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
