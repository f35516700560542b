"""The network while it is trained: an ordinary snnTorch module, run layer by layer.

A :class:`SpikingNet` has the children ``fc1, lif1, fc2, lif2, ...``, each ``fc`` a ``torch.nn.Linear`` and each ``lif``
the snnTorch neuron that a neuron part names, so its ``state_dict`` loads into any module with the same names.

Two facts make it faster than the usual loop over steps without changing a result beyond rounding. A constant input
gives the first layer the same current in every step, so the first product is computed once. And a feed-forward layer
needs nothing from the layers after it, so each later layer computes the products of all steps at once.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Sequence

import snntorch
import torch
from torch import Tensor, nn

from snn2circuit.errors import NetworkError
from snn2circuit.ir.parts import Neuron

Surrogate = Callable[[Tensor], Tensor]


class SpikingNet(nn.Module):
    """Fully connected layers, each followed by its snnTorch neurons."""

    def __init__(
        self,
        sizes: Sequence[int],
        neurons: Sequence[Neuron],
        *,
        steps: int,
        bias: bool = True,
        surrogate: Surrogate | None = None,
    ) -> None:
        """Build the layers with PyTorch's default initial weights, drawn from the global generator.

        Args:
            sizes: number of inputs, then of the neurons of each layer, e.g. ``(64, 32, 10)``.
            neurons: the neuron of each layer.
            steps: time steps that a constant input is presented for.
            bias: whether the layers have a bias.
            surrogate: gradient of a spike; None is snnTorch's default, ``atan``.

        Raises:
            NetworkError: sizes and neurons do not fit, or snnTorch has no such neuron.
        """
        super().__init__()
        if len(neurons) != len(sizes) - 1 or min(sizes, default=0) < 1 or len(sizes) < 2:
            raise NetworkError(
                f"sizes {tuple(sizes)} need {max(len(sizes) - 1, 1)} neurons and sizes >= 1; got {len(neurons)}"
            )
        self.steps = steps
        for number, (inputs, outputs, neuron) in enumerate(zip(sizes, sizes[1:], neurons, strict=False), start=1):
            self.add_module(f"fc{number}", nn.Linear(inputs, outputs, bias=bias))
            self.add_module(f"lif{number}", build_neuron(neuron, surrogate))

    def layers(self) -> Iterator[tuple[nn.Linear, nn.Module]]:
        """The pairs of linear map and neuron, in order."""
        children = list(self.children())
        for linear, neuron in zip(children[::2], children[1::2], strict=True):
            if not isinstance(linear, nn.Linear):
                raise NetworkError(f"layers must alternate Linear and neuron; found {type(linear).__name__}")
            yield linear, neuron

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Present ``inputs`` and return the output layer's spikes and membranes, each ``(steps, samples, outputs)``.

        Args:
            inputs: ``(samples, inputs)`` is held constant for ``steps`` steps; ``(steps, samples, inputs)`` varies.
        """
        signal, membranes = inputs, inputs
        for linear, neuron in self.layers():
            current = linear(signal)
            if current.ndim == 2:
                current = current.expand(self.steps, *current.shape)
            signal, membranes = run_neuron(neuron, current)
        return signal, membranes


def build_neuron(part: Neuron, surrogate: Surrogate | None = None) -> nn.Module:
    """The snnTorch module of a neuron part: its class by name, its arguments from the part's fields of the same name.

    Raises:
        NetworkError: snnTorch has no class of that name.
    """
    cls = getattr(snntorch, part.snntorch, None)
    if cls is None or not dataclasses.is_dataclass(part):
        raise NetworkError(f"snntorch has no neuron {part.snntorch!r}, which the part {type(part).__name__} names")
    accepted = inspect.signature(cls).parameters
    fields = {field.name: getattr(part, field.name) for field in dataclasses.fields(part) if field.name in accepted}
    module: nn.Module = cls(**fields, spike_grad=surrogate)
    return module


def run_neuron(neuron: nn.Module, currents: Tensor) -> tuple[Tensor, Tensor]:
    """Spikes and membranes of a snnTorch neuron that starts at rest, each of the shape of ``currents``."""
    neuron.reset_mem()  # type: ignore[operator]
    spikes, membranes = [], []
    state: tuple[Tensor, ...] = ()
    for current in currents:
        spike, *rest = neuron(current, *state)
        state = tuple(rest)
        spikes.append(spike)
        membranes.append(state[-1])
    # Without this the module would hold on to the graph of its last batch, and could not be copied.
    neuron.reset_mem()  # type: ignore[operator]
    return torch.stack(spikes), torch.stack(membranes)
