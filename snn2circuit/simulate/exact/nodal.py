r"""Modified nodal analysis of a cell: from its elements to ``w' = A w + B u``.

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
from collections.abc import Sequence
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


class Equations:
    """The unknowns, states and inputs of a cell; makes its state space for any position of its switches.

    A probe is a node, or the current of an element that fixes a voltage (:func:`current_of`).
    """

    def __init__(self, cell: Cell, probes: tuple[str, ...]) -> None:
        self.cell, self.probes = cell, probes
        self.clocks = list(cell.driving)
        nodes: dict[str, None] = {}
        for element in cell.elements:
            for node in (*conducting(element), *sensed(element)):
                if node != GROUND and node not in cell.clocks:
                    nodes[node] = None
        fixed = [e for e in cell.elements if isinstance(e, VoltageGain | Amplifier | GatedVoltage)]
        currents = {current_of(e.name): len(nodes) + number for number, e in enumerate(fixed)}
        for node in (*cell.bits, *probes):
            if node not in nodes and node not in currents:
                raise CircuitNotLinear(f"{cell.name}: nothing of the cell's linear circuit is connected to {node}")
        self.nodes = {node: number for number, node in enumerate(nodes)}
        self.capacitors = _parallel(cell)
        self.poles = [e for e in cell.elements if isinstance(e, Amplifier) and math.isfinite(e.bandwidth)]
        self.unknowns = {**self.nodes, **currents}
        self.branches = {e.name: len(nodes) + number for number, e in enumerate(fixed)}
        self.size = len(nodes) + len(fixed) + len(self.capacitors)
        if self.states == 0:
            raise CircuitNotLinear(f"{cell.name}: the cell has no capacitor and so no membrane")

    @property
    def states(self) -> int:
        """Number of states of one cell."""
        return len(self.capacitors) + len(self.poles)

    @property
    def inputs(self) -> int:
        """Number of inputs of one cell: bit lines, clocks, the constant."""
        return len(self.cell.bits) + len(self.clocks) + 1

    def limits(self, drive: Clock) -> tuple[Floats, Floats]:
        """Lowest and highest value of every state at which the circuit is still linear, ``(states,)`` each, V.

        An amplifier's pole must stay between its rails, and must not slew: it follows a drive that rises within the
        shortest edge of a clock or of ``drive``, the word lines', at a fifth of its slew rate or less.
        """
        low, high = np.full(self.states, -np.inf), np.full(self.states, np.inf)
        edges = [clock.corners[1] - clock.corners[0] for clock in (drive, *self.cell.driving.values())]
        for number, each in enumerate(self.poles, start=len(self.capacitors)):
            reach = 0.2 * each.slew * min(edges)
            low[number], high[number] = max(each.low, -reach), min(each.high, reach)
        return low, high

    def gates(self, instant: float) -> tuple[float, ...]:
        """Clock voltages that multiply a voltage of the circuit at an instant of the slot."""
        return tuple(
            self.cell.clocks[element.gate].level(instant)
            for element in self.cell.elements
            if isinstance(element, GatedTransconductance) and element.gate in self.cell.clocks
        )

    def positions(self, instant: float, bits: Sequence[bool]) -> tuple[bool, ...]:
        """Which switched and gated elements are on."""
        return tuple(control.on(instant, bits) for control in self.cell.controls.values())

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
        m, r, k, last = self._stamp(instant, bits, list(gates))
        ports = np.array([self.nodes[node] for node in self.cell.bits], dtype=np.int64)
        probes = np.array([self.unknowns[probe] for probe in self.probes], dtype=np.int64)
        n, count = self.states, len(ports)
        if load.joined:
            each = np.arange(load.columns)[:, None] * self.size
            ports, probes = (each + ports).ravel(), (each + probes).ravel()
            one = np.eye(load.columns)
            m, k = np.kron(one, m).astype(np.float64), np.kron(one, k).astype(np.float64)
            r, last = (_join(x, load.columns, n, count) for x in (r, last))
            n *= load.columns
            systems = m[None]
            systems[0][np.ix_(ports, ports)] += load.siemens
        else:
            systems = np.repeat(m[None], load.columns, axis=0)
            systems[:, ports, ports] += load.siemens
        try:
            solution = np.linalg.solve(systems, np.broadcast_to(r, (len(systems), *r.shape)))
        except np.linalg.LinAlgError:
            raise CircuitNotLinear(
                f"{self.cell.name}: its equations have no unique solution; look for a node without a path for direct "
                "current, or a capacitor across a voltage source"
            ) from None
        y: Floats = solution.astype(np.float64, copy=False)
        full = k @ y + last
        return StateSpace(a=full[:, :, :n], b=full[:, :, n:], p=y[:, probes, :n], q=y[:, probes, n:])

    def _stamp(self, instant: float, bits: Sequence[bool], gates: list[float]) -> tuple[Floats, Floats, Floats, Floats]:
        """``M, R, K, L`` of one cell without its bit lines' load."""
        cell, n = self.cell, self.states
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
                    if element in self.poles:
                        state = len(self.capacitors) + self.poles.index(element)
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
                    add(law(element.out), element.control, -element.siemens * gates.pop(0))
                case GatedVoltage():
                    add(branch(element.name, element.out), element.gate, -element.amplitude if on else 0.0)
                case GatedCurrent():
                    add(law(element.out), element.gate, element.amplitude if on else 0.0)
        for number, ((a, b), farads) in enumerate(self.capacitors.items()):
            row = self.size - len(self.capacitors) + number
            for node, sign in ((a, 1.0), (b, -1.0)):
                add(row, node, sign)
                if (here := law(node)) is not None:
                    m[here, row] += sign
            r[row, number] += 1.0
            k[number, row] = 1 / farads
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


def _join(matrix: Floats, columns: int, states: int, ports: int) -> Floats:
    """One cell's states, bit lines and shared inputs, side by side, repeated for all columns of a crossbar."""
    one, shared = np.eye(columns), matrix[:, states + ports :]
    return np.hstack(
        [
            np.kron(one, matrix[:, :states]),
            np.kron(one, matrix[:, states : states + ports]),
            np.tile(shared, (columns, 1)),
        ]
    )


def _parallel(cell: Cell) -> dict[tuple[str, str], float]:
    """Capacitors by the nodes they lie between; what lies side by side is one."""
    found: dict[tuple[str, str], float] = {}
    for element in cell.elements:
        if isinstance(element, Capacitor):
            a, b = (element.b, element.a) if (element.b, element.a) in found else (element.a, element.b)
            found[a, b] = found.get((a, b), 0.0) + element.farads
    return found
