"""Linear modules of torch to maps of a network, and back.

Read are ``nn.Linear``, ``nn.Conv2d``, ``nn.AvgPool2d`` (with ``divisor_override=1`` a sum) and ``nn.LPPool2d`` with
norm 1, which is a sum too. ``nn.Flatten`` and ``nn.Unflatten`` say which shape an image has. Whatever a module can do
beyond the equations of :mod:`snn2circuit.ir.linear` is refused.
"""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from snn2circuit.errors import NetworkError
from snn2circuit.ir.layer import AnyLayer, ConvLayer
from snn2circuit.ir.linear import AvgPool2d, Conv2d, Dense, Map, Pair, Shape, SumPool2d
from snn2circuit.ir.noun import Floats

M = TypeVar("M", bound=nn.Module)
PASSIVE = (nn.Identity, nn.Dropout, nn.Dropout2d)
SHAPERS = (nn.Flatten, nn.Unflatten)
LINEAR = (nn.Linear, nn.Conv2d, nn.AvgPool2d, nn.LPPool2d)
_INSTEAD = {
    "MaxPool2d": "the maximum is not linear; train with nn.AvgPool2d",
    "BatchNorm2d": "fold it into the convolution before it",
    "ReLU": "the neuron is the only nonlinearity of a spiking network",
}


def read_shape(path: str, module: nn.Module, shape: Shape | None) -> Shape | None:
    """Shape of the signal after ``nn.Flatten`` or ``nn.Unflatten``; ``None`` while it is not known."""
    if isinstance(module, nn.Flatten):
        if (module.start_dim, module.end_dim) not in ((1, -1), (-3, -1)):
            raise NetworkError(
                f"{path} flattens dimensions {module.start_dim} to {module.end_dim}; "
                "only a whole sample can be flattened, 1 to -1"
            )
        return None if shape is None else (math.prod(shape),)
    wanted = tuple(int(size) for size in module.unflattened_size)  # type: ignore[union-attr]
    if module.dim not in (1, -1) or min(wanted, default=0) < 1:
        raise NetworkError(
            f"{path} unflattens dimension {module.dim} to {wanted}; the whole sample and its sizes are needed"
        )
    if shape is not None and shape != (math.prod(wanted),):
        raise NetworkError(f"{path} makes {wanted} of {shape}; a vector of {math.prod(wanted)} is needed before it")
    return wanted


def read_map(path: str, module: nn.Module, shape: Shape | None) -> tuple[Map, Shape]:
    """The map of a linear module, and the shape of its input if that was not known.

    Raises:
        NetworkError: the module does more than a map can, or does not fit the shape; the text names ``path``.
    """
    if isinstance(module, nn.Linear):
        if shape is not None and len(shape) > 1:
            raise NetworkError(f"{path} takes an image of {shape} row by row; put nn.Flatten() before it")
        bias = None if module.bias is None else array(module.bias)
        return Dense(weight=array(module.weight), bias=bias), shape or (module.in_features,)
    if shape is None:
        raise NetworkError(
            f"{path} ({type(module).__name__}) needs the shape of its input: give input_shape=(channels, height, width)"
        )
    try:
        return (_read_conv(module) if isinstance(module, nn.Conv2d) else _read_pool(module)), shape
    except NetworkError as error:
        raise NetworkError(f"{path}: {error}") from error


def refusal(path: str, module: nn.Module) -> NetworkError:
    """Why ``module`` cannot be part of a network."""
    name = type(module).__name__
    allowed = ", ".join(each.__name__ for each in LINEAR)
    passed = ", ".join(each.__name__ for each in (*SHAPERS, *PASSIVE))
    hint = f": {_INSTEAD[name]}" if name in _INSTEAD else ""
    return NetworkError(
        f"{path} is a {name}{hint}; only {allowed} and snnTorch neurons become circuits ({passed} are passed over)"
    )


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


def _read_conv(module: nn.Conv2d) -> Conv2d:
    if module.padding_mode != "zeros":
        raise NetworkError(f"padding_mode is {module.padding_mode!r}; a crossbar can only pad with zeros")
    dilation = _pair(module.dilation)
    if module.padding == "same":
        total = [gap * (size - 1) for gap, size in zip(dilation, module.kernel_size, strict=True)]
        if any(each % 2 for each in total):
            raise NetworkError("padding 'same' of an even kernel is not the same on both sides; pad in numbers")
        padding = (total[0] // 2, total[1] // 2)
    else:
        padding = (0, 0) if isinstance(module.padding, str) else _pair(module.padding)
    return Conv2d(
        weight=array(module.weight),
        bias=None if module.bias is None else array(module.bias),
        stride=_pair(module.stride),
        padding=padding,
        dilation=dilation,
        groups=module.groups,
    )


def _read_pool(module: nn.Module) -> AvgPool2d | SumPool2d:
    if module.ceil_mode:
        raise NetworkError("ceil_mode lets windows hang over the edge; switch it off")
    kernel = _pair(module.kernel_size)
    stride = kernel if module.stride is None else _pair(module.stride)
    if isinstance(module, nn.LPPool2d):
        if module.norm_type != 1:
            raise NetworkError(f"norm_type is {module.norm_type}; only norm 1, the sum, is linear")
        return SumPool2d(kernel=kernel, stride=stride)
    padding = _pair(module.padding)
    if any(padding) and not module.count_include_pad and module.divisor_override is None:
        raise NetworkError(
            "count_include_pad=False divides by another number at the edge; count the padding or drop it"
        )
    if module.divisor_override not in (None, 1, kernel[0] * kernel[1]):
        raise NetworkError(f"divisor_override is {module.divisor_override}; allowed: none for a mean, 1 for a sum")
    pool = SumPool2d if module.divisor_override == 1 else AvgPool2d
    return pool(kernel=kernel, stride=stride, padding=padding)


def _pair(value: object) -> Pair:
    pair = np.broadcast_to(np.asarray(value), 2)
    return int(pair[0]), int(pair[1])


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
