"""Crossbars as text: resistors and controlled sources in bulk, the same in every SPICE.

With resistive lines every crossing has two inner nodes. In array ``l1``, at row 5 and the positive bit line of neuron
3, they are ``wp_l1_r5_n3`` on the word line and ``bp_l1_r5_n3`` on the bit line. Rows and neurons count within the
array. A piece of line without resistance adds no node: a node has the name of the first crossing it reaches, seen from
the line's end in the circuit, or is that end itself.

A Norton equivalent is a controlled source per entry of ``transfer``, and for ``load`` the resistors whose nodal matrix
it is: ``-load[j, k]`` between two bit lines, what a row sums to from a bit line to ground. Entries below
:data:`NEGLIGIBLE` of the largest are rounding and left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from snn2circuit.ir.circuit import Crossbar, NortonCrossbar
from snn2circuit.ir.noun import Bools, Floats

NEGLIGIBLE = 1e-15


def crossbar_cards(array: Crossbar) -> list[str]:
    """One card per device, then one per piece of bit line, then one per piece of word line."""
    lines = array.lines
    signs = [(sign, column) for column in range(len(array.bits_pos)) for sign in "pn"]
    words, along = _lines(
        array.word_lines,
        [[f"w{sign}_{array.name}_r{row}_n{column}" for sign, column in signs] for row in range(len(array.word_lines))],
        lines.word_leads, lines.word_segments, lines.fed_far,
    )  # fmt: skip
    bits, down = _lines(
        array.bits,
        [[f"b{sign}_{array.name}_r{row}_n{column}" for row in range(len(array.word_lines))] for sign, column in signs],
        lines.bit_leads, lines.bit_segments, np.zeros(len(signs), dtype=bool),
    )  # fmt: skip
    cards = []
    for offset, sign, conductances in ((0, "p", array.g_pos), (1, "n", array.g_neg)):
        for column in range(len(array.bits_pos)):
            line = 2 * column + offset
            ohms = (1.0 / conductances[:, column]).tolist()
            cards += [
                f"R{sign}_{array.name}_r{row}_n{column} {words[row][line]} {bits[line][row]} {value:.12g}"
                for row, value in enumerate(ohms)
            ]
    return [*cards, *down, *along]


def _lines(
    ends: Sequence[str], names: list[list[str]], leads: Floats, segments: Floats, far: Bools
) -> tuple[list[list[str]], list[str]]:
    """The node at every crossing of parallel lines, and the cards of all pieces; ``names`` are those of the crossings.

    A line is followed from its end in the circuit, which is next to its last crossing where ``far`` is set.
    """
    cards, nodes = [], []
    ohms = segments.tolist()
    for end, crossings, lead, reverse in zip(ends, names, leads.tolist(), far.tolist(), strict=True):
        node, line = end, []
        pieces = [lead, *(reversed(ohms) if reverse else ohms)]
        for crossing, piece in zip(reversed(crossings) if reverse else crossings, pieces, strict=True):
            if piece:
                cards.append(f"R{crossing} {node} {crossing} {piece:.12g}")
                node = crossing
            line.append(node)
        nodes.append(line[::-1] if reverse else line)
    return nodes, cards


def norton_cards(array: NortonCrossbar) -> list[str]:
    """One card per entry of ``transfer``, then one resistor per entry of ``load`` and bit line."""
    cards = []
    for column, bit in enumerate(array.bits):
        gains = array.transfer[:, column].tolist()
        cards += [
            f"G_{array.name}_r{row}_b{column} 0 {bit} {word} 0 {gain:.12g}"
            for row, (word, gain) in enumerate(zip(array.word_lines, gains, strict=True))
            if gain
        ]
    smallest = NEGLIGIBLE * float(np.abs(array.load).max(initial=0.0))
    to_ground: Floats = array.load.sum(axis=1)
    for column, bit in enumerate(array.bits):
        if to_ground[column] > smallest:
            cards.append(f"R_{array.name}_b{column} {bit} 0 {1 / to_ground[column]:.12g}")
        for other in (np.flatnonzero(-array.load[column, column + 1 :] > smallest) + column + 1).tolist():
            ohms = -1 / array.load[column, other]
            cards.append(f"R_{array.name}_b{column}_{other} {bit} {array.bits[other]} {ohms:.12g}")
    return cards
