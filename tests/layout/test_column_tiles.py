"""Layers cut into column tiles: sheets of their own, word lines repeated or fed through vias, outputs that pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import klayout.db as kdb
import numpy as np
import pytest
from layout_crossbars import make_crossbar
from mask_edits import Edit, MaskFile, edited

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import Layout
from snn2circuit.layout import nets
from snn2circuit.layout.build import build_layout, plan_layout
from snn2circuit.layout.connectivity import check_connectivity
from snn2circuit.layout.masks.files import write_masks
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.signoff.drc import check_rules
from snn2circuit.layout.signoff.extract import extract_netlist
from snn2circuit.layout.signoff.lvs import compare_masks
from snn2circuit.layout.signoff.pex import extract_parasitics
from snn2circuit.layout.signoff.stack import read_masks
from snn2circuit.layout.signoff.traces import TileReader
from snn2circuit.mapping import cut_tiles

INKJET = PROCESSES["inkjet"]
CROSSBAR = cut_tiles(make_crossbar(3, 4, 4, 2, seed=5), columns=2)  # sheets: two of layer 1, two of 2, one of 3
LAYOUT = build_layout(CROSSBAR, INKJET)


@pytest.fixture(scope="module")
def masks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_masks(LAYOUT, tmp_path_factory.mktemp("masks"), ["gds"])[0]


@pytest.mark.parametrize(
    ("process", "mode", "sizes", "rows", "columns"),
    [
        ("inkjet", "sheet_per_layer", (6, 5, 4), 0, 2),
        ("inkjet", "sheet_per_layer", (5, 4, 3), 3, 2),
        ("inkjet", "isolated", (5, 4, 3), 3, 2),
        ("inkjet", "staircase", (5, 4, 3), 3, 2),
        ("inkjet", "shared_electrode", (5, 4, 3), 2, 2),
        ("organic_flow", "shared_electrode", (4, 5, 3, 2), 3, 2),
        ("aerosol_jet", "isolated", (3, 5, 4, 2), 2, 2),
        ("inkjet_resistor", "sheet_per_layer", (4, 5, 3), 0, 2),
    ],
)
def test_column_tiles_are_clean_are_the_network_and_are_measured(
    process: str, mode: str, sizes: tuple[int, ...], rows: int, columns: int, tmp_path: Path
) -> None:
    crossbar = cut_tiles(make_crossbar(*sizes), rows=rows, columns=columns)
    layout = build_layout(crossbar, PROCESSES[process], mode)
    check_connectivity(layout, crossbar)
    (path,) = write_masks(layout, tmp_path, ["gds"])
    assert check_rules(path, PROCESSES[process]).clean
    assert compare_masks(path, layout, crossbar).match
    parasitics, _ = extract_parasitics(path, PROCESSES[process], crossbar)
    for number, layer in enumerate(crossbar.layers, start=1):
        assert parasitics.of_layer(number, layer)


def test_every_column_tile_has_sheets_cells_and_first_word_lines_of_its_own() -> None:
    assert [(s.network_layer, s.part, s.tile) for s in LAYOUT.sheets] == [
        (0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0), (2, 0, 0),
    ]  # fmt: skip
    cells = [sum(len(shapes.boxes) for shapes in s.shapes if shapes.layer == "cells") for s in LAYOUT.sheets]
    assert cells == [2, 2, 2, 2, 2]
    assert nets.word_lines(CROSSBAR, 1, 1) == ["wl_l1_r0_c1", "wl_l1_r1_c1", "wl_l1_r2_c1", "bias_l1_c1"]
    assert nets.word_lines(CROSSBAR, 2, 1) == [*(f"wl_l2_r{row}" for row in range(4)), "bias_l2_c1"]


def test_repeated_word_lines_end_in_bare_fingers() -> None:
    for part in range(2):
        for net in nets.word_lines(CROSSBAR, 1, part):
            outline = _boxes(LAYOUT, net, "word_lines")[:, [0, 1, 3, 4]]
            finger = outline[np.argmax(outline[:, 2])]
            for sheet in LAYOUT.sheets[part + 1 :]:
                above = np.concatenate([shapes.boxes for shapes in sheet.shapes])
                assert not ((above[:, 0] < finger[2]) & (above[:, 3] > finger[0])).any()


def test_what_column_tiles_share_of_a_word_line_is_negligible(masks: Path) -> None:
    """Each tile's lead has all vias up to it, those it shares counted for its own current only."""
    stack = read_masks(masks, INKJET)
    reader = TileReader(stack, extract_netlist(stack), CROSSBAR)
    layer = CROSSBAR.layers[1]
    low, high = reader.read(2, layer.tiles)
    assert 0 < low.vias.max() < high.vias.max()
    siemens = (layer.g_pos + layer.g_neg)[:, low.columns[1] :].sum(axis=1)
    assert low.vias.max() * siemens.max() < 1e-4  # of the signal, with every other tile at its virtual ground


def _boxes(layout: Layout, net: str, layer: str) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    index = layout.nets.index(net)
    found = [s.boxes[s.nets == index] for sheet in layout.sheets for s in sheet.shapes if s.layer == layer]
    return np.concatenate(found)


def _via(net: str, sheet: int, layer: str) -> kdb.Box:
    (shapes,) = [shapes for shapes in LAYOUT.sheets[sheet - 1].shapes if shapes.layer == layer]
    x0, y0, _, x1, y1, _ = shapes.boxes[shapes.nets == LAYOUT.nets.index(net)][0].tolist()
    return kdb.Box(x0, y0, x1, y1)


def _swap(masks: MaskFile, layer: str, sheet: int, one: str, two: str) -> None:
    first, second = masks.label(layer, sheet, one), masks.label(layer, sheet, two)
    texts = first.text.dup(), second.text.dup()
    texts[0].string, texts[1].string = two, one
    first.text, second.text = texts


def mutations() -> Iterator[tuple[str, Edit, str]]:
    """Name, edit, and what the comparison must say."""
    for what, net, sheet, layer in (
        ("shared word line cut below its second tile", "wl_l2_r0", 3, "contacts"),
        ("shared word line cut in the substrate", "wl_l2_r3", 4, "substrate_vias"),
        ("passing output cut", "wl_l2_r1", 2, "substrate_vias"),
        ("output cut above the last column tile", "wl_l3_r2", 5, "substrate_vias"),
    ):
        box = _via(net, sheet, layer)
        yield what, lambda m, a=(layer, sheet, box): m.erase(*a), f"net {net} "
    yield "rows of a tile swapped", lambda m: _swap(m, "word_lines", 2, "wl_l1_r0_c1", "wl_l1_r1_c1"), "row 0"
    finger = _boxes(LAYOUT, "wl_l1_r1_c1", "word_lines")
    x0, y0, _, _, y1, _ = finger[np.argmax(finger[:, 3])].tolist()
    yield (
        "repeated line cut",
        lambda m: m.erase("word_lines", 2, kdb.Box(x0 - 400_000, y0, x0, y1)),
        "conductor without a name",
    )


MUTATIONS = list(mutations())


@pytest.mark.parametrize("at", range(len(MUTATIONS)), ids=lambda at: f"{at}-{MUTATIONS[at][0]}")
def test_a_mutation_is_caught_and_named(at: int, masks: Path, tmp_path: Path) -> None:
    _, edit, text = MUTATIONS[at]
    report = compare_masks(edited(masks, tmp_path / "mutated.gds", edit), LAYOUT, CROSSBAR)
    assert any(text in fault.text for fault in report.faults), [fault.text for fault in report.faults]


def test_column_tiles_on_each_others_sheets_are_named() -> None:
    sheets = list(LAYOUT.sheets)
    sheets[0], sheets[1] = (
        replace(one, devices=two.devices) for one, two in ((sheets[0], sheets[1]), (sheets[1], sheets[0]))
    )
    with pytest.raises(LayoutError, match=r"device of layer 1, row 0, column"):
        check_connectivity(replace(LAYOUT, sheets=tuple(sheets)), CROSSBAR)


def test_a_network_wider_than_a_sheet_is_refused_with_the_cut_that_fits() -> None:
    crossbar = make_crossbar(784, 400, 10)
    with pytest.raises(LayoutError, match=r"858 mm|857\.88 mm") as refused:
        plan_layout(crossbar, INKJET)
    columns = int(str(refused.value).split("tile_columns = ")[1].split()[0].rstrip(",.:;"))
    plan_layout(cut_tiles(crossbar, columns=columns), INKJET)
