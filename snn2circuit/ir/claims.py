"""Who may write into a results folder: one run at a time.

:func:`claim` makes a folder a results folder (see :mod:`snn2circuit.ir.record`); :func:`lock` also keeps others out.
The lock is advisory (``flock`` on ``.snn2circuit/lock``): the system releases it when the process ends, however it
ends, so a kill leaves nothing that is stuck. The file says who holds it. A folder inside or outside of the locked one,
by one level, counts as the same place: ``run -o out`` and ``netlist -o out/netlist`` do not run at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import json
import os
import shlex
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from snn2circuit.errors import FolderInUse, OutputError
from snn2circuit.ir.record import DEPTH, HOME, compact, homes
from snn2circuit.ir.scratch import hold, sweep
from snn2circuit.ir.targets import check_folder

PATIENCE = 0.5  # s, for another process to say who it is


@contextmanager
def claim(folder: Path) -> Iterator[None]:
    """Make ``folder`` a results folder, unless it lies in one; what dead processes left in it is removed first.

    A folder that nothing was written into is gone again in the end.

    Raises:
        OutputError: it cannot be made or written.
    """
    check_folder(folder)
    sweep(folder)
    covering = next(iter(homes(folder)), folder)
    with _home(covering):
        compact(covering)
        yield


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Claim ``folder`` and keep every other process and thread out of it; one that holds it already may ask again.

    Raises:
        FolderInUse: somebody is at work there; the text says who and since when.
        OutputError: it cannot be made or written.
    """
    check_folder(folder)
    with _home(folder) as home:
        near = [folder.absolute().parent, *(each for each in folder.iterdir() if each.is_dir())]
        for each in near:
            _refuse_if_held(each)
        path = home / "lock"
        descriptor = _take(path, folder)
        if descriptor is None:
            yield  # ours already
            return
        try:
            for each in near:  # again: two processes may have looked before either had its lock
                _refuse_if_held(each)
            sweep(folder, DEPTH)
            compact(folder)
            yield
        finally:
            path.unlink(missing_ok=True)
            os.close(descriptor)


def _take(path: Path, folder: Path) -> int | None:
    """Hold the lock file ``path``: its descriptor, or ``None`` if this thread has it already."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
            if hold(descriptor, path):
                os.truncate(descriptor, 0)
                os.write(descriptor, json.dumps(_who()).encode())
                return descriptor
        except OSError as error:
            raise OutputError(
                f"cannot lock {folder}: {error.strerror or error}; choose a folder on a file system with locks"
            ) from error
        holder = _read(descriptor)
        os.close(descriptor)
        if _is_me(holder):
            return None
        if holder or time.monotonic() > end:
            raise FolderInUse(_in_words(folder, holder))
        time.sleep(0.02)  # it has not said who it is yet, or was just released


def _refuse_if_held(folder: Path) -> None:
    """Raise ``FolderInUse`` if another process or thread holds the lock of ``folder``."""
    try:
        descriptor = os.open(folder / HOME / "lock", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _read(descriptor)
        if not _is_me(holder):
            raise FolderInUse(_in_words(folder, holder)) from None
    finally:
        os.close(descriptor)


def _who() -> dict[str, Any]:
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # no name for this number
        user = str(os.getuid())
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    since = time.strftime("%Y-%m-%d %H:%M:%S %z")
    return {**_me(), "user": user, "command": command, "since": since}


def _me() -> dict[str, Any]:
    return {"pid": os.getpid(), "thread": threading.get_ident(), "host": socket.gethostname()}


def _is_me(holder: dict[str, Any]) -> bool:
    return all(holder.get(key) == value for key, value in _me().items())


def _read(descriptor: int) -> dict[str, Any]:
    try:
        found = json.loads(os.pread(descriptor, 2**16, 0))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _in_words(folder: Path, holder: dict[str, Any]) -> str:
    who = "another process"
    if holder:
        who = f"process {holder.get('pid')} of {holder.get('user')} on {holder.get('host')}, `{holder.get('command')}`"
        who += f", since {holder.get('since')}"
    return f"{folder} is in use by {who}; wait for it to end, or choose another folder"


@contextmanager
def _home(folder: Path) -> Iterator[Path]:
    """``.snn2circuit`` in ``folder``; what was made for it and is still empty in the end is removed."""
    home = folder / HOME
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        while True:
            home.mkdir(parents=True, exist_ok=True)
            # Everybody who counts on it shares a lock on it, so that nobody removes it from under another.
            descriptor = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            with contextlib.suppress(BlockingIOError, FileNotFoundError):
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
                if home.stat().st_ino == os.fstat(descriptor).st_ino:
                    break
            os.close(descriptor)
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror or error}; choose another folder") from error
    try:
        yield home
    finally:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for each in (home, *made):
                each.rmdir()
        os.close(descriptor)
