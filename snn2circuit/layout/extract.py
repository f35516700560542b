"""What a stack connects, read from its geometry alone.

Solids of conductors and vias that touch are one electrical net; each connected component of that graph is one. A device
is a resistor between the component below it and the component above it; where devices are drawn as strips, strips
that touch are one device, known by its outline. A neuron cell joins nothing but knows which components lie against it.
Substrate and dielectric insulate. The net names stored in the layout are not looked at.
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from snn2circuit.ir.layout import Devices, Layout, ProcessLayer, Sheet
from snn2circuit.ir.noun import Ints, noun
from snn2circuit.layout.contacts import Solids, find_contacts

NOTHING, SEVERAL = -1, -2  # in place of a component


@noun
class Conductors:
    """Every conductor and via of the stack."""

    solids: Solids
    sheet: Ints  # (solids,), index of the sheet
    layer: tuple[str, ...]  # process layer of each
    net: Ints  # (solids,), as stored in the layout; for comparison only


@noun
class Extraction:
    """The electrical graph of a stack; components are numbered in the order of their first solid."""

    conductors: Conductors
    contacts: Ints  # (contacts, 2), indices of conductors, smaller first
    components: int
    component: Ints  # (conductors,)
    ends: tuple[tuple[tuple[Ints, Ints], ...], ...]
    """Per sheet and plane of devices: component under each device, and over it, or NOTHING, or SEVERAL."""
    loose: tuple[int, ...]  # per sheet: pieces of a device layer that have the outline of no device
    cells: tuple[tuple[frozenset[int], ...], ...]  # per sheet, per neuron cell: components against it


def extract(layout: Layout) -> Extraction:
    """Read the connectivity of ``layout``."""
    conductors = _conductors(layout)
    pairs = find_contacts(conductors.solids, conductors.solids)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    component, components = _pieces(pairs, len(conductors.net))

    drawn = [[_device_solids(layout, sheet, *plane) for plane in layout.printed(sheet)] for sheet in layout.sheets]
    return Extraction(
        conductors=conductors,
        contacts=pairs,
        components=components,
        component=component,
        ends=tuple(
            tuple(
                _device_ends(solids, owners, len(devices.rows), conductors, component)
                for (solids, owners, _), devices in zip(planes, sheet.planes, strict=True)
            )
            for planes, sheet in zip(drawn, layout.sheets, strict=True)
        ),
        loose=tuple(sum(others for _, _, others in planes) for planes in drawn),
        cells=tuple(_against_cells(layout, sheet, conductors, component) for sheet in layout.sheets),
    )


def _pieces(pairs: Ints, count: int) -> tuple[Ints, int]:
    """Which piece each of ``count`` solids belongs to when ``pairs`` of them touch, and how many pieces there are."""
    graph = nx.Graph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from(pairs.tolist())
    piece = np.empty(count, dtype=np.int64)
    pieces = sorted(nx.connected_components(graph), key=min)
    for number, members in enumerate(pieces):
        piece[list(members)] = number
    return piece, len(pieces)


def _conductors(layout: Layout) -> Conductors:
    boxes, flags, sheets, nets = [np.empty((0, 6), dtype=np.int64)], [], [], []
    layers: list[str] = []
    for index, sheet in enumerate(layout.sheets):
        for shapes in sheet.shapes:
            if layout.process.layer(shapes.layer).role in ("conductor", "via"):
                count = len(shapes.boxes)
                boxes.append(shapes.boxes)
                flags += [shapes.round] * count
                sheets += [index] * count
                nets += shapes.nets.tolist()
                layers += [shapes.layer] * count
    return Conductors(
        solids=Solids(boxes=np.concatenate(boxes), round=np.array(flags, dtype=np.bool_)),
        sheet=np.array(sheets, dtype=np.int64),
        layer=tuple(layers),
        net=np.array(nets, dtype=np.int64),
    )


def _device_solids(layout: Layout, sheet: Sheet, layer: ProcessLayer, devices: Devices) -> tuple[Solids, Ints, int]:
    """What the devices of a plane are drawn with, the device of each solid, and how many pieces are of none."""
    outlines = devices.boxes
    drawn = [shapes.boxes for shapes in sheet.shapes if shapes.layer == layer.name]
    if not drawn:
        return Solids(boxes=outlines, round=np.zeros(len(outlines), dtype=np.bool_)), np.arange(len(outlines)), 0
    boxes = np.concatenate(drawn)
    strips = Solids(boxes=boxes, round=np.zeros(len(boxes), dtype=np.bool_))
    piece, count = _pieces(find_contacts(strips, strips), len(boxes))
    low, high = np.full((count, 3), np.iinfo(np.int64).max), np.full((count, 3), np.iinfo(np.int64).min)
    np.minimum.at(low, piece, boxes[:, :3])
    np.maximum.at(high, piece, boxes[:, 3:])
    device = {tuple(outline): number for number, outline in enumerate(outlines.tolist())}
    owner = np.array([device.get(tuple(outline), NOTHING) for outline in np.hstack([low, high]).tolist()])
    own = owner[piece] >= 0
    return Solids(boxes=boxes[own], round=strips.round[own]), owner[piece[own]], int((owner < 0).sum())


def _device_ends(
    solids: Solids, owners: Ints, count: int, conductors: Conductors, component: Ints
) -> tuple[Ints, Ints]:
    boxes = solids.boxes
    pairs = find_contacts(solids, conductors.solids)
    touched = conductors.solids.boxes[pairs[:, 1]]
    is_below = touched[:, 2] + touched[:, 5] < boxes[pairs[:, 0], 2] + boxes[pairs[:, 0], 5]
    ends = []
    for which in (is_below, ~is_below):
        device, met = owners[pairs[which, 0]], component[pairs[which, 1]]
        least = np.full(count, np.iinfo(np.int64).max)
        most = np.full(count, NOTHING)
        np.minimum.at(least, device, met)
        np.maximum.at(most, device, met)
        ends.append(np.where((most == NOTHING) | (least == most), most, SEVERAL))
    return ends[0], ends[1]


def _against_cells(layout: Layout, sheet: Sheet, conductors: Conductors, component: Ints) -> tuple[frozenset[int], ...]:
    against: list[set[int]] = []
    for shapes in sheet.shapes:
        if layout.process.layer(shapes.layer).role == "cell":
            start = len(against)
            against += [set() for _ in shapes.boxes]
            cells = Solids(boxes=shapes.boxes, round=np.zeros(len(shapes.boxes), dtype=np.bool_))
            for cell, solid in find_contacts(cells, conductors.solids).tolist():
                against[start + cell].add(int(component[solid]))
    return tuple(frozenset(each) for each in against)
