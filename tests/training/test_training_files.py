"""What training writes: weights, history, picture."""

from __future__ import annotations

import pickle
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import torch

from snn2circuit.errors import DataError, FileFormatError, OutputError
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.training import EpochRecord, plot_training, read_history
from snn2circuit.training.checkpoint import load_state_dict, save_state_dict
from snn2circuit.training.history import append_record, start_history
from snn2circuit.training.models import SpikingNet


def net(seed: int) -> SpikingNet:
    torch.manual_seed(seed)
    return SpikingNet((4, 3, 2), [Leaky(), Leaky(beta=0.5)], steps=3)


def records(count: int) -> tuple[EpochRecord, ...]:
    return tuple(
        EpochRecord(
            epoch=epoch, epochs=count, loss=2 / epoch, train_accuracy=1 - 0.5 / epoch, validation_loss=2.2 / epoch,
            validation_accuracy=1 - 0.6 / epoch, test_accuracy=1 - 0.7 / epoch, learning_rate=0.01 / epoch,
            best=epoch != 3,
        )
        for epoch in range(1, count + 1)
    )  # fmt: skip


def test_weights_come_back_and_bytes_repeat(tmp_path: Path) -> None:
    module = net(1)
    save_state_dict(module, tmp_path / "a.pt")
    save_state_dict(module, tmp_path / "b.pt")
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pt", "b.pt"]
    other = net(2)
    other.load_state_dict(load_state_dict(tmp_path / "a.pt"))
    samples = torch.rand((5, 4)) * 3
    assert torch.equal(other(samples)[1], module(samples)[1])
    # torch itself reads the file, so other programs do.
    assert set(torch.load(tmp_path / "a.pt", weights_only=True)) == set(module.state_dict())


class Intruder:
    """Unpickling this would run a command."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, (f"touch {self.canary}",)


def test_hostile_and_damaged_weights(tmp_path: Path) -> None:
    path, canary = tmp_path / "weights.pt", tmp_path / "canary"
    with pytest.raises(FileFormatError, match="does not exist"):
        load_state_dict(path)
    torch.save({"fc1.weight": Intruder(canary)}, path)
    with pytest.raises(FileFormatError, match="damaged or not a state_dict"):
        load_state_dict(path)
    path.write_bytes(pickle.dumps(Intruder(canary)))
    with pytest.raises(FileFormatError, match="damaged or not a state_dict"):
        load_state_dict(path)
    assert not canary.exists()
    for content, reason in (([1, 2], "holds a list"), ({"a": 1}, "holds a dict"), ({1: torch.ones(1)}, "holds a dict")):
        torch.save(content, path)
        with pytest.raises(FileFormatError, match=reason):
            load_state_dict(path)
    save_state_dict(net(0), path)
    whole = path.read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(FileFormatError, match="damaged or not a state_dict"):
            load_state_dict(path)


def test_weights_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write"):
        save_state_dict(net(0), tmp_path / "file" / "weights.pt")


def test_history_round_trip_and_damage(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    start_history(path)
    for record in records(4):
        append_record(path, record)
    assert read_history(path) == records(4)
    text = path.read_text()
    for damaged, line in ((text[:-20], 4), ("{}\n" + text, 1), ("[]\n", 1), (text + "nonsense\n", 5)):
        path.write_text(damaged)
        with pytest.raises(FileFormatError, match=f"line {line}: not an epoch record"):
            read_history(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(FileFormatError, match="cannot be read"):
        read_history(path)
    with pytest.raises(FileFormatError, match="does not exist"):
        read_history(tmp_path / "none.jsonl")
    start_history(path)
    assert read_history(path) == ()


@pytest.mark.parametrize("count", [1, 5, 40])
def test_picture_is_drawn_and_repeats(tmp_path: Path, count: int) -> None:
    plot_training(records(count), tmp_path / "a.png")
    plot_training(records(count), tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    image = matplotlib.image.imread(tmp_path / "a.png")
    assert image.shape[:2] == (600, 1500)
    # The three curves' colours are on the right half, which is the accuracy.
    right = (image[:, 750:, :3] * 255).round().astype(int).reshape(-1, 3)
    for colour in ((0x1F, 0x5F, 0xA8), (0x7F, 0xB0, 0x69), (0xD1, 0x49, 0x5B)):
        assert (np.abs(right - colour).max(axis=1) <= 2).sum() > 20


def test_picture_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no epoch to plot"):
        plot_training((), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
