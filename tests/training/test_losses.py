"""Losses against snnTorch's own, and the rule that a trained network then decides by."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from snntorch import functional

from snn2circuit.datasets import load_dataset
from snn2circuit.errors import DataError, TrainingError
from snn2circuit.frontends.snntorch import from_snntorch, run_snntorch
from snn2circuit.ir.dataset import Dataset, Split
from snn2circuit.ir.encoding import Encoding
from snn2circuit.ir.network import Network
from snn2circuit.neurons import NEURONS
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.training import Recipe, Trained, train
from snn2circuit.training.losses import LOSSES

STEPS = 10


def outputs(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    spikes = (torch.rand((STEPS, 7, 4), generator=generator) < 0.4).float()
    membranes = torch.randn((STEPS, 7, 4), generator=generator)
    return spikes.requires_grad_(), membranes.requires_grad_(), torch.randint(0, 4, (7,), generator=generator)


@pytest.mark.parametrize("rates", [(0.8, 0.2), (1.0, 0.0), (0.77, 0.13)])
@pytest.mark.parametrize("loss", ["ce_count", "mse_count"])
def test_count_losses_are_snntorchs(loss: str, rates: tuple[float, float]) -> None:
    judge = functional.ce_count_loss() if loss == "ce_count" else functional.mse_count_loss(*rates)
    recipe = Recipe(neuron=Leaky(), steps=STEPS, loss=loss, correct_rate=rates[0], incorrect_rate=rates[1])
    spikes, membranes, labels = outputs(1)
    mine = LOSSES[loss].value(spikes, membranes, labels, recipe)
    (gradient,) = torch.autograd.grad(mine, spikes)
    theirs = judge(spikes, labels)
    torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=0)
    torch.testing.assert_close(gradient, torch.autograd.grad(theirs, spikes)[0], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("temperature", [1.0, 25.0])
def test_the_membrane_loss_is_cross_entropy_on_the_summed_membranes(temperature: float) -> None:
    spikes, membranes, labels = outputs(2)
    recipe = Recipe(neuron=Leaky(), temperature=temperature)
    mine = LOSSES["ce_membrane"].value(spikes, membranes, labels, recipe)
    summed = membranes.detach().double().sum(0).numpy() / temperature
    shares = np.exp(summed) / np.exp(summed).sum(axis=1, keepdims=True)
    assert mine.item() == pytest.approx(-np.log(shares[np.arange(7), labels.numpy()]).mean(), rel=1e-6)


def test_the_stepwise_loss_is_snntorchs_rate_loss_on_membranes() -> None:
    """``ce_rate_loss`` sums the cross-entropy of every step and divides by their number."""
    spikes, membranes, labels = outputs(3)
    mine = LOSSES["ce_steps"].value(spikes, membranes, labels, Recipe(neuron=Leaky(), steps=STEPS))
    theirs = STEPS * functional.ce_rate_loss()(membranes, labels)
    torch.testing.assert_close(mine, theirs.squeeze(), rtol=1e-6, atol=0)
    (gradient,) = torch.autograd.grad(mine, membranes)
    torch.testing.assert_close(gradient, torch.autograd.grad(theirs, membranes)[0], rtol=1e-6, atol=1e-8)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("digits")


def network_of(trained: Trained) -> Network:
    recipe = trained.recipe
    network = from_snntorch(trained.module, neurons=NEURONS, name="digits", steps=recipe.steps)
    return dataclasses.replace(network, encoding=recipe.encoding, decision=LOSSES[recipe.loss].decision)


RECIPES = {
    "rate": Recipe(neuron=Leaky(), hidden=(24,), steps=15, epochs=4, encoding=Encoding(kind="rate", seed=2), noise=0.0),
    "latency": Recipe(
        neuron=Leaky(beta=0.95), hidden=(24,), steps=12, epochs=6, noise=0.05, encoding=Encoding(kind="latency")
    ),
    "normalised": Recipe(neuron=Leaky(), hidden=(24,), steps=10, epochs=4, encoding=Encoding(offset=0.3, scale=0.38)),
    "ce_count": Recipe(neuron=Leaky(), hidden=(24,), steps=10, epochs=4, loss="ce_count"),
    "mse_count": Recipe(neuron=Leaky(), hidden=(24,), steps=10, epochs=4, loss="mse_count"),
    "ce_steps": Recipe(neuron=Leaky(), hidden=(24,), steps=10, epochs=4, loss="ce_steps", schedule="constant"),
}


@pytest.mark.parametrize("name", RECIPES)
def test_what_is_measured_in_training_is_what_the_network_does(name: str, digits: Dataset) -> None:
    """Same spikes at the input, same rule at the output: the accuracies agree to a sample on the edge of rounding."""
    trained = train(digits, RECIPES[name], seed=0)
    network = network_of(trained)
    measured = np.mean(network.predict(digits.test.inputs) == digits.test.labels)
    assert measured == pytest.approx(trained.best.test_accuracy, abs=1.5 / 360)
    # Five seeds of each end at 0.79 to 0.95, those of one recipe with a deviation of 0.02; 0.1 is chance.
    assert measured > 0.6
    # snnTorch itself, in double precision, on the same drive.
    drive = network.encode(digits.test.inputs[:40])
    mine, judged = network.run(drive), run_snntorch(network, drive)
    for ours, theirs in zip(mine.spikes, judged.spikes, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    spikes = torch.from_numpy(np.array(mine.spikes[-1])).float().transpose(0, 1)
    if network.decision == "count":
        labels = torch.from_numpy(np.array(digits.test.labels[:40]))
        share = np.mean(mine.predictions("count") == digits.test.labels[:40])
        assert functional.accuracy_rate(spikes, labels) == pytest.approx(share)


def test_rate_draws_are_new_in_every_epoch_and_repeat_with_the_seed(digits: Dataset) -> None:
    from snn2circuit.training.samples import Samples

    samples = Samples(digits.train, Encoding(kind="rate", seed=1), 6, np.array([5, 3, 8]))
    chosen = torch.tensor([2, 0])
    drive = samples.present(chosen)
    assert drive.shape == (6, 2, 64)
    assert drive.dtype == torch.float32
    expected = Encoding(kind="rate", seed=1).encode(digits.train.inputs[[8, 5]], 6, np.array([8, 5]))
    np.testing.assert_array_equal(drive.numpy(), expected.transpose(1, 0, 2))
    assert torch.equal(samples.present(chosen, draw=3), samples.present(chosen, draw=3))
    assert not torch.equal(samples.present(chosen, draw=3), drive)
    noisy = samples.present(chosen, noise=0.5, generator=torch.Generator().manual_seed(0))
    assert set(noisy.unique().tolist()) == {0.0, 1.0}


def test_given_spikes_train_a_network() -> None:
    """Class 0 spikes early, class 1 late; the number of spikes tells nothing."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 460)
    late = np.arange(8)[:, None] >= 4
    spikes = ((rng.random((460, 8, 5)) < 0.6) & (late == labels[:, None, None])).astype(float)
    halves = [Split(inputs=spikes[part], labels=labels[part]) for part in (slice(0, 400), slice(400, 460))]
    timing = Dataset(
        name="timing", title="Early or late", source="made here", shape=(5,), classes=("early", "late"),
        train=halves[0], test=halves[1],
    )  # fmt: skip
    recipe = Recipe(
        neuron=Leaky(beta=0.8), hidden=(12,), steps=8, epochs=40, learning_rate=0.02, noise=0.0,
        encoding=Encoding(kind="given"),
    )  # fmt: skip
    network = network_of(train(timing, recipe, seed=0))
    # Six seeds ended at 0.98 to 1.
    assert np.mean(network.predict(timing.test.inputs) == timing.test.labels) > 0.8
    with pytest.raises(DataError, match="given over 8 steps, the network runs 9; set steps"):
        train(timing, dataclasses.replace(recipe, steps=9))
    with pytest.raises(DataError, match="'given' is for samples that already have steps"):
        train(timing, dataclasses.replace(recipe, encoding=Encoding(kind="rate")))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"loss": "hinge"}, "loss is 'hinge'; allowed: ce_membrane, ce_count, mse_count"),
        ({"correct_rate": 0.2, "incorrect_rate": 0.3}, "correct_rate is 0.2"),
        ({"correct_rate": 1.5}, "correct_rate is 1.5"),
        ({"incorrect_rate": float("nan")}, "incorrect_rate nan"),
    ],
)
def test_losses_that_make_no_sense(fields: dict[str, float], reason: str) -> None:
    with pytest.raises(TrainingError, match=reason):
        Recipe(neuron=Leaky(), **fields)
