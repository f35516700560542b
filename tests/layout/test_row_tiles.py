"""Layers cut into row tiles: a sheet each, bit lines joined by vias; what goes wrong with them is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import klayout.db as kdb
import numpy as np
import pytest
from layout_crossbars import make_crossbar
from mask_edits import Edit, edited

from snn2circuit.errors import LayoutError
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.connectivity import check_connectivity
from snn2circuit.layout.masks.files import write_masks
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.rules import read_rules
from snn2circuit.layout.signoff.drc import check_rules
from snn2circuit.layout.signoff.lvs import compare_masks

INKJET = PROCESSES["inkjet"]
CROSSBAR = make_crossbar(4, 3, 2, seed=3, tile_rows=2)  # rows of sheets: 2, 2, 1 of layer 1 and 2, 2 of layer 2
LAYOUT = build_layout(CROSSBAR, INKJET)


@pytest.fixture(scope="module")
def masks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_masks(LAYOUT, tmp_path_factory.mktemp("masks"), ["gds"])[0]


def shape(net: str, sheet: int, layer: str) -> kdb.Box:
    """The largest shape of a net in a mask."""
    (shapes,) = [shapes for shapes in LAYOUT.sheets[sheet - 1].shapes if shapes.layer == layer]
    boxes = shapes.boxes[shapes.nets == LAYOUT.nets.index(net)].tolist()
    x0, y0, _, x1, y1, _ = max(boxes, key=lambda b: (b[3] - b[0]) * (b[4] - b[1]))
    return kdb.Box(x0, y0, x1, y1)


def test_every_tile_has_a_sheet_and_only_the_topmost_of_a_layer_has_cells() -> None:
    assert [(s.network_layer, s.tile, s.rotation) for s in LAYOUT.sheets] == [
        (0, 0, 0), (0, 1, 0), (0, 2, 0), (1, 0, 90), (1, 1, 90),
    ]  # fmt: skip
    assert [sorted(set(s.devices.rows.tolist())) for s in LAYOUT.sheets] == [[0, 1], [2, 3], [4], [0, 1], [2, 3]]
    cells = [sum(len(shapes.boxes) for shapes in s.shapes if shapes.layer == "cells") for s in LAYOUT.sheets]
    assert cells == [0, 0, 3, 0, 2]


def test_values_go_with_their_rows() -> None:
    for sheet in LAYOUT.sheets:
        layer, devices = CROSSBAR.layers[sheet.network_layer], sheet.devices
        positive = devices.polarity > 0
        at = devices.rows, devices.columns
        np.testing.assert_array_equal(devices.conductance, np.where(positive, layer.g_pos[at], layer.g_neg[at]))
        np.testing.assert_array_equal(devices.level, np.where(positive, layer.level_pos[at], layer.level_neg[at]))
        np.testing.assert_array_equal(devices.weight, layer.weights[at])


def test_tiles_of_the_first_layer_make_sheets_smaller() -> None:
    def heights(tile_rows: int) -> list[int]:
        layout = build_layout(make_crossbar(200, 2, tile_rows=tile_rows), INKJET)
        outlines = [next(s for s in sheet.shapes if s.layer == "substrate").boxes[0] for sheet in layout.sheets]
        return [int(box[4] - box[1]) for box in outlines]

    (whole,) = heights(0)
    for tile in heights(67):
        assert tile < whole - 130 * 200_000


def mutations() -> Iterator[tuple[str, Edit, str]]:
    """Name, edit, and what the comparison must say."""
    for sheet, net in ((2, "bp_l1_n0"), (3, "bn_l1_n2"), (5, "bp_l2_n1")):
        for layer in ("substrate_vias", "contacts"):
            box = shape(net, sheet, layer)
            yield f"joint without {layer}", lambda m, a=(layer, sheet, box): m.erase(*a), f"net {net} "
    pad = shape("bn_l1_n1", 2, "word_lines")
    yield "joint without a pad", lambda m: m.erase("word_lines", 2, pad), "net bn_l1_n1 "
    passing = shape("wl_l2_r2", 4, "contacts")
    yield "line to a higher tile cut", lambda m: m.erase("contacts", 4, passing), "net wl_l2_r2 (word line, layer 2"
    a, b = shape("bp_l1_n0", 1, "bit_lines"), shape("bn_l1_n0", 1, "bit_lines")
    bar = kdb.Box(a.left, a.top - 20_000, b.right, a.top)
    yield "bit lines shorted below the cells", lambda m: m.add("bit_lines", 1, *_corners(bar)), "short between bn_l1_n0"
    x0, y0, _, x1, y1, _ = LAYOUT.sheets[1].devices.boxes[0].tolist()
    device = kdb.Box(x0, y0, x1, y1)
    yield (
        "device of a higher tile gone",
        lambda m: m.erase("devices", 2, device),
        "layer 1, row 2, column 0, polarity +",
    )


def _corners(box: kdb.Box) -> tuple[int, int, int, int]:
    return box.left, box.bottom, box.right, box.top


MUTATIONS = list(mutations())


@pytest.mark.parametrize("at", range(len(MUTATIONS)), ids=lambda at: f"{at}-{MUTATIONS[at][0]}")
def test_a_mutation_is_caught_and_named(at: int, masks: Path, tmp_path: Path) -> None:
    _, edit, text = MUTATIONS[at]
    report = compare_masks(edited(masks, tmp_path / "mutated.gds", edit), LAYOUT, CROSSBAR)
    assert any(text in fault.text for fault in report.faults), [fault.text for fault in report.faults]


def test_tiles_on_the_wrong_sheets_are_named() -> None:
    sheets = list(LAYOUT.sheets)
    one, two = sheets[0], sheets[1]
    sheets[0], sheets[1] = replace(one, devices=two.devices), replace(two, devices=one.devices)
    with pytest.raises(LayoutError, match=r"device of layer 1, row 0, column 0, polarity \+ is missing"):
        check_connectivity(replace(LAYOUT, sheets=tuple(sheets)), CROSSBAR)
    with pytest.raises(LayoutError, match="crossbar 4-3-2 needs one for each tile"):
        check_connectivity(LAYOUT, make_crossbar(4, 3, 2, seed=3))


# --- staircase --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("process", ["inkjet", "organic_flow", "aerosol_jet"])
@pytest.mark.parametrize(("sizes", "tile_rows"), [((6, 3, 2), 2), ((5, 2), 3), ((3, 4, 5, 2), 1)])
def test_a_staircase_is_clean_and_is_the_network(
    process: str, sizes: tuple[int, ...], tile_rows: int, tmp_path: Path
) -> None:
    crossbar = make_crossbar(*sizes, tile_rows=tile_rows)
    layout = build_layout(crossbar, PROCESSES[process], "staircase")
    check_connectivity(layout, crossbar)
    (path,) = write_masks(layout, tmp_path, ["gds"])
    assert check_rules(path, PROCESSES[process]).clean
    assert compare_masks(path, layout, crossbar).match


@pytest.mark.parametrize("process", ["inkjet", "organic_flow"])
def test_the_contacts_of_a_staircase_lie_in_one_line_and_bare(process: str) -> None:
    crossbar = make_crossbar(7, 3, 2, tile_rows=3)
    layout = build_layout(crossbar, PROCESSES[process], "staircase")
    rules = read_rules(PROCESSES[process], "staircase")
    fingers = []
    for index, sheet in enumerate(layout.sheets[:3]):
        lines = next(shapes for shapes in sheet.shapes if shapes.layer == "word_lines")
        for box, net in zip(lines.boxes, lines.nets, strict=True):
            if layout.nets[net].startswith(("wl_l1", "bias_l1")) and box[3] - box[0] == rules.finger:
                fingers.append((index, box))
    assert len(fingers) == 8
    assert len({(int(box[0]), int(box[3])) for _, box in fingers}) == 1
    centres = sorted(int(box[1] + box[4]) // 2 for _, box in fingers)
    assert np.diff(centres).tolist() == [max(rules.pitch, rules.contact)] * 7
    for index, box in fingers:
        above = np.concatenate([shapes.boxes for sheet in layout.sheets[index + 1 :] for shapes in sheet.shapes])
        over = (above[:, [0, 1]] < box[[3, 4]]).all(axis=1) & (above[:, [3, 4]] > box[[0, 1]]).all(axis=1)
        assert not over.any()


def test_a_staircase_without_tiles_is_refused_with_the_way_out() -> None:
    with pytest.raises(LayoutError, match=r"layer 1, of 9 rows, is not cut: set tile_rows in \[circuit\] to 4"):
        build_layout(make_crossbar(8, 3), INKJET, "staircase")
