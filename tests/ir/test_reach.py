"""Layers that can never spike: the limit is reached by the best input and by no other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snn2circuit.ir.encoding import Encoding
from snn2circuit.ir.layer import AnyLayer, ConvLayer, Layer
from snn2circuit.ir.linear import AvgPool2d, Conv2d, Scale
from snn2circuit.ir.network import Network
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.reach import describe_silence, drive_limits, largest_share, silent_layers
from snn2circuit.neurons import NEURONS
from snn2circuit.neurons.lapicque import Lapicque
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.neurons.parameters import RESETS

STEPS = 12
SPECIAL: dict[str, Any] = {"alpha": {"alpha": 0.9, "beta": 0.6}, "lapicque": {"R": 2.0, "C": 3.0}}


def response(neuron: Any) -> Floats:
    """The membrane after a small impulse, which no reset has to do with."""
    state, seen = neuron.start((1,)), []
    for step in range(STEPS):
        state = neuron.advance(state, np.array([1e-4 * (step == 0)]))
        seen.append(state[0][0] / 1e-4)
    return np.array(seen)


def best_drive(neuron: Any, weights: Floats, until: int) -> Floats:
    """Spikes ``(1, STEPS, inputs)`` that lift the membrane at ``until`` as high as any can."""
    weigh = np.zeros(STEPS)
    weigh[: until + 1] = response(neuron)[: until + 1][::-1]
    return (weigh[:, None] * weights > 0).astype(float)[None]


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("kind", NEURONS)
@pytest.mark.parametrize("bias", [0.0, 0.02, -0.05])
def test_the_limit_is_what_the_best_input_reaches(kind: str, reset: str, bias: float) -> None:
    neuron = NEURONS[kind](threshold=0.8, reset_mechanism=reset, **SPECIAL.get(kind, {}))
    weights = np.random.default_rng(0).normal(0, 1, (1, 6))
    share = largest_share(Layer(weight=1e-3 * weights, bias=np.array([1e-3 * bias]), neuron=neuron), 0, 1, STEPS)
    assert share is not None
    for size, spikes in ((1.001, True), (0.999, False)):
        scale = 1e-3 * size / share
        layer = Layer(weight=scale * weights, bias=np.array([scale * bias]), neuron=neuron)
        network = Network(name="n", layers=(layer,), steps=STEPS, decision="count")
        found = [network.run(best_drive(neuron, weights, until)).spikes[0].any() for until in range(STEPS)]
        assert any(found) == spikes
        assert bool(list(silent_layers(network))) != spikes


def test_a_membrane_that_swings_is_driven_with_its_swing() -> None:
    """A Lapicque neuron whose decay is negative: alternating inputs lift it higher than constant ones."""
    neuron = Lapicque(R=1.0, C=0.55, threshold=1.0, reset_mechanism="none")
    layer = Layer(weight=np.array([[0.1, -0.1]]), neuron=neuron)
    share = largest_share(layer, 0, 1, STEPS)
    steady = Network(name="n", layers=(layer,), steps=STEPS).run(np.ones((1, STEPS, 1)) * [1.0, 0.0])
    assert share is not None
    assert share > 1.5 * steady.membranes[0].max()


@pytest.mark.parametrize("seed", range(12))
def test_what_is_told_never_spikes(seed: int) -> None:
    """Networks around the limit, under the largest and many random inputs."""
    random = np.random.default_rng(seed)
    kinds = random.choice(list(NEURONS), 3)
    layers: list[AnyLayer] = []
    for kind, (a, b) in zip(kinds, ((4, 5), (5, 5), (5, 2)), strict=True):
        neuron = NEURONS[kind](reset_mechanism=str(random.choice(RESETS)), **SPECIAL.get(kind, {}))
        weight = random.normal(0, 1, (b, a))
        share = largest_share(Layer(weight=1e-3 * weight, neuron=neuron), 0, 1, STEPS)
        assert share is not None
        layers.append(Layer(weight=1e-3 * weight / share * random.choice([0.9, 3.0]), neuron=neuron))
    network = Network(name="n", layers=tuple(layers), steps=STEPS, decision="count")
    silent = {number for number, _ in silent_layers(network)}
    inputs = (random.random((200, STEPS, 4)) < random.random((200, 1, 1))).astype(float)
    for number, spikes in enumerate(network.run(inputs).spikes, start=1):
        assert not (number in silent and spikes.any())


def test_limits_of_a_convolution_hold_and_are_reached() -> None:
    random = np.random.default_rng(3)
    maps = (
        Scale(scale=random.uniform(-1, 1, (2, 5, 5))),
        Conv2d(weight=random.normal(0, 1, (3, 2, 2, 2)), bias=[0.1, 0.2, -0.3]),
    )
    layer = ConvLayer(shape=(2, 5, 5), maps=maps, neuron=Leaky())
    low, high = (each.ravel() for each in drive_limits(layer, -0.5, 2.0))
    weight, bias = layer.weight, layer.bias
    assert bias is not None
    np.testing.assert_allclose(high, (np.where(weight > 0, 2.0, -0.5) * weight).sum(1) + bias)
    np.testing.assert_allclose(low, (np.where(weight > 0, -0.5, 2.0) * weight).sum(1) + bias)
    pooled = ConvLayer(shape=(2, 5, 5), maps=(*maps, AvgPool2d(kernel=(2, 2), stride=(2, 2))), neuron=Leaky())
    low, high = (each.ravel() for each in drive_limits(pooled, -0.5, 2.0))
    currents = pooled.current(random.uniform(-0.5, 2.0, (500, 50)))
    assert (low <= currents).all()
    assert (currents <= high).all()


def test_the_first_layer_is_judged_by_what_the_encoding_gives() -> None:
    layer = Layer(weight=np.array([[0.3]]), neuron=Leaky(beta=0.0))
    for encoding, silent in ((Encoding(), True), (Encoding(offset=0, scale=0.1), False), (Encoding(kind="rate"), True)):
        network = Network(name="n", layers=(layer,), steps=3, encoding=encoding, decision="count")
        assert (describe_silence(network) != ()) == silent
    assert (
        "layer 1 can never spike: the largest membrane that any input between 0 and 1 can cause in 3 steps is 0.3"
        in (describe_silence(Network(name="n", layers=(layer,), steps=3))[0])
    )


def test_a_readout_is_no_silent_layer() -> None:
    layer = Layer(weight=np.array([[0.3]]), neuron=Leaky(beta=0.0, reset_mechanism="none"))
    assert not describe_silence(Network(name="n", layers=(layer,), steps=3))
    assert describe_silence(Network(name="n", layers=(layer,), steps=3, decision="count"))


class Quadratic(Leaky):
    """A neuron that is not linear below its threshold."""

    def advance(self, state: Any, current: Floats) -> Any:
        (membrane,) = state
        return (membrane**2 * 1e7 + current,)


def test_of_a_neuron_that_is_not_linear_nothing_is_said() -> None:
    layer = Layer(weight=np.array([[0.3]]), neuron=Quadratic(beta=0.0))
    assert largest_share(layer, 0, 1, 5) is None
    assert not describe_silence(Network(name="n", layers=(layer,), steps=5, decision="count"))


@pytest.mark.parametrize("steps", [10**6, 10**12])
def test_a_network_of_endless_steps_is_left_alone(steps: int) -> None:
    layer = Layer(weight=np.array([[0.3]]), neuron=Leaky(beta=0.0))
    assert not describe_silence(Network(name="n", layers=(layer,), steps=steps, decision="count"))
