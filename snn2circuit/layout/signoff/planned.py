"""What a layout plans on every mask: its shapes, and what each of them is of: a net, a device, a cell.

Masks are compared with it, and a fault that has no place in the masks, such as a missing net, has one in the plan.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import klayout.db as kdb
import numpy as np

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import Devices, Layout
from snn2circuit.ir.noun import Ints, noun
from snn2circuit.layout.masks.drawing import Mask, list_masks
from snn2circuit.layout.signoff.stack import Place

Box = tuple[int, int, int, int]  # nm: x0, y0, x1, y1


@noun
class Owner:
    """What a planned shape is of, as far as it is of anything."""

    nets: tuple[str, ...] = ()  # of a line, a pad or a via; of a cell those of the conductor above it
    layer: int | None = None  # of the network, from 1; with row, column and polarity of a device
    row: int | None = None
    column: int | None = None
    polarity: int | None = None

    def text(self, describe: Callable[[str], str]) -> str:
        """As a message names it."""
        if self.row is not None:
            sign = "+" if (self.polarity or 0) > 0 else "-"
            return f"device of layer {self.layer}, row {self.row}, column {self.column}, polarity {sign}"
        return " and ".join(map(describe, self.nets))


class Planned:
    """The masks of one layout, looked up by sheet and process layer."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.masks: dict[Place, Mask] = {(mask.sheet, mask.layer.name): mask for mask in list_masks(layout)}
        self._devices: dict[Place, tuple[int, Devices]] = {
            (number, printed.name): (sheet.network_layer + 1, devices)
            for number, sheet in enumerate(layout.sheets, start=1)
            for printed, devices in layout.printed(sheet)
        }

    def region(self, place: Place) -> kdb.Region:
        """The shapes of a mask, not merged; a via is the square around it."""
        region = kdb.Region()
        if place in self.masks:
            for box in self.masks[place].boxes.tolist():
                region.insert(kdb.Box(*box))
        return region

    def net_place(self, name: str) -> tuple[Place, Box]:
        """Where a net is drawn first."""
        net = self.layout.nets.index(name)
        for place, mask in self.masks.items():
            at = np.flatnonzero(mask.nets == net)
            if len(at):
                return place, _box(mask.boxes[at[0]])
        raise LayoutError(f"layout {self.layout.name} does not draw net {name}")

    def cell_place(self, bit_line: str) -> tuple[Place, Box]:
        """Where the cell is drawn that reads a bit line."""
        for place, mask in self.masks.items():
            for box in mask.boxes if mask.layer.role == "cell" else ():
                if bit_line in self._nets_above(place, box):
                    return place, _box(box)
        raise LayoutError(f"layout {self.layout.name} draws no cell at net {bit_line}")

    def owner(self, place: Place, box: Box) -> Owner:
        """What the planned shapes are of that overlap or touch ``box``."""
        if place in self._devices:
            layer, devices = self._devices[place]
            at = _touched(devices.boxes[:, [0, 1, 3, 4]], box)
            if len(at):
                row, column, polarity = (int(v[at[0]]) for v in (devices.rows, devices.columns, devices.polarity))
                return Owner(layer=layer, row=row, column=column, polarity=polarity)
        if place not in self.masks:
            return Owner()
        mask = self.masks[place]
        touched = _touched(mask.boxes, box)
        if mask.layer.role == "cell":
            return Owner(nets=self._nets_above(place, mask.boxes[touched[0]]) if len(touched) else ())
        return Owner(nets=self._names(mask.nets[touched]))

    def _nets_above(self, place: Place, cell: Ints) -> tuple[str, ...]:
        """The nets of the next conductor above a cell that overlap it."""
        sheet, name = place
        order = [layer.name for layer in self.layout.process.layers]
        for above in itertools.islice(order, order.index(name) + 1, None):
            mask = self.masks.get((sheet, above))
            if mask is not None and mask.layer.role == "conductor":
                return self._names(mask.nets[_overlapped(mask.boxes, _box(cell))])
        return ()

    def _names(self, nets: Ints) -> tuple[str, ...]:
        return tuple(self.layout.nets[net] for net in np.unique(nets[nets >= 0]).tolist())


def _box(row: Ints) -> Box:
    x0, y0, x1, y1 = row.tolist()
    return x0, y0, x1, y1


def _touched(boxes: Ints, box: Box) -> Ints:
    """Which boxes overlap ``box``; if none does, which ones it touches."""
    found = _overlapped(boxes, box)
    return found if len(found) else _overlapped(boxes, (box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1))


def _overlapped(boxes: Ints, box: Box) -> Ints:
    x0, y0, x1, y1 = boxes.T
    return np.flatnonzero((x0 < box[2]) & (x1 > box[0]) & (y0 < box[3]) & (y1 > box[1]))
