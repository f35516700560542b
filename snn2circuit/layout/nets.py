"""Names of the nets of a stack: exactly those of the circuit's nodes, and the alignment marks of its sheets.

Layers are counted from 1, rows and neurons from 0, numbers are not padded. A neuron's cell holds its latch and the
driver of the next layer's word line, so between two sheets the cell's output, the via and the word line are one net,
named after the word line. Only the last layer's spikes leave the stack under their own name.
"""

from __future__ import annotations

from snn2circuit.ir.crossbar import CrossbarNetwork, Tile
from snn2circuit.ir.layout import Mode

RAILS = ("vdd", "vss", "gnd", "phi", "sample", "latch", "discharge")


def word_lines(crossbar: CrossbarNetwork, layer: int) -> list[str]:
    """Net of each word line of layer ``layer`` (from 1), bias row last."""
    crossed = crossbar.layers[layer - 1]
    bias = [f"bias_l{layer}"] if crossed.has_bias else []
    return [f"wl_l{layer}_r{row}" for row in range(crossed.inputs)] + bias


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
    """What each sheet of the stack carries, bottom to top: a layer (from 1) and one of its tiles, or two that share."""
    count = 2 if mode == "shared_electrode" else 1
    return [
        (layer, crossed.tiles[first : first + count])
        for layer, crossed in enumerate(crossbar.layers, start=1)
        for first in range(0, len(crossed.tiles), count)
    ]


def all_nets(crossbar: CrossbarNetwork, mode: Mode) -> list[str]:
    """Every net of the stack, once: rails, word and bit lines layer by layer, the last layer's spikes, marks."""
    names = list(RAILS)
    for layer in range(1, len(crossbar.layers) + 1):
        names += word_lines(crossbar, layer) + bit_lines(crossbar, layer, +1) + bit_lines(crossbar, layer, -1)
    names += outputs(crossbar, len(crossbar.layers))
    return names + [name for sheet in range(1, len(sheets(crossbar, mode)) + 1) for name in marks(sheet)]


def marks(sheet: int) -> list[str]:
    """Nets of the alignment marks of sheet ``sheet`` (from 1), which connect nothing: plus and ring at either end."""
    return [f"mark_s{sheet}_{end}_{shape}" for end in (1, 2) for shape in ("plus", "ring")]
