"""Faults to plant in masks, whatever format they are in: a stack as polygons and labels for each sheet and layer.

A mutation takes such a stack and gives the faulty one. What it does to one mask must be named at that mask; what makes
the same circuit says why it does.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import get_args

import klayout.db as kdb

from snn2circuit.ir.layout import Layout, Process, Role
from snn2circuit.layout.signoff.stack import MaskStack, Place

FAR = 20_000_000  # nm, from everything else


@dataclass(frozen=True)
class Drawn:
    """One mask: its polygons, touching ones merged, from lower left on; and its labels."""

    polygons: tuple[kdb.Polygon, ...] = ()
    labels: tuple[kdb.Text, ...] = ()

    @property
    def region(self) -> kdb.Region:
        return kdb.Region(list(self.polygons))

    def with_region(self, region: kdb.Region) -> Drawn:
        return replace(self, polygons=in_order(region))


Masks = dict[Place, Drawn]
Change = Callable[[tuple[kdb.Polygon, ...], int], kdb.Region]  # polygons of a mask, and which one is meant


@dataclass(frozen=True)
class Mutation:
    """One fault: what it does, the masks of which at least one must be named, and where in them."""

    name: str
    apply: Callable[[Masks], Masks]
    places: frozenset[Place]
    nets: frozenset[str] = frozenset()  # or one of these is named, where only names are wrong
    at: kdb.Box | None = None  # of the shape that is meant
    same: str = ""  # why it is the same circuit


def in_order(region: kdb.Region) -> tuple[kdb.Polygon, ...]:
    polygons = list(region.merged().each())
    return tuple(sorted(polygons, key=lambda each: (each.bbox().left, each.bbox().bottom, each.bbox().right)))


def take_apart(stack: MaskStack) -> Masks:
    """The masks of ``stack`` as data; empty ones are left out."""
    masks = {}
    for place in stack.places(*get_args(Role)):
        if not stack.is_empty(place):
            shapes = stack.top.shapes(stack.index(place)).each(kdb.Shapes.STexts)
            masks[place] = Drawn(in_order(stack.region(place)), tuple(shape.text.dup() for shape in shapes))
    return masks


def put_together(masks: Masks, like: MaskStack) -> MaskStack:
    """A stack of ``masks``, as if read from the file of ``like``."""
    database = kdb.Layout()
    database.dbu = like.database.dbu
    top = database.create_cell(like.top.name)
    for (sheet, name), drawn in masks.items():
        shapes = top.shapes(database.layer(like.process.layer(name).mask, sheet))
        for each in (*drawn.polygons, *drawn.labels):
            shapes.insert(each)
    sheets = max(sheet for (sheet, _), drawn in masks.items() if drawn.polygons)
    return replace(like, database=database, sheets=sheets)


# --- what is done to the shapes of one mask -------------------------------------------------------


def _rest(polygons: tuple[kdb.Polygon, ...], at: int) -> kdb.Region:
    return kdb.Region([each for number, each in enumerate(polygons) if number != at])


def _instead(polygons: tuple[kdb.Polygon, ...], at: int, shape: kdb.Region) -> kdb.Region:
    return _rest(polygons, at) + shape


def _strip(polygon: kdb.Polygon, start: float, end: float) -> kdb.Region:
    """The part of ``polygon``'s outline from a share of its length to another."""
    box = polygon.bbox()
    if box.width() > box.height():
        return kdb.Region(
            kdb.Box(box.left + int(start * box.width()), box.bottom, box.left + int(end * box.width()), box.top)
        )
    return kdb.Region(
        kdb.Box(box.left, box.bottom + int(start * box.height()), box.right, box.bottom + int(end * box.height()))
    )


def delete(polygons: tuple[kdb.Polygon, ...], at: int) -> kdb.Region:
    return _rest(polygons, at)


def delete_all(polygons: tuple[kdb.Polygon, ...], at: int) -> kdb.Region:
    return kdb.Region()


def halve_all(polygons: tuple[kdb.Polygon, ...], at: int) -> kdb.Region:
    half = kdb.Region()
    for each in polygons:
        box = each.bbox()
        half += kdb.Region(each) & kdb.Region(kdb.Box(box.left, box.bottom, box.center().x, box.top))
    return half


def cut_through(polygons: tuple[kdb.Polygon, ...], at: int) -> kdb.Region:
    return _instead(polygons, at, kdb.Region(polygons[at]) - _strip(polygons[at], 0.45, 0.55))


def cut_end(polygons: tuple[kdb.Polygon, ...], at: int) -> kdb.Region:
    return _instead(polygons, at, kdb.Region(polygons[at]) - _strip(polygons[at], 0.9, 1.0))


def hole(polygons: tuple[kdb.Polygon, ...], at: int) -> kdb.Region:
    piece = max(kdb.Region(polygons[at]).decompose_trapezoids_to_region().each(), key=lambda each: each.area()).bbox()
    middle = piece.enlarged(-(piece.width() * 2 // 5), -(piece.height() * 2 // 5))
    return _instead(polygons, at, kdb.Region(polygons[at]) - kdb.Region(middle))


def move(dx: int, dy: int) -> Change:
    return lambda polygons, at: _instead(polygons, at, kdb.Region(polygons[at].moved(dx, dy)))


def move_all(polygons: tuple[kdb.Polygon, ...], at: int) -> kdb.Region:
    return kdb.Region(list(polygons)).moved(15_000, 0)


def shrink(polygons: tuple[kdb.Polygon, ...], at: int) -> kdb.Region:
    return _instead(polygons, at, kdb.Region(polygons[at]).sized(-15_000))


def grow(polygons: tuple[kdb.Polygon, ...], at: int) -> kdb.Region:
    return _instead(polygons, at, kdb.Region(polygons[at]).sized(15_000))


def add(polygons: tuple[kdb.Polygon, ...], at: int) -> kdb.Region:
    corner = kdb.Region(list(polygons)).bbox().p2
    x, y = corner.x + FAR, corner.y + FAR
    return kdb.Region(list(polygons)) + kdb.Region(kdb.Box(x, y, x + 100_000, y + 100_000))


def merge_two(polygons: tuple[kdb.Polygon, ...], at: int) -> kdb.Region:
    if len(polygons) < 2:
        return kdb.Region(list(polygons))
    centre = polygons[at].bbox().center()
    others = [each.bbox().center() for number, each in enumerate(polygons) if number != at]
    nearest = min(others, key=lambda other: abs(other.x - centre.x) + abs(other.y - centre.y))
    return kdb.Region(list(polygons)) + kdb.Region(kdb.Box(centre, nearest).enlarged(20_000, 20_000))


def turn_all(polygons: tuple[kdb.Polygon, ...], at: int) -> kdb.Region:
    return kdb.Region(list(polygons)).transformed(kdb.Trans(kdb.Trans.R90, 0, 0))


def mirror_all(polygons: tuple[kdb.Polygon, ...], at: int) -> kdb.Region:
    centre = kdb.Region(list(polygons)).bbox().center()
    return kdb.Region(list(polygons)).transformed(kdb.Trans(kdb.Trans.M90, 2 * centre.x, 0))


def scale_all(polygons: tuple[kdb.Polygon, ...], at: int) -> kdb.Region:
    return kdb.Region(list(polygons)).transformed(kdb.ICplxTrans(1.02))


SHAPES: dict[str, Change] = {
    "delete the layer": delete_all,
    "delete a shape": delete,
    "halve the layer": halve_all,
    "cut a shape through": cut_through,
    "cut a shape's end off": cut_end,
    "cut a hole": hole,
    "move by 1 nm": move(1, 0),
    "move by a drop": move(0, 15_000),
    "move by a pitch": move(240_000, 0),
    "move the layer by a drop": move_all,
    "shrink a shape": shrink,
    "grow a shape": grow,
    "add a shape": add,
    "merge two": merge_two,
    "turn the layer": turn_all,
    "mirror the layer": mirror_all,
    "scale the layer": scale_all,
}
ON_ITS_OWN_NET = "what a conductor or via has beyond the plan is on its own net, nothing is joined or lost"


def of_one_mask(masks: Masks, process: Process, place: Place, kinds: tuple[str, ...]) -> Iterator[Mutation]:
    """Each of ``kinds`` done to the middle shape of ``place``; none where it changes nothing.

    On conductors what grows has no device: a line that is wider crosses its devices with a larger area.
    """
    drawn = masks[place]
    carries_nets = process.layer(place[1]).role in ("conductor", "via")
    for kind in kinds:
        at = len(drawn.polygons) // 2
        if carries_nets and kind == "grow a shape":
            if all(_with_devices(masks, process, place)):
                continue
            at = _with_devices(masks, process, place).index(False)
        region = SHAPES[kind](drawn.polygons, at)
        if (region ^ drawn.region).is_empty():
            continue
        changed = drawn.with_region(region)
        yield Mutation(
            name=f"{kind}: {place[1]} of sheet {place[0]}",
            apply=lambda masks, place=place, changed=changed: {**masks, place: changed},
            places=frozenset({place}),
            at=None if "the layer" in kind or kind == "add a shape" else drawn.polygons[at].bbox(),
            same=ON_ITS_OWN_NET if carries_nets and kind == "grow a shape" else "",
        )


# --- what is done to several masks, or to labels --------------------------------------------------


def of_the_stack(masks: Masks, process: Process) -> Iterator[Mutation]:
    """Layers and sheets in each other's place, turned sheets, datatypes off by one, shapes drawn twice."""
    names = [layer.name for layer in process.layers]
    for sheet in sorted({sheet for sheet, _ in masks}):
        own = [name for name in names if (sheet, name) in masks]
        for one, other in itertools.pairwise(own):
            a, b = (sheet, one), (sheet, other)
            yield Mutation(f"swap {one} and {other} of sheet {sheet}", _swapped([(a, b)]), frozenset({a, b}))
        places = frozenset((sheet, name) for name in own)
        yield Mutation(f"turn sheet {sheet}", _turned(sheet), places)
        for name in own[::3]:
            place = sheet, name
            yield Mutation(f"datatype of {name} of sheet {sheet} off by one", _off_by_one(place), frozenset({place}))
        place = sheet, own[0]
        yield Mutation(
            f"draw {own[0]} of sheet {sheet} twice",
            lambda masks, place=place: {
                **masks,
                place: replace(masks[place], polygons=masks[place].polygons + masks[place].polygons),
            },
            frozenset(),
            same="shapes of one mask that lie on each other are one",
        )
    pairs = [((1, name), (2, name)) for name in names]
    yield Mutation("swap sheets 1 and 2", _swapped(pairs), frozenset(place for pair in pairs for place in pair))


def _swapped(pairs: list[tuple[Place, Place]]) -> Callable[[Masks], Masks]:
    def apply(masks: Masks) -> Masks:
        swapped = dict(masks)
        for a, b in pairs:
            swapped[a], swapped[b] = masks.get(b, Drawn()), masks.get(a, Drawn())
        return swapped

    return apply


def _turned(sheet: int) -> Callable[[Masks], Masks]:
    turn = kdb.Trans(kdb.Trans.R90, 0, 0)

    def apply(masks: Masks) -> Masks:
        return {
            place: Drawn(
                in_order(drawn.region.transformed(turn)), tuple(label.transformed(turn) for label in drawn.labels)
            )
            if place[0] == sheet
            else drawn
            for place, drawn in masks.items()
        }

    return apply


def _off_by_one(place: Place) -> Callable[[Masks], Masks]:
    def apply(masks: Masks) -> Masks:
        above = place[0] + 1, place[1]
        there = masks.get(above, Drawn())
        both = Drawn(in_order(masks[place].region + there.region), (*masks[place].labels, *there.labels))
        return {**masks, place: Drawn(), above: both}

    return apply


def _with_devices(masks: Masks, process: Process, place: Place) -> list[bool]:
    """Whether each shape of a conductor has devices on it or under it."""
    devices = kdb.Region()
    for (sheet, name), drawn in masks.items():
        if sheet == place[0] and process.layer(name).role == "device":
            devices += drawn.region
    return [not devices.interacting(kdb.Region(each)).is_empty() for each in masks[place].polygons]


def of_lines(masks: Masks, process: Process) -> Iterator[Mutation]:
    """A line of every conductor, widened: the devices on it are larger than planned."""
    for place in [each for each in masks if process.layer(each[1]).role == "conductor"]:
        polygons = masks[place].polygons
        at = _with_devices(masks, process, place).index(True)
        devices = {each for each in masks if each[0] == place[0] and process.layer(each[1]).role == "device"}
        changed = masks[place].with_region(grow(polygons, at))
        yield Mutation(
            f"widen a line: {place[1]} of sheet {place[0]}",
            lambda masks, place=place, changed=changed: {**masks, place: changed},
            frozenset(devices | {place}),
            at=polygons[at].bbox(),
        )


def of_labels(masks: Masks) -> Iterator[Mutation]:
    """Labels deleted, swapped, renamed, moved: two of each conductor."""
    conductors = [place for place, drawn in masks.items() if drawn.labels]
    for place in conductors:
        first, last = masks[place].labels[0], masks[place].labels[-1]
        nets = frozenset({first.string, last.string})
        if first.string != last.string:
            names = {first.string: last.string, last.string: first.string}
            yield Mutation(f"swap labels on {place}", _renamed(place, names), frozenset(), nets)
        yield Mutation(f"rename a label on {place}", _renamed(place, {first.string: "wl_l99_r7"}), frozenset(), nets)
        gone = {other: _renamed(other, {last.string: None}) for other in conductors}
        yield Mutation(
            f"delete the labels of {last.string}, one is on {place}",
            lambda masks, gone=gone: {p: gone[p](masks)[p] if p in gone else d for p, d in masks.items()},
            frozenset(),
            nets,
        )
        shape = next(each for each in masks[place].polygons if each.inside(kdb.Point(first.x, first.y)))
        corner = next(iter(shape.each_point_hull()))
        moved = kdb.Text(first.string, kdb.Trans(corner.x, corner.y))
        yield Mutation(
            f"move a label on {place}",
            lambda masks, place=place, moved=moved: {
                **masks,
                place: replace(masks[place], labels=(moved, *masks[place].labels[1:])),
            },
            frozenset(),
            same="the label still lies on its conductor",
        )
        if sum(first.string == label.string for other in conductors for label in masks[other].labels) > 1:
            yield Mutation(
                f"delete one label of several on {place}",
                _renamed(place, {first.string: None}),
                frozenset(),
                same="the net has its name from another layer",
            )


def _renamed(place: Place, names: dict[str, str | None]) -> Callable[[Masks], Masks]:
    def apply(masks: Masks) -> Masks:
        labels = [
            kdb.Text(name, label.trans)
            for label in masks[place].labels
            if (name := names.get(label.string, label.string)) is not None
        ]
        return {**masks, place: replace(masks[place], labels=tuple(labels))}

    return apply


def of_devices(masks: Masks, layout: Layout, place: Place) -> Iterator[Mutation]:
    """A device moved by a row, two devices in each other's place, a part of one left out."""
    drawn = masks[place]
    first, other = drawn.polygons[1], drawn.polygons[len(drawn.polygons) // 2]
    devices = layout.sheets[place[0] - 1].devices
    same = devices.rows == devices.rows[0] + 1
    row = kdb.Vector(*(devices.boxes[same][0, :2] - devices.boxes[0, :2]).tolist())
    places = frozenset({place})

    def changed(region: kdb.Region) -> Callable[[Masks], Masks]:
        return lambda masks: {**masks, place: drawn.with_region(region)}

    rest = kdb.Region([each for each in drawn.polygons if each not in (first, other)])
    there = other.bbox().p1 - first.bbox().p1
    swapped = rest + kdb.Region([first.moved(there), other.moved(-there)])
    if not (swapped ^ drawn.region).is_empty():
        yield Mutation(f"swap two devices of {place}", changed(swapped), places, at=first.bbox())
    moved = drawn.region - kdb.Region(first) + kdb.Region(first.moved(row))
    yield Mutation(f"move a device of {place} by a row", changed(moved), places, at=first.bbox())
    box = next(kdb.Region(first).decompose_trapezoids_to_region().each())
    yield Mutation(
        f"leave a box of a device of {place} out", changed(drawn.region - kdb.Region(box)), places, first.bbox()
    )
