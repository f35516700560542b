"""Bitmaps of masks read back: pictures of a set and the file beside them that places them become regions.

Everything that :mod:`snn2circuit.layout.masks.bitmap` did for the printer is undone: negative, mirror, margin, scale
and the bias for ink that spreads, so a region is what will be printed. Pictures are read by Pillow, and any tool may
have saved them again: what is darker than half counts as ink. A picture becomes runs of ink row by row; runs that
repeat in the next row are one box.

An edge lies on the boundary of a pixel, so it stands up to half a pixel from where it was drawn, and a length is known
to within one pixel. Where pixels are drops of the process, or whole parts of one, every edge that has to lie on the
drop grid is exact; outlines of vias do not have to.

Files are strangers until checked: names follow from the layers of the process, sizes from the file beside them, and
both are held against limits before anything is unpacked.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import klayout.db as kdb
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import MAX_BIAS, MAX_PASSES, Process, ProcessLayer
from snn2circuit.ir.noun import Ints, noun
from snn2circuit.layout.masks.bitmap import SIDECAR, passes, picture_name
from snn2circuit.layout.masks.frame import LARGEST, Frame
from snn2circuit.layout.signoff.bounds import MAX_SHAPES, REACH
from snn2circuit.layout.signoff.json_table import JsonTable, check_regular, read_table
from snn2circuit.layout.signoff.readers.drawn import Drawing, Drawn

PICTURES: dict[str, Callable[[Path], Image.Image]] = {
    ".png": PngImageFile,
    ".tiff": TiffImageFile,
    ".bmp": BmpImageFile,
}  # the readers themselves: Pillow's own guess would open any format under any name
MAX_SHEETS = 512
MODES = ("1", "L", "P", "RGB")  # of Pillow
BAND = 2**24  # pixels looked at together
ON_GRID = ("conductor", "device", "dielectric", "cell")  # roles whose edges lie on the drop grid
NUMBERS = ("x0_nm", "y1_nm", "step_x_nm", "step_y_nm")
COUNTS = ("width", "height", "margin_x", "margin_y")


@noun
class Placed:
    """One mask of a set, and the pictures that show it."""

    sheet: int
    layer: ProcessLayer
    files: tuple[Path, ...]  # one a pass
    bias: int  # nm


@noun
class Bitmaps:
    """A set of pictures, before any of them is opened."""

    sidecar: Path
    frame: Frame
    mirror: bool
    negative: bool
    masks: tuple[Placed, ...]
    foils: tuple[tuple[int, str, kdb.Box], ...]
    tolerance: int  # nm, a pixel: lengths are known to within this
    loose: frozenset[str]  # layers of which that is so; the others are exact

    def regions(self) -> Iterator[tuple[int, str, kdb.Region]]:
        """Sheet, layer and shapes in nm of every mask, foils included; one picture is held at a time.

        Raises:
            LayoutError: a picture is missing, damaged, of another size, too crowded, or its passes differ.
        """
        for sheet, layer, box in self.foils:
            yield sheet, layer, kdb.Region(box)
        for mask in self.masks:
            first, *others = (self._region(path) for path in mask.files)
            for number, other in enumerate(others, start=2):
                if not (differ := first ^ other).is_empty():
                    at = differ.bbox()
                    raise LayoutError(
                        f"{mask.files[number - 1]}: pass {number} differs from pass 1 at ({at.left}, {at.bottom}) to "
                        f"({at.right}, {at.top}) nm; all passes of a layer print the same shapes"
                    )
            yield mask.sheet, mask.layer.name, first.sized(-mask.bias) if mask.bias else first

    def _region(self, path: Path) -> kdb.Region:
        frame, region = self.frame, kdb.Region()
        with _open(path, frame.size) as image:
            columns, rows = _runs(image, path, negative=self.negative, mirror=self.mirror)
        x = np.rint(frame.x0 + (columns - frame.margin_x) * frame.step_x).astype(np.int64)
        y = np.rint(frame.y1 - (rows - frame.margin_y) * frame.step_y).astype(np.int64)
        for left, right, top, bottom in zip(*x.tolist(), *y.tolist(), strict=True):
            region.insert(kdb.Box(left, bottom, right, top))
        return region.merged()


def read_bitmaps(path: Path, process: Process) -> Bitmaps:
    """The set that picture ``path`` belongs to: all that ``png.json`` beside it lists, or ``tiff.json``, ``bmp.json``.

    Raises:
        LayoutError: there is no such file, or it does not describe pictures of ``process``; nothing is unpacked yet.
    """
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    sidecar = path.parent / f"{kind}.json"
    tree = read_table(sidecar)
    if tree.get("format", str) != SIDECAR:
        tree.refuse("format", f"{SIDECAR!r} is needed")
    frame = tree.get("frame", dict)
    pixels = _frame(frame)
    masks = tuple(_masks(tree, process, kind))
    exact = _exact_layers(pixels, process, masks)
    return Bitmaps(
        sidecar=sidecar,
        frame=pixels,
        mirror=frame.get("mirror", bool),
        negative=frame.get("negative", bool),
        masks=masks,
        foils=tuple(_foils(tree, process)),
        tolerance=math.ceil(max(pixels.step_x, pixels.step_y)),
        loose=frozenset(layer.name for layer in process.layers if layer.role != "substrate") - exact,
    )


def read_pictures(path: Path, process: Process) -> Drawn:
    """The shapes of :func:`read_bitmaps`, drawn.

    Raises:
        LayoutError: as :meth:`Bitmaps.regions`, or there are no pictures.
    """
    bitmaps, drawing = read_bitmaps(path, process), Drawing(process)
    if not bitmaps.masks:
        raise LayoutError(f"{bitmaps.sidecar}: it lists no pictures")
    for sheet, layer, region in bitmaps.regions():
        drawing.insert((sheet, layer), region)
    return Drawn(drawing.database, named=False, tolerance=bitmaps.tolerance, loose=bitmaps.loose)


def _frame(table: JsonTable) -> Frame:
    """Where the pixels lie, within limits."""
    width, height, margin_x, margin_y = (table.count(key, LARGEST) for key in COUNTS)
    if not 0 < width * height <= LARGEST:
        table.refuse("width", f"pictures have 1 to {LARGEST:,} pixels, not {width:,} x {height:,}")
    if 2 * margin_x >= width or 2 * margin_y >= height:
        table.refuse("margin_x" if 2 * margin_x >= width else "margin_y", "nothing is left between the margins")
    x0, y1, step_x, step_y = (table.number(key) for key in NUMBERS)
    if min(step_x, step_y) <= 0 or abs(x0) + width * step_x > REACH or abs(y1) + height * step_y > REACH:
        table.refuse("step_x_nm", "steps are more than 0, and pictures end within 2.147 m of the origin")
    return Frame(
        x0=x0,
        y1=y1,
        step_x=step_x,
        step_y=step_y,
        width=width - 2 * margin_x,
        height=height - 2 * margin_y,
        margin_x=margin_x,
        margin_y=margin_y,
    )


def _masks(tree: JsonTable, process: Process, kind: str) -> Iterator[Placed]:
    found: dict[tuple[int, str], dict[int, int]] = {}
    for entry in tree.each("pictures"):
        sheet, layer, number = _sheet(entry), _layer(entry, process), entry.count("pass", MAX_PASSES, 1)
        if layer.role == "substrate" or number > passes(layer):
            entry.refuse("pass", f"process {process.name} prints {layer.name} {passes(layer)} times")
        if entry.get("file", str) != picture_name(sheet, layer, number - 1, kind):
            entry.refuse("file", f"{picture_name(sheet, layer, number - 1, kind)!r} is needed")
        bias = entry.get("bias_nm", int)
        if abs(bias) > MAX_BIAS * 1e9:
            entry.refuse("bias_nm", f"at most {MAX_BIAS * 1e9:,.0f} nm")
        biases = found.setdefault((sheet, layer.name), {})
        if number in biases or set(biases.values()) - {bias}:
            entry.refuse("pass", "each pass of a mask stands there once, all with the same bias")
        biases[number] = bias
    for (sheet, name), biases in found.items():
        layer = process.layer(name)
        files = tuple(tree.path.parent / picture_name(sheet, layer, number, kind) for number in range(passes(layer)))
        if len(biases) != len(files):
            raise LayoutError(f"{tree.path}: sheet {sheet}, {name}: {len(files)} passes are needed, not {len(biases)}")
        yield Placed(sheet=sheet, layer=layer, files=files, bias=biases[1])


def _foils(tree: JsonTable, process: Process) -> Iterator[tuple[int, str, kdb.Box]]:
    for entry in tree.each("foils"):
        layer, box = _layer(entry, process), entry.get("box_nm", list)
        if layer.role != "substrate":
            entry.refuse("layer", f"{layer.name} is no substrate, so a picture shows it")
        if len(box) != 4 or not all(type(at) is int and abs(at) <= REACH for at in box):
            entry.refuse("box_nm", "four whole numbers within 2.147 m are needed")
        yield _sheet(entry), layer.name, kdb.Box(*box)


def _sheet(entry: JsonTable) -> int:
    return entry.count("sheet", MAX_SHEETS, 1)


def _layer(entry: JsonTable, process: Process) -> ProcessLayer:
    names = [layer.name for layer in process.layers]
    if (name := entry.get("layer", str)) not in names:
        entry.refuse("layer", f"process {process.name} has {', '.join(names)}")
    return process.layer(name)


def _exact_layers(frame: Frame, process: Process, masks: tuple[Placed, ...]) -> frozenset[str]:
    """Layers whose edges are where they should be, to less than half a nanometre, if they lie on the drop grid."""
    if process.drop_grid is None:
        return frozenset()
    grid = process.drop_grid.value * 1e9
    for start, step, count in (
        (frame.x0, frame.step_x, frame.width + 2 * frame.margin_x),
        (frame.y1, frame.step_y, frame.height + 2 * frame.margin_y),
    ):
        parts = max(1, round(grid / step))
        is_off = abs(start * parts / grid - round(start * parts / grid)) > 1e-6
        if is_off or abs(parts * step - grid) * count > 0.4:
            return frozenset()
    moved = {mask.layer.name for mask in masks if mask.bias % round(grid)}
    return frozenset(layer.name for layer in process.layers if layer.role in ON_GRID) - moved


# --- pictures -------------------------------------------------------------------------------------


@contextmanager
def _open(path: Path, size: tuple[int, int]) -> Iterator[Image.Image]:
    """A picture of ``size`` (width, height), unpacked."""
    check_regular(path, 2**20 + 4 * size[0] * size[1])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow warns of is harmless, or shows in the pixels
            image = PICTURES[path.suffix.lower()](path)
            with image:
                if image.size != size:
                    raise LayoutError(
                        f"{path}: it has {image.size[0]} x {image.size[1]} pixels; {path.suffix[1:]}.json says "
                        f"{size[0]} x {size[1]}"
                    )
                if image.mode not in MODES:
                    raise LayoutError(f"{path}: its pixels are {image.mode!r}; save it black and white, grey or RGB")
                image.load()
    except LayoutError:
        raise
    except Exception as error:  # Pillow raises whatever its parts do: OSError, SyntaxError, struct.error, zlib.error
        raise LayoutError(f"{path}: it is damaged or no {path.suffix[1:].upper()} picture: {error}") from error
    yield image


def _ink(image: Image.Image, first: int, last: int) -> NDArray[np.bool_]:
    """Rows ``first`` to ``last`` (exclusive), true where they are darker than half."""
    band = image.crop((0, first, image.width, last))
    return ~np.asarray(band) if band.mode == "1" else np.asarray(band.convert("L")) < 128


def _runs(image: Image.Image, path: Path, *, negative: bool, mirror: bool) -> tuple[Ints, Ints]:
    """Boxes that cover the ink, as first and last columns (2, boxes) and rows (2, boxes); the last ones exclusive."""
    step = max(1, BAND // image.width)
    heads: list[Ints] = []  # rows that differ from the one above
    found: list[Ints] = []  # first column, last column, number of the head
    above = np.empty(0, bool)
    lines = runs = 0
    for first in range(0, image.height, step):
        band = _ink(image, first, min(first + step, image.height)) ^ negative
        is_new = np.ones(len(band), bool)
        is_new[1:] = (band[1:] != band[:-1]).any(axis=1)
        is_new[0] = not np.array_equal(band[0], above)
        above = band[-1]
        own = band[is_new]
        edge = np.diff(np.pad(own[:, ::-1] if mirror else own, ((0, 0), (1, 1))).view(np.int8), axis=1)
        line, left = np.nonzero(edge == 1)
        heads.append(np.flatnonzero(is_new) + first)
        found.append(np.stack([left, np.nonzero(edge == -1)[1], line + lines]))
        lines, runs = lines + len(own), runs + len(left)
        if runs > MAX_SHAPES:
            raise LayoutError(f"{path}: it falls into more than {MAX_SHAPES:,} runs of ink; no mask does")
    rows = np.append(np.concatenate(heads), image.height)
    left, right, line = np.concatenate(found, axis=1)
    order = np.lexsort((line, right, left))
    left, right, line = left[order], right[order], line[order]
    begins = np.ones(len(line), bool)  # of a box: a run that the row above does not have
    begins[1:] = (np.diff(left) != 0) | (np.diff(right) != 0) | (np.diff(line) != 1)
    ends = np.roll(begins, -1)
    return np.stack([left[begins], right[begins]]), np.stack([rows[line[begins]], rows[line[ends] + 1]])
