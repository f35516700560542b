"""Kill a training 30 times at random moments and resume it: `python benchmarks/resume.py`.

Each of ten trainings of the digits is started by `snn2circuit train --resume`, killed by SIGKILL at three random
moments (while Python is importing, too), looked at for half-written files, and then let run to its end. Network,
checkpoints and history must equal those of a training that nobody disturbed, bit for bit. The last line is JSON.
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
epochs = 12
seed = 3
"""
FILES = ("network.npz", "history.jsonl", "network.checkpoints/best.pt")
LAST = "network.checkpoints/last.pt"  # of which pickle writes equal contents in several ways
ROUNDS, KILLS = 10, 3


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


def main() -> None:
    """Run, print what differs, and a line of JSON."""
    moment = random.Random(1)
    kills = in_training = 0
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "design.toml").write_text(DESIGN)
        (root / "whole").mkdir()
        begin = time.monotonic()
        start(root / "whole").wait()
        length = time.monotonic() - begin
        for number in range(ROUNDS):
            folder = root / str(number)
            folder.mkdir()
            for _ in range(KILLS):
                process = start(folder)
                time.sleep(moment.uniform(0.3, 1.0) * length)
                process.kill()
                ended = process.wait() == 0
                kills += not ended
                in_training += not ended and (folder / "network.checkpoints").exists()
                wrong += [f"training {number}: {each}" for each in damaged(folder)]
            if start(folder).wait() != 0:
                wrong.append(f"training {number} did not end well")
            for file in FILES:
                if (folder / file).read_bytes() != (root / "whole" / file).read_bytes():
                    wrong.append(f"training {number}: {file} differs")
            if not equal(*(torch.load(each / LAST, weights_only=True) for each in (folder, root / "whole"))):
                wrong.append(f"training {number}: {LAST} holds something else")
            left = [path.name for path in folder.rglob(".*")]
            wrong += [f"training {number}: {each} was left" for each in left]
            print(f"training {number + 1} of {ROUNDS}: {kills} kills, {len(wrong)} wrong", flush=True)
    print("\n".join(wrong))
    print(json.dumps({"kills": kills, "kills_in_training": in_training, "wrong": len(wrong), "seconds_whole": length}))


if __name__ == "__main__":
    main()
