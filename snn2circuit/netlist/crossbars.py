"""The crossbars of a network as elements, and what their bit lines share on the way to the neurons.

The bit lines of the row tiles of a layer meet at the neuron's virtual ground, or where a layout says so at joints
before it. Joint ``k`` is where the bit line of tile ``k`` meets those of the tiles before; from joint to joint, and
from the last one to the cell, lies a resistor. One without resistance adds no node.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from snn2circuit.errors import NetlistError
from snn2circuit.ir.circuit import Crossbar, Resistor
from snn2circuit.ir.crossbar import CrossbarLayer, CrossbarNetwork
from snn2circuit.ir.lines import LineResistances, uniform_lines
from snn2circuit.ir.noun import Ints
from snn2circuit.ir.parasitics import Parasitics, tile_shape

Ends = tuple[tuple[str, ...], tuple[str, ...]]  # nodes of positive and of negative bit lines


class Part(NamedTuple):
    """What one crossbar of a layer holds."""

    rows: Ints  # of the layer, in the order of the crossbar's word lines
    columns: slice  # of the layer
    lines: LineResistances


def crossbar_parts(number: int, layer: CrossbarLayer, parasitics: Parasitics | None = None) -> list[Part]:
    """The crossbars of layer ``number`` (from 1): as its lines are drawn, or without parasitics one for each tile."""
    if parasitics is None:
        return [
            Part(np.arange(tile.rows.start, tile.rows.stop), tile.columns, uniform_lines(*tile_shape(tile)))
            for tile in layer.tiles
        ]
    return [Part(tile.rows, slice(*tile.columns), tile.lines) for tile in parasitics.of_layer(number, layer)]


def crossbar_arrays(
    crossbar: CrossbarNetwork, parasitics: Parasitics | None = None
) -> tuple[tuple[Crossbar, ...], ...]:
    """Every layer's crossbars as elements.

    Raises:
        NetlistError: the parasitics are those of another network.
    """
    if parasitics is not None and len(parasitics.layers) != len(crossbar.layers):
        raise NetlistError(
            f"parasitics of {len(parasitics.layers)} layers do not fit a network of {len(crossbar.layers)}"
        )
    groups = []
    for number, layer in enumerate(crossbar.layers, start=1):
        words = [f"wl_l{number}_r{row}" for row in range(layer.inputs)] + [f"bias_l{number}"] * layer.has_bias
        made_pos, made_neg = layer.programmed
        parts = crossbar_parts(number, layer, parasitics)
        ends = _tile_ends(number, layer, parasitics)
        groups.append(
            tuple(
                Crossbar(
                    name=f"l{number}_t{index}" if len(parts) > 1 else f"l{number}",
                    word_lines=tuple(words[row] for row in part.rows.tolist()),
                    bits_pos=ends[index][0],
                    bits_neg=ends[index][1],
                    g_pos=made_pos[part.rows, part.columns],
                    g_neg=made_neg[part.rows, part.columns],
                    lines=part.lines,
                )
                for index, part in enumerate(parts)
            )
        )
    return tuple(groups)


def bit_line_joints(
    crossbar: CrossbarNetwork, parasitics: Parasitics | None = None
) -> tuple[tuple[Resistor, ...], ...]:
    """What the bit lines of every layer's tiles share on their way to the neurons; nothing where they share nothing."""
    found: list[tuple[Resistor, ...]] = []
    for number, layer in enumerate(crossbar.layers, start=1):
        joints = parasitics.layers[number - 1].joints if parasitics else None
        if joints is None:
            found.append(())
            continue
        ends, parts = _tile_ends(number, layer, parasitics), crossbar_parts(number, layer, parasitics)
        across = len(layer.column_cuts) + 1
        beyond = [*ends[across:], *_cell_ends(number, layer)]
        ohms = joints.values.reshape(len(joints.values), -1, 2)
        found.append(
            tuple(
                Resistor(name=a, a=a, b=b, ohms=float(ohms[index // across, column, side]))
                for index, (part, here, there) in enumerate(zip(parts, ends, beyond, strict=True))
                for side in (0, 1)
                for a, b, column in zip(here[side], there[side], range(layer.columns)[part.columns], strict=True)
                if a != b
            )
        )
    return tuple(found)


def _cell_ends(number: int, layer: CrossbarLayer) -> list[Ends]:
    """Bit lines at the cells, for every column of tiles."""
    pos, neg = bit_lines(number, layer)
    parts = [tile.columns for tile in layer.tiles[: len(layer.column_cuts) + 1]]
    return [(tuple(pos[part]), tuple(neg[part])) for part in parts]


def _tile_ends(number: int, layer: CrossbarLayer, parasitics: Parasitics | None) -> list[Ends]:
    """Where the bit lines of every tile end: at a joint, or where they share nothing at the cell."""
    across, parts = len(layer.column_cuts) + 1, crossbar_parts(number, layer, parasitics)
    joints = parasitics.layers[number - 1].joints if parasitics else None
    ends = _cell_ends(number, layer)
    if joints is None:
        return ends * (len(parts) // across)
    found: list[Ends] = []
    ohms = joints.values.reshape(len(joints.values), -1, 2)
    for index in reversed(range(len(parts))):
        columns = range(layer.columns)[parts[index].columns]
        beyond = found[-across] if len(found) >= across else ends[index % across]
        pos, neg = (
            tuple(
                f"j{'pn'[side]}_l{number}_t{index}_n{column}" if ohms[index // across, column, side] else node
                for column, node in zip(columns, beyond[side], strict=True)
            )
            for side in (0, 1)
        )
        found.append((pos, neg))
    return found[::-1]


def bit_lines(number: int, layer: CrossbarLayer) -> tuple[list[str], list[str]]:
    """Nodes of the positive and the negative bit lines of layer ``number``, from 1, at its neuron cells."""
    pos, neg = ([f"b{sign}_l{number}_n{column}" for column in range(layer.columns)] for sign in "pn")
    return pos, neg
