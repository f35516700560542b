"""Weights to devices: inside the range, at the nearest level, nothing lost in silence, no node past the rails."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snn2circuit.devices import DEVICES
from snn2circuit.errors import MappingError, NetworkError
from snn2circuit.ir.network import Layer, Network
from snn2circuit.mapping import map_network, mapping_cost
from snn2circuit.mapping.calibrate import membrane_scale
from snn2circuit.mapping.quantize import device_levels, nearest_level
from snn2circuit.neurons.leaky import Leaky

DEVICE = DEVICES["printed_resistor_kit"]


def make_network(seed: int = 0, sizes: tuple[int, ...] = (5, 4, 3), bias: bool = True, beta: float = 0.9) -> Network:
    rng = np.random.default_rng(seed)
    layers = tuple(
        Layer(weight=rng.normal(0, 0.5, (b, a)), bias=rng.normal(0, 0.2, b) if bias else None, neuron=Leaky(beta=beta))
        for a, b in itertools.pairwise(sizes)
    )
    return Network(name="net", layers=layers, steps=10)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000), levels=st.integers(3, 300), spacing=st.sampled_from(["linear", "geometric"]),
    device=st.sampled_from(sorted(DEVICES)), bias=st.booleans(),
)  # fmt: skip
def test_every_device_holds_the_level_nearest_to_its_target(
    seed: int, levels: int, spacing: str, device: str, bias: bool
) -> None:
    crossbar = map_network(make_network(seed, bias=bias), DEVICES[device], levels=levels, spacing=spacing)
    table = crossbar.levels
    assert table[0] == pytest.approx(DEVICES[device].g_min.value)
    assert table[-1] == pytest.approx(DEVICES[device].g_max.value)
    for layer in crossbar.layers:
        for target, conductance, level in (
            (layer.target_pos, layer.g_pos, layer.level_pos),
            (layer.target_neg, layer.g_neg, layer.level_neg),
        ):
            np.testing.assert_array_equal(conductance, table[level])
            best = np.abs(table[None, None, :] - target[..., None]).min(axis=2)
            np.testing.assert_allclose(np.abs(conductance - target), best, rtol=1e-12, atol=1e-24)
        assert (np.minimum(layer.target_pos, layer.target_neg) <= table[0] * (1 + 1e-12)).all(), (
            "one of a pair rests at g_min"
        )


def test_the_mapped_network_is_the_trained_one_up_to_half_a_level() -> None:
    network = make_network(3)
    crossbar = map_network(network, DEVICE, levels=64)
    for number, (layer, back) in enumerate(zip(network.layers, crossbar.network().layers, strict=True)):
        step = np.abs(np.vstack([layer.weight.T, layer.bias])).max() / 63
        assert np.abs(back.weight - layer.weight).max() <= step / 2 * (1 + 1e-9)
        assert np.abs(back.bias - layer.bias).max() <= step / 2 * (1 + 1e-9)
        assert mapping_cost(crossbar)[number].weight_step == pytest.approx(step)
    fine = map_network(network, DEVICE, levels=65536).network()
    np.testing.assert_allclose(fine.layers[0].weight, network.layers[0].weight, atol=2e-5)


def test_bias_is_one_more_row() -> None:
    crossbar = map_network(make_network(), DEVICE)
    assert [layer.rows for layer in crossbar.layers] == [6, 5]
    assert crossbar.devices == 2 * (6 * 4 + 5 * 3)
    assert map_network(make_network(bias=False), DEVICE).devices == 2 * (5 * 4 + 4 * 3)


def test_weights_beyond_the_range_are_refused_or_counted() -> None:
    network = make_network(1)
    limit = 0.5 * float(np.abs(network.layers[0].weight).max())
    with pytest.raises(MappingError, match=r"layer 1: \d+ of 24 weights lie beyond weight_range .* allow saturation"):
        map_network(network, DEVICE, weight_range=limit)
    crossbar = map_network(network, DEVICE, weight_range=limit, saturate=True)
    expected = sum(int((np.abs(w) > limit).sum()) for w in (network.layers[0].weight, network.layers[0].bias))
    assert crossbar.layers[0].saturated == expected > 0
    assert mapping_cost(crossbar)[0].saturated == expected
    assert np.abs(crossbar.layers[0].weights).max() == pytest.approx(limit)


def test_weights_that_fall_to_zero_are_counted() -> None:
    network = Network(name="n", layers=(Layer(weight=np.array([[1.0, 0.01, 0.0]]), neuron=Leaky()),), steps=3)
    (cost,) = mapping_cost(map_network(network, DEVICE, levels=8))
    assert cost.vanished == 1
    assert cost.worst_error == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"levels": 1}, "between 2 and"),
        ({"spacing": "cubic"}, "linear, geometric"),
        ({"v_rail": 0.0}, "v_rail"),
        ({"inputs": np.empty((0, 5))}, "no samples"),
        ({"weight_range": 1e6}, "layer 1: .* every weight falls to 0"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(MappingError, match=says):
        map_network(make_network(), DEVICE, **change)


def test_networks_the_device_cannot_represent_are_refused() -> None:
    zero = Network(name="n", layers=(Layer(weight=np.zeros((2, 3)), neuron=Leaky()),), steps=3)
    with pytest.raises(MappingError, match="layer 1: every weight is 0"):
        map_network(zero, DEVICE)
    with pytest.raises(NetworkError, match=r"layer 1: weight at \(0, 1\) is nan"):
        Network(name="n", layers=(Layer(weight=np.array([[1.0, np.nan]]), neuron=Leaky()),), steps=3)
    with pytest.raises(MappingError, match="layer 1: its membrane has no bound without leak"):
        map_network(make_network(beta=1.0), DEVICE)
    assert map_network(make_network(beta=1.0), DEVICE, inputs=np.ones((1, 5))).scale_basis == "data"


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), v_rail=st.floats(0.5, 20), spread=st.floats(0.1, 4), data=st.booleans())
def test_no_node_leaves_the_rails(seed: int, v_rail: float, spread: float, data: bool) -> None:
    rng = np.random.default_rng(seed)
    inputs = rng.uniform(-spread, spread, (20, 5)) if data else rng.uniform(0, 1, (20, 5))
    crossbar = map_network(make_network(seed), DEVICE, v_rail=v_rail, inputs=inputs if data else None)
    network = crossbar.network()
    activity = network.run(network.encode(inputs))
    signals = [network.encode(inputs), *(spikes.astype(float) for spikes in activity.spikes)]
    for layer, membranes, signal in zip(crossbar.layers, activity.membranes, signals, strict=False):
        assert np.abs(membranes).max() * layer.volts_per_unit <= v_rail
        volts = crossbar.v_read * np.concatenate([signal, np.ones((*signal.shape[:2], 1))], axis=2)
        inverter, summer = (
            layer.r_feedback * (volts @ layer.g_neg),
            layer.r_feedback * (volts @ (layer.g_pos - layer.g_neg)),
        )
        assert max(np.abs(inverter).max(), np.abs(summer).max()) <= v_rail


@settings(max_examples=200)
@given(peak=st.floats(1e-6, 1e9), v_rail=st.floats(0.1, 100))
def test_the_scale_is_round_and_never_too_large(peak: float, v_rail: float) -> None:
    scale = membrane_scale(peak, v_rail)
    assert float(f"{scale:.2g}") == scale
    assert 0.7 * min(0.8 * v_rail / peak, 1.0) <= scale <= min(0.8 * v_rail / peak, 1.0) * (1 + 1e-9)


def test_levels_go_to_the_nearest_and_ties_to_the_lower() -> None:
    levels = np.array([1.0, 2.0, 3.0])
    assert nearest_level(levels, np.array([0.0, 1.5, np.nextafter(1.5, 2), 2.5, 9.0])).tolist() == [0, 0, 1, 1, 2]
    assert device_levels(DEVICE, 3, "geometric")[1] == pytest.approx(np.sqrt(1e-7 * 1e-4))


def test_a_crossbar_refuses_what_no_device_holds() -> None:
    crossbar = map_network(make_network(), DEVICE)
    with pytest.raises(MappingError, match="g_pos must be finite, positive"):
        replace(crossbar.layers[0], g_pos=np.full_like(crossbar.layers[0].g_pos, -1.0))
    with pytest.raises(MappingError, match="points outside"):
        replace(crossbar, levels=crossbar.levels[:4])
