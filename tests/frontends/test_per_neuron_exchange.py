"""Neurons with parameters of their own: read from snnTorch, given back to it, and in files of other programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import snntorch
import torch
from torch import nn

from snn2circuit.errors import NetworkError
from snn2circuit.frontends.nir_read import read_nir
from snn2circuit.frontends.nir_write import write_nir
from snn2circuit.frontends.snntorch import from_snntorch, run_snntorch, to_snntorch
from snn2circuit.frontends.snntrainer3d import write_snntrainer3d
from snn2circuit.ir.files import fingerprint
from snn2circuit.ir.layer import ConvLayer
from snn2circuit.ir.linear import Conv2d
from snn2circuit.ir.network import Layer, Network
from snn2circuit.ir.parts import Neuron
from snn2circuit.neurons import NEURONS
from snn2circuit.neurons.alpha import Alpha
from snn2circuit.neurons.lapicque import Lapicque
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.neurons.synaptic import Synaptic
from snn2circuit.training.models import SpikingNet

A, B, THRESHOLD = torch.tensor([0.9, 0.8, 0.95]), torch.tensor([0.5, 0.7, 0.6]), torch.tensor([0.5, 1.0, 0.7])


def lapicque(**settings: object) -> nn.Module:
    """One with capacitances of its own, which snnTorch only takes afterwards."""
    neuron = snntorch.Lapicque(R=2.0, C=1.5, threshold=THRESHOLD, **settings)
    neuron.C = torch.tensor([1.5, 2.0, 0.9])
    return neuron


MODULES: dict[str, Callable[..., nn.Module]] = {
    "leaky": lambda **settings: snntorch.Leaky(beta=A, threshold=THRESHOLD, **settings),
    "leaky, threshold alone": lambda **settings: snntorch.Leaky(beta=0.8, threshold=THRESHOLD, **settings),
    "leaky, learnt": lambda **settings: snntorch.Leaky(beta=A, learn_beta=True, learn_threshold=True, **settings),
    "leaky, a row": lambda **settings: snntorch.Leaky(beta=A[None], **settings),
    "lapicque": lapicque,
    "synaptic": lambda **settings: snntorch.Synaptic(alpha=B, beta=A, threshold=THRESHOLD, **settings),
    "alpha": lambda **settings: snntorch.Alpha(alpha=A, beta=B, threshold=THRESHOLD, **settings),
}


@pytest.mark.parametrize("reset", ["subtract", "zero", "none"])
@pytest.mark.parametrize("name", MODULES)
def test_a_module_with_values_for_each_neuron_is_read_as_it_spikes(name: str, reset: str) -> None:
    torch.manual_seed(1)
    settings = {"init_hidden": True, "reset_mechanism": reset}
    outputs = snntorch.Leaky(beta=0.9, init_hidden=True)
    module = nn.Sequential(nn.Linear(4, 3), MODULES[name](**settings), nn.Linear(3, 2), outputs)
    network = from_snntorch(module, neurons=NEURONS, name="own", steps=25)
    inputs = np.random.default_rng(0).uniform(0, 3, (3, 25, 4))
    found, judge = network.run(inputs).spikes[0], run_snntorch(network, inputs).spikes[0]
    module.double()
    with torch.no_grad():
        for step in range(25):
            fired = module[1](module[0](torch.from_numpy(inputs[:, step]))).numpy() > 0
            np.testing.assert_array_equal(found[:, step], fired)
            np.testing.assert_array_equal(judge[:, step], fired)
    again = from_snntorch(to_snntorch(network), neurons=NEURONS, name="own", steps=25)
    assert [layer.neuron for layer in again.layers] == [layer.neuron for layer in network.layers]


def test_equal_values_are_one_number() -> None:
    neuron = snntorch.Leaky(beta=torch.full((3,), 0.9), threshold=torch.ones(3))
    network = from_snntorch(nn.Sequential(nn.Linear(2, 3), neuron), neurons=NEURONS, name="equal", steps=4)
    assert network.layers[0].neuron == Leaky(beta=0.9)


def test_decays_are_clamped_one_by_one() -> None:
    neuron = snntorch.Leaky(beta=torch.tensor([1.2, 0.5, -0.1]))
    network = from_snntorch(nn.Sequential(nn.Linear(2, 3), neuron), neurons=NEURONS, name="clamped", steps=4)
    assert network.layers[0].neuron == Leaky(beta=(1.0, 0.5, 0.0))


def test_values_for_each_channel_are_values_for_each_of_its_neurons() -> None:
    torch.manual_seed(0)
    beta = torch.tensor([0.9, 0.3]).reshape(2, 1, 1)
    module = nn.Sequential(nn.Conv2d(1, 2, 2), snntorch.Leaky(beta=beta, threshold=0.3, init_hidden=True))
    network = from_snntorch(module, neurons=NEURONS, name="conv", steps=12, input_shape=(1, 3, 4))
    (layer,) = network.layers
    assert layer.neuron.beta == tuple(float(np.float32(each)) for each in [0.9] * 6 + [0.3] * 6)
    inputs = np.random.default_rng(0).uniform(0, 3, (2, 12, 12))
    module.double()
    with torch.no_grad():
        for step, spikes in enumerate(network.run(inputs).spikes[0].transpose(1, 0, 2)):
            fired = module(torch.from_numpy(inputs[:, step].reshape(2, 1, 3, 4))).reshape(2, -1).numpy() > 0
            np.testing.assert_array_equal(spikes, fired)


def test_another_number_of_values_is_refused() -> None:
    module = nn.Sequential(nn.Linear(2, 4), snntorch.Leaky(beta=A))
    with pytest.raises(NetworkError, match=r"forward could not be run on inputs .*\(3\) must match .* \(4\)"):
        from_snntorch(module, neurons=NEURONS, name="wrong", steps=4)
    with pytest.raises(NetworkError, match="layer 1: beta has 2 values for 4 neurons"):
        SpikingNet((3, 4), [Leaky(beta=(0.5, 0.6))], steps=4)


@pytest.mark.parametrize("engine", ["fused", "snntorch"])
@pytest.mark.parametrize("learn", [False, True])
def test_a_network_trains_from_values_of_its_own(learn: bool, engine: str) -> None:
    parts = (Leaky(beta=(0.9, 0.8, 0.7, 0.6), threshold=(0.5, 0.6, 0.7, 0.8)), Lapicque(R=(5.0, 4.0), C=1.5))
    torch.manual_seed(3)
    module = SpikingNet((5, 4, 2), parts, steps=10, engine=engine, learn_threshold=learn)
    samples = torch.rand(10, 5) * 3
    module(samples)[1].sum().backward()
    torch.optim.SGD(module.parameters(), lr=1e-3).step()
    network = from_snntorch(module, neurons=NEURONS, name="trained", steps=10)
    assert (network.layers[0].neuron.threshold != parts[0].threshold) == learn
    assert network.layers[0].neuron.beta == parts[0].beta
    assert network.layers[1].neuron.R == parts[1].R


def dense(neuron: Neuron) -> Network:
    rng = np.random.default_rng(2)
    layers = (
        Layer(weight=rng.normal(0.4, 0.5, (3, 4)), neuron=neuron),
        Layer(weight=rng.normal(0.6, 0.5, (2, 3)), neuron=Leaky(beta=0.9, reset_mechanism="zero")),
    )
    return Network(name="own", layers=layers, steps=20)


@pytest.mark.parametrize("rule", ["exact", "euler"])
@pytest.mark.parametrize(
    "neuron",
    [
        Leaky(beta=(0.9, 0.5, 0.7), threshold=(1.0, 0.5, 0.8), reset_mechanism="zero"),
        Leaky(beta=(0.9, 0.5, 0.7), reset_mechanism="subtract"),
        Lapicque(R=(5.0, 4.0, 3.0), C=(1.5, 1.0, 2.0), threshold=0.4, reset_mechanism="none"),
        Synaptic(alpha=(0.6, 0.5, 0.4), beta=(0.9, 0.8, 0.7), reset_mechanism="none"),
        Alpha(alpha=(0.9, 0.8, 0.7), beta=(0.5, 0.6, 0.4), threshold=(0.3, 0.4, 0.5)),
    ],
    ids=lambda each: getattr(each, "kind", None),
)
def test_nir_there_and_back(neuron: Neuron, rule: str, tmp_path: Path) -> None:
    network = dense(neuron)
    write_nir(network, tmp_path / "n.nir", discretisation=rule, approximate=True)
    assert fingerprint(read_nir(tmp_path / "n.nir", neurons=NEURONS).network) == fingerprint(network)


def test_a_decay_that_nir_cannot_hold_is_named(tmp_path: Path) -> None:
    network = dense(Leaky(beta=(0.9, 1.0, 0.5), reset_mechanism="zero"))
    with pytest.raises(NetworkError, match="layer 1: a decay of neuron 1 of 1 per step has no time constant"):
        write_nir(network, tmp_path / "n.nir")


def test_snntrainer3d_has_one_number_for_a_layer(tmp_path: Path) -> None:
    layers = (Layer(weight=np.ones((2, 3)), neuron=Leaky(beta=(0.9, 0.8), threshold=(1.0, 2.0))),)
    with pytest.raises(NetworkError, match="layer 1 has beta and threshold of its own for each neuron; SNNtrainer3D"):
        write_snntrainer3d(Network(name="own", layers=layers, steps=3), tmp_path / "w.json", approximate=True)


def test_a_convolution_is_given_to_snntorch_neuron_by_neuron() -> None:
    rng = np.random.default_rng(0)
    maps = (Conv2d(weight=rng.normal(0.05, 0.3, (2, 1, 2, 2))),)
    neuron = Leaky(beta=tuple(rng.uniform(0.2, 0.95, 12)), threshold=tuple(rng.uniform(0.3, 1, 12)))
    network = Network(name="conv", layers=(ConvLayer(shape=(1, 3, 4), maps=maps, neuron=neuron),), steps=12)
    inputs = rng.uniform(0, 2, (2, 12, 12))
    ours, judge = network.run(inputs), run_snntorch(network, inputs)
    assert 0.05 < ours.spikes[0].mean() < 0.95
    np.testing.assert_array_equal(ours.spikes[0], judge.spikes[0])
    again = from_snntorch(to_snntorch(network), neurons=NEURONS, name="conv", steps=12, input_shape=(12,))
    assert again.layers[0].neuron == neuron
