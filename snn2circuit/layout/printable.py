"""The stack as files for 3D printers: STL and 3MF, in millimetres, z up, the near lower corner at the origin.

STL is one list of triangles. 3MF (3MF Consortium, Core Specification 1.3) keeps one object for each process layer of
each sheet, in the layer's colour, and writes a box as twelve numbers that place a unit box, so it stays small.
Films are a thousand times thinner than wide and no 3D printer can make them true to scale; ``height`` stretches z.

Solids are closed and touch nowhere (:mod:`snn2circuit.layout.disjoint`), so that slicers find nothing to repair.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

import numpy as np

from snn2circuit.errors import LayoutError
from snn2circuit.ir.files import atomic
from snn2circuit.ir.layout import Layout, ProcessLayer
from snn2circuit.ir.noun import Floats, Ints
from snn2circuit.ir.plain import plain
from snn2circuit.layout.disjoint import list_solids
from snn2circuit.layout.gltf import write_glb
from snn2circuit.layout.solids import unit_box

MILLIMETRE = 1e-6  # of one layout unit
_MOMENT = (1980, 1, 1, 0, 0, 0)  # the earliest a zip file knows: equal stacks give equal bytes
_CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>\n'
)
_RELATIONS = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<Relationships xmlns="{_PACKAGE}/relationships">'
    '<Relationship Target="/3D/3dmodel.model" Id="model" '
    'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>\n'
)


class Part(NamedTuple):
    """All solids of one process layer of one sheet, mm."""

    name: str
    layer: ProcessLayer
    size: Floats  # (boxes, 3)
    centre: Floats  # (boxes, 3)
    points: Floats  # (points, 3), of solids that are no boxes
    triangles: Ints  # (triangles, 3), of the same


def write_stl(layout: Layout, path: Path | str, height: float = 1.0) -> int:
    """Write ``layout`` to ``path`` as binary STL and return the number of bytes; errors as for :func:`write_3mf`."""
    import trimesh

    corners, triangles, start = [], [], 0
    points, faces = unit_box().corners()
    for part in _parts(layout, height):
        placed = points[None, :, :] * part.size[:, None, :] + part.centre[:, None, :]
        first = len(points) * np.arange(len(placed))
        boxes = (faces[None, :, :] + first[:, None, None]).reshape(-1, 3)
        for more, index in ((placed.reshape(-1, 3), boxes), (part.points, part.triangles)):
            corners.append(more)
            triangles.append(index + start)
            start += len(more)
    mesh = trimesh.Trimesh(np.concatenate(corners), np.concatenate(triangles), process=False)
    with atomic(path) as temporary:
        mesh.export(temporary, file_type="stl")
        return temporary.stat().st_size


def write_3mf(layout: Layout, path: Path | str, height: float = 1.0) -> int:
    """Write ``layout`` to ``path`` as 3MF and return the number of bytes.

    Raises:
        LayoutError: the layout has no sheet, or ``height`` is not above 0.
        OutputError: the file cannot be written.
    """
    parts = list(_parts(layout, height))
    materials = "".join(
        f"<base name={quoteattr(plain(part.layer.material))} displaycolor={quoteattr(part.layer.color.upper())}/>"
        for part in parts
    )
    resources, items = [], []
    for index, part in enumerate(parts):
        box, rest, whole = (3 * index + number for number in (2, 3, 4))
        resources.append(_mesh(box, index, *unit_box().corners()))
        placed = "".join(
            f'<component objectid="{box}" transform="{a:.9g} 0 0 0 {b:.9g} 0 0 0 {c:.9g} {x:.9g} {y:.9g} {z:.9g}"/>'
            for (a, b, c), (x, y, z) in zip(part.size.tolist(), part.centre.tolist(), strict=True)
        )
        if len(part.triangles):
            resources.append(_mesh(rest, index, part.points, part.triangles))
            placed += f'<component objectid="{rest}"/>'
        resources.append(
            f'<object id="{whole}" type="model" name={quoteattr(plain(part.name))}>'
            f"<components>{placed}</components></object>\n"
        )
        items.append(f'<item objectid="{whole}"/>')
    model = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<model unit="millimeter" xml:lang="en" xmlns="{_CORE}">\n'
        f'<resources>\n<basematerials id="1">{materials}</basematerials>\n{"".join(resources)}'
        f"</resources>\n<build>{''.join(items)}</build>\n</model>\n"
    )
    with atomic(path) as temporary:
        with zipfile.ZipFile(temporary, "w") as archive:
            for name, text in (
                ("[Content_Types].xml", _TYPES),
                ("_rels/.rels", _RELATIONS),
                ("3D/3dmodel.model", model),
            ):
                entry = zipfile.ZipInfo(name, _MOMENT)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, text)
        return temporary.stat().st_size


WRITERS: Mapping[str, Callable[[Layout, Path, float], int]] = {
    "glb": lambda layout, path, _: write_glb(layout, path),
    "stl": write_stl,
    "3mf": write_3mf,
}


def _parts(layout: Layout, height: float) -> Iterator[Part]:
    if not layout.sheets:
        raise LayoutError(f"layout {layout.name} has no sheet; there is nothing to print")
    if not height > 0:
        raise LayoutError(f"height is {height!r}; z can only be stretched by a factor above 0")
    scale = MILLIMETRE * np.array([1.0, 1.0, height])
    corner = layout.bounds[:3]
    for solids in list_solids(layout):
        low, high = (solids.boxes[:, :3] - corner) * scale, (solids.boxes[:, 3:] - corner) * scale
        points = (solids.points - corner) * scale
        yield Part(solids.name, solids.layer, high - low, (low + high) / 2, points, solids.triangles)


def _mesh(number: int, material: int, points: Floats, triangles: Ints) -> str:
    vertices = "".join(f'<vertex x="{x:.9g}" y="{y:.9g}" z="{z:.9g}"/>' for x, y, z in points.tolist())
    faces = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in triangles.tolist())
    return (
        f'<object id="{number}" type="model" pid="1" pindex="{material}"><mesh><vertices>{vertices}</vertices>'
        f"<triangles>{faces}</triangles></mesh></object>\n"
    )
