"""snnTorch neurons to neuron parts.

A neuron part names its snnTorch class and has fields named like that class's arguments, so nothing here knows any
particular neuron. Settings are read, but behaviour decides: each neuron is run for a few steps beside the part it was
read as, and one that acts otherwise (changed after it was made, overridden, replaced) is refused.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import snntorch
import torch
from torch import Tensor, nn

from snn2circuit.errors import NetworkError
from snn2circuit.ir.linear import Shape
from snn2circuit.ir.parts import Neuron
from snn2circuit.ir.probe import first_difference, probe_drive

# Settings of an snnTorch neuron that no part models, the value at which they do nothing, and the way out.
_PLAIN: Mapping[str, tuple[object, str]] = {
    "inhibition": (False, "train without it, and let the readout choose the winner"),
    "state_quant": (False, "train without it; levels of devices are the mapping's business"),
    "reset_delay": (True, "train with reset_delay=True, snnTorch's default"),
}
_REASONS: Mapping[str, str] = {
    "RLeaky": "recurrence cannot be imported yet; train with snntorch.Leaky",
    "RSynaptic": "recurrence cannot be imported yet; train with snntorch.Synaptic",
    "SLSTM": "a long short-term memory multiplies signals, which no crossbar does; train with snntorch.Leaky",
    "SConv2dLSTM": "a long short-term memory multiplies signals, which no crossbar does; train with snntorch.Leaky",
    "LeakyParallel": "it is a recurrent network of rectifiers; train with snntorch.Leaky",
}
_CLAMPED = ("alpha", "beta")
_STATES = ("mem", "syn", "syn_exc", "syn_inh")


def find_part(path: str, neuron: nn.Module, neurons: Mapping[str, type[Neuron]]) -> type[Neuron]:
    """The neuron part that models the class of ``neuron``.

    Raises:
        NetworkError: there is none; the text says why and what to do.
    """
    name = type(neuron).__name__
    cls = next((each for each in neurons.values() if each.snntorch == name), None)
    if cls is None or type(neuron) is not getattr(snntorch, name, None):
        known = ", ".join(each.snntorch for each in neurons.values())
        own = next((each.__name__ for each in type(neuron).__mro__[1:] if each.__name__ in known.split(", ")), "")
        reason = f": {_REASONS[name]}" if name in _REASONS else ""
        reason = f": a subclass may do anything; use snntorch.{own} itself" if own and not reason else reason
        raise NetworkError(
            f"{path}: no circuit for {type(neuron).__module__}.{name}{reason}; "
            f"there are circuits for snnTorch's {known}"
        )
    for setting, (plain, way_out) in _PLAIN.items():
        if (value := getattr(neuron, setting, plain)) != plain:
            raise NetworkError(f"{path}: {setting} is {value}; no circuit does that, {way_out}")
    return cls


def read_neuron(
    path: str, neuron: nn.Module, shape: Shape, neurons: Mapping[str, type[Neuron]], circuit: Mapping[str, float]
) -> Neuron:
    """The part that spikes as ``neuron`` does.

    Args:
        path: the neuron's name in messages.
        neuron: of snnTorch.
        shape: of the layer, to which parameters of their own for each neuron are broadcast.
        neurons: the parts to choose from.
        circuit: values of the part's fields that snnTorch knows nothing of.

    Raises:
        NetworkError: there is no such part, or it behaves otherwise.
    """
    cls = find_part(path, neuron, neurons)
    shared = shared_fields(cls, type(neuron))
    known = {field.name for field in dataclasses.fields(cls)} - set(shared)  # type: ignore[arg-type]
    if unknown := sorted(set(circuit) - known):
        raise NetworkError(f"{path}: {cls.__name__} has no circuit value {unknown[0]!r}; it has {', '.join(known)}")
    values: dict[str, Any] = {field: _read_value(path, neuron, field, shape) for field in shared}
    try:
        part = cls(**values, **circuit)
    except NetworkError as error:
        raise NetworkError(f"{path}: {error}") from error
    _check_behaviour(path, neuron, part, shape)
    return part


def graded_factor(neuron: nn.Module) -> Tensor:
    """What a spike of ``neuron`` counts for."""
    return torch.as_tensor(getattr(neuron, "graded_spikes_factor", 1.0)).detach().double()


def forget(neuron: nn.Module) -> None:
    """Bring ``neuron`` to rest, whatever it has run on."""
    for name in _STATES:
        if isinstance(getattr(neuron, name, None), Tensor):
            setattr(neuron, name, torch.zeros(0, dtype=torch.float64))


def run_neuron(neuron: nn.Module, currents: Tensor) -> tuple[Tensor, Tensor]:
    """Spikes and membranes of a snnTorch neuron that starts at rest, each of the shape of ``currents``."""
    neuron.reset_mem()  # type: ignore[operator]
    spikes, membranes = [], []
    for current in currents:
        answer = neuron(current)
        spikes.append(answer[0] if isinstance(answer, tuple) else answer)
        membranes.append(neuron.mem.clone())  # type: ignore[operator]
    return torch.stack(spikes), torch.stack(membranes)


def shared_fields(part: type, cls: type) -> list[str]:
    """Fields of a neuron part that are arguments of its snnTorch class."""
    accepted = inspect.signature(cls).parameters
    return [field.name for field in dataclasses.fields(part) if field.name in accepted]


def detached_memo(module: nn.Module) -> dict[int, Any]:
    """What ``copy.deepcopy`` needs to copy a module that has run: torch refuses to copy tensors of a graph."""
    tensors = [
        value
        for each in module.modules()
        for value in (*vars(each).values(), *each._buffers.values())
        if isinstance(value, Tensor) and not value.is_leaf
    ]
    return {id(tensor): tensor.detach().clone() for tensor in tensors}


def _read_value(path: str, neuron: nn.Module, name: str, shape: Shape) -> object:
    """A setting: a number if all neurons share it, else one for each, in the order of the layer's neurons."""
    value = getattr(neuron, name, None)
    if not isinstance(value, Tensor):
        return value
    numbers = value.detach().double().cpu().numpy()
    # snnTorch clamps the decays in every forward pass, whatever training has made of them.
    numbers = np.clip(numbers, 0.0, 1.0) if name in _CLAMPED else numbers
    if numbers.size == 1 or (numbers == numbers.flat[0]).all():
        return float(numbers.flat[0])
    try:
        # A batch of one in front is no dimension of the neurons.
        lead = max(numbers.ndim - len(shape), 0)
        each = np.broadcast_to(numbers.reshape(numbers.shape[lead:]), shape).ravel()
    except ValueError as error:
        raise NetworkError(
            f"{path}: {name} has the shape {numbers.shape}, which does not fit neurons of shape {shape}; "
            "give one value, or one per neuron"
        ) from error
    return tuple(float(number) for number in each)


def _check_behaviour(path: str, neuron: nn.Module, part: Neuron, shape: Shape) -> None:
    """Run a copy of ``neuron`` beside ``part`` on a fixed drive, and refuse it where the two part ways."""
    twin: Any = copy.deepcopy(neuron, detached_memo(neuron)).double().cpu()
    vars(twin).pop("forward", None)  # which tells the recorder of calls
    forget(twin)
    own = any(value.numel() > 1 for value in (*twin.parameters(), *twin.buffers()))
    shape = shape if own else (1,)
    drive = probe_drive(part.threshold)
    drive = np.broadcast_to(drive, (*drive.shape[:2], math.prod(shape)))
    factor = graded_factor(twin)
    membranes, spikes = [], []
    with torch.no_grad():
        for current in drive:
            answer = twin(torch.from_numpy(current.reshape(-1, *shape).copy()))
            fired = (answer[0] if isinstance(answer, tuple) else answer) / factor
            spikes.append(fired.numpy().reshape(current.shape) > 0)
            membranes.append(twin.mem.numpy().reshape(current.shape).copy())
    found = first_difference(part, drive, np.stack(membranes), np.stack(spikes))
    if found is not None:
        raise NetworkError(
            f"{path}: its settings read as {part}, but it behaves otherwise: {found}. Was it changed after it was "
            "made? Make a new one with these settings and load the weights into it"
        )
