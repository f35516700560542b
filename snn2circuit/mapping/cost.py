"""What the mapping cost, layer by layer: the numbers a designer reads before looking at any spike."""

from __future__ import annotations

import numpy as np

from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.noun import noun


@noun
class LayerCost:
    """Losses of one layer between the trained weights and what the devices hold."""

    layer: int  # from 1
    rows: int
    columns: int
    devices: int
    weight_step: float  # weight difference between the two lowest levels, dimensionless
    worst_error: float  # largest |mapped - trained|, dimensionless
    rms_error: float  # relative to the RMS of the trained weights
    vanished: int  # weights other than 0 that became 0
    saturated: int  # weights beyond the range of the device


def mapping_cost(crossbar: CrossbarNetwork) -> tuple[LayerCost, ...]:
    """The cost of every layer of ``crossbar``."""
    costs = []
    for number, layer in enumerate(crossbar.layers, start=1):
        error = layer.weights - layer.trained
        costs.append(
            LayerCost(
                layer=number,
                rows=layer.rows,
                columns=layer.columns,
                devices=2 * layer.trained.size,
                weight_step=float((crossbar.levels[1] - crossbar.levels[0]) / layer.siemens_per_unit),
                worst_error=float(np.abs(error).max()),
                rms_error=float(np.sqrt((error**2).mean() / (layer.trained**2).mean())),
                vanished=int(((layer.level_pos == layer.level_neg) & (layer.trained != 0)).sum()),
                saturated=layer.saturated,
            )
        )
    return tuple(costs)
