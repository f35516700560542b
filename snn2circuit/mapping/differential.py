"""Pass 2: a signed weight becomes a pair of conductances inside the device's range.

With ``k`` siemens per unit of weight, ``g_pos = g_min + k·max(w, 0)`` and ``g_neg = g_min + k·max(-w, 0)``: one device
of a pair always rests at ``g_min``, which keeps currents low, and ``g_pos - g_neg = k·w`` exactly. ``k = (g_max -
g_min) / weight_range``.
"""

from __future__ import annotations

import numpy as np

from snn2circuit.errors import MappingError
from snn2circuit.ir.noun import Floats, noun
from snn2circuit.ir.parts import Device


@noun
class Pairs:
    """Target conductances of one layer before quantisation."""

    target_pos: Floats  # (rows, columns), S
    target_neg: Floats  # (rows, columns), S
    siemens_per_unit: float  # S
    saturated: int  # weights beyond weight_range, held at g_max


def spread_weights(weights: Floats, device: Device, *, layer: int, weight_range: float | None, saturate: bool) -> Pairs:
    """Place ``weights`` ``(rows, columns)`` in the range of ``device``.

    Args:
        weights: dimensionless, bias row last.
        device: gives ``g_min`` and ``g_max``.
        layer: number of the layer for messages, from 1.
        weight_range: the magnitude that becomes ``g_max - g_min``; ``None`` takes the layer's largest.
        saturate: whether weights beyond ``weight_range`` may be held at ``g_max`` (they are counted) or are an error.

    Raises:
        MappingError: all weights are zero, or some lie beyond ``weight_range`` and may not saturate.
    """
    low, high = device.g_min.value, device.g_max.value
    largest = float(np.abs(weights).max())
    if largest == 0:
        raise MappingError(
            f"layer {layer}: every weight is 0, there is no scale from weight to conductance; train it or leave it out"
        )
    limit = largest if weight_range is None else weight_range
    beyond = np.abs(weights) > limit
    if beyond.any() and not saturate:
        row, column = np.unravel_index(int(np.abs(weights).argmax()), weights.shape)
        raise MappingError(
            f"layer {layer}: {int(beyond.sum())} of {weights.size} weights lie beyond weight_range {limit:g}, "
            f"the largest is {weights[row, column]:g} at row {row}, column {column}; "
            f"raise weight_range to {largest:g} or allow saturation"
        )
    scale = (high - low) / limit
    clipped = np.clip(weights, -limit, limit)
    return Pairs(
        target_pos=np.minimum(low + scale * np.maximum(clipped, 0), high),
        target_neg=np.minimum(low + scale * np.maximum(-clipped, 0), high),
        siemens_per_unit=scale,
        saturated=int(beyond.sum()),
    )
