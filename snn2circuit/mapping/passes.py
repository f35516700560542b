"""The mapping as a whole: lower, spread, quantise, scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from snn2circuit.errors import MappingError
from snn2circuit.ir.crossbar import CrossbarLayer, CrossbarNetwork
from snn2circuit.ir.network import Network
from snn2circuit.ir.noun import Floats, Ints
from snn2circuit.ir.parts import Device, Electronics
from snn2circuit.ir.timing import Timing
from snn2circuit.mapping.calibrate import feedback_resistance, membrane_scale, state_peaks
from snn2circuit.mapping.differential import spread_weights
from snn2circuit.mapping.lower import MAX_DEVICES, lower_layer, lower_network
from snn2circuit.mapping.quantize import device_levels, nearest_level


def map_network(
    network: Network,
    device: Device,
    *,
    levels: int = 32,
    spacing: str = "linear",
    weight_range: float | None = None,
    saturate: bool = False,
    timing: Timing | None = None,
    v_rail: float = 2.5,
    electronics: Electronics | None = None,
    family: str = "vccs",
    max_devices: int = MAX_DEVICES,
    inputs: Floats | None = None,
    indices: Ints | None = None,
) -> CrossbarNetwork:
    """Map a trained network onto crossbars of ``device``.

    Args:
        network: the trained network.
        device: what stands at each crosspoint.
        levels: number of conductance levels a device can hold.
        spacing: ``linear`` or ``geometric`` spacing of the levels.
        weight_range: weight magnitude that uses the whole conductance range; ``None``: each layer's largest.
        saturate: allow weights beyond ``weight_range``; they are counted.
        timing: the circuit's clock.
        v_rail: supply rails, V; the circuit's nodes stay within.
        electronics: parts that neurons are built from; ``None``: ideal ones.
        family: how neurons are built from them: ``vccs`` or ``opamp``.
        max_devices: refuse a network that takes more, before any memory is taken for them.
        inputs: samples, as the network encodes them, to choose the voltage scales on; ``None``: any input in 0..1.
        indices: their places in their splits, see :meth:`Network.encode`; ``None`` counts from 0.

    Raises:
        MappingError: the device cannot represent the network; the message names the layer.
    """
    if isinstance(device, type) or not isinstance(device, Device):
        raise MappingError(
            f"{device!r:.80} is not a device: it lacks a property of snn2circuit.ir.parts.Device; "
            "DEVICES holds the presets"
        )
    if not 0 < v_rail < float("inf"):
        raise MappingError(f"v_rail is {v_rail} V; it must be finite and above 0")
    if inputs is not None and len(inputs) == 0:
        raise MappingError("no samples to calibrate on; give at least one, or None for any input in 0..1")
    table = device_levels(device, levels, spacing)
    layers = []
    for number, layer in enumerate(lower_network(network, max_devices=max_devices).layers, start=1):
        weights = lower_layer(layer)
        pairs = spread_weights(weights, device, layer=number, weight_range=weight_range, saturate=saturate)
        level_pos, level_neg = nearest_level(table, pairs.target_pos), nearest_level(table, pairs.target_neg)
        if (level_pos == level_neg).all():
            raise MappingError(
                f"layer {number}: with {levels} {spacing} levels every weight falls to 0 "
                f"(the largest is {np.abs(weights).max():g}, half a level is "
                f"{(table[1] - table[0]) / pairs.siemens_per_unit / 2:g}); "
                "use more levels or a smaller weight_range"
            )
        layers.append(
            CrossbarLayer(
                trained=weights,
                target_pos=pairs.target_pos,
                target_neg=pairs.target_neg,
                level_pos=level_pos,
                level_neg=level_neg,
                g_pos=table[level_pos],
                g_neg=table[level_neg],
                has_bias=layer.bias is not None,
                siemens_per_unit=pairs.siemens_per_unit,
                volts_per_unit=1.0,
                r_feedback=1.0,
                saturated=pairs.saturated,
                neuron=layer.neuron,
            )
        )
    mapped = CrossbarNetwork(
        name=network.name,
        layers=tuple(layers),
        device=device,
        levels=table,
        spacing=spacing,
        steps=network.steps,
        encoding=network.encoding,
        decision=network.decision,
        dataset=network.dataset,
        timing=timing or Timing(),
        v_rail=v_rail,
        scale_basis="bound",
        electronics=electronics or Electronics(),
        family=family,
    )
    return scale_voltages(mapped, inputs, indices)


def scale_voltages(crossbar: CrossbarNetwork, inputs: Floats | None, indices: Ints | None = None) -> CrossbarNetwork:
    """Choose ``volts_per_unit`` and ``r_feedback`` of every layer for the conductances that are there."""
    peaks, basis = state_peaks(crossbar.network(), inputs, indices)
    largest_input = max(1.0, *map(abs, crossbar.encoding.limits(inputs)))
    layers = []
    for number, (layer, peak) in enumerate(zip(crossbar.layers, peaks, strict=True)):
        v_peak = crossbar.v_read * (largest_input if number == 0 else 1.0)
        layers.append(
            replace(
                layer,
                volts_per_unit=membrane_scale(peak, crossbar.v_rail),
                r_feedback=feedback_resistance(layer.g_pos, layer.g_neg, v_peak, crossbar.v_rail),
            )
        )
    return replace(crossbar, layers=tuple(layers), scale_basis=basis)
