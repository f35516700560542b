"""Devices read from masks against KLayout's own extractor of plate capacitors, which is slow and sees one at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import klayout.db as kdb
import pytest
from layout_crossbars import make_crossbar
from mask_edits import MaskFile, edited

from snn2circuit import steps
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.masks.files import write_masks
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.signoff.extract import LABELS, extract_netlist
from snn2circuit.layout.signoff.readers import database
from snn2circuit.layout.signoff.stack import MaskStack, read_masks

Plate = tuple[int, tuple[str, ...], tuple[str, ...], int, tuple[int, int]]  # sheet, nets, nm2, nm


def nothing(masks: MaskFile) -> None:
    pass


def halved(masks: MaskFile) -> None:
    """One device loses half of itself, and one nanometre more."""
    box = masks.solids("devices", 1)[0].bbox()
    masks.erase("devices", 1, kdb.Box(box.left, box.bottom, box.center().x + 1, box.top))


def turned(masks: MaskFile) -> None:
    """One device stands on its tip, so that its overlap is no box."""
    shape = masks.solids("devices", 1)[3]
    at = shape.bbox().center() - kdb.Point()
    turn = kdb.CplxTrans(1.0, 40.0, False, 0, 0)
    shape.polygon = shape.polygon.moved(-at).transformed(turn).moved(at)


def slanted(masks: MaskFile) -> None:
    """A line gets a slanted flank; the devices beside it lie on what is no box."""
    box = masks.solids("word_lines", 1)[0].bbox()
    tip = kdb.Point(box.center().x, box.top + 7_001)
    masks.shapes("word_lines", 1).insert(kdb.Polygon([box.p1, kdb.Point(box.left, box.top), tip, box.p2]))


def smeared(masks: MaskFile) -> None:
    """One patch covers the crossings of two lines."""
    first, second = (shape.bbox() for shape in masks.solids("devices", 1)[:2])
    masks.shapes("devices", 1).insert(first + second)


def plates(stack: MaskStack) -> list[Plate]:
    """What KLayout's extractor finds."""
    engine = kdb.LayoutToNetlist(kdb.RecursiveShapeIterator(stack.database, stack.top, []))
    layers = {
        place: engine.make_polygon_layer(stack.index(place), f"{place[1]}_{place[0]}")
        for place in stack.places("conductor", "via", "device")
    }
    for place in stack.places("device"):
        below, above = stack.between(place)
        if below is None or above is None:
            continue
        ends = {}
        for terminal, conductor in (("P1", below), ("P2", above)):
            ends[terminal] = layers[place] & layers[conductor]
            engine.register(ends[terminal], f"{place}_{terminal}")
            engine.connect(ends[terminal])
            engine.connect(ends[terminal], layers[conductor])
        engine.extract_devices(kdb.DeviceExtractorCapacitor(str(place[0]), 1.0), ends)
    for place in stack.places("conductor"):
        engine.connect(layers[place])
        engine.connect(layers[place], engine.make_text_layer(stack.index(place), f"{place}_labels"))
    for place in stack.places("via"):
        engine.connect(layers[place])
        for neighbour in stack.between(place):
            if neighbour is not None:
                engine.connect(layers[place], layers[neighbour])
    engine.extract_netlist()
    found = []
    for device in engine.netlist().circuit_by_name(stack.top.name).each_device():
        low, high = (tuple(sorted(device.net_for_terminal(end).name.split(LABELS))) for end in (0, 1))
        at = device.trans.disp
        area = round(device.parameter("A") * 1e6)
        found.append((int(device.device_class().name), low, high, area, (round(at.x * 1e3), round(at.y * 1e3))))
    return sorted(found)


@pytest.mark.parametrize("edit", [nothing, halved, turned, slanted, smeared], ids=lambda edit: edit.__name__)
@pytest.mark.parametrize("process", [name for name in PROCESSES if not name.endswith("_resistor")])
def test_devices_are_those_of_klayouts_extractor(
    process: str, edit: Callable[[MaskFile], None], tmp_path: Path
) -> None:
    layout = build_layout(make_crossbar(4, 3, 2), PROCESSES[process])
    (path,) = write_masks(layout, tmp_path, ["gds"])
    stack = read_masks(edited(path, tmp_path / "edited.gds", edit), layout.process)
    found = extract_netlist(stack)
    devices = found.devices
    ours = sorted(
        (int(sheet), found.nets[below], found.nets[above], int(area), (x, y))
        for sheet, below, above, area, (x, y) in zip(
            devices.sheets, devices.below, devices.above, devices.areas, devices.places.tolist(), strict=True
        )
    )
    assert ours == plates(stack)
    assert len(ours) >= 42


def test_a_sign_off_looks_a_file_over_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Path] = []
    check = database.check_bounds
    monkeypatch.setattr(database, "check_bounds", lambda path: (looked.append(path), check(path))[1])
    crossbar = make_crossbar(3, 2)
    verdict = steps.sign_off(build_layout(crossbar, PROCESSES["inkjet"]), crossbar, tmp_path)
    assert (verdict.drc["violations"], verdict.lvs["match"]) == (0, True)
    assert sorted(path.name for path in looked) == ["stack.gds", "stack.oas"]
