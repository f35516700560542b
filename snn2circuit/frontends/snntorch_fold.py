"""From the operations between two layers to the maps of a network.

The usual ones, in the usual order of axes, become maps one by one: matrices and kernels are copied bit by bit; batch
normalisation, scaling and constants fold into their neighbours. Whatever else is affine is for
:mod:`snn2circuit.frontends.snntorch_matrix`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from snn2circuit.errors import NetworkError
from snn2circuit.frontends.snntorch_maps import array
from snn2circuit.frontends.snntorch_ops import CASTS, RESHAPES, SAME
from snn2circuit.frontends.snntorch_trace import Node
from snn2circuit.ir.linear import AvgPool2d, Conv2d, Dense, Map, Pair, Scale, Shape, SumPool2d
from snn2circuit.ir.noun import Floats


class Unstructured(Exception):
    """The operations are not the usual ones in the usual order; the matrix is found by differentiation instead."""


@dataclass
class Chain:
    """Maps from a signal of ``start`` to one of ``shape``, and a scale and shift that still wait for a map."""

    start: Shape
    shape: Shape
    mapped: Shape  # the shape as the last map gave it; ``shape`` may be a reshape of it
    maps: list[Map] = field(default_factory=list)
    scale: Floats | None = None
    shift: Floats | None = None

    @property
    def waiting(self) -> bool:
        """Whether a scale or a shift has found no map yet."""
        return self.scale is not None or self.shift is not None

    def reshape(self, shape: Shape) -> None:
        """Read the signal in another shape; its numbers keep their order."""
        if self.waiting:
            self.scale, self.shift = (_spread(each, self.shape, shape) for each in (self.scale, self.shift))
        self.shape = shape
        if not self.maps:
            self.start = self.mapped = shape

    def add(self, one: Map) -> None:
        """Append a map that takes the signal in the shape it has."""
        if not isinstance(one, Dense) and self.mapped != self.shape:
            raise Unstructured
        if self.waiting:
            one = self._absorb(one)
        try:
            self.shape = self.mapped = one.output_shape(self.shape)
        except NetworkError as error:
            raise Unstructured from error
        self.maps.append(one)

    def _absorb(self, one: Map) -> Map:
        """``one`` after the waiting scale and shift."""
        scale, shift = np.ones(()) if self.scale is None else self.scale, self.shift
        self.scale = self.shift = None
        if isinstance(one, Dense):
            bias = one.bias
            if shift is not None:
                bias = (0.0 if bias is None else bias) + one.weight @ np.broadcast_to(shift, self.shape).ravel()
            return Dense(weight=one.weight * np.broadcast_to(scale, self.shape).ravel(), bias=bias)
        if shift is not None:
            raise Unstructured
        self.maps.append(Scale(scale=np.broadcast_to(scale, self.shape)))
        return one

    def affine(self, scale: Floats | None, shift: Floats | None) -> None:
        """Multiply by ``scale``, then add ``shift``; both broadcast to the shape."""
        last = self.maps[-1] if self.maps and not self.waiting and self.mapped[0] == self.shape[0] else None
        if isinstance(last, Dense | Conv2d):
            rows = [None if each is None else _per_row(each, self.shape) for each in (scale, shift)]
            if all((row is None) == (each is None) for row, each in zip(rows, (scale, shift), strict=True)):
                self.maps[-1] = _fold_into(last, *rows)
                return
        if self.scale is None and self.shift is None:
            self.scale, self.shift = scale, shift
            return
        if scale is not None:
            self.scale = scale if self.scale is None else self.scale * scale
            self.shift = None if self.shift is None else self.shift * scale
        if shift is not None:
            self.shift = shift if self.shift is None else self.shift + shift

    def finish(self) -> list[Map]:
        """The maps, with what waits as a last one."""
        if self.shift is not None:
            raise Unstructured
        if self.scale is not None or not self.maps:
            self.add_scale(np.ones(()) if self.scale is None else self.scale)
        return self.maps

    def add_scale(self, scale: Floats) -> None:
        """Append a map that scales."""
        self.scale = None
        if self.mapped != self.shape:
            scale = np.asarray(_spread(scale, self.shape, self.mapped))
        self.maps.append(Scale(scale=np.broadcast_to(scale, self.mapped)))


def fold_chain(node: Node, source: Node, lead: tuple[str, ...], step: int) -> tuple[Shape, list[Map]]:
    """Start shape and maps of the operations from ``source`` to ``node``, one after the other.

    Args:
        node: the current of a neuron.
        source: what it is made from.
        lead: the axes of ``source`` before those of a sample: ``b`` the samples, ``t`` the steps (``r`` in between:
            the same in every step).
        step: which step of ``t`` belongs to ``node``.

    Raises:
        Unstructured: the operations are not a chain of the kinds above.
    """
    steps: list[Node] = []
    while node is not source:
        parents = node.parents()
        if len(parents) != 1:
            raise Unstructured
        steps.append(node)
        node = parents[0]
    shape = source.shape[len(lead) :]
    chain = Chain(start=shape, shape=shape, mapped=shape)
    for each in reversed(steps):
        lead = _apply(chain, each, lead, step)
    if lead not in (("b",), ()):
        raise Unstructured
    maps = chain.finish()
    return chain.start, maps


def _apply(chain: Chain, node: Node, lead: tuple[str, ...], step: int) -> tuple[str, ...]:
    """Append one operation; the axes before those of a sample that are left."""
    name, before = node.name, node.parents()[0]
    if name in SAME or name in CASTS:
        return lead
    if name in ("unsqueeze", "expand", "repeat") and _repeats(node, before, lead):
        return lead if lead[:1] == ("r",) else ("r", *lead)
    if name in RESHAPES:
        if node.shape[: len(lead)] != before.shape[: len(lead)] or node.part is not None:
            raise Unstructured
        chain.reshape(node.shape[len(lead) :])
        return lead
    if name in ("getitem", "select", "unbind"):
        return _pick(node, lead, step)
    signal, *rest = node.args
    if name in ("add", "sub", "mul", "div", "add_", "sub_", "mul_", "div_", "neg", "rsub", "subtract", "multiply"):
        chain.affine(*_elementwise(node, lead, chain.shape))
        return lead
    if signal is not before or any(isinstance(each, Node) for each in rest):
        raise Unstructured
    if name == "batch_norm":
        chain.affine(*_normalisation(node, chain.shape))
        return lead
    if name in ("linear", "matmul", "mm"):
        weight, bias = _bind(node, "weight" if name == "linear" else "other", "bias")
        if len(chain.shape) != 1 or weight.ndim != 2:
            raise Unstructured
        chain.add(Dense(weight=array(weight if name == "linear" else weight.T), bias=_maybe(bias)))
        return lead
    if len(lead) != 1:
        raise Unstructured
    flat = len(chain.shape) == 2  # a signal of one dimension is an image of one row
    if flat:
        chain.reshape((chain.shape[0], 1, chain.shape[1]))
    if len(chain.shape) != 3:
        raise Unstructured
    chain.add(_window(node, chain.shape))
    if flat:
        chain.shape = (chain.shape[0], chain.shape[2])
    return lead


def _repeats(node: Node, before: Node, lead: tuple[str, ...]) -> bool:
    """Whether ``node`` is ``before``, once for every step, along a new first axis or the one that is there for it."""
    if lead[:1] == ("r",):
        return before.shape[0] == 1 and node.shape[1:] == before.shape[1:]
    return node.shape[1:] == before.shape and (node.name != "unsqueeze" or node.shape[0] == 1)


def _pick(node: Node, lead: tuple[str, ...], step: int) -> tuple[str, ...]:
    """The axes left after the signal of one step was taken out of those of all steps."""
    if node.name == "unbind":
        axis, index = (node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", 0)), node.part
    elif node.name == "select":
        axis, index = _bind(node, "dim", "index")
    else:
        wanted = node.args[1] if isinstance(node.args[1], tuple) else (node.args[1],)
        picked = [place for place, each in enumerate(wanted) if each != slice(None)]
        if len(picked) != 1 or Ellipsis in wanted:
            raise Unstructured
        axis, index = picked[0], wanted[picked[0]]
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= axis < len(lead) or lead[axis] == "b":
        raise Unstructured
    if lead[axis] == "t" and index % node.parents()[0].shape[axis] != step:
        raise Unstructured
    return lead[:axis] + lead[axis + 1 :]


def _elementwise(node: Node, lead: tuple[str, ...], shape: Shape) -> tuple[Floats | None, Floats | None]:
    """Scale and shift of a sum or product with a constant."""
    name = node.name.rstrip("_")
    if name == "neg":
        return np.full((), -1.0), None
    if node.shape != node.parents()[0].shape or set(node.kwargs) - {"other", "alpha"}:
        raise Unstructured
    first, other = (*node.args, *([node.kwargs["other"]] if "other" in node.kwargs else []))[:2]
    swapped = isinstance(other, Node)
    constant = torch.as_tensor(first if swapped else other, dtype=torch.float64)
    values = array(constant)
    if values.ndim > len(shape):
        whole = np.broadcast_to(values, node.shape)
        each = whole.reshape(-1, *shape)
        if (each != each[0]).any():
            raise Unstructured
        values = each[0]
    gain = float(node.kwargs.get("alpha", 1))
    match name:
        case "mul" | "multiply":
            return values, None
        case "div" if not swapped:
            return 1 / values, None
        case "add" if not swapped or gain == 1:
            return None, gain * values
        case "sub" | "subtract" if not swapped:
            return None, -gain * values
        case "sub" | "subtract" if gain == 1:
            return np.full((), -1.0), values
        case "rsub" if not swapped and gain == 1:
            return np.full((), -1.0), values
    raise Unstructured


def _normalisation(node: Node, shape: Shape) -> tuple[Floats, Floats]:
    """Scale and shift of a batch normalisation in evaluation."""
    mean, var, weight, bias = _bind(node, "running_mean", "running_var", "weight", "bias")
    eps = node.args[7] if len(node.args) > 7 else node.kwargs.get("eps", 1e-5)
    scale = 1 / np.sqrt(array(var) + eps)
    scale = scale if weight is None else scale * array(weight)
    shift = (0.0 if bias is None else array(bias)) - array(mean) * scale
    channels = (-1,) + (1,) * (len(shape) - 1)
    return scale.reshape(channels), shift.reshape(channels)


def _window(node: Node, shape: Shape) -> Map:
    """A convolution or pooling; what works on one dimension works on the row of an image."""
    name = node.name
    if name in ("conv1d", "conv2d"):
        weight, bias, stride, padding, dilation, groups = _bind(
            node, "weight", "bias", "stride", "padding", "dilation", "groups"
        )
        kernel = array(weight)[:, :, None] if name == "conv1d" else array(weight)
        gaps = _pair(dilation, 1, name)
        if padding == "same":
            total = [gap * (size - 1) for gap, size in zip(gaps, kernel.shape[2:], strict=True)]
            if any(each % 2 for each in total):
                raise Unstructured
            pads = (total[0] // 2, total[1] // 2)
        else:
            pads = _pair(0 if padding == "valid" else padding, 0, name)
        return Conv2d(
            weight=kernel, bias=_maybe(bias), stride=_pair(stride, 1, name), padding=pads, dilation=gaps,
            groups=groups or 1,
        )  # fmt: skip
    if name.startswith("adaptive_avg_pool"):
        (wanted,) = _bind(node, "output_size")
        size = (1, wanted) if name.endswith("1d") else np.broadcast_to(np.asarray(wanted, dtype=object), 2)
        goal = [int(old if new is None else np.ravel(new)[0]) for new, old in zip(size, shape[1:], strict=True)]
        if any(old % new for old, new in zip(shape[1:], goal, strict=True)):
            raise Unstructured
        kernel2 = (shape[1] // goal[0], shape[2] // goal[1])
        return AvgPool2d(kernel=kernel2, stride=kernel2)
    if name.startswith("lp_pool"):
        kernel_size, stride, ceil = _bind(node, "kernel_size", "stride", "ceil_mode")
        pads, counted, divisor = (0, 0), True, 1
    elif name in ("avg_pool1d", "avg_pool2d"):
        kernel_size, stride, padding, ceil, counted, divisor = _bind(
            node, "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"
        )
        pads = _pair(padding or 0, 0, name)
    else:
        raise Unstructured
    kernel3 = _pair(kernel_size, 1, name)
    if ceil or (any(pads) and counted is False) or divisor not in (None, 1, math.prod(kernel3)):
        raise Unstructured
    steps = _pair(stride if stride not in (None, ()) else kernel_size, 1, name)
    pool = SumPool2d if divisor == 1 else AvgPool2d
    return pool(kernel=kernel3, stride=steps, padding=pads)


# The arguments of torch's functions after the signal, in their order.
_ORDER = {
    "linear": ("weight", "bias"),
    "matmul": ("other",),
    "mm": ("other",),
    "select": ("dim", "index"),
    "conv1d": ("weight", "bias", "stride", "padding", "dilation", "groups"),
    "conv2d": ("weight", "bias", "stride", "padding", "dilation", "groups"),
    "avg_pool1d": ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"),
    "avg_pool2d": ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"),
    "lp_pool1d": ("norm_type", "kernel_size", "stride", "ceil_mode"),
    "lp_pool2d": ("norm_type", "kernel_size", "stride", "ceil_mode"),
    "adaptive_avg_pool1d": ("output_size",),
    "adaptive_avg_pool2d": ("output_size",),
    "batch_norm": ("running_mean", "running_var", "weight", "bias"),
}


def _bind(node: Node, *names: str) -> list[Any]:
    given = dict(zip(_ORDER[node.name], node.args[1:], strict=False)) | node.kwargs
    if node.name == "mm":
        given.setdefault("other", given.get("mat2"))
    return [given.get(name) for name in names]


def _maybe(tensor: Tensor | None) -> Floats | None:
    return None if tensor is None else array(tensor)


def _pair(value: Any, default: int, name: str) -> Pair:
    values = [default] if value is None else [int(each) for each in np.ravel(value)]
    if name.endswith("1d"):
        return default, values[0]
    return values[0], values[-1]


def _spread(values: Floats | None, old: Shape, new: Shape) -> Floats | None:
    return None if values is None else np.broadcast_to(values, old).reshape(new) if np.size(values) > 1 else values


def _per_row(values: Floats, shape: Shape) -> Floats | None:
    """One value for each neuron or channel; ``None`` if they differ within a channel."""
    rows = np.broadcast_to(values, shape).reshape(shape[0], -1)
    return rows[:, 0].copy() if (rows == rows[:, :1]).all() else None


def _fold_into(last: Dense | Conv2d, scale: Floats | None, shift: Floats | None) -> Dense | Conv2d:
    bias = last.bias
    weight = last.weight if scale is None else last.weight * scale.reshape(-1, *[1] * (last.weight.ndim - 1))
    bias = bias * scale if bias is not None and scale is not None else bias
    bias = bias if shift is None else shift + (0.0 if bias is None else bias)
    if isinstance(last, Dense):
        return Dense(weight=weight, bias=bias)
    return Conv2d(
        weight=weight, bias=bias, stride=last.stride, padding=last.padding, dilation=last.dilation, groups=last.groups
    )
