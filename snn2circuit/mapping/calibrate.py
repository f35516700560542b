"""Pass 4: the voltage scales, chosen so that no node of a neuron leaves the supply rails.

``volts_per_unit`` turns a membrane of 1 into volts: the larger it is, the less an offset or noise matters; but the
largest membrane must stay below the rail. The largest membrane is the smaller of two numbers: what the mapped network
reaches on the data it is given, with a quarter to spare, and the bound that no input in range can exceed
(:meth:`Neuron.bound`). Without data only the bound counts.

``r_feedback`` of the column amplifiers follows from the largest current a bit line can carry: all its devices read at
once. Both use :data:`HEADROOM` of the rail.
"""

from __future__ import annotations

import math

import numpy as np

from snn2circuit.errors import MappingError
from snn2circuit.ir.network import Network
from snn2circuit.ir.noun import Floats, Ints

HEADROOM = 0.8  # of the rail
MARGIN = 1.25  # between the largest membrane seen on the data and the largest allowed for
LARGEST_SCALE = 1.0  # V; more than that serves nothing


def state_peaks(network: Network, inputs: Floats | None, indices: Ints | None = None) -> tuple[tuple[float, ...], str]:
    """Largest state to allow for in each layer, and whether ``data`` or the ``bound`` alone decided it.

    ``inputs`` and ``indices`` are as in :meth:`Network.encode`; inputs ``None`` stands for any between 0 and 1.

    Raises:
        MappingError: without data, when a layer has no finite bound (``beta = 1``).
    """
    low, high = network.encoding.limits(inputs)
    bounds = []
    for layer in network.layers:
        positive, negative = np.maximum(layer.weight, 0).sum(axis=1), np.minimum(layer.weight, 0).sum(axis=1)
        bias = 0.0 if layer.bias is None else layer.bias
        drive_high = positive * max(high, 0.0) + negative * min(low, 0.0) + bias
        drive_low = negative * max(high, 0.0) + positive * min(low, 0.0) + bias
        bounds.append(float(layer.neuron.bound(drive_low, drive_high).max()))
        low, high = 0.0, 1.0
    if inputs is None:
        if not all(map(math.isfinite, bounds)):
            raise MappingError(
                f"layer {1 + [math.isfinite(b) for b in bounds].index(False)}: its membrane has no bound without leak; "
                "give data to calibrate the voltage scale on ([data] dataset in a design file)"
            )
        return tuple(bounds), "bound"
    seen = [0.0] * len(bounds)
    places = np.arange(len(inputs)) if indices is None else indices
    for start in range(0, len(inputs), 500):
        part = slice(start, start + 500)
        largest = network.largest_states(network.encode(inputs[part], places[part]))
        seen = [max(pair) for pair in zip(seen, largest, strict=True)]
    return tuple(min(MARGIN * peak, bound) for peak, bound in zip(seen, bounds, strict=True)), "data"


def membrane_scale(peak: float, v_rail: float) -> float:
    """``volts_per_unit`` in V for a largest membrane of ``peak``, rounded down to two digits for readable decks."""
    if peak == 0:
        return LARGEST_SCALE
    scale = min(HEADROOM * v_rail / peak, LARGEST_SCALE)
    digit = 10.0 ** (math.floor(math.log10(scale)) - 1)
    return float(f"{math.floor(scale / digit * (1 + 1e-12)) * digit:.2g}")


def feedback_resistance(g_pos: Floats, g_neg: Floats, v_peak: float, v_rail: float) -> float:
    """``r_feedback`` in ohm: keeps both column amplifiers inside the headroom for inputs up to ``v_peak`` volts.

    The first amplifier carries the negative line alone, at most ``v_peak · Σ g_neg``; the second the difference of the
    lines, at most ``v_peak · Σ |g_pos - g_neg|``, whatever the signs of the inputs.
    """
    fullest = max(float(g_neg.sum(axis=0).max()), float(np.abs(g_pos - g_neg).sum(axis=0).max()))
    resistance = HEADROOM * v_rail / (v_peak * fullest)
    digit = 10.0 ** (math.floor(math.log10(resistance)) - 1)
    return float(f"{math.floor(resistance / digit * (1 + 1e-12)) * digit:.2g}")
