"""Editing written masks through KLayout, as someone who plants a fault would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import klayout.db as kdb

Edit = Callable[["MaskFile"], None]


LAYERS = ("substrate", "substrate_vias", "word_lines", "devices", "dielectric", "contacts", "cells", "bit_lines")
UPPER = ("upper_devices", "upper_dielectric", "upper_contacts", "upper_word_lines")
NUMBERS = {name: number for number, name in enumerate(LAYERS, start=1)}
NUMBERS |= {"interlayer": 9, "interlayer_vias": 10} | {name: number for number, name in enumerate(UPPER, start=12)}


class MaskFile:
    """A mask file, flat, open for edits; layers by their mask number."""

    def __init__(self, path: Path) -> None:
        self.database = kdb.Layout()
        self.database.read(str(path))
        self.top = self.database.top_cell()
        self.database.flatten(self.top.cell_index(), -1, True)

    def shapes(self, layer: str, sheet: int) -> kdb.Shapes:
        return self.top.shapes(self.database.layer(NUMBERS[layer], sheet))

    def solids(self, layer: str, sheet: int) -> list[kdb.Shape]:
        """Shapes that are no labels, from lower left on."""
        found = [shape for shape in self.shapes(layer, sheet).each() if not shape.is_text()]
        return sorted(found, key=lambda shape: (shape.bbox().left, shape.bbox().bottom, shape.bbox().right))

    def labelled(self, layer: str, sheet: int, net: str) -> kdb.Shape:
        """The first shape under the label of a net."""
        return next(s for s in self.solids(layer, sheet) if s.bbox().contains(self.label(layer, sheet, net).text_pos))

    def label(self, layer: str, sheet: int, net: str) -> kdb.Shape:
        return next(s for s in self.shapes(layer, sheet).each() if s.is_text() and s.text_string == net)

    def add(self, layer: str, sheet: int, x0: int, y0: int, x1: int, y1: int) -> kdb.Box:
        box = kdb.Box(x0, y0, x1, y1)
        self.shapes(layer, sheet).insert(box)
        return box

    def erase(self, layer: str, sheet: int, box: kdb.Box) -> None:
        """Remove everything printed inside ``box``; labels stay."""
        shapes = self.shapes(layer, sheet)
        labels = [shape.text.dup() for shape in shapes.each() if shape.is_text()]
        rest = kdb.Region(self.top.begin_shapes_rec(self.database.layer(NUMBERS[layer], sheet))) - kdb.Region(box)
        shapes.clear()
        shapes.insert(rest)
        for label in labels:
            shapes.insert(label)

    def write(self, path: Path) -> Path:
        self.database.write(str(path))
        return path


def edited(source: Path, target: Path, edit: Edit) -> Path:
    """A copy of ``source`` after ``edit``."""
    masks = MaskFile(source)
    edit(masks)
    return masks.write(target)
