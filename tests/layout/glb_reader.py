"""A small reader of GLB files with instancing, written from the specification and knowing nothing of our writer."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

FORMATS = {5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}


@dataclass
class Group:
    """One instanced node: its mesh, and the place and size of every instance in world axes."""

    name: str
    extras: dict[str, Any]
    vertices: np.ndarray  # (vertices, 3), of the unit solid
    normals: np.ndarray
    faces: np.ndarray  # (triangles, 3)
    translation: np.ndarray  # (instances, 3), m, in the node's axes
    scale: np.ndarray  # (instances, 3), m
    attributes: dict[str, np.ndarray]
    rotation: np.ndarray  # (3, 3), node axes to world axes

    def corners(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest world coordinates of each instance, (instances, 3), m."""
        points = self.translation[:, None, :] + self.vertices[None, :, :] * self.scale[:, None, :]
        world = points @ self.rotation.T
        return world.min(axis=1), world.max(axis=1)


def split(data: bytes) -> tuple[dict[str, Any], bytes]:
    magic, version, length = struct.unpack_from("<4sII", data, 0)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    json_length, json_type = struct.unpack_from("<I4s", data, 12)
    assert json_type == b"JSON"
    assert json_length % 4 == 0
    start = 20 + json_length
    bin_length, bin_type = struct.unpack_from("<I4s", data, start)
    assert bin_type == b"BIN\0"
    assert start + 8 + bin_length == len(data)
    return json.loads(data[20:start]), data[start + 8 :]


def read_accessor(document: dict[str, Any], blob: bytes, index: int) -> np.ndarray:
    accessor = document["accessors"][index]
    view = document["bufferViews"][accessor["bufferView"]]
    width = WIDTHS[accessor["type"]]
    dtype = np.dtype(FORMATS[accessor["componentType"]])
    assert accessor["count"] * width * dtype.itemsize <= view["byteLength"]
    assert "byteStride" not in view
    offset = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    values = np.frombuffer(blob, dtype, accessor["count"] * width, offset)
    return values.reshape(-1, width) if width > 1 else values


def rotation_matrix(quaternion: list[float]) -> np.ndarray:
    x, y, z, w = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def read_groups(data: bytes) -> list[Group]:
    document, blob = split(data)
    (root,) = document["scenes"][document["scene"]]["nodes"]
    return list(_walk(document, blob, root, np.eye(3)))


def _walk(document: dict[str, Any], blob: bytes, index: int, rotation: np.ndarray) -> Iterator[Group]:
    node = document["nodes"][index]
    assert not {"translation", "matrix"} & node.keys()
    extent = np.array(node.get("scale", [1, 1, 1]), dtype=float)
    assert "scale" not in node or "children" not in node
    rotation = rotation @ rotation_matrix(node.get("rotation", [0, 0, 0, 1]))
    if "mesh" in node:
        (primitive,) = document["meshes"][node["mesh"]]["primitives"]
        given = node["extensions"]["EXT_mesh_gpu_instancing"]["attributes"]
        arrays = {name: read_accessor(document, blob, accessor) for name, accessor in given.items()}
        yield Group(
            name=node["name"],
            extras=node["extras"],
            vertices=read_accessor(document, blob, primitive["attributes"]["POSITION"]).astype(float),
            normals=read_accessor(document, blob, primitive["attributes"]["NORMAL"]).astype(float),
            faces=read_accessor(document, blob, primitive["indices"]).reshape(-1, 3).astype(int),
            translation=(translation := arrays.pop("TRANSLATION").astype(float)) * extent,
            scale=arrays.pop("SCALE", np.ones_like(translation)).astype(float) * extent,
            attributes=arrays,
            rotation=rotation,
        )
    for child in node.get("children", []):
        yield from _walk(document, blob, child, rotation)
