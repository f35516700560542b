"""Masks compared with the plan, shape by shape: what is missing, cut, narrowed, moved or added.

Layers that carry no net (substrate, dielectric, encapsulation, cells) and devices must be as planned. Of conductors and
vias, what is planned must be there; what they have beyond that is a matter of the circuit, which
:mod:`snn2circuit.layout.signoff.lvs` judges, so a line that is wider than planned is none here.

A shape is a polygon of touching boxes. Lost and added pieces come from boolean operations on merged regions, and only
where there are some are shapes looked at one by one. A planned shape that is gone and a found one of the same outline
that is not planned are one shape that was moved. A layer that is gone, moved, turned, mirrored or put in another's
place as a whole is one difference.

Edges of formats that do not hold whole nanometres may lie off by the masks' tolerance: pieces that are nowhere wider
are none. Vias are compared by the squares around them, because formats draw circles with different corners.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Literal

import klayout.db as kdb
import numpy as np

from snn2circuit.ir.layout import ProcessLayer
from snn2circuit.ir.noun import noun
from snn2circuit.layout.signoff.planned import Box, Owner, Planned
from snn2circuit.layout.signoff.stack import MaskStack, Place

How = Literal["missing", "moved", "cut", "narrowed", "added"]

MOST = 1000  # differences of one mask that are reported one by one
ROUND = 0.99 * math.pi / 4  # least share of its square that a via fills
TURNS = {
    kdb.Trans.R90: "turned by 90 degrees",
    kdb.Trans.R180: "turned by 180 degrees",
    kdb.Trans.R270: "turned by 270 degrees",
    kdb.Trans.M0: "mirrored top to bottom",
    kdb.Trans.M90: "mirrored left to right",
    kdb.Trans.M45: "turned by 90 degrees and mirrored",
    kdb.Trans.M135: "turned by 270 degrees and mirrored",
}


@noun
class Difference:
    """One shape, piece or whole layer that is not as planned."""

    how: How
    sheet: int  # from 1
    mask: str  # process layer
    box: Box  # nm: in the masks if it was added, in the plan if not
    text: str
    owner: Owner
    whole: bool = False  # the whole mask is missing


def compare_shapes(stack: MaskStack, planned: Planned, describe: Callable[[str], str] = str) -> tuple[Difference, ...]:
    """Every difference of the masks from the plan, sheet by sheet in printing order; ``describe`` explains a net."""
    sheets = max(stack.sheets, len(planned.layout.sheets))
    return tuple(
        difference
        for sheet in range(1, sheets + 1)
        for layer in stack.process.layers
        for difference in _Comparison(stack, planned, (sheet, layer.name), describe).differences()
    )


def find_bridges(stack: MaskStack, planned: Planned) -> Iterator[tuple[Place, Box, set[str]]]:
    """Metal that is not planned, piece by piece: its mask, where it is, and the planned nets that it touches."""
    for place in stack.places("conductor", "via"):
        added = _wide(stack.region(place) - planned.region(place), stack.slack(place[1]))
        around = (place, *(stack.between(place) if stack.process.layer(place[1]).role == "via" else ()))
        for piece in itertools.islice(added.each(), MOST):
            at = piece.bbox()
            box = at.left, at.bottom, at.right, at.top
            yield place, box, {net for each in around if each for net in planned.owner(each, box).nets}


class _Comparison:
    """One mask and its plan."""

    def __init__(self, stack: MaskStack, planned: Planned, place: Place, describe: Callable[[str], str]) -> None:
        self.planned, self.place, self.describe = planned, place, describe
        layer: ProcessLayer = stack.process.layer(place[1])
        self.tolerance = stack.slack(layer.name)
        self.carries_nets = layer.role in ("conductor", "via")
        self.drawn = planned.region(place)
        self.found = _squares(stack.region(place), self.tolerance) if layer.role == "via" else stack.shapes(place)

    def differences(self) -> Iterator[Difference]:
        if self.drawn.is_empty():
            if not self.found.is_empty() and not self.carries_nets:
                yield self.tell("added", self.found.bbox(), "is printed, but nothing is planned on it")
            return
        if self.found.is_empty():
            yield self.tell("missing", self.drawn.bbox(), "is missing, nothing is printed on it", whole=True)
            return
        if self.wide(self.drawn ^ self.found).is_empty():
            return
        self.drawn, self.found = self.drawn.merged(), self.found.merged()
        lost, added = self.wide(self.drawn - self.found), self.wide(self.found - self.drawn)
        if lost.is_empty() and self.carries_nets:
            return
        many = 4 * lost.count() >= self.drawn.count()
        if many and (what := self.as_a_whole()) is not None:
            yield self.tell("moved", self.drawn.bbox(), what)
            return
        pieces = self.pieces(lost, added)
        yield from itertools.islice(pieces, MOST)
        more = lost.count() + (0 if self.carries_nets else added.count()) - MOST
        if more > 0:
            box = (lost if self.carries_nets else lost + added).bbox()
            yield self.tell("cut", box, f"has about {more:,} more differences at {_at(box)}")

    def wide(self, region: kdb.Region) -> kdb.Region:
        return _wide(region, self.tolerance)

    def tell(self, how: How, box: kdb.Box, what: str, *, whole: bool = False, owner: Owner | None = None) -> Difference:
        sheet, name = self.place
        owner = owner or Owner()
        said = owner.text(self.describe)
        return Difference(
            how=how,
            sheet=sheet,
            mask=name,
            box=(box.left, box.bottom, box.right, box.top),
            text=f"{name} of sheet {sheet} {what}" + (f": {said}" if said else ""),
            owner=owner,
            whole=whole,
        )

    def tell_shape(self, how: How, at: kdb.Box, what: str) -> Difference:
        """:meth:`tell` of something at ``at``, with what is planned there."""
        owner = self.planned.owner(self.place, (at.left, at.bottom, at.right, at.top))
        return self.tell(how, at, what, owner=owner)

    def same(self, one: kdb.Region, other: kdb.Region) -> bool:
        a, b = one.bbox(), other.bbox()
        apart = max(abs(a.left - b.left), abs(a.bottom - b.bottom), abs(a.right - b.right), abs(a.top - b.top))
        return apart <= self.tolerance and bool(self.wide(one ^ other).is_empty())

    def as_a_whole(self) -> str | None:
        """What was done to all of the mask, if that is all."""
        wanted, has = self.drawn.bbox(), self.found.bbox()
        away = has.p1 - wanted.p1
        if away.length() and self.same(self.drawn.moved(away), self.found):
            return f"is moved by ({away.x}, {away.y}) nm, all of it"
        for turn, said in TURNS.items():
            turned = self.drawn.transformed(kdb.Trans(turn, 0, 0))
            if self.same(turned.moved(has.p1 - turned.bbox().p1), self.found):
                return f"is {said}, all of it"
        for sheet, name in self.planned.masks:
            other = self.planned.region((sheet, name))
            if (sheet, name) != self.place and self.same(other, self.found):
                return f"is printed with the shapes of {name} of sheet {sheet}"
        return None

    def pieces(self, lost: kdb.Region, added: kdb.Region) -> Iterator[Difference]:
        """Moved shapes, then lost pieces, then added ones."""
        hit, fresh = self.drawn.overlapping(lost), self.found.overlapping(added)
        moved = kdb.Region()  # both where they should be and where they are
        for shape, (dx, dy) in self.moved(hit, fresh):
            moved.insert(shape)
            moved.insert(shape.moved(dx, dy))
            yield self.tell_shape("moved", shape.bbox(), f"at {_at(shape.bbox())} is moved by ({dx}, {dy}) nm")
        shapes, prints = _lookup(hit), _lookup(self.found.interacting(hit))
        for piece in (lost if moved.is_empty() else self.wide(lost - moved)).each():
            shape = _over(shapes, piece)
            rest = kdb.Region(shape) & kdb.Region([each.polygon for each in prints.each_overlapping(shape.bbox())])
            yield self.lost_piece(piece.bbox(), shape.bbox(), self.wide(rest))
        if self.carries_nets:
            return
        shapes = _lookup(self.drawn.interacting(added))
        for piece in (added if moved.is_empty() else self.wide(added - moved)).each():
            box = piece.bbox()
            beside = sum(
                not (kdb.Region(each.polygon).interacting(kdb.Region(piece))).is_empty()
                for each in shapes.each_touching(box)
            )
            if beside > 1:
                what = f"has an added piece at {_at(box)} that joins {beside} shapes"
            elif beside:
                what = f"has an added piece at {_at(box)}, beside a planned shape"
            else:
                what = f"has a shape at {_at(box)} that is not planned"
            yield self.tell_shape("added", box, what)

    def lost_piece(self, piece: kdb.Box, shape: kdb.Box, rest: kdb.Region) -> Difference:
        """A piece of a planned shape that is not printed; ``rest`` is what is printed of the shape."""
        at, box = _at(shape), rest.bbox()
        if rest.is_empty():
            return self.tell_shape("missing", shape, f"at {at} is missing")
        if rest.count() > 1:
            return self.tell_shape("cut", piece, f"at {at} is cut into {rest.count()} pieces at {_at(piece)}")
        if (box.width(), box.height()) != (shape.width(), shape.height()):
            size = f"{box.width()} by {box.height()} nm, planned is {shape.width()} by {shape.height()} nm"
            return self.tell_shape("narrowed", piece, f"at {at} is {size}; missing is {_at(piece)}")
        return self.tell_shape("cut", piece, f"at {at} lacks a piece at {_at(piece)}")

    def moved(self, hit: kdb.Region, fresh: kdb.Region) -> Iterator[tuple[kdb.Polygon, tuple[int, int]]]:
        """Planned shapes that were printed elsewhere, and by how much; the nearest of equal outline is taken."""
        prints = list(fresh.each())
        boxes = np.array([[b.left, b.bottom, b.right, b.top] for b in (each.bbox() for each in prints)])
        boxes = boxes.reshape(-1, 4)
        free = np.ones(len(boxes), dtype=bool)
        for shape in itertools.islice(hit.each(), MOST):
            box = shape.bbox()
            away = boxes - [box.left, box.bottom, box.right, box.top]
            fits = free & (np.abs(away[:, :2] - away[:, 2:]).max(axis=1, initial=0) <= self.tolerance)
            at = np.flatnonzero(fits)
            for nearest in at[np.argsort(np.abs(away[at, :2]).sum(axis=1), kind="stable")][:4]:
                dx, dy = away[nearest, :2].tolist()
                if self.same(kdb.Region(shape.moved(dx, dy)), kdb.Region(prints[nearest])):
                    free[nearest] = False
                    yield shape, (dx, dy)
                    break


def _wide(region: kdb.Region, tolerance: int) -> kdb.Region:
    """The parts of ``region`` that are wider than ``tolerance``."""
    half = (tolerance + 1) // 2
    return region.sized(-half).sized(half) if half else region.merged()


def _squares(vias: kdb.Region, tolerance: int) -> kdb.Region:
    """The square around every via; a via with a hole or a cut stays as it is."""
    squares = kdb.Region()
    for via in vias.each():
        box = via.bbox()
        is_full = via.area() + via.perimeter() * tolerance >= ROUND * box.area() and not via.holes()
        squares.insert(kdb.Polygon(box) if is_full else via)
    return squares


def _lookup(region: kdb.Region) -> kdb.Shapes:
    shapes = kdb.Shapes()
    shapes.insert(region)
    return shapes


def _over(shapes: kdb.Shapes, piece: kdb.Polygon) -> kdb.Polygon:
    """The shape that ``piece`` is a part of."""
    candidates: list[kdb.Polygon] = [each.polygon for each in shapes.each_overlapping(piece.bbox())]
    return next(each for each in candidates if not (kdb.Region(each) & kdb.Region(piece)).is_empty())


def _at(box: kdb.Box) -> str:
    return f"({box.left}, {box.bottom}) to ({box.right}, {box.top}) nm"
