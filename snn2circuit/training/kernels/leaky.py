"""Kernels of snnTorch's ``Leaky``; ``coefficients`` holds ``beta``.

With ``r`` the spike of the step before, ``d`` the gradient on a membrane, ``g`` the part of it that arrives from
outside, and a prime for the next step::

    subtract   U' = beta·U + I' - r'·threshold      d = g + beta·d'
    zero       U' = beta·(1 - r')·U + I'            d = g + beta·(1 - r')·d'
    none       U' = beta·U + I'                     d = g + beta·d'

and ``d`` is also the gradient on ``I``. One loop serves all three: after a spike the old membrane counts ``kept``
times, and ``taken`` is subtracted.
"""

from __future__ import annotations

import numpy as np

from snn2circuit.training.kernels.compile import Array, compiled


@compiled
def forward(
    current: Array, coefficients: Array, threshold: Array, reset: int, traces: Array, membranes: Array, spikes: Array
) -> None:
    """Run all steps."""
    beta = coefficients[0]
    rest = np.zeros_like(threshold)
    taken = threshold if reset == 0 else rest
    one = np.ones_like(threshold)[0]
    kept = one - one if reset == 1 else one
    rows = len(membranes)
    for begin in range(0, spikes.shape[1], len(threshold)):
        end = min(begin + len(threshold), spikes.shape[1])
        for step in range(len(spikes)):
            before = membranes[(step - 1) % rows, begin:end] if step > 0 else rest
            now, spike = membranes[step % rows, begin:end], spikes[step, begin:end]
            drive = current[step if len(current) > 1 else 0, begin:end]
            for i in range(end - begin):
                fired = before[i] > threshold[i]
                held = before[i] * kept if fired else before[i]
                now[i] = beta[i] * held + drive[i] - (taken[i] if fired else one - one)
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
    beta = coefficients[0]
    one, height, width = surrogate
    arriving = np.empty_like(threshold)
    kept = one - one if reset == 1 else one
    carry = np.empty_like(threshold)
    for begin in range(0, membranes.shape[1], len(threshold)):
        end = min(begin + len(threshold), membranes.shape[1])
        carry[:] = one - one
        for step in range(len(membranes) - 1, -1, -1):
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
            out = given[step if len(given) > 1 else 0, begin:end]
            for i in range(end - begin):
                out[i] = carry[i] if len(given) > 1 else out[i] + carry[i]
            if step == 0:
                break
            before = membranes[step - 1, begin:end]
            if learnt:
                for i in range(end - begin):
                    fired = before[i] > threshold[i]
                    grad_coefficients[0, i] += carry[i] * (before[i] * kept if fired else before[i])
                    if fired and reset == 0:
                        grad_threshold[i] -= carry[i]
            for i in range(end - begin):
                passed = carry[i] * beta[i]
                carry[i] = passed * kept if before[i] > threshold[i] else passed
