"""Design rule check: KLayout's region engine against the rule deck of a process, on masks read back from their file.

Every check of :data:`CHECKS` turns one rule on one sheet into markers: boxes where the rule is broken, with the
value measured there if there is one. Markers of a rule that touch are one violation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import klayout.db as kdb

from snn2circuit.ir.layout import Process
from snn2circuit.ir.noun import noun
from snn2circuit.layout.signoff.deck import Rule, rule_deck
from snn2circuit.layout.signoff.stack import MaskStack, Place, read_masks

Marker = tuple[kdb.Box, float | None]  # where, and the length or share measured there


@noun
class Violation:
    """One place where a rule is broken."""

    rule: str
    sheet: int  # from 1
    box: tuple[int, int, int, int]  # nm: x0, y0, x1, y1
    measured: float | None  # nm, or a share for density; None where the rule measures nothing
    text: str  # what the rule asks for


@noun
class DrcReport:
    """What a design rule check found."""

    process: str
    rules: tuple[Rule, ...]
    sheets: int
    violations: tuple[Violation, ...]  # in the order of the rules, then of the sheets

    @property
    def clean(self) -> bool:
        """No violation."""
        return not self.violations

    def counts(self) -> dict[str, int]:
        """Violations of each rule that was checked, 0 included."""
        counts = dict.fromkeys((rule.name for rule in self.rules), 0)
        for violation in self.violations:
            counts[violation.rule] += 1
        return counts


def check_rules(path: Path, process: Process) -> DrcReport:
    """Check the mask file ``path`` against every rule of ``process``.

    Raises:
        LayoutError: the file is none of the process, or the process's rules contradict each other.
    """
    return check_stack(read_masks(path, process))


def check_stack(stack: MaskStack) -> DrcReport:
    """:func:`check_rules` of masks that are read already."""
    rules = rule_deck(stack.process)
    return DrcReport(
        process=stack.process.name,
        rules=rules,
        sheets=stack.sheets,
        violations=tuple(
            violation
            for rule in rules
            for sheet in stack.sheet_numbers
            if _has_shapes(stack, sheet, rule)
            for violation in _violations(rule, sheet, CHECKS[rule.check](stack, sheet, rule))
        ),
    )


def _has_shapes(stack: MaskStack, sheet: int, rule: Rule) -> bool:
    """Whether a sheet has what a rule speaks of: most stacks leave layers of their process unused."""
    masks = [rule.layer, rule.other] if rule.check.startswith("crossover") else [rule.layer]
    return rule.check == "plane" or not any(stack.is_empty((sheet, name)) for name in masks)


def _violations(rule: Rule, sheet: int, markers: Iterable[Marker]) -> Iterator[Violation]:
    found = list(markers)
    spots = kdb.Region()
    for box, _ in found:
        spots.insert(box.enlarged(1, 1))
    spots = spots.merged()
    for spot in sorted((spot.bbox() for spot in spots.each()), key=lambda box: (box.left, box.bottom)):
        values = [value for box, value in found if value is not None and box.inside(spot)]
        worst = (max if rule.check in ("density", "sheet") else min)(values, default=None)
        box = spot.enlarged(-1, -1)
        yield Violation(
            rule=rule.name,
            sheet=sheet,
            box=(box.left, box.bottom, box.right, box.top),
            measured=worst,
            text=rule.text,
        )


# --- checks ---------------------------------------------------------------------------------------


def _pairs(pairs: kdb.EdgePairs) -> Iterator[Marker]:
    return ((pair.bbox(), float(pair.distance())) for pair in pairs.each())


def _areas(region: kdb.Region) -> Iterator[Marker]:
    return ((polygon.bbox(), None) for polygon in region.each_merged())


def _width(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    return _pairs(stack.region((sheet, rule.layer)).width_check(rule.limit))


def _space(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    return _pairs(stack.region((sheet, rule.layer)).space_check(rule.limit))


def _density(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    frame = stack.top.bbox()
    columns, rows = (max(1, -(-length // rule.limit)) for length in (frame.width(), frame.height()))
    step = kdb.Vector(-(-frame.width() // columns), -(-frame.height() // rows))
    lines = stack.region((sheet, rule.layer))
    for row, areas in enumerate(_rasterize(lines, frame.p1, step, columns, rows)):
        for column, area in enumerate(areas):
            share = area / (step.x * step.y)
            if share > rule.extra:
                corner = frame.p1 + kdb.Vector(column * step.x, row * step.y)
                yield kdb.Box(corner, corner + step), share


def _rasterize(region: kdb.Region, origin: kdb.Point, step: kdb.Vector, columns: int, rows: int) -> list[list[float]]:
    return region.rasterize(origin, step, columns, rows)


def _via_size(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    for polygon in stack.region((sheet, rule.layer)).each():
        box = polygon.bbox()
        if (box.width(), box.height()) != (rule.limit, rule.limit):
            off = max((box.width(), box.height()), key=lambda length: abs(length - rule.limit))
            yield box, float(off)


def _enclosed(inner: kdb.Region, outer: kdb.Region, margin: int) -> Iterator[Marker]:
    """Where ``outer`` does not enclose ``inner`` by ``margin``: parts left bare, and edges too close."""
    grown = inner.sized(margin)
    suspects = grown.interacting(
        grown - outer
    )  # few: the edge-based check takes long where ``outer`` is one large shape
    if suspects.is_empty():
        return
    near = outer & suspects.sized(margin)
    yield from _areas((inner & suspects) - near)
    yield from _pairs((inner & suspects).enclosed_check(near, margin))


def _landing(stack: MaskStack, sheet: int, rule: Rule, side: int) -> Iterator[Marker]:
    pads = stack.between((sheet, rule.layer))[side]
    vias = stack.region((sheet, rule.layer))
    return _areas(vias) if pads is None else _enclosed(vias, stack.region(pads), rule.limit)


def _clear(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    devices, lines = stack.region((sheet, rule.layer)), stack.region((sheet, rule.other))
    return _pairs(devices.separation_check(lines, rule.limit))


def _crossings(stack: MaskStack, sheet: int, layer: str) -> kdb.Region:
    """Where the conductors around a device layer cross."""
    low, high = stack.between((sheet, layer))
    if low is None or high is None:
        return kdb.Region()
    return stack.region(low) & stack.region(high)


def _overlap(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    patches = stack.region((sheet, rule.layer))
    return _enclosed(_crossings(stack, sheet, rule.layer).interacting(patches), patches, rule.limit)


def _stray(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    patches = stack.region((sheet, rule.layer))
    return _areas(patches.not_interacting(_crossings(stack, sheet, rule.layer)))


def _resistors(stack: MaskStack, sheet: int, layer: str) -> tuple[kdb.Region, tuple[kdb.Region, ...]]:
    """What a device layer prints away from crossings, and the conductors that it may join."""
    lines = tuple(stack.region(place) for place in stack.between((sheet, layer)) if place is not None)
    return stack.region((sheet, layer)).not_overlapping(_crossings(stack, sheet, layer)), lines


def _join(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    strips, lines = _resistors(stack, sheet, rule.layer)
    joined = strips
    for line in lines:
        joined = joined.covering((joined & line).merged(), 1, 1)
    return _areas(strips - joined)


def _notch(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    return _pairs(stack.region((sheet, rule.layer)).notch_check(rule.limit))


def _contact(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    """Where a resistor ends too early: what lies off the edge of a line that it covers, and is not covered."""
    strips, lines = _resistors(stack, sheet, rule.layer)
    for line in lines:
        contacts = (strips & line).merged()
        rims = contacts.edges() & line.edges()
        yield from _areas(contacts - contacts.interacting(rims, 2))  # it ends on the line
        yield from _areas(rims.extended_out(rule.limit) - strips)


def _fillings(stack: MaskStack, sheet: int, rule: Rule) -> list[Place]:
    """The masks between the two conductors of a rule."""
    names = [layer.name for layer in stack.process.layers]
    between = names[names.index(rule.layer) + 1 : names.index(rule.other)]
    return [(sheet, name) for name in between]


def _crossed(stack: MaskStack, sheet: int, rule: Rule) -> tuple[kdb.Region, kdb.Region]:
    """Where two conductors cross with no via and no third one in between, and everything that insulates them."""
    crossings = stack.region((sheet, rule.layer)) & stack.region((sheet, rule.other))
    insulation = kdb.Region()
    for place in _fillings(stack, sheet, rule):
        role = stack.process.layer(place[1]).role
        if role == "via":
            crossings = crossings.not_interacting(stack.region(place))
        elif role == "conductor":
            crossings -= stack.region(place)
        else:
            insulation += stack.region(place)
    return crossings, insulation.merged()


def _crossover(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    crossings, insulation = _crossed(stack, sheet, rule)
    return _areas(crossings - insulation)


def _crossover_margin(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    crossings, insulation = _crossed(stack, sheet, rule)
    return _enclosed(crossings & insulation, insulation, rule.limit)


def _plane(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    seen = kdb.Region()
    for place in _fillings(stack, sheet, rule):
        here = stack.region(place)
        yield from _areas(here & seen)
        seen += here


def _edge(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    base = kdb.Region()
    for layer in stack.process.layers:
        if layer.role == "substrate":
            base += stack.region((sheet, layer.name))
    return _enclosed(stack.region((sheet, rule.layer)), base.merged(), rule.limit)


def _grid(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    found = stack.region((sheet, rule.layer)).grid_check(rule.limit, rule.limit)
    return ((pair.bbox(), None) for pair in found.each())


def _sheet(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    for polygon in stack.region((sheet, rule.layer)).each():
        short, long = sorted((polygon.bbox().width(), polygon.bbox().height()))
        if long > rule.limit or short > rule.extra:
            yield polygon.bbox(), float(long if long > rule.limit else short)


CHECKS: dict[str, Callable[[MaskStack, int, Rule], Iterator[Marker]]] = {
    "width": _width,
    "space": _space,
    "density": _density,
    "via_size": _via_size,
    "landing_below": lambda stack, sheet, rule: _landing(stack, sheet, rule, 0),
    "landing_above": lambda stack, sheet, rule: _landing(stack, sheet, rule, 1),
    "clear": _clear,
    "overlap": _overlap,
    "stray": _stray,
    "join": _join,
    "notch": _notch,
    "contact": _contact,
    "crossover": _crossover,
    "crossover_margin": _crossover_margin,
    "plane": _plane,
    "edge": _edge,
    "grid": _grid,
    "sheet": _sheet,
}
