"""A picture of each design rule violation: the masks around it as read back, and a frame where the rule is broken."""

from __future__ import annotations

from pathlib import Path

from snn2circuit.ir.files import atomic
from snn2circuit.layout.signoff.drc import DrcReport
from snn2circuit.layout.signoff.stack import MaskStack, clip

MOST = 100  # pictures; a table still lists every violation


def draw_violations(report: DrcReport, stack: MaskStack, folder: Path) -> list[Path]:
    """Draw the first :data:`MOST` violations as ``NUMBER_RULE.png`` into ``folder``; returns the paths."""
    # Drawing loads matplotlib, which nothing else here needs.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    paths = []
    for number, violation in enumerate(report.violations[:MOST], start=1):
        x0, y0, x1, y1 = violation.box
        reach = max(x1 - x0, y1 - y0, 200_000)
        window = (x0 - reach, y0 - reach, x1 + reach, y1 + reach)
        figure = Figure(figsize=(5, 5), layout="constrained")
        FigureCanvasAgg(figure)
        axis = figure.add_subplot()
        for (sheet, name), pieces in clip(stack, window):
            layer = stack.process.layer(name)
            if sheet == violation.sheet and layer.role != "substrate":
                shapes = [[(x / 1e3, y / 1e3) for x, y in corners] for corners in pieces]
                axis.add_collection(PolyCollection(shapes, facecolor=layer.color, edgecolor="none", alpha=0.6))
        place = (x0 / 1e3, y0 / 1e3), (x1 - x0) / 1e3, (y1 - y0) / 1e3
        axis.add_patch(Rectangle(*place, fill=False, edgecolor="#d00000", linewidth=2))
        axis.set(xlim=(window[0] / 1e3, window[2] / 1e3), ylim=(window[1] / 1e3, window[3] / 1e3), aspect="equal")
        axis.set(xlabel="x / um", ylabel="y / um", title=f"{violation.rule}, sheet {violation.sheet}\n{violation.text}")
        path = folder / f"{number:03d}_{violation.rule}.png"
        with atomic(path) as temporary:
            figure.savefig(temporary, dpi=100, format="png", metadata={"Software": None})
        paths.append(path)
    return paths
