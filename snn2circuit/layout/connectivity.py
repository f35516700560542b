"""Layout against crossbar: is the stack, as drawn, the network?

The connectivity is extracted from geometry (:mod:`snn2circuit.layout.extract`); then four statements must hold.

1. Every extracted component carries one net name, and every net name one component: no short, no open.
2. The names are those of the crossbar's circuit, all of them and no others.
3. Between the word line of row ``i`` and a bit line of column ``j`` there is exactly one device, for every ``i``, ``j``
   and polarity, at the level, conductance and weight the crossbar has there.
4. The cell of every neuron lies against its own pair of bit lines, all rails, and the net it drives: the word line of
   the same number on the next sheet, or the last layer's spike.
"""

from __future__ import annotations

import numpy as np

from snn2circuit.errors import LayoutError
from snn2circuit.ir.crossbar import CrossbarLayer, CrossbarNetwork, Tile
from snn2circuit.ir.layout import Layout, Sheet
from snn2circuit.ir.noun import Ints, noun
from snn2circuit.layout import nets
from snn2circuit.layout.extract import NOTHING, SEVERAL, Extraction, extract

SHOWN = 5  # faults an error message spells out


@noun
class ConnectivityReport:
    """What was compared when everything agreed."""

    nets: int  # equal to the number of extracted components
    conductors: int  # solids of conductors and vias
    contacts: int  # between them
    devices: int
    cells: int


def check_connectivity(layout: Layout, crossbar: CrossbarNetwork) -> ConnectivityReport:
    """Compare what ``layout`` connects with what ``crossbar`` connects.

    Raises:
        LayoutError: they differ; the text names net, layer, row and column of the first faults and counts the rest.
    """
    carried_out = [(sheet.network_layer + 1, sheet.part, sheet.tile, len(sheet.planes)) for sheet in layout.sheets]
    wanted = nets.sheets(crossbar, layout.mode)
    planned = []
    for number, tiles in wanted:
        lowest, part = divmod(crossbar.layers[number - 1].tiles.index(tiles[0]), len(nets.parts(crossbar, number)))
        planned.append((number, part, lowest, len(tiles)))
    if carried_out != planned:
        raise LayoutError(
            f"layout {layout.name} has sheets for layers {[number for number, *_ in carried_out]}, "
            f"crossbar {crossbar.name} needs one for each tile of layers {[number for number, *_ in planned]}"
        )
    expected = nets.all_nets(crossbar, layout.mode)
    faults = [
        *(f"net {name} of the crossbar is not in the layout" for name in expected if name not in set(layout.nets)),
        *(f"net {name} of the layout is not in the crossbar" for name in layout.nets if name not in set(expected)),
    ]
    if faults or len(set(layout.nets)) != len(layout.nets):
        _fail(layout, faults or ["two nets of the layout have the same name"])
    found = extract(layout)
    carried = found.conductors.net
    if (carried < 0).any():
        solid = int(np.argmax(carried < 0))
        _fail(layout, [f"the conductor at {_place(found, solid)} carries no net"])

    faults += _shorts(layout, found) + _opens(layout, found)
    net_of = np.full(found.components + 2, -1)
    net_of[found.component[::-1]] = carried[::-1]
    for index, (sheet, (number, tiles)) in enumerate(zip(layout.sheets, wanted, strict=True)):
        ids, layer = _Ids(layout, crossbar, number, sheet.part), crossbar.layers[number - 1]
        for plane, tile in enumerate(tiles):
            faults += _device_faults(sheet, plane, layer, tile, ids, found.ends[index][plane], net_of)
        if found.loose[index]:
            faults.append(f"{sheet.name} has {found.loose[index]} pieces in the plane of devices that are no device")
        if tiles[-1].rows.stop == layer.rows:  # the cells stand on the topmost of a column tile's sheets
            faults += _cell_faults(layout, ids, tiles[-1].columns, found.cells[index], net_of)
        elif found.cells[index]:
            faults.append(f"{sheet.name} has {len(found.cells[index])} cells; those of layer {number} stand above it")
    if faults:
        _fail(layout, faults)
    return ConnectivityReport(
        nets=found.components,
        conductors=len(carried),
        contacts=len(found.contacts),
        devices=sum(len(devices.rows) for sheet in layout.sheets for devices in sheet.planes),
        cells=sum(len(cells) for cells in found.cells),
    )


class _Ids:
    """Indices into the layout's nets of what one layer's lines must be on the sheets of its column tile ``part``."""

    def __init__(self, layout: Layout, crossbar: CrossbarNetwork, number: int, part: int) -> None:
        index = {name: position for position, name in enumerate(layout.nets)}
        self.number = number
        self.count = len(layout.nets)
        self.rows = np.array([index[name] for name in nets.word_lines(crossbar, number, part)])
        self.pairs = np.array(
            [[index[name] for name in nets.bit_lines(crossbar, number, sign)] for sign in (+1, -1)]
        ).T  # (columns, 2)
        self.outputs = np.array([index[name] for name in nets.outputs(crossbar, number)])
        self.rails = frozenset(index[name] for name in nets.RAILS)


def _shorts(layout: Layout, found: Extraction) -> list[str]:
    net = found.conductors.net
    first, second = found.contacts[:, 0], found.contacts[:, 1]
    faults: dict[tuple[str, ...], str] = {}
    for edge in np.flatnonzero(net[first] != net[second]):
        a, b = int(first[edge]), int(second[edge])
        names = sorted((layout.nets[net[a]], layout.nets[net[b]]))
        faults.setdefault(
            tuple(names), f"short between {names[0]} and {names[1]}: {_place(found, a)} touches {_place(found, b)}"
        )
    return list(faults.values())


def _opens(layout: Layout, found: Extraction) -> list[str]:
    faults = []
    pieces = np.unique(np.stack([found.conductors.net, found.component], axis=1), axis=0)
    net, count = np.unique(pieces[:, 0], return_counts=True)
    for each in net[count > 1]:
        parts = pieces[pieces[:, 0] == each, 1]
        at = [int(np.argmax((found.component == part) & (found.conductors.net == each))) for part in parts[:2]]
        faults.append(
            f"net {layout.nets[each]} is open, it falls into {len(parts)} pieces: "
            f"one at {_place(found, at[0])}, one at {_place(found, at[1])}"
        )
    drawn = set(net.tolist())
    return faults + [f"net {name} has no conductor" for index, name in enumerate(layout.nets) if index not in drawn]


def _device_faults(
    sheet: Sheet, plane: int, layer: CrossbarLayer, tile: Tile, ids: _Ids, ends: tuple[Ints, Ints], net_of: Ints
) -> list[str]:
    devices = sheet.planes[plane]
    words, bits = ends if plane == 0 else ends[::-1]  # below and above; the upper tile lies upside down

    def name(row: int, column: int, side: int) -> str:
        return f"device of layer {ids.number}, row {row}, column {column}, polarity {'+-'[side]}"

    def stored(device: int) -> str:
        return name(int(devices.rows[device]), int(devices.columns[device]), int(devices.polarity[device] < 0))

    faults = []
    for touched, what in ((words, "word line"), (bits, "bit line")):
        for value, how in ((NOTHING, "touches no"), (SEVERAL, "touches more than one")):
            faults += [f"{stored(int(device))} {how} {what}" for device in np.flatnonzero(touched == value)]

    row_of = np.full(ids.count + 1, -1)  # the last entry answers for net -1
    row_of[ids.rows] = np.arange(layer.rows)
    place_of = np.full(len(row_of), -1)
    place_of[ids.pairs.ravel()] = np.arange(ids.pairs.size)
    row, place = row_of[net_of[words]], place_of[net_of[bits]]
    joined = (words >= 0) & (bits >= 0)
    stray = joined & ((row < 0) | (place < 0))
    how = "joins lines of other layers, or is upside down"
    faults += [f"{stored(int(device))} {how}" for device in np.flatnonzero(stray)]

    good = np.flatnonzero(joined & ~stray)
    key = row[good] * ids.pairs.size + place[good]
    count = np.bincount(key, minlength=layer.rows * ids.pairs.size)
    here = np.zeros((layer.rows, layer.columns, 2), dtype=np.int64)
    here[tile] = 1  # the other devices are on other sheets, or on the other side of the bit lines
    where = (" below the bit lines", " above the bit lines")[plane] if len(sheet.planes) > 1 else ""
    for absent in np.flatnonzero(count != here.ravel()):
        row_number, rest = divmod(int(absent), ids.pairs.size)
        if not here.ravel()[absent]:
            faults.append(
                f"{name(row_number, *divmod(rest, 2))} is on {sheet.name}{where}, which does not carry its tile"
            )
            continue
        how = "is missing" if count[absent] == 0 else f"is there {count[absent]} times"
        faults.append(f"{name(row_number, *divmod(rest, 2))} {how}")

    truth = (
        ("row", np.arange(layer.rows).repeat(ids.pairs.size), devices.rows),
        ("column", np.tile(np.arange(layer.columns).repeat(2), layer.rows), devices.columns),
        ("polarity", np.tile([1, -1], layer.rows * layer.columns), devices.polarity),
        ("level", np.stack([layer.level_pos, layer.level_neg], axis=-1).ravel(), devices.level),
        ("conductance", np.stack(layer.programmed, axis=-1).ravel(), devices.conductance),
        ("weight", layer.weights.ravel().repeat(2), devices.weight),
    )
    for what, wanted, held in truth:
        for device in good[held[good] != wanted[key]]:
            place_key = int(row[device] * ids.pairs.size + place[device])
            who = name(int(row[device]), *divmod(int(place[device]), 2))
            faults.append(f"{who}: {what} is {held[device]}, the crossbar has {wanted[place_key]}")
    return faults


def _cell_faults(
    layout: Layout, ids: _Ids, neurons_here: slice, cells: tuple[frozenset[int], ...], net_of: Ints
) -> list[str]:
    faults = []
    seen = []
    positive = {int(net): neuron for neuron, net in enumerate(ids.pairs[:, 0])}
    for number, cell in enumerate(cells):
        touched = {int(net_of[component]) for component in cell}
        neurons = sorted(positive[net] for net in touched & positive.keys())
        if len(neurons) != 1:
            faults.append(f"cell {number} of layer {ids.number} touches {len(neurons)} positive bit lines of its layer")
            continue
        neuron = neurons[0]
        seen.append(neuron)
        wanted = {*ids.pairs[neuron].tolist(), int(ids.outputs[neuron]), *ids.rails}
        who = f"cell of layer {ids.number}, neuron {neuron}"
        faults += [f"{who} does not touch net {layout.nets[net]}" for net in sorted(wanted - touched)]
        faults += [f"{who} touches net {layout.nets[net]}" for net in sorted(touched - wanted)]
    counts = np.bincount(seen, minlength=len(ids.outputs)) if seen else np.zeros(len(ids.outputs), dtype=np.int64)
    wanted_counts = np.zeros_like(counts)
    wanted_counts[neurons_here] = 1  # the others stand on the sheets of other column tiles
    return faults + [
        f"layer {ids.number}, neuron {int(neuron)} has {int(counts[neuron])} cells here"
        for neuron in np.flatnonzero(counts != wanted_counts)
    ]


def _place(found: Extraction, solid: int) -> str:
    conductors = found.conductors
    box = ", ".join(str(v) for v in conductors.solids.boxes[solid].tolist())
    return f"{conductors.layer[solid]} of sheet {conductors.sheet[solid] + 1} at ({box}) nm"


def _fail(layout: Layout, faults: list[str]) -> None:
    more = f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
    raise LayoutError(
        f"layout {layout.name} does not connect what its crossbar connects: " + "; ".join(faults[:SHOWN]) + more
    )
