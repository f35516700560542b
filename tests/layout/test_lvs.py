"""Masks against crossbar: right stacks match; each of many single mutations is caught and named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import klayout.db as kdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layout_crossbars import make_crossbar, mode_of, printed
from mask_edits import Edit, MaskFile, edited

from snn2circuit.errors import LayoutError
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.layout import Layout
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.masks.files import write_masks
from snn2circuit.layout.nets import RAILS
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.signoff.lvs import compare_masks

SIZES = (4, 3, 2)
CROSSBAR = make_crossbar(*SIZES, seed=2)
LAYOUT = build_layout(CROSSBAR, PROCESSES["inkjet"])


@pytest.fixture(scope="module")
def masks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_masks(LAYOUT, tmp_path_factory.mktemp("masks"), ["gds"])[0]


def device_box(layer: int, row: int, column: int, polarity: int) -> kdb.Box:
    devices = LAYOUT.sheets[layer - 1].devices
    (at,) = ((devices.rows == row) & (devices.columns == column) & (devices.polarity == polarity)).nonzero()[0]
    x0, y0, _, x1, y1, _ = devices.boxes[at].tolist()
    return kdb.Box(x0, y0, x1, y1)


def middle(net: str, sheet: int, layer: str) -> kdb.Box:
    (shapes,) = [shapes for shapes in LAYOUT.sheets[sheet - 1].shapes if shapes.layer == layer]
    boxes = shapes.boxes[shapes.nets == LAYOUT.nets.index(net)].tolist()
    x0, y0, _, x1, y1, _ = max(boxes, key=lambda b: (b[3] - b[0]) * (b[4] - b[1]))
    return kdb.Box(x0, y0, x1, y1)


def said(layer: int, row: int, column: int, polarity: int) -> str:
    return f"device of layer {layer}, row {row}, column {column}, polarity {'+' if polarity > 0 else '-'}"


def without(layer: str, sheet: int, box: kdb.Box) -> Edit:
    return lambda masks: masks.erase(layer, sheet, box)


def plus(layer: str, sheet: int, box: kdb.Box) -> Edit:
    return lambda masks: masks.shapes(layer, sheet).insert(box) and None


def relabel(layer: str, sheet: int, names: dict[str, str]) -> Edit:
    def edit(masks: MaskFile) -> None:
        for shape in [masks.label(layer, sheet, old) for old in names]:
            shape.text = kdb.Text(names[shape.text_string], shape.text_trans)

    return edit


def bridge(a: kdb.Box, b: kdb.Box) -> kdb.Box:
    """A strip of 20 um from one line to its neighbour, away from devices."""
    if a.width() > a.height():
        x = max(a.left, b.left) + 10_000
        return kdb.Box(x, min(a.bottom, b.bottom), x + 20_000, max(a.top, b.top))
    y = max(a.bottom, b.bottom) + 10_000
    return kdb.Box(min(a.left, b.left), y, max(a.right, b.right), y + 20_000)


def cut(line: kdb.Box, at: int) -> kdb.Box:
    """20 um out of a line, ``at`` from its lower or left end."""
    if line.width() > line.height():
        return kdb.Box(line.left + at, line.bottom, line.left + at + 20_000, line.top)
    return kdb.Box(line.left, line.bottom + at, line.right, line.bottom + at + 20_000)


def mutations() -> Iterator[tuple[str, Edit, str]]:
    """Name, edit, and what the comparison must say."""
    for place in ((1, 0, 0, 1), (1, 2, 1, -1), (1, 4, 2, 1), (1, 3, 0, -1), (2, 0, 0, 1), (2, 3, 1, -1), (2, 1, 1, 1)):
        box, sheet = device_box(*place), place[0]
        yield "missing device", without("devices", sheet, box), f"{said(*place)} is missing"
        half = kdb.Box(box.left, box.bottom, box.center().x, box.top)
        yield "half a device", without("devices", sheet, half), f"{said(*place)} has an area of 7200000000 nm2"
        yield (
            "wide device",
            plus("devices", sheet, box.enlarged(9000, 0)),
            f"beside a planned shape: {said(*place)}",
        )
        contact = kdb.Box(-40_000, -40_000, 40_000, 40_000).moved(box.center().x, box.center().y)
        word = f"wl_l{sheet}_r{place[1]}" if place[1] < SIZES[sheet - 1] else f"bias_l{sheet}"
        yield "short through a device", plus("contacts", sheet, contact), word
    for sheet in (1, 2):
        words = [f"wl_l{sheet}_r{row}" for row in range(SIZES[sheet - 1])]
        for row, (a, b) in enumerate(zip(words, [*words[1:], f"bias_l{sheet}"], strict=True)):
            strip = bridge(middle(a, sheet, "word_lines"), middle(b, sheet, "word_lines"))
            yield "shorted word lines", plus("word_lines", sheet, strip), f"short between {min(a, b)}"
            line = middle(a, sheet, "word_lines")
            last = max(line.width(), line.height()) - 1_900_000 if sheet == 1 else 100_000
            yield "cut word line", without("word_lines", sheet, cut(line, last)), f"layer {sheet}, row {row}, column"
        for column in range(SIZES[sheet]):
            a, b = (f"b{sign}_l{sheet}_n{column}" for sign in "pn")
            lines = [middle(name, sheet, "bit_lines") for name in (a, b)]
            yield "shorted bit lines", plus("bit_lines", sheet, bridge(*lines)), f"short between {b}"
            yield "cut bit line", without("bit_lines", sheet, cut(lines[0], 400_000)), f"column {column}, polarity +"
            pin = cut(lines[1], 0).enlarged(*((0, 150_000) if sheet == 1 else (150_000, 0)))
            yield "missing pin", without("bit_lines", sheet, pin), "cell of layer"
    for row in range(SIZES[1]):
        via = middle(f"wl_l2_r{row}", 2, "substrate_vias")
        yield (
            "missing via",
            without("substrate_vias", 2, via),
            f"net wl_l2_r{row} (word line, layer 2, row {row}) is open",
        )
        pad = middle(f"wl_l2_r{row}", 1, "bit_lines")
        yield (
            "missing output",
            without("bit_lines", 1, pad),
            f"cell of layer 1, column {row} does not touch net wl_l2_r{row}",
        )
    for rail in RAILS:
        yield "missing rail via", without("substrate_vias", 2, middle(rail, 2, "substrate_vias")), f"net {rail} is open"
        yield "missing contact", without("contacts", 1, middle(rail, 1, "contacts")), f"net {rail} is open"
    swaps = (
        ("word_lines", 1, "wl_l1_r0", "wl_l1_r3", "device of layer 1, row 0, column 0, polarity + stands"),
        ("word_lines", 1, "wl_l1_r1", "bias_l1", "device of layer 1, row 1, column 0, polarity + stands"),
        ("bit_lines", 1, "bp_l1_n1", "bn_l1_n1", "device of layer 1, row 0, column 1, polarity + stands"),
        ("bit_lines", 2, "bp_l2_n0", "bp_l2_n1", "device of layer 2, row 0, column 0, polarity + stands"),
        ("word_lines", 2, "wl_l2_r0", "wl_l2_r2", "short between wl_l2_r0 (word line, layer 2, row 0) and wl_l2_r2"),
        ("bit_lines", 1, "wl_l2_r1", "wl_l2_r2", "short between wl_l2_r1 (word line, layer 2, row 1) and wl_l2_r2"),
        ("word_lines", 1, "vdd", "vss", "vdd"),
        ("bit_lines", 2, "spike_l2_n0", "spike_l2_n1", "cell of layer 2, column 0 does not touch net spike_l2_n0"),
    )
    for layer, sheet, a, b, text in swaps:
        yield "swapped wires", relabel(layer, sheet, {a: b, b: a}), text
    yield (
        "wrong name",
        relabel("word_lines", 1, {"wl_l1_r0": "wl_l7_r0"}),
        "net wl_l7_r0 of the masks is not in the crossbar",
    )
    for number, column in ((1, 2), (2, 0)):
        (shapes,) = [each for each in LAYOUT.sheets[number - 1].shapes if each.layer == "cells"]
        x0, y0, _, x1, y1, _ = shapes.boxes[column].tolist()
        edit = without("cells", number, kdb.Box(x0, y0, x1, y1))
        yield "missing cell", edit, f"cell of layer {number}, column {column} is missing"


MUTATIONS = list(mutations())


def test_at_least_fifty_are_planted() -> None:
    assert len(MUTATIONS) >= 50
    assert len({name for name, _, _ in MUTATIONS}) >= 12


@pytest.mark.parametrize("at", range(len(MUTATIONS)), ids=lambda at: f"{at}-{MUTATIONS[at][0]}")
def test_a_mutation_is_caught_and_named(at: int, masks: Path, tmp_path: Path) -> None:
    _, edit, text = MUTATIONS[at]
    report = compare_masks(edited(masks, tmp_path / "mutated.gds", edit), LAYOUT, CROSSBAR)
    assert not report.match
    assert any(text in fault.text for fault in report.faults), [fault.text for fault in report.faults]


@pytest.mark.parametrize("kind", ["gds", "oas"])
def test_a_right_stack_matches(kind: str, tmp_path: Path) -> None:
    (path,) = write_masks(LAYOUT, tmp_path, [kind])
    report = compare_masks(path, LAYOUT, CROSSBAR)
    assert report.faults == ()
    assert (report.nets, report.devices, report.cells) == (len(LAYOUT.nets), CROSSBAR.devices, sum(SIZES[1:]))


tiles = st.integers(0, 3)  # rows of a tile, or no cut


@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=4).map(tuple),
    st.sampled_from(sorted(PROCESSES)),
    st.booleans(),
    tiles,
    st.booleans(),
)
@settings(deadline=None, max_examples=20)
def test_every_right_stack_matches(
    sizes: tuple[int, ...], process: str, bias: bool, tile_rows: int, shared: bool
) -> None:
    import tempfile

    crossbar: CrossbarNetwork = make_crossbar(*sizes, bias=bias, tile_rows=tile_rows, process=process)
    mode = mode_of(crossbar, process, shared=shared)
    crossbar = printed(crossbar, process, mode)
    layout: Layout = build_layout(crossbar, PROCESSES[process], mode)
    with tempfile.TemporaryDirectory() as folder:
        (path,) = write_masks(layout, Path(folder), ["gds"])
        assert compare_masks(path, layout, crossbar).faults == ()


def test_masks_of_another_network_do_not_match(masks: Path) -> None:
    other = make_crossbar(4, 3, 3)
    report = compare_masks(masks, build_layout(other, PROCESSES["inkjet"]), other)
    texts = [fault.text for fault in report.faults]
    assert any("bp_l2_n2" in text and "is not in the masks" in text for text in texts)
    with pytest.raises(LayoutError, match="does not place the devices of crossbar"):
        compare_masks(masks, LAYOUT, other)


def test_the_same_edit_undone_matches_again(masks: Path, tmp_path: Path) -> None:
    """The editor itself breaks nothing."""
    box = device_box(1, 0, 0, 1)

    def edit(file: MaskFile) -> None:
        file.erase("devices", 1, box)
        file.shapes("devices", 1).insert(box)

    assert compare_masks(edited(masks, tmp_path / "same.gds", edit), LAYOUT, CROSSBAR).match
