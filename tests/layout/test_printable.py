"""STL read back by trimesh, 3MF read back by rules of its specification; both against the layout's own boxes."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import trimesh
from click.testing import CliRunner
from layout_crossbars import make_crossbar

from snn2circuit.cli import main
from snn2circuit.errors import LayoutError
from snn2circuit.ir.files import save
from snn2circuit.ir.layout import Layout
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.printable import write_3mf, write_stl
from snn2circuit.layout.processes import PROCESSES

CORE = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"
ROUND = 24 / 8 * math.sin(2 * math.pi / 24)  # area of a 24-gon in its circle's square


@pytest.fixture(scope="module")
def layout() -> Layout:
    return build_layout(make_crossbar(3, 4, 2), PROCESSES["inkjet"])


def volume(layout: Layout) -> float:
    """Of all shapes one by one, mm³."""
    total = 0.0
    for sheet in layout.sheets:
        for boxes, share in [(s.boxes, ROUND if s.round else 1.0) for s in sheet.shapes] + [(sheet.devices.boxes, 1.0)]:
            total += share * float(np.prod((boxes[:, 3:] - boxes[:, :3]) * 1e-6, axis=1).sum())
    return total


def shapes(layout: Layout) -> int:
    return sum(len(s.boxes) for sheet in layout.sheets for s in sheet.shapes) + sum(
        len(sheet.devices.rows) for sheet in layout.sheets
    )


@pytest.mark.parametrize("height", [1.0, 50.0])
def test_stl_is_closed_and_has_the_volume_and_size_of_the_layout(layout: Layout, tmp_path: Path, height: float) -> None:
    path = tmp_path / "stack.stl"
    assert write_stl(layout, path, height) == path.stat().st_size
    mesh: Any = trimesh.load(path, force="mesh", process=False)
    extent = (layout.bounds[3:] - layout.bounds[:3]) * 1e-6 * np.array([1, 1, height])
    np.testing.assert_allclose(mesh.bounds, np.stack([0 * extent, extent]), atol=1e-5)
    assert mesh.volume == pytest.approx(height * volume(layout), rel=1e-4)
    assert (mesh.area_faces > 0).all()


def test_3mf_has_an_object_a_layer_and_a_component_a_shape(layout: Layout, tmp_path: Path) -> None:
    path = tmp_path / "stack.3mf"
    assert write_3mf(layout, path) == path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["[Content_Types].xml", "_rels/.rels", "3D/3dmodel.model"]
        for name in archive.namelist():
            ElementTree.fromstring(archive.read(name))  # noqa: S314
        model = ElementTree.fromstring(archive.read("3D/3dmodel.model"))  # noqa: S314
    assert model.get("unit") == "millimeter"
    objects = {each.get("id"): each for each in model.iter(f"{CORE}object")}
    colors = [base.get("displaycolor", "") for base in model.iter(f"{CORE}base")]
    found, total, low, high = 0, 0.0, np.full(3, np.inf), np.full(3, -np.inf)
    for item in model.iter(f"{CORE}item"):
        whole = objects[item.get("objectid")]
        name = whole.get("name", "").split(maxsplit=2)[2]
        for component in whole.iter(f"{CORE}component"):
            numbers = np.array([float(v) for v in component.get("transform", "").split()]).reshape(4, 3)
            part = objects[component.get("objectid")]
            points = np.array([[float(v.get(axis, "")) for axis in "xyz"] for v in part.iter(f"{CORE}vertex")])
            faces = np.array([[int(t.get(c, "")) for c in ("v1", "v2", "v3")] for t in part.iter(f"{CORE}triangle")])
            solid = trimesh.Trimesh(points @ numbers[:3] + numbers[3], faces, process=False)
            assert solid.is_watertight
            assert colors[int(part.get("pindex", ""))].lower() == layout.process.layer(name).color.lower()
            total += solid.volume
            low, high = np.minimum(low, solid.bounds[0]), np.maximum(high, solid.bounds[1])
            found += 1
    assert found == shapes(layout)
    assert total == pytest.approx(volume(layout), rel=1e-6)
    np.testing.assert_allclose(low, 0, atol=1e-7)
    np.testing.assert_allclose(high, (layout.bounds[3:] - layout.bounds[:3]) * 1e-6, atol=1e-7)


@pytest.mark.parametrize("write", [write_stl, write_3mf])
def test_equal_stacks_give_equal_bytes(layout: Layout, tmp_path: Path, write: Callable[..., int]) -> None:
    write(layout, tmp_path / "a")
    write(layout, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_cannot_be_printed_is_refused(layout: Layout, tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="above 0"):
        write_3mf(layout, tmp_path / "stack.3mf", 0.0)


def test_the_command_takes_the_format_from_the_ending_and_refuses_others(tmp_path: Path) -> None:
    save(make_crossbar(3, 2), tmp_path / "crossbar.npz")
    for name, words in [("stack.3mf", None), ("stack.obj", "no known format"), ("stack.glb", "true to scale")]:
        arguments = ["layout", str(tmp_path / "crossbar.npz"), "-o", str(tmp_path / name), "--height", "10"]
        result = CliRunner().invoke(main, arguments)
        assert (result.exit_code == 0) == (words is None), result.output
        assert words is None or words in result.output
    assert zipfile.is_zipfile(tmp_path / "stack.3mf")
