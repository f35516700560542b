"""snnTorch modules to networks, and networks back to snnTorch modules.

A network is read from the pairs ``nn.Linear``, spiking neuron that a module consists of, in the order in which they
were defined: a plain ``nn.Sequential``, a class of the user's own, or the module that our training makes. A neuron
part names its snnTorch class and has fields named like that class's arguments, so nothing here knows any particular
neuron.

The way back, :func:`to_snntorch`, makes snnTorch itself the judge of any network, trained or mapped.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import snntorch
import torch
from torch import nn

from snn2circuit.errors import NetworkError
from snn2circuit.ir.network import Activity, Layer, Network
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.parts import Neuron

# Settings that change what a snnTorch neuron does and that no part here models, with the value that leaves it alone.
_PLAIN: Mapping[str, object] = {
    "inhibition": False,
    "state_quant": False,
    "reset_delay": True,
    "graded_spikes_factor": 1.0,
}
_CLAMPED = ("alpha", "beta")
_PASSIVE = (nn.Flatten, nn.Identity, nn.Dropout)


def from_snntorch(
    module: nn.Module, *, neurons: Mapping[str, type[Neuron]], name: str, steps: int, dataset: str = ""
) -> Network:
    """Read a trained module.

    Args:
        module: alternating ``nn.Linear`` and snnTorch neurons, nested as deep as you like.
        neurons: the neuron parts to choose from.
        name: of the network.
        steps: time steps a sample is presented for.
        dataset: the dataset it was trained on, if it is one of ours.

    Raises:
        NetworkError: the module holds something no network here can be; the text names the layer and the reason.
    """
    layers: list[Layer] = []
    linear: nn.Linear | None = None
    for path, child in _leaves(module):
        if isinstance(child, _PASSIVE):
            continue
        if isinstance(child, nn.Linear):
            if linear is not None:
                raise NetworkError(f"{path} follows another Linear; a neuron has to stand between two linear maps")
            linear = child
        elif isinstance(child, snntorch.SpikingNeuron):
            if linear is None:
                raise NetworkError(f"{path} ({type(child).__name__}) has no nn.Linear before it")
            layers.append(_layer(path, linear, child, neurons))
            linear = None
        else:
            raise NetworkError(
                f"{path} is a {type(child).__name__}; only nn.Linear and snnTorch neurons become circuits "
                f"({', '.join(each.__name__ for each in _PASSIVE)} are passed over)"
            )
    if linear is not None:
        raise NetworkError("the last Linear has no neuron after it; add one, every output of a circuit is a neuron")
    if not layers:
        raise NetworkError("the module holds no layer: no nn.Linear followed by a snnTorch neuron")
    return Network(name=name, layers=tuple(layers), steps=steps, dataset=dataset)


def to_snntorch(network: Network, *, dtype: torch.dtype = torch.float64) -> nn.ModuleList:
    """The network as snnTorch modules, ``Linear`` and neuron in turn; beta and threshold stay the float32 they are."""
    modules = nn.ModuleList()
    for layer in network.layers:
        linear = nn.Linear(layer.inputs, layer.outputs, bias=layer.bias is not None, dtype=dtype)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(np.array(layer.weight)))
            if layer.bias is not None:
                linear.bias.copy_(torch.from_numpy(np.array(layer.bias)))
        cls = getattr(snntorch, layer.neuron.snntorch)
        modules.extend([linear, cls(**_arguments(layer.neuron, cls)).to(dtype)])
    return modules


def run_snntorch(network: Network, inputs: Floats) -> Activity:
    """What snnTorch makes of ``inputs`` ``(samples, steps, inputs)``, in float64."""
    modules = to_snntorch(network)
    signal = torch.from_numpy(np.array(inputs, dtype=np.float64)).transpose(0, 1)
    membranes, spikes = [], []
    with torch.no_grad():
        for linear, neuron in zip(modules[::2], modules[1::2], strict=True):
            state: tuple[torch.Tensor, ...] = ()
            fired, held = [], []
            for current in linear(signal):
                spike, *rest = neuron(current, *state)
                state = tuple(rest)
                fired.append(spike)
                held.append(state[-1])
            # snnTorch gives spikes as float32 whatever the membrane is.
            signal = torch.stack(fired).double()
            spikes.append(signal.transpose(0, 1).numpy() > 0)
            membranes.append(torch.stack(held).transpose(0, 1).numpy())
    return Activity(membranes=tuple(membranes), spikes=tuple(spikes))


def _leaves(module: nn.Module, path: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Modules without children, and neurons whole, in the order of their definition, with their path."""
    if isinstance(module, snntorch.SpikingNeuron) or not list(module.children()):
        yield path or "the module", module
        return
    for name, child in module.named_children():
        yield from _leaves(child, f"{path}.{name}" if path else name)


def _layer(path: str, linear: nn.Linear, neuron: nn.Module, neurons: Mapping[str, type[Neuron]]) -> Layer:
    part = next((each for each in neurons.values() if each.snntorch == type(neuron).__name__), None)
    if part is None:
        raise NetworkError(
            f"{path}: no circuit for snnTorch's {type(neuron).__name__}; there are circuits for "
            f"{', '.join(each.snntorch for each in neurons.values())}"
        )
    for setting, plain in _PLAIN.items():
        value = getattr(neuron, setting, plain)
        if (_scalar(path, setting, value) if isinstance(value, torch.Tensor) else value) != plain:
            raise NetworkError(
                f"{path}: {setting} is {value}; the circuit does what snnTorch does for {setting} = {plain} only"
            )
    accepted = inspect.signature(getattr(snntorch, part.snntorch)).parameters
    values: dict[str, Any] = {}
    for field in dataclasses.fields(part):  # type: ignore[arg-type]
        if field.name in accepted:
            value = getattr(neuron, field.name)
            values[field.name] = _scalar(path, field.name, value) if isinstance(value, torch.Tensor) else value
    return Layer(
        weight=linear.weight.detach().double().cpu().numpy(),
        bias=None if linear.bias is None else linear.bias.detach().double().cpu().numpy(),
        neuron=part(**values),
    )


def _scalar(path: str, name: str, value: torch.Tensor) -> float:
    if value.numel() != 1:
        raise NetworkError(
            f"{path}: {name} has {value.numel()} values, one per neuron; a layer's neurons share one {name} here"
        )
    number = float(value.detach().reshape(()))
    # snnTorch clamps the decays in every forward pass, whatever training has made of them.
    return min(max(number, 0.0), 1.0) if name in _CLAMPED else number


def _arguments(neuron: Neuron, cls: type) -> dict[str, Any]:
    accepted = inspect.signature(cls).parameters
    fields = dataclasses.fields(neuron)  # type: ignore[arg-type]
    return {field.name: getattr(neuron, field.name) for field in fields if field.name in accepted}
