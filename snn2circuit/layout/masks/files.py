"""The mask formats by name, and the call that writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import Layout
from snn2circuit.ir.noun import noun
from snn2circuit.layout.masks.bitmap import write_bitmaps
from snn2circuit.layout.masks.database import draw_database, write_database
from snn2circuit.layout.masks.display import write_display
from snn2circuit.layout.masks.gerber import write_gerber
from snn2circuit.layout.masks.svg import write_svg

DPI = 1200.0  # of bitmaps, when the process has no drop grid
STEM = "stack"  # name of the files that hold the whole stack


@noun
class MaskFormat:
    """A format masks can be written in."""

    about: str
    write: Callable[[Layout, Path, float], list[Path]]  # layout, folder, dpi


def _database(suffix: str, kind: str) -> Callable[[Layout, Path, float], list[Path]]:
    def write(layout: Layout, folder: Path, dpi: float) -> list[Path]:
        path = folder / f"{STEM}.{suffix}"
        write_database(draw_database(layout), path, kind)
        return [path]

    return write


def _bitmaps(kind: str) -> Callable[[Layout, Path, float], list[Path]]:
    return lambda layout, folder, dpi: write_bitmaps(layout, folder, kind, dpi)


MASK_FORMATS: dict[str, MaskFormat] = {
    "gds": MaskFormat(about="GDSII, the whole stack", write=_database("gds", "GDS2")),
    "oas": MaskFormat(about="OASIS, the whole stack", write=_database("oas", "OASIS")),
    "dxf": MaskFormat(about="AutoCAD DXF, the whole stack", write=_database("dxf", "DXF")),
    "svg": MaskFormat(about="SVG in mm, one file a sheet", write=lambda layout, folder, dpi: write_svg(layout, folder)),
    "gerber": MaskFormat(
        about="Gerber X2, one file a layer and sheet", write=lambda layout, folder, dpi: write_gerber(layout, folder)
    ),
    "png": MaskFormat(about="1-bit PNG, one a layer and sheet", write=_bitmaps("png")),
    "tiff": MaskFormat(about="1-bit TIFF, one a layer and sheet", write=_bitmaps("tiff")),
    "bmp": MaskFormat(about="1-bit BMP, one a layer and sheet", write=_bitmaps("bmp")),
    "klayout": MaskFormat(
        about="KLayout's layer properties and 2.5D script",
        write=lambda layout, folder, dpi: write_display(layout, folder, STEM),
    ),
}


def write_masks(layout: Layout, folder: Path, formats: Iterable[str], dpi: float | None = None) -> list[Path]:
    """Write ``layout`` into ``folder`` in each of ``formats``; returns the paths.

    Args:
        layout: the stack.
        folder: made if need be.
        formats: names in :data:`MASK_FORMATS`.
        dpi: resolution of bitmaps; without one, one pixel a drop of the process, or 1200.

    Raises:
        LayoutError: a format is unknown, or the stack does not fit it.
    """
    grid = layout.process.drop_grid
    resolution = dpi or (DPI if grid is None else 0.0254 / grid.value)
    paths = []
    for name in formats:
        if name not in MASK_FORMATS:
            raise LayoutError(f"no mask format {name!r}; there are {', '.join(MASK_FORMATS)}")
        paths += MASK_FORMATS[name].write(layout, folder, resolution)
    return paths
