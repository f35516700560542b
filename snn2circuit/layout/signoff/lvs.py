"""Layout versus schematic: is the circuit that the masks make the crossbar's circuit?

The masks' netlist comes from :mod:`snn2circuit.layout.signoff.extract`, the intended one from the crossbar: nets by
name (:mod:`snn2circuit.layout.nets`), one device between every word line and every bit line of a layer, one cell a
neuron. As net names say layer, row and column, the comparison is exact and needs no graph matching:

1. Every extracted net has one name, every name one net: no short, no open, nothing missing, nothing unknown.
2. Between word line ``i`` and each bit line of column ``j`` there is exactly one device, whatever ``i`` and ``j``.
3. It stands where the placement table says, so that it is programmed or printed with its own conductance, and its shape
   has the planned outline. A patch has the area of a crossing of two lines. A resistor in the plane has the crossbar's
   conductance: ``1 / (N · Rs)``, with its squares ``N`` as measured on the masks and the ink's ``Rs``, may differ by
   what the drop grid leaves, half a step of length (:meth:`snn2circuit.layout.meander.Trace.tolerance`).
4. The cell of every neuron touches its own pair of bit lines, the net it drives, all rails, and nothing else.

A patch's conductance is not in its shape: all are drawn alike, the value is written into them afterwards or set by the
ink. So masks with patches can be checked for place and footprint, not for conductance.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from snn2circuit.errors import LayoutError
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.layout import Layout
from snn2circuit.ir.noun import Ints, noun
from snn2circuit.layout.resistors import Resistors, plan_resistors
from snn2circuit.layout.rules import read_rules
from snn2circuit.layout.signoff.extract import ExtractedNetlist, extract_netlist
from snn2circuit.layout.signoff.lines import Lines
from snn2circuit.layout.signoff.stack import read_masks
from snn2circuit.units import engineering

Box = tuple[int, int, int, int]
_Wrong = dict[int, tuple[str, str]]  # device as found: kind of fault, how


@noun
class Fault:
    """One difference between masks and crossbar."""

    kind: str  # short, open, net, device, size, place, conductance or cell
    text: str
    layer: int | None = None  # of the network, from 1
    row: int | None = None
    column: int | None = None
    polarity: int | None = None
    box: Box | None = None  # nm, where in the masks


@noun
class LvsReport:
    """What a comparison found."""

    nets: int  # extracted
    devices: int
    cells: int
    faults: tuple[Fault, ...]
    conductance_error: float | None = None  # largest of a resistor as measured, relative; none where all are patches

    @property
    def match(self) -> bool:
        """No fault."""
        return not self.faults


def compare_masks(path: Path, layout: Layout, crossbar: CrossbarNetwork) -> LvsReport:
    """Compare the mask file ``path`` with ``crossbar`` and with the placement of its devices in ``layout``.

    Raises:
        LayoutError: the file cannot be read or is not in the layout's process, or the layout is of another crossbar.
    """
    return compare_netlist(extract_netlist(read_masks(path, layout.process)), layout, crossbar)


def compare_netlist(found: ExtractedNetlist, layout: Layout, crossbar: CrossbarNetwork) -> LvsReport:
    """:func:`compare_masks` of a netlist that is extracted already."""
    lines = Lines(crossbar, layout.mode)
    intended = _Intended(layout, lines)
    rules = read_rules(layout.process)
    resistors = plan_resistors(crossbar, layout.process, rules)
    own, line_faults = _own_devices(found, lines, intended)
    wrong, error = (
        (_wrong_areas(found, own, rules.width**2), None)
        if resistors is None
        else _wrong_conductances(found, own, intended, resistors)
    )
    faults = [
        *_net_faults(found, lines),
        *line_faults,
        *_place_faults(found, intended, own, wrong),
        *(intended.fault(kind, int(own[device]), how) for device, (kind, how) in wrong.items()),
        *_patch_faults(found, intended),
        *_cell_faults(found, lines),
    ]
    return LvsReport(
        nets=len(found.nets),
        devices=len(found.devices.sheets),
        cells=len(found.cells),
        faults=tuple(faults),
        conductance_error=error,
    )


class _Intended:
    """Every device that should be there, one entry each: its lines by number, its name, its outline."""

    def __init__(self, layout: Layout, lines: Lines) -> None:
        first_word, first_bit, tables = 0, 0, []
        full = []
        for number, layer in enumerate(lines.crossbar.layers, start=1):
            for sheet_number, sheet in enumerate(layout.sheets, start=1):
                for plane, devices in enumerate(sheet.planes if sheet.network_layer == number - 1 else ()):
                    side = (devices.polarity < 0).astype(np.int64)
                    word, bit = first_word + devices.rows, first_bit + 2 * devices.columns + side
                    names = np.full(len(word), number), devices.rows, devices.columns, devices.polarity
                    where = np.full(len(word), sheet_number), np.full(len(word), plane)
                    tables.append(np.column_stack([word, bit, *names, *where, devices.boxes[:, [0, 1, 3, 4]]]))
            pairs = np.indices((layer.rows, 2 * layer.columns)).reshape(2, -1)
            full.append((first_word + pairs[0]) * len(lines.bit) + first_bit + pairs[1])
            first_word, first_bit = first_word + layer.rows, first_bit + 2 * layer.columns
        table = np.concatenate(tables)
        key = table[:, 0] * len(lines.bit) + table[:, 1]
        if not np.array_equal(np.sort(key), np.sort(np.concatenate(full))):
            raise LayoutError(f"layout {layout.name} does not place the devices of crossbar {lines.crossbar.name}")
        self.word, self.bit = table[:, 0], table[:, 1]
        self.layer, self.row, self.column, self.polarity = table[:, 2:6].T
        programmed = [np.stack(layer.programmed) for layer in lines.crossbar.layers]
        self.conductance = np.array(
            [
                programmed[layer - 1][int(polarity < 0), row, column]
                for layer, row, column, polarity in table[:, 2:6].tolist()
            ]
        )
        self.sheet, self.plane, self.boxes = table[:, 6], table[:, 7], table[:, 8:]

    def fault(self, kind: str, device: int, how: str) -> Fault:
        """A fault of device ``device``."""
        layer, row, column, polarity = (
            int(values[device]) for values in (self.layer, self.row, self.column, self.polarity)
        )
        x0, y0, x1, y1 = self.boxes[device].tolist()
        sign = "+" if polarity > 0 else "-"
        return Fault(
            kind=kind,
            text=f"device of layer {layer}, row {row}, column {column}, polarity {sign} {how}",
            layer=layer,
            row=row,
            column=column,
            polarity=polarity,
            box=(x0, y0, x1, y1),
        )


def _net_faults(found: ExtractedNetlist, lines: Lines) -> Iterator[Fault]:
    owners: dict[str, list[int]] = {}
    for index, names in enumerate(found.nets):
        for name in names:
            owners.setdefault(name, []).append(index)
        box = found.net_box(index)
        if len(names) > 1:
            text = "short between " + " and ".join(map(lines.describe, names))
            yield Fault(kind="short", text=text, box=box, **lines.where(names[0]))
        if not names:
            devices = int(((found.devices.below == index) | (found.devices.above == index)).sum())
            text = f"conductor without a name at {_at(box)}, {devices} devices on it: cut off its line or out of place"
            yield Fault(kind="open", text=text, box=box)
    for name in lines.names:
        if name not in owners:
            yield Fault(kind="net", text=f"net {lines.describe(name)} is not in the masks", **lines.where(name))
        elif len(owners[name]) > 1:
            boxes = [found.net_box(index) for index in owners[name]]
            text = (
                f"net {lines.describe(name)} is open, it falls into {len(boxes)} pieces: {', '.join(map(_at, boxes))}"
            )
            yield Fault(kind="open", text=text, box=boxes[0], **lines.where(name))
    for name in sorted(owners.keys() - set(lines.names)):
        text = f"net {name} of the masks is not in the crossbar"
        yield Fault(kind="net", text=text, box=found.net_box(owners[name][0]))


def _own_devices(found: ExtractedNetlist, lines: Lines, intended: _Intended) -> tuple[Ints, list[Fault]]:
    """Which intended device each one found is, by its lines, or -1; and what is missing, too many or between others."""
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
        how = "is missing" if count[key] < expected[key] else f"is there {count[key]} times"
        faults.append(intended.fault("device", int(first[key]), how))
    for device in np.flatnonzero(~known):
        ends = (found.nets[net[device]] for net in (devices.below, devices.above))
        said = " and ".join("/".join(map(lines.describe, names)) or "a conductor without a name" for names in ends)
        x, y = devices.places[device].tolist()
        text = f"device on sheet {devices.sheets[device]} at ({x}, {y}) nm joins {said}"
        faults.append(Fault(kind="device", text=text, box=(x, y, x, y)))
    single = known & (count[at] == 1) & (expected[at] == 1)
    return np.where(single, first[at], -1), faults


def _place_faults(found: ExtractedNetlist, intended: _Intended, own: Ints, wrong: _Wrong) -> Iterator[Fault]:
    devices = found.devices
    centres = intended.boxes[:, :2] + intended.boxes[:, 2:]  # twice the centre, so that it stays whole
    away = np.abs(2 * devices.places - centres[own]).max(axis=1, initial=0) > 2
    elsewhere = (devices.sheets != intended.sheet[own]) | (devices.planes != intended.plane[own])
    for device in np.flatnonzero((own >= 0) & (away | elsewhere)):
        if int(device) not in wrong:
            x, y = devices.places[device].tolist()
            side = " above its bit lines" if devices.planes[device] else ""
            how = (
                f"stands on sheet {devices.sheets[device]}{side} at ({x}, {y}) nm, not where the placement table has it"
            )
            yield intended.fault("place", int(own[device]), how)


def _wrong_areas(found: ExtractedNetlist, own: Ints, area: int) -> _Wrong:
    """Patches that do not fill a crossing of two lines."""
    areas = found.devices.areas
    return {
        int(device): ("size", f"has an area of {areas[device]} nm2, a crossing has {area}")
        for device in np.flatnonzero((own >= 0) & (areas != area))
    }


def _wrong_conductances(
    found: ExtractedNetlist, own: Ints, intended: _Intended, resistors: Resistors
) -> tuple[_Wrong, float]:
    """Resistors whose squares give another conductance than the crossbar's; and the largest error of the others."""
    squares, ink, trace, wrong, largest = found.devices.squares, resistors.ink.value, resistors.trace, {}, 0.0
    for device in np.flatnonzero(own >= 0).tolist():
        drawn, wanted = float(squares[device]), float(intended.conductance[own[device]])
        tolerance = trace.tolerance(1 / (wanted * ink))
        if not drawn > 0:
            how = "is a patch, not a resistor" if drawn == 0 else "is no strip of one width, so its squares are unknown"
            wrong[device] = "size", how
            continue
        error = 1 / (drawn * ink * wanted) - 1
        if abs(1 / (1 + error) - 1) > tolerance * (1 + 1e-6) + 1e-12:
            how = (
                f"has {drawn:.6g} squares, {engineering(1 / (drawn * ink), 'S')} in the ink of {ink:g} ohm/sq; the "
                f"crossbar has {engineering(wanted, 'S')}: {100 * error:+.3g} %, the drop grid explains "
                f"{100 * tolerance:.2g} %"
            )
            wrong[device] = "conductance", how
        else:
            largest = max(largest, abs(error))
    return wrong, largest


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


def _patch_faults(found: ExtractedNetlist, intended: _Intended) -> Iterator[Fault]:
    for (sheet, plane), patches in found.patches.items():
        here = np.flatnonzero((intended.sheet == sheet) & (intended.plane == plane))
        planned = set(map(tuple, intended.boxes[here].tolist()))
        for patch in map(tuple, patches.tolist()):
            if patch in planned:
                continue
            x0, y0, x1, y1 = patch
            a, b, c, d = intended.boxes[here].T
            touched = here[(a < x1) & (c > x0) & (b < y1) & (d > y0)]
            if not len(touched):
                text = f"shape on sheet {sheet} at {_at(patch)} belongs to no device"
                yield Fault(kind="size", text=text, box=patch)
            for device in touched:
                wide, high = intended.boxes[device][2:] - intended.boxes[device][:2]
                how = f"has a shape of {x1 - x0} by {y1 - y0} nm at ({x0}, {y0}), planned is {wide} by {high} nm"
                yield intended.fault("size", int(device), f"{how} at {tuple(intended.boxes[device][:2].tolist())}")


def _cell_faults(found: ExtractedNetlist, lines: Lines) -> Iterator[Fault]:
    missing = {(layer, column) for layer, column, _ in lines.bit.values()}
    for cell in found.cells:
        touched = {name for net in cell.nets for name in found.nets[net]}
        owners = [lines.bit[name][:2] for name in touched if name in lines.bit]
        if not owners:
            yield Fault(
                kind="cell", text=f"cell on sheet {cell.sheet} at {_at(cell.box)} has no bit line", box=cell.box
            )
            continue
        layer, column = max(sorted(set(owners)), key=owners.count)
        missing.discard((layer, column))
        wanted = lines.pins(layer, column)
        for kind, names in (("does not touch", wanted - touched), ("touches", touched - wanted)):
            for name in sorted(names):
                text = f"cell of layer {layer}, column {column} {kind} net {lines.describe(name)}"
                yield Fault(kind="cell", text=text, layer=layer, column=column, box=cell.box)
    for layer, column in sorted(missing):
        text = f"cell of layer {layer}, column {column} is missing"
        yield Fault(kind="cell", text=text, layer=layer, column=column)


def _at(box: Box) -> str:
    return f"({box[0]}, {box[1]}) to ({box[2]}, {box[3]}) nm"
