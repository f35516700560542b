"""What the net names of a crossbar mean: layer, row, column and polarity of every line, and the pins of every cell."""

from __future__ import annotations

from typing import TypedDict

from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.layout import Mode
from snn2circuit.layout import nets


class Where(TypedDict, total=False):
    """Where a line belongs, as far as it has these."""

    layer: int
    row: int
    column: int
    polarity: int


class Lines:
    """The nets of one crossbar network, looked up by name. Layers count from 1, rows and columns from 0."""

    def __init__(self, crossbar: CrossbarNetwork, mode: Mode = "sheet_per_layer") -> None:
        self.crossbar = crossbar
        self.names = nets.all_nets(crossbar, mode)  # only the marks depend on the mode: one set a sheet
        self.word: dict[str, tuple[int, int]] = {}  # layer, row; in the order of layers, column tiles, then of rows
        self.bit: dict[str, tuple[int, int, int]] = {}  # layer, column, side: 0 positive, 1 negative; in that order
        self.outputs: dict[tuple[int, int], str] = {}  # of the cell of a layer and column
        for layer in range(1, len(crossbar.layers) + 1):
            for part in range(len(nets.parts(crossbar, layer))):
                self.word |= {name: (layer, row) for row, name in enumerate(nets.word_lines(crossbar, layer, part))}
            pairs = zip(nets.bit_lines(crossbar, layer, +1), nets.bit_lines(crossbar, layer, -1), strict=True)
            for column, pair in enumerate(pairs):
                self.bit |= {name: (layer, column, side) for side, name in enumerate(pair)}
            self.outputs |= {(layer, column): name for column, name in enumerate(nets.outputs(crossbar, layer))}

    def runs(self, layer: int) -> list[list[str]]:
        """Names of the word lines of a layer on each of its column tiles."""
        return [nets.word_lines(self.crossbar, layer, part) for part in range(len(nets.parts(self.crossbar, layer)))]

    def pins(self, layer: int, column: int) -> set[str]:
        """Nets that the cell of a neuron touches."""
        pair = {nets.bit_lines(self.crossbar, layer, sign)[column] for sign in (+1, -1)}
        return {*pair, self.outputs[layer, column], *nets.RAILS}

    def describe(self, name: str) -> str:
        """The name with what it stands for."""
        if name in self.word:
            layer, row = self.word[name]
            return f"{name} (word line, layer {layer}, row {row})"
        if name in self.bit:
            layer, column, side = self.bit[name]
            return f"{name} (bit line, layer {layer}, column {column}, polarity {'+-'[side]})"
        return name

    def where(self, name: str) -> Where:
        """Layer, row, column and polarity of a line, as far as it has them."""
        if name in self.word:
            layer, row = self.word[name]
            return {"layer": layer, "row": row}
        if name in self.bit:
            layer, column, side = self.bit[name]
            return {"layer": layer, "column": column, "polarity": 1 - 2 * side}
        return {}
