r"""Crossbars with resistive lines, solved exactly.

The array. Every word line runs past all bit lines and every bit line past all word lines; a device of conductance
``G[i, j]`` joins them at each crossing::

    source i --r_driver--r_word--(w_i0)--r_word--(w_i1)-- ...        a word line, open at its far end
                                   |               |
                                 G[i,0]          G[i,1]
                                   |               |
                   ... --r_bit--(b_i0)--r_bit--(b_(i+1)0)-- ... --r_bit--end 0       a bit line, open above row 0

A word line enters at column 0 and a bit line leaves after the last row; there is a segment before the first crossing of
a word line and after the last one of a bit line. With ``r_word`` and ``r_driver`` 0, or ``r_bit`` 0, those lines are
ideal, and the equations fall apart line by line.

Three questions, three answers:

* the currents for a few drives: :class:`~snn2circuit.simulate.lines.LineSolver`, preconditioned conjugate gradients;
* the currents for many drives: the transfer matrix once, then one matrix product;
* what the neurons see: the Norton form, exact for any signals because the array is linear and has no memory. With
  sources at ``v`` and bit line ends at ``u``, the current out of the ends is ``v @ transfer - load @ u``. ``transfer``
  and ``load`` are blocks of the admittance matrix that :mod:`snn2circuit.simulate.dissection` computes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from snn2circuit.errors import SimulationError
from snn2circuit.ir.circuit import Crossbar, NortonCrossbar
from snn2circuit.ir.noun import Floats

FEW = 40  # drives for which solving each costs less than the whole transfer matrix, on arrays of 100 to 800 lines
TOLERANCE = 1e-12  # of the conjugate gradients, in the energy norm


class Norton(NamedTuple):
    """A crossbar as seen from its bit lines."""

    transfer: Floats  # (rows, columns), S: current out of a bit line's end per volt of a source, ends at 0 V
    load: Floats  # (columns, columns), S: current into the bit lines' ends per volt there, sources at 0 V


def bit_line_currents(
    siemens: Floats, volts: Floats, *, r_word: float = 0.0, r_bit: float = 0.0, r_driver: float = 0.0
) -> Floats:
    """Currents out of the bit lines' ends, held at 0 V.

    Args:
        siemens: conductance of every device, ``(rows, columns)``, S, 0 or more.
        volts: source of every word line, ``(rows,)`` or ``(drives, rows)``, V.
        r_word: of each word line segment, ohm.
        r_bit: of each bit line segment, ohm.
        r_driver: of each source, ohm.

    Returns:
        ``(columns,)`` or ``(drives, columns)``, A.

    Raises:
        SimulationError: values that no array can have, shapes that do not fit, or no convergence.
    """
    siemens = _check(siemens, r_word, r_bit, r_driver)
    volts = np.asarray(volts, dtype=np.float64)
    if volts.ndim not in (1, 2) or volts.shape[-1] != siemens.shape[0] or not np.isfinite(volts).all():
        raise SimulationError(f"drives have shape {volts.shape}; {siemens.shape[0]} finite volts each are needed")
    drives = np.atleast_2d(volts)
    if len(drives) > FEW:
        return drives @ norton(siemens, r_word=r_word, r_bit=r_bit, r_driver=r_driver).transfer
    from snn2circuit.simulate.lines import LineSolver

    solver = LineSolver(siemens, r_word=r_word, r_bit=r_bit, r_driver=r_driver)
    grounded = np.zeros(siemens.shape[1])
    currents = np.empty((len(drives), siemens.shape[1]))
    for number, drive in enumerate(drives):
        words, bits = solver.solve(drive, grounded, TOLERANCE)
        currents[number] = bits[-1] / r_bit if r_bit > 0 else np.einsum("ij,ij->j", siemens, words - bits)
    return currents.reshape(*volts.shape[:-1], -1)


def norton(siemens: Floats, *, r_word: float = 0.0, r_bit: float = 0.0, r_driver: float = 0.0) -> Norton:
    """The crossbar's Norton form; arguments and errors as for :func:`bit_line_currents`.

    Where a kind of line is ideal there is nothing to dissect: one volt at each bit line's end in turn gives a column of
    ``load``, and by reciprocity, from the currents it drives into the grounded sources, a column of ``transfer``.
    """
    siemens = _check(siemens, r_word, r_bit, r_driver)
    rows, columns = siemens.shape
    r_in = r_driver + r_word
    if r_word == r_bit == r_driver == 0:
        return Norton(transfer=siemens.copy(), load=np.diag(siemens.sum(axis=0)))
    if r_word > 0 and r_bit > 0:
        from snn2circuit.simulate.dissection import admittance

        matrix = admittance(siemens, r_word=r_word, r_bit=r_bit, r_in=r_in)
        return Norton(transfer=-matrix[:rows, rows:], load=matrix[rows:, rows:].copy())
    from snn2circuit.simulate.lines import LineSolver

    solver = LineSolver(siemens, r_word=r_word, r_bit=r_bit, r_driver=r_driver)
    transfer, load, silent = np.empty((rows, columns)), np.empty((columns, columns)), np.zeros(rows)
    for column in range(columns):
        port = np.zeros(columns)
        port[column] = 1.0
        words, bits = solver.solve(silent, port, TOLERANCE)
        through = siemens * (bits - words)
        transfer[:, column] = through.sum(axis=1)
        load[column] = through.sum(axis=0)
    return Norton(transfer=transfer, load=(load + load.T) / 2)


def reduce_crossbar(array: Crossbar) -> NortonCrossbar:
    """The element that does at the bit lines what ``array`` does, without a node inside."""
    transfer, load = norton(array.siemens, r_word=array.r_word, r_bit=array.r_bit, r_driver=array.r_driver)
    return NortonCrossbar(name=array.name, word_lines=array.word_lines, bits=array.bits, transfer=transfer, load=load)


def _check(siemens: Floats, r_word: float, r_bit: float, r_driver: float) -> Floats:
    siemens = np.ascontiguousarray(siemens, dtype=np.float64)
    if siemens.ndim != 2 or siemens.size == 0 or not np.isfinite(siemens).all() or (siemens < 0).any():
        raise SimulationError(
            f"conductances have shape {siemens.shape}; a crossbar is (rows, columns) of finite siemens, 0 or more"
        )
    for name, ohms in (("r_word", r_word), ("r_bit", r_bit), ("r_driver", r_driver)):
        if not (np.isfinite(ohms) and ohms >= 0):
            raise SimulationError(f"{name} is {ohms!r} ohm; it must be finite and 0 or more")
    return siemens
