r"""Modified nodal analysis of the cells of a crossbar: from their elements to ``w' = A w + B u``.

States ``w`` are the capacitors' voltages and the amplifiers' poles; inputs ``u`` are the short-circuit currents of the
bit lines, the clocks, and the constant 1 for offsets. With the states taken as voltage sources the rest is a resistive
network: Kirchhoff's current law at every node and one equation for every branch that fixes a voltage give

::

    M y = R [w; u]        y: node voltages and branch currents
    w'  = K y + L [w; u]  of a capacitor its current over C,
                          of a pole 2 pi GBW · (V(plus) - V(minus) + offset - w/gain)

so ``[A B] = K M⁻¹ R + L`` (C.-W. Ho, A. Ruehli, P. Brennan, "The modified nodal approach to network analysis", IEEE
Trans. Circuits and Systems 22, 1975). A bit line enters by its Norton equivalent, ``I = J - Y V``. A diagonal ``Y``
keeps the columns apart: one small system a column, solved side by side. A full ``Y``, which is what wires and drivers
with resistance make, joins all columns of a crossbar into one system.

Amplifier equations are divided by their gain, so that a gain of 1e8 or more costs no digits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from snn2circuit.errors import CircuitNotLinear
from snn2circuit.ir.circuit import (
    GROUND,
    Amplifier,
    Capacitor,
    GatedCurrent,
    GatedTransconductance,
    GatedVoltage,
    Resistor,
    Switch,
    Transconductance,
    VoltageGain,
)
from snn2circuit.ir.noun import Floats
from snn2circuit.simulate.exact.cell import Cell, conducting, sensed
from snn2circuit.simulate.exact.clocks import Clock
from snn2circuit.simulate.exact.columns import Columns


@dataclass(frozen=True)
class StateSpace:
    """``w' = A w + B u`` and the probes ``P w + Q u``, for a batch of systems."""

    a: Floats  # (systems, states, states)
    b: Floats  # (systems, states, inputs)
    p: Floats  # (systems, probes, states)
    q: Floats  # (systems, probes, inputs)


@dataclass(frozen=True)
class Load:
    """What a crossbar puts on the bit lines of its columns: conductances of the Norton equivalent."""

    siemens: Floats  # (columns, bits) apart; (columns·bits, columns·bits) joined, column by column
    columns: int
    joined: bool


Fixed = VoltageGain | Amplifier | GatedVoltage  # what fixes a voltage and sends a current to do so


class Equations:
    """The unknowns, states and inputs of cells side by side; makes their state space for any position of switches.

    All cells have the same unknowns; one that a cell has not is 0 there, and nothing depends on it.

    A probe is a node, or the current of an element that fixes a voltage (:func:`current_of`).
    """

    def __init__(self, columns: Columns, probes: tuple[str, ...]) -> None:
        self.columns, self.probes = columns, probes
        self.clocks = list(columns.driving)
        nodes: dict[str, None] = {}
        for element in columns.elements:
            for node in (*conducting(element), *sensed(element)):
                if node != GROUND and node not in columns.clocks:
                    nodes[node] = None
        fixed = dict.fromkeys(each.name for each in columns.elements if isinstance(each, Fixed))
        self.branches = {name: len(nodes) + number for number, name in enumerate(fixed)}
        self.nodes = {node: number for number, node in enumerate(nodes)}
        self.unknowns = {**self.nodes, **{current_of(name): row for name, row in self.branches.items()}}
        for node in (*columns.bits, *probes):
            if node not in self.unknowns:
                raise CircuitNotLinear(f"{columns.name}: nothing of the cell's linear circuit is connected to {node}")
        self.capacitors = {pair: number for number, pair in enumerate(_parallel(columns.cells))}
        limits: dict[str, list[tuple[float, float, float]]] = {}
        for element in columns.elements:
            if isinstance(element, Amplifier) and math.isfinite(element.bandwidth):
                limits.setdefault(element.name, []).append((element.low, element.high, element.slew))
        self.poles = {name: _tightest(each) for name, each in limits.items()}
        self.size = len(self.unknowns) + len(self.capacitors)
        self.absent = {cell.name: self._absent(cell) for cell in columns.cells}
        self.controls = tuple(dict.fromkeys(each for cell in columns.cells for each in cell.controls.values()))
        self.gated = tuple(
            dict.fromkeys(
                element.gate
                for element in columns.elements
                if isinstance(element, GatedTransconductance) and element.gate in columns.clocks
            )
        )
        if self.states == 0:
            raise CircuitNotLinear(f"{columns.name}: the cell has no capacitor and so no membrane")

    @property
    def states(self) -> int:
        """Number of states of one cell."""
        return len(self.capacitors) + len(self.poles)

    @property
    def inputs(self) -> int:
        """Number of inputs of one cell: bit lines, clocks, the constant."""
        return len(self.columns.bits) + len(self.clocks) + 1

    def limits(self, drive: Clock) -> tuple[Floats, Floats]:
        """Lowest and highest value of every state at which the circuit is still linear, ``(states,)`` each, V.

        An amplifier's pole must stay between its rails, and must not slew: it follows a drive that rises within the
        shortest edge of a clock or of ``drive``, the word lines', at a fifth of its slew rate or less.
        """
        low, high = np.full(self.states, -np.inf), np.full(self.states, np.inf)
        edges = [clock.corners[1] - clock.corners[0] for clock in (drive, *self.columns.driving.values())]
        for number, (least, most, slew) in enumerate(self.poles.values(), start=len(self.capacitors)):
            reach = 0.2 * slew * min(edges)
            low[number], high[number] = max(least, -reach), min(most, reach)
        return low, high

    def gates(self, instant: float) -> tuple[float, ...]:
        """Clock voltages that multiply a voltage of the circuit at an instant of the slot."""
        return tuple(self.columns.clocks[node].level(instant) for node in self.gated)

    def positions(self, instant: float, bits: Sequence[bool]) -> tuple[bool, ...]:
        """Which switched and gated elements are on, equal ones once."""
        return tuple(control.on(instant, bits) for control in self.controls)

    def solve(self, load: Load, instant: float, bits: Sequence[bool], gates: tuple[float, ...]) -> StateSpace:
        """State space at an instant of the slot, for all columns of a crossbar.

        Args:
            load: what the crossbar puts on the bit lines.
            instant: inside the slot, s; its clocks decide which switches are closed.
            bits: the cell's latched bits, the same in every column.
            gates: as :meth:`gates` gives them, which need not be for the same instant.

        Raises:
            CircuitNotLinear: the circuit has no unique solution.
        """
        kinds, gate = self.columns.kinds, dict(zip(self.gated, gates, strict=True))
        stamps = [self._stamp(cell, instant, bits, gate) for cell in self.columns.cells]
        m, r, k, last = (np.stack(each) for each in zip(*stamps, strict=True))
        m = m[kinds]
        if load.joined or len(stamps) > 1:
            r, k, last = r[kinds], k[kinds], last[kinds]
        ports = np.array([self.nodes[node] for node in self.columns.bits], dtype=np.int64)
        probes = np.array([self.unknowns[probe] for probe in self.probes], dtype=np.int64)
        n, count = self.states, len(ports)
        if load.joined:
            each = np.arange(load.columns)[:, None] * self.size
            ports, probes = (each + ports).ravel(), (each + probes).ravel()
            systems, k = _blocks(m)[None], _blocks(k)
            r, last = (_join(x, n, count) for x in (r, last))
            n *= load.columns
            systems[0][np.ix_(ports, ports)] += load.siemens
        else:
            systems = m
            systems[:, ports, ports] += load.siemens
        try:
            solution = np.linalg.solve(systems, np.broadcast_to(r, (len(systems), *r.shape[-2:])))
        except np.linalg.LinAlgError:
            raise CircuitNotLinear(
                f"{self.columns.name}: its equations have no unique solution; look for a node without a path for "
                "direct current, or a capacitor across a voltage source"
            ) from None
        y: Floats = solution.astype(np.float64, copy=False)
        full = k @ y + last
        return StateSpace(a=full[:, :, :n], b=full[:, :, n:], p=y[:, probes, :n], q=y[:, probes, n:])

    def _absent(self, cell: Cell) -> list[int]:
        """The unknowns that other cells have and this one has not."""
        own = {node for element in cell.elements for node in (*conducting(element), *sensed(element))}
        fixed = {element.name for element in cell.elements if isinstance(element, Fixed)}
        held = _parallel([cell], self.capacitors)
        capacitors = self.size - len(self.capacitors)
        return [
            *(row for node, row in self.nodes.items() if node not in own),
            *(row for name, row in self.branches.items() if name not in fixed),
            *(capacitors + number for pair, number in self.capacitors.items() if pair not in held),
        ]

    def _stamp(
        self, cell: Cell, instant: float, bits: Sequence[bool], gates: Mapping[str, float]
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """``M, R, K, L`` of one cell without its bit lines' load; unknowns that it does not have are 0."""
        n = self.states
        m = np.zeros((self.size, self.size))
        r = np.zeros((self.size, n + self.inputs))
        k, last = np.zeros((n, self.size)), np.zeros((n, n + self.inputs))
        one = n + self.inputs - 1
        column = {node: n + len(cell.bits) + number for number, node in enumerate(self.clocks)}

        def add(row: int | None, node: str, value: float) -> None:
            """``value · V(node)`` on the left of an equation; of ground there is none."""
            if row is None or node == GROUND:
                return
            if node in column:
                r[row, column[node]] -= value
            else:
                m[row, self.nodes[node]] += value

        def law(node: str) -> int | None:
            """The row of Kirchhoff's law at a node; what flows into clocks and ground is not counted."""
            return self.nodes.get(node)

        def conductance(a: str, b: str, siemens: float) -> None:
            for here, there in ((a, b), (b, a)):
                add(law(here), here, siemens)
                add(law(here), there, -siemens)

        def branch(name: str, out: str) -> int:
            """The row of a voltage at ``out``, whose current flows into the node."""
            row = self.branches[name]
            if out in cell.clocks or out == GROUND:
                raise CircuitNotLinear(f"{cell.name}: {name} drives {out}, which has another source")
            m[self.nodes[out], row] -= 1
            add(row, out, 1.0)
            return row

        for port, node in enumerate(cell.bits):
            r[self.nodes[node], n + port] += 1.0
        for element in cell.elements:
            on = cell.controls[element.name].on(instant, bits) if element.name in cell.controls else True
            match element:
                case Resistor():
                    conductance(element.a, element.b, 1 / element.ohms)
                case Switch():
                    conductance(element.a, element.b, 1 / (element.r_on if on else element.r_off))
                case VoltageGain():
                    row = branch(element.name, element.out)
                    _gain(m, r, row, element.gain)
                    add(row, element.plus, -1.0 if element.gain else 0.0)
                    add(row, element.minus, 1.0 if element.gain else 0.0)
                case Amplifier():
                    row = branch(element.name, element.out)
                    m[row, row] += element.r_out
                    if math.isfinite(element.bandwidth):
                        state = len(self.capacitors) + list(self.poles).index(element.name)
                        r[row, state] += 1.0
                        self._pole(k[state], last[state], element, column, state, one)
                    else:
                        m[row] /= element.gain
                        add(row, element.plus, -1.0)
                        add(row, element.minus, 1.0)
                        r[row, one] += element.offset
                case Transconductance():
                    add(law(element.out), element.plus, -element.siemens)
                    add(law(element.out), element.minus, element.siemens)
                case GatedTransconductance():
                    if element.gate not in cell.clocks or element.control in cell.clocks:
                        raise CircuitNotLinear(
                            f"{cell.name}: {element.name} needs a clock for its gate and a voltage of the circuit for "
                            "its control"
                        )
                    add(law(element.out), element.control, -element.siemens * gates[element.gate])
                case GatedVoltage():
                    add(branch(element.name, element.out), element.gate, -element.amplitude if on else 0.0)
                case GatedCurrent():
                    add(law(element.out), element.gate, element.amplitude if on else 0.0)
        for (a, b), farads in _parallel([cell], self.capacitors).items():
            number = self.capacitors[a, b]
            row = self.size - len(self.capacitors) + number
            for node, sign in ((a, 1.0), (b, -1.0)):
                add(row, node, sign)
                if (here := law(node)) is not None:
                    m[here, row] += sign
            r[row, number] += 1.0
            k[number, row] = 1 / farads
        absent = self.absent[cell.name]
        m[absent, absent] = 1.0
        return m, r, k, last

    def _pole(self, k: Floats, last: Floats, each: Amplifier, column: dict[str, int], state: int, one: int) -> None:
        """``w' = 2 pi GBW · (V(plus) - V(minus) + offset - w/gain)``."""
        rate = 2 * math.pi * each.bandwidth
        for node, sign in ((each.plus, rate), (each.minus, -rate)):
            if node in column:
                last[column[node]] += sign
            elif node != GROUND:
                k[self.nodes[node]] += sign
        last[state] -= rate / each.gain
        last[one] += rate * each.offset


def current_of(name: str) -> str:
    """The probe of the current that the amplifier or controlled source ``name`` sends out of its output, A."""
    return f"i({name})"


def _gain(m: Floats, r: Floats, row: int, gain: float) -> None:
    """Divide the equation of an output by its gain."""
    if gain:
        m[row] /= gain
        r[row] /= gain


def _tightest(limits: list[tuple[float, float, float]]) -> tuple[float, float, float]:
    """Rails and slew rate that an amplifier keeps in every cell."""
    low, high, slew = zip(*limits, strict=True)
    return max(low), min(high), min(slew)


def _blocks(matrices: Floats) -> Floats:
    """Matrices ``(columns, rows, width)`` down the diagonal of one."""
    columns, rows, width = matrices.shape
    joined = np.zeros((columns, rows, columns, width))
    each = np.arange(columns)
    joined[each, :, each, :] = matrices
    return joined.reshape(columns * rows, columns * width)


def _join(matrices: Floats, states: int, ports: int) -> Floats:
    """Every column's states, then every column's bit lines, then the inputs that all share; rows column by column."""
    own, bits, shared = np.split(matrices, [states, states + ports], axis=2)
    return np.hstack([_blocks(own), _blocks(bits), shared.reshape(-1, shared.shape[2])])


def _parallel(cells: Iterable[Cell], known: Iterable[tuple[str, str]] = ()) -> dict[tuple[str, str], float]:
    """Capacitors by the nodes they lie between, turned as in ``known``; what lies side by side is one."""
    turned = {(b, a): (a, b) for a, b in known}
    found: dict[tuple[str, str], float] = {}
    for element in (each for cell in cells for each in cell.elements):
        if isinstance(element, Capacitor):
            pair = turned.get((element.a, element.b), (element.a, element.b))
            turned.setdefault(pair[::-1], pair)
            found[pair] = found.get(pair, 0.0) + element.farads
    return found
