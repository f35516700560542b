"""A real browser looks at the real page."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import View
from viewer_stack import DeviceInFile

from snn2circuit.viewer.server import Server


def changed(before: np.ndarray, after: np.ndarray) -> float:
    """Share of pixels that differ visibly."""
    return float((np.abs(before - after).max(axis=2) > 12).mean())


def hide_sheet(view: View, number: int) -> None:
    box = view.page.locator(f"input[aria-label='Show sheet {number}']")
    box.check()  # a box that is neither on nor off would not be clicked
    box.uncheck()


# --- the page -------------------------------------------------------------------------------------


def test_the_page_shows_the_stack_and_asks_nobody_else(view: View, server: Server, devices: list[DeviceInFile]) -> None:
    assert view.errors == []
    assert {url.removeprefix(server.url) for url in view.requests} - {"data:,"} == {
        "",
        "viewer.js",
        "viewer.css",
        "stack.glb",
        "activity.json",
    }
    picture = view.picture()
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 200
    stats = view.stats()
    assert stats["devices"] == len(devices)
    assert stats["calls"] <= 20
    assert view.page.inner_text("h1") == "a <small> stack & more"


def test_equal_views_give_equal_pictures(view: View) -> None:
    assert changed(view.picture(), view.picture()) == 0


def test_a_layer_can_be_hidden_and_shown(view: View) -> None:
    before = view.picture()
    box = view.page.locator("input[aria-label='Show sheet 2 cells']")
    box.uncheck()
    hidden = view.picture()
    assert changed(before, hidden) > 0.001
    assert "sheet 2 · cells" not in view.stats()["visible"]
    assert view.page.locator("input[aria-label='Show sheet 2']").evaluate("box => box.indeterminate")
    box.check()
    assert changed(before, view.picture()) == 0


def test_all_none_and_devices_only(view: View) -> None:
    view.page.get_by_role("button", name="Devices only").click()
    assert view.stats()["visible"] == ["sheet 1 · devices", "sheet 2 · devices"]
    view.page.get_by_role("button", name="None", exact=True).click()
    assert view.stats()["visible"] == []
    view.page.get_by_role("button", name="All", exact=True).click()
    assert len(view.stats()["visible"]) == 12


def test_sliders_move_the_stack(view: View) -> None:
    before, scale = view.picture(), view.stats()["scale"]
    for slider, key in [("sheets", "sheets"), ("layers", "layers"), ("height", "film")]:
        view.page.locator(f"input[name={slider}]").fill("0.9")
        after = view.picture()
        assert changed(before, after) > 0.01
        assert view.stats()["scale"][key] > scale[key]
        before = after


def test_the_factor_of_height_is_on_the_screen(view: View) -> None:
    scale = view.stats()["scale"]
    assert scale["film"] > 1
    assert f"films × {scale['film']}, foil × {scale['bulk']}" in view.page.inner_text(".s2c-scale")
    view.page.locator("input[name=height]").fill("0")
    assert "true to scale" in view.page.inner_text(".s2c-scale")


def test_colours_follow_the_mode(view: View) -> None:
    seen = []
    for mode, legend in [
        ("weight", "Weight of the pair"),
        ("conductance", "Conductance"),
        ("level", "Level, of 32"),
        ("material", "Material"),
    ]:
        view.page.locator(f"button[data-mode={mode}]").click()
        assert view.page.inner_text(".s2c-legend figcaption").startswith(legend)
        seen.append(view.picture())
    assert all(changed(a, b) > 0.002 for i, a in enumerate(seen) for b in seen[:i])


def test_the_legend_has_units_and_the_range_of_the_file(view: View, devices: list[DeviceInFile]) -> None:
    view.page.locator("button[data-mode=conductance]").click()
    low, high = (limit(d.conductance for d in devices) for limit in (min, max))
    ticks = view.page.locator(".s2c-ticks span").all_inner_texts()
    assert [ticks[0], ticks[-1]] == [f"{low * 1e6:.3g} µS", f"{high * 1e6:.3g} µS"]
    assert not view.stats()["log"]
    view.page.locator("input[name=log]").check()
    assert view.page.inner_text(".s2c-legend figcaption") == "Conductance, logarithmic"


def test_theme(open_view: Callable[..., View], server: Server) -> None:
    view = open_view(server.url, color_scheme="dark")
    assert view.picture().mean() < 80
    view.page.keyboard.press("t")
    assert view.picture().mean() > 150
    assert view.stats()["theme"] == "light"


# --- the right device -----------------------------------------------------------------------------


def expected_rows(device: DeviceInFile, last_row: int) -> dict[str, str]:
    bias = device.row == last_row
    sign = "+" if device.weight > 0 else "−"
    return {
        "title": device.name,
        "Layer": str(device.layer),
        "Row": f"{device.row} (bias)" if bias else str(device.row),
        "Column": str(device.column),
        "Polarity": "+ (positive)" if device.polarity > 0 else "− (negative)",
        "Weight of pair": f"{sign}{abs(float(f'{device.weight:.4g}')):.12g}",
        "Conductance": f"{float(f'{device.conductance * 1e6:.4g}'):g} µS",
        "Resistance": resistance(1 / device.conductance),
        "Level": f"{device.level} of 0–31",
        "Word line": f"bias_l{device.layer}" if bias else f"wl_l{device.layer}_r{device.row}",
        "Bit line": f"{'bp' if device.polarity > 0 else 'bn'}_l{device.layer}_n{device.column}",
        "Sheet": str(device.sheet + 1),
        "Size in µm": "200 × 200 × 1",
    }


def resistance(ohms: float) -> str:
    scale, prefix = (1e6, "M") if ohms >= 999950 else (1e3, "k")
    return f"{float(f'{ohms / scale:.4g}'):g} {prefix}Ω"


@pytest.mark.parametrize("standpoint", ["top", "iso"])
def test_a_click_shows_the_device_under_it(view: View, devices: list[DeviceInFile], standpoint: str) -> None:
    chosen = random.Random(standpoint).sample(range(len(devices)), 24)
    if standpoint == "top":
        view.page.get_by_role("button", name="Top", exact=True).click()
    else:
        view.page.get_by_role("button", name="Devices only").click()
    for sheet in (1, 0):
        last_row = max(d.row for d in devices if d.sheet == sheet)
        for index in [i for i in chosen if devices[i].sheet == sheet]:
            spot = view.ask(f"debug.project({index})")
            view.page.mouse.click(spot["x"], spot["y"])
            shown = view.panel()
            assert shown is not None
            x, y, z = (float(v) for v in shown.pop("x, y, z in mm").replace("−", "-").split())
            assert shown == expected_rows(devices[index], last_row)
            # The file's origin is the middle of the footprint, the panel speaks in coordinates of the layout.
            column, row = devices[index].column, devices[index].row
            minus = devices[index].polarity < 0
            assert (x, y) == pytest.approx((0.4 * (2 * column + minus) + 0.1, 0.4 * row + 0.1), abs=2e-3)
            assert z == pytest.approx(0.1265 + 0.128 * sheet, abs=2e-3)
            view.page.keyboard.press("Escape")
        if sheet == 1:
            hide_sheet(view, 2)


def test_devices_stand_on_the_screen_where_the_file_puts_them(view: View, devices: list[DeviceInFile]) -> None:
    """From above, screen positions are one scale and one shift away from the file's x and -y."""
    view.page.get_by_role("button", name="Top", exact=True).click()
    sheet = [i for i, device in enumerate(devices) if device.sheet == 0]
    screen = np.array([[p["x"], p["y"]] for p in view.ask(f"{sheet}.map((i) => debug.project(i))")])
    file = np.array([devices[i].centre[:2] for i in sheet]) * [1, -1]
    scale = np.linalg.norm(np.ptp(screen, axis=0)) / np.linalg.norm(np.ptp(file, axis=0))
    offset = screen - scale * file
    assert np.ptp(offset, axis=0).max() < 0.5


def test_pixels_have_the_sign_of_the_weight(view: View, devices: list[DeviceInFile]) -> None:
    view.page.get_by_role("button", name="Devices only").click()
    hide_sheet(view, 2)
    view.page.get_by_role("button", name="Top", exact=True).click()
    picture = view.picture(whole=True)
    strong = [i for i, device in enumerate(devices) if device.sheet == 0 and abs(device.weight) > 0.4]
    assert len(strong) > 50
    for index in strong:
        spot = view.ask(f"debug.project({index})")
        red, green, _ = picture[int(spot["y"]), int(spot["x"])]
        assert np.sign(green - red) == np.sign(devices[index].weight), devices[index]


def test_other_shapes_tell_layer_material_thickness_and_net(view: View) -> None:
    hide_sheet(view, 2)
    view.page.get_by_role("button", name="Top", exact=True).click()
    left = view.ask("[debug.project(0), debug.project(2)]")
    per_mm = (left[1]["x"] - left[0]["x"]) / 0.8
    # Row 0's word line ends at x = -1.5 mm, its via lies between -1.9 and -1.6 mm; device 0's middle is at 0.1 mm.
    view.page.mouse.click(left[0]["x"] - 0.9 * per_mm, left[0]["y"])
    wire = view.panel()
    assert wire is not None
    assert (wire["Layer"], wire["Material"], wire["Thickness"], wire["Net"]) == (
        "word lines",
        "silver ink",
        "1 µm",
        "wl_l1_r0",
    )
    view.page.mouse.click(left[0]["x"] - 1.85 * per_mm, left[0]["y"] - 0.05 * per_mm)
    via = view.panel()
    assert via is not None
    assert (via["Layer"], via["Thickness"], via["Net"]) == ("substrate vias", "125 µm", "wl_l1_r0")


def test_hover_shows_a_tooltip(view: View, devices: list[DeviceInFile]) -> None:
    index = len(devices) - 1
    view.page.get_by_role("button", name="Top", exact=True).click()
    spot = view.ask(f"debug.project({index})")
    view.page.mouse.move(spot["x"], spot["y"])
    view.page.locator(".s2c-tooltip").wait_for()
    assert view.page.inner_text(".s2c-tooltip strong") == devices[index].name
    assert "Ω" in view.page.inner_text(".s2c-tooltip span")


def test_turning_and_zooming_with_the_mouse(view: View) -> None:
    before = view.picture()
    view.page.mouse.move(600, 250)
    view.page.mouse.down()
    view.page.mouse.move(680, 270, steps=2)
    view.page.mouse.up()
    turned = view.picture()
    assert changed(before, turned) > 0.01
    assert view.panel() is None
    view.page.mouse.wheel(0, -600)
    view.page.wait_for_timeout(300)
    assert changed(turned, view.picture()) > 0.01


# --- search, keys, messages -----------------------------------------------------------------------


SEARCHES = {
    "l1 r5 n3": "l1 r5 n3 +",
    "L2R1N2 -": "l2 r1 n2 −",
    "wl_l1_r5": "wl_l1_r5",
    "bias_l2": "bias_l2",
    "bn_l1_n": "bn_l1_n0",
}


def test_search(view: View) -> None:
    for text, title in SEARCHES.items():
        view.page.keyboard.press("/")
        view.page.keyboard.type(text)
        view.page.keyboard.press("Enter")
        shown = view.panel()
        assert shown is not None
        assert shown["title"] == title


def test_search_for_nothing_there(view: View) -> None:
    view.page.get_by_label("Find a device or a net").fill("l9 r1 n1")
    assert view.page.inner_text(".s2c-results") == "No such device or net"


def test_keys(view: View) -> None:
    keyboard = view.page.keyboard
    view.page.locator("canvas").focus()
    keyboard.press("c")
    assert view.stats()["mode"] == "conductance"
    keyboard.press("e")
    assert view.stats()["sliders"]["layers"] > 0
    keyboard.press("p")
    assert not view.page.locator(".s2c-sidebar").is_visible()
    keyboard.press("Shift+?")
    assert view.page.locator(".s2c-help").is_visible()
    keyboard.press("Escape")
    assert not view.page.locator(".s2c-help").is_visible()
    view.ask("debug.select(0)")
    keyboard.press("ArrowUp")
    keyboard.press("ArrowRight")
    assert {key: view.stats()["selection"][key] for key in ("row", "column", "polarity")} == {
        "row": 1,
        "column": 1,
        "polarity": 1,
    }
    keyboard.press("Escape")
    assert view.panel() is None
    assert view.errors == []


def test_standard_views_differ(view: View) -> None:
    view.page.locator("canvas").focus()
    seen = [view.picture()]
    for key in "1236":
        view.page.keyboard.press(key)
        seen.append(view.picture())
    view.page.keyboard.press("h")
    assert all(changed(a, b) > 0.01 for i, a in enumerate(seen) for b in seen[:i])
    assert changed(seen[0], view.picture()) < 0.001


def test_the_picture_can_be_saved(view: View) -> None:
    with view.page.expect_download() as download:
        view.page.get_by_label("Save a picture (S)").click()
    assert download.value.suggested_filename.endswith(".png")
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")


def test_assumptions_are_listed(view: View) -> None:
    view.page.get_by_text("2 assumptions").click()
    assert view.page.locator(".s2c-assumed li").all_inner_texts() == ["cells are 0.6 mm wide", "lines are 0.2 mm wide"]


NO_WEBGL = """
const real = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind.startsWith("webgl") ? null : real.call(this, kind, ...rest);
};
"""


def test_without_webgl_the_page_says_so(open_view: Callable[..., View], server: Server) -> None:
    view = open_view(None)
    view.page.add_init_script(NO_WEBGL)
    view.open(server.url)
    assert "no WebGL" in view.page.inner_text(".s2c-message h2")


@pytest.mark.parametrize(
    ("content", "title", "hint"),
    [
        (None, "There is no stack here", "snn2circuit layout"),
        (b"glTF but not really", "The stack cannot be read", "snn2circuit layout"),
        (b"", "The stack cannot be read", "snn2circuit layout"),
    ],
)
def test_a_stack_that_does_not_load(
    open_view: Callable[..., View],
    serving: Callable[[Path], Server],
    tmp_path: Path,
    content: bytes | None,
    title: str,
    hint: str,
) -> None:
    if content is not None:
        (tmp_path / "stack.glb").write_bytes(content)
    view = open_view(serving(tmp_path).url)
    assert view.page.inner_text(".s2c-message h2") == title
    assert hint in view.page.inner_text(".s2c-message p")


def test_a_truncated_stack_does_not_load(
    open_view: Callable[..., View], serving: Callable[[Path], Server], tmp_path: Path, results: Path
) -> None:
    (tmp_path / "stack.glb").write_bytes((results / "stack.glb").read_bytes()[:-2000])
    view = open_view(serving(tmp_path).url)
    assert view.page.inner_text(".s2c-message h2") == "The stack cannot be read"
