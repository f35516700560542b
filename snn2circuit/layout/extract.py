"""What a stack connects, read from its geometry alone.

Solids of conductors and vias that touch are one electrical net; each connected component of that graph is one. A device
is a resistor between the component below it and the component above it, a neuron cell joins nothing but knows which
components lie against it. Substrate and dielectric insulate. The net names stored in the layout are not looked at.
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from snn2circuit.ir.layout import Layout, Sheet
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
    cells: tuple[tuple[frozenset[int], ...], ...]  # per sheet, per neuron cell: components against it


def extract(layout: Layout) -> Extraction:
    """Read the connectivity of ``layout``."""
    conductors = _conductors(layout)
    pairs = find_contacts(conductors.solids, conductors.solids)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    graph = nx.Graph()
    graph.add_nodes_from(range(len(conductors.net)))
    graph.add_edges_from(pairs.tolist())
    component = np.empty(len(conductors.net), dtype=np.int64)
    components = sorted(nx.connected_components(graph), key=min)
    for number, members in enumerate(components):
        component[list(members)] = number

    return Extraction(
        conductors=conductors,
        contacts=pairs,
        components=len(components),
        component=component,
        ends=tuple(
            tuple(_device_ends(devices.boxes, conductors, component) for devices in sheet.planes)
            for sheet in layout.sheets
        ),
        cells=tuple(_against_cells(layout, sheet, conductors, component) for sheet in layout.sheets),
    )


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


def _device_ends(boxes: Ints, conductors: Conductors, component: Ints) -> tuple[Ints, Ints]:
    devices = Solids(boxes=boxes, round=np.zeros(len(boxes), dtype=np.bool_))
    pairs = find_contacts(devices, conductors.solids)
    touched = conductors.solids.boxes[pairs[:, 1]]
    is_below = touched[:, 2] + touched[:, 5] < boxes[pairs[:, 0], 2] + boxes[pairs[:, 0], 5]
    ends = []
    for which in (is_below, ~is_below):
        device, owner = pairs[which, 0], component[pairs[which, 1]]
        least = np.full(len(boxes), np.iinfo(np.int64).max)
        most = np.full(len(boxes), NOTHING)
        np.minimum.at(least, device, owner)
        np.maximum.at(most, device, owner)
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
