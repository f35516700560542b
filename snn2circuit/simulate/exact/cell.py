"""A neuron cell read as two machines: latched bits that change at known instants, and a linear circuit between them.

*Latched bit.* A capacitor that is reached only through a clocked switch from a comparator, and that is only ever
compared with a threshold, holds one bit. The solver needs no voltage of it, only when it changes:

* its comparator watches another latched bit: it takes that bit over when its switch closes, ``RC ln 2`` later, when the
  capacitor passes half its height;
* its comparator watches a voltage of the linear circuit: it holds what the comparator says when the switch opens, a
  comparator's delay earlier. While the switch is closed the bit follows the comparator and may toggle at any time, so
  nothing may act on it then.

*Everything else* is resistors, capacitors, switches and controlled sources, linear as long as no switch moves; its
switches are moved by clocks and latched bits alone.

What is not of this form is refused with the reason: a comparator that acts outside a sampling window, a latch that
does not settle in its window or does not hold over a slot, two latches that are open at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from snn2circuit.errors import CircuitNotLinear
from snn2circuit.ir.circuit import (
    GROUND,
    Amplifier,
    Capacitor,
    Comparator,
    Element,
    GatedCurrent,
    GatedTransconductance,
    GatedVoltage,
    Instance,
    PulseSource,
    Resistor,
    Subcircuit,
    Switch,
    Transconductance,
    VoltageGain,
)
from snn2circuit.simulate.exact.clocks import Clock, Control, fold, merge, read_clock

ENABLE = 0.5  # V, half a logic level, what gated elements compare their enable with
SETTLED = 20.0  # time constants that a latch needs in its window
HELD = 0.01  # share that a latch may lose in a slot

Analog = (
    Resistor | Capacitor | VoltageGain | Amplifier | Transconductance | GatedTransconductance | Switch | GatedVoltage
    | GatedCurrent
)  # fmt: skip


@dataclass(frozen=True)
class Hold:
    """A latched bit: where it lies, what it is taken from, and when."""

    node: str
    high: float  # V, of a set bit
    instant: float  # s, inside the slot: when it changes
    busy: tuple[float, float]  # s: while it may still toggle or be in motion; the end may lie past the slot's
    farads: float  # of its capacitor
    source: str  # node that its comparator watches
    copies: int | None  # index of the latched bit that it takes over; None: it samples a voltage
    threshold: float  # V, of the comparator
    first: int  # slot from which its clock runs


@dataclass(frozen=True)
class Cell:
    """A subcircuit with its clocks connected."""

    name: str
    bits: tuple[str, ...]  # ports on bit lines
    elements: tuple[Analog, ...]
    clocks: Mapping[str, Clock]  # by node
    holds: tuple[Hold, ...]
    controls: Mapping[str, Control]  # by element name, for switches and gated sources
    active: tuple[int, ...]  # latched bits that act on the linear circuit

    @property
    def slot(self) -> float:
        """Length of a slot, s."""
        return next(iter(self.clocks.values())).slot

    @property
    def instants(self) -> list[float]:
        """Instants of a slot between which the circuit is linear and its clocks are straight lines."""
        found = [self.slot]
        for control in self.controls.values():
            found += control.instants
        for clock in self.driving.values():
            found += clock.instants
        return merge([*found, *(hold.instant for hold in self.holds)], self.slot)

    @property
    def driving(self) -> dict[str, Clock]:
        """Clocks whose voltage, not only whose threshold, enters the linear circuit."""
        used = {node for element in self.elements for node in sensed(element)}
        return {node: clock for node, clock in self.clocks.items() if node in used}


def read_cell(subcircuit: Subcircuit, cells: Mapping[str, Subcircuit], clocks: Mapping[str, Clock],
              bits: tuple[str, ...], slot: float) -> Cell:  # fmt: skip
    """Take a subcircuit apart.

    Args:
        subcircuit: the cell.
        cells: all subcircuits, for those it contains.
        clocks: what drives its ports, by port.
        bits: its ports on bit lines.
        slot: length of a slot, s.

    Raises:
        CircuitNotLinear: it is not of the form that the module's text describes.
    """
    elements = list(flatten(subcircuit, cells))
    clocks = dict(clocks)
    for element in elements:
        if isinstance(element, PulseSource):
            clocks[element.out] = read_clock(element, slot)
    name = subcircuit.name
    comparators = {each.out: each for each in elements if isinstance(each, Comparator)}
    latches = _latches(elements, comparators)
    holds = _order(name, latches, elements, comparators, clocks, slot)
    index = {hold.node: number for number, hold in enumerate(holds)}
    gates = {each.out: each for each in elements if isinstance(each, GatedVoltage)}

    def control(element: Element, node: str, threshold: float) -> Control:
        if node in clocks:
            return Control(threshold, clock=clocks[node])
        if node in index:
            return Control(threshold, scale=holds[index[node]].high, bit=index[node])
        if node in gates and gates[node].gate in clocks and gates[node].enable in index:
            gate = gates[node]
            return Control(threshold, clocks[gate.gate], gate.amplitude, index[gate.enable])
        watched = "the output of a comparator" if node in comparators else "neither clocked nor latched"
        raise CircuitNotLinear(
            f"{name}: {element.name} is switched by {node}, which is {watched}, so it may act at any instant; "
            "latch it, or simulate in ngspice"
        )

    analog, controls = [], {}
    inside = {id(part) for parts in latches.values() for part in parts}
    for element in elements:
        if id(element) in inside or isinstance(element, Comparator | PulseSource):
            continue
        if not isinstance(element, Analog):
            raise CircuitNotLinear(f"{name}: {element.name} is a {type(element).__name__}, which a cell cannot hold")
        for node in (*conducting(element), *sensed(element)):
            if node in comparators or node in index:
                raise CircuitNotLinear(
                    f"{name}: {element.name} takes the voltage of {node}, a logic level that is not followed in time; "
                    "gate a source with it instead, or simulate in ngspice"
                )
        if isinstance(element, Switch):
            controls[element.name] = control(element, element.control, element.threshold)
        elif isinstance(element, GatedVoltage | GatedCurrent):
            controls[element.name] = control(element, element.enable, ENABLE)
        analog.append(element)
    cell = Cell(
        name=name,
        bits=bits,
        elements=tuple(analog),
        clocks=clocks,
        holds=holds,
        controls=controls,
        active=tuple(sorted({each.bit for each in controls.values() if each.bit is not None})),
    )
    _check_quiet(cell)
    for node, clock in cell.driving.items():
        if clock.first > 0 or clock.corners[3] > slot:
            raise CircuitNotLinear(f"{name}: clock {node} drives the circuit and does not lie inside every slot")
    return cell


def flatten(subcircuit: Subcircuit, cells: Mapping[str, Subcircuit]) -> list[Element]:
    """The elements of a subcircuit, those of the subcircuits in it with names and nodes of their own."""
    flat: list[Element] = []
    for block in subcircuit.blocks:
        for element in block.elements:
            if not isinstance(element, Instance):
                flat.append(element)
                continue
            inner = cells[element.subcircuit]
            outside = dict(zip(inner.ports, element.nodes, strict=True))
            flat += [renamed(each, f"{element.name}.", outside) for each in flatten(inner, cells)]
    return flat


def renamed(element: Element, prefix: str, outside: Mapping[str, str]) -> Element:
    """The element inside an instance: its name and inner nodes with the instance's prefix, its ports as connected."""
    changed: dict[str, Any] = {"name": prefix + element.name}
    for field in NODE_FIELDS:
        if isinstance(node := getattr(element, field, None), str) and node != GROUND:
            changed[field] = outside.get(node, prefix + node)
    return replace(element, **changed)


NODE_FIELDS = ("a", "b", "out", "plus", "minus", "control", "gate", "enable")


def conducting(element: Element) -> tuple[str, ...]:
    """Nodes that the element draws current from or fixes."""
    match element:
        case Resistor(a=a, b=b) | Capacitor(a=a, b=b) | Switch(a=a, b=b):
            return a, b
        case _:
            out = getattr(element, "out", None)
            return () if out is None else (out,)


def sensed(element: Element) -> tuple[str, ...]:
    """Nodes whose voltage enters the element's equation, without those it only compares with a threshold."""
    match element:
        case Resistor(a=a, b=b) | Capacitor(a=a, b=b) | Switch(a=a, b=b):
            return a, b
        case VoltageGain(plus=p, minus=m) | Amplifier(plus=p, minus=m) | Transconductance(plus=p, minus=m):
            return p, m
        case GatedTransconductance(control=control, gate=gate):
            return control, gate
        case GatedVoltage(gate=gate) | GatedCurrent(gate=gate):
            return (gate,)
        case _:
            return ()


def _latches(
    elements: Sequence[Element], comparators: Mapping[str, Comparator]
) -> dict[str, tuple[Switch | Capacitor, ...]]:
    """Switch and capacitors of every node that is reached from a comparator through a switch and holds its level."""
    found: dict[str, tuple[Switch | Capacitor, ...]] = {}
    for element in elements:
        if not isinstance(element, Switch):
            continue
        for comparator, node in ((element.a, element.b), (element.b, element.a)):
            if comparator in comparators:
                touching = [each for each in elements if node in conducting(each)]
                caps = [each for each in touching if isinstance(each, Capacitor) and GROUND in (each.a, each.b)]
                if len(touching) == len(caps) + 1 and caps:
                    found[node] = (element, *caps)
    return found


def _order(
    name: str,
    latches: Mapping[str, tuple[Switch | Capacitor, ...]],
    elements: Sequence[Element],
    comparators: Mapping[str, Comparator],
    clocks: Mapping[str, Clock],
    slot: float,
) -> tuple[Hold, ...]:
    nodes = list(latches)
    holds = []
    for node, (switch, *caps) in latches.items():
        if not isinstance(switch, Switch):
            continue
        comparator = comparators[switch.a if switch.b == node else switch.b]
        window = clocks[switch.control].window(switch.threshold) if switch.control in clocks else None
        if window is None:
            raise CircuitNotLinear(f"{name}: the latch at {node} is not opened and closed by a clock")
        farads = sum(cap.farads for cap in caps if isinstance(cap, Capacitor))
        if window[1] - window[0] < SETTLED * switch.r_on * farads or slot > HELD * switch.r_off * farads:
            raise CircuitNotLinear(
                f"{name}: the latch at {node} has {window[1] - window[0]:.3g} s to settle with "
                f"{switch.r_on * farads:.3g} s, and {slot:.3g} s to hold with {switch.r_off * farads:.3g} s; it needs "
                f"{SETTLED:g} time constants to settle and may lose {HELD:g} in a slot"
            )
        copies = nodes.index(comparator.plus) if comparator.plus in latches else None
        if copies is None:
            instant, start = window[1] - comparator.delay, min(window[0], window[1] - comparator.delay)
        else:
            instant = window[0] + comparator.delay + switch.r_on * farads * math.log(2)
            start = window[0]
        holds.append(
            Hold(
                node=node,
                high=comparator.high,
                farads=farads,
                instant=fold(instant, slot),
                busy=(start, window[1]),
                source=comparator.plus,
                copies=copies,
                threshold=comparator.threshold + comparator.offset,
                first=clocks[switch.control].first,
            )
        )
    for hold in holds:
        if hold.copies is not None and _overlap(hold.busy, holds[hold.copies].busy, slot):
            raise CircuitNotLinear(
                f"{name}: the latches at {holds[hold.copies].node} and {hold.node} are open at once, so a comparator "
                "acts through both at any instant; let one close before the other opens"
            )
    return tuple(holds)


def _overlap(one: tuple[float, float], other: tuple[float, float], slot: float) -> bool:
    return any(one[0] < other[1] + turn and other[0] + turn < one[1] for turn in (-slot, 0.0, slot))


def _check_quiet(cell: Cell) -> None:
    """Refuse a latched bit that acts on the circuit while it may still toggle."""
    for element in cell.elements:
        control = cell.controls.get(element.name)
        if control is None or control.bit is None or cell.holds[control.bit].copies is not None:
            continue
        start, end = cell.holds[control.bit].busy
        gate = cell.clocks.get(getattr(element, "gate", "")) or control.clock
        if gate is None or not gate.idle(start, end):
            raise CircuitNotLinear(
                f"{cell.name}: {element.name} follows the latch at {cell.holds[control.bit].node} while its sampling "
                "window is open; take it from a second latch"
            )
