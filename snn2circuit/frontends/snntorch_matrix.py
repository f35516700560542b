"""Affine operations as one matrix and a bias, whatever they are and in whatever order of axes.

The operations run once more as they were recorded. Their derivative is the matrix, and what they make of zero the bias.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from snn2circuit.errors import NetworkError
from snn2circuit.frontends.snntorch_fold import Unstructured
from snn2circuit.frontends.snntorch_maps import array
from snn2circuit.frontends.snntorch_ops import CASTS
from snn2circuit.frontends.snntorch_trace import Node
from snn2circuit.ir.linear import Dense

MAX_WEIGHTS = 2**26  # of a matrix that is found by differentiation
_PORTION = 64  # rows of it that are computed at a time


def replay(node: Node, leaves: dict[Node, Tensor], seen: dict[Node, Any] | None = None) -> Tensor:
    """The value of ``node`` with other values at the leaves."""
    seen = {} if seen is None else seen
    if node in leaves:
        return leaves[node]
    if node not in seen:

        def known(each: Any) -> Any:
            return replay(each, leaves, seen) if isinstance(each, Node) else each

        args, kwargs = tree_map(known, node.args), tree_map(known, node.kwargs)
        if node.function is None:
            raise Unstructured
        if node.name in CASTS:
            result: Any = args[0]
        elif node.name in ("setitem",) or (node.name.endswith("_") and node.name != "requires_grad_"):
            result = args[0].clone()
            node.function(result, *args[1:], **kwargs)
        else:
            result = node.function(*args, **kwargs)
        seen[node] = result
    value: Tensor = seen[node] if node.part is None else seen[node][node.part]
    return value


def fold_matrix(node: Node, leaves: dict[Node, Tensor], source: Node, slot: tuple[Any, ...], own: int | None) -> Dense:
    """The operations from ``source`` to ``node`` as a matrix and a bias, by differentiation.

    Args:
        node: the current of a neuron.
        leaves: values of everything it is made from.
        source: the leaf to differentiate by.
        slot: index of the sample and step in ``source`` that ``node`` may depend on.
        own: the sample of ``node`` that belongs to it; ``None`` if it has none.

    Raises:
        NetworkError: it depends on other samples or steps, or is too large.
    """
    size, outputs = leaves[source][slot].numel(), math.prod(node.shape[(own is not None) :])
    if size * outputs > MAX_WEIGHTS:
        raise NetworkError(
            f"{outputs:,} neurons with {size:,} inputs are too many to find the matrix of what lies between; "
            "use nn.Linear, nn.Conv2d and nn.AvgPool2d, which are read as they are"
        )
    with torch.enable_grad():
        leaf = leaves[source].detach().clone().requires_grad_()
        current = replay(node, {**leaves, source: leaf})
        flat = (current if own is None else current[own]).reshape(-1)
        weight = np.empty((outputs, size))
        for start in range(0, outputs, _PORTION):
            rows = torch.eye(outputs, dtype=torch.float64)[start : start + _PORTION]
            slopes = _slopes(flat, leaf, rows)
            own_slopes = slopes[(slice(None), *slot)]
            weight[start : start + len(rows)] = own_slopes.reshape(len(rows), -1).numpy()
            own_slopes.zero_()
            if slopes.any():
                raise NetworkError("it mixes samples of a batch, or steps; every sample has to be computed alone")
    with torch.no_grad():
        zero = replay(node, {each: torch.zeros_like(value) for each, value in leaves.items()})
    bias = array((zero if own is None else zero[own]).reshape(-1))
    return Dense(weight=weight, bias=bias if bias.any() else None)


def _slopes(outputs: Tensor, leaf: Tensor, rows: Tensor) -> Tensor:
    """Derivatives of ``rows @ outputs`` by ``leaf``, ``(rows, *leaf)``."""
    if outputs.grad_fn is None:
        return torch.zeros(len(rows), *leaf.shape, dtype=torch.float64)
    options: dict[str, Any] = {"retain_graph": True, "allow_unused": True}
    try:
        (slopes,) = torch.autograd.grad(outputs, leaf, rows, is_grads_batched=True, **options)
    except RuntimeError:  # not every function of torch can be differentiated for several rows at once
        each = [torch.autograd.grad(outputs, leaf, row, **options)[0] for row in rows]
        slopes = None if each[0] is None else torch.stack(each)
    return torch.zeros(len(rows), *leaf.shape, dtype=torch.float64) if slopes is None else slopes.clone()
