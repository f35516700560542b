"""STL read back by trimesh, 3MF read back by rules of its specification; both against the layout's own boxes."""

from __future__ import annotations

import itertools
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import klayout.db as kdb
import numpy as np
import pytest
import trimesh
from click.testing import CliRunner
from layout_crossbars import make_crossbar

from snn2circuit.cli import main
from snn2circuit.errors import LayoutError
from snn2circuit.ir.files import save
from snn2circuit.ir.layout import Layout, Mode
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.printable import write_3mf, write_stl
from snn2circuit.layout.processes import PROCESSES

CORE = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"


@pytest.fixture(scope="module")
def layout() -> Layout:
    return build_layout(make_crossbar(3, 4, 2), PROCESSES["inkjet"])


def volume(layout: Layout) -> float:
    """Of all there is, once, mm³: slab by slab between the heights at which something begins or ends."""
    total = 0.0
    for sheet in layout.sheets:
        shapes = layout.solids(sheet)
        heights = np.unique(np.concatenate([each.boxes[:, [2, 5]].ravel() for each in shapes]))
        for low, high in itertools.pairwise(heights):
            region = kdb.Region()
            for each in shapes:
                for x0, y0, _, x1, y1, _ in each.boxes[(each.boxes[:, 2] <= low) & (each.boxes[:, 5] >= high)].tolist():
                    box = kdb.Box(x0, y0, x1, y1)
                    region.insert(kdb.Polygon.ellipse(box, 64) if each.round else box)
            total += region.area() * float(high - low) * 1e-18
    return total


MADE = [
    ("inkjet", "sheet_per_layer"),
    ("inkjet", "staircase"),
    ("screen", "shared_electrode"),
    ("organic_flow", "isolated"),
    ("aerosol_jet_resistor", "sheet_per_layer"),
]


@pytest.mark.parametrize("height", [1.0, 50.0])
@pytest.mark.parametrize(("process", "mode"), MADE)
def test_slicers_find_nothing_to_repair_in_an_stl(process: str, mode: Mode, height: float, tmp_path: Path) -> None:
    """One closed surface a solid, no edge or face shared, once equal corners are merged as slicers merge them."""
    layout = build_layout(make_crossbar(3, 4, 2, tile_rows=2), PROCESSES[process], mode)
    path = tmp_path / "stack.stl"
    assert write_stl(layout, path, height) == path.stat().st_size
    mesh: Any = trimesh.load(path, force="mesh")
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.is_volume
    edges, count = np.unique(mesh.edges_sorted, axis=0, return_counts=True)
    assert (count == 2).all(), mesh.vertices[edges[count != 2][0]]
    corners = np.sort(mesh.faces, axis=1)
    assert len(np.unique(corners, axis=0)) == len(corners)
    assert (mesh.area_faces > 0).all()
    extent = (layout.bounds[3:] - layout.bounds[:3]) * 1e-6 * np.array([1, 1, height])
    np.testing.assert_allclose(mesh.bounds, np.stack([0 * extent, extent]), atol=1e-4, rtol=1e-4)
    assert mesh.volume == pytest.approx(height * volume(layout), rel=1e-3)


def test_films_on_each_other_share_no_height(layout: Layout, tmp_path: Path) -> None:
    write_stl(layout, tmp_path / "stack.stl")
    mesh: Any = trimesh.load(tmp_path / "stack.stl", force="mesh")
    floors, roofs = (mesh.triangles[mesh.face_normals[:, 2] * sign > 0.9][:, 0, 2] for sign in (-1, 1))
    assert not np.intersect1d(floors, roofs).size


def test_3mf_has_an_object_a_layer_and_closed_components(layout: Layout, tmp_path: Path) -> None:
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
    placed, names = [], []
    for item in model.iter(f"{CORE}item"):
        whole = objects[item.get("objectid")]
        names.append(whole.get("name", ""))
        layer = layout.process.layer(names[-1].split(maxsplit=2)[2])
        for component in whole.iter(f"{CORE}component"):
            transform = component.get("transform", "1 0 0 0 1 0 0 0 1 0 0 0")
            numbers = np.array([float(v) for v in transform.split()]).reshape(4, 3)
            part = objects[component.get("objectid")]
            points = np.array([[float(v.get(axis, "")) for axis in "xyz"] for v in part.iter(f"{CORE}vertex")])
            faces = np.array([[int(t.get(c, "")) for c in ("v1", "v2", "v3")] for t in part.iter(f"{CORE}triangle")])
            placed.append(trimesh.Trimesh(points @ numbers[:3] + numbers[3], faces, process=False))
            assert placed[-1].is_watertight
            assert colors[int(part.get("pindex", ""))].lower() == layer.color.lower()
    assert names == [f"{sheet.name} {each.layer}" for sheet in layout.sheets for each in layout.solids(sheet)]
    whole = trimesh.util.concatenate(placed)
    whole.merge_vertices()
    assert whole.is_volume
    assert whole.volume == pytest.approx(volume(layout), rel=1e-3)
    extent = (layout.bounds[3:] - layout.bounds[:3]) * 1e-6
    np.testing.assert_allclose(whole.bounds, np.stack([0 * extent, extent]), atol=1e-4)


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
