"""Ctrl-C and SIGTERM at any moment: one line, exit status 130 or 143, nothing left, and the next start goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from conftest import SMALL

from snn2circuit import flow
from snn2circuit.design import parse_design
from snn2circuit.ir.interrupts import LINE

HANDLED = "from snn2circuit.ir.interrupts import handle_interrupts\nhandle_interrupts()\n"
LONG = SMALL.replace("epochs = 4", "epochs = 60").replace("samples = 2", "samples = 20")


def start(*arguments: str, temporary: Path, folder: Path | None = None) -> subprocess.Popen[str]:
    """Python, as a terminal would start it: in a process group of its own, with Ctrl-C not ignored."""
    temporary.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, *arguments], text=True, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True, env={**os.environ, "TMPDIR": str(temporary)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip


def interrupt(process: subprocess.Popen[str], how: signal.Signals = signal.SIGINT) -> tuple[str, str]:
    """Send the signal as a terminal does, to every process of the group."""
    os.killpg(process.pid, how)
    return process.communicate(timeout=60)


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if "s2c-" in path.name or "snn2circuit-" in path.name]


@pytest.mark.parametrize(
    ("how", "seconds", "stage"),
    [
        (signal.SIGINT, 0.2, ""), (signal.SIGINT, 1.2, ""), (signal.SIGINT, 2.5, "data"), (signal.SIGTERM, 2.5, "data"),
        (signal.SIGINT, 0.2, "netlist"), (signal.SIGINT, 0.0, "layout"),
    ],
)  # fmt: skip
def test_a_run_ends_in_one_line_and_can_go_on(how: signal.Signals, seconds: float, stage: str, tmp_path: Path) -> None:
    """After ``stage`` and some seconds; where that is, does not matter."""
    short = stage in ("netlist", "layout")
    (tmp_path / "design.toml").write_text(LONG.replace("epochs = 60", "epochs = 1") if short else LONG)
    command = ["-m", "snn2circuit", "run", str(tmp_path / "design.toml"), "-o", str(tmp_path / "out")]
    process = start(*command, temporary=tmp_path / "tmp")
    assert process.stderr is not None
    said = ""
    while stage and not said.startswith(stage):
        said = process.stderr.readline()
        assert said, "the run ended before that stage"
    time.sleep(seconds)
    _, rest = interrupt(process, how)
    *stages, last = rest.splitlines()
    assert (process.returncode, last) == (128 + how, LINE), rest
    assert not [line for line in stages if not line[:9].strip().isalpha() and "sign-off" not in line]
    assert left(tmp_path / "out") == []
    # A run of another length goes through the same folder without a trace of it.
    if stage == "netlist":
        assert flow.run(parse_design(SMALL.replace("epochs = 4", "epochs = 1")), tmp_path / "out")["stages_reused"]
        assert left(tmp_path) == []


def test_train_keeps_the_best_so_far_and_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "design.toml").write_text(LONG.replace("epochs = 60", "epochs = 6000"))
    history = tmp_path / "history.jsonl"
    command = ["-m", "snn2circuit", "train", "-d", "design.toml", "-o", "network.npz", "--history", "history.jsonl"]
    process = start(*command, temporary=tmp_path / "tmp", folder=tmp_path)
    while not (history.exists() and history.read_text()):
        assert process.poll() is None
        time.sleep(0.05)
    out, err = interrupt(process)
    assert (process.returncode, out) == (130, ""), err
    assert err.splitlines()[-1].startswith("interrupted after epoch ")
    assert err.splitlines()[-1].endswith("and the training can go on: add --resume")
    assert (tmp_path / "network.npz").exists()
    assert (tmp_path / "network.checkpoints" / "last.pt").exists()
    assert left(tmp_path) == []


@pytest.mark.parametrize(("how", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(
    "code",
    [
        "import time; ready(); time.sleep(60)",
        # While a library is loaded: no exception goes through it.
        "sys.path.insert(0, sys.argv[1]); import slow",
        # Where an exception goes nowhere.
        "class Swallows:\n    def __del__(self):\n        ready(); time.sleep(60)\nSwallows(); time.sleep(60)",
        # In what cannot be unwound.
        "interrupts.PATIENCE = 0.2\ntry:\n    ready(); time.sleep(60)\nfinally:\n    time.sleep(60)",
        "interrupts.PATIENCE = 0.2\nwhile True:\n    try: ready(); time.sleep(60)\n    except BaseException: pass",
    ],
    ids=["asleep", "importing", "destructor", "stuck", "swallowed"],
)
def test_any_program_ends(code: str, how: signal.Signals, status: int, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time\nprint('ready', flush=True)\ntime.sleep(60)\n")
    body = textwrap.indent(code, "    ")
    program = f"""
import sys, time
from snn2circuit.ir import interrupts
interrupts.handle_interrupts()
def ready(): print("ready", flush=True)
try:
{body}
except (KeyboardInterrupt, interrupts.Terminated) as signalled:
    print(interrupts.line(), file=sys.stderr)
    sys.exit(130 if isinstance(signalled, KeyboardInterrupt) else 143)
"""
    process = start("-c", program, str(tmp_path), temporary=tmp_path / "tmp")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    _, err = interrupt(process, how)
    assert (process.returncode, err) == (status, f"{LINE}\n")


def test_the_second_signal_does_not_wait(tmp_path: Path) -> None:
    program = HANDLED + (
        "import sys, time\ntry:\n    print('ready', flush=True); time.sleep(60)\n"
        "finally:\n    print('unwinding', flush=True); time.sleep(60)"
    )
    process = start("-c", program, temporary=tmp_path / "tmp")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGINT)
    assert process.stdout.readline() == "unwinding\n"
    _, err = interrupt(process)
    assert (process.returncode, err) == (130, f"{LINE}\n")


def test_a_signal_that_is_ignored_stays_so(tmp_path: Path) -> None:
    program = "import signal\nsignal.signal(2, signal.SIG_IGN)\n" + HANDLED + "signal.raise_signal(2)\nprint('on')"
    process = start("-c", program, temporary=tmp_path / "tmp")
    assert process.communicate(timeout=60) == ("on\n", "")


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    process = start("-m", "snn2circuit", "design", temporary=tmp_path / "tmp")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    process.wait(timeout=60)
