"""The affine maps of a group's phases.

A *phase* ends where a latched bit changes, or with the slot. What a phase does depends on the latched bits that act on
the cell, its *mode*: there is one affine map per phase, mode and column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from snn2circuit.errors import CircuitNotLinear
from snn2circuit.ir.noun import Floats, Ints
from snn2circuit.simulate.exact.clocks import EPSILON, merge
from snn2circuit.simulate.exact.nodal import Equations
from snn2circuit.simulate.exact.propagate import Propagator, Stretch
from snn2circuit.simulate.exact.wiring import Group

CROSSTALK = 1e-12  # of a state's scale; what a column's mode may change in another column


@dataclass(frozen=True)
class Phases:
    """The maps of one group. ``systems`` is the number of columns, or 1 if they are joined."""

    ends: tuple[float, ...]  # s, inside the slot
    e: Floats  # (phases, modes, systems, states, states)
    g: Floats  # (phases, modes, systems, states, bit lines): of the bit lines' currents
    constant: Floats  # (phases, modes, systems, states): of clocks and offsets
    p: Floats  # (phases, modes, systems, probes, states); first the membrane, then what latches sample, what is watched
    q: Floats  # (phases, modes, systems, probes, bit lines)
    level: Floats  # (phases, modes, systems, probes)
    active: Ints  # latched bits that make the mode
    updates: Ints  # (updates, 4): phase at whose end, bit, bit copied or -1, probe or -1; in order
    thresholds: Floats  # (updates, columns), V: of the comparator, on the probe or on the copied bit's level
    levels: Floats  # (updates,), V: of the copied bit when set
    first: Ints  # (updates,): slot from which the update happens
    shown: int  # phase in which the middle of the drive pulse lies
    columns: int
    joined: bool
    low: Floats  # (states,), V
    high: Floats  # (states,), V


def make_phases(group: Group, marks: Sequence[float] = (), watched: tuple[str, ...] = ()) -> Phases:
    """Compute the maps of a group; phases also end at the instants ``marks`` of the slot.

    The last probes are the nodes ``watched``.

    Raises:
        CircuitNotLinear: no unique solution, or columns that cannot be told apart.
    """
    columns, slot = group.columns, group.columns.slot
    sampled = tuple(dict.fromkeys(hold.source for hold in columns.holds if hold.copies is None))
    equations = Equations(columns, (group.membrane, *sampled, *watched))
    low, high = equations.limits(group.drive)
    propagator = Propagator(equations, group.load, group.drive)
    limited = bool(np.isfinite(low).any() or np.isfinite(high).any())
    corners = group.drive.instants
    # An amplifier's limits are looked at where a phase ends: at the corners of the drive, where its output peaks.
    ends = merge([slot, *(hold.instant for hold in columns.holds), *(corners if limited else []), *marks], slot)
    instants = merge([*columns.instants, *corners], slot)
    ports = group.transfer.shape[1] if group.load.joined else len(columns.bits)
    maps = [
        [_stretch(propagator, instants, ends, phase, bits) for bits in columns.modes()] for phase in range(len(ends))
    ]
    stack = {
        name: np.array([[getattr(stretch, name) for stretch in modes] for modes in maps])
        for name in ("e", "g", "p", "q")
    }
    inside = group.load.columns if group.load.joined else 1  # columns in a system
    if inside > 1:
        _check_crosstalk(group, stack["e"], equations.states)
    top = (group.drive.corners[1] + group.drive.corners[2]) / 2
    updates = sorted(
        (next(i for i, end in enumerate(ends) if abs(end - hold.instant) <= EPSILON * slot), number, hold)
        for number, hold in enumerate(columns.holds)
    )
    return Phases(
        ends=tuple(ends),
        e=stack["e"],
        g=np.ascontiguousarray(stack["g"][..., :ports]),
        constant=stack["g"][..., ports:].sum(axis=-1),
        p=stack["p"],
        q=np.ascontiguousarray(stack["q"][..., :ports]),
        level=stack["q"][..., ports:].sum(axis=-1),
        active=np.array(columns.active, dtype=np.int64),
        updates=np.array(
            [
                (phase, bit, -1 if hold.copies is None else hold.copies,
                 1 + sampled.index(hold.source) if hold.copies is None else -1)
                for phase, bit, hold in updates
            ],
            dtype=np.int64,
        ).reshape(-1, 4),
        thresholds=columns.thresholds([bit for _, bit, _ in updates]),
        levels=np.array([0.0 if hold.copies is None else columns.holds[hold.copies].high for _, _, hold in updates]),
        first=np.array([hold.first for _, _, hold in updates], dtype=np.int64),
        shown=next(i for i, end in enumerate(ends) if end > top),
        columns=group.load.columns,
        joined=group.load.joined,
        low=np.tile(low, inside),
        high=np.tile(high, inside),
    )  # fmt: skip


def _stretch(
    propagator: Propagator, instants: list[float], ends: list[float], phase: int, bits: tuple[bool, ...]
) -> Stretch:
    start = ends[phase - 1] if phase else 0.0
    inside = [t for t in instants if start - 1e-15 < t < ends[phase]]
    return propagator.stretches(merge([start, *inside, ends[phase]], ends[-1]), bits)[-1]


def _check_crosstalk(group: Group, e: Floats, states: int) -> None:
    """Refuse joined columns in which a state that is seen elsewhere depends on its own column's mode."""
    owner = np.arange(e.shape[-1]) // states
    reaches = (np.abs(e[:, :, 0]) > CROSSTALK).any(axis=(0, 1)) & (owner[:, None] != owner[None, :])
    seen = np.flatnonzero(reaches.any(axis=0))
    rows = e[:, :, 0, seen]
    if np.abs(rows - rows[:, :1]).max(initial=0.0) > CROSSTALK:
        raise CircuitNotLinear(
            f"{group.columns.name}: its latched bits act on a voltage that reaches other columns through the "
            "resistance of lines or drivers, so the columns cannot be solved one mode at a time; simulate in ngspice"
        )
