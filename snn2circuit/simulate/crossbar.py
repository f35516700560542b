r"""Crossbars with resistive lines, solved exactly.

The array is that of :mod:`snn2circuit.ir.lines`: every word line runs past all bit lines and every bit line past all
word lines, and a device joins them at each crossing. Bit lines leave at row 0; a word line is fed at either end.

Three questions, three answers:

* the currents for a few drives: :class:`~snn2circuit.simulate.lines.LineSolver`, preconditioned conjugate gradients;
* the currents for many drives: the transfer matrix once, then one matrix product;
* what the neurons see: the Norton form, exact for any signals because the array is linear and has no memory. With
  sources at ``v`` and bit line ends at ``u``, the current out of the ends is ``v @ transfer - load @ u``. ``transfer``
  and ``load`` are blocks of the admittance matrix that :mod:`snn2circuit.simulate.dissection` computes.

``load`` joins every two bit lines, which makes a simulator's matrix dense. But bit lines end at virtual grounds, where
an amplifier of gain ``A`` leaves no more than ``rail / A``. :func:`drop_mutual_loads` takes out the entries through
which that drives next to nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from snn2circuit.errors import SimulationError
from snn2circuit.ir.circuit import Crossbar, NortonCrossbar
from snn2circuit.ir.lines import LineResistances, uniform_lines
from snn2circuit.ir.noun import Floats

FEW = 40  # drives for which solving each costs less than the whole transfer matrix, on arrays of 100 to 800 lines
TOLERANCE = 1e-12  # of the conjugate gradients, in the energy norm


class Norton(NamedTuple):
    """A crossbar as seen from its bit lines."""

    transfer: Floats  # (rows, columns), S: current out of a bit line's end per volt of a source, ends at 0 V
    load: Floats  # (columns, columns), S: current into the bit lines' ends per volt there, sources at 0 V


def bit_line_currents(siemens: Floats, volts: Floats, lines: LineResistances | None = None) -> Floats:
    """Currents out of the bit lines' ends, held at 0 V.

    Args:
        siemens: conductance of every device, ``(rows, columns)``, S, 0 or more.
        volts: source of every word line, ``(rows,)`` or ``(drives, rows)``, V.
        lines: resistance of every piece of line; ``None``: ideal ones.

    Returns:
        ``(columns,)`` or ``(drives, columns)``, A.

    Raises:
        SimulationError: values that no array can have, shapes that do not fit, or no convergence.
    """
    siemens, lines = _check(siemens, lines)
    volts = np.asarray(volts, dtype=np.float64)
    if volts.ndim not in (1, 2) or volts.shape[-1] != siemens.shape[0] or not np.isfinite(volts).all():
        raise SimulationError(f"drives have shape {volts.shape}; {siemens.shape[0]} finite volts each are needed")
    drives = np.atleast_2d(volts)
    if len(drives) > FEW:
        return drives @ norton(siemens, lines).transfer
    from snn2circuit.simulate.lines import LineSolver

    solver = LineSolver(siemens, lines)
    grounded = np.zeros(siemens.shape[1])
    currents = np.empty((len(drives), siemens.shape[1]))
    for number, drive in enumerate(drives):
        words, bits = solver.solve(drive, grounded, TOLERANCE)
        if lines.bit_leads.all():
            currents[number] = bits[0] / lines.bit_leads
        else:
            currents[number] = np.einsum("ij,ij->j", siemens, words - bits)
    return currents.reshape(*volts.shape[:-1], -1)


def norton(siemens: Floats, lines: LineResistances | None = None) -> Norton:
    """The crossbar's Norton form; arguments and errors as for :func:`bit_line_currents`.

    Where a piece of line is ideal there is nothing to dissect: one volt at each bit line's end in turn gives a column
    of ``load``, and by reciprocity, from the currents it drives into the grounded sources, a column of ``transfer``.
    """
    siemens, lines = _check(siemens, lines)
    rows, columns = siemens.shape
    if lines.ideal:
        return Norton(transfer=siemens.copy(), load=np.diag(siemens.sum(axis=0)))
    if lines.pieces == 2 * rows * columns:
        from snn2circuit.simulate.dissection import admittance

        matrix = admittance(siemens, lines)
        return Norton(transfer=-matrix[:rows, rows:], load=matrix[rows:, rows:].copy())
    from snn2circuit.simulate.lines import LineSolver

    solver = LineSolver(siemens, lines)
    transfer, load, silent = np.empty((rows, columns)), np.empty((columns, columns)), np.zeros(rows)
    for column in range(columns):
        port = np.zeros(columns)
        port[column] = 1.0
        words, bits = solver.solve(silent, port, TOLERANCE)
        through = siemens * (bits - words)
        transfer[:, column] = through.sum(axis=1)
        load[column] = through.sum(axis=0)
    return Norton(transfer=transfer, load=(load + load.T) / 2)


def sketch_transfer(siemens: Floats, lines: LineResistances | None = None) -> Floats:
    """About the transfer matrix of :func:`norton`, for the price of one drive; arguments and errors as there.

    What a source drives through a device is taken from its word line with all bit lines grounded, and what of it
    arrives at the end of the bit line, by reciprocity, from that bit line with all word lines grounded. Missing are the
    ways through three or more devices: a percent where lines take half of the current, less where they take less.
    """
    siemens, lines = _check(siemens, lines)
    from snn2circuit.simulate.lines import LineSolver

    words, bits = LineSolver(siemens, lines).shares()
    transfer: Floats = siemens * words * bits
    return transfer


def reduce_crossbar(array: Crossbar) -> NortonCrossbar:
    """The element that does at the bit lines what ``array`` does, without a node inside."""
    transfer, load = norton(array.siemens, array.lines)
    return NortonCrossbar(name=array.name, word_lines=array.word_lines, bits=array.bits, transfer=transfer, load=load)


def drop_mutual_loads(reduced: NortonCrossbar, volts: float, amperes: float) -> NortonCrossbar:
    """``reduced`` without the loads between two bit lines that nobody would notice; every line keeps its own.

    Without the entry ``load[j, k]`` the current of line ``j`` is wrong by ``load[j, k] · u_k``. Of each line the
    smallest entries may go as long as ``volts`` times their sum stays within ``amperes``, and an entry goes where both
    of its lines let it.

    Args:
        reduced: the equivalent.
        volts: that no bit line's end exceeds.
        amperes: error of a bit line's current that is allowed.
    """
    mutual = np.abs(reduced.load)
    np.fill_diagonal(mutual, 0.0)
    order = np.argsort(mutual, axis=1, kind="stable")
    error = volts * np.take_along_axis(mutual, order, axis=1).cumsum(axis=1)
    free = np.empty_like(mutual, dtype=np.bool_)
    np.put_along_axis(free, order, error <= amperes, axis=1)
    free &= free.T
    np.fill_diagonal(free, False)
    return replace(reduced, load=np.where(free, 0.0, reduced.load))


def _check(siemens: Floats, lines: LineResistances | None) -> tuple[Floats, LineResistances]:
    siemens = np.ascontiguousarray(siemens, dtype=np.float64)
    if siemens.ndim != 2 or siemens.size == 0 or not np.isfinite(siemens).all() or (siemens < 0).any():
        raise SimulationError(
            f"conductances have shape {siemens.shape}; a crossbar is (rows, columns) of finite siemens, 0 or more"
        )
    lines = lines or uniform_lines(*siemens.shape)
    if lines.shape != siemens.shape:
        raise SimulationError(f"conductances have shape {siemens.shape}, the resistances of their lines {lines.shape}")
    return siemens, lines
