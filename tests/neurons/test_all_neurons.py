"""All neurons: the model is snnTorch's, spike for spike, and no state ever exceeds its bound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snn2circuit.errors import NetlistError, NetworkError
from snn2circuit.frontends.snntorch import run_snntorch
from snn2circuit.ir.network import Layer, Network
from snn2circuit.ir.parts import Drive, Neuron
from snn2circuit.ir.timing import Timing
from snn2circuit.neurons import NEURONS
from snn2circuit.neurons.alpha import Alpha
from snn2circuit.neurons.lapicque import Lapicque
from snn2circuit.neurons.synaptic import Synaptic

share = st.floats(0.0, 0.999)
common = {"threshold": st.floats(0.1, 3), "reset_mechanism": st.sampled_from(["subtract", "zero", "none"])}
neurons: st.SearchStrategy[Neuron] = st.one_of(
    st.builds(NEURONS["leaky"], beta=share, **common),
    st.builds(Lapicque, beta=st.floats(0.05, 0.99), **common),
    st.builds(Lapicque, R=st.floats(0.5, 9), C=st.floats(0.2, 9), time_step=st.floats(0.1, 2), **common),
    st.builds(Synaptic, alpha=share, beta=share, **common),
    st.tuples(st.floats(0.02, 0.999), share, st.fixed_dictionaries(common)).filter(lambda t: t[0] > t[1] + 0.01).map(
        lambda t: Alpha(alpha=t[0], beta=t[1], **t[2])
    ),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(hidden=neurons, output=neurons, seed=st.integers(0, 2**32 - 1))
def test_the_model_is_snntorch_spike_for_spike(hidden: Neuron, output: Neuron, seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = Network(
        name="any",
        layers=(
            Layer(weight=rng.normal(0.3, 0.8, (5, 3)), bias=rng.normal(0, 0.2, 5), neuron=hidden),
            Layer(weight=rng.normal(0.2, 0.8, (2, 5)), neuron=output),
        ),
        steps=15,
    )
    inputs = rng.uniform(-0.5, 1.5, (2, 15, 3))
    ours, theirs = network.run(inputs), run_snntorch(network, inputs)
    for index in range(2):
        np.testing.assert_allclose(ours.membranes[index], theirs.membranes[index], rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(ours.spikes[index], theirs.spikes[index])


@settings(max_examples=200, deadline=None)
@given(neuron=neurons, low=st.floats(-3, 3), width=st.floats(0, 4), seed=st.integers(0, 2**32 - 1))
def test_no_state_exceeds_the_bound(neuron: Neuron, low: float, width: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    choice = rng.choice([0.0, 1.0, rng.random()], size=(150, 8))
    bound = float(neuron.bound(np.array(low), np.array(low + width)))
    state = neuron.start((8,))
    for step in range(150):
        state = neuron.advance(state, low + width * choice[step])
        assert max(float(np.abs(each).max()) for each in state) <= bound * (1 + 1e-9) + 1e-12


def test_lapicque_by_beta_is_the_euler_step_of_snntorch() -> None:
    neuron = Lapicque(beta=0.95)
    assert neuron.decay == pytest.approx(0.948707, abs=1e-6)
    assert neuron.gain == pytest.approx(0.051293, abs=1e-6)


DRIVE = Drive(timing=Timing(), v_read=0.1, siemens_per_unit=1e-5, r_feedback=1e4, volts_per_unit=0.1)


def test_what_no_circuit_can_do_is_refused_with_the_reason() -> None:
    with pytest.raises(NetlistError, match="a passive RC keeps more than 0"):
        Lapicque(R=1.0, C=0.5).cell("l1", DRIVE)
    with pytest.raises(NetlistError, match="no circuit; train with zero or none"):
        Alpha(reset_mechanism="subtract").cell("l1", DRIVE)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Alpha(alpha=0.5, beta=0.5), "alpha above beta"),
        (lambda: Alpha(alpha=1.5), "0 <= alpha <= 1"),
        (lambda: Synaptic(alpha=-0.1), "0 <= alpha <= 1"),
        (lambda: Synaptic(threshold=0), "threshold is 0"),
        (lambda: Lapicque(R=-1.0, C=2.0), "R is -1"),
        (lambda: Lapicque(beta=1.0), "0 < beta < 1"),
        (lambda: Lapicque(reset_mechanism="half"), "subtract, zero, none"),
    ],
)
def test_impossible_parameters_are_refused(make: object, says: str) -> None:
    with pytest.raises(NetworkError, match=says):
        make()  # type: ignore[operator]


@pytest.mark.parametrize("name", NEURONS)
def test_every_neuron_keeps_the_contract(name: str) -> None:
    neuron = NEURONS[name]()
    assert neuron.kind == name
    cell = neuron.cell("cell_l1", DRIVE)
    assert cell.ports == ("bit_pos", "bit_neg", "phi", "sample", "latch", "discharge", "mem", "spike")
    assert all(block.comment for block in cell.blocks)
    assert neuron.footprint().width_nm > 0
    assert all(each.shape == (2, 3) and not each.any() for each in neuron.start((2, 3)))
