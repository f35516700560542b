"""The stack as a binary glTF 2.0 file in which every box is one GPU instance, and a device takes 28 bytes.

A stack has some hundred thousand boxes, so the file holds a unit box and a unit pillar once and, for each process layer
of each sheet, one node with ``EXT_mesh_gpu_instancing``: the number of draw calls is that of the layers.
``TRANSLATION`` is a shape's centre, ``SCALE`` its extent; where all shapes of a node have one extent, as devices do, it
is the node's own ``scale`` instead, and translations count in it. What a shape *means* travels beside it as further
instance attributes, so a viewer can colour and pick without a second file. Elements start at multiples of four bytes,
as vertex attributes must:

=============== ======== ================================================== =====
attribute       type     meaning                                            bytes
=============== ======== ================================================== =====
``TRANSLATION`` 3 float  centre                                             12
``_CELL``       2 uint16 row and column of a device (float above 65,535)    4
``_STATE``      2 int16  level and polarity of a device                     4
``_WEIGHT``     float    weight of a device's pair, dimensionless           4
``_CONDUCTANCE``float    S, as programmed: a trim has no level of its own   4
``_NET``        float    of every other shape: index into the root's nets   4
=============== ======== ================================================== =====

A device's nets follow from its place: word line ``wl_l{layer}_r{row}``, bit line ``bp_`` or ``bn_l{layer}_n{column}``.
Names and process data are in each node's ``extras``, for devices also the range of rows and columns that the sheet
carries; ``extras.kind`` is ``stack``, ``sheet``, ``layer`` or ``devices``.

glTF is y-up and in metres; a layout is z-up and in nanometres. The root node turns the axes; below it everything stays
in layout axes, in metres, relative to the centre of the stack's footprint (x, y) and to the bottom of the first sheet
(z). Single precision then places a shape of a 200 mm stack to within 8 nm in x and y and far finer in z.

Devices that are drawn as strips, meanders of a printed resistor, are there twice: the strips as a node of kind
``layer``, each device as its outline, a plate of a tenth of the height at their feet. So a device stays one instance
with its data. Of more than half a million strips only the outlines are drawn; ``extras.strips`` is then false.

Tools that do not know the extension (assimp, trimesh, many CAD programs) show one unit box a node. For them there is a
plain file, ``instanced=False``: every shape as it is printed with corners of its own, 240 bytes a box, one mesh a layer
of a sheet, and none of the data about devices.

Sources: Khronos glTF 2.0 specification, chapters 3 and 4; EXT_mesh_gpu_instancing (vendor extension, Khronos
registry). Equal layouts give equal bytes.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn2circuit.errors import LayoutError
from snn2circuit.ir.files import atomic
from snn2circuit.ir.layout import Devices, Layout, ProcessLayer, Role, Shapes, Sheet
from snn2circuit.ir.noun import Ints
from snn2circuit.layout.solids import Solid, unit_box, unit_pillar

METRE = 1e-9  # of one layout unit
EXTENSION = "EXT_mesh_gpu_instancing"
MOST_STRIPS = 500_000  # of a stack; 28 bytes each
OPACITY: dict[Role, float] = {"substrate": 0.25, "dielectric": 0.35}  # of roles that would hide what lies below

_FLOAT, _UINT32, _UINT16, _INT16 = 5126, 5125, 5123, 5122
_FORMATS = {_FLOAT: "<f4", _UINT32: "<u4", _UINT16: "<u2", _INT16: "<i2"}
_TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3"}
_VERTICES, _INDICES = 34962, 34963
_Z_UP_TO_Y_UP = [-(0.5**0.5), 0.0, 0.0, 0.5**0.5]  # quaternion, -90 degrees about x


def write_glb(layout: Layout, path: Path | str, *, instanced: bool = True) -> int:
    """Write ``layout`` to ``path`` and return the number of bytes.

    Args:
        layout: the stack.
        path: the file, made or replaced as a whole.
        instanced: every shape is a GPU instance, with the device's data; otherwise a plain mesh for any reader.

    Raises:
        LayoutError: the layout has no sheet, or a shape names a process layer the process does not have.
        OutputError: the file cannot be written.
    """
    data = encode_glb(layout, instanced=instanced)
    with atomic(path) as temporary:
        temporary.write_bytes(data)
    return len(data)


def encode_glb(layout: Layout, *, instanced: bool = True) -> bytes:
    """The bytes of :func:`write_glb`."""
    if not layout.sheets:
        raise LayoutError(f"layout {layout.name} has no sheet; there is nothing to draw")
    scene = _Scene(layout, instanced)
    sheets = [scene.add_sheet(index, sheet) for index, sheet in enumerate(layout.sheets)]
    process = layout.process
    root = scene.add_node(
        {
            "name": "stack",
            "rotation": _Z_UP_TO_Y_UP,
            "children": sheets,
            "extras": {
                "kind": "stack",
                "name": layout.name,
                "process": process.name,
                "technology": process.technology,
                "assumptions": list(layout.assumptions),
                "nets": list(layout.nets),
                "bounds_nm": [int(v) for v in layout.bounds],
            },
        }
    )
    return scene.encode(root)


@dataclass
class _Scene:
    """A glTF document under construction; indices are handed out in order of first use."""

    layout: Layout
    instanced: bool
    nodes: list[dict[str, Any]] = field(default_factory=list)
    meshes: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0
    solids: dict[str, dict[str, Any]] = field(default_factory=dict)
    mesh_of: dict[tuple[str, str], int] = field(default_factory=dict)
    materials: list[ProcessLayer] = field(default_factory=list)
    origin: Ints = field(init=False)  # (3,), nm, becomes 0 0 0
    strips: bool = field(init=False)  # devices are drawn as strips too

    def __post_init__(self) -> None:
        low, high = self.layout.bounds[:3], self.layout.bounds[3:]
        self.origin = np.array([(low[0] + high[0]) // 2, (low[1] + high[1]) // 2, low[2]])

        strips = [shapes for sheet in self.layout.sheets for shapes in sheet.shapes if self.is_strips(shapes)]
        self.strips = 0 < sum(len(shapes.boxes) for shapes in strips) <= MOST_STRIPS

    def is_strips(self, shapes: Shapes) -> bool:
        return self.layout.process.layer(shapes.layer).role == "device"

    def add_node(self, node: dict[str, Any]) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def add_sheet(self, index: int, sheet: Sheet) -> int:
        if self.instanced:
            children = [
                self.add_shapes(index, sheet, shapes)
                for shapes in sheet.shapes
                if len(shapes.boxes) and (self.strips or not self.is_strips(shapes))
            ]
            for tile, (layer, devices) in enumerate(self.layout.printed(sheet), start=sheet.tile):
                if len(devices.rows):
                    children.append(self.add_devices(index, sheet, tile, layer, devices))
        else:
            children = [
                self.add_mesh(index, sheet, shapes) for shapes in self.layout.solids(sheet) if len(shapes.boxes)
            ]
        node: dict[str, Any] = {
            "name": sheet.name,
            "extras": {
                "kind": "sheet",
                "sheet": index,
                "network_layer": sheet.network_layer,
                "tile": sheet.tile,
                "rotation": sheet.rotation,
                "z_nm": sheet.z_nm,
            },
        }
        if children:
            node["children"] = children
        return self.add_node(node)

    def add_shapes(self, index: int, sheet: Sheet, shapes: Shapes) -> int:
        layer = self.layout.process.layer(shapes.layer)
        solid = "pillar" if shapes.round else "box"
        name = f"{sheet.name} · {layer.name}{' strips' if self.is_strips(shapes) else ''}"
        extras = self.describe(index, shapes)
        return self.add_instances(name, layer, solid, shapes.boxes, {"_NET": shapes.nets}, extras)

    def add_mesh(self, index: int, sheet: Sheet, shapes: Shapes) -> int:
        """A node whose mesh holds every shape with corners of its own."""
        layer = self.layout.process.layer(shapes.layer)
        points, triangles = unit_pillar().corners() if shapes.round else unit_box().corners()
        size = shapes.boxes[:, 3:] - shapes.boxes[:, :3]
        centre = (shapes.boxes[:, :3] + shapes.boxes[:, 3:] - 2 * self.origin) * (METRE / 2)
        placed = (points * size[:, None, :] * METRE + centre[:, None, :]).reshape(-1, 3)
        first = len(points) * np.arange(len(size))
        index_of = (triangles[None, :, :] + first[:, None, None]).reshape(-1)
        if layer not in self.materials:
            self.materials.append(layer)
        primitive = {
            "attributes": {"POSITION": self.add_array(placed, target=_VERTICES)},
            "indices": self.add_array(index_of, component=_UINT32, target=_INDICES),
            "material": self.materials.index(layer),
        }
        name = f"{sheet.name} · {layer.name}"
        self.meshes.append({"name": name, "primitives": [primitive]})
        return self.add_node({"name": name, "mesh": len(self.meshes) - 1, "extras": self.describe(index, shapes)})

    def describe(self, index: int, shapes: Shapes) -> dict[str, Any]:
        """What a node of shapes says of itself."""
        layer = self.layout.process.layer(shapes.layer)
        return {
            "kind": "layer",
            "sheet": index,
            "layer": layer.name,
            "role": layer.role,
            "material": layer.material,
            "thickness_nm": round(layer.thickness.value / METRE),
            "color": layer.color,
            "count": len(shapes.boxes),
        }

    def add_devices(self, index: int, sheet: Sheet, tile: int, layer: ProcessLayer, devices: Devices) -> int:
        extras = {
            "kind": "devices",
            "sheet": index,
            "network_layer": sheet.network_layer,
            "tile": tile,
            "layer": layer.name,
            "role": layer.role,
            "material": layer.material,
            "color": layer.color,
            "count": len(devices.rows),
            "weight_max": float(np.abs(devices.weight).max()),
            "g_min": float(devices.conductance.min()),
            "g_max": float(devices.conductance.max()),
            "levels": self.layout.levels,
            "rows": [int(devices.rows.min()), int(devices.rows.max())],
            "columns": [int(devices.columns.min()), int(devices.columns.max())],
            "strips": self.strips,
        }
        boxes = devices.boxes.copy()
        if self.strips:
            boxes[:, 5] = boxes[:, 2] + np.maximum(1, (boxes[:, 5] - boxes[:, 2]) // 10)
        return self.add_instances(
            f"{sheet.name} · {layer.name}", layer, "box", boxes, _device_attributes(devices), extras
        )

    def add_instances(
        self,
        name: str,
        layer: ProcessLayer,
        solid: str,
        boxes: Ints,
        attributes: dict[str, NDArray[Any]],
        extras: dict[str, Any],
    ) -> int:
        size = boxes[:, 3:] - boxes[:, :3]
        centre = (boxes[:, :3] + boxes[:, 3:] - 2 * self.origin) * (METRE / 2)
        node: dict[str, Any] = {"name": name, "mesh": self.mesh(layer, solid), "extras": extras}
        instancing: dict[str, NDArray[Any]]
        if (size == size[0]).all():
            extent = size[0] * METRE
            node["scale"] = extent.tolist()
            instancing = {"TRANSLATION": centre / extent}
        else:
            instancing = {"TRANSLATION": centre, "SCALE": size * METRE}
        arrays = {key: self.add_array(values, _component(values)) for key, values in (instancing | attributes).items()}
        node["extensions"] = {EXTENSION: {"attributes": arrays}}
        return self.add_node(node)

    def mesh(self, layer: ProcessLayer, solid: str) -> int:
        key = (layer.name, solid)
        if key not in self.mesh_of:
            if solid not in self.solids:
                self.solids[solid] = self.add_solid(unit_pillar() if solid == "pillar" else unit_box())
            if layer not in self.materials:
                self.materials.append(layer)
            primitive = {**self.solids[solid], "material": self.materials.index(layer)}
            self.meshes.append({"name": f"{solid} {layer.name}", "primitives": [primitive]})
            self.mesh_of[key] = len(self.meshes) - 1
        return self.mesh_of[key]

    def add_solid(self, solid: Solid) -> dict[str, Any]:
        return {
            "attributes": {
                "POSITION": self.add_array(solid.positions, target=_VERTICES),
                "NORMAL": self.add_array(solid.normals, target=_VERTICES),
            },
            "indices": self.add_array(solid.indices, component=_UINT16, target=_INDICES),
        }

    def add_array(self, values: NDArray[Any], component: int = _FLOAT, target: int | None = None) -> int:
        array = np.ascontiguousarray(values, dtype=_FORMATS[component])
        data = array.tobytes()
        view: dict[str, Any] = {"buffer": 0, "byteOffset": self.size, "byteLength": len(data)}
        if target is not None:
            view["target"] = target
        self.views.append(view)
        data += b"\0" * (-len(data) % 4)
        self.chunks.append(data)
        self.size += len(data)
        table = array.reshape(len(array), -1)
        self.accessors.append(
            {
                "bufferView": len(self.views) - 1,
                "componentType": component,
                "count": len(array),
                "type": _TYPES[table.shape[1]],
                "min": table.min(axis=0).tolist(),
                "max": table.max(axis=0).tolist(),
            }
        )
        return len(self.accessors) - 1

    def encode(self, root: int) -> bytes:
        document: dict[str, Any] = {
            "asset": {"version": "2.0", "generator": "snn2circuit"},
            **({"extensionsUsed": [EXTENSION], "extensionsRequired": [EXTENSION]} if self.instanced else {}),
            "scene": 0,
            "scenes": [{"name": self.layout.name, "nodes": [root]}],
            "nodes": self.nodes,
            "meshes": self.meshes,
            "materials": [_material(layer) for layer in self.materials],
            "accessors": self.accessors,
            "bufferViews": self.views,
            "buffers": [{"byteLength": self.size}],
        }
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        length = 12 + 8 + len(text) + 8 + self.size
        return b"".join(
            [
                struct.pack("<4sII", b"glTF", 2, length),
                struct.pack("<I4s", len(text), b"JSON"),
                text,
                struct.pack("<I4s", self.size, b"BIN\0"),
                *self.chunks,
            ]
        )


def _device_attributes(devices: Devices) -> dict[str, NDArray[Any]]:
    return {
        "_CELL": _narrow(np.stack([devices.rows, devices.columns], axis=1), "<u2"),
        "_STATE": _narrow(np.stack([devices.level, devices.polarity], axis=1), "<i2"),
        "_WEIGHT": devices.weight,
        "_CONDUCTANCE": devices.conductance,
    }


def _narrow(values: Ints, dtype: str) -> NDArray[Any]:
    """``values`` as 16-bit integers if all fit, else as single precision: vertex attributes know no wider integer."""
    return values.astype(dtype if values.max() <= np.iinfo(dtype).max else "<f4")


def _component(values: NDArray[Any]) -> int:
    return {"u2": _UINT16, "i2": _INT16}.get(values.dtype.str[1:], _FLOAT)


def _material(layer: ProcessLayer) -> dict[str, Any]:
    """Matt paint in the layer's colour; glTF wants it linear, the process gives sRGB (IEC 61966-2-1)."""
    srgb = [int(layer.color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in srgb]
    opacity = OPACITY.get(layer.role, 1.0)
    material: dict[str, Any] = {
        "name": layer.name,
        "pbrMetallicRoughness": {
            "baseColorFactor": [round(c, 6) for c in linear] + [opacity],
            "metallicFactor": 0.0,
            "roughnessFactor": 0.7,
        },
    }
    if opacity < 1:
        material["alphaMode"] = "BLEND"
    return material
