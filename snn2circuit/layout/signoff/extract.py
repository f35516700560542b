"""The netlist of a mask file, extracted by KLayout's layout-to-netlist engine from geometry alone.

Conductors and vias that touch are nets; a net is called by the text labels that lie on it, all of them where several
do, and has no name where none does. A device is recognised as KLayout recognises a plate capacitor: where the device
layer lies between the conductor below and the one above, the overlap of the three is one two-terminal device, with the
area of the overlap. A neuron cell is a black box whose pins are the nets that it covers or that cover it.
"""

from __future__ import annotations

import klayout.db as kdb
import numpy as np

from snn2circuit.ir.noun import Ints, freeze, noun
from snn2circuit.layout.signoff.stack import MaskStack, Place

LABELS = ","  # what KLayout puts between the labels of one net
FIELDS = ("sheets", "planes", "below", "above", "areas", "places")


@noun
class ExtractedDevices:
    """Every crosspoint found, one entry a device."""

    sheets: Ints  # (devices,), from 1
    planes: Ints  # (devices,), which of the process's device layers, from 0: below or above the bit lines
    below: Ints  # (devices,), net of the conductor below
    above: Ints  # (devices,), net of the conductor above
    areas: Ints  # (devices,), nm2
    places: Ints  # (devices, 2), nm, centre

    def __post_init__(self) -> None:
        for name in FIELDS:
            freeze(self, name, np.int64)


@noun
class ExtractedCell:
    """One neuron cell and the nets that touch it."""

    sheet: int
    box: tuple[int, int, int, int]  # nm
    nets: frozenset[int]


@noun
class ExtractedNetlist:
    """What the masks connect."""

    nets: tuple[tuple[str, ...], ...]  # names on each net, sorted; none for a net without a label
    devices: ExtractedDevices
    cells: tuple[ExtractedCell, ...]
    patches: dict[tuple[int, int], Ints]  # per sheet and plane (patches, 4): outlines of the device layer's shapes, nm
    wires: tuple[tuple[Place, int, kdb.Region], ...]  # conductor, net, shapes

    def net_box(self, net: int) -> tuple[int, int, int, int]:
        """Outline of a net's conductors, nm."""
        box = kdb.Box()
        for _, owner, region in self.wires:
            if owner == net:
                box += region.bbox()
        return box.left, box.bottom, box.right, box.top


def extract_netlist(stack: MaskStack) -> ExtractedNetlist:
    """Read nets, devices and cells from masks."""
    kinds = [layer.name for layer in stack.process.device_layers]
    engine = kdb.LayoutToNetlist(kdb.RecursiveShapeIterator(stack.database, stack.top, []))
    engine.threads = 1
    layers = {
        place: engine.make_polygon_layer(stack.index(place), f"{place[1]}_{place[0]}")
        for place in stack.places("conductor", "via", "device")
    }
    for place in stack.places("device"):
        _recognise(engine, stack, layers, place)
    for place in stack.places("conductor"):
        texts = engine.make_text_layer(stack.index(place), f"{place[1]}_{place[0]}_labels")
        engine.connect(layers[place])
        engine.connect(layers[place], texts)
    for place in stack.places("via"):
        engine.connect(layers[place])
        for neighbour in stack.between(place):
            if neighbour is not None:
                engine.connect(layers[place], layers[neighbour])
    engine.extract_netlist()

    circuit = engine.netlist().circuit_by_name(stack.top.name)
    found = list(circuit.each_net()) if circuit else []
    number = {net.cluster_id: index for index, net in enumerate(found)}
    conductors = stack.places("conductor")
    wires = tuple(
        (place, index, shapes)
        for index, net in enumerate(found)
        for place in conductors
        if not (shapes := engine.shapes_of_net(net, layers[place], True)).is_empty()
    )
    return ExtractedNetlist(
        nets=tuple(tuple(sorted(net.name.split(LABELS))) if net.name else () for net in found),
        devices=_devices(circuit, number, kinds),
        cells=_cells(stack, wires),
        patches={
            (sheet, kinds.index(name)): np.array(
                [[b.left, b.bottom, b.right, b.top] for b in (p.bbox() for p in stack.region((sheet, name)).each())],
                dtype=np.int64,
            ).reshape(-1, 4)
            for sheet, name in stack.places("device")
        },
        wires=wires,
    )


def _recognise(engine: kdb.LayoutToNetlist, stack: MaskStack, layers: dict[Place, kdb.Region], place: Place) -> None:
    below, above = stack.between(place)
    if below is None or above is None:
        return
    sheet, name = place
    plates: dict[str, kdb.ShapeCollection] = {}
    for terminal, conductor in (("P1", below), ("P2", above)):
        plate = layers[place] & layers[conductor]
        engine.register(plate, f"{name}_{sheet}_{terminal}")
        engine.connect(plate)
        engine.connect(plate, layers[conductor])
        plates[terminal] = plate
    engine.extract_devices(kdb.DeviceExtractorCapacitor(f"{sheet} {name}", 1.0), plates)


def _devices(circuit: kdb.Circuit | None, number: dict[int, int], kinds: list[str]) -> ExtractedDevices:
    rows = []
    for device in circuit.each_device() if circuit else ():
        ends = (device.net_for_terminal(0), device.net_for_terminal(1))
        centre = device.trans.disp
        sheet, kind = device.device_class().name.split(" ")
        rows.append(
            (
                int(sheet),
                kinds.index(kind),
                *(number[net.cluster_id] for net in ends),
                round(device.parameter("A") * 1e6),
                round(centre.x * 1e3),
                round(centre.y * 1e3),
            )
        )
    table = np.array(rows, dtype=np.int64).reshape(-1, 7)
    return ExtractedDevices(
        sheets=table[:, 0],
        planes=table[:, 1],
        below=table[:, 2],
        above=table[:, 3],
        areas=table[:, 4],
        places=table[:, 5:],
    )


def _cells(stack: MaskStack, wires: tuple[tuple[Place, int, kdb.Region], ...]) -> tuple[ExtractedCell, ...]:
    """Cells with the nets of the conductors below and above that overlap them."""
    cells = []
    for sheet, name in stack.places("cell"):
        search: dict[Place, kdb.Shapes] = {}
        for place in filter(None, stack.between((sheet, name))):
            search[place] = kdb.Shapes()
            for where, net, shapes in wires:
                if where == place:
                    for polygon in shapes.each():
                        search[place].insert(kdb.PolygonWithProperties(polygon, {0: net}))
        for cell in stack.region((sheet, name)).each():
            outline, box = kdb.Region(cell), cell.bbox()
            nets = frozenset(
                int(shape.property(0))
                for shapes in search.values()
                for shape in shapes.each_overlapping(box)
                if not (outline & kdb.Region(shape.polygon)).is_empty()
            )
            cells.append(ExtractedCell(sheet=sheet, box=(box.left, box.bottom, box.right, box.top), nets=nets))
    return tuple(cells)
