"""Maps of a network as modules of torch."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from snn2circuit.ir.layer import AnyLayer, ConvLayer
from snn2circuit.ir.linear import AvgPool2d, Conv2d, Dense, SumPool2d
from snn2circuit.ir.noun import Floats

M = TypeVar("M", bound=nn.Module)


def write_map(layer: AnyLayer, dtype: torch.dtype) -> nn.Module:
    """The map of ``layer`` as a torch module from vectors ``(samples, inputs)`` to vectors ``(samples, outputs)``."""
    known = (Dense, Conv2d, AvgPool2d, SumPool2d)
    if not isinstance(layer, ConvLayer) or not all(type(each) in known for each in layer.maps):
        # torch has no module that scales, nor one for a user's own map; unrolled, the chain is a matrix like any other.
        return _linear(Dense(weight=layer.weight, bias=layer.bias), dtype)
    shape = layer.shape
    modules: list[nn.Module] = [nn.Unflatten(1, shape)] if len(shape) > 1 else []
    for each in layer.maps:
        match each:
            case Dense():
                modules += [nn.Flatten()] * (len(shape) > 1) + [_linear(each, dtype)]
            case Conv2d():
                modules.append(_conv(each, dtype))
            case AvgPool2d():
                modules.append(nn.AvgPool2d(each.kernel, each.stride, each.padding))
            case SumPool2d():
                modules.append(nn.AvgPool2d(each.kernel, each.stride, each.padding, divisor_override=1))
        shape = each.output_shape(shape)
    return nn.Sequential(*modules, *[nn.Flatten()] * (len(shape) > 1))


def array(tensor: Tensor) -> Floats:
    """Values of a tensor in float64."""
    values: Floats = tensor.detach().double().cpu().numpy()
    return values


def _linear(dense: Dense, dtype: torch.dtype) -> nn.Linear:
    outputs, inputs = dense.weight.shape
    # Filled below; drawing initial weights would disturb the caller's random numbers.
    linear = nn.Linear(inputs, outputs, bias=dense.bias is not None, dtype=dtype, device="meta")
    return _filled(linear, dense)


def _conv(conv: Conv2d, dtype: torch.dtype) -> nn.Conv2d:
    outputs, inputs, *size = conv.weight.shape
    module = nn.Conv2d(
        inputs * conv.groups,
        outputs,
        (size[0], size[1]),
        conv.stride,
        conv.padding,
        conv.dilation,
        conv.groups,
        bias=conv.bias is not None,
        dtype=dtype,
        device="meta",
    )
    return _filled(module, conv)


def _filled(module: M, source: Dense | Conv2d) -> M:
    module.to_empty(device="cpu")
    with torch.no_grad():
        for name in ("weight", "bias"):
            if (values := getattr(source, name)) is not None:
                getattr(module, name).copy_(torch.from_numpy(np.array(values)))
    return module
