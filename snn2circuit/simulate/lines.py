r"""Crossbars solved one drive at a time: conjugate gradients, preconditioned by the word lines.

Nodal analysis of the topology in :mod:`snn2circuit.ir.lines` gives, for the word line nodes ``w`` and the bit line
nodes ``b`` of every crossing::

    Aw w - G b = g_in · drive        Ab b - G w = g_out · port

``Aw`` is tridiagonal along each word line, ``Ab`` along each bit line, and ``G`` is diagonal: the devices. Eliminating
``b``, which costs a tridiagonal solve per bit line, leaves the symmetric positive definite ``S = Aw - G Ab⁻¹ G``. With
``Aw`` itself as preconditioner, the eigenvalues of ``Aw⁻¹ S`` lie in (0, 1], close to 1 unless both kinds of line are
long and resistive, so that a few iterations suffice. The first guess is ``w = Aw⁻¹ g_in drive``, bit lines grounded;
its residual is ``G b``, so neither ``g_in`` nor the product ``Aw p`` is ever formed, and any piece of line may have a
resistance of 0.

A line is eliminated from its open end. ``e`` is the conductance that end shows, and a piece ``r`` in series with it
leaves ``e / (1 + r e)``: nothing is ever subtracted, so nothing cancels. The ratio ``q = 1 / (1 + r e)`` is all that
has to be kept.
"""

from __future__ import annotations

import math

import numpy as np

from snn2circuit.errors import SimulationError
from snn2circuit.ir.lines import LineResistances
from snn2circuit.ir.noun import Bools, Floats
from snn2circuit.simulate.compile import compiled


class LineSolver:
    """A crossbar whose lines have been eliminated; solves for any number of drives, one after the other."""

    def __init__(self, siemens: Floats, lines: LineResistances) -> None:
        self.siemens = np.ascontiguousarray(siemens, dtype=np.float64)
        self.lines = lines
        # Resistance that a crossing is reached through, by where the word line is fed; leads come on top.
        self.word_ohms = np.stack([np.append(0.0, lines.word_segments), np.append(lines.word_segments, 0.0)])
        self.bit_ohms = np.append(0.0, lines.bit_segments)
        self.word_ratio = _word_ratios(self.siemens, self.word_ohms, lines.word_leads, lines.fed_far)
        self.bit_ratio = _bit_ratios(self.siemens, self.bit_ohms, lines.bit_leads)

    def solve(self, drive: Floats, port: Floats, tolerance: float) -> tuple[Floats, Floats]:
        """Node voltages ``(rows, columns)`` of the word lines and of the bit lines.

        Args:
            drive: voltages of the word lines' sources, ``(rows,)``.
            port: voltages of the bit lines' ends, ``(columns,)``.
            tolerance: error in the energy norm, relative to what the devices take; reached or refused.

        Raises:
            SimulationError: the iteration does not reach the tolerance.
        """
        siemens, shape = self.siemens, self.siemens.shape
        drive, port = np.ascontiguousarray(drive, dtype=np.float64), np.ascontiguousarray(port, dtype=np.float64)
        silent, grounded = np.zeros(shape[0]), np.zeros(shape[1])
        words = self._words(np.zeros(shape), drive)
        bits = self._bits(siemens * words, port)
        scale = float(np.vdot(siemens, (words - bits) ** 2))
        residual = siemens * bits
        direction, image = np.zeros(shape), np.zeros(shape)
        power = 0.0
        for _ in range(10 * sum(shape) + 100):
            update = self._words(residual, silent)
            last, power = power, float(np.vdot(residual, update))
            if power <= scale * tolerance * tolerance:
                return words, self._bits(siemens * words, port)
            beta = power / last if last else 0.0
            drawn = _advance(direction, image, update, residual, siemens, beta)
            back = self._bits(drawn, grounded)
            _descend(words, residual, direction, image, back, siemens, power)
        raise SimulationError(
            f"a crossbar of {shape[0]} x {shape[1]} with segments of up to {self.lines.word_segments.max(initial=0):g} "
            f"and {self.lines.bit_segments.max(initial=0):g} ohm does not converge to {tolerance:g}; "
            f"the remaining error is {math.sqrt(power / scale):.1e}"
        )

    def shares(self) -> tuple[Floats, Floats]:
        """Volts ``(rows, columns)`` of the word lines at 1 V with the bit lines grounded, and the other way round."""
        rows, columns = self.siemens.shape
        silent = np.zeros((rows, columns))
        return self._words(silent, np.ones(rows)), self._bits(silent, np.ones(columns))

    def _words(self, current: Floats, drive: Floats) -> Floats:
        """Word line nodes for ``current`` flowing into each and the sources at ``drive``: ``Aw⁻¹``."""
        lines = self.lines
        return _solve_words(self.word_ratio, self.word_ohms, lines.word_leads, lines.fed_far, current, drive)

    def _bits(self, current: Floats, port: Floats) -> Floats:
        """Bit line nodes for ``current`` flowing into each and the ends at ``port``: ``Ab⁻¹``."""
        return _solve_bits(self.bit_ratio, self.bit_ohms, self.lines.bit_leads, current, port)


@compiled
def _word_ratios(siemens: Floats, ohms: Floats, leads: Floats, far: Bools) -> Floats:
    rows, columns = siemens.shape
    ratio = np.empty((rows, columns))
    for i in range(rows):
        side = int(far[i])
        first, step = (columns - 1, -1) if far[i] else (0, 1)
        seen = 0.0
        j = first + (columns - 1) * step
        for _ in range(columns - 1):
            seen += siemens[i, j]
            ratio[i, j] = 1.0 / (1.0 + ohms[side, j] * seen)
            seen *= ratio[i, j]
            j -= step
        ratio[i, first] = 1.0 / (1.0 + leads[i] * (seen + siemens[i, first]))
    return ratio


@compiled
def _bit_ratios(siemens: Floats, ohms: Floats, leads: Floats) -> Floats:
    rows, columns = siemens.shape
    ratio = np.empty((rows, columns))
    seen = np.zeros(columns)
    for i in range(rows - 1, -1, -1):
        for j in range(columns):
            total = seen[j] + siemens[i, j]
            ratio[i, j] = 1.0 / (1.0 + (ohms[i] if i else leads[j]) * total)
            seen[j] = total * ratio[i, j]
    return ratio


@compiled
def _solve_words(ratio: Floats, ohms: Floats, leads: Floats, far: Bools, current: Floats, drive: Floats) -> Floats:
    """Two lines at a time: each is a chain of operations that wait for one another. An odd last one runs twice."""
    rows, columns = ratio.shape
    nodes = np.empty((rows, columns))
    for i in range(0, rows, 2):
        k = min(i + 1, rows - 1)
        side, side_two = int(far[i]), int(far[k])
        one, two = side * (columns - 1), side_two * (columns - 1)
        turn, turn_two = 1 - 2 * side, 1 - 2 * side_two
        flow = flow_two = 0.0
        for step in range(columns - 1, -1, -1):
            j, m = one + turn * step, two + turn_two * step
            flow += current[i, j]
            flow_two += current[k, m]
            nodes[i, j] = flow
            nodes[k, m] = flow_two
            flow *= ratio[i, j]
            flow_two *= ratio[k, m]
        volts = ratio[i, one] * (nodes[i, one] * leads[i] + drive[i])
        volts_two = ratio[k, two] * (nodes[k, two] * leads[k] + drive[k])
        nodes[i, one] = volts
        nodes[k, two] = volts_two
        for step in range(1, columns):
            j, m = one + turn * step, two + turn_two * step
            volts = ratio[i, j] * (nodes[i, j] * ohms[side, j] + volts)
            volts_two = ratio[k, m] * (nodes[k, m] * ohms[side_two, m] + volts_two)
            nodes[i, j] = volts
            nodes[k, m] = volts_two
    return nodes


@compiled
def _solve_bits(ratio: Floats, ohms: Floats, leads: Floats, current: Floats, port: Floats) -> Floats:
    rows, columns = ratio.shape
    nodes = np.empty((rows, columns))
    for j in range(columns):
        nodes[rows - 1, j] = current[rows - 1, j]
    for i in range(rows - 2, -1, -1):
        for j in range(columns):
            nodes[i, j] = current[i, j] + ratio[i + 1, j] * nodes[i + 1, j]
    for j in range(columns):
        nodes[0, j] = ratio[0, j] * (nodes[0, j] * leads[j] + port[j])
    for i in range(1, rows):
        for j in range(columns):
            nodes[i, j] = ratio[i, j] * (nodes[i, j] * ohms[i] + nodes[i - 1, j])
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
