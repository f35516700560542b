"""One training under way: everything that its next batch depends on, and how that batch is taken.

A :class:`Loop` is a state machine. :meth:`Loop.advance` takes one batch; :meth:`Loop.state` is all that the batches to
come depend on, as plain tensors and numbers; a fresh loop for the same data, recipe and seed that is given this state
by :meth:`Loop.restore` goes on bit for bit as the first would have. That is possible because there is one generator of
random numbers and no hidden state: the order of an epoch is not kept but drawn again from the generator's state at the
epoch's start.

What is measured and kept is not the weights that the optimiser moves but their running mean, ``mean = d·mean + (1 -
d)·weights`` after every batch, with ``d = min(averaging, (1 + k) / (10 + k))`` in batch ``k`` so that the first weights
are soon forgotten.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from snntorch import surrogate
from torch import Tensor

from snn2circuit.errors import NetworkError, TrainingError
from snn2circuit.ir.dataset import Dataset
from snn2circuit.ir.noun import Ints
from snn2circuit.training.device_aware import DeviceWeights, on_device
from snn2circuit.training.evaluation import Run, evaluate
from snn2circuit.training.history import EpochRecord
from snn2circuit.training.losses import LOSSES
from snn2circuit.training.maps import build_maps
from snn2circuit.training.models import SpikingNet
from snn2circuit.training.neurons import check_behaviour
from snn2circuit.training.recipe import Recipe
from snn2circuit.training.samples import Samples


class Loop:
    """A training between two batches."""

    def __init__(
        self,
        dataset: Dataset,
        recipe: Recipe,
        seed: int,
        *,
        start: Mapping[str, Tensor] | None = None,
        device: DeviceWeights | None = None,
    ) -> None:
        """Initial weights, and the samples to train, validate and test on.

        Args:
            dataset: what to learn.
            recipe: how.
            seed: of everything random.
            start: weights to begin with, instead of random ones.
            device: what devices hold of weights, if the network is to be trained and measured as they hold it.
        """
        self.recipe = recipe
        self.module = _build(dataset, recipe, seed)
        if start is not None:
            self.module.load_state_dict(start)
        self.device = device
        self.mean = copy.deepcopy(self.module)
        self.generator = torch.Generator().manual_seed(seed)
        kept, held = hold_back(dataset.train.labels, recipe.validation, seed)
        self.train = Samples(dataset.train, recipe.encoding, recipe.steps, kept)
        self.validation = Samples(dataset.train, recipe.encoding, recipe.steps, held) if len(held) else self.train
        self.test = Samples(dataset.test, recipe.encoding, recipe.steps)
        self.batches = math.ceil(len(self.train) / recipe.batch)
        self.optimizer = torch.optim.Adam(
            self.module.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
        )
        self.schedule: torch.optim.lr_scheduler.LRScheduler = (
            torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, recipe.epochs * self.batches)
            if recipe.schedule == "cosine"
            else torch.optim.lr_scheduler.ConstantLR(self.optimizer, factor=1.0)
        )
        self.records: list[EpochRecord] = []  # of every finished epoch
        self.best: dict[str, Tensor] = {}  # weights of the best of them; empty before the first
        self.batch = 0  # finished batches of the running epoch
        self.loss, self.correct = 0.0, 0  # summed over its samples so far
        self._shuffle()

    @property
    def finished(self) -> bool:
        """Whether every epoch was taken."""
        return len(self.records) == self.recipe.epochs

    def advance(self) -> EpochRecord | None:
        """Take one batch; gives the record of the epoch that it ends, if it ends one.

        Raises:
            TrainingError: the loss is no longer finite.
        """
        recipe, start = self.recipe, self.batch * self.recipe.batch
        chosen = self.order[start : start + recipe.batch]
        # Evaluations are draw 0, so the draws of the epochs begin at 1.
        inputs = self.train.present(chosen, draw=len(self.records) + 1, noise=recipe.noise, generator=self.generator)
        labels, rule = self.train.labels[chosen], LOSSES[recipe.loss]
        run: Run = self.module
        if self.device is not None:
            draw = int(torch.randint(2**62, (), generator=self.generator))
            run = on_device(self.module, self.device, draw)
        spikes, membranes = run(inputs)
        votes, loss = rule.votes(spikes, membranes), rule.value(spikes, membranes, labels, recipe)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss.item()} in epoch {len(self.records) + 1} of {recipe.epochs}; lower learning_rate"
                f" (now {recipe.learning_rate:g}), or raise temperature (now {recipe.temperature:g})"
            )
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()
        self.schedule.step()
        self.batch += 1
        updates = len(self.records) * self.batches + self.batch
        _average(self.mean, self.module, min(recipe.averaging, updates / (9 + updates)))
        self.loss += loss.item() * len(chosen)
        self.correct += int((votes.argmax(1) == labels).sum())
        return self._end_epoch() if self.batch == self.batches else None

    def seen(self) -> int:
        """Samples of the running epoch that were taken."""
        return min(self.batch * self.recipe.batch, len(self.train))

    def state(self) -> dict[str, Any]:
        """All that the batches to come depend on: tensors, numbers, and lists and dictionaries of them."""
        return {
            "module": self.module.state_dict(),
            "mean": self.mean.state_dict(),
            "best": self.best,
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "generator": self.generator.get_state(),
            "epoch_generator": self._epoch_generator,
            "batch": self.batch,
            "loss": self.loss,
            "correct": self.correct,
            "records": [dataclasses.asdict(record) for record in self.records],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go to where the loop stood that gave ``state``; raises whatever torch raises if the state does not fit."""
        self.module.load_state_dict(state["module"])
        self.mean.load_state_dict(state["mean"])
        self.best = dict(state["best"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.records = [EpochRecord(**record) for record in state["records"]]
        self.generator.set_state(state["epoch_generator"])
        self._shuffle()
        self.generator.set_state(state["generator"])
        self.batch, self.loss, self.correct = int(state["batch"]), float(state["loss"]), int(state["correct"])

    def _shuffle(self) -> None:
        self._epoch_generator = self.generator.get_state()
        self.order = torch.randperm(len(self.train), generator=self.generator)

    def _end_epoch(self) -> EpochRecord:
        recipe = self.recipe
        with torch.no_grad():
            mean: Run = self.mean if self.device is None else on_device(self.mean, self.device, 0)
        validation_loss, validation_accuracy = evaluate(mean, self.validation, recipe)
        highest = max(validation_accuracy, *(record.validation_accuracy for record in self.records), 0.0)
        tolerance = math.sqrt(highest * (1 - highest) / len(self.validation))
        record = EpochRecord(
            epoch=len(self.records) + 1,
            epochs=recipe.epochs,
            loss=self.loss / len(self.train),
            train_accuracy=self.correct / len(self.train),
            validation_loss=validation_loss,
            validation_accuracy=validation_accuracy,
            test_accuracy=evaluate(mean, self.test, recipe)[1],
            learning_rate=float(self.schedule.get_last_lr()[0]),
            best=validation_accuracy >= highest - tolerance,
        )
        if record.best:
            self.best = {name: value.clone() for name, value in self.mean.state_dict().items()}
        self.records.append(record)
        self.batch, self.loss, self.correct = 0, 0.0, 0
        self._shuffle()
        return record


def hold_back(labels: Ints, share: float, seed: int) -> tuple[Ints, Ints]:
    """Indices to train on and to validate with; of each class ``share`` of its samples, rounded down, is held back."""
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(labels))
    held = [
        members[: math.floor(share * len(members))]
        for members in (order[labels[order] == label] for label in np.unique(labels))
    ]
    validation = np.sort(np.concatenate(held)).astype(np.int64)
    return np.setdiff1d(np.arange(len(labels)), validation), validation


def _average(mean: SpikingNet, module: SpikingNet, keep: float) -> None:
    with torch.no_grad():
        for average, value in zip(mean.parameters(), module.parameters(), strict=True):
            average.lerp_(value, 1 - keep)


def _build(dataset: Dataset, recipe: Recipe, seed: int) -> SpikingNet:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        widths = (*recipe.hidden, len(dataset.classes))
        maps = build_maps(dataset.shape, recipe.convolution, widths, bias=recipe.bias)
        module = SpikingNet(
            (),
            recipe.neurons,
            steps=recipe.steps,
            surrogate=surrogate.atan(alpha=recipe.surrogate_slope),
            maps=maps,
            engine=recipe.engine,
            learn_beta=recipe.learn_beta,
            learn_threshold=recipe.learn_threshold,
        )
    for number, (part, (_, neuron)) in enumerate(zip(recipe.neurons, module.layers(), strict=True), start=1):
        try:
            check_behaviour(part, neuron)
        except NetworkError as error:
            raise NetworkError(f"layer {number}: {error}") from error
    return module
