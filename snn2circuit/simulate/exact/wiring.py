"""A circuit read as groups of columns: crossbars with the cells on their bit lines, in the order signals pass through.

A *group* is a crossbar, or several on the same bit lines, with one cell per column. Everything that reaches it comes
over word lines, and every word line is a multiple of the group's drive clock in each slot: an input, a bias, or a
latched spike of an earlier group. So a group needs one number per word line and slot, and the network's structure is in
the conductances alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from snn2circuit.errors import CircuitNotLinear
from snn2circuit.ir.circuit import (
    GROUND,
    Circuit,
    Crossbar,
    Element,
    GatedVoltage,
    Instance,
    NortonCrossbar,
    PiecewiseSource,
    PulseSource,
    Resistor,
    Subcircuit,
    VoltageGain,
)
from snn2circuit.ir.noun import Floats
from snn2circuit.simulate.crossbar import reduce_crossbar
from snn2circuit.simulate.exact.cell import read_cell
from snn2circuit.simulate.exact.clocks import Clock, read_clock
from snn2circuit.simulate.exact.columns import Columns
from snn2circuit.simulate.exact.nodal import Load
from snn2circuit.simulate.joints import join_crossbars


@dataclass(frozen=True)
class Line:
    """A word line: fixed heights per slot, or the latched spike of a column."""

    node: str
    volts: Floats  # (slots,), V; of a spike line its height in every slot with a spike
    spike: tuple[int, int] | None = None  # (group, column)


@dataclass(frozen=True)
class Group:
    """Crossbars on common bit lines, and the cells of their columns."""

    name: str
    columns: Columns  # the cells
    drive: Clock  # course of the word lines
    lines: tuple[Line, ...]
    transfer: Floats  # (lines, columns·bits), S: current into the bit lines per volt of a word line
    load: Load
    spike: int  # index of the latched bit that is the neuron's spike
    membrane: str  # node of the cell that is the neuron's membrane
    ports: Mapping[str, tuple[int, str]]  # column and cell node of every node outside


@dataclass
class _Parts:
    """The elements of a circuit by what they are."""

    clocks: dict[str, Clock] = field(default_factory=dict)
    sources: dict[str, Element] = field(default_factory=dict)
    arrays: list[Crossbar | NortonCrossbar] = field(default_factory=list)
    joints: list[Resistor] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)


def read_circuit(circuit: Circuit, slots: int) -> list[Group]:
    """The groups of a circuit, each after those whose spikes it takes.

    Args:
        circuit: with the stimulus of one sample.
        slots: how many slots the heights of the word lines are needed for.

    Raises:
        CircuitNotLinear: the circuit is not of the form that the module's text describes.
    """
    slot = circuit.readout.timing.slot
    parts = _sort(circuit, slot)
    cells = {each.name: each for each in circuit.subcircuits}
    membranes = {node for layer in circuit.readout.membranes for node in layer}
    spikes = {node for layer in circuit.readout.spikes for node in layer}
    arrays = _share_bits(_join(parts))
    on_bits = {bit: number for number, group in enumerate(arrays) for array in group for bit in array.bits}
    members: dict[int, list[Instance]] = {}
    for instance in parts.instances:
        numbers = {on_bits[node] for node in instance.nodes if node in on_bits}
        if len(numbers) != 1:
            raise CircuitNotLinear(f"cell {instance.name} is connected to the bit lines of {len(numbers)} crossbars")
        members.setdefault(numbers.pop(), []).append(instance)
    owners: dict[str, tuple[int, int]] = {}  # spike node to (group, column)
    drafts: dict[int, tuple[Columns, dict[str, tuple[int, str]], int, str]] = {}
    for number, group in members.items():
        bits = {bit for array in arrays[number] for bit in array.bits}
        columns, ports = _columns(group, cells, parts.clocks, bits, slot)
        found = {p: c for node, (c, p) in ports.items() if node in spikes}
        membrane = {p for node, (_, p) in ports.items() if node in membranes}
        holds = {hold.node: index for index, hold in enumerate(columns.holds)}
        if len(found) != 1 or len(membrane) != 1 or next(iter(found)) not in holds:
            raise CircuitNotLinear(
                f"{columns.name}: the readout needs one membrane and one latched spike of each cell, at the same ports"
            )
        spike = next(iter(found))
        owners |= {node: (number, column) for node, (column, port) in ports.items() if port == spike}
        drafts[number] = (columns, ports, holds[spike], membrane.pop())
    groups = []
    for number, (columns, ports, spike_bit, membrane_port) in drafts.items():
        nodes = [line for array in arrays[number] for line in array.word_lines]
        drive = _drive(nodes, parts, slot)
        lines = tuple(_line(node, parts, owners, drive, slots) for node in nodes)
        transfer, load = _admittance(arrays[number], ports, columns.bits)
        hold = columns.holds[spike_bit]
        if not drive.idle(*hold.busy):
            raise CircuitNotLinear(f"{columns.name}: its spike at {hold.node} may change while word lines are driven")
        groups.append(
            Group(
                name=arrays[number][0].name, columns=columns, drive=drive, lines=lines, transfer=transfer, load=load,
                spike=spike_bit, membrane=membrane_port, ports=ports,
            )
        )  # fmt: skip
    return _in_order(groups, list(drafts))


def _sort(circuit: Circuit, slot: float) -> _Parts:
    parts = _Parts()
    for block in (*circuit.stimulus, *circuit.network):
        for element in block.elements:
            match element:
                case PulseSource():
                    parts.clocks[element.out] = read_clock(element, slot)
                case VoltageGain() | GatedVoltage() | PiecewiseSource():
                    parts.sources[element.out] = element
                case Crossbar() | NortonCrossbar():
                    parts.arrays.append(element)
                case Resistor():
                    parts.joints.append(element)
                case Instance():
                    parts.instances.append(element)
                case _:
                    raise CircuitNotLinear(
                        f"{element.name} is a {type(element).__name__} outside of all cells; the exact solver takes "
                        "clocks, word line sources, crossbars and cells there"
                    )
    return parts


def _join(parts: _Parts) -> list[Crossbar | NortonCrossbar]:
    """The crossbars, with resistors between their bit lines folded in."""
    ends = {node for instance in parts.instances for node in instance.nodes}
    arrays, waiting = list(parts.arrays), list(parts.joints)
    while waiting:
        nodes, group = {waiting[0].a, waiting[0].b}, [waiting[0]]
        touched: list[Crossbar | NortonCrossbar] = []
        while True:
            touched += [each for each in arrays if each not in touched and nodes & set(each.bits)]
            reached = {bit for each in touched for bit in each.bits} | {
                node for each in group for node in (each.a, each.b)
            }
            group += [each for each in waiting if each not in group and {each.a, each.b} & (reached - ends)]
            if nodes == reached:
                break
            nodes = reached
        if not touched or not nodes & ends:
            raise CircuitNotLinear(
                f"{waiting[0].name} is a Resistor that joins no crossbar to a cell; the exact solver takes none else "
                "outside of all cells"
            )
        arrays = [each for each in arrays if each not in touched] + [join_crossbars(touched, group, ends).array]
        waiting = [each for each in waiting if each not in group]
    return arrays


def _share_bits(arrays: list[Crossbar | NortonCrossbar]) -> list[list[Crossbar | NortonCrossbar]]:
    """Crossbars that have a bit line in common, together."""
    groups: list[list[Crossbar | NortonCrossbar]] = []
    for array in arrays:
        bits = set(array.bits)
        touching = [group for group in groups if any(bits & set(other.bits) for other in group)]
        groups = [group for group in groups if group not in touching]
        groups.append([other for group in touching for other in group] + [array])
    return groups


def _columns(
    instances: list[Instance],
    cells: Mapping[str, Subcircuit],
    clocks: Mapping[str, Clock],
    bits: set[str],
    slot: float,
) -> tuple[Columns, dict[str, tuple[int, str]]]:
    """The cells that the instances are, and where the nodes around them enter."""
    wirings: dict[tuple[str, tuple[tuple[str, str], ...], tuple[str, ...]], int] = {}
    kinds = []
    ports: dict[str, tuple[int, str]] = {}
    for column, instance in enumerate(instances):
        subcircuit = cells[instance.subcircuit]
        pairs = list(zip(subcircuit.ports, instance.nodes, strict=True))
        wiring = (
            instance.subcircuit,
            tuple((port, node) for port, node in pairs if node in clocks),
            tuple(port for port, node in pairs if node in bits),
        )
        kinds.append(wirings.setdefault(wiring, len(wirings)))
        for port, node in pairs:
            if node in clocks:
                continue
            if node in ports or node == GROUND:
                raise CircuitNotLinear(
                    f"cell {instance.name}: its port {port} is at {node}, as another port is; cells may only meet on "
                    "word lines"
                )
            ports[node] = (column, port)
    read = tuple(
        read_cell(cells[name], cells, {port: clocks[node] for port, node in clocked}, on_bits, slot)
        for name, clocked, on_bits in wirings
    )
    return Columns(cells=read, kinds=np.array(kinds, dtype=np.int64)), ports


def _drive(nodes: list[str], parts: _Parts, slot: float) -> Clock:
    """The course of the word lines, of unit height."""
    for node in nodes:
        source = parts.sources.get(node)
        name = node if source is None else getattr(source, "gate", getattr(source, "plus", ""))
        if name in parts.clocks:
            return replace(parts.clocks[name], high=1.0)
    for node in nodes:
        source = parts.sources.get(node)
        if isinstance(source, PiecewiseSource):
            for clock in parts.clocks.values():
                if _heights(source, clock, 1) is not None:
                    return replace(clock, high=1.0)
    raise CircuitNotLinear(f"no word line of {nodes[0]}, ... is driven by a clock or by a multiple of one")


def _line(
    node: str, parts: _Parts, owners: Mapping[str, tuple[int, int]], drive: Clock, slots: int
) -> Line:  # fmt: skip
    """The heights of a word line in multiples of the drive clock's unit."""
    source = parts.sources.get(node)
    match source:
        case None if node in parts.clocks and parts.clocks[node].same_course(drive):
            return Line(node=node, volts=_steps(parts.clocks[node], parts.clocks[node].high, slots))
        case VoltageGain(plus=plus, minus=minus, gain=gain) if minus == GROUND and plus in parts.clocks:
            clock = parts.clocks[plus]
            if clock.same_course(drive):
                return Line(node=node, volts=_steps(clock, gain * clock.high, slots))
        case PiecewiseSource():
            heights = _heights(source, drive, slots)
            if heights is not None:
                return Line(node=node, volts=heights)
        case GatedVoltage(enable=enable, gate=gate, amplitude=amplitude) if enable in owners and gate in parts.clocks:
            clock = parts.clocks[gate]
            if clock.same_course(drive):
                return Line(node=node, volts=_steps(clock, amplitude * clock.high, slots), spike=owners[enable])
        case _:
            pass
    raise CircuitNotLinear(
        f"word line {node} is not a clock, a multiple of one, or a clock gated by a latched spike; the exact solver "
        f"needs the course of {drive.name} times a number in every slot"
    )


def _steps(clock: Clock, height: float, slots: int) -> Floats:
    """``height`` in every slot in which the clock is running."""
    heights: Floats = np.where(np.arange(slots) >= clock.first, height, 0.0)
    return heights


def _heights(source: PiecewiseSource, clock: Clock, slots: int) -> Floats | None:
    """Height in every slot of a source that is a multiple of a clock's course, else ``None``."""
    slot = clock.slot
    starts = np.arange(slots) * slot
    top = (clock.corners[1] + clock.corners[2]) / 2
    heights = np.interp(starts + top, source.times, source.volts).astype(np.float64)
    a, b, c, d = clock.corners
    if d > slot:
        return None
    own = source.times[source.times < slots * slot]
    instants = np.concatenate([own, (starts[:, None] + np.array([a, b, c, d])).ravel()])
    number = np.minimum((instants / slot).astype(np.int64), slots - 1)
    course = np.interp(instants - number * slot, [a, b, c, d], [0.0, 1.0, 1.0, 0.0])
    wrong = np.abs(np.interp(instants, source.times, source.volts) - heights[number] * course)
    return heights if wrong.max() <= 1e-9 * max(np.abs(source.volts).max(), 1e-30) else None


def _admittance(
    arrays: list[Crossbar | NortonCrossbar], ports: Mapping[str, tuple[int, str]], bits: tuple[str, ...]
) -> tuple[Floats, Load]:
    """Short-circuit currents per word line and conductances of the bit lines, in the order of the cells."""
    columns = 1 + max(column for column, _ in ports.values())
    width = columns * len(bits)
    transfers, load = [], np.zeros((width, width))
    for array in arrays:
        places = []
        for bit in array.bits:
            if bit not in ports:
                raise CircuitNotLinear(f"bit line {bit} of crossbar {array.name} ends at no cell")
            column, port = ports[bit]
            places.append(column * len(bits) + bits.index(port))
        reduced = array if isinstance(array, NortonCrossbar) else reduce_crossbar(array)
        transfer = np.zeros((len(array.word_lines), width))
        transfer[:, places] = reduced.transfer
        transfers.append(transfer)
        load[np.ix_(places, places)] += reduced.load
    joined = bool(np.any(load - np.diag(np.diag(load))))
    each = load if joined else np.diag(load).reshape(columns, len(bits))
    return np.vstack(transfers), Load(siemens=each, columns=columns, joined=joined)


def _in_order(groups: list[Group], numbers: list[int]) -> list[Group]:
    """Groups after those they take spikes of, and lines that count groups in that order."""
    waiting = dict(zip(numbers, groups, strict=True))
    order: list[int] = []
    while waiting:
        ready = [
            number
            for number, group in waiting.items()
            if all(line.spike is None or line.spike[0] in order for line in group.lines)
        ]
        if not ready:
            raise CircuitNotLinear("the crossbars form a loop; the exact solver takes feed-forward circuits")
        order += ready
        for number in ready:
            del waiting[number]
    place = {number: index for index, number in enumerate(order)}
    by_number = dict(zip(numbers, groups, strict=True))
    return [_renumber(by_number[number], place) for number in order]


def _renumber(group: Group, place: Mapping[int, int]) -> Group:
    lines = tuple(
        line if line.spike is None else replace(line, spike=(place[line.spike[0]], line.spike[1]))
        for line in group.lines
    )
    return replace(group, lines=lines)
