"""Worker processes, one per deck: started, watched, limited, and always ended.

Each runs in its own session and its own empty folder with a scrubbed environment, so no ``.spiceinit`` of the user is
executed and nothing is left behind; what a process may not do stands in :mod:`snn2circuit.confine`. One loop in the
calling thread reads their progress and enforces the time limit; when that loop is left, by whatever exception, every
process group is killed and reaped.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from snn2circuit import errors
from snn2circuit.child import python_command
from snn2circuit.errors import OutputError, SimulationError, SimulationTimeout
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.scratch import scratch
from snn2circuit.simulate.deck import CheckedDeck

Progress = Callable[[int, float], None]  # (index of the deck, share of it done)
_KEEP = ("LD_LIBRARY_PATH", "NGSPICE_LIBRARY_PATH", "SPICE_LIB_DIR", "LANG", "SYSTEMROOT")


@dataclass(frozen=True, kw_only=True)
class Job:
    """A deck to run, the nodes to record, the time it must reach."""

    deck: CheckedDeck
    nodes: tuple[str, ...]
    stop: float  # s


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a deck gave."""

    time: Floats  # (points,), s
    traces: Floats  # (nodes, points), V
    version: str
    seconds: float  # wall
    cpu: float = 0.0  # s, of the simulator alone; 0 where nobody measured
    memory: int = 0  # bytes, at most in use; 0 where nobody measured


def run_jobs(
    jobs: Sequence[Job], *, workers: int, time_limit: float, on_progress: Progress | None = None
) -> list[Result]:
    """Run every job in a fresh process, at most ``workers`` at a time; results in the order of ``jobs``.

    Raises:
        SimulationError: the first job that failed, with its deck's name; the others are stopped.
        OutputError: the temporary folder cannot be written.
    """
    waiting = deque(enumerate(jobs))
    results: dict[int, Result] = {}
    running: dict[int, _Worker] = {}
    with scratch() as folder, selectors.DefaultSelector() as selector:
        try:
            while waiting or running:
                while waiting and len(running) < max(1, workers):
                    index, job = waiting.popleft()
                    running[index] = _Worker(job, folder / str(index), time_limit)
                    selector.register(running[index].pipe, selectors.EVENT_READ, index)
                for key, _ in selector.select(timeout=0.2):
                    index = key.data
                    worker = running[index]
                    ended = worker.read()
                    if on_progress:
                        on_progress(index, worker.share)
                    if ended:
                        selector.unregister(worker.pipe)
                        results[index] = worker.finish()
                        del running[index]
                for worker in running.values():
                    worker.check_time()
        finally:
            for worker in running.values():
                worker.kill()
    return [results[index] for index in range(len(jobs))]


class _Worker:
    """A running process and what it has said so far."""

    def __init__(self, job: Job, folder: Path, time_limit: float) -> None:
        self.job, self.folder, self.time_limit = job, folder, time_limit
        try:
            folder.mkdir()
            (folder / "deck.cir").write_text(job.deck.text, encoding="utf-8")
            (folder / "nodes.json").write_text(json.dumps(job.nodes), encoding="utf-8")
        except OSError as error:
            raise OutputError(
                f"{job.deck.name}: cannot write into the temporary folder {folder}: {error.strerror or error}; "
                "free some space, or let TMPDIR name another folder"
            ) from error
        self.started = time.monotonic()
        self.message: dict[str, Any] = {}
        self.buffer = b""
        self.share = 0.0
        environment = {name: os.environ[name] for name in _KEEP if name in os.environ}
        # One thread each: the decks run side by side, and numpy is only used for copying.
        environment |= {
            "HOME": str(folder),
            "PATH": "/nonexistent",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        command = python_command(
            "snn2circuit.simulate.ngspice", "deck.cir", "nodes.json", "result.npz", str(time_limit), repr(job.stop)
        )
        with (folder / "stderr.txt").open("wb") as stderr:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
            )
        os.set_blocking(self.pipe.fileno(), False)

    @property
    def pipe(self) -> IO[bytes]:
        """Standard output of the process."""
        pipe = self.process.stdout
        if pipe is None:
            raise SimulationError(f"{self.job.deck.name}: the worker has no output pipe")
        return pipe

    def read(self) -> bool:
        """Take in what the process has written; true when it will write no more."""
        chunk = self.pipe.read()
        if chunk is None:
            return False
        *lines, self.buffer = (self.buffer + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"@"):
                message = json.loads(line[1:])
                if "progress" in message:
                    self.share = min(max(float(message["progress"]), 0.0), 1.0)
                else:
                    self.message, self.share = message, 1.0
        return not chunk

    def check_time(self) -> None:
        """Give up on a process that has used up its time."""
        if time.monotonic() - self.started > self.time_limit:
            raise SimulationTimeout(
                f"{self.job.deck.name}: not finished after {self.time_limit:g} s; "
                "simulate fewer steps or a smaller network, or raise time_limit"
            )

    def finish(self) -> Result:
        """The result of a process that has ended."""
        self.kill()
        if "done" in self.message:
            with np.load(self.folder / "result.npz", allow_pickle=False) as data:
                return Result(
                    time=data["time"],
                    traces=data["traces"],
                    version=self.message["done"],
                    seconds=time.monotonic() - self.started,
                    cpu=self.message["cpu"],
                    memory=self.message["memory"],
                )
        if "error" in self.message:
            kind = getattr(errors, self.message["error"], SimulationError)
            raise kind(f"{self.job.deck.name}: {self.message['message']}")
        tail = (self.folder / "stderr.txt").read_text(encoding="utf-8", errors="replace").strip()[-600:]
        raise SimulationError(
            f"{self.job.deck.name}: the simulator ended without a result (exit status {self.process.returncode}); "
            f"it said: {tail or 'nothing'}"
        )

    def kill(self) -> None:
        """End the whole process group and reap it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
