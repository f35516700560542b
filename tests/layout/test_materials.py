"""The bill of materials against KLayout's areas and crossings on the written masks; the drawing of two cuts."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from layout_crossbars import make_crossbar

from snn2circuit.analysis.cross_section import plot_sections
from snn2circuit.analysis.materials import WET, list_materials, write_materials
from snn2circuit.ir.parts import Quantity
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.masks.files import write_masks
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.signoff.stack import read_masks


@pytest.mark.parametrize("process", sorted(PROCESSES))
@pytest.mark.parametrize(("sizes", "bias"), [((2, 3), True), ((5, 4, 3), False), ((3, 4, 2, 3), True)])
def test_areas_vias_and_crossovers_are_those_of_the_masks(
    process: str, sizes: tuple[int, ...], bias: bool, tmp_path: Path
) -> None:
    crossbar = make_crossbar(*sizes, bias=bias, process=process)
    layout = build_layout(crossbar, PROCESSES[process])
    bill = list_materials(layout, crossbar)
    stack = read_masks(write_masks(layout, tmp_path, ["oas"])[0], PROCESSES[process])
    assert bill.prints
    for each in bill.prints:
        region = stack.region((each.sheet, each.layer))
        # A circle of 64 corners is 0.16 % smaller than the circle.
        assert each.area * 1e18 == pytest.approx(region.area(), rel=2e-3), each.layer
        assert each.volume == pytest.approx(each.area * PROCESSES[process].layer(each.layer).thickness.value)
    drawn = {(sheet, name): stack.region((sheet, name)) for sheet, name in stack.places("via")}
    for name, count in bill.vias.items():
        assert count == sum(region.count() for (_, layer), region in drawn.items() if layer == name)
    for sheet, crossovers in enumerate(bill.crossovers, start=1):
        crossed = stack.region((sheet, "word_lines")) & stack.region((sheet, "bit_lines"))
        free = crossed.not_interacting(stack.region((sheet, "devices"))).not_interacting(
            stack.region((sheet, "contacts"))
        )
        assert crossovers == free.count()
    frame = stack.top.bbox()
    assert bill.size[:2] == pytest.approx((frame.width() * 1e-9, frame.height() * 1e-9))


def test_a_small_stack_by_hand(tmp_path: Path) -> None:
    crossbar = make_crossbar(4, 3, 2)
    layout = build_layout(crossbar, PROCESSES["screen"])
    write_materials(list_materials(layout, crossbar), tmp_path)
    told = json.loads((tmp_path / "materials.json").read_text())
    assert told["devices"] == 2 * (5 * 3 + 4 * 2)
    # Seven rails through one foil, three outputs; seven rails from plane to plane on the first sheet.
    assert told["vias"] == {"contacts": 7, "substrate_vias": 10, "total": 17}
    # Four inputs, seven rails, two biases, two spikes.
    assert told["contact_fingers"] == 15
    # Foil 125, lines 25 each, 25 between, on each sheet; 25 on top.
    assert told["height_mm"] == pytest.approx(2 * 0.2 + 0.025)
    assert [cell["count"] for cell in told["cells"]] == [3, 2]
    assert told["parts"]["Capacitor"] == sum(
        cell["count"] * cell["parts_of_one"]["Capacitor"] for cell in told["cells"]
    )
    patch = next(row for row in told["prints"] if row["layer"] == "devices")
    assert patch["area_mm2"] == pytest.approx(30 * 0.7**2)  # 0.5 mm lines, 0.1 mm overlay on every side
    assert patch["volume_ul"] == pytest.approx(30 * 0.7**2 * 25e-3)
    with (tmp_path / "materials.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [[row["layer"], float(row["area_mm2"])] for row in rows] == [
        [row["layer"], row["area_mm2"]] for row in told["prints"]
    ]
    before = [(tmp_path / name).read_bytes() for name in ("materials.json", "materials.csv")]
    write_materials(list_materials(layout, crossbar), tmp_path)
    assert before == [(tmp_path / name).read_bytes() for name in ("materials.json", "materials.csv")]


def test_wet_ink_drops_and_cost_stand_where_the_process_gives_them(tmp_path: Path) -> None:
    """Word lines tell everything, bit lines no price, devices nothing; both lines are of one material."""

    def quantity(value: float, unit: str = "1") -> Quantity:
        return Quantity(value=value, unit=unit, source="a test", confidence="assumed")

    told = {"passes": quantity(2), "solids": quantity(0.2), "drop_volume": quantity(10e-15, "m3")}
    given = {"word_lines": {**told, "cost": quantity(900, "1/l")}, "bit_lines": told}
    screen = PROCESSES["screen"]
    layers = tuple(replace(layer, **given.get(layer.name, {})) for layer in screen.layers)
    crossbar = make_crossbar(2, 2)
    write_materials(list_materials(build_layout(crossbar, replace(screen, layers=layers)), crossbar), tmp_path)
    bill = json.loads((tmp_path / "materials.json").read_text())
    rows = {row["layer"]: row for row in bill["prints"]}
    word, bit, device = (rows[name] for name in ("word_lines", "bit_lines", "devices"))
    assert word["wet_volume_ul"] == pytest.approx(5 * word["volume_ul"], rel=1e-5)
    assert word["drops"] == pytest.approx(word["wet_volume_ul"] * 1e-9 / 10e-15, abs=1, rel=1e-5)
    assert isinstance(word["drops"], int)
    assert word["cost"] == pytest.approx(word["wet_volume_ul"] * 1e-6 * 900, rel=1e-5)
    assert word["passes"] == bit["passes"] == 2
    assert bit["drops"] > 0
    assert bit["cost"] is None
    assert [device[key] for key in WET] == [None] * 4
    silver, ink = (bill["materials"][rows[name]["material"]] for name in ("word_lines", "devices"))
    assert silver["wet_volume_ul"] == pytest.approx(5 * silver["volume_ul"], rel=1e-5)
    assert silver["cost"] is None
    assert ink["wet_volume_ul"] is ink["drops"] is ink["cost"] is None
    with (tmp_path / "materials.csv").open(newline="") as stream:
        table = {row["layer"]: row for row in csv.DictReader(stream)}
    assert [table["devices"][key] for key in WET] == [""] * 4
    assert float(table["word_lines"]["cost"]) == word["cost"]


@pytest.mark.parametrize("process", ["inkjet", "organic_flow"])
def test_the_cuts_show_every_layer_they_meet_and_give_the_same_bytes(process: str, tmp_path: Path) -> None:
    layout = build_layout(make_crossbar(4, 3, 2, process=process), PROCESSES[process])
    files = [tmp_path / f"{number}.svg" for number in (1, 2)]
    for path in files:
        plot_sections(layout, path)
    first, second = (path.read_bytes() for path in files)
    assert first == second
    ElementTree.fromstring(first)  # noqa: S314
    shown = {layer.name for layer in PROCESSES[process].layers if layer.color.encode() in first}
    assert {"substrate", "word_lines", "devices", "bit_lines", "dielectric", "cells"} <= shown
    assert ("interlayer" in shown) == (process == "organic_flow")
