"""Two row tiles on the same bit lines: where they stand, what that saves, and what goes wrong with them is named."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import klayout.db as kdb
import numpy as np
import pytest
from glb_reader import read_groups
from layout_crossbars import make_crossbar
from mask_edits import Edit, edited

from snn2circuit.analysis.activity import line_drops
from snn2circuit.analysis.placement import write_placement
from snn2circuit.design import Design
from snn2circuit.errors import LayoutError, NetlistError
from snn2circuit.ir.files import fingerprint, load, save
from snn2circuit.ir.layout import Layout
from snn2circuit.ir.parasitics import Parasitics
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.connectivity import check_connectivity
from snn2circuit.layout.gltf import encode_glb
from snn2circuit.layout.masks.files import write_masks
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.rules import UPPER
from snn2circuit.layout.signoff.drc import check_rules
from snn2circuit.layout.signoff.lvs import compare_masks
from snn2circuit.layout.signoff.pex import extract_parasitics
from snn2circuit.netlist import crossbar_arrays
from snn2circuit.steps import check_process

MODE = "shared_electrode"
INKJET = PROCESSES["inkjet"]
# Rows of layer 1: 0 1 below and 2 3 above on sheet 1, 4 5 on sheet 2; of layer 2: 0 1 below and 2 3 above on sheet 3.
CROSSBAR = make_crossbar(5, 3, 2, seed=3, tile_rows=2)
LAYOUT = build_layout(CROSSBAR, INKJET, MODE)


@pytest.fixture(scope="module")
def masks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_masks(LAYOUT, tmp_path_factory.mktemp("masks"), ["gds"])[0]


def boxes_of(layout: Layout, sheet: int, layer: str, prefix: str = "") -> np.ndarray:
    """Shapes of the nets that begin with ``prefix``; ``sheet`` from 1."""
    (shapes,) = [shapes for shapes in layout.sheets[sheet - 1].shapes if shapes.layer == layer]
    return shapes.boxes[[net >= 0 and layout.nets[net].startswith(prefix) for net in shapes.nets]]


def shape(net: str, sheet: int, layer: str) -> kdb.Box:
    """The largest shape of a net in a mask."""
    x0, y0, _, x1, y1, _ = max(
        boxes_of(LAYOUT, sheet, layer, net).tolist(), key=lambda b: (b[3] - b[0]) * (b[4] - b[1])
    )
    return kdb.Box(x0, y0, x1, y1)


def test_each_two_tiles_share_a_sheet_below_and_above_their_bit_lines() -> None:
    found = [(s.network_layer, s.tile, [sorted(set(d.rows.tolist())) for d in s.planes]) for s in LAYOUT.sheets]
    assert found == [(0, 0, [[0, 1], [2, 3]]), (0, 2, [[4, 5]]), (1, 0, [[0, 1], [2, 3]])]
    for sheet in LAYOUT.sheets:
        (bits,) = [shapes.boxes for shapes in sheet.shapes if shapes.layer == "bit_lines"]
        assert set(sheet.devices.boxes[:, 5].tolist()) == {bits[0, 2]}
        if sheet.upper is not None:
            assert set(sheet.upper.boxes[:, 2].tolist()) == {bits[0, 5]}
        layer = CROSSBAR.layers[sheet.network_layer]
        for devices in sheet.planes:
            at = devices.rows, devices.columns
            np.testing.assert_array_equal(
                devices.conductance, np.where(devices.polarity > 0, layer.g_pos[at], layer.g_neg[at])
            )


def test_a_sheet_is_as_high_as_what_it_carries() -> None:
    # Foil 125 um, every film 1 um: a sheet with both planes has five films, one with one has three, and a base.
    assert [sheet.z_nm for sheet in LAYOUT.sheets] == [0, 130_000, 134_000]
    assert LAYOUT.bounds[5] == 134_000 + 6_000 + 1_000  # encapsulation


def test_first_layer_rows_lie_above_one_another_and_later_ones_beside_one_another() -> None:
    first, _, last = LAYOUT.sheets
    assert first.upper is not None
    assert last.upper is not None
    np.testing.assert_array_equal(first.upper.boxes[:, [0, 1, 3, 4]], first.devices.boxes[:, [0, 1, 3, 4]])
    assert last.devices.boxes[:, 3].max() < last.upper.boxes[:, 0].min()  # turned: rows follow one another in x


def test_fingers_below_reach_beyond_those_above_by_a_space() -> None:
    lines = (("upper_word_lines", "wl_l1_r2"), ("word_lines", "wl_l1_r0"))
    upper, lower = (max(boxes_of(LAYOUT, 1, layer, net).tolist()) for layer, net in lines)
    assert upper[1] == lower[1]
    assert lower[0] - upper[3] == 120_000
    rails = boxes_of(LAYOUT, 1, "word_lines", "vdd")
    assert rails[:, 3].max() == lower[3]


def test_bit_lines_are_half_as_long_and_tiles_of_one_sheet_need_no_joint() -> None:
    whole = build_layout(make_crossbar(199, 2), INKJET, "isolated")
    shared = build_layout(make_crossbar(199, 2, tile_rows=100), INKJET, MODE)
    stacked = build_layout(make_crossbar(199, 2, tile_rows=100), INKJET, "isolated")
    assert [len(layout.sheets) for layout in (whole, shared, stacked)] == [1, 1, 2]
    spans = [np.ptp(boxes_of(layout, 1, "bit_lines", "bp_l1_n0")[:, [1, 4]]) for layout in (whole, shared)]
    pitch = 240_000
    assert spans[0] - spans[1] == 100 * pitch
    for layout, joints in ((shared, 0), (stacked, 4)):
        vias = [boxes_of(layout, len(layout.sheets), s.layer, "b") for s in layout.sheets[-1].shapes if s.round]
        assert sum(len(boxes) for boxes in vias) == 2 * joints  # through the interlayer and the dielectric


def test_other_modes_draw_nothing_above_their_bit_lines() -> None:
    for mode in ("sheet_per_layer", "isolated", "staircase"):
        layout = build_layout(CROSSBAR, INKJET, mode)
        assert not {shapes.layer for sheet in layout.sheets for shapes in sheet.shapes} & set(UPPER)
        assert all(sheet.upper is None for sheet in layout.sheets)
        assert not any("upper" in sentence for sentence in layout.assumptions)
    assert any("upper_word_lines" in sentence for sentence in LAYOUT.assumptions)


def test_what_it_needs_is_named_with_a_way_out() -> None:
    with pytest.raises(LayoutError, match=r"set tile_rows in \[circuit\] to 4, which cuts layer 2 of 8 rows in two"):
        build_layout(make_crossbar(4, 7, 2), INKJET, MODE)
    assert build_layout(make_crossbar(4, 7, 2, tile_rows=4), INKJET, MODE).mode == MODE
    bare = replace(INKJET, layers=tuple(layer for layer in INKJET.layers if layer.name not in UPPER[2:]))
    with pytest.raises(LayoutError, match="has no upper_contacts and no upper_word_lines; stack mode shared_electrode"):
        build_layout(CROSSBAR, bare, MODE)
    assert build_layout(CROSSBAR, bare, "isolated").mode == "isolated"


@pytest.mark.parametrize("mode", [MODE, "staircase"])
def test_a_design_without_row_tiles_is_refused_before_anything_is_trained(mode: str) -> None:
    design = Design()
    design = replace(design, layout=replace(design.layout, mode=mode))
    with pytest.raises(LayoutError, match=f"mode = '{mode}' is about row tiles.*set tile_rows in"):
        check_process(design)
    check_process(replace(design, circuit=replace(design.circuit, tile_rows=33)))


def test_a_stack_survives_its_file(tmp_path: Path) -> None:
    save(LAYOUT, tmp_path / "layout.npz")
    assert fingerprint(load(tmp_path / "layout.npz", Layout)) == fingerprint(LAYOUT)


def test_the_model_and_the_placement_table_tell_tiles_apart(tmp_path: Path) -> None:
    groups = [group for group in read_groups(encode_glb(LAYOUT)) if group.extras["kind"] == "devices"]
    assert [(g.extras["sheet"], g.extras["tile"], g.extras["layer"], g.extras["rows"]) for g in groups] == [
        (0, 0, "devices", [0, 1]), (0, 1, "upper_devices", [2, 3]), (1, 2, "devices", [4, 5]),
        (2, 0, "devices", [0, 1]), (2, 1, "upper_devices", [2, 3]),
    ]  # fmt: skip
    write_placement(CROSSBAR, LAYOUT, tmp_path / "placement.csv")
    rows = list(csv.DictReader((tmp_path / "placement.csv").open()))
    assert len(rows) == CROSSBAR.devices
    places = {(int(r["layer"]), int(r["row"])): (int(r["sheet"]), int(r["tile"]), float(r["z_um"])) for r in rows}
    assert places[1, 0] == (1, 1, 126.5)
    assert places[1, 3] == (1, 2, 128.5)
    assert places[1, 5] == (2, 3, 132.5)


def mutations() -> Iterator[tuple[str, Edit, str]]:
    """Name, edit, and what the comparison must say."""
    for number, row, column in ((1, 2, 1), (1, 3, 0), (3, 3, 1)):
        layer, devices = LAYOUT.sheets[number - 1].network_layer + 1, LAYOUT.sheets[number - 1].upper
        assert devices is not None
        (at,) = np.flatnonzero((devices.rows == row) & (devices.columns == column) & (devices.polarity < 0))
        x0, y0, _, x1, y1, _ = devices.boxes[at].tolist()
        who = f"device of layer {layer}, row {row}, column {column}, polarity -"
        gone = "upper_devices", number, kdb.Box(x0, y0, x1, y1)
        yield "upper device gone", lambda m, a=gone: m.erase(*a), f"{who} is missing"
        half = "upper_devices", number, kdb.Box(x0, y0, (x0 + x1) // 2, y1)
        yield "half an upper device", lambda m, a=half: m.erase(*a), f"{who} has an area of 7200000000 nm2"
    for net, sheet in (("bp_l1_n1", 1), ("vdd", 1), ("wl_l2_r2", 3)):
        via = "upper_contacts", sheet, shape(net, sheet, "upper_contacts")
        yield "upper via gone", lambda m, a=via: m.erase(*a), f"net {net} "
    a, b = shape("wl_l1_r2", 1, "upper_word_lines"), shape("wl_l1_r3", 1, "upper_word_lines")
    bar = a.right - 20_000, a.bottom, a.right, b.top
    yield (
        "upper lines shorted",
        lambda m: m.add("upper_word_lines", 1, *bar),
        "short between wl_l1_r2 (word line, layer",
    )
    cut = kdb.Box(a.left + 400_000, a.bottom, a.left + 420_000, a.top)
    yield "upper line cut", lambda m: m.erase("upper_word_lines", 1, cut), "device of layer 1, row 2, column 0"
    pillar = kdb.Box(a.left, a.bottom, a.left + 40_000, a.top)
    yield "upper line through to its bit line", lambda m: m.add("upper_contacts", 1, *_corners(pillar)), "wl_l1_r2"
    for name, old, new, text in (
        (
            "tiles exchanged",
            0,
            2,
            "device of layer 1, row 0, column 0, polarity + stands on sheet 1 above its bit lines",
        ),
        (
            "rows exchanged",
            2,
            3,
            "device of layer 1, row 2, column 0, polarity + stands on sheet 1 above its bit lines",
        ),
    ):
        yield name, _exchange(f"wl_l1_r{old}", f"wl_l1_r{new}"), text


def _corners(box: kdb.Box) -> tuple[int, int, int, int]:
    return box.left, box.bottom, box.right, box.top


def _exchange(one: str, other: str) -> Edit:
    """The labels of two lines of sheet 1, wherever they are printed."""

    def edit(masks: object) -> None:
        for layer in ("word_lines", "upper_word_lines"):
            for label in masks.shapes(layer, 1).each():  # type: ignore[attr-defined]
                if label.is_text() and label.text_string in (one, other):
                    label.text = kdb.Text(other if label.text_string == one else one, label.text_trans)

    return edit


MUTATIONS = list(mutations())


@pytest.mark.parametrize("at", range(len(MUTATIONS)), ids=lambda at: f"{at}-{MUTATIONS[at][0]}")
def test_a_mutation_is_caught_and_named(at: int, masks: Path, tmp_path: Path) -> None:
    _, edit, text = MUTATIONS[at]
    report = compare_masks(edited(masks, tmp_path / "mutated.gds", edit), LAYOUT, CROSSBAR)
    assert any(text in fault.text for fault in report.faults), [fault.text for fault in report.faults]


def test_tiles_on_the_wrong_side_of_their_bit_lines_are_named() -> None:
    sheet = LAYOUT.sheets[0]
    assert sheet.upper is not None
    turned = replace(sheet, devices=sheet.upper, upper=sheet.devices)
    with pytest.raises(LayoutError, match=r"layer 1, row 2, column 0, polarity \+ joins lines of other layers, or"):
        check_connectivity(replace(LAYOUT, sheets=(turned, *LAYOUT.sheets[1:])), CROSSBAR)
    swapped = replace(
        sheet,
        devices=replace(sheet.upper, boxes=sheet.devices.boxes),
        upper=replace(sheet.devices, boxes=sheet.upper.boxes),
    )
    with pytest.raises(LayoutError, match=r"device of layer 1, row 0, column 0, polarity \+: row is 2, the crossbar"):
        check_connectivity(replace(LAYOUT, sheets=(swapped, *LAYOUT.sheets[1:])), CROSSBAR)
    alone = replace(sheet, upper=None)
    with pytest.raises(LayoutError, match="crossbar 5-3-2 needs one for each tile"):
        check_connectivity(replace(LAYOUT, sheets=(alone, *LAYOUT.sheets[1:])), CROSSBAR)


def planted() -> Iterator[tuple[set[str], Edit]]:
    """What breaks only rules of the upper planes."""
    word = shape("wl_l1_r2", 1, "upper_word_lines")
    bits = [shape(f"b{sign}_l1_n0", 1, "bit_lines") for sign in "pn"]
    under = "upper_dielectric", 1, kdb.Box(bits[0].right + 45_000, word.bottom, bits[1].left - 45_000, word.top)
    run = {"word_lines.crossover.upper_word_lines", "word_lines.crossover.upper_word_lines.margin"}
    yield run, lambda m: m.erase(*under)
    finger = max(boxes_of(LAYOUT, 1, "upper_word_lines", "wl_l1_r2").tolist())
    tail = "upper_dielectric", 1, kdb.Box(finger[3], finger[1] - 30_000, finger[3] + 30_000, finger[4] + 30_000)
    yield {"word_lines.crossover.upper_word_lines.margin"}, lambda m: m.erase(*tail)
    assert LAYOUT.sheets[0].upper is not None
    x0, y0, _, x1, y1, _ = LAYOUT.sheets[0].upper.boxes[0].tolist()
    patch = "upper_devices", 1, kdb.Box(x0, y0, x1, y1)
    yield {"bit_lines.crossover"}, lambda m: m.erase(*patch)
    pad = "upper_word_lines", 1, shape("vdd", 1, "upper_word_lines")
    yield {"upper_contacts.landing.above", "interlayer_vias.landing.below"}, lambda m: m.erase(*pad)


PLANTED = list(planted())


@pytest.mark.parametrize("at", range(len(PLANTED)), ids=lambda at: f"{at}-{min(PLANTED[at][0])}")
def test_a_planted_violation_is_found(at: int, masks: Path, tmp_path: Path) -> None:
    expected, edit = PLANTED[at]
    report = check_rules(edited(masks, tmp_path / "planted.gds", edit), INKJET)
    assert {violation.rule for violation in report.violations} == expected


def test_tiles_on_one_sheet_are_one_array_to_the_extraction(masks: Path, tmp_path: Path) -> None:
    parasitics, table = extract_parasitics(masks, INKJET, CROSSBAR)
    first, second = parasitics.layers
    # The bit lines of sheet 1 pass rows 0 and 2 at once, then rows 1 and 3; those of sheet 3 one row after another.
    assert [tile.rows.tolist() for tile in first.tiles if tile.rows is not None] == [[0, 2, 1, 3], [4, 5]]
    assert [tile.rows.tolist() for tile in second.tiles if tile.rows is not None] == [[0, 1, 2, 3]]
    step = 0.18 * 240 / 120
    np.testing.assert_allclose(first.tiles[0].bit_segments.values, [0, step, 0], rtol=1e-9)
    arrays = crossbar_arrays(CROSSBAR, parasitics)
    assert [array.word_lines for array in arrays[0]] == [
        ("wl_l1_r0", "wl_l1_r2", "wl_l1_r1", "wl_l1_r3"), ("wl_l1_r4", "bias_l1")
    ]  # fmt: skip
    np.testing.assert_array_equal(arrays[0][0].g_pos, CROSSBAR.layers[0].programmed[0][[0, 2, 1, 3]])
    # Films of 1 um: a joint goes up through the upper dielectric, the interlayer and the dielectric of sheet 2.
    film = 0.18 * 1e-6 * 1e-6 / (np.pi * 50e-6**2)
    assert first.joints is not None
    assert second.joints is None
    np.testing.assert_allclose(first.joints.values[0], 3 * film, rtol=2e-3)
    (vias,) = [each for each in table if (each.layer, each.name) == (2, "vias")]
    assert (vias.least, vias.most) == pytest.approx((film, 3 * film), rel=2e-3)
    # Fingers above the bit lines are nearer than those below by one finger and a space.
    leads = first.tiles[0].word_leads.values
    np.testing.assert_allclose(leads[[0, 2]] - leads[[1, 3]], 0.18 * (10 * 120 + 120) / 120, rtol=1e-9)

    save(parasitics, tmp_path / "parasitics.npz")
    assert fingerprint(load(tmp_path / "parasitics.npz", Parasitics)) == fingerprint(parasitics)
    with pytest.raises(NetlistError, match="measure them on masks of this network"):
        crossbar_arrays(make_crossbar(5, 4, 2, tile_rows=2), parasitics)


def test_losses_go_to_the_rows_that_have_them(masks: Path) -> None:
    """A row whose word line has a large resistance loses most, wherever it stands in its array."""
    parasitics, _ = extract_parasitics(masks, INKJET, CROSSBAR)
    first = parasitics.layers[0].tiles[0]
    for at, row in enumerate([0, 2, 1, 3]):
        leads = first.word_leads.values.copy()
        leads[at] = 1e4
        worse = replace(first, word_leads=replace(first.word_leads, values=leads))
        layer = replace(parasitics.layers[0], tiles=(worse, *parasitics.layers[0].tiles[1:]))
        drops, _ = line_drops(CROSSBAR, Parasitics(layers=(layer, parasitics.layers[1])))
        assert int(np.argmax(drops.mean(axis=(1, 2)))) == row
