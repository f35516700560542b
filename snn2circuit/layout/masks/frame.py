"""Where the pixels of a stack's pictures lie.

On the layout, a pixel of ``dpi`` in a picture ``scale`` times as large has the step ``25.4 mm / (dpi · scale)``. All
pictures of a stack share one frame, so they register. Its lower left corner is that of the foil, it reaches as far as
the foil and whatever is drawn beyond it, and a margin of whole pixels without shapes lies around it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from snn2circuit.errors import LayoutError
from snn2circuit.ir.noun import Ints, noun
from snn2circuit.layout.masks.drawing import Mask
from snn2circuit.layout.masks.raster import Raster

INCH = 25_400_000  # nm
LARGEST = 2**30  # pixels of one picture
TIES = 6  # decimals of a pixel within which an edge lies on a pixel's centre, whatever the rounding


@noun
class Frame:
    """Where the pixels of a stack's pictures lie on the layout, before they are mirrored and framed by a margin."""

    x0: float  # nm, left edge
    y1: float  # nm, upper edge
    step_x: float  # nm of the layout, of a pixel
    step_y: float
    width: int  # pixels
    height: int
    margin_x: int  # pixels, on the left and on the right
    margin_y: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a picture with its margin, pixels."""
        return self.width + 2 * self.margin_x, self.height + 2 * self.margin_y

    def columns(self, x: Ints) -> Ints:
        """The first column whose centre does not lie left of ``x``, nm."""
        return np.ceil(np.round((x - self.x0) / self.step_x - 0.5, TIES)).astype(np.int64)

    def rows(self, y: Ints) -> Ints:
        """The first row, from the top, whose centre lies below ``y``, nm."""
        return np.floor(np.round((self.y1 - y) / self.step_y - 0.5, TIES)).astype(np.int64) + 1


def make_frame(masks: Sequence[Mask], raster: Raster) -> Frame:
    """The frame around ``masks``, as they are drawn, at a resolution that is spelled out; the foil is one of them.

    Raises:
        LayoutError: a picture would have more than 2**30 pixels; the text has a resolution that fits.
    """
    foils = [mask.boxes for mask in masks if mask.layer.role == "substrate"] or [mask.boxes for mask in masks]
    edge, corners = np.concatenate(foils), np.concatenate([mask.boxes for mask in masks])
    (left, bottom), (x1, upper) = edge[:, :2].min(axis=0), corners[:, 2:].max(axis=0)
    step_x, step_y = INCH / raster.dpi_x / raster.scale_x, INCH / raster.dpi_y / raster.scale_y
    # Steps are counted from the foil's corner, so that a drop grid stays where it is.
    x0 = left - math.ceil(max(0, left - corners[:, 0].min()) / step_x) * step_x
    y0 = bottom - math.ceil(max(0, bottom - corners[:, 1].min()) / step_y) * step_y
    width, height = math.ceil((x1 - x0) / step_x), math.ceil((upper - y0) / step_y)
    frame = Frame(
        x0=float(x0),
        y1=float(y0 + height * step_y),
        step_x=step_x,
        step_y=step_y,
        width=width,
        height=height,
        margin_x=math.ceil(raster.margin * 1e9 / (INCH / raster.dpi_x) - 1e-6),
        margin_y=math.ceil(raster.margin * 1e9 / (INCH / raster.dpi_y) - 1e-6),
    )
    across, down = frame.size
    if across * down > LARGEST:
        share = (LARGEST / (across * down)) ** 0.5
        fits = "x".join(str(int(dpi * share)) for dpi in (raster.dpi_x, raster.dpi_y))
        raise LayoutError(
            f"a bitmap at {raster.dpi_x:g} by {raster.dpi_y:g} dpi has {across} x {down} pixels; the limit is "
            f"{LARGEST}: choose a resolution of at most {int(min(raster.dpi_x, raster.dpi_y) * share)} dpi"
            + (f" ({fits})" if raster.dpi_x != raster.dpi_y else "")
        )
    return frame
