"""What a layer is drawn with so that, once its ink has spread, the shapes of the layout are printed.

Every side of a shape is moved out by the layer's ``bias``, or in where it is negative: ink that spreads by 10 um is
drawn with a bias of -10 um. Shapes that touch are one shape and move as one.
"""

from __future__ import annotations

from dataclasses import replace

import klayout.db as kdb
import numpy as np

from snn2circuit.errors import LayoutError
from snn2circuit.ir.noun import Ints
from snn2circuit.layout.masks.drawing import Mask


def spread_mask(mask: Mask, bias: int) -> Mask:
    """``mask`` with every side moved out by ``bias``, nm; shapes carry no net afterwards.

    Raises:
        LayoutError: the bias merges, cuts or loses shapes; the text says where, and a bias that does not.
    """
    if not bias:
        return mask
    flat, circles = to_region(mask.boxes[~mask.round]), mask.boxes[mask.round]
    # Circles stand for their boxes here, which is exact for what lies beside or above them.
    outlines = to_region(mask.boxes) if bias > 0 else flat
    check = outlines.space_check if bias > 0 else outlines.width_check
    # Corners that meet as they are drawn stay so.
    narrow = [pair for pair in check(2 * abs(bias) + 1, False, kdb.Region.Square).each() if _apart(pair)]
    diameters = circles[:, 2] - circles[:, 0]
    lost = np.flatnonzero(diameters <= -2 * bias)
    if narrow or len(lost):
        what, does = ("gap", "merges shapes") if bias > 0 else ("shape", "cuts or loses shapes")
        found = [(_apart(pair), pair.bbox().center()) for pair in narrow]
        found += [(int(diameters[i]), kdb.Point(*(circles[i, :2] + circles[i, 2:]).tolist()) * 0.5) for i in lost]
        size, at = min(found, key=lambda each: each[0])
        raise LayoutError(
            f"a bias of {bias / 1e3:g} um {does} of {mask.layer.name} on sheet {mask.sheet}: a {what} of "
            f"{size / 1e3:g} um at ({at.x}, {at.y}) nm, and {len(found) - 1} more; choose a bias "
            f"{'below' if bias > 0 else 'above'} {'-' if bias < 0 else ''}{size / 2e3:g} um"
        )
    boxes = to_boxes(flat.sized(bias))
    circles = circles + np.array([-bias, -bias, bias, bias])
    return replace(
        mask,
        boxes=np.concatenate([boxes, circles]),
        round=np.arange(len(boxes) + len(circles)) >= len(boxes),
        nets=np.full(len(boxes) + len(circles), -1),
    )


def to_region(boxes: Ints) -> kdb.Region:
    """Boxes (n, 4) as one merged region."""
    region = kdb.Region()
    for box in boxes.tolist():
        region.insert(kdb.Box(*box))
    return region.merged()


def to_boxes(region: kdb.Region) -> Ints:
    """A region whose edges all run along x or y, cut into boxes (n, 4) that do not overlap."""
    cut = region.decompose_trapezoids_to_region()
    boxes = [(box.left, box.bottom, box.right, box.top) for box in (each.bbox() for each in cut.each())]
    return np.array(boxes, dtype=np.int64).reshape(-1, 4)


def _apart(pair: kdb.EdgePair) -> int:
    """How far two edges lie apart along the axis that keeps them apart, nm."""
    one, two = pair.first.bbox(), pair.second.bbox()
    across = max(one.left, two.left) - min(one.right, two.right)
    return max(across, max(one.bottom, two.bottom) - min(one.top, two.top))
