"""One run at a time in a folder, and a lock that no kill can jam."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from snn2circuit.errors import FolderInUse, OutputError
from snn2circuit.ir.claims import claim, lock
from snn2circuit.ir.files import write_text
from snn2circuit.ir.record import HOME

HOLD = """
import sys
from pathlib import Path
from snn2circuit.ir.claims import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has locked ``folder``."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_is_told_who_and_since_when(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with holder(out) as process:
        with pytest.raises(FolderInUse) as refused, lock(out):
            pass
        text = str(refused.value)
        assert f"{out} is in use by process {process.pid} of " in text
        assert f"`-c {out}`, since 2" in text
        assert "choose another folder" in text
        with claim(out):  # writing a single file is nobody's run
            write_text(out / "x", "x")
    with lock(out):
        pass


@pytest.mark.parametrize(("held", "wanted"), [("out", "out/netlist"), ("out/netlist", "out")])
def test_a_folder_in_a_folder_is_the_same_place(held: str, wanted: str, tmp_path: Path) -> None:
    (tmp_path / "out" / "netlist").mkdir(parents=True)
    with holder(tmp_path / held), pytest.raises(FolderInUse, match=f"{held} is in use by"), lock(tmp_path / wanted):
        pass
    with lock(tmp_path / wanted):
        pass


def test_a_kill_releases_the_lock(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with holder(out) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (out / HOME / "lock").exists()
    with lock(out):
        assert (out / HOME / "lock").exists()
    assert list(out.iterdir()) == []


def test_who_holds_it_may_ask_again_and_another_thread_may_not(tmp_path: Path) -> None:
    refused: list[BaseException] = []

    def other() -> None:
        try:
            with lock(tmp_path):
                pass
        except FolderInUse as error:
            refused.append(error)

    with lock(tmp_path), lock(tmp_path), lock(tmp_path / "below"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(refused) == 1
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert len(refused) == 1


def test_of_many_at_once_one_wins_at_a_time(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from snn2circuit.errors import FolderInUse
from snn2circuit.ir.claims import lock
folder, won = Path(sys.argv[1]), 0
for _ in range(50):
    try:
        with lock(folder):
            (folder / "inside").mkdir()  # fails if anybody else is
            (folder / "inside").rmdir()
            won += 1
    except FolderInUse:
        pass
print(won)
"""
    (tmp_path / "keep").touch()
    several = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    won = 0
    for process in several:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, b"")
        won += int(out)
    assert won > 0
    assert [path.name for path in tmp_path.iterdir()] == ["keep"]


def test_what_nothing_was_written_into_is_gone_again(tmp_path: Path) -> None:
    for hold in (claim, lock):
        with hold(tmp_path / "a" / "b"):
            assert (tmp_path / "a" / "b" / HOME).is_dir()
        assert list(tmp_path.iterdir()) == []
        with hold(tmp_path / "a" / "b"), claim(tmp_path / "a" / "b"):
            write_text(tmp_path / "a" / "b" / "x", "x")
        assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == [HOME, "x"]
        for path in ((tmp_path / "a" / "b" / HOME / "files"), (tmp_path / "a" / "b" / "x")):
            path.unlink()
        (tmp_path / "a" / "b" / HOME).rmdir()
        (tmp_path / "a" / "b").rmdir()
        (tmp_path / "a").rmdir()


def test_nobody_removes_a_claim_from_under_another(tmp_path: Path) -> None:
    first, second = claim(tmp_path), claim(tmp_path)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert (tmp_path / HOME).is_dir()
    second.__exit__(None, None, None)


def test_below_a_results_folder_none_is_made(tmp_path: Path) -> None:
    (tmp_path / HOME).mkdir()
    (tmp_path / "masks").mkdir()
    with claim(tmp_path / "masks"):
        write_text(tmp_path / "masks" / "x", "x")
    assert [path.name for path in (tmp_path / "masks").iterdir()] == ["x"]
    assert "masks/x" in (tmp_path / HOME / "files").read_text()


@pytest.mark.parametrize("hold", [claim, lock])
def test_a_file_in_the_way_is_an_error(hold: object, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / HOME).write_text("")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / HOME).symlink_to(tmp_path / "sub")
    for folder in ("file", "file/x", "sub", "linked"):
        with pytest.raises(OutputError, match="cannot write"), hold(tmp_path / folder):  # type: ignore[operator]
            pass
