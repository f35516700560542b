"""The netlist of a mask file, extracted by KLayout's layout-to-netlist engine from geometry alone.

Conductors and vias that touch are nets; a net is called by the text labels that lie on it, all of them where several
do, and has no name where none does. A device is recognised as KLayout recognises a plate capacitor: where the device
layer lies between the conductor below and the one above, the overlap of the three is one two-terminal device, with the
area of the overlap. A neuron cell is a black box whose pins are the nets that it covers or that cover it.

Where the process gives the ink of the devices a sheet resistance, a shape of the device layer away from crossings that
joins one net below to one net above is a resistor in the plane. Its squares are measured on the polygon between the
edges of the two lines: with area ``A``, ``W`` the mean length of the two edges at which it meets them, and ``n``
corners, the strip's centre line is ``A / W`` long and turns ``k = (n - 4) / 2`` right angles, so

    N = A / W**2 - k · (2 / pi) ln 2

(:mod:`snn2circuit.layout.meander`). That holds for a strip of one width, whose outline is ``2·A / W + 2·W`` long; a
shape with another outline has no number of squares here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import klayout.db as kdb
import numpy as np

from snn2circuit.ir.noun import Floats, Ints, freeze, noun
from snn2circuit.layout.meander import CORNER
from snn2circuit.layout.signoff.stack import MaskStack, Place

LABELS = ","  # what KLayout puts between the labels of one net
FIELDS = ("sheets", "planes", "below", "above", "areas", "places", "feet", "ends")

_Wires = tuple[tuple[Place, int, kdb.Region], ...]
_Row = tuple[int, int, int, int, int, int, int, int, int, int, int, float]  # the columns of ExtractedDevices, in order


@noun
class ExtractedDevices:
    """Every device found, one entry each."""

    sheets: Ints  # (devices,), from 1
    planes: Ints  # (devices,), which of the process's device layers, from 0: below or above the bit lines
    below: Ints  # (devices,), net of the conductor below
    above: Ints  # (devices,), net of the conductor above
    areas: Ints  # (devices,), nm2: of the crossing that a patch fills, of a resistor between its lines
    places: Ints  # (devices, 2), nm, centre of a crossing, or of a resistor's outline
    feet: Ints  # (devices, 2), nm, where it meets the line below
    ends: Ints  # (devices, 2), nm, where it meets the line above
    squares: Floats  # (devices,), of a resistor; 0 for a patch, not a number for a shape that is no strip of one width

    def __post_init__(self) -> None:
        for name in FIELDS:
            freeze(self, name, np.int64)
        freeze(self, "squares", np.float64)


@noun
class ExtractedCell:
    """One neuron cell and the nets that touch it."""

    sheet: int
    box: tuple[int, int, int, int]  # nm
    nets: frozenset[int]


@noun
class ExtractedNetlist:
    """What the masks connect."""

    nets: tuple[tuple[str, ...], ...]  # names on each net, sorted; none for a net without a label
    devices: ExtractedDevices
    cells: tuple[ExtractedCell, ...]
    patches: dict[tuple[int, int], Ints]  # per sheet and plane (shapes, 4): outlines of the device layer's shapes, nm
    wires: tuple[tuple[Place, int, kdb.Region], ...]  # conductor, net, shapes

    def net_box(self, net: int) -> tuple[int, int, int, int]:
        """Outline of a net's conductors, nm."""
        box = kdb.Box()
        for _, owner, region in self.wires:
            if owner == net:
                box += region.bbox()
        return box.left, box.bottom, box.right, box.top


def extract_netlist(stack: MaskStack) -> ExtractedNetlist:
    """Read nets, devices and cells from masks."""
    kinds = [layer.name for layer in stack.process.device_layers]
    engine = kdb.LayoutToNetlist(kdb.RecursiveShapeIterator(stack.database, stack.top, []))
    engine.threads = 1
    layers = {
        place: engine.make_polygon_layer(stack.index(place), f"{place[1]}_{place[0]}")
        for place in stack.places("conductor", "via", "device")
    }
    for place in stack.places("device"):
        _recognise(engine, stack, layers, place)
    for place in stack.places("conductor"):
        texts = engine.make_text_layer(stack.index(place), f"{place[1]}_{place[0]}_labels")
        engine.connect(layers[place])
        engine.connect(layers[place], texts)
    for place in stack.places("via"):
        engine.connect(layers[place])
        for neighbour in stack.between(place):
            if neighbour is not None:
                engine.connect(layers[place], layers[neighbour])
    engine.extract_netlist()

    circuit = engine.netlist().circuit_by_name(stack.top.name)
    found = list(circuit.each_net()) if circuit else []
    number = {net.cluster_id: index for index, net in enumerate(found)}
    conductors = stack.places("conductor")
    wires = tuple(
        (place, index, shapes)
        for index, net in enumerate(found)
        for place in conductors
        if not (shapes := engine.shapes_of_net(net, layers[place], True)).is_empty()
    )
    return ExtractedNetlist(
        nets=tuple(tuple(sorted(net.name.split(LABELS))) if net.name else () for net in found),
        devices=_devices(circuit, number, kinds, _resistors(stack, wires, kinds)),
        cells=_cells(stack, wires),
        patches={
            (sheet, kinds.index(name)): np.array(
                [[b.left, b.bottom, b.right, b.top] for b in (p.bbox() for p in stack.region((sheet, name)).each())],
                dtype=np.int64,
            ).reshape(-1, 4)
            for sheet, name in stack.places("device")
        },
        wires=wires,
    )


def _recognise(engine: kdb.LayoutToNetlist, stack: MaskStack, layers: dict[Place, kdb.Region], place: Place) -> None:
    below, above = stack.between(place)
    if below is None or above is None:
        return
    sheet, name = place
    plates: dict[str, kdb.ShapeCollection] = {}
    for terminal, conductor in (("P1", below), ("P2", above)):
        plate = layers[place] & layers[conductor]
        engine.register(plate, f"{name}_{sheet}_{terminal}")
        engine.connect(plate)
        engine.connect(plate, layers[conductor])
        plates[terminal] = plate
    engine.extract_devices(kdb.DeviceExtractorCapacitor(f"{sheet} {name}", 1.0), plates)


def _devices(
    circuit: kdb.Circuit | None, number: dict[int, int], kinds: list[str], resistors: Iterator[_Row]
) -> ExtractedDevices:
    rows: list[_Row] = []
    for device in circuit.each_device() if circuit else ():
        below, above = (number[device.net_for_terminal(end).cluster_id] for end in (0, 1))
        at = round(device.trans.disp.x * 1e3), round(device.trans.disp.y * 1e3)
        area = round(device.parameter("A") * 1e6)
        sheet, kind = device.device_class().name.split(" ")
        rows.append((int(sheet), kinds.index(kind), below, above, area, *at, *at, *at, 0.0))
    rows += resistors
    table = np.array([row[:-1] for row in rows], dtype=np.int64).reshape(-1, 11)
    return ExtractedDevices(
        sheets=table[:, 0],
        planes=table[:, 1],
        below=table[:, 2],
        above=table[:, 3],
        areas=table[:, 4],
        places=table[:, 5:7],
        feet=table[:, 7:9],
        ends=table[:, 9:],
        squares=np.array([row[-1] for row in rows]),
    )


def _resistors(stack: MaskStack, wires: _Wires, kinds: list[str]) -> Iterator[_Row]:
    for sheet, name in stack.places("device"):
        below, above = stack.between((sheet, name))
        if stack.process.layer(name).sheet_resistance is None or below is None or above is None:
            continue
        crossings = stack.region(below) & stack.region(above)
        lines = [by_net(wires, place) for place in (below, above)]
        for strip in stack.region((sheet, name)).not_overlapping(crossings).each():
            shape = kdb.Region(strip)
            met = [
                (int(wire.property(0)), contact)
                for line in lines
                for wire in line.each_overlapping(strip.bbox())
                for contact in (shape & kdb.Region(wire.polygon)).each()
            ]
            if len(met) == 2:
                (foot_net, foot), (end_net, end) = met
                bodies = shape - kdb.Region([foot, end])
                (body,) = bodies.interacting(kdb.Region(foot)).interacting(kdb.Region(end)).each()
                box, low, high = strip.bbox().center(), foot.bbox().center(), end.bbox().center()
                at = (box.x, box.y, low.x, low.y, high.x, high.y)
                yield (sheet, kinds.index(name), foot_net, end_net, body.area(), *at, _squares(body, foot, end))


def _squares(body: kdb.Polygon, foot: kdb.Polygon, end: kdb.Polygon) -> float:
    """Of a strip between its lines, by the formula; not a number where it is none of one width."""
    sides = kdb.Region(body).edges()
    met = [(sides & kdb.Region(contact).edges()).length() for contact in (foot, end)]
    width, corners = sum(met) / 2, (body.num_points() - 4) // 2
    if not width or abs(body.perimeter() - 2 * body.area() / width - 2 * width) > 1:
        return math.nan
    return float(body.area() / width**2 - corners * (1 - CORNER))


def by_net(wires: _Wires, place: Place) -> kdb.Shapes:
    """The shapes of a conductor, each with the number of its net as property 0."""
    found = kdb.Shapes()
    for where, net, shapes in wires:
        if where == place:
            for polygon in shapes.each():
                found.insert(kdb.PolygonWithProperties(polygon, {0: net}))
    return found


def _cells(stack: MaskStack, wires: _Wires) -> tuple[ExtractedCell, ...]:
    """Cells with the nets of the conductors below and above that overlap them."""
    cells = []
    for sheet, name in stack.places("cell"):
        search = [by_net(wires, place) for place in stack.between((sheet, name)) if place is not None]
        for cell in stack.region((sheet, name)).each():
            outline, box = kdb.Region(cell), cell.bbox()
            nets = frozenset(
                int(shape.property(0))
                for shapes in search
                for shape in shapes.each_overlapping(box)
                if not (outline & kdb.Region(shape.polygon)).is_empty()
            )
            cells.append(ExtractedCell(sheet=sheet, box=(box.left, box.bottom, box.right, box.top), nets=nets))
    return tuple(cells)
