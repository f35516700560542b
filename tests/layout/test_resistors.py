"""Stacks of printed resistors: clean, matching, and judged by their conductance; planted faults are found and named."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import klayout.db as kdb
import numpy as np
import pytest
from layout_crossbars import is_shaped, make_crossbar, printed
from mask_edits import Edit, MaskFile, edited

from snn2circuit.analysis.materials import list_materials
from snn2circuit.design import parse_design
from snn2circuit.devices import DEVICES
from snn2circuit.errors import LayoutError
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.layout import Layout
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.connectivity import check_connectivity
from snn2circuit.layout.masks.files import write_masks
from snn2circuit.layout.plan import plan_stack
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.resistors import place_resistors, plan_resistors
from snn2circuit.layout.rules import read_rules
from snn2circuit.layout.signoff.deck import rule_deck
from snn2circuit.layout.signoff.drc import check_rules
from snn2circuit.layout.signoff.lvs import compare_masks
from snn2circuit.layout.signoff.stack import read_masks
from snn2circuit.steps import check_process

PROCESS = PROCESSES["inkjet_resistor"]  # width and space 100, overlay 25, drop grid 15 um; drawn 120, 120, 30


def spread(crossbar: CrossbarNetwork) -> CrossbarNetwork:
    """The same levels by number, but a constant ratio apart: values from a few squares to thousands."""
    levels = np.geomspace(crossbar.levels[0], crossbar.levels[-1], len(crossbar.levels))
    layers = (replace(layer, g_pos=levels[layer.level_pos], g_neg=levels[layer.level_neg]) for layer in crossbar.layers)
    return replace(crossbar, levels=levels, spacing="geometric", layers=tuple(layers))


CROSSBAR = printed(spread(make_crossbar(3, 2, 2, seed=4, process="inkjet_resistor")), "inkjet_resistor")
LAYOUT = build_layout(CROSSBAR, PROCESS)
RULES = read_rules(PROCESS)
UM = 1000
Place = tuple[int, int, int, int]  # layer, row, column, polarity
Box = tuple[int, int, int, int]


@pytest.fixture(scope="module")
def masks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_masks(LAYOUT, tmp_path_factory.mktemp("masks"), ["gds"])[0]


def outline(place: Place) -> Box:
    devices = LAYOUT.sheets[place[0] - 1].devices
    (at,) = (
        (devices.rows == place[1]) & (devices.columns == place[2]) & (devices.polarity == place[3])
    ).nonzero()[0]  # fmt: skip
    x0, y0, _, x1, y1, _ = devices.boxes[at].tolist()
    return x0, y0, x1, y1


def strips(place: Place) -> list[Box]:
    """Foot, first leg, turn, second leg and so on, of a device of the first sheet."""
    (shapes,) = [each for each in LAYOUT.sheets[0].shapes if each.layer == "devices"]
    x0, y0, x1, y1 = outline(place)
    return [
        (a, b, c, d)
        for a, b, _, c, d, _ in shapes.boxes.tolist()
        if x0 <= a and c <= x1 and y0 <= b and d <= y1
    ]  # fmt: skip


def legs_of(place: Place) -> int:
    return len(strips(place)) // 2


FIRST = [(1, row, column, sign) for row in range(4) for column in range(2) for sign in (1, -1)]
LONG = max((place for place in FIRST if place[3] > 0), key=legs_of)
PAIR = next(
    place for place in FIRST if place[3] > 0 and legs_of(place) == legs_of((*place[:3], -1)) == 1 and place[1] < 3
)


def draw(*boxes: Box) -> Edit:
    def edit(masks: MaskFile) -> None:
        for box in boxes:
            masks.add("devices", 1, *box)

    return edit


def erase(box: Box, then: Edit | None = None) -> Edit:
    def edit(masks: MaskFile) -> None:
        masks.erase("devices", 1, kdb.Box(*box))
        if then:
            then(masks)

    return edit


def planted() -> list[tuple[set[str], Edit]]:
    foot, leg, _, second = strips(LONG)[:4]
    middle = (leg[0] + leg[2]) // 2 // (30 * UM) * 30 * UM
    last = strips(LONG)[-1]
    end = strips(PAIR)[-1]  # runs right, under the bit line and beyond
    x0, y0, *_ = outline(LONG)
    line = y0 + 30 * UM  # lower edge of its word line
    free = (x0, line + 3_000 * UM)  # nothing there but in the windows of long devices
    while any(b[0] <= free[0] + 300 * UM and b[2] >= free[0] and b[1] <= free[1] + 300 * UM and b[3] >= free[1]
              for place in FIRST for b in strips(place)):  # fmt: skip
        free = (free[0], free[1] + 300 * UM)
    return [
        ({"devices.width"}, erase((middle, second[1], middle + 300 * UM, second[1] + 60 * UM))),
        ({"devices.notch"}, draw((middle, leg[3], middle + 300 * UM, leg[3] + 45 * UM))),
        ({"devices.contact"}, erase((foot[0], y0, foot[2], line))),
        ({"devices.contact"}, erase((foot[0], y0, foot[2], line + 15 * UM))),
        ({"devices.contact"}, erase((last[2] - 30 * UM, last[1], last[2], last[3]))),
        ({"devices.stray"}, erase((middle, second[1], middle + 300 * UM, second[3]))),
        ({"devices.stray"}, erase((foot[0], y0, foot[2], line + 165 * UM))),
        ({"devices.stray"}, draw((middle, y0, middle + 120 * UM, leg[1]))),
        ({"devices.stray"}, draw((free[0], free[1], free[0] + 150 * UM, free[1] + 150 * UM))),
        ({"devices.grid"}, draw((middle, second[1], middle + 301 * UM, second[3] + 1))),
        ({"devices.space"}, draw((end[2], end[1], end[2] + 15 * UM, end[3]))),
        (
            {"devices.clear.word_lines"},
            draw((leg[0] + 240 * UM, leg[1] - 105 * UM, leg[0] + 360 * UM, leg[1])),
        ),
    ]  # fmt: skip


PLANTED = planted()


def test_every_rule_of_a_resistor_is_among_the_planted() -> None:
    patched = {rule.name for rule in rule_deck(PROCESSES["inkjet"])}
    new = {rule.name for rule in rule_deck(PROCESS)} - patched
    assert new == {"devices.width", "devices.notch", "devices.contact"}
    assert new | {"devices.stray", "devices.space", "devices.clear.word_lines"} <= set.union(*(n for n, _ in PLANTED))


@pytest.mark.parametrize("at", range(len(PLANTED)), ids=lambda at: f"{at}-{min(PLANTED[at][0])}")
def test_a_planted_violation_is_found_and_nothing_else(at: int, masks: Path, tmp_path: Path) -> None:
    expected, edit = PLANTED[at]
    report = check_rules(edited(masks, tmp_path / "planted.gds", edit), PROCESS)
    assert {violation.rule for violation in report.violations} == expected


def said(place: Place) -> str:
    return f"device of layer {place[0]}, row {place[1]}, column {place[2]}, polarity {'+' if place[3] > 0 else '-'}"


def redraw(masks: MaskFile, place: Place, shape: kdb.Region) -> None:
    masks.erase("devices", place[0], kdb.Box(*outline(place)))
    masks.shapes("devices", place[0]).insert(shape)


def shape_of(place: Place, siemens: float | None = None) -> kdb.Region:
    """What a device of the first sheet looks like, or would if it had another conductance."""
    if siemens is None:
        return kdb.Region([kdb.Polygon(kdb.Box(*box)) for box in strips(place)]).merged()
    resistors = plan_resistors(CROSSBAR, PROCESS, RULES)
    (sheet_plan,) = [each for each in plan_stack(CROSSBAR, RULES, resistors).sheets if each.layer == 0]
    assert resistors is not None
    assert sheet_plan.window is not None
    side = np.array([int(place[3] < 0)])
    drawn = place_resistors(resistors, sheet_plan.window, np.array([siemens]), side, RULES)
    u = int(sheet_plan.columns[place[2]]) + place[3] * -RULES.pitch // 2
    v = int(sheet_plan.rows[place[1]])
    return kdb.Region([kdb.Polygon(kdb.Box(*box)) for box in (drawn.boxes + np.array([u, v, u, v])).tolist()]).merged()


def siemens(place: Place) -> float:
    pair = CROSSBAR.layers[place[0] - 1].programmed
    return float(pair[int(place[3] < 0)][place[1], place[2]])


SHORT = (1, 0, 0, -1)  # three legs
OTHER = (1, 1, 0, -1)  # nine legs


def exchanged(masks: MaskFile) -> None:
    redraw(masks, SHORT, shape_of(SHORT, siemens(OTHER)))
    redraw(masks, OTHER, shape_of(OTHER, siemens(SHORT)))


def narrowed(place: Place) -> Edit:
    return lambda masks: redraw(masks, place, shape_of(place).sized(-15 * UM))


def bridged(masks: MaskFile) -> None:
    _, leg, _, second = strips(LONG)[:4]
    x = (leg[0] + leg[2]) // 2
    masks.add("devices", 1, x, leg[3], x + 120 * UM, second[1])


def without_a_leg(masks: MaskFile) -> None:
    """Three legs become one: the first, straight on to the bit line."""
    foot, leg = strips(SHORT)[:2]
    x0 = outline(SHORT)[0]
    shape = kdb.Region(kdb.Box(*foot)) + kdb.Region(kdb.Box(x0, leg[1], leg[2], leg[3]))
    redraw(masks, SHORT, shape.merged())


def wider_inside(masks: MaskFile) -> None:
    _, leg = strips(SHORT)[:2]
    x = (leg[0] + leg[2]) // 2
    masks.add("devices", 1, x, leg[3], x + 300 * UM, leg[3] + 15 * UM)


def resized(place: Place, factor: float) -> Edit:
    return lambda masks: redraw(masks, place, shape_of(place, siemens(place) * factor))


def one_step_off(place: Place) -> Edit:
    """The leg that leaves the foot, and the foot with it, one step of the drop grid shorter."""
    ink = PROCESS.layer("devices").sheet_resistance
    assert ink is not None
    shorter = 1 / (siemens(place) * ink.value) - 15 / 120
    return lambda masks: redraw(masks, place, shape_of(place, 1 / (shorter * ink.value)))


MUTATIONS: list[tuple[Edit, tuple[str, ...]]] = [
    (exchanged, tuple(f"{said(place)} has" for place in (SHORT, OTHER))),
    (narrowed(LONG), (f"{said(LONG)} has",)),
    (narrowed(SHORT), (f"{said(SHORT)} has",)),
    (without_a_leg, (f"{said(SHORT)} has", "the crossbar has")),
    (bridged, (f"{said(LONG)} is no strip of one width",)),
    (wider_inside, (f"{said(SHORT)} is no strip of one width",)),
    (resized(LONG, 1.01), (f"{said(LONG)} has", ": +1 %")),
    (resized(LONG, 0.999), (f"{said(LONG)} has",)),
    (resized(SHORT, 1.02), (f"{said(SHORT)} has",)),
    (one_step_off(SHORT), (f"{said(SHORT)} has",)),
    (one_step_off(LONG), (f"{said(LONG)} has",)),
    (lambda masks: masks.erase("devices", 1, kdb.Box(*outline(LONG))), (f"{said(LONG)} is missing",)),
    (PLANTED[5][1], (f"{said(LONG)} is missing",)),
    (lambda masks: masks.add("devices", 1, *outline(PAIR)) and None, (said(PAIR),)),
]


CONDUCTANCES = range(6, 11)  # those that are resized or one step off


@pytest.mark.parametrize("at", range(len(MUTATIONS)))
def test_a_mutation_is_caught_and_named(at: int, masks: Path, tmp_path: Path) -> None:
    edit, wanted = MUTATIONS[at]
    report = compare_masks(edited(masks, tmp_path / "mutated.gds", edit), LAYOUT, CROSSBAR)
    texts = [fault.text for fault in report.faults]
    for text in wanted:
        assert any(text in each for each in texts), texts
    named = next(fault for fault in report.faults if wanted[0] in fault.text)
    if at in CONDUCTANCES:
        assert named.kind == "conductance"
    assert (named.layer, named.row, named.column, named.polarity) != (None, None, None, None)


def test_a_conductance_is_what_the_masks_have_not_what_was_wanted(masks: Path, tmp_path: Path) -> None:
    path = edited(masks, tmp_path / "mutated.gds", resized(LONG, 1.01))
    measured = compare_masks(path, LAYOUT, CROSSBAR).conductances
    assert measured is not None
    pair, wanted = np.stack(measured[0]), np.stack(CROSSBAR.layers[0].programmed)
    at = int(LONG[3] < 0), LONG[1], LONG[2]
    assert pair[at] / wanted[at] == pytest.approx(1.01, rel=1e-3)
    pair[at] = wanted[at]
    np.testing.assert_allclose(pair, wanted, rtol=1e-11)


def test_the_editor_itself_breaks_nothing(masks: Path, tmp_path: Path) -> None:
    def edit(file: MaskFile) -> None:
        for place in (SHORT, LONG):
            redraw(file, place, shape_of(place, siemens(place)))

    path = edited(masks, tmp_path / "same.gds", edit)
    assert compare_masks(path, LAYOUT, CROSSBAR).match
    assert check_rules(path, PROCESS).clean


@pytest.mark.parametrize(
    ("sizes", "tile_rows", "bias", "mode", "process"),
    [
        ((2, 1), 0, True, "auto", "aerosol_jet_resistor"),
        ((1, 1), 0, False, "auto", "inkjet_resistor"),
        ((5, 4, 3), 2, True, "auto", "inkjet_resistor"),
        ((6, 4, 3), 3, True, "staircase", "aerosol_jet_resistor"),
        ((3, 6, 2, 4), 0, False, "isolated", "aerosol_jet_resistor"),
    ],
)
def test_every_stack_is_clean_and_matches_and_gives_the_same_bytes(
    sizes: tuple[int, ...], tile_rows: int, bias: bool, mode: str, process: str, tmp_path: Path
) -> None:
    crossbar = printed(spread(make_crossbar(*sizes, bias=bias, tile_rows=tile_rows, process=process)), process, mode)
    layout = build_layout(crossbar, PROCESSES[process], mode)
    assert check_connectivity(layout, crossbar).devices == crossbar.devices
    paths = []
    for name in "ab":
        (tmp_path / name).mkdir()
        paths += write_masks(build_layout(crossbar, PROCESSES[process], mode), tmp_path / name, ["gds"])
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert check_rules(paths[0], PROCESSES[process]).violations == ()
    report = compare_masks(paths[0], layout, crossbar)
    assert report.faults == ()
    assert report.devices == crossbar.devices
    assert report.conductance_error is not None
    assert report.conductance_error < 1e-11
    assert report.conductances is not None
    for layer, measured in zip(crossbar.layers, report.conductances, strict=True):
        np.testing.assert_allclose(measured, layer.programmed, rtol=1e-11)

    bill = list_materials(layout, crossbar)
    stack = read_masks(paths[0], PROCESSES[process])
    for each in bill.prints:
        if each.layer == "devices":
            assert each.area * 1e18 == pytest.approx(stack.region((each.sheet, each.layer)).area(), rel=1e-12)
    for sheet, crossovers in enumerate(bill.crossovers, start=1):
        crossings = stack.region((sheet, "word_lines")) & stack.region((sheet, "bit_lines"))
        assert crossovers == crossings.not_interacting(stack.region((sheet, "contacts"))).count()


def change_strips(change: Callable[[np.ndarray], np.ndarray]) -> Layout:
    sheet = LAYOUT.sheets[0]
    shapes = tuple(
        replace(each, boxes=change(each.boxes.copy()), nets=np.full(len(change(each.boxes.copy())), -1))
        if each.layer == "devices"
        else each
        for each in sheet.shapes
    )
    return replace(LAYOUT, sheets=(replace(sheet, shapes=shapes), *LAYOUT.sheets[1:]))


def test_connectivity_knows_strips() -> None:
    (shapes,) = [each for each in LAYOUT.sheets[0].shapes if each.layer == "devices"]
    foot = strips(LONG)[0]
    at = [tuple(box) for box in shapes.boxes[:, [0, 1, 3, 4]].tolist()].index(foot)

    def drop(boxes: np.ndarray) -> np.ndarray:
        return np.delete(boxes, at, axis=0)

    def lift(boxes: np.ndarray) -> np.ndarray:
        boxes[at, 4] -= 240_000
        return boxes

    for change in (drop, lift):
        with pytest.raises(LayoutError, match=rf"{said(LONG).replace('+', '[+]')} touches no word line"):
            check_connectivity(change_strips(change), CROSSBAR)
    with pytest.raises(LayoutError, match="sheet 1 has 1 pieces in the plane of devices that are no device"):
        check_connectivity(change_strips(drop), CROSSBAR)


def test_only_printed_resistors_in_a_resistive_ink_are_meanders() -> None:
    def told(device: str, process: str) -> str:
        layout = build_layout(replace(CROSSBAR, device=DEVICES[device]), PROCESSES[process])
        assert all(shapes.layer != "devices" for sheet in layout.sheets for shapes in sheet.shapes)
        return "\n".join(layout.assumptions)

    assert "no printed resistor: devices are drawn as patches" in told("strutwolf_like", "inkjet_resistor")
    assert "patches" not in told("strutwolf_like", "inkjet")


@pytest.mark.parametrize("process", [name for name in PROCESSES if not is_shaped(name)])
@pytest.mark.parametrize("device", [name for name, device in DEVICES.items() if device.by_shape])
def test_a_device_made_by_its_shape_is_refused_where_no_shape_has_its_value(device: str, process: str) -> None:
    shaping = ", ".join(name for name in PROCESSES if is_shaped(name))
    words = f"device {device} is made by its shape, and process {process} gives .* no sheet_resistance.*{shaping}"
    with pytest.raises(LayoutError, match=words):
        build_layout(replace(CROSSBAR, device=DEVICES[device]), PROCESSES[process])
    with pytest.raises(LayoutError, match=words):
        check_process(parse_design(f'[device]\npreset = "{device}"\n[layout]\nprocess = "{process}"'))


def test_values_between_those_that_can_be_printed_are_a_fault_with_the_way_out(tmp_path: Path) -> None:
    crossbar = spread(make_crossbar(3, 2, process="inkjet_resistor"))
    layout = build_layout(crossbar, PROCESS)
    report = compare_masks(write_masks(layout, tmp_path, ["gds"])[0], layout, crossbar)
    assert {fault.kind for fault in report.faults} == {"conductance"}
    assert "which no drop grid can print: map it for this process" in report.faults[0].text


def test_patches_in_a_resistive_ink_are_clean_and_match(tmp_path: Path) -> None:
    crossbar = replace(CROSSBAR, device=DEVICES["strutwolf_like"])
    layout = build_layout(crossbar, PROCESS)
    (path,) = write_masks(layout, tmp_path, ["gds"])
    assert check_rules(path, PROCESS).clean
    report = compare_masks(path, layout, crossbar)
    assert report.match
    assert report.conductance_error is None
    assert not compare_masks(path, build_layout(CROSSBAR, PROCESS), CROSSBAR).match


def test_bit_lines_are_not_shared() -> None:
    with pytest.raises(LayoutError, match=r"shared_electrode .* use isolated, staircase or sheet_per_layer"):
        build_layout(make_crossbar(4, 2, tile_rows=2, process="inkjet_resistor"), PROCESS, "shared_electrode")


def test_what_does_not_fit_says_what_would() -> None:
    device = DEVICES["pedot_pss_resistor"]
    layers = tuple(replace(each, g_pos=np.full_like(each.g_pos, device.g_max.value)) for each in CROSSBAR.layers)
    conductive = replace(CROSSBAR, device=device, layers=layers)
    with pytest.raises(LayoutError, match=r"a device of 5.88 mS is 0.0486 squares in the ink .* at most 66.4 Ω/sq"):
        build_layout(conductive, PROCESS)
    crossbar = make_crossbar(64, 32, 10, process="inkjet_resistor")
    with pytest.raises(LayoutError, match=r"meanders of up to 2857 squares .* squares would fit: g_min in ") as told:
        build_layout(crossbar, PROCESS)
    (fit,) = map(int, re.findall(r"(\d+) squares would fit", str(told.value)))
    rules = read_rules(PROCESS)
    resistors = plan_resistors(crossbar, PROCESS, rules)
    assert resistors is not None
    for squares, fits in ((fit, True), (1.05 * fit, False)):
        plan = plan_stack(crossbar, rules, replace(resistors, squares=squares))
        sides = [sorted(np.subtract(sheet.far, sheet.near).tolist()) for sheet in plan.sheets]
        assert all(short <= 297_000_000 and long <= 420_000_000 for short, long in sides) is fits
