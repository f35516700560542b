"""Cross-sections of the stack: what a knife would show, along the first word line and along the first bit line.

A printed film is some hundred times thinner than the foil below it and some thousand times thinner than lines are
wide, so heights are drawn to a scale of their own: every plane of a sheet is equally high, foils three times as high,
with the true thickness written beside. A long stack is shown from its near edge to a few devices into the crossbar.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from snn2circuit.ir.files import atomic
from snn2circuit.ir.layout import Layout
from snn2circuit.ir.noun import Ints

FOIL = 3.0  # height of a foil where a film is 1
THICK = 20_000  # nm; drawn as high as a foil
DEVICES = 6  # lines of devices that a picture reaches over


def plot_sections(layout: Layout, path: Path) -> None:
    """Draw both cuts as SVG into ``path``."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch, Rectangle

    heights, labels = _scale(layout)
    figure = Figure(figsize=(11, 3.0 + 0.5 * heights[max(heights)]), layout="constrained")
    FigureCanvasSVG(figure)
    used: dict[str, str] = {}
    for axis, along, title in zip(
        figure.subplots(2, 1), (0, 1), ("along the first word line", "across it, at the first bit line"), strict=True
    ):
        boxes = layout.sheets[0].devices.boxes
        centre = _first_crossing(layout)
        start = int(layout.bounds[along])
        lines = np.unique(boxes[:, along + 3])
        end = int(lines[min(DEVICES, len(lines)) - 1]) + int(boxes[0, along + 3] - boxes[0, along])
        for layer, solids in _cut(layout, 1 - along, int(centre[1 - along])):
            color = layout.process.layer(layer).color
            used.setdefault(layer, color)
            for box in solids.tolist():
                low, high = max(box[along], start), min(box[along + 3], end)
                if low < high:
                    bottom, top = heights[box[2]], heights[box[5]]
                    axis.add_patch(
                        Rectangle(
                            (low / 1e6, bottom), (high - low) / 1e6, top - bottom,
                            facecolor=color, edgecolor="#333333", linewidth=0.3,
                        )
                    )  # fmt: skip
        axis.set_xlim(start / 1e6, end / 1e6)
        axis.set_ylim(0, heights[max(heights)])
        axis.set_yticks([height for height, _ in labels], [text for _, text in labels], fontsize=6)
        axis.set_xlabel(f"{'xy'[along]} / mm, cut at {'yx'[along]} = {centre[1 - along] / 1e6:g} mm: {title}")
        axis.spines[["top", "right"]].set_visible(False)
    order = [layer.name for layer in layout.process.layers if layer.name in used]
    figure.legend(
        handles=[Patch(facecolor=used[name], edgecolor="#333333", label=name) for name in order],
        loc="outside upper center", ncols=min(6, len(order)), frameon=False, fontsize=8,
    )  # fmt: skip
    with mpl.rc_context({"svg.hashsalt": "snn2circuit"}), atomic(path) as temporary:
        figure.savefig(temporary, format="svg", metadata={"Date": None, "Creator": None})


def _first_crossing(layout: Layout) -> tuple[int, int]:
    """Where the first word line and the first bit line cross, x and y, nm."""
    longest = {}
    for shapes in layout.sheets[0].shapes:
        if layout.process.layer(shapes.layer).role == "conductor":
            for name in ("wl_l1_r0", "bp_l1_n0"):
                boxes = shapes.boxes[shapes.nets == layout.nets.index(name)]
                if len(boxes):
                    sides = boxes[:, 3:5] - boxes[:, :2]
                    longest[name] = boxes[int(np.argmax(sides.max(axis=1)))]
    word, bit = longest["wl_l1_r0"], longest["bp_l1_n0"]
    return int(bit[0] + bit[3]) // 2, int(word[1] + word[4]) // 2


def _cut(layout: Layout, axis: int, at: int) -> list[tuple[str, Ints]]:
    """Boxes of each layer that the plane ``axis = at`` runs through, or next to none of the width of a nanometre."""
    return [
        (shapes.layer, shapes.boxes[(shapes.boxes[:, axis] <= at) & (at < shapes.boxes[:, axis + 3])])
        for sheet in layout.sheets
        for shapes in layout.solids(sheet)
    ]


def _scale(layout: Layout) -> tuple[dict[int, float], list[tuple[float, str]]]:
    """Drawn height of every level of the stack, nm to units, and a label for the middle of each plane."""
    levels: set[int] = set()
    for sheet in layout.sheets:
        for shapes in sheet.shapes:
            levels.update(np.unique(shapes.boxes[:, [2, 5]]).tolist())
    ordered = sorted(levels)
    heights, labels = {ordered[0]: 0.0}, []
    for low, high in itertools.pairwise(ordered):
        thick = FOIL if high - low >= THICK else 1.0
        heights[high] = heights[low] + thick
        labels.append((heights[low] + thick / 2, f"{(high - low) / 1e3:g} µm"))
    return heights, labels
