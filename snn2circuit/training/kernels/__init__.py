"""The time loops of snnTorch's neurons as compiled kernels, one file a neuron.

A kernel runs all steps of all neurons of a layer. Samples and neurons are one flat axis of ``M`` elements, cut into
blocks that stay in the processor's first cache while time goes by; ``coefficients``, ``threshold`` and their gradients
are given for one block of ``L`` elements, a multiple of the layer's neurons, so that every neuron may have its own.

``forward(current, coefficients, threshold, reset, traces, membranes, spikes)`` fills the last three from

* ``current`` ``(steps or 1, M)``: one row stands for every step;
* ``coefficients`` ``(k, L)``: what each neuron's file says; ``threshold`` ``(L,)``;
* ``reset``: :data:`SUBTRACT`, :data:`ZERO` or :data:`NONE`;
* ``traces`` ``(states besides the membrane, rows, M)`` and ``membranes`` ``(rows, M)``: with as many rows as steps all
  of them are kept, with two rows only the last two;
* ``spikes`` ``(steps, M)``: 0 or 1.

``backward(grad_spikes, grad_membranes, coefficients, threshold, surrogate, reset, traces, membranes, learnt, given,
grad_coefficients, grad_threshold)`` goes back through time. The first two are the gradients on what ``forward`` gave,
``(steps or 1, M)``, or without a row if there are none. A spike is ``H(x)`` of the distance ``x`` between membrane and
threshold; backwards its slope is snnTorch's ``atan``, ``s(x) = (a/2) / (1 + (pi/2·a·x)²)`` (W. Fang et al., ICCV 2021,
2661-2671), of which ``surrogate`` holds ``(1, a/2, pi/2·a)`` in the type of the arrays, because a literal would be a
float64. ``given`` ``(steps or 1, M)`` receives the gradient on the current, of which one row is the sum over the steps
and has to begin as 0. If ``learnt``, what the coefficients ``(k, L)`` and the threshold ``(L,)`` did is added to the
last two, in float64. As in snnTorch the reset passes no gradient to the membrane that caused it. The opening of a step,
from ``grad_spikes`` to ``arriving``, is the same in every file: numba does not notice when another file changes.
"""

from __future__ import annotations

SUBTRACT, ZERO, NONE = 0, 1, 2
