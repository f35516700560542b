"""A training that is killed, interrupted or moved goes on bit for bit, or is refused with the reason."""

from __future__ import annotations

import copy
import dataclasses
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from snn2circuit.datasets import load_dataset
from snn2circuit.errors import CheckpointRefused, FileFormatError, TrainingError
from snn2circuit.ir.dataset import Dataset
from snn2circuit.neurons.alpha import Alpha
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.training import EpochRecord, Progress, Recipe, Trained, read_history, train
from snn2circuit.training.checkpoint import load_state_dict
from snn2circuit.training.loop import Loop
from snn2circuit.training.progress import duration

RECIPE = Recipe(neuron=Leaky(beta=0.9), hidden=(12,), steps=6, epochs=4)
SCRIPT = """
import sys
from pathlib import Path
from snn2circuit.datasets import load_dataset
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.training import Recipe, backprop, train
backprop.CHECKPOINT_SECONDS = 0.02
recipe = Recipe(neuron=Leaky(beta=0.9), hidden=(12,), steps=6, epochs=4)
folder, dataset = Path(sys.argv[1]), load_dataset("digits")
print("ready", flush=True)
train(dataset, recipe, seed=7, history=folder / "history.jsonl", checkpoints=folder, resume=True)
"""


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("digits")


@pytest.fixture(scope="module")
def whole(digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Path]:
    folder = tmp_path_factory.mktemp("whole")
    return train(digits, RECIPE, seed=7, history=folder / "history.jsonl", checkpoints=folder), folder


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else bool(one == other)


def as_bytes(tensors: dict[str, torch.Tensor]) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in tensors.items()}


def weights(module: torch.nn.Module) -> dict[str, bytes]:
    return as_bytes(module.state_dict())


def test_killed_at_random_moments_and_resumed(digits: Dataset, whole: tuple[Trained, Path], tmp_path: Path) -> None:
    moment = random.Random(4)
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(moment.uniform(0.02, 0.3))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    resumed = train(digits, RECIPE, seed=7, history=tmp_path / "history.jsonl", checkpoints=tmp_path, resume=True)
    assert weights(resumed.module) == weights(whole[0].module)
    assert resumed.history == whole[0].history
    for name in ("history.jsonl", "best.pt"):
        assert (tmp_path / name).read_bytes() == (whole[1] / name).read_bytes()
    # Pickle writes equal contents in several ways, so the bytes of this one may differ.
    last, wanted = (torch.load(folder / "last.pt", weights_only=True) for folder in (tmp_path, whole[1]))
    assert equal(last, wanted)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.pt", "history.jsonl", "last.pt"]


def test_every_batch_is_a_place_to_go_on_from(digits: Dataset) -> None:
    recipe = dataclasses.replace(RECIPE, epochs=2, steps=3, neuron=Alpha(), validation=0.2)
    whole = Loop(digits, recipe, 3)
    last = recipe.epochs * whole.batches - 1
    moments = {1, whole.batches, whole.batches + 1, last}
    states = []
    while not whole.finished:
        whole.advance()
        if len(whole.records) * whole.batches + whole.batch in moments:
            states.append(copy.deepcopy(whole.state()))
    assert len(states) == len(moments)
    for state in states:
        other = Loop(digits, recipe, 3)
        other.restore(state)
        while not other.finished:
            other.advance()
        assert other.records == whole.records
        assert as_bytes(other.best) == as_bytes(whole.best)
        assert weights(other.module) == weights(whole.module)


def test_a_finished_training_is_finished(digits: Dataset, whole: tuple[Trained, Path]) -> None:
    told: list[EpochRecord] = []
    again = train(digits, RECIPE, seed=7, checkpoints=whole[1], resume=True, on_epoch=told.append)
    assert told == []
    assert weights(again.module) == weights(whole[0].module)
    assert again.best == whole[0].best
    assert as_bytes(load_state_dict(whole[1] / "best.pt")) == weights(again.module)


def test_ctrl_c_saves_the_running_batch_and_the_caller_keeps_its_handler(digits: Dataset, tmp_path: Path) -> None:
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        if len(seen) == 1:
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        interrupted = train(digits, RECIPE, seed=7, checkpoints=tmp_path, on_progress=stop)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    except KeyboardInterrupt:
        interrupted = None  # a slow machine reports inside the first epoch
    finally:
        signal.signal(signal.SIGINT, before)
    assert interrupted is None or interrupted.interrupted
    loop, state = Loop(digits, RECIPE, 7), torch.load(tmp_path / "last.pt", weights_only=True)["state"]
    loop.restore(state)
    done = len(loop.records) * loop.batches + loop.batch
    assert done == (seen[0].epoch - 1) * seen[0].batches + seen[0].batch
    assert weights(train(digits, RECIPE, seed=7, checkpoints=tmp_path, resume=True).module) == weights(
        train(digits, RECIPE, seed=7).module
    )


def test_another_training_is_refused_with_what_differs(digits: Dataset, whole: tuple[Trained, Path]) -> None:
    folder, kept = whole[1], (whole[1] / "last.pt").read_bytes()
    other = dataclasses.replace(RECIPE, hidden=(13,), neuron=Leaky(beta=0.8))
    with pytest.raises(CheckpointRefused, match=r"hidden is \(12,\) there and \(13,\) here") as refused:
        train(digits, other, seed=8, checkpoints=folder, resume=True)
    assert "seed is 7 there and 8 here" in str(refused.value)
    assert "beta=0.8" in str(refused.value)
    assert "start anew" in str(refused.value)
    with pytest.raises(CheckpointRefused, match=r"dataset is digits \(\w+\) there and xor"):
        train(load_dataset("xor"), RECIPE, seed=7, checkpoints=folder, resume=True)
    assert (folder / "last.pt").read_bytes() == kept


def test_a_damaged_checkpoint_is_refused(digits: Dataset, whole: tuple[Trained, Path], tmp_path: Path) -> None:
    data, path = (whole[1] / "last.pt").read_bytes(), tmp_path / "last.pt"
    content = torch.load(whole[1] / "last.pt", weights_only=True)
    for length in (0, 10, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(FileFormatError, match=r"last\.pt is damaged"):
            train(digits, RECIPE, seed=7, checkpoints=tmp_path, resume=True)
    for name, value in (("module", {}), ("generator", torch.zeros(3)), ("records", [{"epoch": 1}]), ("batch", "x")):
        torch.save({**content, "state": {**content["state"], name: value}}, path)
        with pytest.raises(FileFormatError, match=r"last\.pt is damaged"):
            train(digits, RECIPE, seed=7, checkpoints=tmp_path, resume=True)
    torch.save({"format": "other"}, path)
    with pytest.raises(FileFormatError, match="is not a snn2circuit-checkpoint/1 file"):
        train(digits, RECIPE, seed=7, checkpoints=tmp_path, resume=True)


def test_nothing_there_starts_anew_and_an_existing_one_is_written_over(
    digits: Dataset, whole: tuple[Trained, Path], tmp_path: Path
) -> None:
    short = dataclasses.replace(RECIPE, epochs=1)
    (tmp_path / "last.pt").write_bytes((whole[1] / "last.pt").read_bytes())
    train(digits, short, seed=1, checkpoints=tmp_path)
    first = train(digits, short, seed=1, checkpoints=tmp_path / "none", resume=True)
    assert (tmp_path / "last.pt").read_bytes() == (tmp_path / "none" / "last.pt").read_bytes()
    assert len(first.history) == 1


def test_a_failed_training_leaves_its_last_good_checkpoint(digits: Dataset, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="the loss is"):
        train(digits, dataclasses.replace(RECIPE, temperature=1e-40), checkpoints=tmp_path / "c")
    assert not list(tmp_path.rglob("*.pt"))


def test_history_has_no_gap_and_no_double_after_a_kill_between_line_and_checkpoint(
    digits: Dataset, whole: tuple[Trained, Path], tmp_path: Path
) -> None:
    def stop(record: EpochRecord) -> None:
        if record.epoch == 2:
            raise KeyboardInterrupt

    history = tmp_path / "history.jsonl"
    train(digits, RECIPE, seed=7, history=history, checkpoints=tmp_path, on_epoch=stop)
    with history.open("a") as stream:
        stream.write((whole[1] / "history.jsonl").read_text().splitlines()[2] + '\n{"epoch": 4, "ha')
    train(digits, RECIPE, seed=7, history=history, checkpoints=tmp_path, resume=True)
    assert history.read_bytes() == (whole[1] / "history.jsonl").read_bytes()
    assert [record.epoch for record in read_history(history)] == [1, 2, 3, 4]


def test_progress_in_words() -> None:
    progress = Progress(
        epoch=2, epochs=4, batch=5, batches=10, loss=0.25, accuracy=0.934, validation_accuracy=0.9, seconds_left=187.2
    )
    assert progress.share == pytest.approx(0.375)
    assert str(progress) == "epoch 2/4, loss 0.250, accuracy 93.4%, validation 90.0%, 3:07 min left"
    assert [duration(seconds) for seconds in (0.2, 59.4, 60, 3599, 7499)] == [
        "0 s",
        "59 s",
        "1:00 min",
        "59:59 min",
        "2:04 h",
    ]


def test_progress_runs_from_batch_to_batch(digits: Dataset) -> None:
    told: list[Progress] = []
    train(digits, RECIPE, seed=7, on_progress=told.append)
    shares = [each.share for each in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert told[-1].seconds_left == 0.0
    assert [each.epoch for each in told if each.batch == each.batches] == [1, 2, 3, 4]
