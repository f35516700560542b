"""snnTorch modules to networks, and networks back to snnTorch modules.

A network is read from the linear modules and spiking neurons that a module consists of, in the order in which they
were defined: a plain ``nn.Sequential``, a class of the user's own, or the module that our training makes. The linear
modules between two neurons (:mod:`snn2circuit.frontends.snntorch_maps`) are one layer's map. A neuron part names its
snnTorch class and has fields named like that class's arguments, so nothing here knows any particular neuron. What a
module's own ``forward`` does between its children cannot be read; it has to be the plain chain.

Settings are read, but behaviour decides: each neuron is run for a few steps beside the part it was read as, and a
module that acts otherwise (changed after it was made, overridden, replaced) is refused.

The way back, :func:`to_snntorch`, makes snnTorch itself the judge of any network, trained or mapped.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import snntorch
import torch
from torch import Tensor, nn

from snn2circuit.errors import NetworkError
from snn2circuit.frontends.snntorch_maps import LINEAR, PASSIVE, SHAPERS, read_map, read_shape, refusal, write_map
from snn2circuit.ir.layer import AnyLayer, make_layer
from snn2circuit.ir.linear import Map, Shape
from snn2circuit.ir.network import Activity, Network
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.parts import Neuron, fires
from snn2circuit.ir.per_neuron import neuron_at, varying

# Settings of an snnTorch neuron that no part models, and the value at which they do nothing.
_PLAIN: Mapping[str, object] = {
    "inhibition": False,
    "state_quant": False,
    "reset_delay": True,
    "graded_spikes_factor": 1.0,
}
_CLAMPED = ("alpha", "beta")
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
    input_shape: Shape | None = None,
) -> Network:
    """Read a trained module.

    Args:
        module: linear modules and snnTorch neurons in turn, nested as deep as you like.
        neurons: the neuron parts to choose from.
        name: of the network.
        steps: time steps a sample is presented for.
        dataset: the dataset it was trained on, if it is one of ours.
        circuit: values for fields of the neuron parts that snnTorch knows nothing of, e.g. ``capacitance``.
        input_shape: shape of one sample, ``(channels, height, width)``, if the module begins with a convolution.

    Raises:
        NetworkError: the module holds something no network here can be; the text names the layer and the reason.
    """
    layers: list[AnyLayer] = []
    seen: set[int] = set()
    maps: list[Map] = []
    # Shape of the signal at the first pending map, and where we are now; None while it is not known.
    start, shape = input_shape, input_shape
    for path, child in _leaves(module):
        if type(child) in PASSIVE:
            continue
        if type(child) in SHAPERS:
            shape = read_shape(path, child, shape)
            start = start if maps else shape
        elif type(child) in LINEAR:
            one, shape = read_map(path, child, shape)
            start = start if maps else shape
            maps.append(one)
            try:
                shape = one.output_shape(shape)
            except NetworkError as error:
                raise NetworkError(f"{path}: {error}") from error
        elif isinstance(child, snntorch.SpikingNeuron):
            if not maps or start is None:
                raise NetworkError(f"{path} ({type(child).__name__}) has no linear module before it")
            if id(child) in seen:
                raise NetworkError(
                    f"{path} is the same neuron module as an earlier one; each layer needs its own state"
                )
            seen.add(id(child))
            layers.append(make_layer(start, maps, _read_neuron(path, child, neurons, circuit or {}, shape or ())))
            maps, start = [], shape
        else:
            raise refusal(path, child)
    if maps:
        raise NetworkError(
            f"the last {type(maps[-1]).__name__} has no neuron after it; add one, every output of a circuit is a neuron"
        )
    if not layers:
        raise NetworkError("the module holds no layer: no linear module followed by an snnTorch neuron")
    return Network(name=name, layers=tuple(layers), steps=steps, dataset=dataset)


def to_snntorch(network: Network, *, dtype: torch.dtype = torch.float64) -> nn.ModuleList:
    """The network as snnTorch modules, map and neuron in turn; beta and threshold stay the float32 they are.

    A map is an ``nn.Linear``, or an ``nn.Sequential`` of convolution and pooling between vectors.
    """
    modules = nn.ModuleList()
    for layer in network.layers:
        cls = getattr(snntorch, layer.neuron.snntorch)
        fields, first = _shared_fields(type(layer.neuron), cls), neuron_at(layer.neuron, 0)
        neuron = cls(**{field: getattr(first, field) for field in fields})
        # Set afterwards, because not every class of snnTorch takes a value for each neuron when it is made.
        for field, values in varying(layer.neuron).items():
            setattr(neuron, field, torch.tensor(values))
        modules.extend([write_map(layer, dtype), neuron.to(dtype)])
    return modules


def exact_dtype(network: Network) -> torch.dtype:
    """``float32`` if it holds every weight, as it does for a network trained in torch; else ``float64``."""
    arrays = (values for layer in network.layers for _, values in layer.arrays())
    return torch.float32 if all(np.array_equal(each, np.float32(each)) for each in arrays) else torch.float64


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
            currents = linear(signal.flatten(0, 1)).unflatten(0, signal.shape[:2])
            fired, held = _run_neuron(neuron, currents)
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
    path: str, neuron: nn.Module, neurons: Mapping[str, type[Neuron]], circuit: Mapping[str, float], shape: Shape
) -> Neuron:
    name = type(neuron).__name__
    cls = next((each for each in neurons.values() if each.snntorch == name), None)
    if cls is None or type(neuron) is not getattr(snntorch, name, None):
        raise NetworkError(
            f"{path}: no circuit for {type(neuron).__module__}.{name}; there are circuits for snnTorch's "
            f"{', '.join(each.snntorch for each in neurons.values())}"
        )
    for setting, plain in _PLAIN.items():
        value = _read_value(path, neuron, setting, shape, plain)
        if value != plain:
            raise NetworkError(
                f"{path}: {setting} is {value}; the circuit does what snnTorch does for {setting} = {plain} only"
            )
    shared = _shared_fields(cls, type(neuron))
    known = {field.name for field in dataclasses.fields(cls)} - set(shared)  # type: ignore[arg-type]
    if unknown := sorted(set(circuit) - known):
        raise NetworkError(f"{path}: {cls.__name__} has no circuit value {unknown[0]!r}; it has {', '.join(known)}")
    values: dict[str, Any] = {field: _read_value(path, neuron, field, shape) for field in shared}
    try:
        part = cls(**values, **circuit)
    except NetworkError as error:
        raise NetworkError(f"{path}: {error}") from error
    alike = all(value.numel() == 1 for value in (getattr(neuron, field) for field in shared) if torch.is_tensor(value))
    _check_behaviour(path, neuron, part, (1,) if alike else shape)
    return part


def _check_behaviour(path: str, neuron: nn.Module, part: Neuron, shape: Shape) -> None:
    """Run a copy of ``neuron`` beside ``part`` on a fixed drive, and refuse it where the two part ways.

    ``shape`` is that of the layer's neurons, or of a single one where all are alike.
    """
    # A neuron that has run keeps tensors of its graph, which torch refuses to copy; detached ones take their place.
    tensors = [
        value for value in (*vars(neuron).values(), *neuron.parameters(), *neuron.buffers()) if torch.is_tensor(value)
    ]
    memo: dict[int, Any] = {id(tensor): tensor.detach().clone() for tensor in tensors}
    twin = copy.deepcopy(neuron, memo).double().cpu()
    scales, threshold = np.array(_PROBE_SCALES)[:, None], np.broadcast_to(part.threshold, (math.prod(shape),))
    swing = 0.6 + 0.5 * np.sin(np.arange(1, _PROBE_STEPS + 1)[:, None, None] ** 1.5)
    currents = threshold * scales * swing
    with torch.no_grad():
        answers = _run_neuron(twin, torch.from_numpy(currents.reshape(*currents.shape[:2], *shape)))
        spikes, membranes = (each.flatten(2).numpy() for each in answers)
    state = part.start(currents.shape[1:])
    for step, current in enumerate(currents):
        state = part.advance(state, current)
        apart = (np.abs(membranes[step] - state[0]) / threshold).max()
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


def _read_value(path: str, neuron: nn.Module, name: str, shape: Shape, default: object = None) -> object:
    """A setting of a layer of neurons of ``shape``: one number, or one for each in the order of the layer's outputs."""
    value = getattr(neuron, name, default)
    if not isinstance(value, Tensor):
        return value
    values = value.detach().cpu().double().numpy()
    # snnTorch clamps the decays in every forward pass, whatever training has made of them.
    values = np.clip(values, 0.0, 1.0) if name in _CLAMPED else values
    if values.size == 1:
        return float(values.reshape(()))
    try:
        each = np.broadcast_to(values.reshape(values.shape[max(values.ndim - len(shape), 0) :]), shape)
    except ValueError:
        raise NetworkError(
            f"{path}: {name} has {values.size} values of shape {values.shape} for neurons of shape {shape}; "
            "it needs one, or one for each"
        ) from None
    return float(each.flat[0]) if (each == each.flat[0]).all() else tuple(each.ravel().tolist())
