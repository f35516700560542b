"""Masks as SVG drawings in millimetres, one file a sheet, for looking at and for laser cutters.

Each mask is a group that Inkscape shows as a layer of the mask's name (``inkscape:groupmode``), within one layer for
the sheet. One user unit is one millimetre, said by ``width``, ``height`` and ``viewBox``; six decimals are nanometres.
Circles stay circles. The y axis of a layout points up and that of SVG down, so a drawing is mirrored by its transform.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from snn2circuit.ir.files import write_text
from snn2circuit.ir.layout import Layout
from snn2circuit.ir.plain import plain
from snn2circuit.layout.masks.drawing import Mask, list_masks, millimetres

INKSCAPE = "http://www.inkscape.org/namespaces/inkscape"
UP = "scale(1 -1)"


def write_svg(layout: Layout, folder: Path) -> list[Path]:
    """Write one SVG a sheet into ``folder``; returns their paths."""
    paths = []
    by_sheet: dict[int, list[Mask]] = {}
    for mask in list_masks(layout):
        by_sheet.setdefault(mask.sheet, []).append(mask)
    for sheet, masks in by_sheet.items():
        corners = np.concatenate([mask.boxes for mask in masks])
        (x0, y0), (x1, y1) = corners[:, :2].min(axis=0) / 1e6, corners[:, 2:].max(axis=0) / 1e6
        width, height = f"{x1 - x0:.6f}", f"{y1 - y0:.6f}"
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="{INKSCAPE}" version="1.1" '
            f'width="{width}mm" height="{height}mm" viewBox="{x0:.6f} {-y1:.6f} {width} {height}">',
            f"<title>{escape(plain(layout.name))}, sheet {sheet}, seen from above, in millimetres</title>",
            f'<g id="sheet{sheet}" inkscape:groupmode="layer" inkscape:label="sheet {sheet}" transform="{UP}">',
        ]
        for mask in masks:
            name = mask.layer.name
            lines.append(
                f'<g id="{name}" inkscape:groupmode="layer" inkscape:label="{name}" '
                f'fill="{mask.layer.color}" fill-opacity="0.7">'
            )
            lines += [
                _circle(*box) if is_round else _box(*box)
                for box, is_round in zip(mask.boxes.tolist(), mask.round.tolist(), strict=True)
            ]
            lines.append("</g>")
        lines += ["</g>", "</svg>", ""]
        path = folder / f"sheet{sheet}.svg"
        write_text(path, "\n".join(lines))
        paths.append(path)
    return paths


def _circle(x0: int, y0: int, x1: int, y1: int) -> str:
    x, y, r = (millimetres(value) for value in (x0 + x1, y0 + y1, x1 - x0))
    return f'<circle cx="{x}" cy="{y}" r="{r}"/>'


def _box(x0: int, y0: int, x1: int, y1: int) -> str:
    left, lower, right, upper = (millimetres(2 * value) for value in (x0, y0, x1, y1))
    return f'<path d="M{left} {lower}H{right}V{upper}H{left}Z"/>'
