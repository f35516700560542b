"""Kernels of snnTorch's ``Synaptic``; ``coefficients`` holds ``alpha`` and ``beta``, ``traces`` the synaptic current.

With ``r`` the spike of the step before, ``d`` the gradient on a membrane, ``g`` the part of it that arrives from
outside, ``q`` the gradient on the synaptic current, and a prime for the next step::

    S' = alpha·S + I'
    subtract   U' = beta·U + S' - r'·threshold      d = g + beta·d'              q = d + alpha·q'
    zero       U' = (1 - r')·(beta·U + S')          d = g + beta·(1 - r')·d'     q = (1 - r)·d + alpha·q'
    none       U' = beta·U + S'                     d = g + beta·d'              q = d + alpha·q'

and ``q`` is also the gradient on ``I``.
"""

from __future__ import annotations

import numpy as np

from snn2circuit.training.kernels.compile import Array, compiled


@compiled
def forward(
    current: Array, coefficients: Array, threshold: Array, reset: int, traces: Array, membranes: Array, spikes: Array
) -> None:
    """Run all steps."""
    alpha, beta = coefficients[0], coefficients[1]
    rest = np.zeros_like(threshold)
    taken = threshold if reset == 0 else rest
    one = np.ones_like(threshold)[0]
    kept = one - one if reset == 1 else one
    rows, kept_synapses = len(membranes), traces.shape[1]
    for begin in range(0, spikes.shape[1], len(threshold)):
        end = min(begin + len(threshold), spikes.shape[1])
        for step in range(len(spikes)):
            before = membranes[(step - 1) % rows, begin:end] if step > 0 else rest
            synapse_before = traces[0, (step - 1) % kept_synapses, begin:end] if step > 0 else rest
            now, synapse = membranes[step % rows, begin:end], traces[0, step % kept_synapses, begin:end]
            drive, spike = current[step if len(current) > 1 else 0, begin:end], spikes[step, begin:end]
            for i in range(end - begin):
                synapse[i] = alpha[i] * synapse_before[i] + drive[i]
            for i in range(end - begin):
                base = beta[i] * before[i] + synapse[i]
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
    alpha, beta = coefficients[0], coefficients[1]
    rest = np.zeros_like(threshold)
    one, height, width = surrogate
    arriving = np.empty_like(threshold)
    kept = one - one if reset == 1 else one
    carry, synaptic = np.empty_like(threshold), np.empty_like(threshold)
    for begin in range(0, membranes.shape[1], len(threshold)):
        end = min(begin + len(threshold), membranes.shape[1])
        carry[:] = one - one
        synaptic[:] = one - one
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
            for i in range(end - begin):
                synaptic[i] += carry[i]
            out = given[step if len(given) > 1 else 0, begin:end]
            for i in range(end - begin):
                out[i] = synaptic[i] if len(given) > 1 else out[i] + synaptic[i]
            if learnt and step > 0:
                for i in range(end - begin):
                    grad_coefficients[0, i] += synaptic[i] * traces[0, step - 1, begin + i]
                    grad_coefficients[1, i] += carry[i] * before[i]
            for i in range(end - begin):
                carry[i] *= beta[i]
            for i in range(end - begin):
                synaptic[i] *= alpha[i]
