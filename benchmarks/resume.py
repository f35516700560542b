"""Kill a training 30 times at random moments and resume it: `python benchmarks/resume.py`.

Each training of the digits is started by `snn2circuit train --resume`, killed by SIGKILL at three random moments while
it takes batches, looked at for half-written files, and then let run to its end. Network, checkpoints and history must
equal those of a training that nobody disturbed, bit for bit. The last line is JSON.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

DESIGN = """
[network]
hidden = [64]
[training]
epochs = 60
seed = 3
"""
FILES = ("network.npz", "history.jsonl", "network.checkpoints/best.pt")
LAST = "network.checkpoints/last.pt"  # of which pickle writes equal contents in several ways
KILLS, EACH = 30, 3  # in all; of one training


def start(folder: Path) -> subprocess.Popen[bytes]:
    """The training of this folder, from its checkpoint if there is one."""
    options = ["-d", str(folder.parent / "design.toml"), "-o", "network.npz", "--history", "history.jsonl", "--resume"]
    command = [sys.executable, "-m", "snn2circuit", "train", *options]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def damaged(folder: Path) -> list[str]:
    """Files that cannot be read as what they are."""
    found = []
    for path in folder.rglob("*.pt"):
        try:
            torch.load(path, weights_only=True)
        except Exception as error:
            # Leftovers of a killed writer have names of their own, which nothing reads.
            if not path.name.startswith("."):
                found.append(f"{path.name}: {error}")
    history = folder / "history.jsonl"
    if history.exists():
        epochs = [json.loads(line)["epoch"] for line in history.read_text().splitlines()]
        if epochs != list(range(1, len(epochs) + 1)):
            found.append(f"history: {epochs}")
    return found


def equal(one: Any, other: Any) -> bool:
    """Whether two checkpoints hold the same, bit for bit."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


def stamp(folder: Path) -> int:
    """When the history was last written, which the training does first of all."""
    history = folder / "history.jsonl"
    return history.stat().st_mtime_ns if history.exists() else 0


def wait_for_training(process: subprocess.Popen[bytes], folder: Path, before: int) -> None:
    """Wait until the imports are over and batches are being taken."""
    while stamp(folder) == before and process.poll() is None:
        time.sleep(0.002)


def main() -> None:
    """Run, print what differs, and a line of JSON."""
    moment = random.Random(1)
    kills = trainings = 0
    epochs: list[int] = []  # finished when the kill came
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "design.toml").write_text(DESIGN)
        whole = root / "whole"
        whole.mkdir()
        process = start(whole)
        wait_for_training(process, whole, 0)
        begin = time.monotonic()
        process.wait()
        length = time.monotonic() - begin
        while kills < KILLS:
            folder = root / str(trainings)
            folder.mkdir()
            for _ in range(EACH):
                before = stamp(folder)
                process = start(folder)
                wait_for_training(process, folder, before)
                time.sleep(moment.uniform(0, 0.5) * length)
                process.kill()
                if process.wait() != 0:
                    kills += 1
                    epochs.append(len((folder / "history.jsonl").read_text().splitlines()))
                wrong += [f"training {trainings}: {each}" for each in damaged(folder)]
            if start(folder).wait() != 0:
                wrong.append(f"training {trainings} did not end well")
            for file in FILES:
                if (folder / file).read_bytes() != (whole / file).read_bytes():
                    wrong.append(f"training {trainings}: {file} differs")
            if not equal(*(torch.load(each / LAST, weights_only=True) for each in (folder, whole))):
                wrong.append(f"training {trainings}: {LAST} holds something else")
            wrong += [
                f"training {trainings}: {path.name} was left"
                for path in folder.rglob(".*")
                if path.name != ".snn2circuit"
            ]
            trainings += 1
            print(f"training {trainings}: {kills} kills, {len(wrong)} wrong", flush=True)
    print("\n".join(wrong))
    print(json.dumps({"kills": kills, "wrong": len(wrong), "epochs_finished_at_kills": epochs, "seconds": length}))


if __name__ == "__main__":
    main()
