"""Section planes, opacity, ruler, isolation, playback, downloads and the address, in a real browser."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import View
from viewer_stack import DeviceInFile, make_stack

from snn2circuit.layout.gltf import write_glb
from snn2circuit.viewer.server import Server

STEPS = 5
SPIKES = [[[n % STEPS] if n < 6 else [] for n in range(8)], [[4], [], [2, 3], []]]  # per layer and neuron
MOST = 0.25


@pytest.fixture(scope="module")
def server_with_run(serving: Callable[[Path], Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    """The stack of all tests, with what a simulated sample did beside it."""
    folder = tmp_path_factory.mktemp("run")
    write_glb(make_stack(), folder / "stack.glb")
    layers = [
        {
            "spikes": spikes,
            "drop": {"most": MOST, "share": np.linspace(0, 1000, 2 * rows * len(spikes)).astype(int).tolist()},
        }
        for rows, spikes in zip((13, 9), SPIKES, strict=True)
    ]
    data = {"sample": 3, "steps": STEPS, "step_seconds": 1e-3, "inputs": [[0, 1]] * 12, "layers": layers}
    (folder / "activity.json").write_text(json.dumps(data))
    return serving(folder)


@pytest.fixture
def run(open_view: Callable[..., View], server_with_run: Server) -> View:
    return open_view(server_with_run.url)


def changed(before: np.ndarray, after: np.ndarray) -> float:
    return float((np.abs(before - after).max(axis=2) > 12).mean())


def click_device(view: View, index: int) -> None:
    spot = view.ask(f"debug.project({index})")
    view.page.mouse.click(spot["x"], spot["y"])


def wait_until(view: View, expression: str) -> None:
    """Playwright's own waiting evaluates text, which the page's policy forbids."""
    for _ in range(200):
        if view.ask(expression):
            return
        view.page.wait_for_timeout(50)
    pytest.fail(f"{expression} stayed false")


# --- section planes and opacity --------------------------------------------------------------------


def test_section_planes_cut_the_picture_and_what_can_be_picked(view: View, devices: list[DeviceInFile]) -> None:
    view.page.get_by_role("button", name="Devices only").click()
    view.page.get_by_role("button", name="Top", exact=True).click()
    whole = view.picture()
    top = [i for i, device in enumerate(devices) if device.sheet == 1]
    left, right = (pick(top, key=lambda i: devices[i].centre[0]) for pick in (min, max))
    spots = [view.ask(f"debug.project({index})") for index in (left, right)]
    view.page.locator("input[name=cut_x]").fill("0.3")
    assert changed(whole, view.picture()) > 0.005
    kept, gone = (view.ask(f"debug.pick({spot['x']}, {spot['y']})") for spot in spots)
    assert kept["column"] == devices[left].column
    assert gone is None
    view.page.locator("input[name=far]").check()
    assert view.ask(f"debug.pick({spots[0]['x']}, {spots[0]['y']})") is None
    view.page.locator("input[name=cut_x]").fill("1")
    assert changed(whole, view.picture()) == 0


def test_a_pillar_is_cut_and_closed_where_the_plane_meets_it(view: View) -> None:
    """Vias of sheet 2, 0.3 mm wide with their axes at x = -1.75 mm, from above: an area of a circle's part."""
    for box in view.page.locator("input[aria-label^='Show sheet']").all():
        box.uncheck()
    view.page.locator("input[aria-label='Show sheet 2 substrate vias']").check()
    view.page.locator("canvas").focus()
    view.page.keyboard.press("g")
    view.page.keyboard.press("l")
    view.page.keyboard.press("1")
    view.page.locator("input[name=cut_x]").fill("0")
    nothing = view.picture()

    def area(share: str) -> float:
        view.page.locator("input[name=cut_x]").fill(share)
        return changed(nothing, view.picture())

    whole = area("1")
    assert whole > 0.003
    # The stack is 8.4 mm wide from x = -2 mm on.
    for share, part in (("0.03", 0.5), ("0.035", 0.66), ("0.025", 0.36)):
        plane = (float(share) * 8.4 - 0.25) / 0.15
        exact = 1 - (np.arccos(plane) - plane * np.sqrt(1 - plane**2)) / np.pi
        assert exact == pytest.approx(part, abs=0.03)
        assert area(share) / whole == pytest.approx(exact, abs=0.06)
    assert view.errors == []
    view.page.locator("input[name=far]").check()
    exact_half = area("0.97")
    assert exact_half / whole == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("key", ["x", "y", "z"])
def test_a_key_cuts_each_axis_and_gives_it_back(view: View, key: str) -> None:
    view.page.locator("canvas").focus()
    before = view.picture()
    view.page.keyboard.press(key)
    assert changed(before, view.picture()) > 0.005
    assert view.stats()["sliders"][f"cut_{key}"] == 0.5
    view.page.keyboard.press(key)
    assert changed(before, view.picture()) == 0


def test_a_layer_can_be_made_transparent(view: View) -> None:
    before = view.picture()
    slider = view.page.locator("input[aria-label='Opacity of sheet 2 cells']")
    slider.fill("0.2")
    assert view.stats()["opacity"]["sheet 2 · cells"] == 0.2
    assert changed(before, view.picture()) > 0.001
    slider.fill("1")
    assert changed(before, view.picture()) == 0


# --- isolate, ruler ---------------------------------------------------------------------------------


def test_isolation_shows_the_nets_of_a_device_and_back_shows_all(view: View) -> None:
    everything, before = view.stats()["shown"], view.picture()
    view.page.keyboard.press("/")
    view.page.keyboard.type("wl_l1_r5")
    view.page.keyboard.press("Enter")
    view.page.get_by_role("button", name="Isolate").first.click()
    # a line, its via, and the 16 devices on it
    assert view.stats()["shown"] == 1 + 1 + 16
    view.page.get_by_role("button", name="Show all").click()
    assert view.stats()["shown"] == everything
    view.page.keyboard.press("Escape")
    view.page.keyboard.press("h")
    assert changed(before, view.picture()) < 0.002


def test_the_ruler_reads_true_lengths(view: View, devices: list[DeviceInFile]) -> None:
    view.page.get_by_role("button", name="Devices only").click()
    view.page.get_by_role("button", name="Top", exact=True).click()
    view.page.keyboard.press("m")
    first, last = (
        next(i for i, d in enumerate(devices) if (d.sheet, d.row, d.column, d.polarity) == (1, row, column, 1))
        for row, column in [(0, 0), (4, 3)]
    )
    click_device(view, first)
    click_device(view, last)
    # 3 columns of 0.8 mm and 4 rows of 0.4 mm: a pixel is some 20 µm
    reading = view.page.locator(".s2c-reading").text_content() or ""
    assert float(reading.split()[0]) == pytest.approx(np.hypot(2.4, 1.6), abs=0.05)
    assert reading.split()[1] == "mm"
    assert "Δz 0 µm" in reading
    assert view.panel() is None
    view.page.keyboard.press("Escape")
    assert view.page.locator(".s2c-reading").text_content() == ""


# --- what a run adds --------------------------------------------------------------------------------


def test_drops_and_spike_times_have_colours_units_and_rows(run: View) -> None:
    seen = []
    for mode, legend, ticks in [
        ("drop", "Read voltage lost", ["0 %", "12.5 %", "25 %"]),
        ("spike", "First spike", ["0 s", "4 ms"]),
    ]:
        run.page.locator(f"button[data-mode={mode}]").click()
        assert run.page.inner_text(".s2c-legend figcaption").startswith(legend)
        assert run.page.locator(".s2c-ticks span").all_inner_texts() == ticks
        seen.append(run.picture())
    assert changed(*seen) > 0.01
    run.ask("debug.select(0)")
    first = run.panel()
    assert first is not None
    assert (first["IR drop"], first["First spike"]) == ("0 %", "step 1, 0 s")
    run.ask(f"debug.select({2 * 13 * 8 - 1})")
    last = run.panel()
    assert last is not None
    assert (last["IR drop"], last["First spike"]) == ("25 %", "never")
    assert run.errors == []


def test_without_a_run_there_is_no_playback(view: View) -> None:
    assert view.page.locator("button[data-mode=spike]").count() == 0
    assert view.page.locator("input[name=step]").count() == 0


def test_spikes_play_along_the_stack(run: View) -> None:
    slider = run.page.locator("input[name=step]")
    dark = run.picture()
    slider.fill("2")
    text = run.page.inner_text(".s2c-spikes")
    assert text == "step 3 of 5 · spikes in layer 1: 1 of 8 · layer 2: 1 of 4"
    # neuron 2 of layer 1: its cell, and the via and word line of layer 2; neuron 2 of layer 2: its cell
    assert run.stats()["lit"] == 1 + 2 + 1
    lit = run.picture()
    assert changed(dark, lit) > 0.0005
    run.page.locator("canvas").focus()
    run.page.keyboard.press(".")
    assert run.stats()["step"] == 3
    run.page.keyboard.press(" ")
    wait_until(run, "debug.stats().step !== 3")
    run.page.keyboard.press(" ")
    run.page.get_by_title("Show no spikes").click()
    assert run.stats()["lit"] == 0
    assert changed(dark, run.picture()) == 0


# --- files and the address --------------------------------------------------------------------------


def test_downloads_are_the_stack_and_its_devices(view: View, results: Path, devices: list[DeviceInFile]) -> None:
    with view.page.expect_download() as download:
        view.page.get_by_role("button", name="stack.glb").click()
    assert Path(download.value.path()).read_bytes() == (results / "stack.glb").read_bytes()
    with view.page.expect_download() as download:
        view.page.get_by_role("button", name="placement.csv").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert len(rows) == len(devices)
    for row, device in zip(rows, devices, strict=True):
        assert (int(row["layer"]), int(row["row"]), int(row["column"])) == (device.layer, device.row, device.column)
        assert float(row["conductance_S"]) == pytest.approx(device.conductance, rel=1e-6)
        assert float(row["weight"]) == pytest.approx(device.weight, rel=1e-6)
        assert row["tile"] == "1"


def test_the_address_opens_the_same_view_again(
    run: View, open_view: Callable[..., View], server_with_run: Server
) -> None:
    run.page.locator("button[data-mode=level]").click()
    run.page.locator("input[aria-label='Show sheet 2 cells']").uncheck()
    run.page.locator("input[aria-label='Opacity of sheet 1 devices']").fill("0.5")
    run.page.locator("input[name=cut_y]").fill("0.6")
    run.page.locator("input[name=step]").fill("1")
    run.ask("debug.select(7)")
    run.page.locator("canvas").focus()
    run.page.keyboard.press("1")
    wait_until(run, "location.hash.includes('select=') && location.hash.includes('step=1')")
    run.page.wait_for_timeout(800)
    again = open_view(run.page.url)
    wanted, found = run.stats(), again.stats()
    for key in ("mode", "sliders", "step", "visible", "opacity", "selection", "lit", "scale"):
        assert found[key] == wanted[key], key
    assert changed(run.picture(), again.picture()) < 0.002
    assert server_with_run.url in run.page.url


def test_the_address_keeps_isolation_ruler_and_theme(
    view: View, open_view: Callable[..., View], devices: list[DeviceInFile]
) -> None:
    everything = view.stats()["shown"]
    view.page.locator("canvas").focus()
    index = next(i for i, d in enumerate(devices) if (d.sheet, d.row, d.column, d.polarity) == (1, 5, 3, 1))
    view.ask(f"debug.select({index})")
    for key in ("i", "Escape", "1", "m"):
        view.page.keyboard.press(key)
    click_device(view, index)
    click_device(view, next(i for i, d in enumerate(devices) if (d.sheet, d.row, d.column, d.polarity) == (1, 5, 0, 1)))
    view.page.mouse.move(5, 5)
    view.page.keyboard.press("t")
    reading = view.page.locator(".s2c-reading").text_content() or ""
    assert reading.startswith("2.4")
    wait_until(view, "location.hash.includes('theme=dark') && location.hash.split('%3A').length >= 10")
    view.page.wait_for_timeout(800)
    again = open_view(view.page.url)
    wanted, found = view.stats(), again.stats()
    assert found["theme"] == wanted["theme"] == "dark"
    assert found["shown"] == wanted["shown"] < everything
    assert again.page.locator(".s2c-reading").text_content() == reading
    assert changed(view.picture(), again.picture()) < 0.002
    again.page.locator("canvas").focus()
    again.page.keyboard.press("b")
    assert again.stats()["shown"] == everything
    again.page.keyboard.press("m")
    again.page.keyboard.press("t")
    wait_until(again, "!/isolate|ruler/.test(location.hash) && location.hash.includes('theme=light')")
    # the theme of a link is for its page: who opens the stack without it sees the system's
    assert again.page.evaluate("window.localStorage.getItem('snn2circuit-theme')") == "light"
    assert view.errors == again.errors == []


def test_a_measurement_rides_on_its_shapes(view: View, devices: list[DeviceInFile]) -> None:
    view.page.get_by_role("button", name="Devices only").click()
    view.page.get_by_role("button", name="Front", exact=True).click()
    view.page.keyboard.press("m")
    click_device(view, 0)
    click_device(view, len(devices) - 1)
    ruler, reading = view.page.locator("polyline.s2c-ruler"), view.page.locator(".s2c-reading")
    before, text = ruler.get_attribute("points"), reading.text_content()
    view.page.locator("input[name=sheets]").fill("0.8")
    view.picture()
    assert ruler.get_attribute("points") != before
    assert reading.text_content() == text, "true lengths do not depend on what is drawn"


@pytest.mark.parametrize(
    "fields",
    [
        "#mode=purple&sliders=1,2&camera=x&hide=99,-1&opacity=a:b",
        "#mode=level&sliders=0.3,0,0.5,1,1,1&camera=60,1,0,0,0,0&isolate=nothing,99:1,0:9999&theme=purple"
        "&ruler=99:0:1:1:0.5,0:9999:1:1:0.5,0:-1:0:0:0,0.5:0:1:1:1,0:0:x:1:1",
    ],
)
def test_an_address_of_nonsense_is_ignored(open_view: Callable[..., View], server: Server, fields: str) -> None:
    view = open_view(f"{server.url}{fields}")
    assert view.errors == []
    assert view.stats()["mode"] == ("level" if "level" in fields else "weight")
    assert view.stats()["theme"] == "light"
    assert view.stats()["shown"] == view.stats()["instances"]
    assert len(view.stats()["visible"]) == 12
