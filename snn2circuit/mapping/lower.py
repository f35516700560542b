"""Pass 1: every layer becomes one matrix with word lines as rows, the bias as one more row driven in every step."""

from __future__ import annotations

import numpy as np

from snn2circuit.ir.network import Layer
from snn2circuit.ir.noun import Floats


def lower_layer(layer: Layer) -> Floats:
    """Weights of ``layer`` as ``(rows, columns)``: row ``i`` is input ``i``, the last row the bias if there is one."""
    rows = layer.weight.T
    return rows.copy() if layer.bias is None else np.vstack([rows, layer.bias])
