"""Design rule check: KLayout's region engine against the rule deck of a process, on masks read back from their file.

Every check of :data:`CHECKS` turns one rule on one sheet into markers: boxes where the rule is broken, with the
value measured there if there is one. Markers of a rule that touch are one violation.

No rule of a process sees a mask that is not printed at all, or covers half of what it should. Where the layout is
there, every layer has a rule more, ``LAYER.plan``: its shapes are the planned ones
(:mod:`snn2circuit.layout.signoff.shapes`).
On bitmaps edges lie up to half a pixel off, so a rule is broken where it is for every place that the edges may have:
limits of lengths are a pixel lower, and areas shrink by half a pixel on every side. Edges that are exact are judged
exactly (:meth:`snn2circuit.layout.signoff.stack.MaskStack.slack`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import klayout.db as kdb

from snn2circuit.ir.layout import Layout, Process
from snn2circuit.ir.noun import noun
from snn2circuit.layout.signoff.deck import Rule, plan_rules, rule_deck
from snn2circuit.layout.signoff.planned import Planned
from snn2circuit.layout.signoff.shapes import compare_shapes
from snn2circuit.layout.signoff.stack import MaskStack, Place, read_masks

Marker = tuple[kdb.Box, float | None]  # where, and the length or share measured there


@noun
class Violation:
    """One place where a rule is broken."""

    rule: str
    sheet: int  # from 1
    box: tuple[int, int, int, int]  # nm: x0, y0, x1, y1
    measured: float | None  # nm, or a share for density; None where the rule measures nothing
    text: str  # what the rule asks for, or what is not as planned


@noun
class DrcReport:
    """What a design rule check found."""

    process: str
    rules: tuple[Rule, ...]
    sheets: int
    violations: tuple[Violation, ...]  # in the order of the rules, then of the sheets
    tolerance: int = 0  # nm, within which lengths are judged: a pixel of a bitmap

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


def check_rules(path: Path, process: Process, layout: Layout | None = None) -> DrcReport:
    """Check the mask file ``path`` against every rule of ``process``, and with ``layout`` against its plan.

    Raises:
        LayoutError: the file is none of the process, or the process's rules contradict each other.
    """
    return check_stack(read_masks(path, process), layout)


def check_stack(stack: MaskStack, layout: Layout | None = None) -> DrcReport:
    """:func:`check_rules` of masks that are read already."""
    rules = rule_deck(stack.process)
    violations = [
        violation
        for rule in rules
        for sheet in stack.sheet_numbers
        if _has_shapes(stack, sheet, rule)
        for violation in _violations(rule, sheet, CHECKS[rule.check](stack, sheet, _loosened(stack, rule)))
    ]
    if layout is not None:
        rules += plan_rules(stack.process)
        violations += _off_plan(stack, layout)
    return DrcReport(
        process=stack.process.name,
        rules=rules,
        sheets=stack.sheets,
        violations=tuple(violations),
        tolerance=stack.tolerance,
    )


def _off_plan(stack: MaskStack, layout: Layout) -> list[Violation]:
    """Violations of the rules ``LAYER.plan``, in the order of the layers, then of the sheets."""
    order = [layer.name for layer in stack.process.layers]
    return [
        Violation(rule=f"{each.mask}.plan", sheet=each.sheet, box=each.box, measured=None, text=each.text)
        for each in sorted(compare_shapes(stack, Planned(layout)), key=lambda each: order.index(each.mask))
    ]


def _loosened(stack: MaskStack, rule: Rule) -> Rule:
    """A rule about a least length, less what the masks leave open; may be below 0."""
    return replace(rule, limit=rule.limit - stack.slack(rule.layer, rule.other)) if rule.check in LENGTHS else rule


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


def _shrunk(region: kdb.Region, slack: int) -> kdb.Region:
    """What of ``region`` is there wherever its edges lie."""
    return region.sized(-(slack + 1) // 2) if slack else region


def _width(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    return _pairs(stack.region((sheet, rule.layer)).width_check(max(0, rule.limit)))


def _space(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    return _pairs(stack.region((sheet, rule.layer)).space_check(max(0, rule.limit)))


def _density(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    frame = stack.top.bbox()
    columns, rows = (max(1, -(-length // rule.limit)) for length in (frame.width(), frame.height()))
    step = kdb.Vector(-(-frame.width() // columns), -(-frame.height() // rows))
    lines = _shrunk(stack.region((sheet, rule.layer)), stack.slack(rule.layer))
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
        if max(abs(length - rule.limit) for length in (box.width(), box.height())) > stack.slack(rule.layer):
            off = max((box.width(), box.height()), key=lambda length: abs(length - rule.limit))
            yield box, float(off)


def _enclosed(inner: kdb.Region, outer: kdb.Region, margin: int) -> Iterator[Marker]:
    """Where ``outer`` does not enclose ``inner`` by ``margin``: parts left bare, and edges too close.

    A margin below 0 is how far ``inner`` may stick out.
    """
    if margin < 0:
        yield from _areas(inner.sized(margin) - outer)
        return
    if outer.is_box() and inner.bbox().enlarged(margin, margin).inside(outer.bbox()):
        return
    grown = inner.sized(margin)
    suspects = grown.interacting(
        grown - outer
    )  # few: the edge-based check takes long where ``outer`` is one large shape
    if suspects.is_empty():
        return
    near = outer & suspects.sized(margin)
    yield from _areas((inner & suspects) - near)
    yield from _pairs((inner & suspects).enclosed_check(near, margin))


def _suspects(inner: kdb.Region, outer: kdb.Region, margin: int) -> kdb.Region:
    """The shapes of ``inner`` that ``outer`` may not enclose by ``margin``: mostly none, so that little is measured."""
    grown = inner.sized(margin)
    return inner.interacting(grown.interacting(grown - outer))


def _landing(stack: MaskStack, sheet: int, rule: Rule, side: int) -> Iterator[Marker]:
    pads = stack.between((sheet, rule.layer))[side]
    vias = stack.region((sheet, rule.layer))
    return _areas(vias) if pads is None else _enclosed(vias, stack.region(pads), rule.limit)


def _clear(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    devices, lines = stack.region((sheet, rule.layer)), stack.region((sheet, rule.other))
    return _pairs(devices.separation_check(lines, max(0, rule.limit)))


def _crossings(stack: MaskStack, sheet: int, layer: str) -> kdb.Region:
    """Where the conductors around a device layer cross."""
    low, high = stack.between((sheet, layer))
    if low is None or high is None:
        return kdb.Region()
    return stack.crossings(low, high)


def _overlap(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    patches = stack.region((sheet, rule.layer))
    suspects = _suspects(_crossings(stack, sheet, rule.layer), patches, rule.limit)
    return _enclosed(suspects.interacting(patches), patches, rule.limit)


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
    return _pairs(stack.region((sheet, rule.layer)).notch_check(max(0, rule.limit)))


def _contact(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    """Where a resistor ends too early: what lies off the edge of a line that it covers, and is not covered."""
    strips, lines = _resistors(stack, sheet, rule.layer)
    for line in lines:
        contacts = (strips & line).merged()
        rims = contacts.edges() & line.edges()
        yield from _areas(contacts - contacts.interacting(rims, 2))  # it ends on the line
        yield from _areas(rims.extended_out(max(0, rule.limit)) - strips)


def _fillings(stack: MaskStack, sheet: int, rule: Rule) -> list[Place]:
    """The masks between the two conductors of a rule."""
    names = [layer.name for layer in stack.process.layers]
    between = names[names.index(rule.layer) + 1 : names.index(rule.other)]
    return [(sheet, name) for name in between]


def _crossed(stack: MaskStack, sheet: int, rule: Rule) -> tuple[kdb.Region, kdb.Region]:
    """What insulates two conductors, and of their crossings with no via and no third one in between the suspects.

    Suspects may lack some insulation within ``rule.limit`` around them.
    """
    fillings = [(place, stack.process.layer(place[1]).role) for place in _fillings(stack, sheet, rule)]
    insulation = kdb.Region()
    for place, role in fillings:
        if role not in ("via", "conductor"):
            insulation += stack.region(place)
    insulation.merge()
    crossings = stack.crossings((sheet, rule.layer), (sheet, rule.other))
    crossings = _suspects(crossings, insulation, rule.limit)
    for place, role in fillings:
        if role == "via":
            crossings = crossings.not_interacting(stack.region(place))
        elif role == "conductor":
            crossings = crossings - stack.region(place)
    return crossings, insulation


def _crossover(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    crossings, insulation = _crossed(stack, sheet, rule)
    solid = [name for _, name in _fillings(stack, sheet, rule) if stack.process.layer(name).role != "via"]
    return _areas(_shrunk(crossings - insulation, stack.slack(rule.layer, rule.other, *solid)))


def _crossover_margin(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    crossings, insulation = _crossed(stack, sheet, rule)
    return _enclosed(crossings & insulation, insulation, rule.limit)


def _plane(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    exact, loose = kdb.Region(), kdb.Region()
    for place in _fillings(stack, sheet, rule):
        here, slack = stack.region(place), stack.slack(place[1])
        yield from _areas(_shrunk(here & exact, slack))
        yield from _areas(_shrunk(here & loose, stack.tolerance))
        if slack:
            loose += here
        else:
            exact += here


def _edge(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    base = kdb.Region()
    for layer in stack.process.layers:
        if layer.role == "substrate":
            base += stack.region((sheet, layer.name))
    return _enclosed(stack.region((sheet, rule.layer)), base.merged(), rule.limit)


def _grid(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    shapes, slack = stack.region((sheet, rule.layer)), stack.slack(rule.layer)
    if not slack:
        yield from ((pair.bbox(), None) for pair in shapes.grid_check(rule.limit, rule.limit).each())
        return
    for edge in shapes.edges().each():
        at = edge.x1 if edge.dx() == 0 else edge.y1
        if 2 * min(at % rule.limit, -at % rule.limit) > slack + 1:
            yield edge.bbox(), None


def _sheet(stack: MaskStack, sheet: int, rule: Rule) -> Iterator[Marker]:
    for polygon in stack.region((sheet, rule.layer)).each():
        short, long = sorted((polygon.bbox().width(), polygon.bbox().height()))
        if long > rule.limit or short > rule.extra:
            yield polygon.bbox(), float(long if long > rule.limit else short)


# Checks of a length that must not be less than the rule's limit.
LENGTHS = frozenset(
    "width space landing_below landing_above clear overlap notch contact crossover_margin edge".split()  # noqa: SIM905
)
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
