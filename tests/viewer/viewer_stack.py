"""A small stack written by hand, and a reader of its GLB that shares no code with the viewer."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from snn2circuit.ir.layout import Devices, Layout, Shapes, Sheet
from snn2circuit.ir.noun import Ints
from snn2circuit.layout.processes import PROCESSES

UM = 1000  # nm
PITCH, WIDTH, FOIL = 400 * UM, 200 * UM, 125 * UM
LEVELS = np.geomspace(1e-6, 50e-6, 32)  # S


def make_stack(sizes: tuple[int, ...] = (12, 8, 4), seed: int = 7) -> Layout:
    """Two crossbars above each other with a bias row each: foil, lines, devices, cells and a via per word line."""
    rng = np.random.default_rng(seed)
    nets: dict[str, int] = {}
    sheets = []
    for layer, (inputs, columns) in enumerate(pairwise(sizes), start=1):
        z, rows = (layer - 1) * (FOIL + 3 * UM), inputs + 1
        words = [nets.setdefault(f"wl_l{layer}_r{r}", len(nets)) for r in range(inputs)]
        words.append(nets.setdefault(f"bias_l{layer}", len(nets)))
        bits = [nets.setdefault(f"b{p}_l{layer}_n{c}", len(nets)) for c in range(columns) for p in "pn"]
        y, x = PITCH * np.arange(rows), PITCH * np.arange(2 * columns)
        right, top, z1 = PITCH * 2 * columns, PITCH * rows, z + FOIL
        cells = 2 * PITCH * np.arange(columns)
        shapes = (
            Shapes(layer="substrate", boxes=_boxes(-2000 * UM, right, -1000 * UM, top + 2000 * UM, z, z1), nets=[-1]),
            Shapes(layer="word_lines", boxes=_boxes(-1500 * UM, right, y, y + WIDTH, z1, z1 + UM), nets=words),
            Shapes(layer="bit_lines", boxes=_boxes(x, x + WIDTH, 0, top, z1 + 2 * UM, z1 + 3 * UM), nets=bits),
            Shapes(
                layer="cells",
                boxes=_boxes(cells, cells + 600 * UM, top + 500 * UM, top + 1500 * UM, z1 + UM, z1 + 2 * UM),
                nets=[-1] * columns,
            ),
            Shapes(
                layer="substrate_vias",
                boxes=_boxes(-1900 * UM, -1600 * UM, y, y + 300 * UM, z, z1),
                nets=words,
                round=True,
            ),
        )
        weight = rng.uniform(-1, 1, (rows, columns))
        row, column, sign = (a.ravel() for a in np.meshgrid(range(rows), range(columns), [1, -1], indexing="ij"))
        pair = weight[row, column]
        level = np.where(pair * sign > 0, np.ceil(np.abs(pair) * 31), 0).astype(int)
        dx, dy = PITCH * (2 * column + (sign < 0)), PITCH * row
        devices = Devices(
            rows=row, columns=column, polarity=sign, weight=pair, conductance=LEVELS[level], level=level,
            boxes=_boxes(dx, dx + WIDTH, dy, dy + WIDTH, z1 + UM, z1 + 2 * UM),
        )  # fmt: skip
        sheets.append(
            Sheet(name=f"sheet {layer}", network_layer=layer - 1, rotation=0, z_nm=z, shapes=shapes, devices=devices)
        )
    return Layout(
        name="a <small> stack & more",
        process=PROCESSES["inkjet"],
        sheets=tuple(sheets),
        nets=tuple(nets),
        levels=len(LEVELS),
        assumptions=("cells are 0.6 mm wide", "lines are 0.2 mm wide"),
    )


def _boxes(x0: Any, x1: Any, y0: Any, y1: Any, z0: Any, z1: Any) -> Ints:
    return np.stack(np.broadcast_arrays(x0, y0, z0, x1, y1, z1), axis=-1).reshape(-1, 6).astype(np.int64)


@dataclass(frozen=True)
class DeviceInFile:
    """One device as the GLB tells it."""

    sheet: int
    layer: int  # from 1
    row: int
    column: int
    polarity: int
    weight: float
    conductance: float  # S
    level: int
    centre: tuple[float, ...]  # x, y, z, m, relative to the origin of the file

    @property
    def name(self) -> str:
        """What the viewer calls it."""
        return f"l{self.layer} r{self.row} n{self.column} {'+' if self.polarity > 0 else '−'}"


def read_devices(glb: bytes) -> list[DeviceInFile]:
    """All devices of a GLB, sheet by sheet."""
    length = struct.unpack_from("<I", glb, 12)[0]
    document = json.loads(glb[20 : 20 + length])
    binary = glb[28 + length :]

    def array(index: int) -> Any:
        accessor = document["accessors"][index]
        start = document["bufferViews"][accessor["bufferView"]]["byteOffset"]
        width = {"SCALAR": 1, "VEC2": 2, "VEC3": 3}[accessor["type"]]
        kind = {5126: "<f4", 5123: "<u2", 5122: "<i2"}[accessor["componentType"]]
        values = np.frombuffer(binary, kind, accessor["count"] * width, start)
        return values.reshape(-1, width) if width > 1 else values

    found = []
    for node in document["nodes"]:
        extras = node.get("extras", {})
        if extras.get("kind") != "devices":
            continue
        data = {key: array(index) for key, index in node["extensions"]["EXT_mesh_gpu_instancing"]["attributes"].items()}
        found += [
            DeviceInFile(
                sheet=extras["sheet"],
                layer=extras["network_layer"] + 1,
                row=int(data["_CELL"][i][0]),
                column=int(data["_CELL"][i][1]),
                polarity=int(data["_STATE"][i][1]),
                weight=float(data["_WEIGHT"][i]),
                conductance=float(data["_CONDUCTANCE"][i]),
                level=int(data["_STATE"][i][0]),
                centre=tuple(float(v) for v in data["TRANSLATION"][i] * node.get("scale", [1, 1, 1])),
            )
            for i in range(extras["count"])
        ]
    return found
