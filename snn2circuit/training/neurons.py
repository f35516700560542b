"""The snnTorch module that trains a neuron part, and the part with what was learnt.

A part names its snnTorch class, which alone knows gradients. So the two are run side by side: a part that acts
otherwise would be trained as another neuron than it is, and is refused before that.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import snntorch
import torch
from torch import Tensor, nn

from snn2circuit.errors import NetworkError
from snn2circuit.ir.parts import Neuron
from snn2circuit.ir.per_neuron import neuron_at, varying
from snn2circuit.ir.probe import first_difference, probe_drive

Surrogate = Callable[[Tensor], Tensor]


def build_neuron(part: Neuron, surrogate: Surrogate | None = None, **learn: bool) -> nn.Module:
    """The snnTorch module of a neuron part: its class by name, its arguments from the part's fields of the same name.

    Args:
        part: the neuron.
        surrogate: gradient of a spike; None is snnTorch's default.
        learn: ``learn_beta``, ``learn_threshold``: what is trained besides the weights.

    Raises:
        NetworkError: snnTorch has no class of that name, or it cannot learn that.
    """
    name = type(part).__name__
    cls = getattr(snntorch, part.snntorch, None)
    if not dataclasses.is_dataclass(part) or not isinstance(cls, type) or not issubclass(cls, snntorch.SpikingNeuron):
        raise NetworkError(f"snntorch has no neuron {part.snntorch!r}, which the part {name} names")
    accepted = inspect.signature(cls).parameters
    first = neuron_at(part, 0)
    fields = {field.name: getattr(first, field.name) for field in dataclasses.fields(part) if field.name in accepted}
    wanted = {name: True for name, value in learn.items() if value}
    if wanted.get("learn_beta") and "beta" not in fields:
        raise NetworkError(
            f"beta of a {part.snntorch} neuron cannot be learnt: snnTorch computes C from it once, when the neuron is "
            "made, and a trained beta would change nothing; switch learn_beta off for this layer"
        )
    if wanted.get("learn_threshold") and "threshold" not in fields:
        raise NetworkError(f"{name} has no field threshold that could be learnt; switch learn_threshold off")
    try:
        module: nn.Module = cls(**fields, **wanted, spike_grad=surrogate)
    except (TypeError, ValueError) as error:
        raise NetworkError(
            f"snnTorch's {part.snntorch}, which the part {name} names, cannot be made from its fields "
            f"{', '.join(fields) or 'of the same names, of which there are none'}: {error}"
        ) from error
    # Set afterwards, because not every class of snnTorch takes a value for each neuron when it is made.
    for field, numbers in varying(part).items():
        values = torch.tensor(numbers, dtype=torch.float32)
        setattr(module, field, nn.Parameter(values) if isinstance(getattr(module, field), nn.Parameter) else values)
    return module


def check_behaviour(part: Neuron, module: nn.Module) -> None:
    """Refuse a part that acts otherwise than the module that trains it.

    Raises:
        NetworkError: with the first step in which they differ, and both membranes.
    """
    drive = probe_drive(part.threshold)
    # A neuron that has run keeps tensors of its graph, which torch refuses to copy; detached ones take their place.
    held = [each for each in (*vars(module).values(), *module.parameters(), *module.buffers()) if torch.is_tensor(each)]
    memo: dict[int, Any] = {id(tensor): tensor.detach().clone() for tensor in held}
    twin: Any = copy.deepcopy(module, memo).double().cpu()
    twin.reset_mem()
    membranes, spikes = [], []
    try:
        with torch.no_grad():
            for current in torch.from_numpy(drive):
                spikes.append(twin(current)[0])
                membranes.append(twin.mem.clone())
    except (TypeError, RuntimeError, ValueError) as error:
        raise NetworkError(
            f"snnTorch's {part.snntorch} does not run on one current a step, as layers here are: {error}"
        ) from error
    found = first_difference(part, drive, torch.stack(membranes).numpy(), torch.stack(spikes).numpy() > 0)
    if found is not None:
        raise NetworkError(
            f"{type(part).__name__} names snnTorch's {part.snntorch} as its update, but acts otherwise: {found}. "
            f"Training would train another neuron: name the class whose update advance() performs, or mend advance()"
        )


def learnt_part(part: Neuron, module: nn.Module, *names: str) -> Neuron:
    """``part`` with the fields ``names`` as training left them in ``module``, and every other field its own.

    Raises:
        NetworkError: the part refuses these values, or acts otherwise with them than the module does.
    """
    # snnTorch clamps the decay in every forward pass, whatever training has made of it.
    values = {name: tuple(getattr(module, name).detach().flatten().tolist()) for name in names}
    if "beta" in values:
        values["beta"] = tuple(min(max(beta, 0.0), 1.0) for beta in values["beta"])
    if values:
        own = {name: each[0] if len(each) == 1 else each for name, each in values.items()}
        part = dataclasses.replace(part, **own)  # type: ignore[type-var]
        check_behaviour(part, module)
    return part
