"""The network while it is trained: an ordinary snnTorch module, run layer by layer.

A :class:`SpikingNet` has the children ``fc1, lif1, fc2, lif2, ...``, each ``fc`` a ``torch.nn.Linear`` (or the
convolution and pooling that :mod:`snn2circuit.training.maps` builds) and each ``lif`` the snnTorch neuron that a neuron
part names, so its ``state_dict`` loads into any module with the same names.

It runs on one of two engines. ``snntorch`` is the loop that a user of snnTorch writes: every layer in every step.
``fused``, the default, gives the same spikes and gradients up to rounding and rests on three facts. A constant input
gives the first layer the same current in every step, so the first product is computed once. A feed-forward layer needs
nothing from the layers after it, so each later layer computes the products of all steps at once. And the time loop of
a neuron is compiled (:mod:`snn2circuit.training.fused`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from snn2circuit.errors import NetworkError, TrainingError
from snn2circuit.ir.parts import Neuron
from snn2circuit.ir.per_neuron import wrong_count
from snn2circuit.training.fused import run_fused
from snn2circuit.training.maps import apply_map
from snn2circuit.training.neurons import Surrogate, build_neuron
from snn2circuit.training.recipe import ENGINES


class SpikingNet(nn.Module):
    """Linear maps, each followed by its snnTorch neurons."""

    def __init__(
        self,
        sizes: Sequence[int],
        neurons: Sequence[Neuron],
        *,
        steps: int,
        bias: bool = True,
        surrogate: Surrogate | None = None,
        engine: str = "fused",
        learn_beta: bool = False,
        learn_threshold: bool = False,
        maps: Sequence[nn.Module] | None = None,
    ) -> None:
        """Build the layers with PyTorch's default initial weights, drawn from the global generator.

        Args:
            sizes: number of inputs, then of the neurons of each layer, e.g. ``(64, 32, 10)``.
            neurons: the neuron of each layer.
            steps: time steps that a constant input is presented for.
            bias: whether the layers have a bias.
            surrogate: gradient of a spike; None is snnTorch's default, ``atan``.
            engine: what runs the time loop, one of :data:`ENGINES`.
            learn_beta: whether each layer's ``beta`` is trained too.
            learn_threshold: whether each layer's threshold is trained too.
            maps: instead of ``sizes``, which is empty then, the map of each layer, from vectors to vectors.

        Raises:
            NetworkError: sizes and neurons do not fit, snnTorch has no such neuron, or it cannot learn what it should.
            TrainingError: there is no such engine.
        """
        super().__init__()
        if maps is None:
            if len(neurons) != len(sizes) - 1 or min(sizes, default=0) < 1 or len(sizes) < 2:
                raise NetworkError(
                    f"sizes {tuple(sizes)} need {max(len(sizes) - 1, 1)} neurons and sizes >= 1; got {len(neurons)}"
                )
            for number, (neuron, outputs) in enumerate(zip(neurons, sizes[1:], strict=True), start=1):
                if wrong := wrong_count(neuron, outputs):
                    raise NetworkError(f"layer {number}: {wrong}")
            maps = [nn.Linear(inputs, outputs, bias=bias) for inputs, outputs in itertools.pairwise(sizes)]
        elif sizes or len(maps) != len(neurons) or not maps:
            raise NetworkError(f"{len(maps)} maps need as many neurons and no sizes; got {len(neurons)} and {sizes}")
        if engine not in ENGINES:
            raise TrainingError(f"engine is {engine!r}; allowed: {', '.join(ENGINES)}")
        self.steps = steps
        self.engine = engine
        learn = {"learn_beta": learn_beta, "learn_threshold": learn_threshold}
        for number, (one, neuron) in enumerate(zip(maps, neurons, strict=True), start=1):
            self.add_module(f"fc{number}", one)
            try:
                self.add_module(f"lif{number}", build_neuron(neuron, surrogate, **learn))
            except NetworkError as error:
                raise NetworkError(f"layer {number}: {error}") from error

    def layers(self) -> Iterator[tuple[nn.Module, nn.Module]]:
        """The pairs of linear map and neuron, in order."""
        children = list(self.children())
        yield from zip(children[::2], children[1::2], strict=True)

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Present ``inputs`` and return the output layer's spikes and membranes, each ``(steps, samples, outputs)``.

        Args:
            inputs: ``(samples, inputs)`` is held constant for ``steps`` steps; ``(steps, samples, inputs)`` varies.
        """
        return self._fused(inputs) if self.engine == "fused" and not self._watched() else self._loop(inputs)

    def _watched(self) -> bool:
        """Whether someone wants to see every call of a neuron, which the fused engine does not make."""
        return any(neuron._forward_hooks or neuron._forward_pre_hooks for _, neuron in self.layers())

    def _fused(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Layer by layer, each through all steps at once."""
        constant = inputs.ndim == 2
        steps = self.steps if constant else len(inputs)
        layers = list(self.layers())
        signal, membranes = inputs, None
        for number, (linear, neuron) in enumerate(layers):
            current = linear(signal) if number == 0 and constant else apply_map(linear, signal, spikes=number > 0)
            last = number == len(layers) - 1
            signal, membranes = run_fused(neuron, current, steps, constant=constant and number == 0, membranes=last)
        return signal, cast("Tensor", membranes)

    def _loop(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Step by step, each through all layers, as snnTorch's tutorials do."""
        layers = list(self.layers())
        states: list[tuple[Tensor, ...]] = [() for _ in layers]
        spikes, membranes = [], []
        for step in inputs.expand(self.steps, *inputs.shape) if inputs.ndim == 2 else inputs:
            signal = step
            for index, (linear, neuron) in enumerate(layers):
                signal, *state = neuron(linear(signal), *states[index])
                states[index] = tuple(state)
            spikes.append(signal)
            membranes.append(states[-1][-1])
        # Without this the modules would hold on to the graph of the last batch, and could not be copied.
        for _, neuron in layers:
            neuron.reset_mem()  # type: ignore[operator]
        return torch.stack(spikes), torch.stack(membranes)
