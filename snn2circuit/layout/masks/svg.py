"""Masks as SVG drawings in millimetres, one file a sheet, one group a layer, for looking at and for laser cutters.

Circles stay circles. The y axis of a layout points up and that of SVG down, so a drawing is mirrored by its transform.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from snn2circuit.ir.files import write_text
from snn2circuit.ir.layout import Layout
from snn2circuit.ir.plain import plain
from snn2circuit.layout.masks.drawing import Mask, list_masks


def write_svg(layout: Layout, folder: Path) -> list[Path]:
    """Write one SVG a sheet into ``folder``; returns their paths."""
    paths = []
    by_sheet: dict[int, list[Mask]] = {}
    for mask in list_masks(layout):
        by_sheet.setdefault(mask.sheet, []).append(mask)
    for sheet, masks in by_sheet.items():
        corners = np.concatenate([mask.boxes for mask in masks])
        (x0, y0), (x1, y1) = corners[:, :2].min(axis=0) / 1e6, corners[:, 2:].max(axis=0) / 1e6
        size = f'width="{x1 - x0:.6f}mm" height="{y1 - y0:.6f}mm"'
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="{x0:.6f} {-y1:.6f} {x1 - x0:.6f} {y1 - y0:.6f}">',
            f"<title>{escape(plain(layout.name))}, sheet {sheet}, seen from above</title>",
            '<g transform="scale(1 -1)">',
        ]
        for mask in masks:
            lines.append(f'<g id="{mask.layer.name}" fill="{mask.layer.color}" fill-opacity="0.7">')
            lines += [
                f'<circle cx="{(a + c) / 2e6:.7g}" cy="{(b + d) / 2e6:.7g}" r="{(c - a) / 2e6:.7g}"/>'
                if is_round
                else f'<path d="M{a / 1e6:.9g} {b / 1e6:.9g}H{c / 1e6:.9g}V{d / 1e6:.9g}H{a / 1e6:.9g}Z"/>'
                for (a, b, c, d), is_round in zip(mask.boxes.tolist(), mask.round.tolist(), strict=True)
            ]
            lines.append("</g>")
        lines += ["</g>", "</svg>", ""]
        path = folder / f"sheet{sheet}.svg"
        write_text(path, "\n".join(lines))
        paths.append(path)
    return paths
