"""Every mask format, read back by something that did not write it, shows the same shapes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import klayout.db as kdb
import klayout.lay as klay
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layout_crossbars import make_crossbar
from PIL import Image

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import Layout
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.masks.database import find_arrays
from snn2circuit.layout.masks.drawing import Mask, list_masks
from snn2circuit.layout.masks.files import MASK_FORMATS, write_masks
from snn2circuit.layout.masks.formats import BITMAPS
from snn2circuit.layout.masks.raster import Raster
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.signoff.stack import read_masks

RASTER = Raster(dpi_x=600, dpi_y=600)


@pytest.fixture(scope="module")
def layout() -> Layout:
    return build_layout(make_crossbar(4, 3, 2), PROCESSES["inkjet"])


def drawn(mask: Mask) -> kdb.Region:
    region = kdb.Region()
    for (x0, y0, x1, y1), is_round in zip(mask.boxes.tolist(), mask.round.tolist(), strict=True):
        box = kdb.Box(x0, y0, x1, y1)
        region.insert(kdb.Polygon.ellipse(box, 64) if is_round else box)
    return region.merged()


@pytest.mark.parametrize("kind", ["gds", "oas", "dxf"])
def test_klayout_reads_back_the_very_shapes(kind: str, layout: Layout, tmp_path: Path) -> None:
    (path,) = write_masks(layout, tmp_path, [kind])
    stack = read_masks(path, layout.process)
    for mask in list_masks(layout):
        assert (stack.region((mask.sheet, mask.layer.name)) ^ drawn(mask)).is_empty()


@pytest.mark.parametrize("kind", sorted(MASK_FORMATS))
def test_the_same_stack_twice_gives_equal_bytes(kind: str, layout: Layout, tmp_path: Path) -> None:
    again = build_layout(make_crossbar(4, 3, 2), PROCESSES["inkjet"])
    first = write_masks(layout, tmp_path / "a", [kind], RASTER if kind in BITMAPS else None)
    second = write_masks(again, tmp_path / "b", [kind], RASTER if kind in BITMAPS else None)
    assert [path.name for path in first] == [path.name for path in second]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_every_net_is_labelled_where_it_appears(layout: Layout, tmp_path: Path) -> None:
    stack = read_masks(write_masks(layout, tmp_path, ["gds"])[0], layout.process)
    for place in stack.places("conductor"):
        mask = next((m for m in list_masks(layout) if (m.sheet, m.layer.name) == place), None)
        if mask is None:  # conductors of other stack modes
            assert stack.is_empty(place)
            continue
        texts = [shape.text for shape in stack.top.shapes(stack.index(place)).each() if shape.is_text()]
        assert sorted(text.string for text in texts) == sorted({layout.nets[net] for net in mask.nets})
        region = stack.region(place)
        assert all(
            not region.interacting(kdb.Region(kdb.Box(t.x - 1, t.y - 1, t.x + 1, t.y + 1))).is_empty() for t in texts
        )


@given(st.lists(st.tuples(st.integers(-20, 20), st.integers(-5, 5)), min_size=1, max_size=60, unique=True))
def test_arrays_cover_every_point_once(points: list[tuple[int, int]]) -> None:
    covered = [
        (x + dx * i, y + dy * j)
        for x, y, dx, dy, columns, rows in find_arrays(np.array(points))
        for i in range(columns)
        for j in range(rows)
    ]
    assert sorted(covered) == sorted(points)


def test_a_regular_field_is_one_array() -> None:
    grid = np.stack(np.meshgrid(np.arange(0, 700, 7), np.arange(0, 90, 3)), axis=-1).reshape(-1, 2)
    assert list(find_arrays(grid)) == [(0, 0, 7, 3, 100, 30)]


# --- drawings -------------------------------------------------------------------------------------


def read_gerber(text: str) -> kdb.Region:
    """A reader of the few words used here, after the format's specification."""
    assert "%FSLAX46Y46*%" in text
    assert "%MOMM*%" in text
    apertures = {
        int(number): (kind, [round(float(size) * 1e6) for size in sizes.split("X")])
        for number, kind, sizes in re.findall(r"%ADD(\d+)([RC]),([\d.X]+)\*%", text)
    }
    region, corners, current, inside = kdb.Region(), list[kdb.Point](), 0, False
    for line in text.splitlines():
        if select := re.fullmatch(r"D(\d+)\*", line):
            current = int(select[1])
        elif line == "G36*":
            inside, corners = True, []
        elif line == "G37*":
            inside = False
            region.insert(kdb.Polygon(corners))
        elif move := re.fullmatch(r"X(-?\d+)Y(-?\d+)D0([123])\*", line):
            x, y, what = (int(value) for value in move.groups())
            if inside:
                corners.append(kdb.Point(x, y))
                continue
            assert what == 3
            kind, sizes = apertures[current]
            width, height = sizes if kind == "R" else (sizes[0], sizes[0])
            box = kdb.Box(-(width // 2), -(height // 2), width - width // 2, height - height // 2).moved(x, y)
            region.insert(kdb.Polygon.ellipse(box, 64) if kind == "C" else box)
    assert text.endswith("M02*\n")
    return region.merged()


@pytest.mark.parametrize("process", sorted(PROCESSES))
def test_gerber_files_hold_the_very_shapes(process: str, tmp_path: Path) -> None:
    layout = build_layout(make_crossbar(4, 3, 2, process=process), PROCESSES[process])
    write_masks(layout, tmp_path, ["gerber"])
    for mask in list_masks(layout):
        assert (read_gerber((tmp_path / f"{mask.name}.gbr").read_text()) ^ drawn(mask)).is_empty()


def test_gerber_shapes_between_two_nanometres_are_regions(layout: Layout, tmp_path: Path) -> None:
    from dataclasses import replace

    sheet = layout.sheets[0]
    shapes = tuple(
        replace(each, boxes=each.boxes + np.array([0, 0, 0, 1, 0, 0])) if each.layer == "cells" else each
        for each in sheet.shapes
    )
    odd = replace(layout, sheets=(replace(sheet, shapes=shapes),))
    write_masks(odd, tmp_path, ["gerber"])
    (mask,) = [mask for mask in list_masks(odd) if mask.layer.name == "cells"]
    text = (tmp_path / f"{mask.name}.gbr").read_text()
    assert text.count("G36*") == 3
    assert (read_gerber(text) ^ drawn(mask)).is_empty()


def svg_shapes(group: ET.Element) -> Iterator[kdb.Shape | kdb.Box | kdb.Polygon]:
    for element in group:
        if element.tag.endswith("circle"):
            x, y, r = (round(float(element.attrib[key]) * 1e6) for key in ("cx", "cy", "r"))
            yield kdb.Polygon.ellipse(kdb.Box(x - r, y - r, x + r, y + r), 64)
        else:
            numbers = [round(float(v) * 1e6) for v in re.findall(r"-?[\d.]+(?:e-?\d+)?", element.attrib["d"])]
            yield kdb.Box(numbers[0], numbers[1], numbers[2], numbers[3])


def test_svg_files_hold_the_very_shapes(layout: Layout, tmp_path: Path) -> None:
    paths = write_masks(layout, tmp_path, ["svg"])
    assert len(paths) == 2
    for mask in list_masks(layout):
        root = ET.fromstring((tmp_path / f"sheet{mask.sheet}.svg").read_text())  # noqa: S314
        (group,) = [each for each in root.iter() if each.attrib.get("id") == mask.layer.name]
        assert (kdb.Region(list(svg_shapes(group))) ^ drawn(mask)).is_empty()


# --- bitmaps --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["png", "tiff", "bmp"])
def test_a_bitmap_is_inked_where_pixel_centres_lie_in_shapes(kind: str, layout: Layout, tmp_path: Path) -> None:
    dpi = 433.0  # nothing divides evenly
    write_masks(layout, tmp_path, [kind], Raster(dpi_x=dpi, dpi_y=dpi))
    masks = list(list_masks(layout))
    x0, y0 = np.concatenate([mask.boxes for mask in masks])[:, :2].min(axis=0)
    side = 25.4e6 / dpi
    for mask in masks:
        if mask.layer.role == "substrate":
            assert not (tmp_path / f"{mask.name}.{kind}").exists()
            continue
        with Image.open(tmp_path / f"{mask.name}.{kind}") as image:
            assert image.mode == "1" or kind == "bmp"
            assert image.info["dpi"] == pytest.approx((dpi, dpi), rel=1e-2)
            ink = ~np.asarray(image.convert("1"))[::-1]
        rows, columns = ink.shape
        x = x0 + (np.arange(columns) + 0.5) * side
        y = y0 + (np.arange(rows) + 0.5) * side
        wanted = np.zeros_like(ink)
        for (a, b, c, d), is_round in zip(mask.boxes.tolist(), mask.round.tolist(), strict=True):
            inside = (x >= a) & (x < c) & (y[:, None] >= b) & (y[:, None] < d)
            if is_round:
                inside &= (x - (a + c) / 2) ** 2 + (y[:, None] - (b + d) / 2) ** 2 < ((c - a) / 2) ** 2
            wanted |= inside
        assert np.array_equal(ink, wanted)


def test_one_pixel_a_drop_keeps_every_printed_line(tmp_path: Path, layout: Layout) -> None:
    """At the drop grid a line of 120 um is 8 drops wide, and areas are exact."""
    write_masks(layout, tmp_path, ["png"])
    for mask in list_masks(layout):
        if mask.layer.role in ("conductor", "device", "dielectric", "cell"):
            with Image.open(tmp_path / f"{mask.name}.png") as image:
                drops = int((~np.asarray(image)).sum())
            assert drops * 15_000**2 == drawn(mask).area()


def test_a_bitmap_too_large_says_what_fits(layout: Layout, tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="choose a resolution of at most") as error:
        write_masks(layout, tmp_path, ["png"], Raster(dpi_x=500_000, dpi_y=500_000))
    fits = int(re.findall(r"at most (\d+) dpi", str(error.value))[0])
    assert 50_000 < fits < 500_000
    with pytest.raises(LayoutError, match="between 0 and"):
        write_masks(layout, tmp_path, ["png"], Raster(dpi_x=-1))
    with pytest.raises(LayoutError, match="no mask format 'cif'; there are gds"):
        write_masks(layout, tmp_path, ["cif"])


# --- what KLayout shows ---------------------------------------------------------------------------


def test_klayout_takes_the_layer_properties_with_the_masks(layout: Layout, tmp_path: Path) -> None:
    write_masks(layout, tmp_path, ["gds", "klayout"])
    view = klay.LayoutView()
    view.load_layout(str(tmp_path / "stack.gds"), False)
    view.load_layer_props(str(tmp_path / "stack.lyp"))
    leaves = [node for node in view.each_layer() if not node.has_children()]
    assert {(node.source_layer, node.source_datatype) for node in leaves} == {
        (mask.layer.mask, mask.sheet) for mask in list_masks(layout)
    }
    assert all(node.source_layer == layout.process.layer(node.name.split(":")[0]).mask for node in leaves)
    view.zoom_fit()
    view.max_hier()
    pixels = view.get_pixels(120, 90)
    colours = {pixels.pixel(x, y) for x in range(120) for y in range(90)}
    assert len(colours) > 3


def test_the_script_gives_every_layer_its_height(layout: Layout, tmp_path: Path) -> None:
    write_masks(layout, tmp_path, ["klayout"])
    root = ET.fromstring((tmp_path / "stack.lyd25").read_text())  # noqa: S314
    text = root.findtext("text") or ""
    assert root.findtext("dsl-interpreter-name") == "d25-dsl-xml"
    found = re.findall(r"z\(input\((\d+), (\d+)\), zstart: ([\d.]+), zstop: ([\d.]+),", text)
    assert [(int(a), int(b), float(c), float(d)) for a, b, c, d in found] == [
        (mask.layer.mask, mask.sheet, mask.heights[0] / 1e3, mask.heights[1] / 1e3) for mask in list_masks(layout)
    ]
