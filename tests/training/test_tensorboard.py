"""TensorBoard's own reader finds every epoch once, after a restart too; without the package the way out is named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from snn2circuit.datasets import load_dataset
from snn2circuit.errors import OutputError, TrainingError
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.training import EpochRecord, Recipe, train
from snn2circuit.training.tensorboard import SCALARS

RECIPE = Recipe(neuron=Leaky(), hidden=(6,), steps=3, epochs=4)


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    reader = EventAccumulator(str(folder))
    reader.Reload()
    return {tag: [(each.step, each.value) for each in reader.Scalars(tag)] for tag in reader.Tags()["scalars"]}


def expected(records: tuple[EpochRecord, ...]) -> dict[str, list[tuple[int, float]]]:
    return {
        tag: [(record.epoch, pytest.approx(getattr(record, field), rel=1e-6)) for record in records]
        for tag, field in SCALARS.items()
    }


def test_events_read_back_after_an_interruption(tmp_path: Path) -> None:
    seen: list[dict[str, list[tuple[int, float]]]] = []

    def stop(record: EpochRecord) -> None:
        seen.append(read(tmp_path / "events"))
        if record.epoch == 2:
            raise KeyboardInterrupt

    digits = load_dataset("digits")
    where = {"checkpoints": tmp_path, "tensorboard": tmp_path / "events"}
    first = train(digits, RECIPE, on_epoch=stop, **where)
    assert seen[0] == expected(first.history[:1])  # while it trains
    assert read(tmp_path / "events") == expected(first.history)
    whole = train(digits, RECIPE, resume=True, **where)
    assert len(whole.history) == 4
    assert read(tmp_path / "events") == expected(whole.history)


def test_without_tensorboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard.writer", None)
    with pytest.raises(TrainingError, match=r"pip install 'snn2circuit\[tensorboard\]'"):
        train(load_dataset("xor"), RECIPE, tensorboard=tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        train(load_dataset("xor"), RECIPE, tensorboard=tmp_path / "file" / "events")
