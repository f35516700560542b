"""The ``state_dict`` of a network's snnTorch modules, as a file that can be read back.

A ``state_dict`` has weights, and neither neurons, nor shapes, nor steps. Torch keeps a table of versions beside the
tensors, ``_metadata``, which ``torch.load(..., weights_only=True)`` reads and ``load_state_dict`` asks for the names of
modules only. Our note lies there as one more entry of text, so that the tensors and their names stay the plain ones of
``nn.Sequential(*to_snntorch(network))``. The numbers always come from the tensors; the note says what they belong to.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from torch import Tensor

from snn2circuit.errors import FileFormatError, NetworkError, Snn2CircuitError
from snn2circuit.frontends import annotation
from snn2circuit.frontends.imported import Imported
from snn2circuit.frontends.snntorch import exact_dtype, to_snntorch
from snn2circuit.ir.layer import AnyLayer, ConvLayer, make_layer
from snn2circuit.ir.linear import AvgPool2d, Conv2d, Dense, Map, Scale, SumPool2d
from snn2circuit.ir.network import Network
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.parts import Neuron

_MAPS: Mapping[str, Callable[..., Map]] = {each.__name__: each for each in (Dense, Conv2d, AvgPool2d, SumPool2d)}
_GEOMETRY = ("kernel", "stride", "padding", "dilation", "groups")
_ARRAYS = ("weight", "bias")


def state_of(network: Network) -> OrderedDict[str, Tensor]:
    """The annotated ``state_dict`` of ``network``, in float32 if that holds every weight."""
    state: OrderedDict[str, Tensor] = to_snntorch(network, dtype=exact_dtype(network)).state_dict()  # type: ignore[assignment]
    layers = []
    for index, layer in enumerate(network.layers):
        shape, maps = _written(layer)
        keys = (key for key in list(state) if key.startswith(f"{2 * index}."))
        layers.append(
            {
                "neuron": annotation.describe_neuron(layer.neuron),
                "shape": shape,
                "maps": [_describe_map(each, keys) for each in maps],
            }
        )
    note = {"protocol": annotation.describe_protocol(network), "layers": layers}
    state._metadata[annotation.KEY] = {"network": json.dumps(note, sort_keys=True)}  # type: ignore[attr-defined]
    return state


def read_state(
    state: Mapping[str, Tensor], *, neurons: Mapping[str, type[Neuron]], name: str, steps: int | None = None
) -> Imported:
    """The network of a ``state_dict`` that :func:`state_of` made.

    Args:
        state: the tensors, with their table of versions.
        neurons: the neuron parts to choose from.
        name: of the network, if the note does not say.
        steps: time steps a sample is presented for; ``None`` takes what the note says.

    Raises:
        FileFormatError: there is no note, or it and the tensors contradict each other; the text names the tensor.
        NetworkError: it holds a network that cannot be one here.
    """
    table = getattr(state, "_metadata", None)
    entry = table.get(annotation.KEY) if isinstance(table, dict) else None
    if not isinstance(entry, dict) or "network" not in entry:
        raise FileFormatError(
            "a state_dict has weights but no neurons. Load it into its module and call "
            "snn2circuit.from_snntorch(module, name=..., steps=...); only what `export` wrote says the rest itself"
        )
    try:
        note = annotation.read_note("the state_dict", entry["network"])
        layers = [_layer(state, index, each, neurons) for index, each in enumerate(note["layers"])]
        protocol = annotation.read_protocol(note["protocol"], name, steps)
        return Imported(network=Network(layers=tuple(layers), **protocol))
    except Snn2CircuitError:
        raise
    except Exception as error:
        # The note is anybody's: its values may be of any type and lie anywhere.
        raise FileFormatError(f"its annotation is damaged: {type(error).__name__}: {error}") from error


def _written(layer: AnyLayer) -> tuple[tuple[int, ...], tuple[Map, ...]]:
    """The shape and the maps as which ``to_snntorch`` writes a layer: a chain that scales becomes one matrix."""
    if isinstance(layer, ConvLayer) and not any(isinstance(each, Scale) for each in layer.maps):
        return layer.shape, layer.maps
    return (layer.inputs,), (Dense(weight=layer.weight, bias=layer.bias),)


def _describe_map(one: Map, keys: Iterator[str]) -> dict[str, Any]:
    """A map's class and geometry, and which tensors hold its arrays: the next ones of ``keys``."""
    arrays = [name for name in _ARRAYS if getattr(one, name, None) is not None]
    geometry = {name: getattr(one, name) for name in _GEOMETRY if hasattr(one, name)}
    return {"kind": type(one).__name__, **geometry, "arrays": dict(zip(arrays, keys, strict=False))}


def _layer(
    state: Mapping[str, Tensor], index: int, note: Mapping[str, Any], neurons: Mapping[str, type[Neuron]]
) -> AnyLayer:
    neuron = annotation.read_neuron(note["neuron"], neurons)
    for field, value in note["neuron"].items():
        key = f"{2 * index + 1}.{field}"
        if key in state and not np.array_equal(_array(state, key), np.float32(value)):
            raise FileFormatError(
                f"its annotation says {field} = {value} for layer {index + 1}, the tensor {key} says "
                f"{_array(state, key).tolist()!s:.40}; was the file changed? Load it into its module and call "
                "snn2circuit.from_snntorch"
            )
    maps = []
    for each in note["maps"]:
        cls = _MAPS[each["kind"]]
        geometry = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in each.items()
            if name in _GEOMETRY
        }
        arrays = {name: _array(state, key) for name, key in each["arrays"].items()}
        maps.append(cls(**arrays, **geometry))
    try:
        return make_layer(tuple(note["shape"]), maps, neuron)
    except NetworkError as error:
        raise NetworkError(f"layer {index + 1}: {error}") from error


def _array(state: Mapping[str, Tensor], key: str) -> Floats:
    if key not in state:
        raise FileFormatError(f"the tensor {key!r:.60} that its annotation names is not there")
    tensor = state[key]
    if tensor.is_complex() or tensor.is_sparse or tensor.is_quantized:
        raise FileFormatError(f"the tensor {key} does not hold plain numbers")
    values: Floats = tensor.detach().double().numpy()
    return values
