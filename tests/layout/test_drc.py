"""Design rules: right stacks are clean in every process, and every planted violation is found, where it is, alone."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import klayout.db as kdb
import klayout.rdb as krdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layout_crossbars import make_crossbar, mode_of
from mask_edits import NUMBERS, Edit, MaskFile, edited

from snn2circuit.errors import LayoutError
from snn2circuit.ir.parts import Quantity
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.masks.files import write_masks
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.signoff.deck import rule_deck
from snn2circuit.layout.signoff.drc import CHECKS, check_rules
from snn2circuit.layout.signoff.reports import write_lyrdb, write_violations

INKJET = PROCESSES["inkjet"]  # width 100, space 100, overlay 25, via 100, drop grid 15 um; drawn 120, 120, 30
Box = tuple[int, int, int, int]


@pytest.fixture(scope="module")
def masks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    layout = build_layout(make_crossbar(3, 3, 2), INKJET)
    return write_masks(layout, tmp_path_factory.mktemp("masks"), ["gds"])[0]


def draw(*shapes: tuple[str, int, Box]) -> Edit:
    """Draw boxes given in um."""

    def edit(masks: MaskFile) -> None:
        for layer, sheet, box in shapes:
            masks.add(layer, sheet, *(1000 * value for value in box))

    return edit


def nothing(masks: MaskFile) -> None:
    """Leave the masks as they are."""


def erase(layer: str, sheet: int, box: Box, then: Edit = nothing) -> Edit:
    def edit(masks: MaskFile) -> None:
        masks.erase(layer, sheet, kdb.Box(*(1000 * value for value in box)))
        then(masks)

    return edit


def circle(layer: str, sheet: int, box: Box, then: Edit = nothing) -> Edit:
    def edit(masks: MaskFile) -> None:
        masks.shapes(layer, sheet).insert(kdb.Polygon.ellipse(kdb.Box(*(1000 * value for value in box)), 64))
        then(masks)

    return edit


WORD, BIT, VIA, CONTACT = "word_lines", "bit_lines", "substrate_vias", "contacts"
FREE = (1500, 3000, 1980, 3180)  # nothing is printed around here on sheet 1, nor above y = 4500 on sheet 2
FREE_2 = (1500, 4800, 1980, 4980)
LEFT, RIGHT = (1540, 3040, 1640, 3140), (1700, 3040, 1800, 3140)  # two vias 60 um apart in FREE
LEFT_2, RIGHT_2 = (1540, 4840, 1640, 4940), (1700, 4840, 1800, 4940)
PATCH = (915, 120, 1095, 300)  # device of layer 1, row 0, column 0, +; its crossing is (945, 150, 1065, 270)
CORNER = (-140, -140, -40, -40)  # contact of the first rail

PLANTED: list[tuple[set[str], Edit]] = [
    ({"word_lines.width"}, draw((WORD, 1, (1500, 3000, 1800, 3090)))),
    ({"bit_lines.width"}, draw((BIT, 2, (1500, 4800, 1590, 5100)))),
    ({"word_lines.space"}, draw((WORD, 1, (1500, 3000, 1620, 3120)), (WORD, 1, (1710, 3000, 1830, 3120)))),
    ({"bit_lines.space"}, draw((BIT, 2, (1500, 4800, 1620, 4920)), (BIT, 2, (1500, 4980, 1620, 5100)))),
    ({"word_lines.space"}, draw((WORD, 1, (1500, 3000, 1620, 3120)), (WORD, 1, (1680, 3180, 1800, 3300)))),
    (
        {"word_lines.space"},  # a notch in one line
        draw(
            *((WORD, 1, box) for box in ((1500, 3000, 1830, 3120), (1500, 3120, 1620, 3420), (1710, 3120, 1830, 3420)))
        ),
    ),
    ({"word_lines.density"}, draw((WORD, 1, (-345, 1410, 3735, 5550)))),
    ({"bit_lines.density"}, draw((BIT, 1, (-345, 1410, 3735, 5550)))),
    ({"contacts.size"}, erase(CONTACT, 1, CORNER, circle(CONTACT, 1, (-130, -130, -50, -50)))),
    ({"substrate_vias.size"}, draw((VIA, 2, (-155, -155, -25, -25)))),
    (
        {"contacts.space"},
        circle(CONTACT, 1, LEFT, circle(CONTACT, 1, RIGHT, draw((WORD, 1, FREE), (BIT, 1, FREE)))),
    ),
    (
        {"substrate_vias.space"},
        circle(VIA, 2, LEFT_2, circle(VIA, 2, RIGHT_2, draw((WORD, 2, FREE_2), (BIT, 1, FREE_2)))),
    ),
    ({"contacts.landing.below"}, circle(CONTACT, 1, LEFT, draw((BIT, 1, FREE)))),
    ({"contacts.landing.above"}, circle(CONTACT, 1, LEFT, draw((WORD, 1, FREE)))),
    ({"substrate_vias.landing.below"}, circle(VIA, 2, LEFT_2, draw((WORD, 2, FREE_2)))),
    ({"substrate_vias.landing.above"}, circle(VIA, 2, LEFT_2, draw((BIT, 1, FREE_2)))),
    (
        {"contacts.landing.below", "contacts.landing.above"},  # 30 um out of register
        erase(CONTACT, 1, CORNER, circle(CONTACT, 1, (-140, -110, -40, -10))),
    ),
    ({"devices.space"}, draw(("devices", 1, (1095, 120, 1110, 300)))),
    ({"devices.clear.word_lines", "word_lines.space"}, draw((WORD, 1, (1500, 1035, 3900, 1155)))),
    ({"devices.clear.bit_lines", "bit_lines.space"}, draw((BIT, 1, (780, 120, 900, 300)))),
    ({"devices.overlap", "word_lines.crossover.margin"}, erase("devices", 1, (915, 120, 945, 300))),
    ({"devices.overlap", "word_lines.crossover.margin"}, erase("devices", 1, (915, 120, 930, 300))),
    (
        {"devices.overlap", "word_lines.crossover", "word_lines.crossover.margin"},
        erase("devices", 1, (915, 120, 1005, 300)),
    ),
    ({"word_lines.crossover"}, erase("devices", 1, PATCH)),
    ({"devices.stray"}, draw(("devices", 1, FREE))),
    ({"cells.space"}, draw(("cells", 1, (2130, -1500, 2160, -1200)))),
    ({"word_lines.crossover"}, draw((WORD, 1, (1500, 3000, 2400, 3120)), (BIT, 1, (1800, 2700, 1920, 3420)))),
    (
        {"word_lines.crossover.margin"},
        draw(
            (WORD, 1, (1500, 3000, 2400, 3120)),
            (BIT, 1, (1800, 2700, 1920, 3420)),
            ("dielectric", 1, (1770, 2970, 1920, 3150)),
        ),
    ),
    ({"word_lines.plane.overlap"}, draw(("dielectric", 1, (930, 150, 1065, 270)))),
    ({"word_lines.plane.overlap"}, draw(("cells", 1, (1500, -300, 1800, 15)))),
    ({"word_lines.edge"}, draw((WORD, 1, (7200, 3000, 7815, 3120)))),
    ({"bit_lines.edge"}, draw((BIT, 1, (7200, 3000, 8100, 3120)))),
    ({"dielectric.edge"}, draw(("dielectric", 2, (1500, 5580, 1800, 5685)))),
    ({"word_lines.grid"}, draw((WORD, 1, (1505, 3000, 1800, 3120)))),
    ({"bit_lines.grid"}, draw((BIT, 2, (1500, 4800, 1800, 4921)))),
    ({"devices.grid"}, draw(("devices", 1, (1095, 120, 1096, 300)))),
    ({"cells.grid"}, draw(("cells", 1, (2130, -1500, 2131, -1200)))),
    ({"dielectric.grid"}, draw(("dielectric", 1, (5595, 0, 5601, 120)))),
    ({"substrate.size"}, draw(("substrate", 2, (-4440, -3120, 420_000, 5700)))),
]


def test_thirty_and_more_are_planted_and_every_check_is_among_them() -> None:
    deck = {rule.name: rule.check for rule in rule_deck(INKJET)}
    assert len(PLANTED) >= 30
    resistive = {"join", "notch", "contact"}  # planted in test_resistors.py
    assert {deck[name] for names, _ in PLANTED for name in names} == set(CHECKS) - resistive


@pytest.mark.parametrize("at", range(len(PLANTED)), ids=lambda at: f"{at}-{min(PLANTED[at][0])}")
def test_a_planted_violation_is_found_and_nothing_else(at: int, masks: Path, tmp_path: Path) -> None:
    expected, edit = PLANTED[at]
    before, after = MaskFile(masks), MaskFile(masks)
    edit(after)
    report = check_rules(after.write(tmp_path / "planted.gds"), INKJET)
    assert {violation.rule for violation in report.violations} == expected
    changed = kdb.Region()
    for layer in NUMBERS:
        for sheet in (1, 2):
            old, new = (kdb.Region([s.polygon for s in m.solids(layer, sheet)]) for m in (before, after))
            changed += old ^ new
    reach = changed.bbox().enlarged(200_000, 200_000)
    for violation in report.violations:
        # Of a density a window is marked, of a sheet all of it.
        window = {"density": 4_100_000, "size": 11_000_000}.get(violation.rule.split(".")[1], 0)
        assert kdb.Box(*violation.box).inside(reach.enlarged(window, window))


@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=4).map(tuple),
    st.sampled_from(sorted(PROCESSES)),
    st.booleans(),
    st.integers(0, 3),
    st.booleans(),
)
@settings(deadline=None, max_examples=25)
def test_every_stack_is_clean(sizes: tuple[int, ...], process: str, bias: bool, tile_rows: int, shared: bool) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        crossbar = make_crossbar(*sizes, bias=bias, tile_rows=tile_rows, process=process)
        layout = build_layout(crossbar, PROCESSES[process], mode_of(crossbar, process, shared=shared))
        report = check_rules(write_masks(layout, Path(folder), ["oas"])[0], PROCESSES[process], layout)
    assert report.violations == ()
    assert report.sheets == len(layout.sheets)


def test_a_violation_says_where_what_and_how_far_off(masks: Path, tmp_path: Path) -> None:
    narrow = edited(masks, tmp_path / "narrow.gds", PLANTED[0][1])
    (violation,) = check_rules(narrow, INKJET).violations
    assert violation.rule == "word_lines.width"
    assert violation.sheet == 1
    assert violation.measured == 90_000
    assert violation.box == (1_500_000, 3_000_000, 1_800_000, 3_090_000)
    assert "100 um" in violation.text


def test_reports_open_in_klayout_and_as_a_table(masks: Path, tmp_path: Path) -> None:
    report = check_rules(edited(masks, tmp_path / "bad.gds", PLANTED[2][1]), INKJET)
    for name in ("a", "b"):
        write_lyrdb(report, "bad.gds", "top", tmp_path / f"{name}.lyrdb")
    assert (tmp_path / "a.lyrdb").read_bytes() == (tmp_path / "b.lyrdb").read_bytes()
    database = krdb.ReportDatabase("read")
    database.load(str(tmp_path / "a.lyrdb"))
    assert database.num_items() == len(report.violations) == 1
    counts = {category.name(): category.num_items() for category in database.each_category()}
    assert counts == report.counts()
    write_violations(report, tmp_path / "drc.csv")
    (row,) = csv.DictReader((tmp_path / "drc.csv").open())
    assert (row["rule"], row["sheet"], row["measured"]) == ("word_lines.space", "1", "90000")


def test_a_process_without_a_value_has_no_rule_for_it() -> None:
    bare = replace(INKJET, drop_grid=None, max_density=None, sheet_length=None)
    gone = {rule.name for rule in rule_deck(INKJET)} - {rule.name for rule in rule_deck(bare)}
    assert {name.split(".")[-1] for name in gone} == {"grid", "density", "size"}
    assert "substrate.size" in gone


def test_a_layer_no_process_knows_is_refused_and_named(masks: Path, tmp_path: Path) -> None:
    def edit(file: MaskFile) -> None:
        file.top.shapes(file.database.layer(77, 1)).insert(kdb.Box(0, 0, 100, 100))

    with pytest.raises(LayoutError, match="layer 77/1 is none of process inkjet"):
        check_rules(edited(masks, tmp_path / "other.gds", edit), INKJET)


@pytest.mark.parametrize("content", [b"", b"no masks", b"\x00\x06\x00\x02\x00\x07"])
def test_a_broken_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.gds"
    path.write_bytes(content)
    with pytest.raises(LayoutError, match=r"broken\.gds"):
        check_rules(path, INKJET)


def test_two_layers_with_one_mask_are_refused() -> None:
    layers = tuple(replace(layer, mask=3) if layer.name == "cells" else layer for layer in INKJET.layers)
    with pytest.raises(LayoutError, match="word_lines and cells both have mask 3; the next free number is 7"):
        replace(INKJET, layers=layers)


def test_a_rule_without_whole_nanometres_is_refused() -> None:
    value = Quantity(value=1e-10, unit="m", source="this test", confidence="assumed")
    with pytest.raises(LayoutError, match="density_window"):
        rule_deck(replace(INKJET, density_window=value))
