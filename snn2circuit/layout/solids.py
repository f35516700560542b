"""The two unit solids that every shape of a stack is an instance of: a box and a round pillar.

Both have edge length 1 and are centred on the origin, so an instance's translation is the centre of its shape and its
scale the shape's extent. A solid is given as flat-shaded triangles (each face has its own vertices), wound
counter-clockwise seen from outside, which is what glTF wants for back-face culling and what makes the solid watertight
once equal positions are merged.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from snn2circuit.ir.noun import Floats, Ints, noun

SIDES = 24  # of a pillar; an inscribed 24-gon has 98.9 % of the circle's area


@noun
class Solid:
    """Triangles of a closed surface."""

    name: str
    positions: NDArray[np.float32]  # (vertices, 3)
    normals: NDArray[np.float32]  # (vertices, 3)
    indices: NDArray[np.uint16]  # (triangles * 3,)

    def corners(self) -> tuple[Floats, Ints]:
        """Corners, every one once, ``(corners, 3)``, and their indices, ``(triangles, 3)``: a closed surface."""
        points, index = np.unique(self.positions.astype(np.float64), axis=0, return_inverse=True)
        return points, index.ravel()[self.indices.astype(np.int64)].reshape(-1, 3)


def unit_box() -> Solid:
    """Box from -1/2 to 1/2 in each axis: 6 faces of 4 vertices and 2 triangles each."""
    positions: list[NDArray[np.float64]] = []
    normals: list[NDArray[np.float64]] = []
    indices: list[int] = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            normal = np.zeros(3)
            normal[axis] = sign
            along, across = np.roll(np.eye(3), -axis - 1, axis=0)[:2]
            corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
            start = len(positions)
            for a, b in corners if sign > 0 else corners[::-1]:
                positions.append((normal + a * along + b * across) / 2)
                normals.append(normal)
            indices += [start, start + 1, start + 2, start, start + 2, start + 3]
    return _solid("box", positions, normals, indices)


def unit_pillar(sides: int = SIDES) -> Solid:
    """Upright prism of height 1 whose base is a regular polygon inscribed in the circle of diameter 1."""
    angles = 2 * np.pi * np.arange(sides) / sides
    rim = np.stack([np.cos(angles), np.sin(angles)], axis=1) / 2
    positions: list[NDArray[np.float64]] = []
    normals: list[NDArray[np.float64]] = []
    indices: list[int] = []
    for k in range(sides):
        a, b = rim[k], rim[(k + 1) % sides]
        middle = (a + b) / np.linalg.norm(a + b)
        start = len(positions)
        for (x, y), z in ((a, -0.5), (b, -0.5), (b, 0.5), (a, 0.5)):
            positions.append(np.array([x, y, z]))
            normals.append(np.array([middle[0], middle[1], 0.0]))
        indices += [start, start + 1, start + 2, start, start + 2, start + 3]
    for sign in (-1.0, 1.0):
        start = len(positions)
        for x, y in rim if sign > 0 else rim[::-1]:
            positions.append(np.array([x, y, sign / 2]))
            normals.append(np.array([0.0, 0.0, sign]))
        for k in range(1, sides - 1):
            indices += [start, start + k, start + k + 1]
    return _solid("pillar", positions, normals, indices)


def _solid(
    name: str, positions: list[NDArray[np.float64]], normals: list[NDArray[np.float64]], indices: list[int]
) -> Solid:
    return Solid(
        name=name,
        positions=np.array(positions, dtype=np.float32),
        normals=np.array(normals, dtype=np.float32),
        indices=np.array(indices, dtype=np.uint16),
    )
