"""Masks as 1-bit pictures for inkjet printers: one pixel a drop, black where ink goes.

A pixel is inked when its centre lies in a shape, so shapes that touch stay joined and shapes a pixel apart stay apart;
a resolution at which shapes merge, part or vanish is refused (:mod:`snn2circuit.layout.masks.resolution`). Pictures are
made and written in bands and never held whole. There is one for each pass that the process prints a layer in, and none
of a substrate: a foil is not printed, and an interlayer is printed all over but for the openings that its vias show.

Beside the pictures stands ``KIND.json`` (:func:`describe`): where every pixel lies, and what each file is.

Formats: PNG (greyscale, depth 1; W3C PNG specification), TIFF (revision 6.0, bilevel, deflate strips) and BMP (two
colours, uncompressed).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from snn2circuit.ir.files import atomic, write_json
from snn2circuit.ir.layout import Layout, ProcessLayer
from snn2circuit.layout.masks.drawing import Mask, list_masks
from snn2circuit.layout.masks.frame import Frame, make_frame
from snn2circuit.layout.masks.raster import Raster
from snn2circuit.layout.masks.resolution import check_resolution
from snn2circuit.layout.masks.spread import spread_mask

BAND = 512  # rows made at a time

Band = NDArray[np.uint8]  # (rows, ceil(width / 8)), most significant bit left, 1 = ink
Pixels = NDArray[np.bool_]  # (rows, width)


def write_bitmaps(layout: Layout, folder: Path, kind: str, raster: Raster) -> list[Path]:
    """Write one picture a mask and pass into ``folder``, and ``KIND.json``; ``kind`` is one of :data:`WRITERS`.

    Raises:
        LayoutError: resolution, scale or bias lose, cut or merge shapes, or a picture would be too large.
    """
    raster = raster.for_process(layout.process)
    masks = [spread_mask(mask, _bias(mask.layer, raster)) for mask in list_masks(layout)]
    frame = make_frame(masks, raster)
    check_resolution(masks, frame, raster)
    paths = []
    for mask in masks:
        picture = _Picture(mask, frame, raster)
        for number in range(passes(mask.layer)) if mask.layer.role != "substrate" else ():
            path = folder / picture_name(mask.sheet, mask.layer, number, kind)
            with atomic(path) as temporary, temporary.open("wb") as stream:
                WRITERS[kind](stream, picture)
            paths.append(path)
    path = folder / f"{kind}.json"
    write_json(path, describe(layout, masks, frame, raster, kind))
    return [*paths, path]


def passes(layer: ProcessLayer) -> int:
    """How many times a layer is printed."""
    return 1 if layer.passes is None else int(layer.passes.value)


def picture_name(sheet: int, layer: ProcessLayer, number: int, kind: str) -> str:
    """File of pass ``number``, from 0: ``sheet1_word_lines.png``, or of several ``sheet1_word_lines_pass1.png``."""
    return f"sheet{sheet}_{layer.name}{f'_pass{number + 1}' if passes(layer) > 1 else ''}.{kind}"


def describe(layout: Layout, masks: list[Mask], frame: Frame, raster: Raster, kind: str) -> dict[str, Any]:
    """What places the pictures, as ``KIND.json`` holds it.

    Column ``c`` and row ``r`` of a picture, from its upper left corner and from 0, margin included, are centred on the
    layout at ``x0 + (c - margin_x + 1/2) · step_x`` and ``y1 - (r - margin_y + 1/2) · step_y``, in nm, with ``c``
    counted from the right in a mirrored picture. A shape is drawn ``bias`` wider on every side than it is meant.
    """
    width, height = frame.size
    printed = [mask for mask in masks if mask.layer.role != "substrate"]
    return {
        "format": SIDECAR,
        "layout": layout.name,
        "process": layout.process.name,
        "frame": {
            "width": width,
            "height": height,
            "x0_nm": frame.x0,
            "y1_nm": frame.y1,
            "step_x_nm": frame.step_x,
            "step_y_nm": frame.step_y,
            "margin_x": frame.margin_x,
            "margin_y": frame.margin_y,
            "mirror": raster.mirror,
            "negative": raster.negative,
        },
        "print": {
            "dpi_x": raster.dpi_x,
            "dpi_y": raster.dpi_y,
            "scale_x": raster.scale_x,
            "scale_y": raster.scale_y,
            "width_mm": width * 25.4 / raster.dpi_x,
            "height_mm": height * 25.4 / raster.dpi_y,
        },
        "pictures": [
            {
                "file": picture_name(mask.sheet, mask.layer, number, kind),
                "sheet": mask.sheet,
                "layer": mask.layer.name,
                "pass": number + 1,
                "bias_nm": raster.bias_of(mask.layer),
            }
            for mask in printed
            for number in range(passes(mask.layer))
        ],
        "foils": [
            {"sheet": mask.sheet, "layer": mask.layer.name, "box_nm": box}
            for mask in masks
            if mask.layer.role == "substrate"
            for box in mask.boxes.tolist()
        ],
    }


SIDECAR = "snn2circuit bitmaps/1"


def _bias(layer: ProcessLayer, raster: Raster) -> int:
    return 0 if layer.role == "substrate" else raster.bias_of(layer)


class _Picture:
    """One mask as its file shows it."""

    def __init__(self, mask: Mask, frame: Frame, raster: Raster) -> None:
        self.mask, self.frame, self.raster = mask, frame, raster
        self.width, self.height = frame.size

    @property
    def per_metre(self) -> tuple[int, int]:
        """Pixels along x and along y."""
        return round(self.raster.dpi_x / 0.0254), round(self.raster.dpi_y / 0.0254)

    def band(self, first: int, last: int) -> Band:
        """Rows ``first`` to ``last`` (exclusive, from the top), packed eight pixels a byte."""
        frame, above = self.frame, self.frame.margin_y
        inside = slice(*(min(max(row - above, 0), frame.height) for row in (first, last)))
        pixels = np.zeros((last - first, self.width), dtype=np.bool_)
        at = slice(inside.start + above - first, inside.stop + above - first)
        if inside.stop > inside.start:
            pixels[at, frame.margin_x : frame.margin_x + frame.width] = draw_rows(
                self.mask, frame, inside.start, inside.stop
            )
        if self.raster.mirror:
            pixels = pixels[:, ::-1]
        return np.packbits(pixels ^ self.raster.negative, axis=1)

    def bands(self) -> Iterator[tuple[int, int]]:
        """First and last row of each band, from the top."""
        return ((first, min(first + BAND, self.height)) for first in range(0, self.height, BAND))


Writer = Callable[[BinaryIO, _Picture], None]


def draw_rows(mask: Mask, frame: Frame, first: int, last: int) -> Pixels:
    """Rows ``first`` to ``last`` (exclusive, from the top) of a mask, without margin."""
    pixels = np.zeros((last - first, frame.width), dtype=np.bool_)
    left, right = (frame.columns(mask.boxes[:, i]) for i in (0, 2))
    upper, lower = (frame.rows(mask.boxes[:, i]) for i in (3, 1))
    for index in np.flatnonzero((upper < last) & (lower > first)):
        rows = slice(max(int(upper[index]), first) - first, min(int(lower[index]), last) - first)
        columns = slice(int(left[index]), int(right[index]))
        if mask.round[index]:
            a, b, c, d = mask.boxes[index]
            x = frame.x0 + (np.arange(columns.start, columns.stop) + 0.5) * frame.step_x - (a + c) / 2
            y = frame.y1 - (np.arange(rows.start, rows.stop) + first + 0.5) * frame.step_y - (b + d) / 2
            pixels[rows, columns] |= x**2 + y[:, None] ** 2 < ((c - a) / 2) ** 2
        else:
            pixels[rows, columns] = True
    return pixels


def _write_png(stream: BinaryIO, picture: _Picture) -> None:
    def chunk(name: bytes, data: bytes) -> None:
        stream.write(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)))

    stream.write(b"\x89PNG\r\n\x1a\n")
    chunk(b"IHDR", struct.pack(">IIBBBBB", picture.width, picture.height, 1, 0, 0, 0, 0))
    chunk(b"pHYs", struct.pack(">IIB", *picture.per_metre, 1))
    packer = zlib.compressobj(6)
    for first, last in picture.bands():
        rows = ~picture.band(first, last)  # in greyscale 0 is black
        chunk(b"IDAT", packer.compress(np.hstack([np.zeros((len(rows), 1), dtype=np.uint8), rows]).tobytes()))
    chunk(b"IDAT", packer.flush())
    chunk(b"IEND", b"")


def _write_tiff(stream: BinaryIO, picture: _Picture) -> None:
    stream.write(b"II*\0\0\0\0\0")
    offsets, counts = [], []
    for first, last in picture.bands():
        data = zlib.compress(picture.band(first, last).tobytes(), 6)
        data += b"\0" * (len(data) % 2)
        offsets.append(stream.tell())
        counts.append(len(data))
        stream.write(data)
    resolution = stream.tell()
    dpi = picture.raster.dpi_x, picture.raster.dpi_y
    stream.write(b"".join(struct.pack("<II", round(each * 1000), 1000) for each in dpi))
    strips = stream.tell()
    stream.write(struct.pack(f"<{2 * len(offsets)}I", *offsets, *counts))
    directory = stream.tell()
    several = len(offsets) > 1
    entries = (  # tag, type (3 short, 4 long, 5 rational), count, value or offset
        (256, 4, 1, picture.width),
        (257, 4, 1, picture.height),
        (258, 3, 1, 1),  # bits per sample
        (259, 3, 1, 8),  # deflate
        (262, 3, 1, 0),  # 0 is white
        (273, 4, len(offsets), strips if several else offsets[0]),
        (277, 3, 1, 1),
        (278, 4, 1, BAND),
        (279, 4, len(counts), strips + 4 * len(offsets) if several else counts[0]),
        (282, 5, 1, resolution),
        (283, 5, 1, resolution + 8),
        (296, 3, 1, 2),  # inches
    )
    stream.write(struct.pack("<H", len(entries)))
    stream.write(b"".join(struct.pack("<HHII", *entry) for entry in entries) + b"\0\0\0\0")
    stream.seek(4)
    stream.write(struct.pack("<I", directory))


def _write_bmp(stream: BinaryIO, picture: _Picture) -> None:
    stride = -(-picture.width // 32) * 4
    size = stride * picture.height
    stream.write(b"BM" + struct.pack("<IHHI", 62 + size, 0, 0, 62))
    stream.write(
        struct.pack("<IiiHHIIiiII", 40, picture.width, picture.height, 1, 1, 0, size, *picture.per_metre, 2, 2)
    )
    stream.write(bytes((255, 255, 255, 0, 0, 0, 0, 0)))  # colour 0 is white, colour 1 is ink
    for first, last in reversed(list(picture.bands())):  # rows from the bottom up
        rows = picture.band(first, last)[::-1]
        stream.write(np.pad(rows, ((0, 0), (0, stride - rows.shape[1]))).tobytes())


WRITERS: dict[str, Writer] = {"png": _write_png, "tiff": _write_tiff, "bmp": _write_bmp}
