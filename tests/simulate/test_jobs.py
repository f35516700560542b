"""Worker processes: progress, environment, and that none of them outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from snn2circuit.errors import OutputError, SimulationTimeout
from snn2circuit.simulate.deck import CheckedDeck
from snn2circuit.simulate.jobs import Job, run_jobs

SLOW = "* slow\nV1 a 0 1\nR1 a b 1k\nC1 b 0 1u\n.tran 1n 1 0 1n uic\n.end\n"
BRISK = "* brisk\nV1 a 0 1\nR1 a b 1k\nC1 b 0 1u\n.tran 1u 100m 0 1u uic\n.end\n"

PARENT = """
import signal, sys
# A test run in the background inherits an ignored SIGINT; a person at a terminal does not.
signal.signal(signal.SIGINT, signal.default_int_handler)
from snn2circuit.simulate.deck import CheckedDeck
from snn2circuit.simulate.jobs import Job, run_jobs
jobs = [Job(deck=CheckedDeck(sys.argv[1], name=f"slow {i}"), nodes=("a",), stop=1.0) for i in range(3)]
print("ready", flush=True)
run_jobs(jobs, workers=2, time_limit=600, on_progress=lambda index, share: print("progress", flush=True))
"""


def workers_of(marker: str) -> list[int]:
    """Living worker processes whose environment carries ``marker``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                alive = (entry / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
                if alive and marker.encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def wait_until(condition: object, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_no_worker_outlives_its_parent(how: signal.Signals, tmp_path: Path) -> None:
    # The workers' HOME lies under the parent's temporary folder, which marks them.
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, SLOW], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"ready\n"
    assert wait_until(lambda: len(workers_of(str(tmp_path / "snn2circuit-"))) == 2)
    parent.send_signal(how)
    assert parent.wait(timeout=20) == -how
    assert wait_until(lambda: not workers_of(str(tmp_path / "snn2circuit-"))), "a worker is still running"
    parent.stdout.close()


def test_twenty_time_limits_leave_no_process_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for _ in range(20):
        with pytest.raises(SimulationTimeout):
            run_jobs([Job(deck=CheckedDeck(SLOW, name="slow"), nodes=("a",), stop=1.0)], workers=1, time_limit=0.1)
    assert workers_of(str(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


def test_progress_comes_from_the_simulator_and_ends_at_one() -> None:
    seen: list[tuple[int, float]] = []
    jobs = [Job(deck=CheckedDeck(BRISK, name=f"brisk {i}"), nodes=("b",), stop=0.1) for i in range(3)]
    results = run_jobs(jobs, workers=2, time_limit=120, on_progress=lambda index, share: seen.append((index, share)))
    assert len(results) == 3
    for index in range(3):
        shares = [share for which, share in seen if which == index]
        assert shares == sorted(shares)
        assert shares[-1] == 1.0
        assert any(0 < share < 1 for share in shares), "ngspice's own status was never seen"


def test_the_users_spiceinit_is_not_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = tmp_path / "canary"
    (tmp_path / ".spiceinit").write_text(f"shell touch {canary}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    run_jobs([Job(deck=CheckedDeck(BRISK, name="brisk"), nodes=("b",), stop=0.1)], workers=1, time_limit=120)
    assert not canary.exists()


def test_a_temporary_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job(deck=CheckedDeck(BRISK, name="brisk"), nodes=("b",), stop=0.1)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(OutputError, match="let TMPDIR name another place"):
        run_jobs([job], workers=1, time_limit=60)
    # A file system that is full while the deck is written: real, and without being root.
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    script = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        "from snn2circuit.simulate.deck import CheckedDeck; from snn2circuit.simulate.jobs import Job, run_jobs;"
        "deck = CheckedDeck('* big\\n' + 'R1 a b 1\\n' * 500, name='big');"
        "run_jobs([Job(deck=deck, nodes=('b',), stop=0.1)], workers=1, time_limit=60)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "OutputError" in result.stderr
    assert "cannot write into the temporary folder" in result.stderr
