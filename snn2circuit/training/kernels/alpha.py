"""Kernels of snnTorch's ``Alpha``; ``coefficients`` holds ``alpha``, ``beta`` and ``tau``, ``traces`` both traces.

With ``r`` the spike of the step before and a prime for the next step, a step first takes ``e = alpha·E + I'``, ``h =
beta·H - I'`` and ``u = tau·(e + h)``, of which the reset makes::

    subtract   E' = e - r'·threshold      H' = (1 - r')·h      U' = u + r'·H
    zero       E' = (1 - r')·e            H' = (1 - r')·h      U' = (1 - r')·u
    none       E' = e                     H' = h               U' = u

The membrane is no state: nothing of it comes back to it from the next step. With ``g`` the gradient arriving on ``U``,
``p`` and ``n`` those on ``E`` and ``H``, and ``k`` what the reset leaves of each, the gradients on ``e`` and ``h`` are
``k·p + k·tau·g`` and ``k·n + k·tau·g``; their difference is that on ``I``, and times ``alpha`` and ``beta`` they are
``p`` and ``n`` of the step before. Reset by subtraction adds ``r·g`` to ``n`` there.
"""

from __future__ import annotations

import numpy as np

from snn2circuit.training.kernels.compile import Array, compiled


@compiled
def forward(
    current: Array, coefficients: Array, threshold: Array, reset: int, traces: Array, membranes: Array, spikes: Array
) -> None:
    """Run all steps."""
    alpha, beta, tau = coefficients[0], coefficients[1], coefficients[2]
    rest = np.zeros_like(threshold)
    taken = threshold if reset == 0 else rest
    one = np.ones_like(threshold)[0]
    kept = one - one if reset == 1 else one
    kept_inhibition = one if reset == 2 else one - one
    returned = one if reset == 0 else one - one
    rows, kept_traces = len(membranes), traces.shape[1]
    for begin in range(0, spikes.shape[1], len(threshold)):
        end = min(begin + len(threshold), spikes.shape[1])
        for step in range(len(spikes)):
            before = membranes[(step - 1) % rows, begin:end] if step > 0 else rest
            excitation_before = traces[0, (step - 1) % kept_traces, begin:end] if step > 0 else rest
            inhibition_before = traces[1, (step - 1) % kept_traces, begin:end] if step > 0 else rest
            excitation = traces[0, step % kept_traces, begin:end]
            inhibition = traces[1, step % kept_traces, begin:end]
            now, spike = membranes[step % rows, begin:end], spikes[step, begin:end]
            drive = current[step if len(current) > 1 else 0, begin:end]
            for i in range(end - begin):
                excitation[i] = alpha[i] * excitation_before[i] + drive[i]
            for i in range(end - begin):
                inhibition[i] = beta[i] * inhibition_before[i] - drive[i]
            for i in range(end - begin):
                now[i] = tau[i] * (excitation[i] + inhibition[i])
            for i in range(end - begin):
                if before[i] > threshold[i]:
                    now[i] = now[i] * kept + returned * inhibition_before[i]
            for i in range(end - begin):
                excitation[i] = excitation[i] * kept - taken[i] if before[i] > threshold[i] else excitation[i]
            for i in range(end - begin):
                inhibition[i] = inhibition[i] * kept_inhibition if before[i] > threshold[i] else inhibition[i]
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
    alpha, beta, tau = coefficients[0], coefficients[1], coefficients[2]
    rest = np.zeros_like(threshold)
    one, height, width = surrogate
    arriving = np.empty_like(threshold)
    kept = one - one if reset == 1 else one
    kept_inhibition = one if reset == 2 else one - one
    returned = one if reset == 0 else one - one
    excitatory, inhibitory, shared = np.empty_like(threshold), np.empty_like(threshold), np.empty_like(threshold)
    for begin in range(0, membranes.shape[1], len(threshold)):
        end = min(begin + len(threshold), membranes.shape[1])
        excitatory[:] = one - one
        inhibitory[:] = one - one
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
            if learnt and reset == 0:
                for i in range(end - begin):
                    if before[i] > threshold[i]:
                        grad_threshold[i] -= excitatory[i]
            for i in range(end - begin):
                shared[i] = tau[i] * (arriving[i] * kept if before[i] > threshold[i] else arriving[i])
            for i in range(end - begin):
                excitatory[i] = (excitatory[i] * kept if before[i] > threshold[i] else excitatory[i]) + shared[i]
            for i in range(end - begin):
                left = inhibitory[i] * kept_inhibition if before[i] > threshold[i] else inhibitory[i]
                inhibitory[i] = left + shared[i]
            out = given[step if len(given) > 1 else 0, begin:end]
            for i in range(end - begin):
                change = excitatory[i] - inhibitory[i]
                out[i] = change if len(given) > 1 else out[i] + change
            if learnt:
                inhibition_before = traces[1, step - 1, begin:end] if step > 0 else rest
                excitation_before = traces[0, step - 1, begin:end] if step > 0 else rest
                for i in range(end - begin):
                    back = returned * inhibition_before[i] if before[i] > threshold[i] else one - one
                    grad_coefficients[0, i] += excitatory[i] * excitation_before[i]
                    grad_coefficients[1, i] += inhibitory[i] * inhibition_before[i]
                    # tau is 1 or more, and without what came back the membrane is tau times the sum of the traces.
                    grad_coefficients[2, i] += arriving[i] * (membranes[step, begin + i] - back) / tau[i]
            for i in range(end - begin):
                excitatory[i] *= alpha[i]
            for i in range(end - begin):
                back = returned * arriving[i] if before[i] > threshold[i] else one - one
                inhibitory[i] = inhibitory[i] * beta[i] + back
