"""Parameters of their own: each neuron is what it would be alone, and what snnTorch makes of it; files; refusals."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from per_neuron_layers import CASES, five, networks, neurons

from snn2circuit.devices import DEVICES
from snn2circuit.errors import FileFormatError, MappingError, NetlistError, NetworkError
from snn2circuit.frontends.snntorch import run_snntorch
from snn2circuit.ir.files import fingerprint, load, save
from snn2circuit.ir.network import Layer, Network
from snn2circuit.ir.parts import Drive, Neuron
from snn2circuit.ir.per_neuron import distinct_neurons, neuron_at, varying
from snn2circuit.ir.timing import Timing
from snn2circuit.mapping import map_network
from snn2circuit.mapping.compensate import response_steps
from snn2circuit.netlist import build_circuit
from snn2circuit.neurons import NEURONS
from snn2circuit.neurons.alpha import Alpha
from snn2circuit.neurons.lapicque import Lapicque
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.neurons.synaptic import Synaptic

DRIVE = Drive(timing=Timing(), v_read=0.1, siemens_per_unit=1e-5, r_feedback=1e4, volts_per_unit=0.1)


@settings(max_examples=200, deadline=None)
@given(networks())
def test_the_network_is_snntorch_spike_for_spike(case: tuple[Network, np.ndarray]) -> None:
    network, inputs = case
    ours, judge = network.run(inputs), run_snntorch(network, inputs)
    for mine, theirs, spikes, fired in zip(ours.membranes, judge.membranes, ours.spikes, judge.spikes, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-10)
        assert (spikes == fired).all()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_every_neuron_is_what_it_would_be_alone(data: st.DataObject) -> None:
    neuron = data.draw(neurons(size=4))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    currents, alone = rng.normal(0.5, 1, (25, 3, 4)), [neuron_at(neuron, place) for place in range(4)]
    assert all(not varying(each) for each in alone)
    together, states = neuron.start((3, 4)), [each.start((3,)) for each in alone]
    for current in currents:
        together = neuron.advance(together, current)
        states = [each.advance(state, current[:, i]) for i, (each, state) in enumerate(zip(alone, states, strict=True))]
        for number, values in enumerate(together):
            np.testing.assert_array_equal(values, np.stack([state[number] for state in states], axis=1))
    low, high = rng.normal(-0.5, 1, 4), rng.normal(1.5, 1, 4)
    low, high = np.minimum(low, high), np.maximum(low, high)
    each_bound = [float(each.bound(a, b)) for each, a, b in zip(alone, low, high, strict=True)]
    np.testing.assert_array_equal(np.broadcast_to(neuron.bound(low, high), 4), each_bound)
    assert neuron.fastest(Timing()) == min(each.fastest(Timing()) for each in alone)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_state_exceeds_its_neurons_bound(data: st.DataObject) -> None:
    neuron = data.draw(neurons(size=3))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    low, width = rng.normal(0, 1.5, 3), rng.uniform(0, 4, 3)
    bound = neuron.bound(low, low + width)
    state = neuron.start((8, 3))
    for choice in rng.choice([0.0, 1.0, 0.4], size=(80, 8, 3)):
        state = neuron.advance(state, low + width * choice)
        assert all((np.abs(each).max(axis=0) <= bound * (1 + 1e-9) + 1e-12).all() for each in state)


def test_equal_numbers_are_one_and_all_are_float32() -> None:
    assert Leaky(beta=(0.3, 0.3), threshold=[2.0, 2.0]) == Leaky(beta=0.3, threshold=2.0)
    assert Leaky(beta=np.array([0.3, 0.7])).beta == (float(np.float32(0.3)), float(np.float32(0.7)))
    # Apart in float64, one number in float32.
    assert Leaky(beta=(0.3, 0.3 + 1e-12)) == Leaky(beta=0.3)
    assert tuple(Lapicque(beta=beta).C for beta in (0.9, 0.8)) == Lapicque(beta=(0.9, 0.8)).C
    assert len({Leaky(beta=(0.1, 0.2)), Leaky(beta=(0.1, 0.2)), Leaky(beta=(0.2, 0.1))}) == 2


def test_neurons_with_the_same_parameters_are_one_kind() -> None:
    kinds, places = distinct_neurons(Leaky(beta=(0.5, 0.9, 0.5, 0.5), threshold=(1.0, 1.0, 1.0, 2.0)), 4)
    assert places.tolist() == [0, 1, 0, 2]
    assert kinds == (Leaky(beta=0.5), Leaky(beta=0.9), Leaky(beta=0.5, threshold=2.0))
    assert distinct_neurons(Leaky(), 3)[0] == (Leaky(),)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Leaky(beta=(0.5, 1.2)), r"beta of neuron 1 is 1\.2.*; a leaky neuron needs 0 <= beta <= 1"),
        (lambda: Leaky(threshold=(1.0, 1.0, 0.0)), r"threshold of neuron 2 is 0\.0; .* finite and above 0"),
        (lambda: Leaky(threshold=(1.0, float("nan"))), "threshold of neuron 1 is nan"),
        (lambda: Leaky(beta=(0.1, 0.2), threshold=(1.0, 2.0, 3.0)), "beta has 2, threshold has 3"),
        (lambda: Leaky(beta=()), r"beta has shape \(0,\)"),
        (lambda: Leaky(beta=((0.1, 0.2), (0.3, 0.4))), r"beta has shape \(2, 2\)"),
        (lambda: Leaky(beta=(0.1, "x")), "beta holds something other than numbers"),
        (lambda: Leaky(capacitance=(1e-9, 2e-9)), "capacitance has 2 values; a leaky layer has one"),
        (lambda: Synaptic(alpha=(0.1, -0.2)), "alpha of neuron 1 is -0.2"),
        (lambda: Alpha(alpha=(0.9, 0.7), beta=(0.8, 0.7)), "neuron 1: alpha is 0.69.* and beta 0.69"),
        (lambda: Alpha(alpha=(0.9, 0.7)), "neuron 1: alpha is 0.69.* and beta 0.8"),
        (lambda: Lapicque(beta=(0.9, 1.0)), "beta of neuron 1 is 1.0; without C"),
        (lambda: Lapicque(beta=(0.9, 0.8), R=(1.0, 2.0, 3.0)), "2 and 3 neurons"),
        (lambda: Lapicque(R=(1.0, -1.0), C=2.0), "R of neuron 1 is -1"),
    ],
)
def test_impossible_parameters_are_refused_with_their_neuron(make: object, says: str) -> None:
    with pytest.raises(NetworkError, match=says):
        make()  # type: ignore[operator]


def test_a_wrong_number_of_values_is_refused_with_its_layer() -> None:
    three = Leaky(beta=(0.1, 0.2, 0.3))
    layers = (Layer(weight=np.ones((2, 3)), neuron=Leaky()), Layer(weight=np.ones((2, 2)), neuron=three))
    with pytest.raises(NetworkError, match="layer 2: beta has 3 values for 2 neurons"):
        Network(name="wrong", layers=layers, steps=3)
    crossbar = map_network(five(Leaky(), 0.5), DEVICES["printed_resistor_kit"])
    wrong = replace(crossbar.layers[1], neuron=Leaky(threshold=(1.0, 2.0)))
    with pytest.raises(MappingError, match="crossbar 2: threshold has 2 values for 5 neurons"):
        replace(crossbar, layers=(crossbar.layers[0], wrong, crossbar.layers[2]))


def test_a_cell_is_one_neurons() -> None:
    with pytest.raises(NetlistError, match="beta has 2 values, one per neuron"):
        Leaky(beta=(0.1, 0.2)).cell("cell", DRIVE)


def test_a_single_neuron_without_a_circuit_is_named() -> None:
    network = five(Lapicque(R=(5.0, 4.0, 0.5, 5.0, 6.0), C=1.5), 0.6)
    crossbar = map_network(network, DEVICES["printed_resistor_kit"], inputs=np.ones((1, 3)))
    with pytest.raises(NetlistError, match="lapicque_l1_n2: time_step 1 is not below"):
        build_circuit(crossbar, np.ones((4, 3)), "t")


@pytest.mark.parametrize("neuron", [neuron for neuron, _ in CASES], ids=lambda each: each.kind)
def test_files_hold_every_number(neuron: Neuron, tmp_path: Path) -> None:
    network = five(neuron, 0.5)
    save(network, tmp_path / "network.npz")
    again = load(tmp_path / "network.npz", Network, NEURONS)
    assert [each.neuron for each in again.layers] == [each.neuron for each in network.layers]
    assert fingerprint(again) == fingerprint(network)
    other = five(replace(neuron, threshold=(*(1.0,) * 4, 1.5)), 0.5)
    assert fingerprint(other) != fingerprint(network)


@pytest.mark.parametrize("beta", ['["0.5", 0.5]', "[]", "[[0.5], [0.6]]", "[null, 0.5]", "[true, 0.5]", "[0.5, 7.0]"])
def test_a_file_with_other_things_than_numbers_is_refused(beta: str, tmp_path: Path) -> None:
    save(five(Leaky(beta=(0.5, 0.6, 0.7, 0.8, 0.9)), 0.5), tmp_path / "good.npz")
    with zipfile.ZipFile(tmp_path / "good.npz") as good, zipfile.ZipFile(tmp_path / "bad.npz", "w") as bad:
        for info in good.infolist():
            data = good.read(info)
            if info.filename == "header.json":
                start = data.index(b'"beta": [')
                data = data[:start] + b'"beta": ' + beta.encode() + data[data.index(b"]", start) + 1 :]
            bad.writestr(info, data)
    with pytest.raises((FileFormatError, NetworkError), match="beta"):
        load(tmp_path / "bad.npz", Network, NEURONS)


def test_every_neurons_answer_is_known() -> None:
    steps, answers = response_steps(Lapicque(R=4.0, C=(2.0, 4.0)), 2)
    assert (steps, answers.tolist()) == (1, pytest.approx([0.5, 0.25]))
    alpha = Alpha(alpha=(0.9, 0.8), beta=0.5)
    steps, answers = response_steps(alpha, 2)
    assert steps == 2
    assert answers.tolist() == pytest.approx(
        [gain * (a - 0.5) for gain, a in zip(alpha.gain, alpha.alpha, strict=True)]
    )
