"""Spikes times weights: ``nn.Linear`` on the spikes of all steps, by whichever way is the fastest.

With few outputs, one dense product; the library's kernel is twice as fast on ``W·Sᵀ`` as on ``S·Wᵀ`` then. With many
outputs and few spikes, only the events count (:mod:`snn2circuit.training.kernels.events`): at 500 inputs and outputs
and 5 % spikes that is five times as fast. All ways give the same sums in another order.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear

from snn2circuit.training.kernels.events import add_outer, add_rows

WIDE = 64  # outputs; below, listing who fired takes longer than the dense product
SPARSE = 0.15  # share of spikes; above, the dense product is faster


def multiply_spikes(layer: nn.Linear, spikes: Tensor) -> Tensor:
    """``layer(spikes)`` for ``spikes`` ``(steps, samples, inputs)`` of 0 and 1."""
    result: Tensor = _Product.apply(spikes, layer.weight, layer.bias)  # type: ignore[no-untyped-call]
    return result


class _Product(torch.autograd.Function):
    """The product and its gradients."""

    @staticmethod
    def forward(ctx: Any, spikes: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        rows, outputs = spikes.flatten(0, 1), len(weight)
        events = outputs >= WIDE and float(rows.sum()) < SPARSE * rows.numel()
        ctx.save_for_backward(spikes, weight)
        ctx.events, ctx.has_bias = events, bias is not None
        if events:
            result = weight.new_zeros(outputs) if bias is None else bias.detach()
            result = result.expand(len(rows), outputs).contiguous()
            add_rows(rows.numpy(), weight.detach().t().contiguous().numpy(), result.numpy())
        elif outputs >= WIDE:
            result = linear(rows, weight, bias)
        else:
            turned = rows.t()
            result = torch.mm(weight, turned) if bias is None else torch.addmm(bias[:, None], weight, turned)
            result = result.t().contiguous()
        return result.reshape(*spikes.shape[:2], outputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        spikes, weight = ctx.saved_tensors
        rows, gradient = spikes.flatten(0, 1), gradient.contiguous().flatten(0, 1)
        if ctx.events:
            transposed = weight.new_zeros(weight.shape[1], weight.shape[0])
            add_outer(rows.numpy(), gradient.numpy(), transposed.numpy())
            on_weight = transposed.t()
        else:
            on_weight = gradient.t() @ rows
        on_spikes = (gradient @ weight).reshape(spikes.shape) if ctx.needs_input_grad[0] else None
        return on_spikes, on_weight, gradient.sum(0) if ctx.has_bias else None
