"""The netlist of a mask file, extracted by KLayout's layout-to-netlist engine from geometry alone.

Conductors and vias that touch are nets; a net is called by the text labels that lie on it, all of them where several
do, and has no name where none does. A device is what KLayout's extractor calls a plate capacitor: where the device
layer lies between the conductor below and the one above, the overlap of the three is one two-terminal device, with the
area of the overlap. A neuron cell is a black box whose pins are the nets that it covers or that cover it.

Where the process gives the ink of the devices a sheet resistance, a shape of the device layer away from crossings that
joins one net below to one net above is a resistor in the plane. Its squares are measured on the polygon between the
edges of the two lines: with area ``A``, ``W`` the mean length of the two edges at which it meets them, and ``n``
corners, the strip's centre line is ``A / W`` long and turns ``k = (n - 4) / 2`` right angles, so

    N = A / W**2 - k · (2 / pi) ln 2

(:mod:`snn2circuit.layout.meander`). That holds for a strip of one width, whose outline is ``2·A / W + 2·W`` long; a
shape with another outline has no number of squares here. On bitmaps, where edges lie up to half a pixel off, every leg
has a width of its own: there the squares of the legs are added up, from corner to corner, and the corners as above.
"""

from __future__ import annotations

import itertools
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
    mask: str  # process layer
    box: tuple[int, int, int, int]  # nm
    nets: frozenset[int]


@noun
class ExtractedNetlist:
    """What the masks connect."""

    nets: tuple[tuple[str, ...], ...]  # names on each net, sorted; none for a net without a label
    devices: ExtractedDevices
    cells: tuple[ExtractedCell, ...]
    wires: tuple[tuple[Place, int, kdb.Region], ...]  # conductor, net, shapes
    bare_vias: tuple[tuple[Place, int, kdb.Region], ...]  # via layer, net, shapes: of nets that have no conductor
    stack: MaskStack  # what was read

    @property
    def slack(self) -> int:
        """Within what outlines of devices are known, nm; 0 where their edges are exact."""
        return self.stack.slack(*(layer.name for layer in self.stack.process.device_layers))

    def net_place(self, net: int) -> tuple[Place, tuple[int, int, int, int]]:
        """The first mask that a net is printed with, and the outline of all its conductors, nm."""
        shapes = [(place, region) for place, owner, region in (*self.wires, *self.bare_vias) if owner == net]
        box = kdb.Box()
        for _, region in shapes:
            box += region.bbox()
        return shapes[0][0], (box.left, box.bottom, box.right, box.top)


def extract_netlist(stack: MaskStack) -> ExtractedNetlist:
    """Read nets, devices and cells from masks."""
    kinds = [layer.name for layer in stack.process.device_layers]
    engine = kdb.LayoutToNetlist(kdb.RecursiveShapeIterator(stack.database, stack.top, []))
    engine.threads = 1
    layers = {
        place: engine.make_polygon_layer(stack.index(place), f"{place[1]}_{place[0]}")
        for place in stack.places("conductor", "via")
    }
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
    conductors, vias = stack.places("conductor"), stack.places("via")
    wires = tuple(
        (place, index, shapes)
        for index, net in enumerate(found)
        for place in conductors
        if not (shapes := engine.shapes_of_net(net, layers[place], True)).is_empty()
    )
    wired = {net for _, net, _ in wires}
    bare_vias = tuple(
        (place, index, shapes)
        for index, net in enumerate(found)
        for place in (() if index in wired else vias)
        if not (shapes := engine.shapes_of_net(net, layers[place], True)).is_empty()
    )
    return ExtractedNetlist(
        nets=tuple(tuple(sorted(net.name.split(LABELS))) if net.name else () for net in found),
        devices=_devices(_patches(stack, wires, kinds), list(_resistors(stack, wires, kinds))),
        cells=_cells(stack, wires),
        wires=wires,
        bare_vias=bare_vias,
        stack=stack,
    )


def _devices(patches: Ints, resistors: list[_Row]) -> ExtractedDevices:
    strips = np.array([row[:-1] for row in resistors], dtype=np.int64).reshape(-1, 11)
    table = np.concatenate([patches, strips])
    return ExtractedDevices(
        sheets=table[:, 0],
        planes=table[:, 1],
        below=table[:, 2],
        above=table[:, 3],
        areas=table[:, 4],
        places=table[:, 5:7],
        feet=table[:, 7:9],
        ends=table[:, 9:],
        squares=np.array([0.0] * len(patches) + [row[-1] for row in resistors]),
    )


def _patches(stack: MaskStack, wires: _Wires, kinds: list[str]) -> Ints:
    """Where a device layer covers crossings: each overlap of the three is a device between the nets that cross."""
    tables = [np.empty((0, 11), dtype=np.int64)]
    for sheet, name in stack.places("device"):
        below, above = stack.between((sheet, name))
        if below is None or above is None:
            continue
        overlaps = stack.crossings(below, above) & stack.region((sheet, name))
        boxes = _outlines(overlaps)
        areas = np.fromiter((overlap.area() for overlap in overlaps.each()), dtype=np.int64)
        centres = (boxes[:, :2] + boxes[:, 2:]) // 2  # where KLayout has the centre of a box
        nets = [_nets_at(wires, place, overlaps, centres) for place in (below, above)]
        where = np.full(len(boxes), sheet), np.full(len(boxes), kinds.index(name))
        tables.append(np.column_stack([*where, *nets, areas, centres, centres, centres]))
    return np.concatenate(tables)


def _resistors(stack: MaskStack, wires: _Wires, kinds: list[str]) -> Iterator[_Row]:
    for sheet, name in stack.places("device"):
        below, above = stack.between((sheet, name))
        if stack.process.layer(name).sheet_resistance is None or below is None or above is None:
            continue
        crossings = stack.crossings(below, above)
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
                yield (
                    sheet,
                    kinds.index(name),
                    foot_net,
                    end_net,
                    body.area(),
                    *at,
                    _squares(body, foot, end, stack.slack(name)),
                )


def _squares(body: kdb.Polygon, foot: kdb.Polygon, end: kdb.Polygon, slack: int) -> float:
    """Of a strip between its lines, by the formula; not a number where it is none of one width, to within ``slack``."""
    sides = kdb.Region(body).edges()
    ends = [(sides & kdb.Region(contact).edges()) for contact in (foot, end)]
    width, corners = sum(edges.length() for edges in ends) / 2, (body.num_points() - 4) // 2
    if not width:
        return math.nan
    if abs(body.perimeter() - 2 * body.area() / width - 2 * width) <= 1:
        return float(body.area() / width**2 - corners * (1 - CORNER))
    return _legs(body, ends, width, slack) if slack else math.nan


def _legs(body: kdb.Polygon, ends: list[kdb.Edges], width: float, slack: int) -> float:
    """Squares of a strip whose legs differ in width by no more than ``slack``, from its two sides corner by corner.

    Both sides of a strip turn together, so the n-th corner of one lies across the n-th of the other, and the two span
    the square in which the strip turns.
    """
    points = [(point.x, point.y) for point in body.each_point_hull()]
    rims = [[edge.bbox() for edge in edges.each()] for edges in ends]
    if any(len(rim) != 1 for rim in rims):
        return math.nan
    at = [index for index, point in enumerate(points) if rims[0][0].contains(kdb.Point(*point))]
    if len(at) != 2 or len(points) % 2:
        return math.nan
    first = at[1] if at == [0, len(points) - 1] else at[0]
    points = points[first + 1 :] + points[: first + 1]  # from one end of the foot round to the other
    half = len(points) // 2
    pairs = list(zip(points[:half], points[half:][::-1], strict=True))
    squares = CORNER * (half - 2)
    for (one, two), (left, right) in itertools.pairwise(pairs):
        along = 0 if one[1] == left[1] else 1
        if two[1 - along] != right[1 - along] or one[1 - along] != left[1 - along]:
            return math.nan
        across = abs(one[1 - along] - two[1 - along])
        if abs(across - width) > 2 * slack:
            return math.nan
        low, high = sorted((sorted((one[along], two[along])), sorted((left[along], right[along]))))
        squares += (high[0] - low[1]) / across
    return squares


def _outlines(region: kdb.Region) -> Ints:
    """Boxes around the shapes of a region, in its order: ``(shapes, 4)``, nm: left, bottom, right, top."""
    boxes = (polygon.bbox() for polygon in region.each())
    corners = ((box.left, box.bottom, box.right, box.top) for box in boxes)
    return np.fromiter(corners, dtype=np.dtype((np.int64, 4)))


def _nets_at(wires: _Wires, place: Place, overlaps: kdb.Region, centres: Ints) -> Ints:
    """Net of the conductor under each of ``overlaps``, which lie on it; their ``centres`` are ``(overlaps, 2)``.

    Most conductors are boxes, most overlaps too. Those are looked up by their centre, all under one box at once: of the
    centres in order of x and in order of y, the shorter run that the box spans. What remains goes by the largest
    shared area.
    """
    found = np.full(len(centres), -1)
    orders = [np.argsort(centres[:, axis], kind="stable") for axis in (0, 1)]
    ranked = [centres[order, axis] for axis, order in enumerate(orders)]
    for net, box in _conductor_boxes(wires, place):
        lows, highs = (box.left, box.bottom), (box.right, box.top)
        runs = [np.searchsorted(ranked[axis], (lows[axis], highs[axis] + 1)) for axis in (0, 1)]
        axis = int(np.argmin([stop - start for start, stop in runs]))
        near = orders[axis][slice(*runs[axis])]
        across = centres[near, 1 - axis]
        found[near[(across >= lows[1 - axis]) & (across <= highs[1 - axis])]] = net
    if (found >= 0).all() and overlaps.non_rectangles().is_empty():
        return found
    search = by_net(wires, place)
    for at, overlap in enumerate(overlaps.each()):
        if found[at] < 0 or not overlap.is_box():
            found[at] = _net_under(search, overlap)
    return found


def _conductor_boxes(wires: _Wires, place: Place) -> Iterator[tuple[int, kdb.Box]]:
    """The boxes that the shapes of a conductor fall into, each with its net; slanted pieces are left out."""
    for where, net, shapes in wires:
        if where == place:
            for piece in shapes.decompose_trapezoids_to_region().each():
                if piece.is_box():
                    yield net, piece.bbox()


def _net_under(shapes: kdb.Shapes, overlap: kdb.Polygon) -> int:
    """Net of the conductor that has most in common with an overlap on it."""
    near = shapes.each_touching(overlap.bbox())
    shared = [((kdb.Region(shape.polygon) & kdb.Region(overlap)).area(), int(shape.property(0))) for shape in near]
    return max(shared, key=lambda each: each[0])[1]


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
            outer = box.left, box.bottom, box.right, box.top
            cells.append(ExtractedCell(sheet=sheet, mask=name, box=outer, nets=nets))
    return tuple(cells)
