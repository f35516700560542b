"""Training by backpropagation through time with a surrogate gradient for the spikes.

The run depends on the data, the recipe and the seed alone: weights, order of samples and noise come from generators
made from the seed, the number of threads is fixed because it decides how sums are grouped, and the caller's global
generator and thread count are left as they were. The best epoch is chosen on samples held back from the training split;
the test split is only measured.

A training can be killed at any moment and resumed bit for bit. ``last.pt`` in the folder of checkpoints is replaced,
in one piece, after every epoch and at least every :data:`CHECKPOINT_SECONDS`; ``best.pt`` holds the weights of the best
epoch. Ctrl-C waits for the running batch, so that it stops where a checkpoint can be made; a second one does not wait.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import torch
from torch import Tensor

from snn2circuit.errors import FileFormatError, TrainingError
from snn2circuit.ir.dataset import Dataset
from snn2circuit.ir.interrupts import unwind
from snn2circuit.ir.scratch import sweep
from snn2circuit.training.checkpoint import (
    BEST,
    LAST,
    identity,
    load_checkpoint,
    save_checkpoint,
    save_state_dict,
)
from snn2circuit.training.device_aware import DeviceWeights
from snn2circuit.training.history import EpochRecord, append_record, start_history
from snn2circuit.training.loop import Loop
from snn2circuit.training.memory import check_memory
from snn2circuit.training.models import SpikingNet
from snn2circuit.training.progress import Progress
from snn2circuit.training.recipe import Recipe
from snn2circuit.training.tensorboard import Events

THREADS = 1  # a small network gains nothing from a second one
CHECKPOINT_SECONDS = 10.0  # work that a kill may cost inside an epoch; writing a checkpoint takes some milliseconds
PROGRESS_SECONDS = 0.1  # between two reports of progress


@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """A trained module and how it came about."""

    module: SpikingNet  # with the weights of the best epoch
    recipe: Recipe
    seed: int
    history: tuple[EpochRecord, ...]  # every finished epoch
    best: EpochRecord
    interrupted: bool  # Ctrl-C came
    seconds: float  # wall time of this process, without that of an earlier one it went on from


def train(
    dataset: Dataset,
    recipe: Recipe,
    *,
    seed: int = 0,
    on_epoch: Callable[[EpochRecord], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    history: Path | None = None,
    checkpoints: Path | None = None,
    resume: bool = False,
    tensorboard: Path | None = None,
    start: Mapping[str, Tensor] | None = None,
    device: DeviceWeights | None = None,
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
        on_progress: called after batches, at most every :data:`PROGRESS_SECONDS`, and after every epoch.
        history: file that gets one line of JSON per epoch as it ends.
        checkpoints: folder for ``last.pt`` and ``best.pt``; without one, nothing is kept to resume from.
        tensorboard: folder that gets TensorBoard event files.
        start: weights to begin with, instead of random ones; such a training keeps no checkpoints.
        device: what devices hold of weights: train and choose the best epoch as they hold them.
        resume: go on from ``last.pt`` if it is there; start anew if it is not.

    Returns:
        The result; after Ctrl-C that of the epochs finished so far, marked ``interrupted``.

    Raises:
        TrainingError: the loss is no longer finite, there is nothing to train or test on, the sizes do not fit into
            memory, or tensorboard is missing.
        CheckpointRefused: ``last.pt`` belongs to another training.
        FileFormatError: ``last.pt`` is damaged.
        KeyboardInterrupt: Ctrl-C before the first epoch was finished; its batches are in ``last.pt``.
        OutputError: the history or a checkpoint cannot be written.
    """
    begin = time.perf_counter()
    for which, split in (("training", dataset.train), ("test", dataset.test)):
        if not len(split.labels):
            raise TrainingError(f"dataset {dataset.name} has no {which} samples")
    if checkpoints is not None and (start is not None or device is not None):
        raise TrainingError("a training that begins with given weights or runs on devices cannot keep checkpoints")
    check_memory(dataset, recipe)
    who = identity(dataset, recipe, seed) if checkpoints is not None else {}
    with _fixed_threads(), _ctrl_c() as stop:
        loop = Loop(dataset, recipe, seed, start=start, device=device)
        if resume and checkpoints is not None and (checkpoints / LAST).exists():
            _restore(loop, checkpoints / LAST, who)
        if checkpoints is not None:
            sweep(checkpoints)
        if history is not None:
            # Written again on resuming: a kill may have come between a line and the checkpoint of its epoch.
            start_history(history, loop.records)
        events = None if tensorboard is None else Events(tensorboard, loop.records)
        clock = _Clock(loop)
        try:
            while not loop.finished and not stop.wanted:
                record = loop.advance()
                if record is not None and history is not None:
                    append_record(history, record)
                if record is not None and events is not None:
                    events.append(record)
                if checkpoints is not None:
                    if record is not None and record.best:
                        save_state_dict(loop.best, checkpoints / BEST)
                    if record is not None or clock.checkpoint_due():
                        save_checkpoint(checkpoints / LAST, who, loop.state())
                if on_progress is not None and (record is not None or clock.progress_due()):
                    on_progress(clock.progress(record))
                if record is not None and on_epoch is not None:
                    on_epoch(record)
            if stop.wanted and checkpoints is not None:
                save_checkpoint(checkpoints / LAST, who, loop.state())
        except KeyboardInterrupt:
            stop.wanted = True
        finally:
            if events is not None:
                events.close()
    if not loop.records:
        raise KeyboardInterrupt
    loop.module.load_state_dict(loop.best)
    return Trained(
        module=loop.module,
        recipe=recipe,
        seed=seed,
        history=tuple(loop.records),
        best=[record for record in loop.records if record.best][-1],
        interrupted=stop.wanted or not loop.finished,
        seconds=time.perf_counter() - begin,
    )


def _restore(loop: Loop, path: Path, who: dict[str, str]) -> None:
    state = load_checkpoint(path, who)
    try:
        loop.restore(state)
    except Exception as error:
        # The identity fits and the state does not: whatever torch says of it, the file was tampered with.
        raise FileFormatError(f"{path} is damaged: {type(error).__name__}: {error}") from error


class _Clock:
    """When to save, when to report, and how long it will take."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.begin = self.saved = self.reported = time.perf_counter()
        self.done = len(loop.records) * loop.batches + loop.batch  # batches that an earlier process has taken

    def checkpoint_due(self) -> bool:
        """Whether the last checkpoint is too long ago; asking starts the time again."""
        now = time.perf_counter()
        due = now - self.saved >= CHECKPOINT_SECONDS
        self.saved = now if due else self.saved
        return due

    def progress_due(self) -> bool:
        """Whether the last report is too long ago; asking starts the time again."""
        now = time.perf_counter()
        due = now - self.reported >= PROGRESS_SECONDS
        self.reported = now if due else self.reported
        return due

    def progress(self, record: EpochRecord | None) -> Progress:
        """Where the loop stands, just after ``record`` if that is given."""
        loop, records = self.loop, self.loop.records
        batches = len(records) * loop.batches + loop.batch
        total = loop.recipe.epochs * loop.batches
        pace = (time.perf_counter() - self.begin) / max(batches - self.done, 1)
        return Progress(
            epoch=record.epoch if record else len(records) + 1,
            epochs=loop.recipe.epochs,
            batch=loop.batches if record else loop.batch,
            batches=loop.batches,
            loss=record.loss if record else loop.loss / loop.seen(),
            accuracy=record.train_accuracy if record else loop.correct / loop.seen(),
            validation_accuracy=records[-1].validation_accuracy if records else None,
            seconds_left=pace * (total - batches) if batches > self.done else None,
        )


@contextmanager
def _fixed_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Stop:
    """Whether a person wants the training to end."""

    wanted = False


@contextmanager
def _ctrl_c() -> Iterator[_Stop]:
    """Make the first Ctrl-C a wish, to be granted between two batches; the second raises at once, as it always does."""
    stop = _Stop()
    usual = signal.getsignal(signal.SIGINT)
    ours = (
        threading.current_thread() is threading.main_thread()  # no other can take signals
        and usual in (signal.default_int_handler, unwind)  # nobody else wants them
    )

    def wish(number: int, frame: FrameType | None) -> None:
        stop.wanted = True
        signal.signal(signal.SIGINT, usual)

    if ours:
        signal.signal(signal.SIGINT, wish)
    try:
        yield stop
    finally:
        if ours:
            signal.signal(signal.SIGINT, usual)
