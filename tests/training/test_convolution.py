"""Convolutional networks: the word that describes one, the module it becomes, and a training that ends in devices."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from snn2circuit.datasets import load_dataset
from snn2circuit.errors import TrainingError
from snn2circuit.frontends.snntorch import run_snntorch
from snn2circuit.ir.layer import ConvLayer
from snn2circuit.mapping import lower_network
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.steps.training import train
from snn2circuit.training import Recipe, SpikingNet
from snn2circuit.training.architecture import Convolution, Pooling, parse_convolution
from snn2circuit.training.maps import build_maps


def test_the_word_of_an_architecture() -> None:
    assert parse_convolution("") == ()
    assert parse_convolution("8c5-p2-16c3s2p1-s3") == (
        Convolution(8, 5),
        Pooling(2, mean=True),
        Convolution(16, 3, stride=2, padding=1),
        Pooling(3, mean=False),
    )


@pytest.mark.parametrize("word", ["8c", "8x5", "c5", "8c5-", "p", "p0", "0c5", "8c0", "8c5s0", "8C5", "-", "8c5 p2"])
def test_other_words_are_refused(word: str) -> None:
    with pytest.raises(TrainingError, match="is not known; write 8c5"):
        Recipe(neuron=Leaky(), convolution=word)


def test_maps_are_what_the_word_says() -> None:
    torch.manual_seed(0)
    maps = build_maps((8, 8), "3c3p1-p2-2c2s2-s2", (5, 4), bias=True)
    images = torch.rand(6, 64)
    current = images
    for one in maps:
        current = one(current)
    # The same by hand, in torch's own words, with the same weights.
    first, second, third = maps[0][1], maps[1][2], maps[2][-1]
    by_hand = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), first, nn.AvgPool2d(2), second, nn.LPPool2d(1, 2), nn.Flatten(), third, maps[3]
    )
    assert [tuple(each.weight.shape) for each in (first, second, third)] == [(3, 1, 3, 3), (2, 3, 2, 2), (5, 2)]
    torch.testing.assert_close(current, by_hand(images))


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(TrainingError, match=r"needs images; the samples have the shape .2,."):
        build_maps((2,), "8c5", (3,), bias=True)
    with pytest.raises(TrainingError, match=r"an image of 4 x 4 is smaller than a window of 5 x 5"):
        build_maps((8, 8), "p2-8c5", (3,), bias=True)


@pytest.mark.parametrize("varying", [False, True])
def test_both_engines_give_the_same_spikes_and_gradients(varying: bool) -> None:
    results = []
    inputs = torch.rand(*((12,) if varying else ()), 5, 64, generator=torch.Generator().manual_seed(1))
    for engine in ("fused", "snntorch"):
        torch.manual_seed(0)
        maps = build_maps((8, 8), "3c3-p2", (4,), bias=True)
        with torch.no_grad():
            maps[0][1].weight.add_(0.1)
            maps[1][-1].weight.add_(0.2)
        net = SpikingNet((), (Leaky(beta=0.8),) * 2, steps=12, engine=engine, maps=maps)
        spikes, membranes = net(inputs)
        membranes.square().mean().backward()
        results.append((spikes, *(each.grad for each in net.parameters())))
    assert 0.05 < results[0][0].mean() < 0.95
    for fused, plain in zip(*results, strict=True):
        torch.testing.assert_close(fused, plain, rtol=1e-4, atol=1e-6)


def test_a_trained_convolution_becomes_devices_that_spike_the_same() -> None:
    digits = load_dataset("digits")
    recipe = Recipe(neuron=Leaky(), convolution="4c3s2-p1", hidden=(), epochs=4, steps=10, noise=0.0)
    network = train(digits, recipe, seed=1)
    assert network.sizes == (64, 36, 10)
    assert all(isinstance(layer, ConvLayer) for layer in network.layers)
    images = digits.test.inputs[:60]
    # Five seeds ended at 0.86 with a deviation of 0.03.
    assert (network.predict(images) == digits.test.labels[:60]).mean() > 0.6
    inputs = network.encode(images)
    ours, lowered, judge = network.run(inputs), lower_network(network).run(inputs), run_snntorch(network, inputs)
    for mine, unrolled, theirs in zip(ours.spikes, lowered.spikes, judge.spikes, strict=True):
        np.testing.assert_array_equal(mine, unrolled)
        np.testing.assert_array_equal(mine, theirs)
