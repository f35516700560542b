"""Layers that can never spike, whatever the inputs: wrong units or a wrong time step give such networks.

Below its threshold a neuron is linear, and a reset has not happened yet. So the largest membrane before a first spike
is that of the largest drive, weighed step by step with the response to a single impulse:
``max over t of the sum over k <= t of max(h_k low, h_k high)``. The drive's limits follow from those of the inputs,
which are spikes behind the first layer, map by map in interval arithmetic: exact for one matrix or one convolution, too
large rather than too small for a chain of them. A layer is only told when it cannot spike at all; of one that is too
large to be looked at nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from snn2circuit.ir.layer import AnyLayer, Layer
from snn2circuit.ir.linear import AvgPool2d, Conv2d, Dense, Map, Scale, Shape, SumPool2d
from snn2circuit.ir.network import Network
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.parts import Neuron

MAX_FLOPS = 2e10  # of a layer whose limits are looked at
MAX_STEPS = 100_000  # over which its neurons are followed
MAX_NEURON_STEPS = 1e9
_IMPULSE = 1e-6  # of the threshold
_ROUNDING = 1e-9  # a membrane that meets its threshold but for rounding is not called silent
_LINEAR = 1e-6  # how far the responses to two impulses may differ from each other, relative


def silent_layers(network: Network) -> Iterator[tuple[int, float]]:
    """Layers that no input lets spike, with the largest membrane over the threshold that they reach.

    Inputs are any that the encoding makes of samples within 0..1. A last layer without reset that decides by its
    membrane is a readout, whose spikes nobody counts, and is left out.
    """
    low, high = network.encoding.limits(None)
    for number, layer in enumerate(network.layers, start=1):
        readout = number == len(network.layers) and network.decision == "membrane"
        readout = readout and getattr(layer.neuron, "reset_mechanism", "") == "none"
        small = layer.flops <= MAX_FLOPS and layer.outputs * network.steps <= MAX_NEURON_STEPS
        if small and not readout and network.steps <= MAX_STEPS:
            share = largest_share(layer, low, high, network.steps)
            if share is not None and share < 1 - _ROUNDING:
                yield number, share
        low, high = 0.0, 1.0


def describe_silence(network: Network) -> tuple[str, ...]:
    """What :func:`silent_layers` finds, in words."""
    low, high = network.encoding.limits(None)
    return tuple(
        f"layer {number} can never spike: the largest membrane that any "
        f"{f'input between {low:g} and {high:g}' if number == 1 else 'spikes'} can cause in {network.steps} steps is "
        f"{share:.3g} of its threshold"
        for number, share in silent_layers(network)
    )


def largest_share(layer: AnyLayer, low: float, high: float, steps: int) -> float | None:
    """Largest membrane over its threshold before any spike, of all neurons; anything above 1 if one can spike.

    ``None`` stands for a neuron that is not linear below its threshold, of which nothing is known.
    """
    least, most = (each.ravel() for each in drive_limits(layer, low, high))
    neuron, threshold = layer.neuron, np.asarray(layer.neuron.threshold)
    largest = 0.0
    reached = np.zeros(layer.outputs)
    for response in _responses(neuron, layer.outputs, steps):
        if response is None:
            return None
        reached = reached + np.maximum(response * least, response * most)
        largest = max(largest, float((reached / threshold).max()))
        if largest > 1:
            break
    return largest


def drive_limits(layer: AnyLayer, low: float, high: float) -> tuple[Floats, Floats]:
    """Lowest and highest drive of each neuron for inputs within ``low..high``, in the shape of the sheet of neurons."""
    shape: Shape
    maps: tuple[Map, ...]
    if isinstance(layer, Layer):
        shape, maps = (layer.inputs,), (Dense(weight=layer.weight, bias=layer.bias),)
    else:
        shape, maps = layer.shape, layer.maps
    least, most = np.full((1, *shape), low), np.full((1, *shape), high)
    for each in maps:
        least, most = _map_limits(each, least, most)
    return least[0], most[0]


def _map_limits(one: Map, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    signs: tuple[Map, Map]
    match one:
        case SumPool2d() | AvgPool2d():
            return one.apply(low), one.apply(high)  # never falls where its input rises
        case Dense() | Conv2d():
            signs = (replace(one, weight=np.maximum(one.weight, 0)), replace(one, weight=np.minimum(one.weight, 0)))
        case Scale():
            signs = (replace(one, scale=np.maximum(one.scale, 0)), replace(one, scale=np.minimum(one.scale, 0)))
        case _:
            return _matrix_limits(one, low, high)
    rising, falling = signs
    least = rising.apply(low) + falling.apply(high, bias=False)
    return least, rising.apply(high) + falling.apply(low, bias=False)


def _matrix_limits(one: Map, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Of any affine map, by what it makes of the unit vectors."""
    shape = low.shape[1:]
    units = np.eye(low.size).reshape(low.size, *shape)
    constant, matrix = one.apply(np.zeros((1, *shape))), one.apply(units, bias=False)
    rising, falling = np.maximum(matrix, 0), np.minimum(matrix, 0)
    least = np.tensordot(low.ravel(), rising, 1) + np.tensordot(high.ravel(), falling, 1)
    most = np.tensordot(high.ravel(), rising, 1) + np.tensordot(low.ravel(), falling, 1)
    return constant + least, constant + most


def _responses(neuron: Neuron, outputs: int, steps: int) -> Iterator[Floats | None]:
    """The membranes of ``outputs`` neurons after an impulse of 1, step by step; ``None`` if they are not linear."""
    small = _IMPULSE * np.broadcast_to(np.asarray(neuron.threshold), (1, outputs))
    states = [neuron.start((1, outputs)), neuron.start((1, outputs))]
    for step in range(steps):
        for which, size in enumerate((small, 2 * small)):
            states[which] = neuron.advance(states[which], size if step == 0 else np.zeros((1, outputs)))
        one, two = (state[0] for state in states)
        if np.abs(two - 2 * one).max() > _LINEAR * max(np.abs(two).max(), float(small.max())):
            yield None
            return
        yield (one / small)[0]
