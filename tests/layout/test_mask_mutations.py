"""Every layer is judged: single faults planted in every layer of every kind of stack are found and named in place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import klayout.db as kdb
import pytest
from layout_crossbars import make_crossbar
from mask_mutations import (
    SHAPES,
    Masks,
    Mutation,
    of_devices,
    of_labels,
    of_lines,
    of_one_mask,
    of_the_stack,
    put_together,
    take_apart,
)

from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.layout import Layout
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.masks.database import draw_database
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.signoff.drc import check_stack
from snn2circuit.layout.signoff.extract import extract_netlist
from snn2circuit.layout.signoff.lvs import compare_netlist
from snn2circuit.layout.signoff.stack import MaskStack, Place, read_masks

KINDS = {  # process, mode, rows of a tile
    "sheet_per_layer": ("inkjet", "sheet_per_layer", 0),
    "isolated": ("inkjet", "isolated", 0),
    "staircase": ("inkjet", "staircase", 2),
    "shared_electrode": ("inkjet", "shared_electrode", 2),
    "resistors": ("inkjet_resistor", "sheet_per_layer", 0),
}
FEW = 12  # of the kinds, one in this many is planted where a layer has seen all of them in another stack


@dataclass(frozen=True)
class Case:
    """One stack, read back, and what is planted in it."""

    crossbar: CrossbarNetwork
    layout: Layout
    stack: MaskStack
    masks: Masks
    mutations: dict[str, Mutation]


def stack_of(layout: Layout, database: kdb.Layout) -> MaskStack:
    """What :func:`read_masks` would give, without a file."""
    database.flatten(database.top_cell().cell_index(), -1, True)
    return MaskStack(path=Path("masks"), process=layout.process, database=database, sheets=len(layout.sheets))


def make_cases() -> Iterator[tuple[str, Case]]:
    seen: set[str] = set()
    for number, (name, (process, mode, tile_rows)) in enumerate(KINDS.items()):
        crossbar = make_crossbar(3, 2, 2, seed=3, tile_rows=tile_rows)
        layout = build_layout(crossbar, PROCESSES[process], mode)
        stack = stack_of(layout, draw_database(layout))
        masks = take_apart(stack)
        planted: list[Mutation] = []
        of_layer: dict[str, list[Place]] = {}
        for place in masks:
            of_layer.setdefault(place[1], []).append(place)
        for at, (layer, places) in enumerate(of_layer.items()):
            full = layer not in seen or (name == "resistors" and layer == "devices")
            kinds = tuple(k for i, k in enumerate(SHAPES) if full or (i + at + number) % FEW == 0)
            planted += of_one_mask(masks, layout.process, places[(at + number) % len(places)], kinds)
        seen |= set(of_layer)
        of_more = [*of_the_stack(masks, layout.process), *of_labels(masks), *of_lines(masks, layout.process)]
        planted += {"sheet_per_layer": of_more, "shared_electrode": of_more[::3]}.get(name, [])
        planted += of_devices(masks, layout, (1, "devices"))
        yield name, Case(crossbar, layout, stack, masks, {mutation.name: mutation for mutation in planted})


CASES = dict(make_cases())
ALL = [(kind, name) for kind, case in CASES.items() for name in case.mutations]


def test_what_is_planted_covers_every_layer_and_every_kind_of_stack() -> None:
    assert len(ALL) >= 120
    layers = {place[1] for case in CASES.values() for m in case.mutations.values() for place in m.places}
    assert layers == {layer.name for process in PROCESSES.values() for layer in process.layers}
    assert {case.layout.mode for case in CASES.values()} == {m for _, m, _ in KINDS.values()}


@pytest.mark.parametrize("kind", CASES)
def test_taken_apart_and_put_together_it_still_matches(kind: str) -> None:
    case = CASES[kind]
    stack = put_together(case.masks, case.stack)
    assert compare_netlist(extract_netlist(stack), case.layout, case.crossbar).faults == ()
    assert check_stack(stack, case.layout).violations == ()


@pytest.mark.parametrize(("kind", "name"), ALL, ids=[f"{kind}-{name}" for kind, name in ALL])
def test_a_mutation_is_named_where_it_is(kind: str, name: str) -> None:
    case = CASES[kind]
    mutation = case.mutations[name]
    stack = put_together(mutation.apply(case.masks), case.stack)
    report = compare_netlist(extract_netlist(stack), case.layout, case.crossbar)
    if mutation.same:
        assert report.faults == ()
        return
    reach = stack.top.bbox() + case.stack.top.bbox()
    for fault in report.faults:
        x0, y0, x1, y1 = fault.box
        assert x0 <= x1
        assert y0 <= y1
        assert kdb.Box(*fault.box).inside(reach), fault
        assert (
            f"{fault.mask} of sheet {fault.sheet}" in fault.text or f"(sheet {fault.sheet}, {fault.mask})" in fault.text
        )
        assert (fault.sheet, fault.mask) in case.masks.keys() | mutation.apply(case.masks).keys()
    named = [
        fault
        for fault in report.faults
        if (fault.sheet, fault.mask) in mutation.places or any(net in fault.text for net in mutation.nets)
    ]
    assert named, [fault.text for fault in report.faults]
    if mutation.at is None:
        return
    near = [fault for fault in named if kdb.Box(*fault.box).touches(mutation.at)]
    assert near, [fault.text for fault in named]
    devices = [place for place in mutation.places if case.layout.process.layer(place[1]).role == "device"]
    if len(mutation.places) == len(devices) == 1:
        wanted = device_at(case.layout, devices[0], mutation.at.center())
        assert wanted in {(fault.row, fault.column, fault.polarity) for fault in near}


def device_at(layout: Layout, place: Place, point: kdb.Point) -> tuple[int, int, int]:
    """Row, column and polarity of the device that is planned around ``point``."""
    sheet, mask = place
    (devices,) = [each for layer, each in layout.printed(layout.sheets[sheet - 1]) if layer.name == mask]
    x0, y0, _, x1, y1, _ = devices.boxes.T
    (at,) = ((x0 <= point.x) & (point.x <= x1) & (y0 <= point.y) & (point.y <= y1)).nonzero()[0]
    return int(devices.rows[at]), int(devices.columns[at]), int(devices.polarity[at])


OF_SHAPES = [(kind, name) for kind, name in ALL if not CASES[kind].mutations[name].same and "label" not in name]


@pytest.mark.parametrize(("kind", "name"), OF_SHAPES[::10], ids=[f"{kind}-{name}" for kind, name in OF_SHAPES[::10]])
def test_design_rules_name_it_as_well(kind: str, name: str) -> None:
    case = CASES[kind]
    mutation = case.mutations[name]
    stack = put_together(mutation.apply(case.masks), case.stack)
    report = check_stack(stack, case.layout)
    reach = (stack.top.bbox() + case.stack.top.bbox()).enlarged(10, 10)
    for violation in report.violations:
        x0, y0, x1, y1 = violation.box
        assert x0 <= x1
        assert y0 <= y1
        assert kdb.Box(*violation.box).inside(reach), violation
    named = {(violation.sheet, violation.rule.split(".")[0]) for violation in report.violations}
    assert named & mutation.places, named


@pytest.mark.parametrize("ending", ["gds", "oas"])
@pytest.mark.parametrize(("kind", "name"), OF_SHAPES[::60], ids=[f"{kind}-{name}" for kind, name in OF_SHAPES[::60]])
def test_a_written_mutation_is_judged_as_the_same(kind: str, name: str, ending: str, tmp_path: Path) -> None:
    case = CASES[kind]
    stack = put_together(case.mutations[name].apply(case.masks), case.stack)
    path = tmp_path / f"masks.{ending}"
    stack.database.write(str(path))
    texts = [
        sorted(fault.text for fault in compare_netlist(extract_netlist(each), case.layout, case.crossbar).faults)
        for each in (stack, read_masks(path, case.layout.process))
    ]
    assert texts[0] == texts[1]
    assert texts[0]
