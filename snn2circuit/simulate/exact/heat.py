r"""What a circuit turns into heat: ``∫ V²/R dt`` of every resistor, switch, device and latch, from its own elements.

Beside it stands what the amplifiers' outputs deliver, which decides what they lose themselves.

*Cells.* All node voltages come from the exact maps, at the points of a Gauss rule: between two instants at which a
switch or a clock bends them, voltages are sums of exponentials, most of them fast at the beginning. Such a stretch is
divided at 1/64 and 1/8 of its length, and each part is integrated with four Gauss-Legendre points, which take
polynomials up to the seventh degree exactly; a decay 40 times as fast as its stretch comes out to 0.1 %.

*Crossbars.* A word line is a height times the drive pulse, and the bit lines are virtual grounds, so the devices on
line ``i`` take ``V_i² · Σ_j G_ij · ∫ phi² dt``. A trapezoid's edges give a third of their length:
``∫ phi² dt = (b-a)/3 + (c-b) + (d-c)/3``. That is for lines without resistance. Resistance in series with sources of
given voltage takes the heat down, never up (Rayleigh's monotonicity law), so with real lines it is an upper bound.

*Outputs.* What an amplifier sends out of its output comes from its rails. With rails at ``±S`` and a class B output,
which takes each direction of the current ``i`` from one rail, the amplifier itself keeps ``(S - V)·i`` of it, or
``(S + V)·|i|`` when the current flows in: over time ``S·∫|i| dt - ∫V·i dt``. Both integrals are taken with the rule
above; where a current changes its sign inside a part of a stretch, ``|i|`` has a kink and the rule is less exact.

*Latches.* Filling a capacitor to ``V`` through a switch, or emptying it, leaves ``C V²/2`` in the switch.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from snn2circuit.ir.circuit import GROUND, Amplifier, Resistor, Switch
from snn2circuit.ir.noun import Bools, Floats, Ints
from snn2circuit.simulate.exact.cell import Cell
from snn2circuit.simulate.exact.clocks import EPSILON, merge
from snn2circuit.simulate.exact.march import march_joined
from snn2circuit.simulate.exact.nodal import Equations, current_of
from snn2circuit.simulate.exact.phases import make_phases
from snn2circuit.simulate.exact.wiring import Group

PANELS = (0.0, 1 / 64, 1 / 8, 1.0)
POINTS = 4


@dataclass(frozen=True)
class Heat:
    """Heat of one crossbar and its cells over a sample's slots."""

    elements: Mapping[str, Floats]  # by element of the cells: (samples,), J, all columns that have it together
    devices: Floats  # (samples,), J, in the crossbar
    latches: Floats  # (samples,), J
    charges: Mapping[str, Floats]  # by amplifier: (samples,), C, out of and into its output, all columns
    works: Mapping[str, Floats]  # by amplifier: (samples,), J, out of its output less into it, all columns


def together(heats: Sequence[Heat]) -> Heat:
    """What several crossbars and their cells turn into heat; elements of the same name count as one."""

    def summed(tables: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
        names = dict.fromkeys(name for table in tables for name in table)
        return {name: np.sum([table[name] for table in tables if name in table], axis=0) for name in names}

    return Heat(
        elements=summed([each.elements for each in heats]),
        devices=np.sum([each.devices for each in heats], axis=0),
        latches=np.sum([each.latches for each in heats], axis=0),
        charges=summed([each.charges for each in heats]),
        works=summed([each.works for each in heats]),
    )


def group_heat(group: Group, heights: Floats, slots: int, tail: float) -> tuple[Heat, Bools]:
    """Heat of a group, of the last slot only its beginning; and its spikes ``(samples, slots, columns)``.

    Args:
        group: the crossbar and its cells.
        heights: of the word lines, V, ``(samples, slots, lines)``; one slot stands for all.
        slots: how many slots to go.
        tail: s, of the last slot, in which the last spike is latched and nothing is driven.
    """
    columns, samples = group.columns, len(heights)
    instants = merge([0.0, tail, *columns.instants, *group.drive.instants], columns.slot)
    points, weights = _rule(instants)
    amplifiers = dict.fromkeys(each.name for each in columns.elements if isinstance(each, Amplifier))
    watched = (*Equations(columns, ()).nodes, *map(current_of, amplifiers))
    phases = make_phases(group, points.tolist(), watched)
    offset = phases.p.shape[3] // (phases.columns if phases.joined else 1) - len(watched)
    place = {probe: offset + number for number, probe in enumerate(watched)}
    weight = np.array([weights[np.abs(points - end) <= EPSILON * columns.slot].sum() for end in phases.ends])
    modes = columns.modes()
    heat = {each.name: np.zeros(samples) for each in columns.elements if isinstance(each, Resistor | Switch)}
    charges = {name: np.zeros(samples) for name in amplifiers}
    works = {name: np.zeros(samples) for name in amplifiers}
    # The columns of each cell; where all are one, without copying.
    members = [np.flatnonzero(columns.kinds == kind) for kind in range(len(columns.cells))]
    places: list[Any] = [slice(None)] if len(members) == 1 else list(members)

    def watch(slot: int, phase: int, mode: Ints, probes: Floats) -> None:
        instant = phases.ends[phase]
        if not weight[phase] or (slot == slots - 1 and instant > tail):
            return
        for cell, own in zip(columns.cells, places, strict=True):
            add(cell, instant, weight[phase], mode[:, own], probes[:, own])

    def add(cell: Cell, instant: float, share: float, mode: Ints, probes: Floats) -> None:
        """What the columns of one cell contribute at an instant."""

        def volts(node: str) -> Floats | float:
            if node == GROUND:
                return 0.0
            return cell.clocks[node].level(instant) if node in cell.clocks else probes[:, :, place[node]]

        for part in cell.elements:
            if isinstance(part, Amplifier):
                current = probes[:, :, place[current_of(part.name)]]
                charges[part.name] += share * np.abs(current).sum(axis=1)
                works[part.name] += share * (current * volts(part.out)).sum(axis=1)
            elif isinstance(part, Resistor | Switch):
                if isinstance(part, Resistor):
                    ohms: Floats | float = part.ohms
                else:
                    control = cell.controls[part.name]
                    ohms = np.array([part.r_on if control.on(instant, bits) else part.r_off for bits in modes])[mode]
                power = (volts(part.a) - volts(part.b)) ** 2 / ohms
                heat[part.name] += share * np.broadcast_to(power, mode.shape).sum(axis=1)

    fired = march_joined(phases, heights @ group.transfer, slots, group.spike, watch)[1][:, :, phases.shown]
    flips = np.abs(np.diff(fired.astype(np.int64), axis=1, prepend=0)).sum(axis=(1, 2))
    each = sum(hold.farads * hold.high**2 / 2 for hold in columns.holds)
    a, b, c, d = group.drive.corners
    squares = np.broadcast_to(heights, (samples, slots, heights.shape[2]))[:, :-1] ** 2
    devices = squares.sum(axis=1) @ group.transfer.sum(axis=1) * ((b - a) / 3 + (c - b) + (d - c) / 3)
    found = Heat(elements=heat, devices=devices, latches=flips * each, charges=charges, works=works)
    return found, fired


def _rule(instants: list[float]) -> tuple[Floats, Floats]:
    """Points and weights of the composite rule over all stretches between ``instants``."""
    nodes, shares = np.polynomial.legendre.leggauss(POINTS)
    points, weights = [], []
    for start, end in itertools.pairwise(instants):
        for low, high in itertools.pairwise(PANELS):
            left, length = start + low * (end - start), (high - low) * (end - start)
            points.append(left + (nodes + 1) / 2 * length)
            weights.append(shares / 2 * length)
    return np.concatenate(points), np.concatenate(weights)
