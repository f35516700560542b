"""Convolutional networks as crossbars: unrolled they spike as before, also in ngspice; too large ones are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snn2circuit.analysis import compare_circuit
from snn2circuit.devices import DEVICES
from snn2circuit.errors import MappingError, NetworkError
from snn2circuit.ir.layer import ConvLayer, Layer, make_layer
from snn2circuit.ir.linear import AvgPool2d, Conv2d, Dense, Map, Scale, SumPool2d
from snn2circuit.ir.network import Network, Stimulus
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.connectivity import check_connectivity
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.mapping import lower_network, map_network, unrolled_sizes
from snn2circuit.netlist import write_netlist
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.simulate import simulate_netlist

DEVICE = DEVICES["printed_resistor_kit"]


@st.composite
def networks(draw: st.DrawFn) -> tuple[Network, np.ndarray]:
    """Two to three layers of convolution and pooling in any order, a matrix at the end, and inputs that change."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape: tuple[int, ...] = (draw(st.integers(1, 2)), draw(st.integers(5, 8)), draw(st.integers(5, 8)))
    first, layers = shape, []
    for _ in range(draw(st.integers(1, 2))):
        maps: list[Map] = []
        for kind in draw(st.permutations(["conv", "average", "sum", "scale"]))[: draw(st.integers(1, 3))]:
            size = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
            match kind:
                case "conv":
                    channels = draw(st.integers(1, 3))
                    one: Map = Conv2d(
                        weight=random.normal(0.2, 0.6, (channels, shape[0], *size)),
                        bias=random.normal(0.1, 0.2, channels) if draw(st.booleans()) else None,
                        stride=size,
                        padding=(draw(st.integers(0, 1)), 0),
                    )
                case "average":
                    one = AvgPool2d(kernel=size, stride=(1, 1))
                case "sum":
                    one = SumPool2d(kernel=size, stride=size)
                case _:
                    one = Scale(scale=random.uniform(0.5, 2, (shape[0], 1, 1)))
            try:
                shape = one.output_shape(shape)
            except NetworkError:  # the image has become smaller than the window
                continue
            maps.append(one)
        if maps:
            neuron = Leaky(
                beta=draw(st.sampled_from([0.0, 0.5, 0.9])), reset_mechanism=draw(st.sampled_from(["subtract", "zero"]))
            )
            layers.append(make_layer(layers[-1].output_shape if layers else first, maps, neuron))
    last = Dense(weight=random.normal(0.2, 1, (3, int(np.prod(shape)))))
    layers.append(make_layer(shape, [last], Leaky()))
    network = Network(name="conv", layers=tuple(layers), steps=12)
    return network, random.uniform(-0.5, 1.5, (2, 12, int(np.prod(first))))


@given(networks())
@settings(max_examples=100, deadline=None)
def test_unrolled_networks_spike_as_before(case: tuple[Network, np.ndarray]) -> None:
    network, inputs = case
    lowered = lower_network(network)
    assert lowered.sizes == network.sizes
    assert all(isinstance(layer, Layer) for layer in lowered.layers)
    before, after = network.run(inputs), lowered.run(inputs)
    for a, b in zip(before.membranes, after.membranes, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)
    for a, b in zip(before.spikes, after.spikes, strict=True):
        np.testing.assert_array_equal(a, b)


def tiny() -> Network:
    """A 4 x 4 image, two channels of 3 x 3, average pooling that merges into three neurons."""
    random = np.random.default_rng(5)
    maps = (Conv2d(weight=random.normal(0.15, 0.4, (2, 1, 2, 2)), bias=[0.05, -0.1]),)
    second = (
        AvgPool2d(kernel=(2, 2), stride=(1, 1)),
        Dense(weight=random.normal(0.8, 0.8, (3, 8)), bias=[0.1, 0, -0.1]),
    )
    layers = (
        ConvLayer(shape=(1, 4, 4), maps=maps, neuron=Leaky(beta=0.8)),
        ConvLayer(shape=(2, 3, 3), maps=second, neuron=Leaky(beta=0.9)),
    )
    return Network(name="tiny", layers=layers, steps=12)


def test_the_circuit_of_a_convolutional_network_spikes_as_the_network(tmp_path: Path) -> None:
    network = tiny()
    inputs = np.random.default_rng(1).uniform(0, 1, (2, 12, 16))
    crossbar = map_network(network, DEVICE, levels=4096, v_rail=10.0)
    assert [(layer.rows, layer.columns) for layer in crossbar.layers] == [(17, 18), (19, 3)]
    stimulus = Stimulus(inputs=inputs, labels=np.full(2, -1), indices=np.arange(2))
    write_netlist(crossbar, stimulus, tmp_path)
    waveforms = simulate_netlist(tmp_path, time_limit=120)
    equivalence = compare_circuit(crossbar, waveforms)
    assert equivalence.equivalent, str(equivalence)
    # With fine levels the convolution itself, not only what the conductances stand for, spikes as the circuit.
    for fired, trained in zip(waveforms.spikes, network.run(inputs).spikes, strict=True):
        assert 0.02 < trained.mean() < 0.9
        np.testing.assert_array_equal(fired, trained)


def test_the_stack_of_a_convolutional_network_connects_its_crossbar() -> None:
    crossbar = map_network(tiny(), DEVICES["foil_memristor"], levels=64)
    layout = build_layout(crossbar, PROCESSES["inkjet"])
    check_connectivity(layout, crossbar)
    assert sum(len(sheet.devices.weight) for sheet in layout.sheets if sheet.devices) == crossbar.devices


def test_what_unrolling_takes_is_known_before_it_is_done() -> None:
    crossbar = map_network(tiny(), DEVICE)
    sizes = unrolled_sizes(tiny())
    assert [each.devices for each in sizes] == [2 * layer.rows * layer.columns for layer in crossbar.layers]
    arrays = ("trained", "target_pos", "target_neg", "level_pos", "level_neg", "g_pos", "g_neg")
    for layer, size in zip(crossbar.layers, sizes, strict=True):
        assert size.bytes == sum(getattr(layer, name).nbytes for name in arrays)


def test_too_many_devices_are_refused_before_they_are_made() -> None:
    huge = ConvLayer(
        shape=(1, 5000, 5000), maps=(Conv2d(weight=np.ones((64, 1, 3, 3)), bias=np.ones(64)),), neuron=Leaky()
    )
    network = Network(name="huge", layers=(huge,), steps=1)
    with pytest.raises(
        MappingError, match=r"79,\d.*devices .* GiB.*layer 1 .25,000,001 word lines.*limit is 20,000,000"
    ):
        map_network(network, DEVICE)
    with pytest.raises(MappingError, match=r"takes 726 devices.*the limit is 725.*or raise max_devices"):
        map_network(tiny(), DEVICE, max_devices=725)
    assert map_network(tiny(), DEVICE, max_devices=726).devices == 726
