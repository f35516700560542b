"""Compensation against a made-up circuit whose faults are known in closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from snn2circuit.devices import DEVICES
from snn2circuit.errors import MappingError
from snn2circuit.ir.crossbar import CrossbarLayer, CrossbarNetwork
from snn2circuit.ir.network import Layer, Network
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.parts import Neuron
from snn2circuit.mapping import compensate_network, map_network
from snn2circuit.mapping.compensate import response_steps
from snn2circuit.neurons.alpha import Alpha
from snn2circuit.neurons.lapicque import Lapicque
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.neurons.synaptic import Synaptic

DEVICE = DEVICES["printed_resistor_kit"]


def crossbar(neuron: Neuron | None = None, *, bias: bool = True, seed: int = 1) -> CrossbarNetwork:
    rng = np.random.default_rng(seed)
    layers = tuple(
        Layer(
            weight=rng.normal(0, 0.5, (columns, rows)),
            bias=rng.normal(0, 0.1, columns) if bias else None,
            neuron=neuron or Leaky(beta=0.9),
        )
        for rows, columns in ((12, 5), (5, 3))
    )
    inputs = rng.uniform(0, 1, (20, 12))
    return map_network(Network(name="net", layers=layers, steps=8), DEVICE, levels=16, inputs=inputs)


class Faulty:
    """A layer with op-amps of gain ``a``, drops that grow along rows and columns, and a constant on every membrane."""

    def __init__(self, a: float = 1e4, drop: float = 0.0, offset: float = 0.0) -> None:
        self.a, self.drop, self.offset = a, drop, offset

    def weights(self, layer: CrossbarLayer) -> Floats:
        pos, neg = layer.programmed
        rows, columns = np.indices(pos.shape)
        reach = 1 / (1 + self.drop * (pos.sum(axis=1, keepdims=True) / pos.sum()) * (columns + rows + 1))
        share_pos = 1 / (1 + (2 + layer.r_feedback * pos.sum(axis=0)) / self.a)
        share_neg = 1 / (1 + (1 + layer.r_feedback * neg.sum(axis=0)) / self.a)
        return reach * share_pos * (pos - share_neg * neg) / (layer.siemens_per_unit * layer.gain)

    def __call__(self, number: int, alone: CrossbarNetwork, inputs: Floats) -> Floats:
        (layer,) = alone.layers
        weights = self.weights(layer)
        state = layer.neuron.start((len(inputs), layer.columns))
        for step in range(inputs.shape[1]):
            current = inputs[:, step] @ weights[: layer.inputs] + self.offset
            state = layer.neuron.advance(state, current + weights[-1] if layer.has_bias else current)
        return state[0]


@pytest.mark.parametrize(
    "neuron",
    [Leaky(beta=0.8), Lapicque(beta=0.9), Synaptic(), Alpha(alpha=0.9, beta=0.7), Leaky(reset_mechanism="zero")],
    ids=lambda each: each.kind,
)
def test_gain_errors_and_drops_are_trimmed_away(neuron: Neuron) -> None:
    original, faulty = crossbar(neuron), Faulty(a=1e3, drop=0.8)
    trimmed, reports = compensate_network(original, faulty)
    for number, (layer, report) in enumerate(zip(trimmed.layers, reports, strict=True), start=1):
        assert report.layer == number
        assert report.worst_before > 1e-2
        assert report.worst_after < 1e-7
        assert report.worst_on_levels > 1e-3, "levels cannot hold a trim"
        assert report.short == ()
        assert 0 < report.gain < 1
        np.testing.assert_allclose(faulty.weights(layer), layer.weights, atol=1e-6 * np.abs(layer.weights).max())
        for made in layer.programmed:
            assert made.min() >= DEVICE.g_min.value
            assert made.max() <= DEVICE.g_max.value * (1 + 1e-12)
    for ours, theirs in zip(trimmed.network().layers, original.network().layers, strict=True):
        np.testing.assert_array_equal(ours.weight, theirs.weight)


@pytest.mark.parametrize("off", [0.0, 0.02, 0.3])
def test_a_sketch_saves_rounds_and_changes_no_trim(off: float) -> None:
    """The better the sketch the fewer the rounds; what is measured decides, even where the sketch is far off."""
    original, faulty = crossbar(), Faulty(a=1e3, drop=0.8)
    outline = Faulty(a=1e3, drop=0.8 * (1 - off))

    def sketch(number: int, alone: CrossbarNetwork) -> Floats:
        return (1 + off / 10) * outline.weights(alone.layers[0])

    plain, slow = compensate_network(original, faulty)
    trimmed, fast = compensate_network(original, faulty, sketch)
    for layer, other, with_it, without in zip(trimmed.layers, plain.layers, fast, slow, strict=True):
        assert with_it.worst_after < 1e-7
        assert with_it.gain == pytest.approx(without.gain, rel=1e-6)
        assert with_it.rounds < without.rounds if off < 0.1 else with_it.rounds <= without.rounds + 2
        for made, expected in zip(layer.programmed, other.programmed, strict=True):
            np.testing.assert_allclose(made, expected, rtol=0, atol=1e-6 * DEVICE.g_max.value)
    if off == 0:
        assert max(report.rounds for report in fast) <= 4


def test_a_gain_that_the_sketch_cannot_serve_is_not_measured() -> None:
    """A sketch whose columns saturate well below what the first gain asks for."""
    original, faulty, gains = crossbar(), Faulty(a=1e6), []

    def sketch(number: int, alone: CrossbarNetwork) -> Floats:
        weights = faulty.weights(alone.layers[0])
        limit = 0.6 * np.abs(alone.layers[0].weights).max() / alone.layers[0].gain
        return np.clip(weights, -limit, limit)

    def measure(number: int, alone: CrossbarNetwork, inputs: Floats) -> Floats:
        gains.append(alone.layers[0].gain)
        return faulty(number, alone, inputs)

    _, reports = compensate_network(original, measure, sketch)
    assert all(report.gain < 0.6 and report.worst_after < 1e-7 for report in reports)
    assert not [gain for gain in gains if 0.6 < gain < 1], "only as it is mapped, at a gain of 1"


def test_a_trim_that_is_worse_than_none_is_not_kept() -> None:
    """A circuit that cannot bear trimming: with devices off their levels layer 1 adds what it likes."""
    original, faulty, rng = crossbar(), Faulty(a=1e4), np.random.default_rng(0)

    def measure(number: int, alone: CrossbarNetwork, inputs: Floats) -> Floats:
        (layer,), membranes = alone.layers, faulty(number, alone, inputs)
        moved = any(trim is not None and trim.any() for trim in (layer.trim_pos, layer.trim_neg))
        return membranes + rng.normal(0, 3, membranes.shape) if moved and number == 1 else membranes

    trimmed, reports = compensate_network(original, measure)
    assert [report.trimmed for report in reports] == [False, True]
    assert trimmed.layers[0].trim_pos is None
    assert trimmed.layers[0].gain == 1.0
    assert reports[0].worst_after == reports[0].worst_before < 0.1
    assert reports[0].largest_trim == reports[0].off_level == 0
    assert reports[1].worst_after < 1e-7


def test_nothing_is_trimmed_where_nothing_is_wrong() -> None:
    trimmed, reports = compensate_network(crossbar(), Faulty(a=1e15))
    assert all(report.worst_before < 1e-9 for report in reports)
    assert all(np.abs(layer.trim_pos).max() < 1e-12 for layer in trimmed.layers if layer.trim_pos is not None)


def test_an_offset_goes_into_the_bias() -> None:
    trimmed, reports = compensate_network(crossbar(), Faulty(a=1e6, offset=0.03))
    assert all(report.worst_before > 1e-2 > 1e-7 > report.worst_after for report in reports)
    layer = trimmed.layers[0]
    held = np.subtract(*layer.programmed) / layer.siemens_per_unit / layer.gain
    np.testing.assert_allclose(held[-1], layer.weights[-1] - 0.03, atol=2e-5)


def test_what_the_range_cannot_hold_is_said_neuron_by_neuron() -> None:
    original = crossbar()
    layer = original.layers[0]
    pushed = replace(original, layers=(layer, original.layers[1]))
    _, reports = compensate_network(pushed, Faulty(a=1e6, offset=-100 * np.abs(layer.weights).max()))
    assert len(reports[0].short) == layer.columns
    neuron, error = reports[0].short[0]
    assert neuron == 0
    assert error > 1


def test_a_dead_column_is_refused() -> None:
    with pytest.raises(MappingError, match=r"layer 1: its largest weight adds nothing"):
        compensate_network(crossbar(), lambda number, alone, inputs: np.zeros((len(inputs), alone.layers[0].columns)))


def test_the_answer_of_every_neuron_is_known() -> None:
    assert response_steps(Leaky(beta=0.5)) == (1, 1.0)
    assert response_steps(Lapicque(R=4.0, C=2.0)) == (1, pytest.approx(0.5))
    neuron = Alpha(alpha=0.9, beta=0.75)
    steps, answer = response_steps(neuron)
    assert steps == 2
    assert answer == pytest.approx(neuron.gain * (neuron.alpha - neuron.beta))
