r"""Crossbars solved one drive at a time: conjugate gradients, preconditioned by the word lines.

Nodal analysis of the topology in :mod:`snn2circuit.simulate.crossbar` gives, for the word line nodes ``w`` and the bit
line nodes ``b`` of every crossing::

    Aw w - G b = g_in · drive        Ab b - G w = g_out · port

``Aw`` is tridiagonal along each word line, ``Ab`` along each bit line, and ``G`` is diagonal: the devices. Eliminating
``b``, which costs a tridiagonal solve per bit line, leaves the symmetric positive definite ``S = Aw - G Ab⁻¹ G``. With
``Aw`` itself as preconditioner, the eigenvalues of ``Aw⁻¹ S`` lie in (0, 1], close to 1 unless both kinds of line are
long and resistive, so that a few iterations suffice. The product ``Aw p`` is never formed: ``Aw z`` is the residual.

A line is eliminated from its open end. ``e`` is the conductance that end shows, and a segment ``g`` in series with it
leaves ``g e / (g + e)``: nothing is ever subtracted, so nothing cancels. The pivot of a node is ``g + e``, and the
ratio ``q = g / (g + e)`` is all that has to be kept.
"""

from __future__ import annotations

import math

import numpy as np

from snn2circuit.errors import SimulationError
from snn2circuit.ir.noun import Floats
from snn2circuit.simulate.compile import compiled


class LineSolver:
    """A crossbar whose lines have been eliminated; solves for any number of drives, one after the other."""

    def __init__(self, siemens: Floats, *, r_word: float, r_bit: float, r_driver: float) -> None:
        self.siemens = np.ascontiguousarray(siemens, dtype=np.float64)
        self.r_word, self.r_bit, self.r_driver = r_word, r_bit, r_driver
        self.r_in = r_driver + r_word
        if r_word > 0:
            self.word_ratio = _word_ratios(self.siemens, r_word, self.r_in)
        elif r_driver > 0:
            self.word_ratio = 1.0 / (1.0 + r_driver * self.siemens.sum(axis=1, keepdims=True))
        if r_bit > 0:
            self.bit_ratio = _bit_ratios(self.siemens, r_bit)

    def solve(self, drive: Floats, port: Floats, tolerance: float) -> tuple[Floats, Floats]:
        """Node voltages ``(rows, columns)`` of the word lines and of the bit lines.

        Args:
            drive: voltages of the word lines' sources, ``(rows,)``.
            port: voltages of the bit lines' ends, ``(columns,)``.
            tolerance: error in the energy norm, relative to the solution's; reached or refused.

        Raises:
            SimulationError: the iteration does not reach the tolerance.
        """
        siemens, shape = self.siemens, self.siemens.shape
        drive, port = np.ascontiguousarray(drive, dtype=np.float64), np.ascontiguousarray(port, dtype=np.float64)
        if self.r_in == 0:
            words = np.repeat(drive[:, None], shape[1], axis=1)
            return words, self._bits(siemens * words, port)
        if self.r_bit == 0:
            bits = np.repeat(port[None, :], shape[0], axis=0)
            return self._words(siemens * bits, drive), bits
        silent, grounded = np.zeros(shape[0]), np.zeros(shape[1])
        residual = siemens * self._bits(np.zeros(shape), port)
        residual[:, 0] += drive / self.r_in
        words, direction, image = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        power = first = 0.0
        for _ in range(10 * sum(shape) + 100):
            update = self._words(residual, silent)
            last, power = power, float(np.vdot(residual, update))
            first = first or power
            if power <= first * tolerance * tolerance:
                return words, self._bits(siemens * words, port)
            beta = power / last if last else 0.0
            drawn = _advance(direction, image, update, residual, siemens, beta)
            back = self._bits(drawn, grounded)
            _descend(words, residual, direction, image, back, siemens, power)
        raise SimulationError(
            f"a crossbar of {shape[0]} x {shape[1]} with segments of {self.r_word:g} and {self.r_bit:g} ohm does not "
            f"converge to {tolerance:g}; the remaining error is {math.sqrt(power / first):.1e}"
        )

    def _words(self, current: Floats, drive: Floats) -> Floats:
        """Word line nodes for ``current`` flowing into each and the sources at ``drive``: ``Aw⁻¹``."""
        if self.r_word > 0:
            return _solve_words(self.word_ratio, self.r_word, self.r_in, current, drive)
        nodes = self.word_ratio * (drive[:, None] + self.r_driver * current.sum(axis=1, keepdims=True))
        return np.repeat(nodes, current.shape[1], axis=1)

    def _bits(self, current: Floats, port: Floats) -> Floats:
        """Bit line nodes for ``current`` flowing into each and the ends at ``port``: ``Ab⁻¹``."""
        if self.r_bit > 0:
            return _solve_bits(self.bit_ratio, self.r_bit, current, port)
        return np.repeat(port[None, :], current.shape[0], axis=0)


@compiled
def _word_ratios(siemens: Floats, r_word: float, r_in: float) -> Floats:
    rows, columns = siemens.shape
    ratio = np.empty((rows, columns))
    for i in range(rows):
        seen = 0.0
        for j in range(columns - 1, -1, -1):
            seen += siemens[i, j]
            ratio[i, j] = 1.0 / (1.0 + (r_word if j else r_in) * seen)
            seen *= ratio[i, j]
    return ratio


@compiled
def _bit_ratios(siemens: Floats, r_bit: float) -> Floats:
    rows, columns = siemens.shape
    ratio = np.empty((rows, columns))
    seen = np.zeros(columns)
    for i in range(rows):
        for j in range(columns):
            total = seen[j] + siemens[i, j]
            ratio[i, j] = 1.0 / (1.0 + r_bit * total)
            seen[j] = total * ratio[i, j]
    return ratio


@compiled
def _solve_words(ratio: Floats, r_word: float, r_in: float, current: Floats, drive: Floats) -> Floats:
    rows, columns = ratio.shape
    nodes = np.empty((rows, columns))
    for i in range(rows):
        flow = 0.0
        for j in range(columns - 1, -1, -1):
            flow += current[i, j]
            nodes[i, j] = flow
            flow *= ratio[i, j]
        volts = ratio[i, 0] * (nodes[i, 0] * r_in + drive[i])
        nodes[i, 0] = volts
        for j in range(1, columns):
            volts = ratio[i, j] * (nodes[i, j] * r_word + volts)
            nodes[i, j] = volts
    return nodes


@compiled
def _solve_bits(ratio: Floats, r_bit: float, current: Floats, port: Floats) -> Floats:
    rows, columns = ratio.shape
    nodes = np.empty((rows, columns))
    for j in range(columns):
        nodes[0, j] = current[0, j]
    for i in range(1, rows):
        for j in range(columns):
            nodes[i, j] = current[i, j] + ratio[i - 1, j] * nodes[i - 1, j]
    for j in range(columns):
        nodes[rows - 1, j] = ratio[rows - 1, j] * (nodes[rows - 1, j] * r_bit + port[j])
    for i in range(rows - 2, -1, -1):
        for j in range(columns):
            nodes[i, j] = ratio[i, j] * (nodes[i, j] * r_bit + nodes[i + 1, j])
    return nodes


@compiled
def _advance(
    direction: Floats, image: Floats, update: Floats, residual: Floats, siemens: Floats, beta: float
) -> Floats:
    """The next search direction and its image under ``Aw``; returns what it drives through the devices."""
    rows, columns = siemens.shape
    drawn = np.empty((rows, columns))
    for i in range(rows):
        for j in range(columns):
            direction[i, j] = update[i, j] + beta * direction[i, j]
            image[i, j] = residual[i, j] + beta * image[i, j]
            drawn[i, j] = siemens[i, j] * direction[i, j]
    return drawn


@compiled
def _descend(
    words: Floats, residual: Floats, direction: Floats, image: Floats, back: Floats, siemens: Floats, power: float
) -> None:
    """One step along the direction, as far as the energy falls."""
    rows, columns = siemens.shape
    curvature = 0.0
    for i in range(rows):
        for j in range(columns):
            curvature += direction[i, j] * (image[i, j] - siemens[i, j] * back[i, j])
    step = power / curvature
    for i in range(rows):
        for j in range(columns):
            words[i, j] += step * direction[i, j]
            residual[i, j] -= step * (image[i, j] - siemens[i, j] * back[i, j])
