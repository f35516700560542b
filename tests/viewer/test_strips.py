"""Devices that are drawn as strips: what is clicked on is the device, not the strip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from conftest import View
from viewer_stack import make_stack

from snn2circuit.ir.layout import Shapes, Sheet
from snn2circuit.layout.gltf import write_glb
from snn2circuit.viewer.server import Server


def stripped(sheet: Sheet) -> Sheet:
    """A strip of a third of the width through the middle of every device."""
    boxes = sheet.devices.boxes.copy()
    third = (boxes[:, 3] - boxes[:, 0]) // 3
    boxes[:, 0] += third
    boxes[:, 3] -= third
    shapes = Shapes(layer="devices", boxes=boxes, nets=np.full(len(boxes), -1))
    return replace(sheet, shapes=(*sheet.shapes, shapes))


def test_a_click_on_a_strip_shows_its_device(
    open_view: Callable[..., View], serving: Callable[[Path], Server], tmp_path: Path
) -> None:
    stack = make_stack((3, 2, 2))
    write_glb(replace(stack, sheets=tuple(map(stripped, stack.sheets))), tmp_path / "stack.glb")
    view = open_view(serving(tmp_path).url)
    assert view.stats()["devices"] == 2 * (4 * 2 + 3 * 2)
    view.page.get_by_role("button", name="Devices only").click()
    assert len(view.stats()["visible"]) == 4  # devices and strips of both sheets
    view.page.get_by_role("button", name="Top", exact=True).click()
    spot = view.ask(f"debug.project({len(stack.sheets[0].devices.rows)})")  # the first device of the upper sheet
    view.page.mouse.click(spot["x"], spot["y"])
    shown = view.panel()
    assert shown is not None
    assert (shown["Row"], shown["Column"], shown["Word line"]) == ("0", "0", "wl_l2_r0")
    assert view.errors == []
