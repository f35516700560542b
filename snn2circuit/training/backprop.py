"""Training by backpropagation through time with a surrogate gradient for the spikes.

The run depends on the data, the recipe and the seed alone: weights, order of samples and noise come from generators
made from the seed, the number of threads is fixed because it decides how sums are grouped, and the caller's global
generator and thread count are left as they were. The best epoch is chosen on samples held back from the training split;
the test split is only measured.

What is measured and kept is not the weights that the optimiser moves but their running mean, ``mean = d·mean + (1 -
d)·weights`` after every batch, with ``d = min(averaging, (1 + k) / (10 + k))`` in batch ``k`` so that the first weights
are soon forgotten.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from snntorch import surrogate
from torch import Tensor
from torch.nn.functional import cross_entropy

from snn2circuit.errors import TrainingError
from snn2circuit.ir.dataset import Dataset, Split
from snn2circuit.ir.noun import Ints
from snn2circuit.training.history import EpochRecord, append_record, start_history
from snn2circuit.training.models import SpikingNet
from snn2circuit.training.recipe import Recipe

THREADS = 1  # a small network gains nothing from a second one
EVALUATION_BATCH = 1000  # samples, bounds the memory of an evaluation


@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """A trained module and how it came about."""

    module: SpikingNet  # with the weights of the best epoch
    recipe: Recipe
    seed: int
    history: tuple[EpochRecord, ...]  # every finished epoch
    best: EpochRecord
    interrupted: bool  # stopped by Ctrl-C before the last epoch
    seconds: float  # wall time


def train(
    dataset: Dataset,
    recipe: Recipe,
    *,
    seed: int = 0,
    on_epoch: Callable[[EpochRecord], None] | None = None,
    history: Path | None = None,
) -> Trained:
    """Train a network on ``dataset`` and keep the weights of its best epoch.

    The best epoch is the latest whose accuracy ``p`` on the ``n`` validation samples lies within one standard error,
    ``sqrt(p(1 - p) / n)``, of the highest: a smaller difference is chance, and later weights have settled further (the
    one-standard-error rule of L. Breiman et al., Classification and Regression Trees, 1984). Where the training split
    is too small to hold a sample of any class back (XOR), the training samples themselves choose.

    Args:
        dataset: what to learn; the number of inputs and classes sets the outer sizes.
        recipe: how.
        seed: decides initial weights, validation samples, order and noise.
        on_epoch: called after every epoch.
        history: file that gets one line of JSON per epoch as it ends.

    Returns:
        The result; after Ctrl-C that of the epochs finished so far, marked ``interrupted``.

    Raises:
        TrainingError: the loss is no longer finite, or there is nothing to train or test on.
        KeyboardInterrupt: Ctrl-C before the first epoch was finished.
        OutputError: the history cannot be written.
    """
    begin = time.perf_counter()
    for which, split in (("training", dataset.train), ("test", dataset.test)):
        if not len(split.labels):
            raise TrainingError(f"dataset {dataset.name} has no {which} samples")
    records: list[EpochRecord] = []
    kept: tuple[EpochRecord, dict[str, Tensor]] | None = None
    interrupted = False
    if history is not None:
        start_history(history)
    with _fixed_threads():
        module = _build(dataset, recipe, seed)
        mean = copy.deepcopy(module)
        try:
            for record in _epochs(module, mean, dataset, recipe, seed):
                if record.best:
                    kept = record, {name: value.clone() for name, value in mean.state_dict().items()}
                records.append(record)
                if history is not None:
                    append_record(history, record)
                if on_epoch is not None:
                    on_epoch(record)
        except KeyboardInterrupt:
            if kept is None:
                raise
            interrupted = True
    if kept is None:
        raise TrainingError(f"no epoch was finished; epochs is {recipe.epochs}")
    module.load_state_dict(kept[1])
    return Trained(
        module=module,
        recipe=recipe,
        seed=seed,
        history=tuple(records),
        best=kept[0],
        interrupted=interrupted,
        seconds=time.perf_counter() - begin,
    )


def predict(module: SpikingNet, samples: Tensor) -> tuple[Ints, Tensor]:
    """Classes ``(samples,)`` of inputs ``(samples, inputs)``, and the output membranes summed over steps."""
    with torch.no_grad():
        logits = torch.cat([module(part)[1].sum(0) for part in torch.split(samples, EVALUATION_BATCH)])
    predicted: Ints = logits.argmax(1).numpy()
    return predicted, logits


def hold_back(labels: Ints, share: float, seed: int) -> tuple[Ints, Ints]:
    """Indices to train on and to validate with; of each class ``share`` of its samples, rounded down, is held back."""
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(labels))
    held = [
        members[: math.floor(share * len(members))]
        for members in (order[labels[order] == label] for label in np.unique(labels))
    ]
    validation = np.sort(np.concatenate(held)).astype(np.int64)
    return np.setdiff1d(np.arange(len(labels)), validation), validation


def _epochs(module: SpikingNet, mean: SpikingNet, dataset: Dataset, recipe: Recipe, seed: int) -> Iterator[EpochRecord]:
    """Train ``module`` epoch by epoch; each record is given out while ``mean`` holds the weights it describes."""
    generator = torch.Generator().manual_seed(seed)
    kept, held = hold_back(dataset.train.labels, recipe.validation, seed)
    inputs, labels = _tensors(dataset.train)
    validation = (inputs[held], labels[held]) if len(held) else (inputs, labels)
    test = _tensors(dataset.test)
    inputs, labels = inputs[kept], labels[kept]
    batches = math.ceil(len(inputs) / recipe.batch)
    optimizer = torch.optim.Adam(module.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.epochs * batches)
    highest, updates = 0.0, 0
    for epoch in range(1, recipe.epochs + 1):
        total, correct = 0.0, 0
        for chosen in torch.split(torch.randperm(len(inputs), generator=generator), recipe.batch):
            batch = inputs[chosen]
            if recipe.noise:
                batch = batch + recipe.noise * torch.randn(batch.shape, generator=generator)
            logits = module(batch)[1].sum(0)
            loss = cross_entropy(logits / recipe.temperature, labels[chosen])
            if not torch.isfinite(loss):
                raise TrainingError(
                    f"the loss is {loss.item()} in epoch {epoch} of {recipe.epochs}; lower learning_rate"
                    f" (now {recipe.learning_rate:g}), or raise temperature (now {recipe.temperature:g})"
                )
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            updates += 1
            _average(mean, module, min(recipe.averaging, updates / (9 + updates)))
            total += loss.item() * len(chosen)
            correct += int((logits.argmax(1) == labels[chosen]).sum())
        validation_loss, validation_accuracy = _evaluate(mean, *validation, recipe)
        highest = max(highest, validation_accuracy)
        tolerance = math.sqrt(highest * (1 - highest) / len(validation[1]))
        record = EpochRecord(
            epoch=epoch,
            epochs=recipe.epochs,
            loss=total / len(inputs),
            train_accuracy=correct / len(inputs),
            validation_loss=validation_loss,
            validation_accuracy=validation_accuracy,
            test_accuracy=_evaluate(mean, *test, recipe)[1],
            learning_rate=float(schedule.get_last_lr()[0]),
            best=validation_accuracy >= highest - tolerance,
        )
        yield record


def _average(mean: SpikingNet, module: SpikingNet, keep: float) -> None:
    with torch.no_grad():
        for average, value in zip(mean.parameters(), module.parameters(), strict=True):
            average.lerp_(value, 1 - keep)


def _evaluate(module: SpikingNet, inputs: Tensor, labels: Tensor, recipe: Recipe) -> tuple[float, float]:
    predicted, logits = predict(module, inputs)
    loss = cross_entropy(logits / recipe.temperature, labels).item()
    return loss, float((torch.from_numpy(predicted) == labels).double().mean())


def _build(dataset: Dataset, recipe: Recipe, seed: int) -> SpikingNet:
    sizes = (int(np.prod(dataset.shape)), *recipe.hidden, len(dataset.classes))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SpikingNet(
            sizes,
            (recipe.neuron,) * (len(sizes) - 1),
            steps=recipe.steps,
            bias=recipe.bias,
            surrogate=surrogate.atan(alpha=recipe.surrogate_slope),
        )


def _tensors(split: Split) -> tuple[Tensor, Tensor]:
    return torch.tensor(split.inputs, dtype=torch.float32), torch.tensor(split.labels)


@contextmanager
def _fixed_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        yield
    finally:
        torch.set_num_threads(before)
