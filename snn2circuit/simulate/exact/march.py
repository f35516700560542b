"""Slot after slot: the affine maps of a group's phases, applied to every sample and column.

Columns that are kept apart are stepped by a compiled loop over samples and columns (:func:`march`). Joined columns
share states, so all columns are stepped at once, once for each mode, and every state takes the result of its own
column's mode (:func:`march_joined`). That is exact because no state that several columns see depends on a mode, which
:func:`~snn2circuit.simulate.exact.phases.make_phases` has made sure of.
"""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np

from snn2circuit.errors import RangeLeft
from snn2circuit.ir.noun import Bools, Floats, Ints
from snn2circuit.simulate.compile import compiled, use_threads
from snn2circuit.simulate.exact.phases import Phases

Watch = Callable[[int, int, Ints, Floats], None]


def march(phases: Phases, currents: Floats, slots: int, spike: int, workers: int) -> tuple[Floats, Bools]:
    """Membranes (V) at the end of every slot, spikes in the drive pulse of every slot; ``(samples, slots, columns)``.

    Args:
        phases: the group's maps.
        currents: short-circuit currents of the bit lines at a drive of unit height, A, ``(samples, slots,
            columns·bits)``; one slot stands for all.
        slots: how many slots to go.
        spike: which latched bit is the spike.
        workers: threads.

    Raises:
        RangeLeft: an amplifier reached a rail or its slew rate.
    """
    if phases.joined:
        membranes, spikes = march_joined(phases, currents, slots, spike)
        return np.ascontiguousarray(membranes[:, :, -1]), np.ascontiguousarray(spikes[:, :, phases.shown])
    samples, bits = len(currents), phases.g.shape[-1]
    membranes = np.empty((samples, slots, phases.columns))
    spikes = np.empty((samples, slots, phases.columns), dtype=np.bool_)
    broken = np.full((samples, 3), -1, dtype=np.int64)
    use_threads(workers)
    _march(
        phases.e, phases.g, phases.constant, phases.p, phases.q, phases.level, phases.active, phases.updates,
        phases.thresholds, phases.levels, phases.first, phases.shown, spike, phases.low, phases.high,
        np.ascontiguousarray(currents).reshape(samples, -1, phases.columns, bits), membranes, spikes, broken,
    )  # fmt: skip
    for sample in np.flatnonzero(broken[:, 0] >= 0)[:1]:
        _refuse(phases, int(sample), *broken[sample].tolist())
    return membranes, spikes


def march_joined(
    phases: Phases, currents: Floats, slots: int, spike: int, watch: Watch | None = None
) -> tuple[Floats, Bools]:
    """Membranes and spikes at the end of every phase, ``(samples, slots, phases, columns)``; columns of any kind.

    ``watch`` is called at the end of every phase with the slot, the phase, the mode it was in ``(samples, columns)``
    and the probes ``(samples, columns, probes)``.
    """
    samples, count, columns = len(currents), len(phases.ends), phases.columns
    systems, n = phases.e.shape[2:4]
    currents = currents.reshape(samples, -1, systems, phases.g.shape[-1])
    state = np.zeros((samples, systems, n))
    bits = np.zeros((samples, columns, len(phases.updates)), dtype=np.bool_)
    membranes = np.empty((samples, slots, count, columns))
    spikes = np.empty((samples, slots, count, columns), dtype=np.bool_)
    weights = 2 ** np.arange(len(phases.active))
    for slot in range(slots):
        drive = currents[:, min(slot, currents.shape[1] - 1)]
        for phase in range(count):
            mode = bits[:, :, phases.active] @ weights
            after, probes = np.empty_like(state), np.empty((samples, columns, phases.p.shape[3] * systems // columns))
            for each in np.unique(mode):
                where = mode == each
                here = np.broadcast_to(
                    where.reshape(samples, systems, -1, 1), (samples, systems, columns // systems, 1)
                )
                moved = _apply(phases.e, phases.g, phases.constant, phase, each, state, drive)
                seen = _apply(phases.p, phases.q, phases.level, phase, each, state, drive)
                split = (samples, systems, columns // systems, -1)
                np.copyto(after.reshape(split), moved.reshape(split), where=here)
                np.copyto(probes, seen.reshape(probes.shape), where=where[:, :, None])
            if watch:
                watch(slot, phase, mode, probes)
            state = after
            outside = (state < phases.low) | (state > phases.high)
            for sample, system, index in np.argwhere(outside)[:1].tolist():
                _refuse(phases, sample, slot, system + index * (columns // systems) // n, index)
            membranes[:, slot, phase] = probes[:, :, 0]
            for number, (at, bit, copied, probe) in enumerate(phases.updates.tolist()):
                if at == phase and slot >= phases.first[number]:
                    value = bits[:, :, copied] * phases.levels[number] if copied >= 0 else probes[:, :, probe]
                    bits[:, :, bit] = value > phases.thresholds[number]
            spikes[:, slot, phase] = bits[:, :, spike]
    return membranes, spikes


def _apply(matrix: Floats, drive: Floats, constant: Floats, phase: int, mode: int, state: Floats, u: Floats) -> Floats:
    """``matrix·state + drive·u + constant`` of a phase and mode, ``(samples, systems, results)``."""
    result: Floats = (
        np.matmul(state.transpose(1, 0, 2), matrix[phase, mode].transpose(0, 2, 1))
        + np.matmul(u.transpose(1, 0, 2), drive[phase, mode].transpose(0, 2, 1))
        + constant[phase, mode][:, None]
    ).transpose(1, 0, 2)  # fmt: skip
    return result


def _refuse(phases: Phases, sample: int, slot: int, column: int, state: int) -> None:
    raise RangeLeft(
        f"sample {sample}, slot {slot}, column {column}: an amplifier leaves {phases.low[state]:.4g} V to "
        f"{phases.high[state]:.4g} V, its rails or what its slew rate lets it follow, and is no longer linear; lower "
        "the voltages, or simulate in ngspice"
    )


def _loop(
    e: Floats, g: Floats, constant: Floats, p: Floats, q: Floats, level: Floats, active: Ints, updates: Ints,
    thresholds: Floats, levels: Floats, first: Ints, shown: int, spike: int, low: Floats, high: Floats,
    currents: Floats, membranes: Floats, spikes: Bools, broken: Ints,
) -> None:  # fmt: skip
    samples, slots, columns = membranes.shape
    phases, n, width = e.shape[0], e.shape[3], g.shape[4]
    last = currents.shape[1] - 1
    # A column's maps stay in the cache while the samples of a chunk pass through it.
    chunk = 64
    for block in numba.prange((samples + chunk - 1) // chunk):
        state, after = np.empty(n), np.empty(n)
        bits = np.empty(len(updates), dtype=np.bool_)
        for column in range(columns):
            for sample in range(block * chunk, min(samples, (block + 1) * chunk)):
                state[:] = 0.0
                bits[:] = False
                for slot in range(slots):
                    u = currents[sample, min(slot, last), column]
                    for phase in range(phases):
                        mode = 0
                        for index in range(len(active)):
                            if bits[active[index]]:
                                mode += 1 << index
                        if phase == phases - 1:
                            value = level[phase, mode, column, 0]
                            for i in range(n):
                                value += p[phase, mode, column, 0, i] * state[i]
                            for i in range(width):
                                value += q[phase, mode, column, 0, i] * u[i]
                            membranes[sample, slot, column] = value
                        if phase == shown:
                            spikes[sample, slot, column] = bits[spike]
                        for number in range(len(updates)):
                            if updates[number, 0] != phase or slot < first[number]:
                                continue
                            copied, probe = updates[number, 2], updates[number, 3]
                            if copied >= 0:
                                value = levels[number] if bits[copied] else 0.0
                            else:
                                value = level[phase, mode, column, probe]
                                for i in range(n):
                                    value += p[phase, mode, column, probe, i] * state[i]
                                for i in range(width):
                                    value += q[phase, mode, column, probe, i] * u[i]
                            bits[updates[number, 1]] = value > thresholds[number, column]
                        for i in range(n):
                            value = constant[phase, mode, column, i]
                            for j in range(n):
                                value += e[phase, mode, column, i, j] * state[j]
                            for j in range(width):
                                value += g[phase, mode, column, i, j] * u[j]
                            after[i] = value
                            if (value < low[i] or value > high[i]) and broken[sample, 0] < 0:
                                broken[sample, 0], broken[sample, 1], broken[sample, 2] = slot, column, i
                        for i in range(n):
                            state[i] = after[i]


_march = compiled(_loop, parallel=True)
