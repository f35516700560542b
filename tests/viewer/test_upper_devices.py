"""A sheet with devices below and above its bit lines: both are drawn, counted, found and told apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import View
from viewer_stack import UM, make_stack

from snn2circuit.ir.layout import Devices, Layout
from snn2circuit.layout.gltf import write_glb
from snn2circuit.viewer.server import Server

FIRST = 7  # row of the upper tile


def shared_stack() -> Layout:
    """The stack of the other tests, with the rows of sheet 1 from 7 on above the bit lines, over rows 0 to 5."""
    stack = make_stack()
    sheet = stack.sheets[0]
    upper, names = (
        sheet.devices.rows >= FIRST,
        ("rows", "columns", "polarity", "boxes", "weight", "conductance", "level"),
    )
    below, above = (Devices(**{name: getattr(sheet.devices, name)[part] for name in names}) for part in (~upper, upper))
    rise = [0, -FIRST * 400 * UM, 2 * UM] * 2
    sheets = replace(sheet, devices=below, upper=replace(above, boxes=above.boxes + rise)), *stack.sheets[1:]
    return replace(stack, sheets=sheets)


@pytest.fixture
def both(open_view: Callable[..., View], serving: Callable[[Path], Server], tmp_path: Path) -> View:
    write_glb(shared_stack(), tmp_path / "stack.glb")
    return open_view(serving(tmp_path).url)


def test_both_planes_are_layers_of_their_own_and_all_devices_count(both: View) -> None:
    assert {"sheet 1 · devices", "sheet 1 · upper_devices"} <= set(both.stats()["visible"])
    assert both.stats()["devices"] == 2 * (13 * 8 + 9 * 4)
    both.ask("debug.actions.toggleDevicesOnly()")
    assert both.stats()["shown"] == both.stats()["devices"]
    assert not both.errors


@pytest.mark.parametrize(("row", "layer"), [(2, "devices"), (9, "upper_devices"), (12, "upper_devices")])
def test_a_device_is_found_on_its_side_of_the_bit_lines(both: View, row: int, layer: str) -> None:
    both.page.get_by_label("Find a device or a net").fill(f"l1 r{row} n3 +")
    both.page.keyboard.press("Enter")
    selection = both.stats()["selection"]
    assert (selection["layer"], selection["row"], selection["column"]) == (layer, row, 3)
    panel = both.panel()
    assert panel is not None
    assert panel["Row"] == ("12 (bias)" if row == 12 else str(row))
    assert panel["Row tile"] == ("1" if layer == "devices" else "2")


def test_a_click_from_above_takes_the_upper_device(both: View) -> None:
    both.page.keyboard.press("1")  # from above
    upper = [both.ask(f"debug.pick(debug.project({index}).x, debug.project({index}).y)") for index in (112, 130, 150)]
    assert {found["layer"] for found in upper if found} == {"upper_devices"}
