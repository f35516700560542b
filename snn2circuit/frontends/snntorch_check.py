"""Whether a network is what a module computes, tried on the module itself.

Two things are tried, and all of it in float64. With neurons that answer dense random numbers in place of their spikes
every weight between two layers is exercised in every step, so whatever is not the map that was read shows at once, and
so does a neuron that the part does not describe. Then the module runs as it is, on inputs that make it spike, and the
spikes of every layer are compared step by step with what the network's layer makes of the same signal. A neuron whose
membrane meets its threshold within rounding is left out from there on: either answer is right.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from snn2circuit.errors import NetworkError
from snn2circuit.frontends.snntorch_layers import Link
from snn2circuit.frontends.snntorch_neurons import graded_factor
from snn2circuit.frontends.snntorch_run import Layout, Run, Runner
from snn2circuit.frontends.snntorch_trace import Call, Injection
from snn2circuit.ir.layer import AnyLayer
from snn2circuit.ir.noun import Bools, Floats
from snn2circuit.ir.parts import fires

TOLERANCE = 1e-9  # of the largest number of a layer; rounding stays three orders below
_DRIVES = (0.7, 2.5)  # spread of a current in thresholds: seldom and mostly spiking
_SEED = 20_240_917


def check_network(
    runner: Runner, layout: Layout, first: Run, links: Sequence[Link], layers: Sequence[AnyLayer]
) -> None:
    """Compare ``layers`` with the module that they were read from.

    Raises:
        NetworkError: they differ; the text names the layer, the step, and how many neurons.
    """
    random = np.random.default_rng(_SEED)
    _check_currents(first, links, layers)
    gains = [_gain(first, link, layer) for link, layer in zip(links, layers, strict=True)]
    for drive in _DRIVES:
        amplitudes = {link.source: drive * gain for link, gain in zip(links, gains, strict=True)}
        inputs = dense(random, first.inputs.shape, amplitudes[None])
        run = _again(runner, layout, inputs, links, injection(random, amplitudes))
        _check_currents(run, links, layers)
        _check_neurons(run, links, layers)
    for drive in _DRIVES:
        inputs = dense(random, first.inputs.shape, 2 * drive * gains[0], offset=0.5)
        run = _again(runner, layout, inputs, links, None)
        _check_spikes(run, links, layers)


def dense(random: np.random.Generator, shape: Sequence[int], amplitude: float, *, offset: float = 0.0) -> Tensor:
    """Random numbers of either sign."""
    return torch.from_numpy(amplitude * (random.normal(size=tuple(shape)) + offset))


def injection(random: np.random.Generator, amplitudes: dict[int | None, float]) -> Injection:
    """What makes neurons answer random numbers, each thread with its own amplitude."""
    return lambda call: dense(random, call.current.shape, amplitudes.get(call.thread, 1.0))


def _again(runner: Runner, layout: Layout, inputs: Tensor, links: Sequence[Link], inject: Injection | None) -> Run:
    run = runner.run(layout, inputs, inject)
    for link in links:
        if len(run.threads) <= link.thread or run.threads[link.thread][0].path != link.path:
            raise NetworkError(
                f"forward did not call {link.path} in its second run as it did in its first; what it does may depend "
                "on nothing but the input"
            )
    return run


def _gain(run: Run, link: Link, layer: AnyLayer) -> float:
    """The amplitude of a signal that spreads the current of ``layer`` over one threshold."""
    spread = float(np.std([_rows(call.current, run) for call in run.threads[link.thread]]))
    return float(np.max(layer.neuron.threshold)) / spread if spread > 0 else 1.0


def _signal(run: Run, link: Link, step: int) -> Floats:
    """What the maps of a layer take in a step, ``(samples, inputs)``."""
    if link.source is not None:
        return _rows(run.threads[link.source][step].sent, run)
    held = run.inputs[min(step, len(run.inputs) - 1)] if run.varies else run.inputs[0]
    return held.reshape(run.inputs.shape[1], -1).numpy()


def _currents(run: Run, link: Link, layer: AnyLayer) -> list[Floats]:
    """What the layer's maps make of its signal in each step."""
    steps = len(run.threads[link.thread])
    if link.source is None and not run.varies:
        return [layer.current(_signal(run, link, 0))] * steps
    return list(layer.current(np.stack([_signal(run, link, step) for step in range(steps)]) / _factor(run, link)))


def _rows(tensor: Tensor, run: Run) -> Floats:
    rows: Floats = tensor.reshape(run.inputs.shape[1], -1).numpy()
    return rows


def _check_currents(run: Run, links: Sequence[Link], layers: Sequence[AnyLayer]) -> None:
    """The current of every layer in every step is what its maps make of what the layer before sent."""
    for number, (link, layer) in enumerate(zip(links, layers, strict=True), start=1):
        calls = run.threads[link.thread]
        for step, (call, expected) in enumerate(zip(calls, _currents(run, link, layer), strict=True)):
            found = _rows(call.current, run)
            size = max(float(np.abs(expected).max()), float(np.abs(found).max()))
            apart = np.abs(found - expected) > TOLERANCE * size
            if apart.any() or not np.isfinite(found).all():
                raise NetworkError(
                    f"layer {number} ({link.path}, {call.where}): in step {step + 1} the current of "
                    f"{int(apart.any(axis=0).sum())} of {found.shape[1]} neurons is not what the weights of step 1 "
                    f"make of its input{_elsewhere(run, link, step)}. Use the same weights and operations in every "
                    "step and for every sample, and nothing but torch's functions"
                )


def _elsewhere(run: Run, link: Link, step: int) -> str:
    """The modules that made the current, if they are others than in the first step."""
    steps = [run.threads[link.thread][each].node for each in (0, step)]
    places = [node.where for node in steps if node is not None]
    return f": {places[1]}, but {places[0]} in step 1" if len(set(places)) == 2 else ""


def _check_neurons(run: Run, links: Sequence[Link], layers: Sequence[AnyLayer]) -> None:
    """Every neuron makes of its current what its part makes of it."""
    for number, (link, layer) in enumerate(zip(links, layers, strict=True), start=1):
        calls = run.threads[link.thread]
        _compare(number, calls, layer, [_rows(call.current, run) for call in calls], run)


def _check_spikes(run: Run, links: Sequence[Link], layers: Sequence[AnyLayer]) -> None:
    """Every layer of the network makes of the module's own signal the spikes that the module makes of it."""
    for number, (link, layer) in enumerate(zip(links, layers, strict=True), start=1):
        _compare(number, run.threads[link.thread], layer, _currents(run, link, layer), run)


def _factor(run: Run, link: Link) -> Floats:
    """What a spike of the layer before counts for."""
    if link.source is None:
        return np.ones(())
    call = run.threads[link.source][0]
    return _per_neuron(call)


def _per_neuron(call: Call) -> Floats:
    """What a spike of ``call``'s neurons counts for, one number or one for each."""
    factor = graded_factor(call.neuron)
    values: Floats = factor.numpy()
    return values.reshape(()) if factor.numel() == 1 else np.broadcast_to(values, call.current.shape[1:]).ravel()


def _compare(number: int, calls: Sequence[Call], layer: AnyLayer, currents: Sequence[Floats], run: Run) -> None:
    part = layer.neuron
    state = part.start(currents[0].shape)
    threshold = np.broadcast_to(np.asarray(part.threshold), currents[0].shape)
    alike: Bools = np.ones(currents[0].shape, dtype=bool)  # neurons that have met no tie yet
    largest = threshold.copy()
    for step, (call, current) in enumerate(zip(calls, currents, strict=True), start=1):
        state = part.advance(state, current)
        membrane, fired = _rows(call.membrane, run), _rows(call.fired, run) / _per_neuron(call)
        largest = np.maximum(largest, np.maximum(np.abs(membrane), np.abs(current)))
        rounding = TOLERANCE * largest
        apart = ~(np.abs(membrane - state[0]) <= rounding) & alike
        other = (fired != fires(part, state[0])) & alike
        ties = other & (np.abs(state[0] - threshold) <= rounding)
        wrong = apart | (other & ~ties)
        if wrong.any():
            raise NetworkError(
                f"layer {number} ({call.path}, {call.where}): in step {step} {int((other & ~ties).sum())} spikes and "
                f"{int(apart.sum())} membranes of {wrong.size} neurons differ from the module's own on generated "
                f"inputs, first in neuron {int(np.argwhere(wrong)[0, 1])}. Between its steps forward does something "
                "with this neuron or its state that a circuit does not do: hand its state on unchanged"
            )
        alike &= ~ties
