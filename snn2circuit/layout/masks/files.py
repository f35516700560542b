"""The mask formats by name, and the call that writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import Layout
from snn2circuit.ir.noun import noun
from snn2circuit.ir.record import is_ours
from snn2circuit.layout.masks.bitmap import WRITERS, write_bitmaps
from snn2circuit.layout.masks.database import draw_database, write_database
from snn2circuit.layout.masks.display import write_display
from snn2circuit.layout.masks.dxf import write_dxf
from snn2circuit.layout.masks.gerber import write_gerber
from snn2circuit.layout.masks.raster import Raster
from snn2circuit.layout.masks.svg import write_svg

STEM = "stack"  # name of the files that hold the whole stack


@noun
class MaskFormat:
    """A format masks can be written in."""

    about: str
    write: Callable[[Layout, Path, Raster], list[Path]]


def _database(suffix: str, kind: str) -> Callable[[Layout, Path, Raster], list[Path]]:
    def write(layout: Layout, folder: Path, raster: Raster) -> list[Path]:
        path = folder / f"{STEM}.{suffix}"
        write_database(draw_database(layout), path, kind)
        return [path]

    return write


def _dxf(layout: Layout, folder: Path, raster: Raster) -> list[Path]:
    path = folder / f"{STEM}.dxf"
    write_dxf(layout, path)
    return [path]


def _bitmaps(kind: str) -> Callable[[Layout, Path, Raster], list[Path]]:
    return lambda layout, folder, raster: write_bitmaps(layout, folder, kind, raster)


MASK_FORMATS: dict[str, MaskFormat] = {
    "gds": MaskFormat(about="GDSII, the whole stack", write=_database("gds", "GDS2")),
    "oas": MaskFormat(about="OASIS, the whole stack", write=_database("oas", "OASIS")),
    "dxf": MaskFormat(about="AutoCAD DXF (release 12) in mm, the whole stack", write=_dxf),
    "svg": MaskFormat(
        about="SVG in mm, one file a sheet", write=lambda layout, folder, raster: write_svg(layout, folder)
    ),
    "gerber": MaskFormat(
        about="Gerber X2, one file a layer and sheet", write=lambda layout, folder, raster: write_gerber(layout, folder)
    ),
    "rs274x": MaskFormat(
        about="Gerber RS-274X without attributes, one file a layer and sheet",
        write=lambda layout, folder, raster: write_gerber(layout, folder, attributes=False),
    ),
    "png": MaskFormat(about="1-bit PNG, one a layer and sheet", write=_bitmaps("png")),
    "tiff": MaskFormat(about="1-bit TIFF, one a layer and sheet", write=_bitmaps("tiff")),
    "bmp": MaskFormat(about="1-bit BMP, one a layer and sheet", write=_bitmaps("bmp")),
    "klayout": MaskFormat(
        about="KLayout's layer properties and 2.5D script",
        write=lambda layout, folder, raster: write_display(layout, folder, STEM),
    ),
}


def write_masks(layout: Layout, folder: Path, formats: Iterable[str], raster: Raster | None = None) -> list[Path]:
    """Write ``layout`` into ``folder`` in each of ``formats``; returns the paths.

    Args:
        layout: the stack.
        folder: made if need be.
        formats: names in :data:`MASK_FORMATS`. Of the formats with one file a sheet or layer, files that an earlier run
            wrote for a larger stack are removed.
        raster: what the printer asks of bitmaps; the other formats are true to scale and know none of it.

    Raises:
        LayoutError: a format is unknown, the stack does not fit it, or ``raster`` is given and no format is a bitmap.
    """
    names = list(formats)
    for name in names:
        if name not in MASK_FORMATS:
            raise LayoutError(f"no mask format {name!r}; there are {', '.join(MASK_FORMATS)}")
    if raster is not None and raster != Raster() and not WRITERS.keys() & names:
        raise LayoutError(
            f"resolution, mirror, negative, scale, margin and bias are for bitmaps, and {', '.join(names)} "
            f"{'is none' if len(names) == 1 else 'are none'}: ask for {', '.join(WRITERS)} too, or leave them out"
        )
    paths = [path for name in names for path in MASK_FORMATS[name].write(layout, folder, raster or Raster())]
    for path in leftovers(folder, paths):
        if is_ours(path):
            path.unlink()
    return paths


def leftovers(folder: Path, paths: Iterable[Path]) -> list[Path]:
    """Files of other sheets or layers beside ``paths``: who prints or reads a set by its names would take them too."""
    names, endings = {path.name for path in paths}, {path.suffix for path in paths}
    return sorted(
        path
        for path in folder.glob("sheet[0-9]*")
        if path.name not in names and path.suffix in endings and path.is_file() and not path.is_symlink()
    )
