"""snnTorch modules to networks, and networks back to snnTorch modules.

A network is read from the pairs ``nn.Linear``, spiking neuron that a module consists of, in the order in which they
were defined: a plain ``nn.Sequential``, a class of the user's own, or the module that our training makes. A neuron
part names its snnTorch class and has fields named like that class's arguments, so nothing here knows any particular
neuron. What a module's own ``forward`` does between its children cannot be read; it has to be the plain chain.

Settings are read, but behaviour decides: each neuron is run for a few steps beside the part it was read as, and a
module that acts otherwise (changed after it was made, overridden, replaced) is refused.

The way back, :func:`to_snntorch`, makes snnTorch itself the judge of any network, trained or mapped.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import snntorch
import torch
from torch import Tensor, nn

from snn2circuit.errors import NetworkError
from snn2circuit.ir.network import Activity, Layer, Network
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.parts import Neuron, fires

# Settings of an snnTorch neuron that no part models, and the value at which they do nothing.
_PLAIN: Mapping[str, object] = {
    "inhibition": False,
    "state_quant": False,
    "reset_delay": True,
    "graded_spikes_factor": 1.0,
}
_CLAMPED = ("alpha", "beta")
_PASSIVE = (nn.Flatten, nn.Identity, nn.Dropout)
_PROBE_STEPS = 40
_PROBE_SCALES = (0.3, 0.7, 1.1, 2.3)  # drives in thresholds: never, seldom, often and nearly always spiking
_PROBE_TOLERANCE = 1e-6  # in thresholds; rounding of beta or threshold to float32 stays far below


def from_snntorch(
    module: nn.Module,
    *,
    neurons: Mapping[str, type[Neuron]],
    name: str,
    steps: int,
    dataset: str = "",
    circuit: Mapping[str, float] | None = None,
) -> Network:
    """Read a trained module.

    Args:
        module: alternating ``nn.Linear`` and snnTorch neurons, nested as deep as you like.
        neurons: the neuron parts to choose from.
        name: of the network.
        steps: time steps a sample is presented for.
        dataset: the dataset it was trained on, if it is one of ours.
        circuit: values for fields of the neuron parts that snnTorch knows nothing of, e.g. ``capacitance``.

    Raises:
        NetworkError: the module holds something no network here can be; the text names the layer and the reason.
    """
    layers: list[Layer] = []
    seen: set[int] = set()
    linear: nn.Linear | None = None
    for path, child in _leaves(module):
        if type(child) in _PASSIVE:
            continue
        if type(child) is nn.Linear:
            if linear is not None:
                raise NetworkError(f"{path} follows another Linear; a neuron has to stand between two linear maps")
            linear = child
        elif isinstance(child, snntorch.SpikingNeuron):
            if linear is None:
                raise NetworkError(f"{path} ({type(child).__name__}) has no nn.Linear before it")
            if id(child) in seen:
                raise NetworkError(
                    f"{path} is the same neuron module as an earlier one; each layer needs its own state"
                )
            seen.add(id(child))
            neuron = _read_neuron(path, child, neurons, circuit or {})
            bias = None if linear.bias is None else _array(linear.bias)
            layers.append(Layer(weight=_array(linear.weight), bias=bias, neuron=neuron))
            linear = None
        else:
            raise NetworkError(
                f"{path} is a {type(child).__name__}; only nn.Linear and snnTorch neurons become circuits "
                f"({', '.join(each.__name__ for each in _PASSIVE)} are passed over)"
            )
    if linear is not None:
        raise NetworkError("the last Linear has no neuron after it; add one, every output of a circuit is a neuron")
    if not layers:
        raise NetworkError("the module holds no layer: no nn.Linear followed by an snnTorch neuron")
    return Network(name=name, layers=tuple(layers), steps=steps, dataset=dataset)


def to_snntorch(network: Network, *, dtype: torch.dtype = torch.float64) -> nn.ModuleList:
    """The network as snnTorch modules, ``Linear`` and neuron in turn; beta and threshold stay the float32 they are."""
    modules = nn.ModuleList()
    for layer in network.layers:
        # Filled below; drawing initial weights would disturb the caller's random numbers.
        linear = nn.Linear(layer.inputs, layer.outputs, bias=layer.bias is not None, dtype=dtype, device="meta")
        linear.to_empty(device="cpu")
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(np.array(layer.weight)))
            if layer.bias is not None:
                linear.bias.copy_(torch.from_numpy(np.array(layer.bias)))
        cls = getattr(snntorch, layer.neuron.snntorch)
        fields = _shared_fields(type(layer.neuron), cls)
        modules.extend([linear, cls(**{field: getattr(layer.neuron, field) for field in fields}).to(dtype)])
    return modules


def run_snntorch(network: Network, inputs: Floats) -> Activity:
    """What snnTorch itself makes of ``inputs`` ``(samples, steps, inputs)``, in float64.

    Raises:
        NetworkError: the inputs have another shape.
    """
    inputs = np.array(inputs, dtype=np.float64)
    if inputs.ndim != 3 or inputs.shape[2] != network.sizes[0]:
        raise NetworkError(f"inputs have shape {inputs.shape}; the network takes (samples, steps, {network.sizes[0]})")
    modules = to_snntorch(network)
    signal = torch.from_numpy(inputs).transpose(0, 1)
    membranes, spikes = [], []
    with torch.no_grad():
        for linear, neuron in zip(modules[::2], modules[1::2], strict=True):
            fired, held = _run_neuron(neuron, linear(signal))
            # snnTorch's surrogate gives float32 spikes whatever the membrane is.
            signal = fired.to(torch.float64)
            spikes.append(fired.transpose(0, 1).numpy() > 0)
            membranes.append(held.transpose(0, 1).numpy())
    return Activity(membranes=tuple(membranes), spikes=tuple(spikes))


def _leaves(module: nn.Module, path: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Modules without children, and neurons whole, in the order of their definition, with their path."""
    # The module's own dictionary, because `named_children` passes over a module that occurs a second time.
    children = {name: child for name, child in module._modules.items() if child is not None}
    if isinstance(module, snntorch.SpikingNeuron) or not children:
        yield path or "the module", module
        return
    own = [*module._parameters, *module._buffers]
    foreign = type(module).__module__.startswith("torch.") and type(module) not in (nn.Sequential, nn.ModuleList)
    if own or foreign:
        reason = f"has tensors of its own ({', '.join(own)})" if own else "is none of the known containers"
        raise NetworkError(
            f"{path or 'the module'} ({type(module).__name__}) {reason}; only its children could be read"
        )
    for name, child in children.items():
        yield from _leaves(child, f"{path}.{name}" if path else name)


def _read_neuron(
    path: str, neuron: nn.Module, neurons: Mapping[str, type[Neuron]], circuit: Mapping[str, float]
) -> Neuron:
    name = type(neuron).__name__
    cls = next((each for each in neurons.values() if each.snntorch == name), None)
    if cls is None or type(neuron) is not getattr(snntorch, name, None):
        raise NetworkError(
            f"{path}: no circuit for {type(neuron).__module__}.{name}; there are circuits for snnTorch's "
            f"{', '.join(each.snntorch for each in neurons.values())}"
        )
    for setting, plain in _PLAIN.items():
        value = _read_value(path, neuron, setting, plain)
        if value != plain:
            raise NetworkError(
                f"{path}: {setting} is {value}; the circuit does what snnTorch does for {setting} = {plain} only"
            )
    shared = _shared_fields(cls, type(neuron))
    known = {field.name for field in dataclasses.fields(cls)} - set(shared)  # type: ignore[arg-type]
    if unknown := sorted(set(circuit) - known):
        raise NetworkError(f"{path}: {cls.__name__} has no circuit value {unknown[0]!r}; it has {', '.join(known)}")
    values: dict[str, Any] = {field: _read_value(path, neuron, field) for field in shared}
    try:
        part = cls(**values, **circuit)
    except NetworkError as error:
        raise NetworkError(f"{path}: {error}") from error
    _check_behaviour(path, neuron, part)
    return part


def _check_behaviour(path: str, neuron: nn.Module, part: Neuron) -> None:
    """Run a copy of ``neuron`` beside ``part`` on a fixed drive, and refuse it where the two part ways."""
    # A neuron that has run keeps tensors of its graph, which torch refuses to copy; detached ones take their place.
    tensors = [
        value for value in (*vars(neuron).values(), *neuron.parameters(), *neuron.buffers()) if torch.is_tensor(value)
    ]
    memo: dict[int, Any] = {id(tensor): tensor.detach().clone() for tensor in tensors}
    twin = copy.deepcopy(neuron, memo).double().cpu()
    scales = np.array(_PROBE_SCALES)
    swing = 0.6 + 0.5 * np.sin(np.arange(1, _PROBE_STEPS + 1)[:, None] ** 1.5)
    currents = part.threshold * scales * swing
    with torch.no_grad():
        spikes, membranes = (each.numpy() for each in _run_neuron(twin, torch.from_numpy(currents)[:, None]))
    state = part.start((1, len(scales)))
    for step, current in enumerate(currents[:, None]):
        state = part.advance(state, current)
        apart = np.abs(membranes[step] - state[0]).max() / part.threshold
        if not apart <= _PROBE_TOLERANCE or (spikes[step] != fires(part, state[0])).any():
            raise NetworkError(
                f"{path}: its settings read as {part}, but it behaves otherwise: after {step + 1} steps of a test drive"
                f" its membrane is {apart:.3g} thresholds off. Was it changed after it was made? Make it anew"
                " from these settings and load the weights into it"
            )


def _run_neuron(neuron: nn.Module, currents: Tensor) -> tuple[Tensor, Tensor]:
    """Spikes and membranes of a snnTorch neuron that starts at rest, each of the shape of ``currents``."""
    neuron.reset_mem()  # type: ignore[operator]
    spikes, membranes = [], []
    for current in currents:
        answer = neuron(current)
        spikes.append(answer[0] if isinstance(answer, tuple) else answer)
        membranes.append(neuron.mem.clone())  # type: ignore[operator]
    return torch.stack(spikes), torch.stack(membranes)


def _shared_fields(part: type, cls: type) -> list[str]:
    """Fields of a neuron part that are arguments of its snnTorch class."""
    accepted = inspect.signature(cls).parameters
    return [field.name for field in dataclasses.fields(part) if field.name in accepted]


def _read_value(path: str, neuron: nn.Module, name: str, default: object = None) -> object:
    value = getattr(neuron, name, default)
    if not isinstance(value, Tensor):
        return value
    if value.numel() != 1:
        raise NetworkError(
            f"{path}: {name} has {value.numel()} values, one per neuron; a layer's neurons share one {name} here"
        )
    number = float(value.detach().reshape(()))
    # snnTorch clamps the decays in every forward pass, whatever training has made of them.
    return min(max(number, 0.0), 1.0) if name in _CLAMPED else number


def _array(tensor: Tensor) -> Floats:
    array: Floats = tensor.detach().double().cpu().numpy()
    return array
