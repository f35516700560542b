"""The committed bundle is what the sources give, is small, and carries the licence it must carry."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

VIEWER = Path(__file__).parents[2] / "snn2circuit" / "viewer"
APP, STATIC = VIEWER / "app", VIEWER / "static"
BUILT = ("viewer.js", "viewer.css", "index.html")


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed; it builds the viewer's bundle")
def test_the_committed_bundle_is_what_the_sources_give(tmp_path: Path) -> None:
    if installed("three") != wanted("three") or installed("esbuild") != wanted("esbuild"):
        subprocess.run(["npm", "ci", "--silent"], cwd=APP, check=True, timeout=300)
    subprocess.run(["node", "build.mjs", str(tmp_path)], cwd=APP, check=True, timeout=120)
    for name in BUILT:
        same = (tmp_path / name).read_bytes() == (STATIC / name).read_bytes()
        assert same, f"static/{name} is stale: run 'npm ci && npm run build' in snn2circuit/viewer/app"


def installed(package: str) -> str | None:
    path = APP / "node_modules" / package / "package.json"
    return json.loads(path.read_text())["version"] if path.exists() else None


def wanted(package: str) -> str:
    lock = json.loads((APP / "package-lock.json").read_text())
    version: str = lock["packages"][f"node_modules/{package}"]["version"]
    return version


def test_the_lock_file_pins_contents_but_no_registry() -> None:
    text = (APP / "package-lock.json").read_text()
    assert "http" not in text
    packages = json.loads(text)["packages"]
    assert all(entry["integrity"].startswith("sha512-") for name, entry in packages.items() if name)


def test_the_bundle_is_one_small_classic_script_with_its_licence() -> None:
    script = (STATIC / "viewer.js").read_text(encoding="utf-8")
    assert len(script.encode()) < 900_000
    assert "Copyright © 2010-2026 three.js authors" in script
    assert "Permission is hereby granted" in script
    assert not re.search(r"^\s*(import|export)\s", script, re.MULTILINE)


@pytest.mark.parametrize("name", BUILT)
def test_nothing_is_loaded_from_a_network(name: str) -> None:
    text = (STATIC / name).read_text(encoding="utf-8")
    loads = re.findall(r"""(?:src|href|fetch|import|url)\s*[=(]\s*["']?(?:https?:)?//[^"')\s]+""", text)
    assert loads == []
