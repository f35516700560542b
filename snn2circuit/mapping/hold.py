"""What the devices of a layer make of its weights: levels, and the spread from device to device.

The same passes as in :func:`~snn2circuit.mapping.passes.map_network`, for whoever wants to know the weights without the
circuit: a training that goes on against the device, or a study of many draws. A conductance that varies by ``v`` is
``g·exp(s·z - s²/2)`` with ``s² = ln(1 + v²)`` and ``z`` a standard normal number for each device: lognormal, with mean
``g`` and standard deviation ``v·g``.
"""

from __future__ import annotations

import math

import numpy as np

from snn2circuit.ir.noun import Floats
from snn2circuit.ir.parts import Device
from snn2circuit.mapping.differential import spread_weights
from snn2circuit.mapping.quantize import device_levels, nearest_level


def held_weights(
    weights: Floats,
    device: Device,
    *,
    layer: int,
    levels: int,
    spacing: str = "linear",
    weight_range: float | None = None,
    saturate: bool = False,
    variation: float = 0.0,
    random: np.random.Generator | None = None,
) -> Floats:
    """The weights ``(rows, columns)`` that pairs of devices programmed to ``weights`` stand for.

    Args:
        weights: dimensionless, bias row last.
        device: what stands at each crosspoint.
        layer: number of the layer for messages, from 1.
        levels: number of conductance levels a device can hold.
        spacing: ``linear`` or ``geometric`` spacing of the levels.
        weight_range: weight magnitude that uses the whole conductance range; ``None``: the layer's largest.
        saturate: allow weights beyond ``weight_range``.
        variation: standard deviation of a device's conductance over its level; needs ``random``.
        random: draws the devices.

    Raises:
        MappingError: the device cannot represent the weights.
    """
    table = device_levels(device, levels, spacing)
    pairs = spread_weights(weights, device, layer=layer, weight_range=weight_range, saturate=saturate)
    g_pos, g_neg = (table[nearest_level(table, target)] for target in (pairs.target_pos, pairs.target_neg))
    if variation and random is not None:
        spread = math.sqrt(math.log1p(variation**2))
        g_pos, g_neg = (g * np.exp(spread * random.standard_normal(g.shape) - spread**2 / 2) for g in (g_pos, g_neg))
    held: Floats = (g_pos - g_neg) / pairs.siemens_per_unit
    return held
