"""Layout versus schematic: is the circuit that the masks make the crossbar's circuit?

The masks' netlist comes from :mod:`snn2circuit.layout.signoff.extract`, the intended one from the crossbar: nets by
name (:mod:`snn2circuit.layout.nets`), one device between every word line and every bit line of a layer, one cell a
neuron. As net names say layer, row and column, the comparison is exact and needs no graph matching:

1. Every extracted net has one name, every name one net: no short, no open, nothing missing, nothing unknown.
2. Between word line ``i`` and each bit line of column ``j`` there is exactly one device, whatever ``i`` and ``j``.
3. It stands where the placement table says, so that it is programmed or printed with its own conductance. A patch has
   the area of a crossing of two lines. A resistor in the plane has the crossbar's conductance: ``1 / (N · Rs)``, with
   its squares ``N`` as measured on the masks and the ink's ``Rs``, may differ by rounding, a thousandth of what the
   drop grid can tell apart. A crossbar has such values once its pairs are printable ones
   (:mod:`snn2circuit.mapping.pairs`).
4. The cell of every neuron touches its own pair of bit lines, the net it drives, all rails, and nothing else.
5. Every layer has the planned shapes (:mod:`snn2circuit.layout.signoff.shapes`): a contact finger that is cut off, a
   via beside another one or a cover that is too narrow changes no net, and is a fault all the same.

A patch's conductance is not in its shape: all are drawn alike, the value is written into them afterwards or set by the
ink. So masks with patches can be checked for place and footprint, not for conductance. Those of resistors are part of
the report: what is measured is what is printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from snn2circuit.errors import LayoutError
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.layout import Layout
from snn2circuit.ir.noun import Floats, Ints, noun
from snn2circuit.layout.resistors import Resistors, plan_resistors
from snn2circuit.layout.rules import read_rules
from snn2circuit.layout.signoff.extract import ExtractedNetlist, extract_netlist
from snn2circuit.layout.signoff.lines import Lines, Where
from snn2circuit.layout.signoff.planned import Box, Planned
from snn2circuit.layout.signoff.shapes import Difference, compare_shapes, find_bridges
from snn2circuit.layout.signoff.stack import Place, read_masks
from snn2circuit.units import engineering

_Wrong = dict[int, tuple[str, str]]  # device as found: kind of fault, how
Conductances = tuple[tuple[Floats, Floats], ...]  # layer by layer, positive and negative, (rows, columns), S
ROUNDING = 1e-3  # of half a step of the drop grid


@noun
class Fault:
    """One difference between masks and crossbar."""

    kind: str  # short, open, net, device, size, place, conductance, cell or shape
    text: str
    sheet: int  # from 1
    mask: str  # process layer
    box: Box  # nm, where in the masks; of what is missing, in the plan
    layer: int | None = None  # of the network, from 1
    row: int | None = None
    column: int | None = None
    polarity: int | None = None


@noun
class LvsReport:
    """What a comparison found."""

    nets: int  # extracted
    devices: int
    cells: int
    faults: tuple[Fault, ...]
    conductance_error: float | None = None  # largest of a resistor as measured, relative; none where all are patches
    tolerance: int = 0  # nm, within which places and outlines are judged: a pixel of a bitmap
    conductances: Conductances | None = None  # of resistors as measured, NaN for what is none; None as above

    @property
    def match(self) -> bool:
        """No fault."""
        return not self.faults


def compare_masks(path: Path, layout: Layout, crossbar: CrossbarNetwork) -> LvsReport:
    """Compare the mask file ``path`` with ``crossbar`` and with the placement of its devices in ``layout``.

    Raises:
        LayoutError: the file cannot be read or is not in the layout's process, or the layout is of another crossbar.
    """
    return compare_netlist(extract_netlist(read_masks(path, layout.process, layout)), layout, crossbar)


def compare_netlist(found: ExtractedNetlist, layout: Layout, crossbar: CrossbarNetwork) -> LvsReport:
    """:func:`compare_masks` of a netlist that is extracted already."""
    lines, planned = Lines(crossbar, layout.mode), Planned(layout)
    intended = _Intended(layout, lines)
    shapes = compare_shapes(found.stack, planned, lines.describe)
    rules = read_rules(layout.process)
    resistors = plan_resistors(crossbar, layout.process, rules)
    own, line_faults = _own_devices(found, lines, intended, {(s.sheet, s.mask) for s in shapes if s.whole})
    wrong, error, measured = (
        (_wrong_areas(found, own, rules.width), None, None)
        if resistors is None
        else _wrong_conductances(found, own, intended, resistors)
    )
    faults = [
        *(_shape_fault(shape, lines) for shape in shapes),
        *_net_faults(found, lines, planned),
        *line_faults,
        *_place_faults(found, intended, own, wrong),
        *(intended.fault(kind, int(own[device]), how) for device, (kind, how) in wrong.items()),
        *_cell_faults(found, lines, planned),
    ]
    return LvsReport(
        nets=len(found.nets),
        devices=len(found.devices.sheets),
        cells=len(found.cells),
        faults=tuple(faults),
        conductance_error=error,
        tolerance=found.stack.tolerance,
        conductances=None if measured is None else intended.by_layer(measured),
    )


class _Intended:
    """Every device that should be there, one entry each: its lines by number, its name, its outline."""

    def __init__(self, layout: Layout, lines: Lines) -> None:
        first_bit, tables = 0, []
        index = {name: position for position, name in enumerate(lines.word)}
        full = []
        for number, layer in enumerate(lines.crossbar.layers, start=1):
            word_of = np.array([[index[name] for name in run] for run in lines.runs(number)])
            part_of = np.searchsorted(layer.column_cuts, np.arange(layer.columns), side="right")
            for sheet_number, sheet in enumerate(layout.sheets, start=1):
                for plane, devices in enumerate(sheet.planes if sheet.network_layer == number - 1 else ()):
                    side = (devices.polarity < 0).astype(np.int64)
                    word, bit = word_of[part_of[devices.columns], devices.rows], first_bit + 2 * devices.columns + side
                    names = np.full(len(word), number), devices.rows, devices.columns, devices.polarity
                    where = np.full(len(word), sheet_number), np.full(len(word), plane)
                    tables.append(np.column_stack([word, bit, *names, *where, devices.boxes[:, [0, 1, 3, 4]]]))
            pairs = np.indices((layer.rows, 2 * layer.columns)).reshape(2, -1)
            full.append(word_of[part_of[pairs[1] // 2], pairs[0]] * len(lines.bit) + first_bit + pairs[1])
            first_bit += 2 * layer.columns
        table = np.concatenate(tables)
        key = table[:, 0] * len(lines.bit) + table[:, 1]
        if not np.array_equal(np.sort(key), np.sort(np.concatenate(full))):
            raise LayoutError(f"layout {layout.name} does not place the devices of crossbar {lines.crossbar.name}")
        self.word, self.bit = table[:, 0], table[:, 1]
        self.layer, self.row, self.column, self.polarity = table[:, 2:6].T
        side = (self.polarity < 0).astype(np.int64)
        self.conductance = np.empty(len(table))
        for number, layer in enumerate(lines.crossbar.layers, start=1):
            here = self.layer == number
            self.conductance[here] = np.stack(layer.programmed)[side[here], self.row[here], self.column[here]]
        self.sheet, self.plane, self.boxes = table[:, 6], table[:, 7], table[:, 8:]
        self.masks = [layer.name for layer in layout.process.device_layers]

    def by_layer(self, values: Floats) -> Conductances:
        """One value a device as arrays of each layer, positive and negative."""
        found = []
        for number in range(1, int(self.layer.max()) + 1):
            mine = self.layer == number
            pair = np.full((2, int(self.row[mine].max()) + 1, int(self.column[mine].max()) + 1), np.nan)
            pair[(self.polarity[mine] < 0).astype(np.int64), self.row[mine], self.column[mine]] = values[mine]
            found.append((pair[0], pair[1]))
        return tuple(found)

    def fault(self, kind: str, device: int, how: str) -> Fault:
        """A fault of device ``device``."""
        place = int(self.sheet[device]), self.masks[self.plane[device]]
        layer, row, column, polarity = (
            int(values[device]) for values in (self.layer, self.row, self.column, self.polarity)
        )
        x0, y0, x1, y1 = self.boxes[device].tolist()
        sign = "+" if polarity > 0 else "-"
        return Fault(
            kind=kind,
            text=f"device of layer {layer}, row {row}, column {column}, polarity {sign} {how}{_on(place)}",
            sheet=place[0],
            mask=place[1],
            layer=layer,
            row=row,
            column=column,
            polarity=polarity,
            box=(x0, y0, x1, y1),
        )


def _shape_fault(shape: Difference, lines: Lines) -> Fault:
    """A difference from the plan, with the place in the network of the device, line or cell that it is of."""
    owner = shape.owner
    of_line: Where = next(filter(None, map(lines.where, owner.nets)), Where())
    where = (owner.layer, owner.row, owner.column, owner.polarity)
    if owner.layer is None:
        where = (of_line.get("layer"), of_line.get("row"), of_line.get("column"), of_line.get("polarity"))
    layer, row, column, polarity = where
    return Fault(
        kind="shape",
        text=shape.text,
        sheet=shape.sheet,
        mask=shape.mask,
        box=shape.box,
        layer=layer,
        row=row,
        column=column,
        polarity=polarity,
    )


def _net_faults(found: ExtractedNetlist, lines: Lines, planned: Planned) -> Iterator[Fault]:
    owners: dict[str, list[int]] = {}
    shorts = [names for names in found.nets if len(names) > 1]
    bridges = list(find_bridges(found.stack, planned)) if shorts else []
    for index, names in enumerate(found.nets):
        for name in names:
            owners.setdefault(name, []).append(index)
        if len(names) == 1:
            continue
        place, box = found.net_place(index)
        if names:
            place, box = next(((at, edges) for at, edges, nets in bridges if len(nets & set(names)) > 1), (place, box))
            text = f"short between {' and '.join(map(lines.describe, names))} at {_at(box)}{_on(place)}"
            yield Fault(kind="short", text=text, sheet=place[0], mask=place[1], box=box, **lines.where(names[0]))
        else:
            devices = int(((found.devices.below == index) | (found.devices.above == index)).sum())
            text = f"conductor without a name at {_at(box)}, {devices} devices on it: cut off its line or out of place"
            yield Fault(kind="open", text=text + _on(place), sheet=place[0], mask=place[1], box=box)
    for name in lines.names:
        if name not in owners:
            place, box = planned.net_place(name)
            text = f"net {lines.describe(name)} is not in the masks, planned at {_at(box)}{_on(place)}"
            yield Fault(kind="net", text=text, sheet=place[0], mask=place[1], box=box, **lines.where(name))
        elif len(owners[name]) > 1:
            places = [found.net_place(index) for index in owners[name]]
            pieces = ", ".join(f"{_at(box)}{_on(place)}" for place, box in places)
            text = f"net {lines.describe(name)} is open, it falls into {len(places)} pieces: {pieces}"
            place, box = places[0]
            yield Fault(kind="open", text=text, sheet=place[0], mask=place[1], box=box, **lines.where(name))
    for name in sorted(owners.keys() - set(lines.names)):
        place, box = found.net_place(owners[name][0])
        text = f"net {name} of the masks is not in the crossbar: it lies at {_at(box)}{_on(place)}"
        yield Fault(kind="net", text=text, sheet=place[0], mask=place[1], box=box)


def _own_devices(
    found: ExtractedNetlist, lines: Lines, intended: _Intended, gone: set[Place]
) -> tuple[Ints, list[Fault]]:
    """Which intended device each one found is, by its lines, or -1; and what is missing, too many or between others.

    Devices whose own mask is ``gone`` as a whole are not told one by one.
    """
    devices, faults = found.devices, []
    # Lines that a short joins count as one, the first of them: the short itself is told already.
    word_of, same_word = _line_numbers(found, list(lines.word))
    bit_of, same_bit = _line_numbers(found, list(lines.bit))
    wanted = same_word[intended.word] * len(lines.bit) + same_bit[intended.bit]
    # Above the bit lines a tile lies upside down.
    word = np.maximum(word_of[devices.below], word_of[devices.above])
    bit = np.maximum(bit_of[devices.below], bit_of[devices.above])
    held = np.where((word >= 0) & (bit >= 0), word * len(lines.bit) + bit, -1)

    keys, first, expected = np.unique(wanted, return_index=True, return_counts=True)
    at = np.minimum(np.searchsorted(keys, held), len(keys) - 1)
    known = keys[at] == held
    count = np.bincount(at[known], minlength=len(keys))
    for key in np.flatnonzero(count != expected):
        device = int(first[key])
        if (int(intended.sheet[device]), intended.masks[intended.plane[device]]) in gone:
            continue
        how = "is missing" if count[key] < expected[key] else f"is there {count[key]} times"
        faults.append(intended.fault("device", device, how))
    for device in np.flatnonzero(~known).tolist():
        ends = (found.nets[net[device]] for net in (devices.below, devices.above))
        said = " and ".join("/".join(map(lines.describe, names)) or "a conductor without a name" for names in ends)
        x, y = devices.places[device].tolist()
        place = int(devices.sheets[device]), intended.masks[devices.planes[device]]
        text = f"device at ({x}, {y}) nm joins {said}{_on(place)}"
        faults.append(Fault(kind="device", text=text, sheet=place[0], mask=place[1], box=(x, y, x, y)))
    single = known & (count[at] == 1) & (expected[at] == 1)
    return np.where(single, first[at], -1), faults


def _place_faults(found: ExtractedNetlist, intended: _Intended, own: Ints, wrong: _Wrong) -> Iterator[Fault]:
    devices = found.devices
    centres = intended.boxes[:, :2] + intended.boxes[:, 2:]  # twice the centre, so that it stays whole
    away = np.abs(2 * devices.places - centres[own]).max(axis=1, initial=0) > 2 + found.slack
    elsewhere = (devices.sheets != intended.sheet[own]) | (devices.planes != intended.plane[own])
    for device in np.flatnonzero((own >= 0) & (away | elsewhere)):
        if int(device) not in wrong:
            x, y = devices.places[device].tolist()
            side = " above its bit lines" if devices.planes[device] else ""
            how = (
                f"stands on sheet {devices.sheets[device]}{side} at ({x}, {y}) nm, not where the placement table has it"
            )
            yield intended.fault("place", int(own[device]), how)


def _wrong_areas(found: ExtractedNetlist, own: Ints, width: int) -> _Wrong:
    """Patches that do not fill a crossing of two lines, ``width`` wide each."""
    areas = found.devices.areas
    least, most = max(0, width - found.slack) ** 2, (width + found.slack) ** 2
    return {
        int(device): ("size", f"has an area of {areas[device]} nm2, a crossing has {width**2}")
        for device in np.flatnonzero((own >= 0) & ((areas < least) | (areas > most)))
    }


def _wrong_conductances(
    found: ExtractedNetlist, own: Ints, intended: _Intended, resistors: Resistors
) -> tuple[_Wrong, float, Floats]:
    """Resistors whose squares give another conductance than the crossbar's; the largest error of the others; all, S."""
    squares, ink, trace, wrong, largest = found.devices.squares, resistors.ink.value, resistors.trace, {}, 0.0
    measured = np.full(len(intended.conductance), np.nan)
    for device in np.flatnonzero(own >= 0).tolist():
        drawn, wanted = float(squares[device]), float(intended.conductance[own[device]])
        tolerance = trace.tolerance(1 / (wanted * ink))
        if not drawn > 0:
            how = "is a patch, not a resistor" if drawn == 0 else "is no strip of one width, so its squares are unknown"
            wrong[device] = "size", how
            continue
        measured[own[device]] = 1 / (drawn * ink)
        error = 1 / (drawn * ink * wanted) - 1
        off = abs(1 / (1 + error) - 1)
        if off > ROUNDING * tolerance:
            how = (
                f"has {drawn:.6g} squares, {engineering(1 / (drawn * ink), 'S')} in the ink of {ink:g} ohm/sq; the "
                f"crossbar has {engineering(wanted, 'S')}: {100 * error:+.3g} %"
            )
            if off <= tolerance * (1 + ROUNDING):
                how += ", which no drop grid can print: map it for this process, or put its pairs on printable values"
            wrong[device] = "conductance", how
        else:
            largest = max(largest, abs(error))
    return wrong, largest, measured


def _line_numbers(found: ExtractedNetlist, names: list[str]) -> tuple[Ints, Ints]:
    """Number of the line in ``names`` that each net is, or -1; and for each line the first it is shorted to."""
    number = {name: index for index, name in enumerate(names)}
    line_of, same = np.full(len(found.nets) + 1, -1), np.arange(len(names))
    for net, labels in enumerate(found.nets):
        lines = sorted(number[label] for label in labels if label in number)
        if lines:
            line_of[net] = same[lines[0]]
            same[lines] = same[lines[0]]
    return line_of, same


def _cell_faults(found: ExtractedNetlist, lines: Lines, planned: Planned) -> Iterator[Fault]:
    missing = {lines.bit[name][:2]: name for name in lines.bit}
    for cell in found.cells:
        sheet, mask, box, on = cell.sheet, cell.mask, cell.box, _on((cell.sheet, cell.mask))
        touched = {name for net in cell.nets for name in found.nets[net]}
        owners = [lines.bit[name][:2] for name in touched if name in lines.bit]
        if not owners:
            text = f"cell at {_at(box)} has no bit line{on}"
            yield Fault(kind="cell", text=text, sheet=sheet, mask=mask, box=box)
            continue
        layer, column = max(sorted(set(owners)), key=owners.count)
        missing.pop((layer, column), None)
        wanted = lines.pins(layer, column)
        for kind, names in (("does not touch", wanted - touched), ("touches", touched - wanted)):
            for name in sorted(names):
                text = f"cell of layer {layer}, column {column} {kind} net {lines.describe(name)}{on}"
                yield Fault(kind="cell", text=text, sheet=sheet, mask=mask, box=box, layer=layer, column=column)
    for (layer, column), bit_line in sorted(missing.items()):
        place, box = planned.cell_place(bit_line)
        text = f"cell of layer {layer}, column {column} is missing, planned at {_at(box)}{_on(place)}"
        yield Fault(kind="cell", text=text, sheet=place[0], mask=place[1], box=box, layer=layer, column=column)


def _on(place: Place) -> str:
    return f" (sheet {place[0]}, {place[1]})"


def _at(box: Box) -> str:
    return f"({box[0]}, {box[1]}) to ({box[2]}, {box[3]}) nm"
