"""A whole sequence of a snnTorch neuron at once: one autograd function around the kernels of its time loop.

snnTorch's modules stay what they are; this reads their parameters and computes, in the same order of operations, the
spikes and membranes that calling them step after step would give, and the same gradients, of the current and of a
learnt ``beta``, ``alpha`` or threshold. What is gained: no Python and no autograd node per step, every step of a block
of neurons runs while the block lies in the processor's cache, and a current that is constant in time is neither copied
for each step nor has a gradient for each.

Decays that snnTorch clamps, and Alpha's ``tau``, are computed from the parameters by torch outside of the function, so
their gradients are torch's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast

import numpy as np
import snntorch
import torch
from snntorch import surrogate
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from snn2circuit.errors import TrainingError
from snn2circuit.training.kernels import NONE, SUBTRACT, ZERO, alpha, lapicque, leaky, synaptic
from snn2circuit.training.kernels.compile import Array

BLOCK = 1024  # elements that go through time together; the arrays of a block fill half of a 32 KB cache
_RESETS = {"_base_sub": SUBTRACT, "_base_zero": ZERO, "_base_int": NONE}
_PLAIN = {"inhibition": False, "state_quant": False, "reset_delay": True, "graded_spikes_factor": 1.0}
_ATAN = surrogate.atan().__code__


@dataclass(frozen=True, kw_only=True)
class _Model:
    """How a class of snnTorch's neurons is computed."""

    kernel: ModuleType
    traces: int  # states besides the membrane
    coefficients: Callable[[Any], tuple[Tensor, ...]]


def _alpha_coefficients(neuron: Any) -> tuple[Tensor, ...]:
    fast, slow = neuron.beta.clamp(0, 1), neuron.alpha.clamp(0, 1)
    return slow, fast, torch.log(slow) / (torch.log(fast) - torch.log(slow)) + 1


def _lapicque_coefficients(neuron: Any) -> tuple[Tensor, ...]:
    product = neuron.R * neuron.C
    return neuron.R, 1 / product, neuron.time_step, 1 - neuron.time_step / product


_MODELS: Mapping[type[nn.Module], _Model] = {
    snntorch.Leaky: _Model(kernel=leaky, traces=0, coefficients=lambda neuron: (neuron.beta.clamp(0, 1),)),
    snntorch.Lapicque: _Model(kernel=lapicque, traces=0, coefficients=_lapicque_coefficients),
    snntorch.Synaptic: _Model(
        kernel=synaptic,
        traces=1,
        coefficients=lambda neuron: (neuron.alpha.clamp(0, 1), neuron.beta.clamp(0, 1)),
    ),
    snntorch.Alpha: _Model(kernel=alpha, traces=2, coefficients=_alpha_coefficients),
}


def run_fused(
    neuron: nn.Module, current: Tensor, steps: int, *, constant: bool, membranes: bool = True
) -> tuple[Tensor, Tensor | None]:
    """Spikes and membranes of ``neuron``, started at rest, each ``(steps, samples, ...)``.

    Args:
        neuron: one of snnTorch's four feed-forward neurons.
        current: ``(samples, ...)`` if ``constant``, which stands for every step, else ``(steps, samples, ...)``.
        steps: number of time steps.
        constant: whether the current is the same in all steps.
        membranes: whether they are wanted; without them, and without gradients, they need not be kept.

    Raises:
        TrainingError: the neuron does something that the kernels do not; the text says what.
    """
    model = _MODELS.get(type(neuron))
    if model is None:
        names = ", ".join(each.__name__ for each in _MODELS)
        raise _refusal(neuron, f"it is none of snnTorch's {names}")
    settings = cast("Any", neuron)
    for name, plain in _PLAIN.items():
        value = getattr(neuron, name, plain)
        if value != plain:
            raise _refusal(neuron, f"{name} is {value}")
        if getattr(value, "requires_grad", False):
            raise _refusal(neuron, f"{name} is learnt")
    gradient = settings.spike_grad
    if getattr(gradient, "__code__", None) is not _ATAN:
        raise _refusal(neuron, "its spike_grad is not snntorch.surrogate.atan")
    slope = float(gradient.__closure__[0].cell_contents)
    sequence = current[None] if constant else current
    vectors = [settings.threshold, *model.coefficients(neuron)]
    # One value for all neurons needs no vector: any block of elements will do.
    if any(each.numel() > 1 for each in vectors):
        vectors = [each.expand(sequence.shape[2:]) for each in vectors]
    reset = _RESETS[settings.state_function.__name__]
    spikes, held = _Sequence.apply(sequence, steps, model, reset, slope, membranes, *vectors)  # type: ignore[no-untyped-call]
    return spikes, held if membranes else None


def _refusal(neuron: nn.Module, reason: str) -> TrainingError:
    return TrainingError(f"engine fused cannot run {type(neuron).__name__}: {reason}; use engine snntorch")


class _Sequence(torch.autograd.Function):
    """All steps of one layer of neurons."""

    @staticmethod
    def forward(
        ctx: Any,
        sequence: Tensor,
        steps: int,
        model: _Model,
        reset: int,
        slope: float,
        membranes_wanted: bool,
        *vectors: Tensor,
    ) -> tuple[Tensor, Tensor]:
        shape = (steps, *sequence.shape[1:])
        current = _rows(sequence, steps)
        elements = current.shape[1]
        neurons = vectors[0].numel()
        copies = max(1, min(BLOCK, elements) // neurons)
        block = np.empty((len(vectors), copies, neurons), current.dtype)
        for row, vector in zip(block, vectors, strict=True):
            row[:] = vector.detach().numpy().reshape(-1)
        block = block.reshape(len(vectors), -1)
        learnt = any(ctx.needs_input_grad[6:])
        differentiated = any(ctx.needs_input_grad)
        rows = steps if differentiated or membranes_wanted else min(2, steps)
        traces = sequence.new_empty((model.traces, steps if learnt else min(2, steps), elements)).numpy()
        membranes, spikes = sequence.new_empty((rows, *shape[1:])), sequence.new_empty(shape)
        model.kernel.forward(current, block[1:], block[0], reset, traces, _rows(membranes, rows), _rows(spikes, steps))
        ctx.set_materialize_grads(False)
        if differentiated:
            ctx.save_for_backward(membranes)
            ctx.rest = (
                model,
                reset,
                slope,
                block,
                copies,
                traces,
                learnt,
                sequence.shape,
                [(each.shape, each.dtype) for each in vectors],
            )
        return spikes, membranes

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_spikes: Tensor | None, grad_membranes: Tensor | None) -> tuple[Tensor | None, ...]:
        model, reset, slope, block, copies, traces, learnt, shape, vectors = ctx.rest
        (saved,) = ctx.saved_tensors
        steps, dtype = len(saved), block.dtype
        membranes, threshold = _rows(saved, steps), block[0]
        elements = membranes.shape[1]
        gradients = np.zeros(block.shape)
        none = np.empty((0, elements), dtype)
        given = np.zeros((shape[0], elements), dtype)
        model.kernel.backward(
            none if grad_spikes is None else _rows(grad_spikes, steps),
            none if grad_membranes is None else _rows(grad_membranes, steps),
            block[1:],
            threshold,
            np.array([1, slope / 2, np.pi / 2 * slope], dtype),
            reset,
            traces,
            membranes,
            learnt,
            given,
            gradients[1:],
            gradients[0],
        )
        summed = torch.from_numpy(gradients).reshape(len(block), copies, -1).sum(1) if learnt else None
        learning = [
            None if summed is None else summed[row].reshape(size).to(kind) for row, (size, kind) in enumerate(vectors)
        ]
        return torch.from_numpy(given).reshape(shape), None, None, None, None, None, *learning


def _rows(tensor: Tensor, steps: int) -> Array:
    """``(steps, M)``, or one row ``(1, M)`` of a tensor that is the same in every step."""
    if steps > 1 and tensor.stride(0) == 0:
        tensor = tensor[:1]
    rows: Array = tensor.detach().contiguous().reshape(len(tensor), -1).numpy()
    return rows
