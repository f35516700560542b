"""Names of the nets of a stack: exactly those of the circuit's nodes, and the alignment marks of its sheets.

Layers are counted from 1, rows and neurons from 0, numbers are not padded. A neuron's cell holds its latch and the
driver of the next layer's word line, so between two sheets the cell's output, the via and the word line are one net,
named after the word line. Only the last layer's spikes leave the stack under their own name.

A word line of a layer that is cut by columns runs on a sheet of every column tile. Where a cell below drives it, vias
join these runs to one net. Where it ends in a contact finger, as in the first layer and for every bias, each run has a
driver of its own and is a net of its own: ``wl_l1_r5`` on the first column tile, ``wl_l1_r5_c1`` on the next.
"""

from __future__ import annotations

import itertools

from snn2circuit.ir.crossbar import CrossbarNetwork, Tile
from snn2circuit.ir.layout import Mode

RAILS = ("vdd", "vss", "gnd", "phi", "sample", "latch", "discharge")


def word_lines(crossbar: CrossbarNetwork, layer: int, part: int = 0) -> list[str]:
    """Net of each word line of layer ``layer`` (from 1) on its column tile ``part`` (from 0), bias row last."""
    crossed = crossbar.layers[layer - 1]
    repeated = f"_c{part}" if part else ""
    bias = [f"bias_l{layer}{repeated}"] if crossed.has_bias else []
    return [f"wl_l{layer}_r{row}{repeated if layer == 1 else ''}" for row in range(crossed.inputs)] + bias


def parts(crossbar: CrossbarNetwork, layer: int) -> list[slice]:
    """Neurons of each column tile of layer ``layer`` (from 1)."""
    crossed = crossbar.layers[layer - 1]
    return [tile.columns for tile in crossed.tiles[: len(crossed.column_cuts) + 1]]


def bit_lines(crossbar: CrossbarNetwork, layer: int, polarity: int) -> list[str]:
    """Net of each neuron's positive (+1) or negative (-1) bit line in layer ``layer`` (from 1)."""
    prefix = "bp" if polarity > 0 else "bn"
    return [f"{prefix}_l{layer}_n{neuron}" for neuron in range(crossbar.layers[layer - 1].columns)]


def outputs(crossbar: CrossbarNetwork, layer: int) -> list[str]:
    """Net that each neuron cell of layer ``layer`` (from 1) drives: the next layer's word line, or the last spike."""
    columns = range(crossbar.layers[layer - 1].columns)
    if layer == len(crossbar.layers):
        return [f"spike_l{layer}_n{neuron}" for neuron in columns]
    return [f"wl_l{layer + 1}_r{neuron}" for neuron in columns]


def sheets(crossbar: CrossbarNetwork, mode: Mode) -> list[tuple[int, tuple[Tile, ...]]]:
    """What each sheet of the stack carries, bottom to top: a layer (from 1) and one of its tiles, or two that share.

    Row tiles of one column tile lie above one another, then come those of the next.
    """
    count = 2 if mode == "shared_electrode" else 1
    found = []
    for layer, crossed in enumerate(crossbar.layers, start=1):
        across = len(crossed.column_cuts) + 1
        for part in range(across):
            tiles = crossed.tiles[part::across]
            found += [(layer, tiles[first : first + count]) for first in range(0, len(tiles), count)]
    return found


def all_nets(crossbar: CrossbarNetwork, mode: Mode) -> list[str]:
    """Every net of the stack, once: rails, word and bit lines layer by layer, the last layer's spikes, marks."""
    names = list(RAILS)
    for layer in range(1, len(crossbar.layers) + 1):
        runs = (word_lines(crossbar, layer, part) for part in range(len(parts(crossbar, layer))))
        names += dict.fromkeys(itertools.chain(*runs))
        names += bit_lines(crossbar, layer, +1) + bit_lines(crossbar, layer, -1)
    names += outputs(crossbar, len(crossbar.layers))
    return names + [name for sheet in range(1, len(sheets(crossbar, mode)) + 1) for name in marks(sheet)]


def marks(sheet: int) -> list[str]:
    """Nets of the alignment marks of sheet ``sheet`` (from 1), which connect nothing: plus and ring at either end."""
    return [f"mark_s{sheet}_{end}_{shape}" for end in (1, 2) for shape in ("plus", "ring")]
