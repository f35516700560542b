r"""Row tiles whose bit lines meet through resistances, as one array.

The bit lines of a layer's tiles meet at joints, and from the last joint a common piece leads to the neuron. Each tile
is known by its Norton form, so nodal analysis of the joints is small: ``i`` are joints, ``p`` the ends at the cells,
``Y`` the conductances of joints and tiles together, ``T`` the currents that tiles drive into nodes per volt of a word
line. With nothing else connected to a joint ``u_i = Y_ii⁻¹ (T_iᵀ v - Y_ip u_p)``, and what leaves the ends is ``v T' -
Y' u_p`` with::

    T' = T_p - T_i Y_ii⁻¹ Y_ip        Y' = Y_pp - Y_pi Y_ii⁻¹ Y_ip

The diagonal of ``Y'`` is summed up from the rest: with all word lines and ends at one voltage no current flows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from snn2circuit.ir.circuit import Crossbar, NortonCrossbar, Resistor
from snn2circuit.ir.noun import Floats
from snn2circuit.simulate.crossbar import reduce_crossbar


class Joined(NamedTuple):
    """Tiles as one array, and what the joints inside of it do."""

    array: NortonCrossbar
    joints: dict[str, Floats]  # volts of each joint per volt of each word line, ends at 0 V


def join_crossbars(
    arrays: Sequence[Crossbar | NortonCrossbar], joints: Sequence[Resistor], ends: Collection[str]
) -> Joined:
    """Fold ``joints`` into the arrays that they join; bit lines and joints that are none of ``ends`` vanish."""
    tiles = [array if isinstance(array, NortonCrossbar) else reduce_crossbar(array) for array in arrays]
    nodes = list(dict.fromkeys([bit for tile in tiles for bit in tile.bits] + [n for r in joints for n in (r.a, r.b)]))
    index = {node: number for number, node in enumerate(nodes)}
    words = [line for tile in tiles for line in tile.word_lines]
    driven, matrix = np.zeros((len(words), len(nodes))), np.zeros((len(nodes), len(nodes)))
    row = 0
    for tile in tiles:
        places = [index[bit] for bit in tile.bits]
        driven[row : row + len(tile.word_lines), places] = tile.transfer
        matrix[np.ix_(places, places)] += tile.load
        row += len(tile.word_lines)
    for joint in joints:
        a, b = index[joint.a], index[joint.b]
        matrix[[a, b], [a, b]] += 1 / joint.ohms
        matrix[[a, b], [b, a]] -= 1 / joint.ohms
    outside = np.array([index[node] for node in nodes if node in ends])
    inside = np.array([index[node] for node in nodes if node not in ends], dtype=np.int64)
    solved = np.linalg.solve(
        matrix[np.ix_(inside, inside)], np.hstack([matrix[np.ix_(inside, outside)], driven[:, inside].T])
    )
    to_ends, per_word = solved[:, : len(outside)], solved[:, len(outside) :]
    transfer = driven[:, outside] - driven[:, inside] @ to_ends
    load = matrix[np.ix_(outside, outside)] - matrix[np.ix_(outside, inside)] @ to_ends
    np.fill_diagonal(load, 0.0)
    np.fill_diagonal(load, transfer.sum(axis=0) - load.sum(axis=1))
    array = NortonCrossbar(
        name=tiles[0].name,
        word_lines=tuple(words),
        bits=tuple(nodes[number] for number in outside),
        transfer=transfer,
        load=(load + load.T) / 2,
    )
    return Joined(array=array, joints={nodes[number]: per_word[at] for at, number in enumerate(inside)})
