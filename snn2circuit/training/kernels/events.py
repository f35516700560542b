"""The product of spikes and weights, event by event: a spike adds its row of weights, silence costs nothing.

Rows of spikes are first turned into lists of who fired, without a branch that the processor could mispredict.
"""

from __future__ import annotations

import numpy as np

from snn2circuit.training.kernels.compile import Array, compiled


@compiled
def add_rows(spikes: Array, weight: Array, result: Array) -> None:
    """``result += spikes @ weight`` for ``spikes`` ``(rows, inputs)`` of 0 and 1, ``weight`` ``(inputs, outputs)``."""
    fired = np.empty(spikes.shape[1], np.int64)
    for row in range(len(spikes)):
        count = 0
        for i in range(spikes.shape[1]):
            fired[count] = i
            count += int(spikes[row, i] > 0)
        total = result[row]
        for event in range(count):
            added = weight[fired[event]]
            for i in range(len(total)):
                total[i] += added[i]


@compiled
def add_outer(spikes: Array, gradient: Array, result: Array) -> None:
    """``result += spikes.T @ gradient`` for ``gradient`` ``(rows, outputs)``, ``result`` ``(inputs, outputs)``."""
    fired = np.empty(spikes.shape[1], np.int64)
    for row in range(len(spikes)):
        count = 0
        for i in range(spikes.shape[1]):
            fired[count] = i
            count += int(spikes[row, i] > 0)
        added = gradient[row]
        for event in range(count):
            total = result[fired[event]]
            for i in range(len(added)):
                total[i] += added[i]
