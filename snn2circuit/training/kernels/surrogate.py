"""The gradient that stands in for a spike's: snnTorch's ``atan``.

A spike is ``H(x)`` of the distance ``x`` between membrane and threshold. Backwards its slope is taken to be::

    s(x) = (a / 2) / (1 + (pi/2 · a · x)²)

Source: W. Fang et al., ICCV 2021, 2661-2671; ``snntorch.surrogate.ATan``.
"""

from __future__ import annotations

from snn2circuit.training.kernels.compile import Array, compiled


@compiled
def through_spikes(
    grad_spikes: Array,
    grad_membranes: Array,
    threshold: Array,
    constants: Array,
    membranes: Array,
    learnt: bool,
    arriving: Array,
    grad_threshold: Array,
) -> None:
    """Gradient on the membranes from that on spikes and membranes.

    Args:
        grad_spikes: ``(steps or 1, M)``.
        grad_membranes: ``(steps or 1, M)``, or no row if nothing comes that way.
        threshold: ``(L,)``, of one block.
        constants: ``(1, a/2, pi/2·a)`` in the type of the arrays, because a literal would be a float64.
        membranes: ``(steps, M)``.
        learnt: whether the threshold's gradient is wanted.
        arriving: ``(steps, M)``, filled.
        grad_threshold: ``(L,)``, added to.
    """
    one, height, width = constants
    for begin in range(0, membranes.shape[1], len(threshold)):
        end = min(begin + len(threshold), membranes.shape[1])
        for step in range(len(membranes)):
            membrane, sum_here = membranes[step, begin:end], arriving[step, begin:end]
            spike = grad_spikes[step if len(grad_spikes) > 1 else 0, begin:end]
            for i in range(end - begin):
                x = width * (membrane[i] - threshold[i])
                sum_here[i] = one / (one + x * x) * height * spike[i]
            if learnt:
                for i in range(end - begin):
                    grad_threshold[i] -= sum_here[i]
            if len(grad_membranes) > 0:
                direct = grad_membranes[step if len(grad_membranes) > 1 else 0, begin:end]
                for i in range(end - begin):
                    sum_here[i] += direct[i]
