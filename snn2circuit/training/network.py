"""The network of a finished training: the recipe's own neurons, and the weights that were trained.

The maps are the inverse of :mod:`snn2circuit.training.maps`, which built them.
"""

from __future__ import annotations

from torch import Tensor, nn

from snn2circuit.errors import NetworkError
from snn2circuit.ir.dataset import Dataset
from snn2circuit.ir.layer import make_layer
from snn2circuit.ir.linear import AvgPool2d, Conv2d, Dense, Map, Shape, SumPool2d
from snn2circuit.ir.network import Network
from snn2circuit.ir.noun import Floats
from snn2circuit.training.losses import LOSSES
from snn2circuit.training.models import SpikingNet
from snn2circuit.training.neurons import learnt_part
from snn2circuit.training.recipe import Recipe


def read_network(module: SpikingNet, recipe: Recipe, dataset: Dataset) -> Network:
    """The network that ``module`` was trained to be on ``dataset``.

    Raises:
        NetworkError: a neuron refuses what was learnt; the text names the layer.
    """
    learnt = [name for name in ("beta", "threshold") if getattr(recipe, f"learn_{name}")]
    layers = []
    for number, ((linear, neuron), part) in enumerate(zip(module.layers(), recipe.neurons, strict=True), start=1):
        try:
            layers.append(make_layer(*_read_maps(linear), learnt_part(part, neuron, *learnt)))
        except NetworkError as error:
            raise NetworkError(f"layer {number}: {error}") from error
    return Network(
        name=dataset.name,
        layers=tuple(layers),
        steps=recipe.steps,
        dataset=dataset.name,
        encoding=recipe.encoding,
        decision=LOSSES[recipe.loss].decision,
    )


def _read_maps(linear: nn.Module) -> tuple[Shape, list[Map]]:
    """Shape of the input and maps of a layer that :func:`~snn2circuit.training.maps.build_maps` built."""
    shape: Shape | None = None
    maps: list[Map] = []
    for each in linear if isinstance(linear, nn.Sequential) else (linear,):
        match each:
            case nn.Unflatten():
                shape = tuple(int(size) for size in each.unflattened_size)
            case nn.Linear():
                shape = shape or (each.in_features,)
                maps.append(Dense(weight=_array(each.weight), bias=None if each.bias is None else _array(each.bias)))
            case nn.Conv2d():
                (stride, _), padding = each.stride, int(each.padding[0])
                bias = None if each.bias is None else _array(each.bias)
                maps.append(
                    Conv2d(weight=_array(each.weight), bias=bias, stride=(stride, stride), padding=(padding, padding))
                )
            case nn.AvgPool2d():
                size = int(each.kernel_size)  # type: ignore[arg-type]
                pool = AvgPool2d if each.divisor_override is None else SumPool2d
                maps.append(pool(kernel=(size, size), stride=(size, size)))
    return shape or (), maps


def _array(tensor: Tensor) -> Floats:
    values: Floats = tensor.detach().double().cpu().numpy()
    return values
