"""What a dead process left is removed; what a living one has, or a user, stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from snn2circuit.errors import OutputError
from snn2circuit.ir.claims import lock
from snn2circuit.ir.scratch import scratch, sweep

WORK = """
import sys
from pathlib import Path
from snn2circuit.ir.files import atomic
from snn2circuit.ir.scratch import scratch
folder = Path(sys.argv[1])
with scratch() as temporary, scratch(folder) as beside, atomic(folder / "masks" / "roc.png") as half:
    (temporary / "deck.cir").write_text("deck")
    (temporary / "below").mkdir()
    half.write_text("half")
    print("ready", flush=True)
    sys.stdin.read()
"""


@contextmanager
def worker(folder: Path, temporary: Path) -> Iterator[subprocess.Popen[str]]:
    """A process in the middle of writing."""
    temporary.mkdir(exist_ok=True)
    command = [sys.executable, "-c", WORK, str(folder)]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def left(*folders: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for folder in folders for path in folder.rglob("*") if path.is_file())


def test_the_living_are_left_alone_and_the_dead_are_swept(tmp_path: Path) -> None:
    out, temporary = tmp_path / "out", tmp_path / "tmp"
    out.mkdir()
    with worker(out, temporary) as process:
        before = [*out.rglob("*"), *temporary.rglob("*")]
        sweep(temporary)
        sweep(out, 2)
        assert [*out.rglob("*"), *temporary.rglob("*")] == before
        assert len(before) == 6  # two folders with two entries in one; a folder with half a file
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert [*out.rglob("*"), *temporary.rglob("*")] == before
    sweep(temporary)
    assert list(temporary.iterdir()) == []
    with lock(out):
        assert left(out / "masks") == []
        assert [path.name for path in out.iterdir()] == [".snn2circuit", "masks"]


def test_what_looks_alike_is_not_touched(tmp_path: Path) -> None:
    names = [
        ".roc.png", ".roc.1234567890ab.png", ".roc.s2c-12.png", "roc.s2c-0123456789abcdef.png", "snn2circuit-notes",
        "snn2circuit-scratch-", "snn2circuit-scratch-mine", "my-snn2circuit-scratch-abcdefgh", ".snn2circuit",
        "snn2circuit-scratch-abcdefgh.txt",
    ]  # fmt: skip
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / ".x.s2c-0123456789abcdef.y.z").write_text("not ours: two endings")
    (tmp_path / "snn2circuit-scratch-linkedto").symlink_to(tmp_path / ".roc.png")
    (tmp_path / ".x.s2c-0123456789abcdef").symlink_to(tmp_path / ".roc.png")
    os.mkfifo(tmp_path / ".y.s2c-0123456789abcdef")
    before = sorted(tmp_path.rglob("*"))
    sweep(tmp_path, 2)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_what_belongs_to_another_user_stays(tmp_path: Path) -> None:
    for folder in ("snn2circuit-scratch-abcdefgh", "snn2circuit-scratch-12345678"):
        (tmp_path / folder).mkdir()
    os.chown(tmp_path / "snn2circuit-scratch-abcdefgh", 12345, 12345)
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["snn2circuit-scratch-abcdefgh"]


def test_a_scratch_folder_is_private_and_goes(tmp_path: Path) -> None:
    with scratch(tmp_path) as folder:
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OutputError, match="no temporary folder in"), scratch(tmp_path / "missing"):
        pass


def test_sweeping_while_others_begin_takes_nothing_away(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from snn2circuit.ir.scratch import scratch
for _ in range(150):
    with scratch(Path(sys.argv[1])) as folder:
        (folder / "file").write_text("there")
        assert (folder / "file").read_text() == "there"
"""
    several = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stderr=subprocess.PIPE) for _ in range(3)]
    for process in several:
        _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, b"")
    assert list(tmp_path.iterdir()) == []
