"""Convolutional snnTorch modules: read, run, unrolled and written back, judged by the module itself."""

from __future__ import annotations

import numpy as np
import pytest
import snntorch
import torch
from torch import nn

from snn2circuit.errors import NetworkError
from snn2circuit.frontends.snntorch import from_snntorch, run_snntorch, to_snntorch
from snn2circuit.ir.layer import ConvLayer, Layer
from snn2circuit.ir.linear import AvgPool2d, Conv2d, Dense, Scale, SumPool2d
from snn2circuit.ir.network import Network
from snn2circuit.mapping import lower_network
from snn2circuit.neurons import NEURONS
from snn2circuit.neurons.leaky import Leaky


def read(module: nn.Module, **options: object) -> Network:
    return from_snntorch(module, neurons=NEURONS, name="conv", steps=10, **options)


def neuron(**options: object) -> nn.Module:
    return snntorch.Leaky(**{"beta": 0.8, "init_hidden": True, **options})


def a_net() -> nn.Sequential:
    """Every linear module in one network: grouped, strided, dilated, padded; mean, sum twice; shapes in between."""
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding="same", groups=2),
        neuron(threshold=0.15),
        nn.AvgPool2d(2),
        nn.Conv2d(4, 6, (2, 3), stride=(1, 2), dilation=(2, 1), padding=(1, 0), bias=False),
        neuron(threshold=0.05, reset_mechanism="zero"),
        nn.LPPool2d(1, (2, 1), stride=1),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(12, 8),
        neuron(threshold=0.1),
        nn.Unflatten(1, (2, 2, 2)),
        nn.AvgPool2d(2, stride=1, padding=1, divisor_override=1),
        nn.Flatten(),
        nn.Linear(18, 3),
        neuron(threshold=0.15, output=True),
    ).eval()  # fmt: skip


def by_hand(module: nn.Sequential, inputs: np.ndarray) -> np.ndarray:
    """Output membranes of the module itself in double precision, ``(samples, steps, outputs)``."""
    module.double()
    membranes = []
    with torch.no_grad():
        for step in range(inputs.shape[1]):
            signal: torch.Tensor = torch.from_numpy(inputs[:, step])
            for child in module:
                answer = child(signal.double())
                signal = answer[0] if isinstance(answer, tuple) else answer
            membranes.append(answer[-1].numpy())
    return np.stack(membranes, axis=1)


def test_the_network_runs_as_the_module_does() -> None:
    module = a_net()
    network = read(module, input_shape=(2, 6, 6))
    assert network.sizes == (72, 144, 18, 8, 3)
    kinds = [[type(each) for each in layer.maps] if isinstance(layer, ConvLayer) else Layer for layer in network.layers]
    assert kinds == [[Conv2d], [AvgPool2d, Conv2d], [SumPool2d, Dense], [SumPool2d, Dense]]
    images = np.random.default_rng(0).uniform(-0.5, 1.5, (3, 15, 2, 6, 6))
    ours = network.run(images.reshape(3, 15, 72))
    np.testing.assert_allclose(ours.membranes[-1], by_hand(module, images), rtol=1e-6, atol=1e-6)
    for other in (
        run_snntorch(network, images.reshape(3, 15, 72)),
        lower_network(network).run(images.reshape(3, 15, 72)),
    ):
        for mine, theirs in zip(ours.spikes, other.spikes, strict=True):
            assert 0.02 < mine.mean() < 0.95
            np.testing.assert_array_equal(mine, theirs)


def test_there_and_back_keeps_the_chain() -> None:
    network = read(a_net(), input_shape=(2, 6, 6))
    before = torch.get_rng_state()
    again = read(to_snntorch(network))
    assert torch.equal(torch.get_rng_state(), before)
    for old, new in zip(network.layers, again.layers, strict=True):
        assert isinstance(old, ConvLayer)
        assert isinstance(new, ConvLayer)
        assert (old.shape, old.neuron) == (new.shape, new.neuron)
        assert list(map(type, old.maps)) == list(map(type, new.maps))
        for (name, mine), (_, theirs) in zip(old.arrays(), new.arrays(), strict=True):
            np.testing.assert_array_equal(mine, theirs, err_msg=name)


def test_two_matrices_in_a_row_are_one_layer() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2), neuron(output=True))
    network = read(module)
    inputs = np.random.default_rng(0).uniform(-2, 4, (2, 12, 3))
    np.testing.assert_allclose(network.run(inputs).membranes[-1], by_hand(module, inputs), rtol=1e-6, atol=1e-6)


def test_what_torch_cannot_say_is_written_as_a_matrix() -> None:
    maps = (Scale(scale=[[[0.5, 2.0]]]), Conv2d(weight=np.ones((1, 1, 1, 2))))
    network = Network(name="s", layers=(ConvLayer(shape=(1, 1, 2), maps=maps, neuron=Leaky()),), steps=1)
    linear = to_snntorch(network)[0]
    assert isinstance(linear, nn.Linear)
    np.testing.assert_array_equal(linear.weight.detach().numpy(), [[0.5, 2.0]])


def conv(*arguments: object, **options: object) -> nn.Module:
    return nn.Sequential(nn.Conv2d(*arguments, **options), neuron())


def pool(*arguments: object, **options: object) -> nn.Module:
    return nn.Sequential(nn.AvgPool2d(*arguments, **options), neuron())


def small(*modules: nn.Module) -> nn.Module:
    return nn.Sequential(*modules, neuron())


# What no map of ours holds is a matrix.
MATRICES = {
    "reflected padding": lambda: conv(1, 1, 3, padding=1, padding_mode="reflect"),
    "same padding of an even kernel": lambda: conv(1, 1, 2, padding="same"),
    "hanging windows": lambda: pool(4, ceil_mode=True),
    "uncounted padding": lambda: pool(3, 1, 1, count_include_pad=False),
    "another divisor": lambda: pool(3, divisor_override=5),
    "an image row by row": lambda: small(nn.Conv2d(1, 1, 3), nn.Linear(4, 2)),
    "half a flatten": lambda: small(nn.Flatten(2), nn.Linear(36, 2)),
    "a constant before padding": lambda: small(shifted_norm(1), nn.Conv2d(1, 2, 3, padding=1)),
}


def shifted_norm(channels: int) -> nn.Module:
    norm = nn.BatchNorm2d(channels)
    norm.running_mean.fill_(0.3)
    return norm


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("case", MATRICES)
def test_read_as_a_matrix(case: str) -> None:
    torch.manual_seed(1)
    module = MATRICES[case]().eval()
    network = read(module, input_shape=(1, 6, 6))
    assert isinstance(network.layers[0], Layer)
    images = np.random.default_rng(0).uniform(-0.5, 1.5, (3, 12, 1, 6, 6))
    module.double()
    module[-1].output = True
    theirs = by_hand(module, images).reshape(3, 12, -1)
    np.testing.assert_allclose(network.run(images.reshape(3, 12, 36)).membranes[0], theirs, rtol=1e-9, atol=1e-9)


def test_norms_and_scales_fold_into_kernels() -> None:
    torch.manual_seed(1)
    norm = shifted_norm(3)
    module = small(nn.Conv2d(1, 3, 3, padding=1), norm, nn.AvgPool2d(2), nn.Dropout3d(0.5)).eval()
    layer = read(module, input_shape=(1, 6, 6)).layers[0]
    assert isinstance(layer, ConvLayer)
    assert [type(each) for each in layer.maps] == [Conv2d, AvgPool2d]
    share = 1 / np.sqrt(1 + norm.eps)
    np.testing.assert_allclose(layer.maps[0].weight, share * module[0].weight.detach().double().numpy(), rtol=1e-14)


REFUSED = {
    "other channels": (lambda: conv(3, 1, 3), "run on inputs of shape .* in 0 .Conv2d."),
    "maximum": (lambda: nn.Sequential(nn.MaxPool2d(2), neuron()), "max_pool2d .in 0 .MaxPool2d.*: the maximum is not"),
    "another norm": (lambda: nn.Sequential(nn.LPPool2d(2, 2), neuron()), "lp_pool2d .*only norm 1"),
    "sizes": (lambda: nn.Sequential(nn.Flatten(), nn.Unflatten(1, (1, 5, 5)), *conv(1, 1, 1)), "in 1 .Unflatten."),
    "image too small": (lambda: conv(1, 1, 9), "in 0 .Conv2d.* Kernel size can't be greater"),
    "convolution at the end": (
        lambda: nn.Sequential(*conv(1, 1, 3), nn.Conv2d(1, 1, 2)),
        "conv2d .in 2 .Conv2d.* behind spikes of 1 has no neuron",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    build, reason = REFUSED[case]
    with pytest.raises(NetworkError, match=reason):
        read(build(), input_shape=(1, 6, 6))
