"""One deck in one fresh process: the only file that knows PySpice and ngspice.

A worker of :mod:`snn2circuit.simulate.jobs`, not for people; its arguments are DECK NODES RESULT TIME_LIMIT STOP. Once
ngspice has started, the process shuts itself into its folder (:mod:`snn2circuit.confine`): whatever a deck might make
ngspice do, it starts no program and opens no file elsewhere.

A fresh process per deck is a rule of correctness: ngspice keeps the previous circuit when a deck does not load, and
would run that again. PySpice takes every line on standard error for a failure, but newer ngspice versions print
harmless notes there, and exit codes and return values are 0 for decks with unknown models or floating nodes. So the
worker ignores both and judges by what was said and by what came out: errors named in the log, the vectors that exist,
their values, and the time the analysis reached.

Progress goes to standard output as lines ``@{"progress": 0.42}``, the outcome as ``@{"done": ...}`` or ``@{"error":
...}``.
"""

from __future__ import annotations

import ctypes.util
import json
import os
import re
import sys
import threading
from io import StringIO
from pathlib import Path
from time import process_time
from typing import Any, TextIO

import numpy as np

from snn2circuit.confine import limit_use, machine_memory, shut_in
from snn2circuit.errors import (
    DeckEmpty,
    DeckRejected,
    IncludeMissing,
    MatrixSingular,
    ModelUnknown,
    NodeFloating,
    NodeMissing,
    NotConverging,
    RunTooShort,
    SimulationDiverged,
    SimulationError,
    SimulatorMissing,
    ValueNotFinite,
)

MEMORY_LIMIT = machine_memory(16 * 2**30)  # bytes of address space
FILE_LIMIT = 4 * 2**30  # bytes
KLU = "** Compiled with KLU"

_REJECTED = re.compile(
    r"circuit not parsed|there aren't any circuits|no circuit loaded|unable to find definition|parse error|"
    r"unknown (?:subckt|model|device|parameter)|can't find model|no such (?:parameter|function)|syntax error|"
    r"could not find include|missing value|too few|not enough|mal\s*formed|undefined|"
    r"could not find a valid modelname|incomplete or empty netlist|"
    # ngspice repairs these silently, into a circuit nobody wrote.
    r"resistance too? low|will be replaced with|unusual leading characters",
    re.IGNORECASE,
)
_DIVERGED = re.compile(
    r"timestep too small|singular matrix|no convergence|iteration limit|run simulation\(s\) aborted|doanalyses|"
    r"trouble with node|gmin stepping failed|source stepping failed|matrix is singular",
    re.IGNORECASE,
)
# What a complaint means, most telling words first; ngspice calls the current of a source ``v1#branch``.
_MEANINGS: tuple[tuple[str, type[SimulationError]], ...] = (
    (r"could not find include", IncludeMissing),
    (r"valid modelname|can't find model|unable to find definition|unknown (?:subckt|model)", ModelUnknown),
    (r"incomplete or empty netlist|there aren't any circuits|no circuit loaded", DeckEmpty),
    (r"singular matrix:\s+check node\s+\S*#branch", MatrixSingular),
    (r"singular matrix:\s+check node", NodeFloating),
    (r"singular", MatrixSingular),
    (r"timestep too small|no convergence|iteration limit|stepping failed|trouble with", NotConverging),
)
_ERROR = re.compile(r"\berror\b", re.IGNORECASE)
_PROGRESS = re.compile(r"([\d.]+)\s*%")


def find_library() -> str:
    """Name of the ngspice shared library.

    Raises:
        SimulatorMissing: it is not installed.
    """
    chosen = os.environ.get("NGSPICE_LIBRARY_PATH")
    # find_library asks ldconfig in another process, which can fail on a busy machine; the loader knows the name too.
    names = [chosen] if chosen else [ctypes.util.find_library("ngspice") or "libngspice.so.0", "libngspice.so"]
    reasons = []
    for name in names:
        try:
            ctypes.CDLL(name)
        except OSError as error:
            reasons.append(str(error))
        else:
            return name
    raise SimulatorMissing(
        f"libngspice cannot be loaded ({'; '.join(reasons)}); on Debian: apt-get install libngspice0"
    )


def run_deck(text: str, nodes: list[str], report: Any) -> dict[str, Any]:
    """Simulate a flat deck; returns ``time``, ``traces`` (nodes, points), the simulator's ``version``, ``cpu`` s."""
    try:
        from PySpice.Spice.NgSpice.Shared import NgSpiceShared
    except ImportError as error:
        raise SimulatorMissing(f"PySpice cannot be imported ({error}); pip install PySpice==1.5") from error

    log: list[str] = []

    class Session(NgSpiceShared):  # type: ignore[misc]
        """ngspice with our own judgement of its messages, and its status passed on."""

        LIBRARY_PATH = find_library()

        def send_char(self, message: str, ngspice_id: int) -> int:
            log.append(message.partition(" ")[2])
            self._error_in_stdout = self._error_in_stderr = False
            return 0

        def send_stat(self, message: str, ngspice_id: int) -> int:
            if found := _PROGRESS.search(message):
                report(float(found[1]) / 100)
            return 0

    session = Session.new_instance()
    answer = "\n".join(log)  # PySpice has asked for the version
    del log[:]
    # ngspice has started up; from here on it reads what others wrote.
    shut_in(Path.cwd())
    started = process_time()
    session.load_circuit(choose_solver(text, answer))
    _judge(log, DeckRejected, _REJECTED)
    session.run()
    _judge(log, DeckRejected, _REJECTED)
    _judge(log, SimulationDiverged, _DIVERGED)
    cpu = process_time() - started
    plots = [name for name in session.plot_names if name.startswith("tran")]
    if not plots:
        if not any(line[:1].isalpha() for line in text.splitlines()[1:]):
            raise DeckEmpty(f"the deck holds no element{_said(log)}")
        raise DeckRejected(f"ngspice ran no transient analysis of the deck{_said(log)}")
    plot = session.plot(None, plots[0])
    time = np.real(np.asarray(plot["time"]._data))
    missing = [node for node in nodes if node not in plot]
    if missing:
        raise NodeMissing(
            f"node {missing[0]!r} is not in the circuit "
            f"({len(missing)} of the {len(nodes)} nodes to record are missing){_said(log)}"
        )
    traces = np.stack([np.real(np.asarray(plot[node]._data)) for node in nodes]) if nodes else np.empty((0, len(time)))
    version = f"ngspice {session.ngspice_version}{' with KLU' if KLU in answer else ''}"
    return {"time": time, "traces": traces, "version": version, "log": log, "cpu": cpu}


def choose_solver(text: str, answer: str) -> str:
    """The deck with the faster matrix solver switched on, if ngspice's ``answer`` to ``version -f`` says it has it.

    It belongs to the machine and not to the deck, so it is no part of what is written. A build without it would accept
    the option and ignore it.
    """
    title, newline, rest = text.partition("\n")
    return f"{title}{newline}.options klu\n{rest}" if KLU in answer else text


def check_result(time: np.ndarray[Any, Any], traces: np.ndarray[Any, Any], nodes: list[str], stop: float) -> None:
    """Refuse what an aborted analysis leaves behind: a short run, NaN, infinity."""
    if len(time) < 2 or time[-1] < stop * (1 - 1e-6):
        reached = time[-1] if len(time) else 0.0
        raise RunTooShort(f"the analysis stopped at {reached:.6g} s of {stop:.6g} s")
    bad = np.argwhere(~np.isfinite(traces))
    if len(bad):
        node, point = (int(v) for v in bad[0])
        raise ValueNotFinite(f"node {nodes[node]} is not finite at {time[point]:.6g} s")


def _judge(log: list[str], error: type[SimulationError], pattern: re.Pattern[str]) -> None:
    for index, line in enumerate(log):
        if pattern.search(line):
            # ngspice often names the offending line just before or after the complaint.
            context = " | ".join(part.strip() for part in log[max(0, index - 2) : index + 3] if part.strip())
            meanings = (kind for words, kind in _MEANINGS if re.search(words, context, re.IGNORECASE))
            raise next((kind for kind in meanings if issubclass(kind, error)), error)(f"ngspice says: {context[:600]}")


def _said(log: list[str]) -> str:
    lines = [line.strip() for line in log if _ERROR.search(line)]
    return f"; ngspice says: {' | '.join(lines)[:600]}" if lines else ""


def _exit_with_parent() -> None:
    """End this process when the other end of standard input closes: a killed parent leaves no orphan."""
    sys.stdin.buffer.read()
    os._exit(3)


def open_status() -> TextIO:
    """The system's account of this process, to be read later; empty where the system keeps none."""
    try:
        return Path("/proc/self/status").open(encoding="ascii", errors="replace")
    except OSError:
        return StringIO()


def peak_memory(status: TextIO) -> int:
    """Largest memory of this process, in bytes; 0 where the system does not say."""
    status.seek(0)
    # getrusage would give the parent's peak if that was larger: it survives fork and exec.
    found = re.search(r"^VmHWM:\s*(\d+) kB", status.read(), re.MULTILINE)
    return 1024 * int(found[1]) if found else 0


def _tell(**message: object) -> None:
    sys.stdout.write("@" + json.dumps(message) + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Entry of the worker process."""
    deck, node_file, result, time_limit, stop = arguments
    limit_use(cpu=int(float(time_limit)) + 5, memory=MEMORY_LIMIT, file_size=FILE_LIMIT)
    status = open_status()  # before the walls go up
    nodes = json.loads(Path(node_file).read_text(encoding="utf-8"))
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    try:
        outcome = run_deck(Path(deck).read_text(encoding="utf-8"), nodes, lambda share: _tell(progress=share))
        check_result(outcome["time"], outcome["traces"], nodes, float(stop))
        np.savez(result, time=outcome["time"], traces=outcome["traces"])
        _tell(done=outcome["version"], cpu=outcome["cpu"], memory=peak_memory(status))
    except SimulationError as error:
        _tell(error=type(error).__name__, message=str(error))
        return 1
    except OSError as error:
        _tell(error="OutputError", message=f"the result cannot be written: {error.strerror or error}")
        return 1
    except MemoryError:
        _tell(error="SimulationError", message=f"the simulation needs more than {MEMORY_LIMIT} bytes of memory")
        return 1
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    # libngspice's own exit handlers can hang after an aborted analysis.
    os._exit(code)
