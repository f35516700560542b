"""What a printer asks of the pictures of masks.

A pixel has sides of ``25.4 mm / dpi``, in x and in y. A foil may shrink after printing, so a picture is ``scale_x`` and
``scale_y`` times as large as the layout. Ink may spread, so shapes are drawn with the ``bias`` of their layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import MAX_BIAS, Process, ProcessLayer

DPI = 1200.0  # when the process has no drop grid
MAX_DPI = 1e6
SCALES = 0.5, 2.0
MAX_MARGIN = 1.0  # m


@dataclass(frozen=True, kw_only=True)
class Raster:
    """What a printer asks of its pictures.

    Raises:
        LayoutError: a value lies outside its limits; the text names both.
    """

    dpi_x: float = 0.0  # 0: one pixel a drop of the process, or 1200
    dpi_y: float = 0.0
    mirror: bool = False  # left and right change places, for printing on the back or through a transfer
    negative: bool = False  # ink and blank change places, in the margin too
    scale_x: float = 1.0  # size of the picture over that of the layout
    scale_y: float = 1.0
    margin: float = 0.0  # m, without shapes, on every side
    bias: Mapping[str, float] = field(default_factory=dict)  # m by process layer, instead of the process's own

    def __post_init__(self) -> None:
        for name in ("dpi_x", "dpi_y"):
            dpi = getattr(self, name)
            if dpi and not 0 < dpi < MAX_DPI:
                raise LayoutError(f"bitmaps at {name} = {dpi:g}: the resolution must lie between 0 and {MAX_DPI:g}")
        for name in ("scale_x", "scale_y"):
            if not SCALES[0] <= getattr(self, name) <= SCALES[1]:
                raise LayoutError(
                    f"bitmaps with {name} = {getattr(self, name):g}: it must lie between {SCALES[0]:g} and "
                    f"{SCALES[1]:g}; 1.002 makes up for a foil that shrinks by 0.2 %"
                )
        if not 0 <= self.margin <= MAX_MARGIN:
            raise LayoutError(f"bitmaps with margin = {self.margin:g} m: it must lie between 0 and {MAX_MARGIN:g} m")
        for name, bias in self.bias.items():
            if not abs(bias) <= MAX_BIAS:
                raise LayoutError(
                    f"bitmaps with a bias of {bias:g} m for {name}: it must lie between {-MAX_BIAS:g} and "
                    f"{MAX_BIAS:g} m"
                )

    def bias_of(self, layer: ProcessLayer) -> int:
        """What is added to every side of a layer's shapes, nm."""
        own = 0.0 if layer.bias is None else layer.bias.value
        return round(self.bias.get(layer.name, own) * 1e9)

    def for_process(self, process: Process) -> Raster:
        """The same with its resolution spelled out.

        Raises:
            LayoutError: there is a bias for a layer that the process does not have.
        """
        for name in self.bias:
            process.layer(name)
        own = DPI if process.drop_grid is None else 0.0254 / process.drop_grid.value
        return replace(self, dpi_x=self.dpi_x or own, dpi_y=self.dpi_y or own)
