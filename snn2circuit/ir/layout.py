"""The printed stack as data: a process, sheets, and on each sheet boxes with their nets, in integer nanometres.

One sheet carries one weight layer, or one row tile of it, or two that share the bit lines between them. Its shapes are
grouped by process layer and held as arrays, never as one object a shape. Every shape knows its net, so a checker can
ask whether touching metal agrees with intended connectivity.
"""

from __future__ import annotations

import re
from typing import Literal

import numpy as np

from snn2circuit.errors import LayoutError
from snn2circuit.ir.noun import Floats, Ints, freeze, noun
from snn2circuit.ir.parts import Quantity

_NAME = re.compile(r"[A-Za-z]\w{0,63}", re.ASCII)
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")

MAX_PASSES = 99
MAX_BIAS = 1e-3  # m
PRINTING = ("bias", "passes", "drop_volume", "solids", "cost")  # how a layer is printed; fields of ProcessLayer
Role = Literal["substrate", "conductor", "device", "dielectric", "via", "cell"]
# Foils laminated; the others on one foil, see layout.rules.
Mode = Literal["sheet_per_layer", "isolated", "staircase", "shared_electrode"]


@noun
class ProcessLayer:
    """One printed (or laminated) layer of a sheet, from the bottom up."""

    name: str
    role: Role
    material: str
    thickness: Quantity  # m
    color: str  # "#rrggbb", how viewers show it
    mask: int  # layer number in mask files, 1 to 255; the datatype is the number of the sheet
    sheet_resistance: Quantity | None = None  # ohm per square; of conductors, and of a resistive ink for devices
    permittivity: Quantity | None = None  # relative; dielectrics only
    min_width: Quantity | None = None  # m, where it is not the process's; conductors only
    min_space: Quantity | None = None  # m, where it is not the process's; conductors and vias only
    # How a printed layer is printed, where it is known.
    bias: Quantity | None = None  # m, what pictures draw on every side of a shape; negative for ink that spreads
    passes: Quantity | None = None  # how many times it is printed, whole; the thickness is that of all together
    drop_volume: Quantity | None = None  # m3, wet
    solids: Quantity | None = None  # share of the wet ink's volume that remains
    cost: Quantity | None = None  # per litre of wet ink, in any currency, the same for all layers

    def __post_init__(self) -> None:
        # Both end up in file names, scripts and drawings.
        if not _NAME.fullmatch(self.name):
            raise LayoutError(f"layer {self.name!r:.60}: a name has 1 to 64 letters, digits and _, a letter first")
        if not _COLOR.fullmatch(self.color):
            raise LayoutError(f'layer {self.name}: color = {self.color!r:.60}; it must be written "#rrggbb"')
        if self.passes is not None and self.passes.value not in range(1, MAX_PASSES + 1):
            raise LayoutError(
                f"layer {self.name}: {self.passes.value:g} passes; there can be a whole number of 1 to {MAX_PASSES}"
            )
        if self.bias is not None and not abs(self.bias.value) <= MAX_BIAS:
            raise LayoutError(
                f"layer {self.name}: bias = {self.bias.value:g} m; it must lie between {-MAX_BIAS:g} and {MAX_BIAS:g} m"
            )
        if self.solids is not None and not 0 < self.solids.value <= 1:
            raise LayoutError(
                f"layer {self.name}: solids = {self.solids.value:g}; a share is more than 0 and at most 1"
            )
        given = [name for name in PRINTING if getattr(self, name) is not None]
        if given and self.role == "substrate":
            raise LayoutError(f"layer {self.name}: {', '.join(given)}: for printed layers, this one has role substrate")


@noun
class Process:
    """A printing process as a table of data: the layers of one sheet and the rules that shapes keep."""

    name: str
    technology: str
    layers: tuple[ProcessLayer, ...]  # bottom to top
    min_width: Quantity  # m, conductor
    min_space: Quantity  # m, conductor
    overlay: Quantity  # m, misalignment between two printed layers
    via_diameter: Quantity  # m
    contact_pitch: Quantity | None = None  # m, least distance of contact fingers at an edge, for the connector
    drop_grid: Quantity | None = None  # m, printed edges lie on multiples of this: drop spacing, or mesh of a screen
    sheet_length: Quantity | None = None  # m, longer side of the largest sheet
    sheet_width: Quantity | None = None  # m, shorter side
    max_density: Quantity | None = None  # share of any window that one conductor may cover
    density_window: Quantity | None = None  # m, side of that window

    def __post_init__(self) -> None:
        owner: dict[int, str] = {}
        for layer in self.layers:
            if not 1 <= layer.mask <= 255:
                raise LayoutError(f"process {self.name}: mask of {layer.name} is {layer.mask}; it must be 1 to 255")
            if layer.mask in owner:
                raise LayoutError(
                    f"process {self.name}: {owner[layer.mask]} and {layer.name} both have mask {layer.mask}; "
                    f"the next free number is {min(set(range(1, 256)) - {each.mask for each in self.layers})}"
                )
            owner[layer.mask] = layer.name

    @property
    def device_layers(self) -> tuple[ProcessLayer, ...]:
        """What devices are printed with, bottom to top: below the bit lines, then above them."""
        return tuple(layer for layer in self.layers if layer.role == "device")

    def layer(self, name: str) -> ProcessLayer:
        """The layer called ``name``."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise LayoutError(
            f"process {self.name} has no layer {name!r}; it has {', '.join(each.name for each in self.layers)}"
        )


@noun
class Shapes:
    """Boxes of one process layer on one sheet."""

    layer: str  # name of a process layer
    boxes: Ints  # (shapes, 6), nm: x0, y0, z0, x1, y1, z1 in stack coordinates
    nets: Ints  # (shapes,), index into Layout.nets; -1 for shapes that carry no net
    round: bool = False  # a round pillar inscribed in the box instead of the box (via fills)

    def __post_init__(self) -> None:
        boxes, nets = freeze(self, "boxes", np.int64), freeze(self, "nets", np.int64)
        if boxes.ndim != 2 or boxes.shape[1] != 6 or nets.shape != boxes.shape[:1]:
            raise LayoutError(
                f"shapes on {self.layer}: boxes {boxes.shape} and nets {nets.shape} do not fit (n, 6) and (n,)"
            )
        if (boxes[:, 3:] <= boxes[:, :3]).any():
            worst = int(np.argmax((boxes[:, 3:] <= boxes[:, :3]).any(axis=1)))
            raise LayoutError(f"shape {worst} on {self.layer} is empty or inside out: {boxes[worst].tolist()}")


@noun
class Devices:
    """Where the devices of one crossbar stand, in the order row, column, polarity (+ then -); one entry a device.

    A device is printed as its box, unless the sheet has shapes in the device layer: then these are what is printed,
    and the box is a device's outline, which no other device's shapes reach into.
    """

    rows: Ints  # (devices,)
    columns: Ints  # (devices,)
    polarity: Ints  # (devices,), +1 or -1
    boxes: Ints  # (devices, 6), nm, stack coordinates
    weight: Floats  # (devices,), weight of the pair as mapped, dimensionless
    conductance: Floats  # (devices,), S
    level: Ints  # (devices,)

    def __post_init__(self) -> None:
        count = freeze(self, "rows", np.int64).shape
        for name in ("columns", "polarity", "level"):
            if freeze(self, name, np.int64).shape != count:
                raise LayoutError(f"devices: {name} must have one entry per device")
        for name in ("weight", "conductance"):
            if freeze(self, name, np.float64).shape != count:
                raise LayoutError(f"devices: {name} must have one entry per device")
        if freeze(self, "boxes", np.int64).shape != (*count, 6):
            raise LayoutError("devices: boxes must be (devices, 6)")


@noun
class Sheet:
    """One printed sheet: a tile of one network layer, on the topmost of a column tile's sheets its neuron cells too."""

    name: str  # e.g. "sheet 1"
    network_layer: int  # from 0
    tile: int = 0  # of the layer's row tiles, from 0; the lower one where it carries two
    part: int = 0  # of the layer's column tiles, from 0
    rotation: int  # 0 or 90 degrees: word lines run along x or along y
    z_nm: int  # bottom of the substrate
    shapes: tuple[Shapes, ...]
    devices: Devices
    upper: Devices | None = None  # of the layer's next row tile, above the bit lines

    @property
    def planes(self) -> tuple[Devices, ...]:
        """The devices of each row tile that the sheet carries, bottom to top."""
        return (self.devices,) if self.upper is None else (self.devices, self.upper)


@noun
class Layout:
    """The whole stack."""

    name: str
    process: Process
    sheets: tuple[Sheet, ...]  # bottom to top
    nets: tuple[str, ...]
    levels: int  # conductance levels the devices were chosen from
    assumptions: tuple[str, ...]  # what no source gave, in words
    mode: Mode = "sheet_per_layer"

    def printed(self, sheet: Sheet) -> tuple[tuple[ProcessLayer, Devices], ...]:
        """The devices of ``sheet``, bottom to top, each with the process layer that they are printed in."""
        layers = self.process.device_layers
        if len(layers) < len(sheet.planes):
            raise LayoutError(
                f"process {self.process.name} has {len(layers)} layers of role device, {sheet.name} has devices in "
                f"{len(sheet.planes)}"
            )
        return tuple(zip(layers, sheet.planes, strict=False))

    def solids(self, sheet: Sheet) -> tuple[Shapes, ...]:
        """Everything that ``sheet`` is printed with: its shapes, and the boxes of devices that no shapes stand for."""
        drawn = {shapes.layer for shapes in sheet.shapes}
        return (
            *sheet.shapes,
            *(
                Shapes(layer=layer.name, boxes=devices.boxes, nets=np.full(len(devices.boxes), -1))
                for layer, devices in self.printed(sheet)
                if layer.name not in drawn
            ),
        )

    @property
    def bounds(self) -> Ints:
        """Smallest box around every shape, ``(6,)`` nm."""
        boxes = np.concatenate([shapes.boxes for sheet in self.sheets for shapes in sheet.shapes])
        return np.concatenate([boxes[:, :3].min(axis=0), boxes[:, 3:].max(axis=0)])
