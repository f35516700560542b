"""Layers whose neurons have parameters of their own, drawn at random or given."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st

from snn2circuit.ir.network import Layer, Network
from snn2circuit.ir.parts import Neuron
from snn2circuit.neurons import NEURONS
from snn2circuit.neurons.alpha import Alpha
from snn2circuit.neurons.lapicque import Lapicque
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.neurons.synaptic import Synaptic

RESETS = ("subtract", "zero", "none")


@st.composite
def neurons(draw: st.DrawFn, size: int) -> Neuron:
    """Any neuron for a layer of ``size``, each parameter one number or one for each."""

    def each(low: float, high: float, *special: float) -> float | tuple[float, ...]:
        one = st.one_of(st.floats(low, high), st.sampled_from(special)) if special else st.floats(low, high)
        return draw(st.one_of(one, st.tuples(*[one] * size)))

    common = {"threshold": each(0.05, 4, 1.0), "reset_mechanism": draw(st.sampled_from(RESETS))}
    match draw(st.sampled_from(list(NEURONS))):
        case "lapicque":
            if draw(st.booleans()):
                return Lapicque(beta=each(0.4, 0.99), **common)
            return Lapicque(R=each(0.5, 5), C=each(0.5, 5), time_step=each(0.01, 0.3), **common)
        case "synaptic":
            return Synaptic(alpha=each(0, 1, 0.0), beta=each(0, 1, 0.0, 1.0), **common)
        case "alpha":
            return Alpha(alpha=each(0.55, 1, 0.9), beta=each(0.05, 0.5, 0.3), **common)
    return Leaky(beta=each(0, 1, 0.0, 0.9, 1.0), **common)


@st.composite
def networks(draw: st.DrawFn) -> tuple[Network, np.ndarray]:
    """A random network, and inputs that vary from step to step."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = draw(st.lists(st.integers(1, 5), min_size=2, max_size=4))
    layers = []
    for inputs, outputs in itertools.pairwise(sizes):
        bias = random.normal(size=outputs) * 0.3 if draw(st.booleans()) else None
        layers.append(
            Layer(weight=random.normal(size=(outputs, inputs)), bias=bias, neuron=draw(neurons(size=outputs)))
        )
    steps = draw(st.integers(1, 20))
    network = Network(name="random", layers=tuple(layers), steps=steps)
    return network, random.normal(0.3, 1, size=(draw(st.integers(1, 3)), steps, sizes[0]))


# For five neurons each: decays of 0 and 1 have other parts than those between, equal neurons share a cell.
THRESHOLDS = (1.2, 0.8, 1.0, 1.1, 0.8)
CASES: list[tuple[Neuron, float]] = [  # and the size of the drive that lets it fire now and then
    *((Leaky(beta=(0.9, 0.0, 0.5, 1.0, 0.0), threshold=THRESHOLDS, reset_mechanism=reset), 0.5) for reset in RESETS),
    (Leaky(beta=0.9, threshold=THRESHOLDS), 0.5),
    *((Lapicque(beta=(0.9, 0.5, 0.8, 0.9, 0.5), threshold=THRESHOLDS, reset_mechanism=each), 2.5) for each in RESETS),
    (Lapicque(R=(5.0, 4.0, 3.0, 5.0, 6.0), C=1.5, reset_mechanism="zero"), 0.6),
    *(
        (
            Synaptic(
                alpha=(0.7, 0.0, 0.5, 0.7, 0.0), beta=(0.85, 0.8, 0.0, 1.0, 0.8), threshold=THRESHOLDS,
                reset_mechanism=reset,
            ),
            0.4,
        )
        for reset in RESETS
    ),
    *(
        (
            Alpha(
                alpha=(0.9, 0.8, 0.7, 0.95, 0.8), beta=(0.75, 0.0, 0.5, 0.6, 0.0), threshold=THRESHOLDS,
                reset_mechanism=each,
            ),
            0.6,
        )
        for each in ("zero", "none")
    ),
]  # fmt: skip
FAMILIES = ("vccs", "opamp")


def five(neuron: Neuron, drive: float, steps: int = 12) -> Network:
    """Three inputs, twice five of ``neuron``, two leaky outputs; every layer spikes now and then."""
    rng = np.random.default_rng(3)
    outputs = Leaky(beta=(0.7, 0.9), threshold=(0.5, 0.8))
    layers = [
        Layer(weight=rng.normal(0.3, 0.8, (5, 3)) * drive, bias=rng.normal(0.3, 0.2, 5) * drive, neuron=neuron),
        Layer(weight=rng.normal(0.9, 0.6, (5, 5)) * drive, neuron=neuron),
        Layer(weight=rng.normal(0.6, 0.4, (2, 5)), neuron=outputs),
    ]
    return Network(name="five", layers=tuple(layers), steps=steps)
