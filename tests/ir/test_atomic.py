"""Whatever goes wrong while a result is written, what stood at its place still stands there, whole."""

from __future__ import annotations

import os
import random
import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import ir_samples as samples
import numpy as np
import pytest

from snn2circuit.errors import OutputError
from snn2circuit.ir.files import atomic, fingerprint, load, save, write_json, write_text
from snn2circuit.ir.network import Layer, Network
from snn2circuit.neurons.leaky import Leaky

HERE = Path(__file__).parent


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def wide_network(value: float, inputs: int = 50_000) -> Network:
    return Network(name="wide", layers=(Layer(weight=np.full((1, inputs), value), neuron=Leaky()),), steps=1)


def run(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Start Python on ``code`` with this folder's modules at hand."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("failure", [ValueError("no"), KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_a_failure_leaves_the_old_file(failure: BaseException, tmp_path: Path) -> None:
    path = tmp_path / "result.txt"
    path.write_text("old")
    expected = OutputError if isinstance(failure, OSError) else type(failure)

    def half() -> None:
        with atomic(path) as temporary:
            temporary.write_text("half of the n")
            raise failure

    with pytest.raises(expected):
        half()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["result.txt"]


def test_nobody_sees_the_new_file_before_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "result.txt"
    with atomic(path) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".txt"
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert names(tmp_path) == ["result.txt"]


def test_new_files_have_the_usual_permissions(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "a")
        (tmp_path / "b.txt").write_text("b")
    finally:
        os.umask(old)
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a.txt", "b.txt")}
    assert modes == {0o640}


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "result.json", tmp_path / "folder", tmp_path / ("x" * 300)):
        with pytest.raises(OutputError, match="cannot write") as caught:
            write_json(path, {"a": 1})
        assert str(path) in str(caught.value)
    assert names(tmp_path) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_device_without_space(tmp_path: Path) -> None:
    """The kernel itself refuses: a process that may not write files beyond 64 KiB saves 400 KB over an older result."""
    path = tmp_path / "network.npz"
    save(samples.network(), path)
    before = path.read_bytes()
    child = run(
        """
        import resource, sys
        from pathlib import Path
        import test_atomic
        from snn2circuit.errors import OutputError
        from snn2circuit.ir.files import save
        resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
        try:
            save(test_atomic.wide_network(1.0), Path(sys.argv[1]))
        except OutputError as error:
            print(error)
        """,
        str(path),
    )
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    assert f"cannot write {path}" in out
    assert path.read_bytes() == before
    assert names(tmp_path) == ["network.npz"]


def test_kill_never_leaves_half_a_file(tmp_path: Path) -> None:
    """A process that keeps replacing one network by another is killed at random moments; one is there, whole."""
    path = tmp_path / "network.npz"
    chance = random.Random(5)
    whole = {fingerprint(wide_network(value)) for value in (1.0, 2.0)}
    for _ in range(6):
        child = run(
            """
            import sys
            from pathlib import Path
            import test_atomic
            from snn2circuit.ir.files import save
            networks = [test_atomic.wide_network(value) for value in (1.0, 2.0)]
            save(networks[0], Path(sys.argv[1]))
            print("ready", flush=True)
            while True:
                for network in networks:
                    save(network, Path(sys.argv[1]))
            """,
            str(path),
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0, 0.05))
        child.kill()
        child.communicate(timeout=60)
        assert child.returncode == -signal.SIGKILL
        assert fingerprint(load(path, Network, samples.PARTS)) in whole
