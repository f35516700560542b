"""The same viewer inside a report that is opened from disk, with no server and no network."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
from conftest import View
from viewer_stack import DeviceInFile

from snn2circuit.viewer.page import embed, viewer_page

NASTY = '</div></script><script>alert("x")</script><!-- "stack" & \' \u2028'


class Elements(HTMLParser):
    """Counts elements and keeps what scripts contain."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.labels: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.labels += [value or "" for name, value in attrs if name == "aria-label"]


def test_the_fragment_holds_four_elements_whatever_the_title(results: Path) -> None:
    found = Elements(embed((results / "stack.glb").read_bytes(), NASTY))
    assert found.tags == ["style", "div", "script", "script"]
    assert found.labels == [NASTY]


def test_the_page_is_the_built_one() -> None:
    assert 'data-glb="/stack.glb"' in viewer_page()


def test_it_works_from_disk_and_offline(
    open_view: Callable[..., View], results: Path, tmp_path: Path, devices: list[DeviceInFile]
) -> None:
    report = tmp_path / "report.html"
    fragment = embed((results / "stack.glb").read_bytes(), NASTY)
    report.write_text(f"<!doctype html><meta charset='utf-8'><h1>Report</h1>{fragment}<p>after</p>", encoding="utf-8")
    view = open_view(None, offline=True)
    view.open(report.as_uri())
    assert view.errors == []
    assert [url for url in view.requests if not url.startswith(("data:", "blob:"))] == [report.as_uri()]
    assert len(np.unique(view.picture().reshape(-1, 3), axis=0)) > 200
    index = len(devices) // 3
    view.page.locator("input[aria-label='Show sheet 2']").uncheck()
    view.page.get_by_role("button", name="Top", exact=True).click()
    spot = view.ask(f"debug.project({index})")
    view.page.mouse.click(spot["x"], spot["y"])
    shown = view.panel()
    assert shown is not None
    assert shown["title"] == devices[index].name


def test_the_wheel_scrolls_the_report_until_the_viewer_is_used(
    open_view: Callable[..., View], results: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    fragment = embed((results / "stack.glb").read_bytes(), "stack")
    report.write_text(
        f"<!doctype html><meta charset='utf-8'>{fragment}<div style='height: 3000px'></div>", encoding="utf-8"
    )
    view = open_view(None)
    view.open(report.as_uri())
    view.page.mouse.move(600, 300)
    view.page.mouse.wheel(0, 40)
    view.page.wait_for_function("window.scrollY === 40")
    view.page.mouse.click(340, 250)
    view.page.mouse.wheel(0, 40)
    view.page.wait_for_timeout(200)
    assert view.page.evaluate("window.scrollY") == 40
