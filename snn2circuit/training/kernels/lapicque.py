"""Kernels of snnTorch's ``Lapicque``; ``coefficients`` holds ``R``, ``1/(R·C)``, ``time_step`` and ``decay``.

With ``r`` the spike of the step before, ``d`` the gradient on a membrane, ``g`` the part of it that arrives from
outside, and a prime for the next step::

    base       = I'·R·(1/(R·C))·time_step + decay·U             decay = 1 - time_step/(R·C)
    subtract   U' = base - r'·threshold         d = g + decay·d'
    zero       U' = (1 - r')·base               d = g + decay·(1 - r')·d'
    none       U' = base                        d = g + decay·d'

and the gradient on ``I`` is ``R·(1/(R·C))·time_step·d``, with reset to zero times ``1 - r``. The three factors are
multiplied one after the other as snnTorch does, so that the membranes round alike. Nothing but the threshold can be
learnt: snnTorch computes ``C`` from ``beta`` once, when the neuron is made.
"""

from __future__ import annotations

import numpy as np

from snn2circuit.training.kernels.compile import Array, compiled


@compiled
def forward(
    current: Array, coefficients: Array, threshold: Array, reset: int, traces: Array, membranes: Array, spikes: Array
) -> None:
    """Run all steps."""
    resistance, rate, time_step, decay = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    rest = np.zeros_like(threshold)
    taken = threshold if reset == 0 else rest
    one = np.ones_like(threshold)[0]
    kept = one - one if reset == 1 else one
    rows = len(membranes)
    scaled = np.empty_like(threshold)
    for begin in range(0, spikes.shape[1], len(threshold)):
        end = min(begin + len(threshold), spikes.shape[1])
        for step in range(len(spikes)):
            before = membranes[(step - 1) % rows, begin:end] if step > 0 else rest
            now, spike = membranes[step % rows, begin:end], spikes[step, begin:end]
            if step == 0 or len(current) > 1:
                drive = current[step, begin:end]
                for i in range(end - begin):
                    scaled[i] = drive[i] * resistance[i] * rate[i] * time_step[i]
            for i in range(end - begin):
                base = scaled[i] + decay[i] * before[i]
                now[i] = base * kept - taken[i] if before[i] > threshold[i] else base
            for i in range(end - begin):
                spike[i] = one if now[i] > threshold[i] else one - one


@compiled
def backward(
    grad_spikes: Array,
    grad_membranes: Array,
    coefficients: Array,
    threshold: Array,
    surrogate: Array,
    reset: int,
    traces: Array,
    membranes: Array,
    learnt: bool,
    given: Array,
    grad_coefficients: Array,
    grad_threshold: Array,
) -> None:
    """Go back through all steps."""
    resistance, rate, time_step, decay = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    rest = np.zeros_like(threshold)
    one, height, width = surrogate
    arriving = np.empty_like(threshold)
    kept = one - one if reset == 1 else one
    carry, gain = np.empty_like(threshold), resistance * rate * time_step
    for begin in range(0, membranes.shape[1], len(threshold)):
        end = min(begin + len(threshold), membranes.shape[1])
        carry[:] = one - one
        for step in range(len(membranes) - 1, -1, -1):
            before = membranes[step - 1, begin:end] if step > 0 else rest
            if len(grad_spikes) > 0:
                now, spike = membranes[step, begin:end], grad_spikes[min(step, len(grad_spikes) - 1), begin:end]
                for i in range(end - begin):
                    x = width * (now[i] - threshold[i])
                    arriving[i] = one / (one + x * x) * height * spike[i]
                if learnt:
                    for i in range(end - begin):
                        grad_threshold[i] -= arriving[i]
            if len(grad_membranes) > 0:
                direct = grad_membranes[min(step, len(grad_membranes) - 1), begin:end]
                for i in range(end - begin):
                    arriving[i] = arriving[i] + direct[i] if len(grad_spikes) > 0 else direct[i]
            for i in range(end - begin):
                carry[i] += arriving[i]
            if learnt and reset == 0:
                for i in range(end - begin):
                    if before[i] > threshold[i]:
                        grad_threshold[i] -= carry[i]
            for i in range(end - begin):
                carry[i] = carry[i] * kept if before[i] > threshold[i] else carry[i]
            out = given[step if len(given) > 1 else 0, begin:end]
            for i in range(end - begin):
                out[i] = carry[i] * gain[i] if len(given) > 1 else out[i] + carry[i] * gain[i]
            for i in range(end - begin):
                carry[i] *= decay[i]
