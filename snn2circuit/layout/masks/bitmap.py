"""Masks as 1-bit pictures for inkjet printers: one pixel a drop, black where ink goes.

At resolution ``dpi`` a pixel has side ``25.4 mm / dpi``; all masks of a stack share one frame, so they register. A
pixel is inked when its centre lies in a shape, so shapes that touch stay joined and shapes a pixel apart stay apart.
Pictures are made and written in bands and never held whole.

Formats: PNG (greyscale, depth 1; W3C PNG specification), TIFF (revision 6.0, bilevel, deflate strips) and BMP (two
colours, uncompressed).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from snn2circuit.errors import LayoutError
from snn2circuit.ir.files import atomic
from snn2circuit.ir.layout import Layout
from snn2circuit.ir.noun import noun
from snn2circuit.layout.masks.drawing import Mask, list_masks

BAND = 512  # rows made at a time
LARGEST = 2**31  # pixels of one picture
INCH = 25_400_000  # nm


@noun
class Frame:
    """Where the pixels of a stack's pictures lie."""

    x0: float  # nm, left edge
    y1: float  # nm, upper edge
    side: float  # nm, of a pixel
    dpi: float
    width: int  # pixels
    height: int


Band = NDArray[np.uint8]  # (rows, ceil(width / 8)), most significant bit left, 1 = ink
Writer = Callable[[BinaryIO, Frame, Callable[[int, int], Band]], None]


def write_bitmaps(layout: Layout, folder: Path, kind: str, dpi: float) -> list[Path]:
    """Write one picture a mask into ``folder``, without the substrates; ``kind`` is one of :data:`WRITERS`.

    Raises:
        LayoutError: the resolution is not positive, or a picture would have more than 2**31 pixels.
    """
    masks = list(list_masks(layout))
    frame = make_frame(masks, dpi)
    paths = []
    for mask in masks:
        if mask.layer.role == "substrate":
            continue
        path = folder / f"{mask.name}.{kind}"
        with atomic(path) as temporary, temporary.open("wb") as stream:
            WRITERS[kind](stream, frame, lambda first, last, mask=mask: draw_band(mask, frame, first, last))  # type: ignore[misc]
        paths.append(path)
    return paths


def make_frame(masks: list[Mask], dpi: float) -> Frame:
    """The frame around all masks at ``dpi`` pixels an inch."""
    if not 0 < dpi < 1e6:
        raise LayoutError(f"bitmaps at {dpi:g} dpi: the resolution must lie between 0 and 1e6")
    corners = np.concatenate([mask.boxes for mask in masks])
    (x0, y0), (x1, y1) = corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)
    side = INCH / dpi
    width, height = int(np.ceil((x1 - x0) / side)), int(np.ceil((y1 - y0) / side))
    if width * height > LARGEST:
        fits = dpi * (LARGEST / (width * height)) ** 0.5
        raise LayoutError(
            f"a bitmap at {dpi:g} dpi has {width} x {height} pixels; the limit is {LARGEST}: "
            f"choose a resolution of at most {int(fits)} dpi"
        )
    return Frame(x0=float(x0), y1=float(y0 + height * side), side=side, dpi=dpi, width=width, height=height)


def draw_band(mask: Mask, frame: Frame, first: int, last: int) -> Band:
    """Rows ``first`` to ``last`` (exclusive, from the top) of a mask's picture, packed eight pixels a byte."""
    pixels = np.zeros((last - first, frame.width), dtype=np.bool_)
    # Pixel (r, c) has its centre at x0 + (c + 1/2) side, y1 - (r + 1/2) side.
    left, right = (np.ceil((mask.boxes[:, i] - frame.x0) / frame.side - 0.5).astype(int) for i in (0, 2))
    upper, lower = (np.floor((frame.y1 - mask.boxes[:, i]) / frame.side - 0.5).astype(int) + 1 for i in (3, 1))
    for index in np.flatnonzero((upper < last) & (lower > first)):
        rows = slice(max(int(upper[index]), first) - first, min(int(lower[index]), last) - first)
        columns = slice(int(left[index]), int(right[index]))
        if mask.round[index]:
            a, b, c, d = mask.boxes[index]
            x = frame.x0 + (np.arange(columns.start, columns.stop) + 0.5) * frame.side - (a + c) / 2
            y = frame.y1 - (np.arange(rows.start, rows.stop) + first + 0.5) * frame.side - (b + d) / 2
            pixels[rows, columns] |= x**2 + y[:, None] ** 2 < ((c - a) / 2) ** 2
        else:
            pixels[rows, columns] = True
    return np.packbits(pixels, axis=1)


def _bands(height: int) -> Iterator[tuple[int, int]]:
    return ((first, min(first + BAND, height)) for first in range(0, height, BAND))


def _write_png(stream: BinaryIO, frame: Frame, band: Callable[[int, int], Band]) -> None:
    def chunk(name: bytes, data: bytes) -> None:
        stream.write(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)))

    stream.write(b"\x89PNG\r\n\x1a\n")
    chunk(b"IHDR", struct.pack(">IIBBBBB", frame.width, frame.height, 1, 0, 0, 0, 0))
    per_metre = round(1e9 / frame.side)
    chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1))
    packer = zlib.compressobj(6)
    for first, last in _bands(frame.height):
        rows = ~band(first, last)  # in greyscale 0 is black
        chunk(b"IDAT", packer.compress(np.hstack([np.zeros((len(rows), 1), dtype=np.uint8), rows]).tobytes()))
    chunk(b"IDAT", packer.flush())
    chunk(b"IEND", b"")


def _write_tiff(stream: BinaryIO, frame: Frame, band: Callable[[int, int], Band]) -> None:
    stream.write(b"II*\0\0\0\0\0")
    offsets, counts = [], []
    for first, last in _bands(frame.height):
        data = zlib.compress(band(first, last).tobytes(), 6)
        data += b"\0" * (len(data) % 2)
        offsets.append(stream.tell())
        counts.append(len(data))
        stream.write(data)
    resolution = stream.tell()
    stream.write(struct.pack("<II", round(frame.dpi * 1000), 1000))
    strips = stream.tell()
    stream.write(struct.pack(f"<{2 * len(offsets)}I", *offsets, *counts))
    directory = stream.tell()
    several = len(offsets) > 1
    entries = (  # tag, type (3 short, 4 long, 5 rational), count, value or offset
        (256, 4, 1, frame.width),
        (257, 4, 1, frame.height),
        (258, 3, 1, 1),  # bits per sample
        (259, 3, 1, 8),  # deflate
        (262, 3, 1, 0),  # 0 is white
        (273, 4, len(offsets), strips if several else offsets[0]),
        (277, 3, 1, 1),
        (278, 4, 1, BAND),
        (279, 4, len(counts), strips + 4 * len(offsets) if several else counts[0]),
        (282, 5, 1, resolution),
        (283, 5, 1, resolution),
        (296, 3, 1, 2),  # inches
    )
    stream.write(struct.pack("<H", len(entries)))
    stream.write(b"".join(struct.pack("<HHII", *entry) for entry in entries) + b"\0\0\0\0")
    stream.seek(4)
    stream.write(struct.pack("<I", directory))


def _write_bmp(stream: BinaryIO, frame: Frame, band: Callable[[int, int], Band]) -> None:
    stride = -(-frame.width // 32) * 4
    per_metre = round(1e9 / frame.side)
    size = stride * frame.height
    stream.write(b"BM" + struct.pack("<IHHI", 62 + size, 0, 0, 62))
    stream.write(struct.pack("<IiiHHIIiiII", 40, frame.width, frame.height, 1, 1, 0, size, per_metre, per_metre, 2, 2))
    stream.write(bytes((255, 255, 255, 0, 0, 0, 0, 0)))  # colour 0 is white, colour 1 is ink
    for first, last in reversed(list(_bands(frame.height))):  # rows from the bottom up
        rows = band(first, last)[::-1]
        stream.write(np.pad(rows, ((0, 0), (0, stride - rows.shape[1]))).tobytes())


WRITERS: dict[str, Writer] = {"png": _write_png, "tiff": _write_tiff, "bmp": _write_bmp}
