"""What resistive lines cost, layer by layer, and how large an array may be.

The measure is the current that a bit line loses when every word line is driven with the read voltage: ``1 - I / I₀``,
``I₀`` with ideal lines. No smaller set of word lines draws more, so no input sees a larger drop along any line. All
currents come from the exact solver.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.noun import Floats, noun
from snn2circuit.ir.parasitics import Parasitics
from snn2circuit.mapping import cut_tiles
from snn2circuit.netlist import bit_line_joints, bit_lines, crossbar_arrays
from snn2circuit.simulate.crossbar import bit_line_currents
from snn2circuit.simulate.joints import join_crossbars

COMMON = 0.1  # the smallest tenth of the weights does not count for the range that is needed


@noun
class LayerWires:
    """Wires and dynamic range of one layer."""

    layer: int  # from 1
    rows: int
    columns: int
    devices: int
    tiles: int
    worst_loss: float  # relative, of the worst bit line
    mean_loss: float  # relative, over all bit lines
    largest_tile: tuple[int, int] | None  # rows and neurons within the loss asked for; None: not even 2 by 1
    settling: float  # s, Elmore delay of a word line into its bit line; 0 without capacitances
    range_needed: float  # largest weight over the tenth percentile of those that are not 0
    range_available: float  # largest weight over the smallest step that levels can make
    conductance_ratio: float  # g_max / g_min
    below_step: float  # share of the weights, other than 0, below half the smallest step

    def as_dict(self) -> dict[str, Any]:
        """The numbers as JSON takes them."""
        tile = None if self.largest_tile is None else list(self.largest_tile)
        return {**dataclasses.asdict(self), "largest_tile": tile}


def assess_wires(crossbar: CrossbarNetwork, parasitics: Parasitics | None, max_loss: float) -> tuple[LayerWires, ...]:
    """Losses of every layer as it is tiled, and the largest square tile that loses at most ``max_loss`` anywhere."""
    found = []
    for index, layer in enumerate(crossbar.layers):
        losses = _losses(crossbar, parasitics, index)
        weights = np.abs(layer.trained[layer.trained != 0])
        step = float((crossbar.levels[1] - crossbar.levels[0]) / layer.siemens_per_unit)
        largest = float(weights.max(initial=0.0))
        found.append(
            LayerWires(
                layer=index + 1,
                rows=layer.rows,
                columns=layer.columns,
                devices=2 * layer.trained.size,
                tiles=len(layer.tiles),
                worst_loss=float(losses.max()),
                mean_loss=float(losses.mean()),
                largest_tile=_largest_tile(crossbar, parasitics, index, max_loss),
                settling=parasitics.layers[index].settling if parasitics else 0.0,
                range_needed=largest / float(np.quantile(weights, COMMON)) if len(weights) else 1.0,
                range_available=largest / step,
                conductance_ratio=float(crossbar.levels[-1] / crossbar.levels[0]),
                below_step=float((weights < step / 2).mean()) if len(weights) else 0.0,
            )
        )
    return tuple(found)


def _losses(crossbar: CrossbarNetwork, parasitics: Parasitics | None, index: int) -> Floats:
    """Relative loss of every bit line of a layer, pair by pair."""
    layer = crossbar.layers[index]
    ideal = np.stack(layer.programmed, axis=2).sum(axis=0).ravel()
    arrays, joints = crossbar_arrays(crossbar, parasitics)[index], bit_line_joints(crossbar, parasitics)[index]
    ends = [bit for pair in zip(*bit_lines(index + 1, layer), strict=True) for bit in pair]
    drawn = dict.fromkeys(ends, 0.0)
    if joints:
        joined = join_crossbars(arrays, joints, ends).array
        drawn |= dict(zip(joined.bits, joined.transfer.sum(axis=0).tolist(), strict=True))
    else:
        for array in arrays:
            currents = bit_line_currents(array.siemens, np.ones(len(array.word_lines)), array.lines)
            for bit, current in zip(array.bits, currents.tolist(), strict=True):
                drawn[bit] += current
    losses: Floats = 1.0 - np.array(list(drawn.values())) / ideal
    return losses


def _largest_tile(
    crossbar: CrossbarNetwork, parasitics: Parasitics | None, index: int, max_loss: float
) -> tuple[int, int] | None:
    """Largest tile, with as many bit lines as rows, that keeps every bit line within the loss; sides by powers of 2."""
    layer = crossbar.layers[index]
    if parasitics is None:
        return layer.rows, layer.columns
    side = 1 << (max(layer.rows, 2 * layer.columns) - 1).bit_length()
    while side >= 2:
        rows, columns = min(side, layer.rows), min(side // 2, layer.columns)
        cut = cut_tiles(crossbar, rows=rows, columns=columns)
        if _losses(cut, parasitics.resized(cut), index).max() <= max_loss:
            return rows, columns
        side //= 2
    return None
