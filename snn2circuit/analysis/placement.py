"""The placement table: one line per device, from the weight that was trained to the place in the stack.

It is the programming table too: ``conductance_S`` is what a device gets, trims included, in full precision. ``made``
says how: ``programmed``, written into the device once it is printed, or ``printed in its shape``, as LVS measures it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.layout import Devices, Layout, Sheet
from snn2circuit.ir.tables import write_csv

COLUMNS = (
    "layer",
    "row",
    "column",
    "polarity",
    "trained_weight",
    "target_conductance_S",
    "level",
    "conductance_S",
    "made",
    "resistance_ohm",
    "error",
    "sheet",
    "tile",
    "x_mm",
    "y_mm",
    "z_um",
)


def write_placement(crossbar: CrossbarNetwork, layout: Layout, path: Path) -> None:
    """Write ``path`` as CSV in the order layer, row, column, polarity.

    ``layer``, ``sheet`` and ``tile`` count from 1, rows and columns from 0, a bias is the last row of its layer.
    ``error`` is ``conductance / target - 1``. Places are centres, in stack coordinates.
    """
    write_csv(path, COLUMNS, _rows(crossbar, layout))


def _rows(crossbar: CrossbarNetwork, layout: Layout) -> Iterator[tuple[Any, ...]]:
    tiles = (
        (number, sheet, tile, devices, made)
        for number, sheet in enumerate(layout.sheets, start=1)
        for tile, (devices, made) in enumerate(_made(layout, sheet), start=sheet.tile + 1)
    )
    for number, sheet, tile, devices, made in tiles:
        layer = crossbar.layers[sheet.network_layer]
        at = (devices.rows, devices.columns)
        positive = devices.polarity > 0
        target = layer.target_neg[at]
        target[positive] = layer.target_pos[at][positive]
        error = devices.conductance / target - 1
        centre = (devices.boxes[:, :3] + devices.boxes[:, 3:]) / 2
        yield from (
            (
                sheet.network_layer + 1,
                row,
                column,
                "+" if plus else "-",
                f"{weight:.9g}",
                f"{goal:.9g}",
                level,
                repr(siemens),
                made,
                f"{1 / siemens:.9g}",
                f"{off:.3e}",
                number,
                tile,
                f"{x / 1e6:.6g}",
                f"{y / 1e6:.6g}",
                f"{z / 1e3:.6g}",
            )
            for row, column, plus, weight, goal, level, siemens, off, (x, y, z) in zip(
                devices.rows.tolist(),
                devices.columns.tolist(),
                positive.tolist(),
                layer.trained[at].tolist(),
                target.tolist(),
                devices.level.tolist(),
                devices.conductance.tolist(),
                error.tolist(),
                centre.tolist(),
                strict=True,
            )
        )


def _made(layout: Layout, sheet: Sheet) -> Iterator[tuple[Devices, str]]:
    """The devices of each tile of ``sheet``, with how they get their values."""
    drawn = {shapes.layer for shapes in sheet.shapes}
    for layer, devices in layout.printed(sheet):
        yield devices, "printed in its shape" if layer.name in drawn else "programmed"
