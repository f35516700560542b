"""Crossbars as text: resistors and controlled sources in bulk, the same in every SPICE.

With resistive lines every crossing has two inner nodes. In array ``l1``, at row 5 and the positive bit line of neuron
3, they are ``wp_l1_r5_n3`` on the word line and ``bp_l1_r5_n3`` on the bit line; ``wd_l1_r5`` is behind the driver's
resistance. Rows and neurons count within the array. A kind of line without resistance has no inner nodes.

A Norton equivalent is a controlled source per entry of ``transfer``, and for ``load`` the resistors whose nodal matrix
it is: ``-load[j, k]`` between two bit lines, what a row sums to from a bit line to ground. Entries below
:data:`NEGLIGIBLE` of the largest are rounding and left out.
"""

from __future__ import annotations

import numpy as np

from snn2circuit.ir.circuit import Crossbar, NortonCrossbar
from snn2circuit.ir.noun import Floats

NEGLIGIBLE = 1e-15


def crossbar_cards(array: Crossbar) -> list[str]:
    """One card per device, then the segments of the lines, then the drivers."""
    sides = (("p", array.bits_pos, array.g_pos), ("n", array.bits_neg, array.g_neg))
    cards = []
    for sign, bits, conductances in sides:
        for column, bit in enumerate(bits):
            ohms = (1.0 / conductances[:, column]).tolist()
            for row, (word, value) in enumerate(zip(array.word_lines, ohms, strict=True)):
                place = f"{sign}_{array.name}_r{row}_n{column}"
                if array.r_word:
                    word = "w" + place
                elif array.r_driver:
                    word = f"wd_{array.name}_r{row}"
                cards.append(f"R{place} {word} {'b' + place if array.r_bit else bit} {value:.12g}")
    if array.r_bit:
        cards += [card for sign, bits, _ in sides for card in _bit_segments(array, sign, bits)]
    for row, word in enumerate(array.word_lines):
        node = word
        if array.r_driver:
            node = f"wd_{array.name}_r{row}"
            cards.append(f"Rd_{array.name}_r{row} {word} {node} {array.r_driver:.12g}")
        if array.r_word:
            for column in range(len(array.bits_pos)):
                for sign in "pn":
                    place = f"w{sign}_{array.name}_r{row}_n{column}"
                    cards.append(f"R{place} {node} {place} {array.r_word:.12g}")
                    node = place
    return cards


def _bit_segments(array: Crossbar, sign: str, bits: tuple[str, ...]) -> list[str]:
    cards, last = [], len(array.word_lines) - 1
    for column, bit in enumerate(bits):
        nodes = [*(f"b{sign}_{array.name}_r{row}_n{column}" for row in range(last + 1)), bit]
        cards += [f"R{nodes[row]} {nodes[row]} {nodes[row + 1]} {array.r_bit:.12g}" for row in range(last + 1)]
    return cards


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
