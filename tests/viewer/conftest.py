"""One browser and one served stack for all tests of the viewer."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, FloatRect, Page, sync_playwright
from viewer_stack import DeviceInFile, make_stack, read_devices

from snn2circuit.layout.gltf import write_glb
from snn2circuit.viewer.server import Server, make_server

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu-sandbox", "--use-gl=angle", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the `layout` stage leaves it."""
    folder = tmp_path_factory.mktemp("results")
    write_glb(make_stack(), folder / "stack.glb")
    return folder


@pytest.fixture(scope="session")
def devices(results: Path) -> list[DeviceInFile]:
    return read_devices((results / "stack.glb").read_bytes())


@pytest.fixture(scope="session")
def serving() -> Iterator[Callable[[Path], Server]]:
    """Serve a folder in the background until the tests end."""
    running: list[Server] = []

    def start(folder: Path) -> Server:
        server = make_server(folder)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def server(serving: Callable[[Path], Server], results: Path) -> Server:
    return serving(results)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


class View:
    """An open page with what it said and asked for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, url: str) -> None:
        self.page.goto(url)
        self.page.wait_for_selector("#snn2circuit-viewer[data-ready]", timeout=30_000)

    def ask(self, expression: str) -> Any:
        """A JavaScript expression in which `debug` is the viewer's API for tests."""
        return self.page.evaluate(f"() => {{ const debug = window.snn2circuit.debug; return {expression}; }}")

    def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("debug.stats()")
        return found

    def panel(self) -> dict[str, str] | None:
        """Rows of the card of the selection, as text on the page; None without a selection."""
        if not self.page.locator(".s2c-panel").is_visible():
            return None
        labels = self.page.locator(".s2c-panel dt").all_inner_texts()
        values = self.page.locator(".s2c-panel dd").all_inner_texts()
        return {"title": self.page.inner_text(".s2c-panel h2"), **dict(zip(labels, values, strict=True))}

    def picture(self, *, whole: bool = False) -> np.ndarray[Any, Any]:
        """The 3D picture without anything laid over it, or the whole page, (height, width, 3)."""
        self.ask("new Promise((done) => { debug.frame(); requestAnimationFrame(() => requestAnimationFrame(done)); })")
        data = self.page.screenshot(clip=None if whole else self.clip())
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=np.int16)

    def clip(self) -> FloatRect:
        """Part of the page that only the 3D picture covers."""
        size = self.page.viewport_size
        assert size is not None
        return {"x": 320, "y": 60, "width": size["width"] - 330, "height": size["height"] - 150}


@pytest.fixture
def open_view(browser: Browser) -> Iterator[Callable[..., View]]:
    """Open a page in a context of its own; options go to the context."""
    contexts = []

    def start(url: str | None, **options: Any) -> View:
        settings = {"viewport": {"width": 840, "height": 500}, "reduced_motion": "reduce", "color_scheme": "light"}
        context = browser.new_context(**{**settings, **options})
        contexts.append(context)
        view = View(context.new_page())
        if url is not None:
            view.open(url)
        return view

    yield start
    for context in contexts:
        context.close()


@pytest.fixture
def view(open_view: Callable[..., View], server: Server) -> View:
    return open_view(server.url)
