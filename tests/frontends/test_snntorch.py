"""Networks against snnTorch itself, and the modules that must be refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import snntorch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from snn2circuit.errors import NetworkError
from snn2circuit.frontends.snntorch import from_snntorch, run_snntorch, to_snntorch
from snn2circuit.ir.network import Layer, Network
from snn2circuit.ir.parts import Neuron
from snn2circuit.neurons import NEURONS
from snn2circuit.neurons.alpha import Alpha
from snn2circuit.neurons.lapicque import Lapicque
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.neurons.synaptic import Synaptic
from snn2circuit.training.models import SpikingNet
from snn2circuit.training.recipe import ENGINES


def read(module: nn.Module, **options: object) -> Network:
    return from_snntorch(module, neurons=NEURONS, name="net", steps=10, **options)


def pair(inputs: int = 3, outputs: int = 2, **settings: object) -> list[nn.Module]:
    return [nn.Linear(inputs, outputs), snntorch.Leaky(**{"beta": 0.9, **settings})]


def shares(low: float = 0.0, high: float = 1.0) -> st.SearchStrategy[float]:
    return st.one_of(st.sampled_from([low, (low + high) / 2, high]), st.floats(low, high))


@st.composite
def neurons(draw: st.DrawFn) -> Neuron:
    """Any of the four, with any parameters snnTorch takes."""
    common = {
        "threshold": draw(st.one_of(st.just(1.0), st.floats(0.05, 4))),
        "reset_mechanism": draw(st.sampled_from(["subtract", "zero", "none"])),
    }
    match draw(st.sampled_from(list(NEURONS))):
        case "lapicque":
            if draw(st.booleans()):
                return Lapicque(beta=draw(shares(0.4, 0.99)), **common)
            return Lapicque(
                R=draw(st.floats(0.5, 5)), C=draw(st.floats(0.5, 5)), time_step=draw(shares(0.01, 0.3)), **common
            )
        case "synaptic":
            return Synaptic(alpha=draw(shares()), beta=draw(shares()), **common)
        case "alpha":
            beta = draw(shares(0.05, 0.8))
            return Alpha(alpha=draw(shares(beta + 0.05, 1.0)), beta=beta, **common)
    return Leaky(beta=draw(st.one_of(st.sampled_from([0.9, 0.99]), shares())), **common)


@st.composite
def networks(draw: st.DrawFn) -> tuple[Network, np.ndarray]:
    """A random network with one neuron setting per layer, and inputs that vary from step to step."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = draw(st.lists(st.integers(1, 6), min_size=2, max_size=4))
    layers = []
    for inputs, outputs in itertools.pairwise(sizes):
        neuron = draw(neurons())
        bias = random.normal(size=outputs) * 0.3 if draw(st.booleans()) else None
        layers.append(Layer(weight=random.normal(size=(outputs, inputs)), bias=bias, neuron=neuron))
    steps = draw(st.integers(1, 30))
    network = Network(name="random", layers=tuple(layers), steps=steps)
    return network, random.normal(0.3, 1, size=(draw(st.integers(1, 4)), steps, sizes[0]))


@given(networks())
@settings(max_examples=150, deadline=None)
def test_network_equals_snntorch_in_float64(case: tuple[Network, np.ndarray]) -> None:
    network, inputs = case
    ours, judge = network.run(inputs), run_snntorch(network, inputs)
    for mine, theirs, spikes, fired in zip(ours.membranes, judge.membranes, ours.spikes, judge.spikes, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-11, atol=1e-11)
        assert (spikes == fired).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_learnt_parameters_are_read_and_spike_the_same(engine: str) -> None:
    parts = (
        Leaky(beta=0.8, threshold=0.5),
        Synaptic(alpha=0.5, beta=0.7, threshold=0.6, reset_mechanism="zero"),
        Alpha(alpha=0.9, beta=0.5, threshold=0.4, reset_mechanism="none"),
        Leaky(beta=0.95, threshold=0.5),
    )
    torch.manual_seed(3)
    module = SpikingNet((5, 9, 8, 7, 3), parts, steps=12, engine=engine, learn_beta=True, learn_threshold=True)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
    samples = torch.rand(20, 5) * 3
    for _ in range(5):
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(samples)[1].sum(0), torch.arange(20) % 3).backward()
        optimizer.step()
    network = from_snntorch(module, neurons=NEURONS, name="learnt", steps=12)
    for part, layer in zip(parts, network.layers, strict=True):
        assert layer.neuron.threshold != part.threshold
        assert layer.neuron.beta != part.beta
    module.double()
    with torch.no_grad():
        spikes, membranes = (each.numpy().transpose(1, 0, 2) for each in SpikingNet._fused(module, samples.double()))
    activity = network.run(network.encode(samples.numpy()))
    np.testing.assert_allclose(activity.membranes[-1], membranes, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(activity.spikes[-1], spikes > 0)
    judge = run_snntorch(network, network.encode(samples.numpy()))
    assert [spike.mean() > 0.02 for spike in judge.spikes] == [True] * 4
    for mine, theirs in zip(activity.spikes, judge.spikes, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_judge_spikes_and_resets_are_not_vacuous() -> None:
    layers = [
        Layer(weight=[[1.0]], neuron=Leaky(beta=0.5, threshold=0.75, reset_mechanism=reset))
        for reset in ("subtract", "zero", "none")
    ]
    # By hand, drive 0.5: 0.5, 0.75 (not above), 0.875 spikes, then minus 0.75 / from zero / on.
    expected = {"subtract": 0.1875, "zero": 0.5, "none": 0.9375}
    for layer in layers:
        activity = run_snntorch(Network(name="one", layers=(layer,), steps=4), np.full((1, 4, 1), 0.5))
        assert activity.membranes[0].ravel().tolist() == [0.5, 0.75, 0.875, expected[layer.neuron.reset_mechanism]]
        assert activity.spikes[0].ravel().tolist() == [False, False, True, layer.neuron.reset_mechanism == "none"]


def test_sequential_with_hidden_state_after_it_has_run_and_learnt() -> None:
    module = nn.Sequential(
        nn.Flatten(),
        *pair(4, 3, beta=0.8, threshold=0.5, init_hidden=True, reset_mechanism="zero"),
        nn.Dropout(0.5),
        *pair(3, 2, beta=0.25, init_hidden=True, output=True, learn_beta=True),
    )
    _, membranes = module(torch.rand(5, 2, 2))
    membranes.sum().backward()
    network = read(module, circuit={"capacitance": 1e-6})
    assert network.sizes == (4, 3, 2)
    assert network.layers[0].neuron == Leaky(beta=0.8, threshold=0.5, reset_mechanism="zero", capacitance=1e-6)
    assert network.layers[1].neuron == Leaky(beta=0.25, capacitance=1e-6)
    assert network.layers[0].neuron.beta == float(np.float32(0.8))
    np.testing.assert_array_equal(network.layers[1].bias, module[4].bias.detach().numpy())
    assert module[2].mem.shape == (5, 3), "the neuron's own state must be left alone"


def test_a_users_own_class() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1 = nn.Linear(4, 3, bias=False)
            self.lif1 = snntorch.Leaky(beta=0.9)
            self.head = nn.Sequential(*pair(3, 2, threshold=2.0))

    network = read(Net())
    assert network.sizes == (4, 3, 2)
    assert network.layers[0].bias is None
    assert network.layers[1].neuron.threshold == 2.0


def test_learnt_decay_beyond_1_is_what_snntorch_makes_of_it() -> None:
    assert read(nn.Sequential(*pair(beta=1.2))).layers[0].neuron.beta == 1.0
    assert read(nn.Sequential(*pair(beta=-0.1))).layers[0].neuron.beta == 0.0


def test_there_and_back_changes_nothing() -> None:
    random = np.random.default_rng(1)
    network = Network(
        name="net",
        steps=10,
        layers=(
            Layer(weight=random.normal(size=(3, 2)), bias=random.normal(size=3), neuron=Leaky(beta=0.7, threshold=1.5)),
            Layer(weight=random.normal(size=(2, 3)), neuron=Leaky(beta=1.0, reset_mechanism="none")),
        ),
    )
    before = torch.get_rng_state()
    again = read(to_snntorch(network))
    assert torch.equal(torch.get_rng_state(), before)
    for old, new in zip(network.layers, again.layers, strict=True):
        np.testing.assert_array_equal(old.weight, new.weight)
        assert (old.bias is None) == (new.bias is None)
        assert old.neuron == new.neuron


def test_inputs_of_another_shape_are_refused() -> None:
    with pytest.raises(NetworkError, match=r"takes \(samples, steps, 3\)"):
        run_snntorch(read(nn.Sequential(*pair())), np.zeros((1, 4, 2)))


class Louder(snntorch.Leaky):
    """A subclass may do anything."""


def changed_after(**attributes: object) -> nn.Module:
    linear, neuron = pair()
    for name, value in attributes.items():
        setattr(neuron, name, value)
    return nn.Sequential(linear, neuron)


def with_weight(value: float) -> nn.Module:
    linear, neuron = pair()
    with torch.no_grad():
        linear.weight[1, 2] = value
    return nn.Sequential(linear, neuron)


def shared_neuron() -> nn.Module:
    first, neuron = pair(2, 2)
    return nn.Sequential(first, neuron, nn.Linear(2, 2), neuron)


REFUSED = {
    "threshold of 0": (lambda: nn.Sequential(*pair(threshold=0.0)), "1: threshold is 0.0"),
    "no reset delay": (lambda: nn.Sequential(*pair(reset_delay=False)), "1: reset_delay is False"),
    "graded spikes": (
        lambda: nn.Sequential(*pair(graded_spikes_factor=2.0)),
        "1: graded_spikes_factor is not 1 in the last",
    ),
    "quantised state": (lambda: nn.Sequential(*pair(state_quant=torch.round)), "1: state_quant is"),
    "convolution": (lambda: nn.Sequential(nn.Conv2d(1, 1, 3), snntorch.Leaky(beta=0.9)), "give input_shape="),
    "activation": (
        lambda: nn.Sequential(nn.Linear(2, 2), nn.ReLU(), snntorch.Leaky(beta=0.9)),
        "relu .in 1 .ReLU.* between the input and 2",
    ),
    "attention": (lambda: nn.Sequential(nn.MultiheadAttention(2, 1)), "holds no snnTorch neuron"),
    "linear at the end": (
        lambda: nn.Sequential(*pair(), nn.Linear(2, 2)),
        "linear .in 2 .Linear.* behind spikes of 1 has no neuron",
    ),
    "linears that do not meet": (
        lambda: nn.Sequential(nn.Linear(2, 3), *pair()[1:], *pair(2, 2)),
        r"run on inputs of shape .3, 2.: in 2 .Linear.",
    ),
    "neuron first": (lambda: nn.Sequential(snntorch.Leaky(beta=0.9)), "does not say what it takes"),
    "recurrent": (
        lambda: nn.Sequential(nn.Linear(2, 2), snntorch.RLeaky(beta=0.9, all_to_all=False)),
        "no circuit for .*RLeaky",
    ),
    "subclass of a neuron": (lambda: nn.Sequential(nn.Linear(2, 2), Louder(beta=0.9)), "no circuit for .*Louder"),
    "empty": (nn.Sequential, "holds no snnTorch neuron"),
    "same neuron twice": (shared_neuron, "1 in step 2 .* gets spikes of 1 of step 1: recurrence"),
    "NaN weight": (lambda: with_weight(float("nan")), r"layer 1: weight at \(1, 2\) is nan"),
    "infinite weight": (lambda: with_weight(float("inf")), r"layer 1: weight at \(1, 2\) is inf"),
    "sizes that do not meet": (
        lambda: nn.Sequential(*pair(3, 2), *pair(3, 2)),
        "in 2 .Linear.",
    ),
    # snnTorch keeps the update it was made with, whatever the setting says later.
    "reset changed later": (
        lambda: changed_after(reset_mechanism="zero"),
        "1: its settings read as .* behaves otherwise",
    ),
    "spikes changed later": (
        lambda: changed_after(spike_grad=lambda shifted: (shifted > 0.1).float()),
        "1: its settings read as .* behaves otherwise",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    build, reason = REFUSED[case]
    with pytest.raises(NetworkError, match=reason):
        read(build())


@pytest.mark.filterwarnings("ignore:Inhibition is an unstable feature")
def test_inhibition_is_refused() -> None:
    with pytest.raises(NetworkError, match="1: inhibition is True"):
        read(nn.Sequential(*pair(inhibition=True)))


def test_unknown_circuit_value_is_refused() -> None:
    for name in ("inductance", "beta"):
        with pytest.raises(NetworkError, match=f"no circuit value '{name}'; it has capacitance"):
            read(nn.Sequential(*pair()), circuit={name: 1.0})


def test_every_neuron_of_the_package_is_read_from_snntorch() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Linear(3, 4),
        snntorch.Lapicque(beta=0.9, reset_mechanism="zero", init_hidden=True),
        nn.Linear(4, 4),
        snntorch.Lapicque(R=5.0, C=1.5, time_step=0.5, init_hidden=True),
        nn.Linear(4, 4),
        snntorch.Synaptic(alpha=0.7, beta=0.8, threshold=0.5, init_hidden=True),
        nn.Linear(4, 2),
        snntorch.Alpha(alpha=0.9, beta=0.6, init_hidden=True, output=True),
    )
    network = from_snntorch(module, neurons=NEURONS, name="all", steps=20)
    assert [layer.neuron.kind for layer in network.layers] == ["lapicque", "lapicque", "synaptic", "alpha"]
    inputs = np.random.default_rng(0).uniform(0, 3, (2, 20, 3))
    ours, theirs = network.run(inputs), run_snntorch(network, inputs)
    # The module itself, in double precision, is the judge of both.
    module.double()
    with torch.no_grad():
        for step in range(20):
            signal: object = torch.from_numpy(inputs[:, step])
            for child in module:
                # snnTorch gives spikes as float32 whatever the membrane is.
                answer = child(signal.double())  # type: ignore[attr-defined]
                signal, *_, membrane = answer if isinstance(answer, tuple) else (answer, answer)
            np.testing.assert_allclose(ours.membranes[-1][:, step], membrane.numpy(), rtol=1e-9, atol=1e-9)
    for a, b in zip(ours.spikes, theirs.spikes, strict=True):
        np.testing.assert_array_equal(a, b)
