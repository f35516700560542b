"""Every vector format and mesh, opened by a program that did not write it: the same areas, places and units."""

from __future__ import annotations

import math
import re
import warnings
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import ezdxf
import ezdxf.units
import gdstk
import numpy as np
import pytest
import svgelements
import trimesh
from layout_crossbars import make_crossbar

from snn2circuit.ir.layout import Layout
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.gltf import write_glb
from snn2circuit.layout.masks.drawing import list_masks
from snn2circuit.layout.masks.files import write_masks
from snn2circuit.layout.processes import PROCESSES

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it uses names of pyparsing that are going out of use
    from pygerber.gerberx3.parser2.parser2 import Parser2
    from pygerber.gerberx3.tokenizer.tokenizer import Tokenizer

Place = tuple[int, str]
Found = Iterator[tuple[Place, Any]]  # a mask, and the corners (n, 2) of a shape or its (diameter, x, y), mm


@pytest.fixture(scope="module", params=["inkjet", "inkjet_resistor"])
def layout(request: pytest.FixtureRequest) -> Layout:
    return build_layout(make_crossbar(2, 1, 1), PROCESSES[request.param])


def by_gdstk(paths: list[Path], layout: Layout) -> Found:
    (path,) = paths
    library = (gdstk.read_gds if path.suffix == ".gds" else gdstk.read_oas)(str(path))
    names = {layer.mask: layer.name for layer in layout.process.layers}
    (top,) = library.top_level()
    for polygon in top.get_polygons():
        yield (polygon.datatype, names[polygon.layer]), polygon.points * library.unit * 1e3


def by_ezdxf(paths: list[Path], layout: Layout) -> Found:
    (path,) = paths
    document = ezdxf.readfile(path)
    assert document.dxfversion == "AC1009"
    assert document.header["$MEASUREMENT"] == 1
    audit = document.audit()
    assert not audit.errors
    assert not audit.fixes
    scale = ezdxf.units.conversion_factor(document.units, ezdxf.units.MM)
    for insert in document.modelspace().query("INSERT"):
        for one in insert.multi_insert() if insert.mcount > 1 else [insert]:
            for line in one.virtual_entities():
                assert line.dxftype() == "POLYLINE"
                assert line.is_closed
                sheet, _, name = line.dxf.layer.removeprefix("sheet").split("_", 2)
                yield (int(sheet), name), scale * np.array([vertex.dxf.location.vec2 for vertex in line.vertices])


def by_pygerber(paths: list[Path], layout: Layout) -> Found:
    for path in paths:
        sheet, name = path.stem.removeprefix("sheet").split("_", 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            commands = list(Parser2().parse(Tokenizer().tokenize(path.read_text())).commands)
        for each in commands:
            if hasattr(each, "command_buffer"):
                starts = [line.start_point for line in each.command_buffer]
                yield (int(sheet), name), np.array([[_mm(point.x), _mm(point.y)] for point in starts])
                continue
            x, y = _mm(each.flash_point.x), _mm(each.flash_point.y)
            if hasattr(each.aperture, "diameter"):
                yield (int(sheet), name), (_mm(each.aperture.diameter), x, y)
                continue
            half = np.array([_mm(each.aperture.x_size), _mm(each.aperture.y_size)]) / 2
            yield (int(sheet), name), np.array([x, y]) + half * [[-1, -1], [1, -1], [1, 1], [-1, 1]]


def _mm(offset: Any) -> float:
    value = offset.as_millimeters()
    assert isinstance(value, Decimal)
    return float(value)


def by_svgelements(paths: list[Path], layout: Layout) -> Found:
    for path in paths:
        drawing = svgelements.SVG.parse(str(path), ppi=25.4)  # so that a pixel is a millimetre
        sheet = int(path.stem.removeprefix("sheet"))
        left, lower = _corner(layout, sheet)
        turn = np.array([1, -1])
        for group in drawing.get_element_by_id(path.stem):
            for shape in group:
                place = sheet, group.id
                if isinstance(shape, svgelements.Circle):
                    x0, y0, x1, y1 = shape.bbox()
                    x, y = (x0 + x1) / 2 + left, drawing.height - (y0 + y1) / 2 + lower
                    yield place, (x1 - x0, x, y)
                    continue
                points = np.array([[point.x, point.y] for point in svgelements.Path(shape).as_points()])
                yield place, points[::2] * turn + [left, drawing.height + lower]


def _corner(layout: Layout, sheet: int) -> tuple[float, float]:
    """Lower left of a sheet's drawing, mm, which a page does not show."""
    low = np.min([mask.boxes[:, :2].min(axis=0) for mask in list_masks(layout) if mask.sheet == sheet], axis=0)
    return float(low[0]) / 1e6, float(low[1]) / 1e6


READERS: dict[str, Callable[[list[Path], Layout], Found]] = {
    "gds": by_gdstk,
    "oas": by_gdstk,
    "dxf": by_ezdxf,
    "svg": by_svgelements,
    "gerber": by_pygerber,
    "rs274x": by_pygerber,
}


def area(corners: np.ndarray) -> float:
    x, y = corners.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


@pytest.mark.parametrize("kind", READERS)
def test_another_reader_finds_the_same_areas_and_places(kind: str, layout: Layout, tmp_path: Path) -> None:
    found: dict[Place, list[tuple[float, ...]]] = defaultdict(list)
    for place, shape in READERS[kind](write_masks(layout, tmp_path, [kind]), layout):
        if isinstance(shape, tuple):
            across, x, y = shape
            half = across / 2
            found[place].append((math.pi * half**2, x - half, y - half, x + half, y + half))
        else:
            found[place].append((area(shape), *shape.min(axis=0), *shape.max(axis=0)))
    slack = 5e-6 if kind == "svg" else 1e-8  # svgelements takes a millimetre for 0.0393701 inches
    masks = {(mask.sheet, mask.layer.name): mask for mask in list_masks(layout)}
    assert found.keys() == masks.keys()
    for place, mask in masks.items():
        areas = np.array(found[place])
        boxes = mask.boxes / 1e6
        wanted = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) * np.where(mask.round, math.pi / 4, 1)
        # A polygon of 64 corners has a little less than its circle.
        assert areas[:, 0].sum() == pytest.approx(wanted.sum(), rel=2e-3 if mask.round.any() else slack), place
        assert len(areas) == len(boxes)
        order, planned = np.lexsort(areas[:, 1:].round(3).T), np.lexsort(boxes.round(3).T)
        np.testing.assert_allclose(areas[order, 1:], boxes[planned], atol=slack * 100)


@pytest.mark.parametrize("kind", ["gds", "oas"])
def test_cell_names_suit_strict_readers(kind: str, tmp_path: Path) -> None:
    """32 characters of the allowed ones, each once however names are compared, whatever the user called the network."""
    from dataclasses import replace

    plain = build_layout(make_crossbar(4, 3, 2), PROCESSES["inkjet"])
    layers = tuple(
        replace(layer, name=f"{'a_very_long_name_of_a_layer_that_goes_' if i % 2 else ''}{layer.name}"[:64])
        for i, layer in enumerate(plain.process.layers)
    )
    renamed = {old.name: new.name for old, new in zip(plain.process.layers, layers, strict=True)}
    sheets = tuple(
        replace(sheet, shapes=tuple(replace(shapes, layer=renamed[shapes.layer]) for shapes in sheet.shapes))
        for sheet in plain.sheets
    )
    for name in ("", "Netz für Ziffern (3. Versuch), mit sehr langem Namen", "sheet1", "SHEET2_3_x", "a b\n$?"):
        layout = replace(plain, name=name, sheets=sheets, process=replace(plain.process, layers=layers))
        (path,) = write_masks(layout, tmp_path, [kind])
        names = [cell.name for cell in (gdstk.read_gds if kind == "gds" else gdstk.read_oas)(str(path)).cells]
        assert len({each.lower() for each in names}) == len(names) > 20
        assert all(re.fullmatch(r"[A-Za-z0-9_?$]{1,32}", each) for each in names)


def test_layer_names_suit_readers_of_release_12(tmp_path: Path) -> None:
    layout = build_layout(make_crossbar(4, 3, 2), PROCESSES["inkjet"])
    document = ezdxf.readfile(write_masks(layout, tmp_path, ["dxf"])[0])
    names = [layer.dxf.name for layer in document.layers] + [block.name for block in document.blocks]
    assert all(len(name) <= 31 and re.fullmatch(r"[*A-Za-z0-9_$-]+", name) for name in names)
    assert "sheet1_3_word_lines" in names


def test_a_drawing_has_the_layers_that_inkscape_knows(tmp_path: Path) -> None:
    layout = build_layout(make_crossbar(4, 3, 2), PROCESSES["inkjet"])
    inkscape = "{http://www.inkscape.org/namespaces/inkscape}"
    for path in write_masks(layout, tmp_path, ["svg"]):
        root = ET.fromstring(path.read_text())  # noqa: S314 - our own file
        width, height = (root.attrib[key] for key in ("width", "height"))
        assert root.attrib["viewBox"].split()[2:] == [width.removesuffix("mm"), height.removesuffix("mm")]
        groups = [each for each in root.iter() if each.tag.endswith("}g")]
        assert all(group.attrib[f"{inkscape}groupmode"] == "layer" for group in groups)
        labels = [group.attrib[f"{inkscape}label"] for group in groups[1:]]
        sheet = int(path.stem.removeprefix("sheet"))
        assert labels == [mask.layer.name for mask in list_masks(layout) if mask.sheet == sheet]


def test_plain_gerber_has_no_attributes_and_nothing_deprecated(layout: Layout, tmp_path: Path) -> None:
    for path in write_masks(layout, tmp_path, ["rs274x"]):
        text = path.read_text()
        assert text.startswith("G04 snn2circuit, sheet ")
        assert not re.search(r"%T[FAOD]", text)
        assert not re.search(r"G5[45]|G7[0145]|G9[01]|%(AS|IN|IP|IR|LN|MI|OF|SF)", text)
        assert set(re.findall(r"^G\d\d", text, re.MULTILINE)) <= {"G01", "G04", "G36", "G37"}
        assert text.endswith("M02*\n")


def test_a_plain_glb_has_true_sizes(layout: Layout, tmp_path: Path) -> None:
    size = write_glb(layout, tmp_path / "plain.glb", instanced=False)
    assert size == (tmp_path / "plain.glb").stat().st_size
    scene: Any = trimesh.load(tmp_path / "plain.glb", process=False)
    assert scene.units == "meters"
    extent = (layout.bounds[3:] - layout.bounds[:3]) * 1e-9
    low, high = scene.bounds  # y is up, and x and y of the stack are relative to its middle
    np.testing.assert_allclose(high - low, extent[[0, 2, 1]], rtol=1e-6)
    assert low[1] == pytest.approx(0, abs=1e-12)
    for sheet in layout.sheets:
        for shapes in layout.solids(sheet):
            mesh = scene.geometry[f"{sheet.name} · {shapes.layer}"]
            assert mesh.is_watertight
            width, depth, height = ((shapes.boxes[:, 3:] - shapes.boxes[:, :3]) * 1e-9).T
            round_ = 24 / 8 * math.sin(2 * math.pi / 24)  # a pillar has 24 sides
            wanted = float((width * depth * height).sum()) * (round_ if shapes.round else 1)
            assert mesh.volume == pytest.approx(wanted, rel=1e-3), shapes.layer
            assert mesh.area_faces.min() > 0
            if not shapes.round:
                surface = 2 * float((width * depth + width * height + depth * height).sum())
                assert mesh.area == pytest.approx(surface, rel=1e-3), shapes.layer
