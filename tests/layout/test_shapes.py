"""Written shapes against the planned ones: what differs, how, and what it is of."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import klayout.db as kdb
import pytest
from click.testing import CliRunner
from layout_crossbars import make_crossbar
from mask_mutations import Drawn, Masks, halve_all, in_order, put_together, take_apart

from snn2circuit.cli import main
from snn2circuit.ir.files import save
from snn2circuit.ir.layout import Layout
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.masks.files import write_masks
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.signoff import shapes
from snn2circuit.layout.signoff.drc import check_stack
from snn2circuit.layout.signoff.extract import extract_netlist
from snn2circuit.layout.signoff.lvs import LvsReport, compare_netlist
from snn2circuit.layout.signoff.planned import Planned
from snn2circuit.layout.signoff.shapes import Difference, compare_shapes
from snn2circuit.layout.signoff.stack import MaskStack, Place, read_masks

CROSSBAR = make_crossbar(3, 3, 2, seed=1)
LAYOUT = build_layout(CROSSBAR, PROCESSES["inkjet"])
PLANNED = Planned(LAYOUT)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> MaskStack:
    return read_masks(write_masks(LAYOUT, tmp_path_factory.mktemp("masks"), ["gds"])[0], LAYOUT.process)


@pytest.fixture(scope="module")
def masks(stack: MaskStack) -> Masks:
    return take_apart(stack)


def planned_box(place: Place, net: str) -> kdb.Box:
    """The last box of a net on a mask."""
    mask = PLANNED.masks[place]
    return kdb.Box(*mask.boxes[mask.nets == LAYOUT.nets.index(net)][-1].tolist())


def changed(masks: Masks, place: Place, change: Callable[[kdb.Region], kdb.Region]) -> Masks:
    return {**masks, place: masks[place].with_region(change(masks[place].region))}


def differences(masks: Masks, stack: MaskStack) -> tuple[Difference, ...]:
    return compare_shapes(put_together(masks, stack), PLANNED)


def lvs(masks: Masks, stack: MaskStack, layout: Layout = LAYOUT) -> LvsReport:
    return compare_netlist(extract_netlist(put_together(masks, stack)), layout, CROSSBAR)


@pytest.mark.parametrize("place", PLANNED.masks, ids=lambda place: f"{place[1]}-{place[0]}")
def test_a_missing_layer_is_one_difference_and_both_commands_name_it(
    place: Place, masks: Masks, stack: MaskStack
) -> None:
    gone = {**masks, place: Drawn()}
    (found,) = differences(gone, stack)
    assert (found.how, found.sheet, found.mask, found.whole) == ("missing", *place, True)
    assert kdb.Box(*found.box) == PLANNED.region(place).bbox()
    broken = check_stack(put_together(gone, stack), LAYOUT).counts()
    assert broken[f"{place[1]}.plan"] == 1
    report = lvs(gone, stack)
    assert [fault.kind for fault in report.faults].count("shape") == 1
    if place[1] in ("substrate", "dielectric", "encapsulation", "devices"):
        assert len(report.faults) == 1


@pytest.mark.parametrize("place", PLANNED.masks, ids=lambda place: f"{place[1]}-{place[0]}")
def test_a_layer_of_half_the_width_is_named(place: Place, masks: Masks, stack: MaskStack) -> None:
    half = {**masks, place: masks[place].with_region(halve_all(masks[place].polygons, 0))}
    found = differences(half, stack)
    assert {(each.sheet, each.mask) for each in found} == {place}
    assert {each.how for each in found} <= {"narrowed", "cut", "missing"}
    assert len(found) >= len(masks[place].polygons) / 2  # some shapes are one side of a ring, or several pieces
    assert f"{place[1]}.plan" in {each.rule for each in check_stack(put_together(half, stack), LAYOUT).violations}


def test_a_moved_via_is_named_with_its_way_and_its_net(masks: Masks, stack: MaskStack) -> None:
    place, net = (2, "substrate_vias"), "wl_l2_r1"
    via = planned_box(place, net)

    def move(region: kdb.Region) -> kdb.Region:
        it = region.interacting(kdb.Region(via))
        return region - it + it.moved(3_000_000, 0)

    moved = changed(masks, place, move)
    (found,) = differences(moved, stack)
    assert found.how == "moved"
    assert kdb.Box(*found.box) == via
    assert "moved by (3000000, 0) nm" in found.text
    assert net in found.text
    for fault in lvs(moved, stack).faults:
        assert kdb.Box(*fault.box).inside(stack.top.bbox())
        assert fault.box[0] < fault.box[2]


def test_a_via_beside_another_one_is_missed_although_the_net_holds(masks: Masks, stack: MaskStack) -> None:
    place, net = (2, "substrate_vias"), "vdd"
    via = planned_box(place, net)
    second = kdb.Box(via.right + 5_000, via.bottom, via.right + 25_000, via.bottom + 20_000)  # still on the pads
    other = changed(masks, place, lambda region: region - kdb.Region(via) + kdb.Region(second))
    (fault,) = lvs(other, stack).faults
    assert (fault.kind, fault.sheet, fault.mask) == ("shape", *place)
    assert "is missing: vdd" in fault.text


@pytest.mark.parametrize("net", ["wl_l1_r1", "bias_l1", "vdd", "spike_l2_n1"])
def test_a_contact_finger_cut_off_changes_no_net_and_is_named(net: str, masks: Masks, stack: MaskStack) -> None:
    place = (2, "bit_lines") if net.startswith("spike") else (1, "word_lines")
    finger = planned_box(place, net)
    report = lvs(changed(masks, place, lambda region: region - kdb.Region(finger)), stack)
    (fault,) = report.faults
    assert fault.kind == "shape"
    assert net in fault.text
    assert kdb.Box(*fault.box).touches(finger)


def test_wider_lines_and_shapes_drawn_twice_are_the_same_circuit(masks: Masks, stack: MaskStack) -> None:
    place = (1, "word_lines")
    rail = planned_box(place, "vdd")
    twice = replace(
        masks[place], polygons=(*masks[place].polygons, kdb.Polygon(rail), kdb.Polygon(rail.enlarged(9, 9)))
    )
    assert lvs({**masks, place: twice}, stack).match


def test_cells_are_named_by_their_column(masks: Masks, stack: MaskStack) -> None:
    place = (1, "cells")
    for column, cell in enumerate(masks[place].polygons):
        report = lvs(changed(masks, place, lambda region, cell=cell: region - kdb.Region(cell)), stack)
        assert {(fault.layer, fault.column, fault.box) for fault in report.faults} == {
            (1, column, (cell.bbox().left, cell.bbox().bottom, cell.bbox().right, cell.bbox().top))
        }


def test_pieces_no_wider_than_the_tolerance_are_none(masks: Masks, stack: MaskStack) -> None:
    for place in PLANNED.masks:
        for off in (-700, 700):
            other = {**masks, place: Drawn(in_order(masks[place].region.sized(off)), masks[place].labels)}
            # The corners of a circle move by a little more.
            loose = replace(put_together(other, stack), tolerance=710, loose=frozenset({place[1]}))
            assert compare_shapes(loose, PLANNED) == ()
            if off < 0:
                assert {(each.sheet, each.mask) for each in compare_shapes(replace(loose, tolerance=600), PLANNED)} == {
                    place
                }


def test_more_than_can_be_told_one_by_one_are_counted(
    masks: Masks, stack: MaskStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes, "MOST", 5)
    place = (1, "devices")
    smaller = changed(masks, place, lambda region: region.sized(-1))
    found = differences(smaller, stack)
    assert len(found) == 6
    assert f"{len(masks[place].polygons) - 5} more differences" in found[-1].text


def test_shapes_on_a_layer_that_the_plan_leaves_empty_are_named(masks: Masks, stack: MaskStack) -> None:
    extra = {**masks, (1, "encapsulation"): masks[2, "encapsulation"]}
    (found,) = differences(extra, stack)
    assert (found.how, found.sheet, found.mask) == ("added", 1, "encapsulation")


def test_a_short_is_named_where_the_metal_is(masks: Masks, stack: MaskStack) -> None:
    place = (1, "word_lines")
    a, b = (planned_box(place, net) for net in ("wl_l1_r0", "wl_l1_r1"))
    bridge = kdb.Box(a.left, min(a.bottom, b.bottom), a.left + 20_000, max(a.top, b.top))
    report = lvs(changed(masks, place, lambda region: region + kdb.Region(bridge)), stack)
    (short,) = [fault for fault in report.faults if fault.kind == "short"]
    assert (short.sheet, short.mask) == place
    assert kdb.Box(*short.box).inside(bridge)


def test_masks_without_their_topmost_sheet_are_named_layer_by_layer(masks: Masks, stack: MaskStack) -> None:
    lower = {place: drawn for place, drawn in masks.items() if place[0] == 1}
    report = lvs(lower, stack)
    missing = {(fault.sheet, fault.mask) for fault in report.faults if fault.kind == "shape"}
    assert missing == {place for place in PLANNED.masks if place[0] == 2}
    assert all(fault.box[0] <= fault.box[2] for fault in report.faults)


def test_written_masks_are_read_alike(tmp_path: Path) -> None:
    for path in write_masks(LAYOUT, tmp_path, ["gds", "oas"]):
        assert compare_shapes(read_masks(path, LAYOUT.process), PLANNED) == ()


@pytest.mark.parametrize("place", [(1, "dielectric"), (2, "encapsulation")])
def test_commands_name_a_layer_that_is_not_as_planned(
    place: Place, masks: Masks, stack: MaskStack, tmp_path: Path
) -> None:
    layout, crossbar, gds = (tmp_path / name for name in ("layout.npz", "crossbar.npz", "wrong.gds"))
    save(LAYOUT, layout)
    save(CROSSBAR, crossbar)
    for wrong in (Drawn(), masks[place].with_region(halve_all(masks[place].polygons, 0))):
        put_together({**masks, place: wrong}, stack).database.write(str(gds))
        for command, files in (("drc", (gds, layout)), ("lvs", (gds, layout, crossbar))):
            result = CliRunner().invoke(main, [command, *map(str, files), "-o", str(tmp_path / command)])
            assert result.exit_code == 2, result.output
            assert f"{place[1]} of sheet {place[0]}" in result.output
    faults = json.loads((tmp_path / "lvs" / "lvs.json").read_text())["all_faults"]
    assert {(fault["sheet"], fault["mask"]) for fault in faults} == {place}
    assert list((tmp_path / "drc" / "violations").glob(f"*_{place[1]}.plan.png"))
