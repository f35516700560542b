"""Pass 3: a device holds one of N levels; every target goes to the nearest."""

from __future__ import annotations

import numpy as np

from snn2circuit.errors import MappingError
from snn2circuit.ir.noun import Floats, Ints
from snn2circuit.ir.parts import Device

SPACINGS = ("linear", "geometric")
MAX_LEVELS = 65536


def device_levels(device: Device, count: int, spacing: str) -> Floats:
    """``count`` conductances from ``g_min`` to ``g_max``, S: equal steps (``linear``) or ratios (``geometric``)."""
    if not 2 <= count <= MAX_LEVELS:
        raise MappingError(f"levels is {count}; a device needs between 2 and {MAX_LEVELS} levels")
    if spacing not in SPACINGS:
        raise MappingError(f"spacing is {spacing!r}; allowed: {', '.join(SPACINGS)}")
    make = np.linspace if spacing == "linear" else np.geomspace
    levels: Floats = make(device.g_min.value, device.g_max.value, count)
    return levels


def nearest_level(levels: Floats, targets: Floats) -> Ints:
    """Index of the level nearest to each target; a target exactly between two goes to the lower."""
    upper = np.clip(np.searchsorted(levels, targets), 1, len(levels) - 1)
    lower = upper - 1
    chosen: Ints = np.where(targets - levels[lower] <= levels[upper] - targets, lower, upper).astype(np.int64)
    return chosen
