"""The stack as solids that touch nowhere, as programs that slice for 3D printers want them.

Shapes of one layer that overlap or meet become one solid; where layers share a height, the one that conducts is cut out
of the one around it, a via out of its foil. What then lies side by side or on each other shares faces and edges, which
slicers report as not manifold. So every solid is drawn back on its sides and at its top, by at least a nanometre and
by four steps of the single precision in which STL holds the furthest corner; corners lie on a grid of that spacing.
"""

from __future__ import annotations

from collections.abc import Iterator

import klayout.db as kdb
import numpy as np

from snn2circuit.ir.layout import Layout, ProcessLayer, Role, Sheet
from snn2circuit.ir.noun import Ints, freeze, noun
from snn2circuit.layout.masks.drawing import circle

STEPS = 21  # 2**-21 of a number is four steps of single precision
YIELDING: tuple[Role, ...] = ("dielectric", "substrate")  # what others are cut out of; the last yields to all


@noun
class Solids:
    """All solids of one process layer of one sheet; lengths in nm, stack coordinates."""

    name: str  # of sheet and layer
    layer: ProcessLayer
    boxes: Ints  # (solids, 6): x0, y0, z0, x1, y1, z1
    points: Ints  # (points, 3), corners of the solids that are no boxes
    triangles: Ints  # (triangles, 3), indices of points, counter-clockwise seen from outside

    def __post_init__(self) -> None:
        for name in ("boxes", "points", "triangles"):
            freeze(self, name, np.int64)


def list_solids(layout: Layout) -> Iterator[Solids]:
    """Every solid of ``layout``, sheet by sheet in printing order."""
    low, high = layout.bounds[:3], layout.bounds[3:]
    side, top = (1 + (int((high - low)[axes].max()) >> STEPS) for axes in ([0, 1], [2]))
    for sheet in layout.sheets:
        slabs = _slabs(layout, sheet)
        order = sorted(range(len(slabs)), key=lambda index: _yields(slabs[index][0]))
        for index, (layer, bottom, height, region) in enumerate(slabs):
            for other in order[: order.index(index)]:
                _, foot, head, taken = slabs[other]
                if foot < height and bottom < head:
                    region -= taken
            region.min_coherence = True  # polygons that meet in a corner only are two
            polygons = region.merged().sized(-side, 2).snapped(side, side).merged()
            yield _raise(f"{sheet.name} {layer.name}", layer, polygons, bottom, max(bottom + 1, height - top))


_Slab = tuple[ProcessLayer, int, int, kdb.Region]  # bottom and top, nm, and what lies between, seen from above


def _slabs(layout: Layout, sheet: Sheet) -> list[_Slab]:
    regions: dict[tuple[str, int, int], kdb.Region] = {}
    for shapes in layout.solids(sheet):
        for x0, y0, z0, x1, y1, z1 in shapes.boxes.tolist():
            region = regions.setdefault((shapes.layer, z0, z1), kdb.Region())
            region.insert(circle(x0, y0, x1, y1) if shapes.round else kdb.Box(x0, y0, x1, y1))
    return [(layout.process.layer(name), z0, z1, region) for (name, z0, z1), region in regions.items()]


def _yields(layer: ProcessLayer) -> int:
    return YIELDING.index(layer.role) + 1 if layer.role in YIELDING else 0


def _raise(name: str, layer: ProcessLayer, polygons: kdb.Region, bottom: int, top: int) -> Solids:
    """Upright prisms over ``polygons``."""
    boxes, points, triangles, start = [], [np.empty((0, 3), dtype=np.int64)], [np.empty((0, 3), dtype=np.int64)], 0
    for polygon in polygons.each():
        if polygon.is_box():
            box = polygon.bbox()
            boxes.append((box.left, box.bottom, bottom, box.right, box.top, top))
            continue
        number: dict[tuple[int, int], int] = {}
        cap = np.array(
            [
                [number.setdefault((point.x, point.y), len(number)) for point in triangle.each_point_hull()]
                for triangle in polygon.delaunay().each()  # clockwise
            ]
        )
        edges = np.concatenate([cap[:, [0, 1]], cap[:, [1, 2]], cap[:, [2, 0]]])
        # Walls stand on the edges that the triangles themselves leave open: a triangulation may split the polygon's.
        joined = np.isin(edges @ (len(number), 1), edges[:, ::-1] @ (len(number), 1))
        a, b = edges[~joined].T
        count = len(number)
        triangles.append(
            start
            + np.concatenate(
                [
                    cap,  # seen from below
                    cap[:, ::-1] + count,
                    np.stack([a, b + count, b], axis=1),
                    np.stack([a, a + count, b + count], axis=1),
                ]
            )
        )
        flat = np.array(list(number))
        points += [np.insert(flat, 2, z, axis=1) for z in (bottom, top)]
        start += 2 * count
    return Solids(
        name=name,
        layer=layer,
        boxes=np.array(boxes, dtype=np.int64).reshape(-1, 6),
        points=np.concatenate(points),
        triangles=np.concatenate(triangles),
    )
