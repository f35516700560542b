"""The GLB file, judged by Khronos' validator, by an independent reader, and as solids by trimesh."""

from __future__ import annotations

import json
import math
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from glb_reader import Group, read_accessor, read_groups, split
from layout_crossbars import LEVELS, make_crossbar

from snn2circuit.errors import LayoutError, OutputError
from snn2circuit.ir.layout import Layout
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.gltf import encode_glb, write_glb
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.rules import read_rules

ROOT = Path(__file__).parents[2]
VALIDATOR = ROOT / ".cache/node/node_modules/gltf-validator"
SIDES = 24  # of a drawn pillar
DESIGNS = [
    *((sizes, "inkjet", True) for sizes in [(1, 1), (2, 4, 1), (3, 2), (5, 4, 3, 2), (64, 32, 10), (1, 6, 1, 6, 1)]),
    *((sizes, "inkjet", False) for sizes in [(1, 1), (2, 4, 1), (3, 2), (5, 4, 3, 2), (6, 5)]),
    *((sizes, "screen", True) for sizes in [(1, 1), (2, 4, 1), (3, 2), (5, 4, 3, 2), (8, 16, 4)]),
    *((sizes, "gravure", True) for sizes in [(1, 1), (2, 4, 1), (3, 2), (5, 4, 3, 2), (8, 16, 4)]),
]


@pytest.fixture(scope="module")
def layout() -> Layout:
    return build_layout(make_crossbar(5, 4, 3, 2), PROCESSES["inkjet"])


@pytest.fixture(scope="module")
def groups(layout: Layout) -> list[Group]:
    return read_groups(encode_glb(layout))


def test_khronos_finds_nothing_in_21_designs(tmp_path: Path) -> None:
    if not VALIDATOR.is_dir():
        pytest.fail("gltf-validator is missing; run: bash scripts/fetch_node_tools.sh")
    files = []
    for number, (sizes, process, bias) in enumerate(DESIGNS):
        files.append(tmp_path / f"{number}.glb")
        write_glb(build_layout(make_crossbar(*sizes, bias=bias, process=process), PROCESSES[process]), files[-1])
    script = Path(__file__).with_name("validate_glb.mjs")
    command = ["node", str(script), str(VALIDATOR), *map(str, files)]
    reports = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert len(reports) == len(DESIGNS) == 21
    for file, report in zip(files, reports, strict=True):
        document, _ = split(file.read_bytes())
        issues = report["issues"]
        assert (issues["numErrors"], issues["numWarnings"], issues["numHints"]) == (0, 0, 0)
        # The validator does not know the extension, so it takes the instances' accessors for unused: that, and no more.
        instancing = {
            f"/accessors/{accessor}"
            for node in document["nodes"]
            if "extensions" in node
            for accessor in node["extensions"]["EXT_mesh_gpu_instancing"]["attributes"].values()
        }
        said = {(message["code"], message["pointer"]) for message in issues["messages"]}
        assert said == {
            ("UNSUPPORTED_EXTENSION", "/extensionsUsed/0"),
            *(("UNUSED_OBJECT", pointer) for pointer in instancing),
        }
        assert report["info"]["generator"] == "snn2circuit"


def test_validator_would_find_a_fault(tmp_path: Path, layout: Layout) -> None:
    data = encode_glb(layout)
    broken = tmp_path / "broken.glb"
    broken.write_bytes(data.replace(b'"componentType":5126', b'"componentType":5125', 1))
    script = Path(__file__).with_name("validate_glb.mjs")
    command = ["node", str(script), str(VALIDATOR), str(broken)]
    (report,) = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert report["issues"]["numErrors"] > 0


def test_equal_layouts_give_equal_bytes(layout: Layout) -> None:
    again = build_layout(make_crossbar(5, 4, 3, 2), PROCESSES["inkjet"])
    assert encode_glb(layout) == encode_glb(again)


def test_every_accessor_states_its_true_extremes(layout: Layout) -> None:
    document, blob = split(encode_glb(layout))
    for index, accessor in enumerate(document["accessors"]):
        values = read_accessor(document, blob, index).reshape(accessor["count"], -1)
        assert accessor["min"] == values.min(axis=0).tolist()
        assert accessor["max"] == values.max(axis=0).tolist()


def test_every_instance_is_its_box_turned_y_up(layout: Layout, groups: list[Group]) -> None:
    expected = {}
    for sheet in layout.sheets:
        expected |= {f"{sheet.name} · {shapes.layer}": shapes.boxes for shapes in sheet.shapes}
        expected[f"{sheet.name} · devices"] = sheet.devices.boxes
    assert sorted(group.name for group in groups) == sorted(expected)
    low, high = layout.bounds[:3].tolist(), layout.bounds[3:].tolist()
    middle_x, middle_y = (low[0] + high[0]) / 2, (low[1] + high[1]) / 2
    for group in groups:
        x0, y0, z0, x1, y1, z1 = expected[group.name].T
        lowest, highest = group.corners()
        wanted_low = np.stack([x0 - middle_x, z0 - low[2], middle_y - y1], axis=1) * 1e-9
        wanted_high = np.stack([x1 - middle_x, z1 - low[2], middle_y - y0], axis=1) * 1e-9
        if "_vias" in group.name or "contacts" in group.name:
            # A 24-gon reaches its circle at 0, 90, 180 and 270 degrees, so its box is the circle's box.
            assert group.vertices[:, 2].max() == 0.5
        single = 1e-9, 1e-10, 1e-9  # m, what single precision leaves of 10 mm by 0.4 mm by 10 mm
        assert (np.abs(lowest - wanted_low) < single).all()
        assert (np.abs(highest - wanted_high) < single).all()


def test_names_and_data_reach_the_viewer(layout: Layout, groups: list[Group]) -> None:
    document, _ = split(encode_glb(layout))
    root = document["nodes"][document["scenes"][0]["nodes"][0]]
    assert root["name"] == "stack"
    assert root["extras"] == {
        "kind": "stack",
        "name": "5-4-3-2",
        "process": "inkjet",
        "technology": PROCESSES["inkjet"].technology,
        "assumptions": list(layout.assumptions),
        "nets": list(layout.nets),
        "bounds_nm": layout.bounds.tolist(),
    }
    sheets = [document["nodes"][child] for child in root["children"]]
    assert [sheet["name"] for sheet in sheets] == ["sheet 1", "sheet 2", "sheet 3"]
    assert [sheet["extras"] for sheet in sheets] == [
        {"kind": "sheet", "sheet": 0, "network_layer": 0, "tile": 0, "rotation": 0, "z_nm": 0},
        {"kind": "sheet", "sheet": 1, "network_layer": 1, "tile": 0, "rotation": 90, "z_nm": 128_000},
        {"kind": "sheet", "sheet": 2, "network_layer": 2, "tile": 0, "rotation": 0, "z_nm": 256_000},
    ]
    by_name = {group.name: group for group in groups}
    assert by_name["sheet 2 · word_lines"].extras == {
        "kind": "layer",
        "sheet": 1,
        "layer": "word_lines",
        "role": "conductor",
        "material": "silver ink",
        "thickness_nm": 1000,
        "color": "#aab4c0",
        "count": len(by_name["sheet 2 · word_lines"].translation),
    }
    lines = by_name["sheet 1 · bit_lines"]
    longest = np.argsort(lines.scale[:, 1])[-8:]
    names = [root["extras"]["nets"][int(net)] for net in lines.attributes["_NET"][longest]]
    assert sorted(names) == sorted([f"b{sign}_l1_n{n}" for sign in "pn" for n in range(4)])


def test_device_data_is_the_crossbars() -> None:
    crossbar = make_crossbar(5, 4, 3, seed=7)
    groups = read_groups(encode_glb(build_layout(crossbar, PROCESSES["inkjet"])))
    devices = [group for group in groups if group.extras["kind"] == "devices"]
    for number, (layer, group) in enumerate(zip(crossbar.layers, devices, strict=True)):
        count = 2 * layer.rows * layer.columns
        assert group.extras["network_layer"] == group.extras["sheet"] == number
        assert group.extras["count"] == count == len(group.translation)
        assert group.extras["levels"] == LEVELS
        assert group.extras["weight_max"] == np.abs(layer.weights).max()
        assert group.extras["g_min"] == min(layer.g_pos.min(), layer.g_neg.min())
        assert group.extras["g_max"] == max(layer.g_pos.max(), layer.g_neg.max())
        at = 0
        for row in range(layer.rows):
            for column in range(layer.columns):
                for sign, g, level in (
                    (1, layer.g_pos, layer.level_pos),
                    (-1, layer.g_neg, layer.level_neg),
                ):
                    values = {key: array[at].tolist() for key, array in group.attributes.items()}
                    assert values == {
                        "_CELL": [row, column],
                        "_STATE": [level[row, column], sign],
                        "_WEIGHT": np.float32(layer.weights[row, column]),
                        "_CONDUCTANCE": np.float32(g[row, column]),
                    }
                    at += 1
        assert at == count


def test_solids_are_watertight_and_have_the_volume_of_the_formula(groups: list[Group]) -> None:
    for group in groups:
        is_pillar = group.extras.get("role") == "via"
        ratio = SIDES / 8 * math.sin(2 * math.pi / SIDES) if is_pillar else 1.0
        for translation, scale in zip(group.translation * 1e6, group.scale * 1e6, strict=True):
            solid = trimesh.Trimesh(group.vertices * scale + translation, group.faces)
            assert solid.is_watertight
            assert solid.is_winding_consistent
            assert solid.volume == pytest.approx(ratio * np.prod(scale), rel=1e-5)


def test_normals_point_out_of_the_faces(groups: list[Group]) -> None:
    for group in groups:
        solid = trimesh.Trimesh(group.vertices, group.faces, process=False)
        given = group.normals[group.faces].mean(axis=1)
        np.testing.assert_allclose(solid.face_normals, given, atol=1e-6)


def test_device_solids_lie_flat_on_both_electrodes(layout: Layout, groups: list[Group]) -> None:
    rules = read_rules(layout.process)
    by_name = {group.name: group for group in groups}
    nets = layout.nets
    for number in (1, 2, 3):
        devices = by_name[f"sheet {number} · devices"]
        low, high = devices.corners()
        for electrode, below in (("word_lines", True), ("bit_lines", False)):
            lines = by_name[f"sheet {number} · {electrode}"]
            line_low, line_high = lines.corners()
            for at in range(len(low)):
                row, column = devices.attributes["_CELL"][at].tolist()
                sign = "p" if devices.attributes["_STATE"][at][1] > 0 else "n"
                bias = row == devices.attributes["_CELL"][:, 0].max()
                word = f"bias_l{number}" if bias else f"wl_l{number}_r{row}"
                wanted = word if below else f"b{sign}_l{number}_n{column}"
                own = [i for i, net in enumerate(lines.attributes["_NET"]) if nets[int(net)] == wanted]
                common = np.minimum(high[at], line_high[own]) - np.maximum(low[at], line_low[own])
                area = max(dx * dz for dx, _, dz in common if dx > 0 and dz > 0)
                assert area == pytest.approx(rules.width * rules.patch * 1e-18, rel=1e-4)
                gap = low[at, 1] - line_high[own, 1] if below else line_low[own, 1] - high[at, 1]
                np.testing.assert_allclose(gap, 0, atol=1e-10)


def test_colours_are_the_processes_in_linear_light(layout: Layout) -> None:
    document, _ = split(encode_glb(layout))
    for material in document["materials"]:
        color = layout.process.layer(material["name"]).color
        linear = material["pbrMetallicRoughness"]["baseColorFactor"][:3]
        back = [12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in linear]
        assert [round(255 * c) for c in back] == [int(color[i : i + 2], 16) for i in (1, 3, 5)]


def test_file_is_28_bytes_a_box_and_28_a_device() -> None:
    small, large = make_crossbar(10, 5, bias=False), make_crossbar(60, 50, bias=False)
    sizes = [len(encode_glb(build_layout(crossbar, PROCESSES["inkjet"]))) for crossbar in (small, large)]
    devices = large.devices - small.devices
    boxes = 2 * 50 + 50 + 100 + 50 + 50 + 50 + 50  # word lines and fingers, dielectric; bit lines, cells, outputs
    assert 28 * devices < sizes[1] - sizes[0] < 28 * devices + 28 * boxes + 10_000


def test_a_hundred_thousand_devices_are_below_four_megabytes_and_a_draw_call_a_layer() -> None:
    data = encode_glb(build_layout(make_crossbar(500, 100, bias=False), PROCESSES["inkjet"]))
    document, _ = split(data)
    assert len(data) < 4_000_000
    assert sum("mesh" in node for node in document["nodes"]) < 12
    (devices,) = [node for node in document["nodes"] if node.get("extras", {}).get("kind") == "devices"]
    assert (devices["extras"]["rows"], devices["extras"]["columns"]) == ([0, 499], [0, 99])
    assert devices["extras"]["count"] == 100_000


def test_rows_that_need_more_than_16_bits_keep_their_numbers(layout: Layout) -> None:
    sheet = layout.sheets[0]
    far = replace(sheet, devices=replace(sheet.devices, rows=sheet.devices.rows + 70_000))
    groups = read_groups(encode_glb(replace(layout, sheets=(far, *layout.sheets[1:]))))
    group = next(group for group in groups if group.extras["kind"] == "devices")
    assert group.attributes["_CELL"].dtype == np.float32
    assert group.attributes["_CELL"].tolist() == np.stack([far.devices.rows, far.devices.columns], axis=1).tolist()


def test_returns_the_size_and_replaces_the_file(tmp_path: Path, layout: Layout) -> None:
    path = tmp_path / "stack.glb"
    path.write_text("old")
    assert write_glb(layout, path) == path.stat().st_size
    assert path.read_bytes() == encode_glb(layout)
    assert [each.name for each in tmp_path.iterdir()] == ["stack.glb"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, layout: Layout) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    with pytest.raises(OutputError, match=r"stack\.glb"):
        write_glb(layout, blocker / "stack.glb")


def test_a_layout_without_sheets_is_refused(layout: Layout) -> None:
    empty = Layout(name="empty", process=layout.process, sheets=(), nets=(), levels=0, assumptions=())
    with pytest.raises(LayoutError, match="empty has no sheet"):
        encode_glb(empty)


def test_resistors_are_plates_with_their_data_below_their_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = build_layout(make_crossbar(2, 2, process="inkjet_resistor"), PROCESSES["inkjet_resistor"])
    (sheet,) = layout.sheets
    (strips,) = [shapes for shapes in sheet.shapes if shapes.layer == "devices"]
    nodes = {node["name"]: node["extras"] for node in split(encode_glb(layout))[0]["nodes"]}
    assert nodes["sheet 1 · devices"]["count"] == len(sheet.devices.rows)
    assert nodes["sheet 1 · devices"]["strips"]
    assert nodes["sheet 1 · devices strips"]["count"] == len(strips.boxes)
    monkeypatch.setattr("snn2circuit.layout.gltf.MOST_STRIPS", len(strips.boxes) - 1)
    without = {node["name"]: node["extras"] for node in split(encode_glb(layout))[0]["nodes"]}
    assert without.keys() == nodes.keys() - {"sheet 1 · devices strips"}
    assert not without["sheet 1 · devices"]["strips"]
