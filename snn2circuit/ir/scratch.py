"""Temporary files and folders that a killed process does not leave for good.

Whoever makes one holds an advisory lock (``flock``) on it, which the system releases when the process ends, however it
ends. So one that nobody holds is of a dead process, and :func:`sweep` removes it: at the next start of any command, in
the system's folder for temporary files and in the results folder it works in. Names are such that nobody else uses
them, and what belongs to another user stays.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from snn2circuit.errors import OutputError

PREFIX = "snn2circuit-scratch-"
_FOLDER = re.compile(rf"\.?{PREFIX}[a-z0-9_]{{8}}")
_FILE = re.compile(r"\..*\.s2c-[0-9a-f]{16}(\.[^.]*)?", re.DOTALL)


@contextmanager
def scratch(beside: Path | None = None) -> Iterator[Path]:
    """An empty folder that is removed in the end; a hidden one in ``beside``, or one of the system's.

    Raises:
        OutputError: it cannot be made.
    """
    prefix = PREFIX if beside is None else f".{PREFIX}"
    try:
        sweep(beside or Path(tempfile.gettempdir()))
        while True:
            folder = Path(tempfile.mkdtemp(prefix=prefix, dir=beside))
            try:
                descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except FileNotFoundError:
                continue  # swept by another process already
            held = True  # on a file system without locks, where nobody sweeps either
            with contextlib.suppress(OSError):
                held = hold(descriptor, folder)
            if held:
                break
            os.close(descriptor)  # being swept
    except OSError as error:
        raise OutputError(
            f"no temporary folder{f' in {beside}' if beside else ''}: {error.strerror or error}; "
            "free some space, or let TMPDIR name another place"
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def temporary_name(path: Path, token: str) -> Path:
    """A hidden name beside ``path`` with its ending, which :func:`sweep` knows; ``token`` has 16 hexadecimal digits."""
    return path.with_name(f".{path.stem[:80]}.s2c-{token}{path.suffix[:40]}")


def hold(descriptor: int, path: Path) -> bool:
    """Lock what was opened; false if another process has it, or has removed it from ``path``."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except (BlockingIOError, FileNotFoundError):
        return False


def sweep(folder: Path, depth: int = 0) -> None:
    """Remove what dead processes of this user left in ``folder`` and ``depth`` levels below it."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                is_folder = entry.is_dir(follow_symlinks=False)
                if (_FOLDER if is_folder else _FILE).fullmatch(entry.name):
                    _remove_dead(Path(entry.path))
                elif is_folder and depth:
                    sweep(Path(entry.path), depth - 1)


def _remove_dead(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.getuid() or not hold(descriptor, path):
            return
        if stat.S_ISDIR(status.st_mode):
            shutil.rmtree(path, ignore_errors=True)
        elif stat.S_ISREG(status.st_mode):
            path.unlink()
    finally:
        os.close(descriptor)
