"""Kill runs and single commands at random moments and start them again: `python benchmarks/kills.py`.

Runs of a small design are killed by SIGKILL, ten times into the same folder before one may end; single commands are
killed once and started again. After the next start that ends well nothing of a killed process may be left, in the
results or in the folder for temporary files, no file may have been kept aside, no process may be alive, and the results
must be those of an undisturbed run. The counters are first shown one planted leftover of each kind. The last line is
JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DESIGN = """
[data]
dataset = "xor"
[network]
hidden = [6]
steps = 6
[training]
epochs = 3
[simulation]
samples = 4
"""
EACH = 10  # kills of a run before it may end
# With times in them, which no two runs share; what they say besides is compared by the tests.
TIMED = {
    "waveforms.npz",
    "waveforms_ideal.npz",
    "verification.json",
    "advice.json",
    "summary.json",
    "stages.json",
    "report.html",
}
# Pickle writes equal contents in several ways.
PICKLED = {"last.pt"}
COMMANDS = (
    (
        "train",
        "-d",
        "design.toml",
        "-o",
        "network.npz",
        "--history",
        "history.jsonl",
        "--metrics",
        "metrics",
        "--resume",
    ),
    ("map", "network.npz", "-d", "design.toml", "-o", "crossbar.npz"),
    ("netlist", "crossbar.npz", "-d", "design.toml", "-o", "netlist"),
    ("simulate", "netlist", "-d", "design.toml", "-o", "waveforms.npz"),
    ("compare", "crossbar.npz", "waveforms.npz", "-o", "equivalence.json", "--plot", "waveforms.png"),
    ("layout", "crossbar.npz", "-o", "stack.glb", "--layout", "layout.npz", "--materials", "materials"),
    ("masks", "layout.npz", "-o", "masks", "-f", "gds", "-f", "svg", "-f", "png"),
    ("lvs", "masks/stack.gds", "layout.npz", "crossbar.npz", "-o", "lvs"),
    ("verify", "crossbar.npz", "-d", "design.toml", "--referee", "2", "-o", "verification.json"),
    ("export", "network.npz", "--format", "nir", "--approximate", "-o", "network.nir"),
    ("import", "network.nir", "-o", "imported.npz", "--steps", "6"),
)


class Place:
    """A folder to work in, with a folder for temporary files beside it that marks its processes."""

    def __init__(self, root: Path) -> None:
        self.work, self.temporary = root / "work", root / "tmp"
        for folder in (self.work, self.temporary):
            folder.mkdir(parents=True, exist_ok=True)
        (self.work / "design.toml").write_text(DESIGN)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """The command, in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "snn2circuit", *arguments], cwd=self.work, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "TMPDIR": str(self.temporary)},
        )  # fmt: skip

    def orphans(self) -> list[str]:
        """Processes whose environment names the folder for temporary files, after they had two seconds to end."""
        end = time.monotonic() + 2
        while (found := self._alive()) and time.monotonic() < end:
            time.sleep(0.05)
        return found

    def _alive(self) -> list[str]:
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if str(self.temporary).encode() in (entry / "environ").read_bytes():
                        found.append(f"process {entry.name}: {(entry / 'cmdline').read_bytes()!r}")
                except OSError:  # ended, or of another user
                    continue
        return found

    def leftovers(self) -> list[str]:
        """Temporary files and folders, and files that were kept aside."""
        of_torch = {"torchinductor_root", f"torchinductor_{os.environ.get('USER', 'root')}"}  # its own empty cache
        found = [path for path in self.temporary.iterdir() if path.name not in of_torch]
        hidden = [path for path in self.work.rglob(".*") if path.name != ".snn2circuit"]
        inside = [path for path in self.work.rglob(".snn2circuit/*") if path.name != "files"]
        aside = [path for path in self.work.rglob("*") if path.suffix.removeprefix(".").isdigit()]
        return [str(path) for path in [*found, *hidden, *inside, *aside]]

    def results(self) -> dict[str, bytes]:
        """Every result by its name; empty where two runs differ."""
        return {
            str(path.relative_to(self.work)): b"" if path.name in TIMED | PICKLED else path.read_bytes()
            for path in sorted(self.work.rglob("*"))
            if path.is_file() and ".snn2circuit" not in path.parts
        }


def planted(root: Path) -> list[str]:
    """What the counters do not find although it is there."""
    place = Place(root)
    for name in ("snn2circuit-scratch-abcdefgh", "anything"):
        (place.temporary / name).mkdir()
    (place.work / "out").mkdir()
    for name in (".roc.s2c-0123456789abcdef.png", ".roc.0123.png", "sample_0.cir.1"):
        (place.work / "out" / name).write_text("left")
    missed = [] if len(place.leftovers()) == 5 else [f"leftovers found: {place.leftovers()}"]
    if place.orphans():
        missed.append("an orphan that is none")
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(command, env={**os.environ, "TMPDIR": str(place.temporary)}) as orphan:
        if not place.orphans():
            missed.append("an orphan was not found")
        orphan.kill()
    return missed


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """Names of files that only one has, or that differ."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def kill(place: Place, command: tuple[str, ...], seconds: float) -> bool:
    """Start the command and kill it after some seconds; whether it was still at work."""
    process = place.start(*command)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    return process.wait() != 0


def kill_runs(root: Path, wanted: int, moment: random.Random, wrong: list[str], dead: set[str]) -> tuple[int, int]:
    """Kill runs ``wanted`` times; the number of kills and of orphans. What is wrong and what was left is added."""
    kills = orphans = 0
    if not wanted:
        return kills, orphans
    whole = Place(root / "whole")
    whole.start("run", "design.toml", "-o", "out").wait()  # compiles kernels
    shutil.rmtree(whole.work / "out")
    begin = time.monotonic()
    run = ("run", "design.toml", "-o", "out")
    if whole.start(*run).wait() not in (0, 2):
        wrong.append("the undisturbed run failed")
    length = time.monotonic() - begin
    while kills < wanted:
        place = Place(root / f"run{kills}")
        for _ in range(EACH):
            kills += kill(place, run, moment.uniform(0.05, 1.0) * length)
            orphans += len(place.orphans())
            dead |= {Path(each).name[:8] for each in place.leftovers()}
        if place.start(*run).wait() not in (0, 2):
            wrong.append(f"run after {kills} kills failed")
        wrong += [f"run after {kills} kills: {each} was left" for each in place.leftovers()]
        wrong += [f"run after {kills} kills: {each} differs" for each in differing(place.results(), whole.results())]
        shutil.rmtree(place.work.parent)
        print(f"{kills} kills in runs, {orphans} orphans, {len(wrong)} wrong", flush=True)
    return kills, orphans


def kill_commands(root: Path, wanted: int, moment: random.Random, wrong: list[str], dead: set[str]) -> tuple[int, int]:
    """Kill single commands ``wanted`` times, and start each again; as :func:`kill_runs`."""
    kills = orphans = 0
    place = Place(root / "commands")
    seconds = {}
    for command in COMMANDS:
        begin = time.monotonic()
        if place.start(*command).wait() not in (0, 2):
            wrong.append(f"undisturbed {command[0]} failed")
        seconds[command] = time.monotonic() - begin
    expected = place.results()
    while kills < wanted:
        for command in COMMANDS:
            if command[0] == "train":  # else it has nothing left to do
                shutil.rmtree(place.work / "network.checkpoints")
            kills += kill(place, command, moment.uniform(0.1, 1.0) * seconds[command])
            orphans += len(place.orphans())
            dead |= {Path(each).name[:8] for each in place.leftovers()}
            if place.start(*command).wait() not in (0, 2):
                wrong.append(f"{command[0]} failed after a kill")
            wrong += [f"{command[0]}: {each} was left" for each in place.leftovers()]
            wrong += [f"{command[0]}: {each} differs" for each in differing(place.results(), expected)]
        print(f"{kills} kills in commands, {orphans} orphans, {len(wrong)} wrong", flush=True)
    return kills, orphans


def main() -> None:
    """Run, print what is wrong, and a line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=60, help="kills of runs")
    parser.add_argument("--commands", type=int, default=33, help="kills of single commands")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    moment = random.Random(options.seed)
    wrong: list[str] = []
    found_dead: set[str] = set()  # leftovers between a kill and the next start, by kind: the kills do hit
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        root = Path(name)
        wrong += planted(root / "planted")

        runs, run_orphans = kill_runs(root, options.runs, moment, wrong, found_dead)
        commands, command_orphans = kill_commands(root, options.commands, moment, wrong, found_dead)
    print("\n".join(wrong))
    print(
        json.dumps(
            {
                "kills_in_runs": runs,
                "kills_in_commands": commands,
                "orphans": run_orphans + command_orphans,
                "wrong": len(wrong),
                "left_until_the_next_start": sorted(found_dead),
            }
        )
    )
    sys.exit(bool(wrong or run_orphans or command_orphans))


if __name__ == "__main__":
    main()
