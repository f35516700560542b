"""What we wrote, so that a file of somebody else is never lost.

A *results folder* holds ``.snn2circuit/files``: a line for every file that was written into the folder or up to two
levels below it, with the SHA-256 of its contents. A file is *ours* while its contents are what a line says. Anything
else, a file of the user or one that was edited since, is kept aside as ``NAME.1`` (or the first free number) before a
result takes its place, and :class:`~snn2circuit.errors.FileKept` says so.

A line is added before the file takes its place, and also names the contents that stand there until then: a process
that is killed in between leaves a file that is still known. The last line of a name counts. A folder without a record
(Python's ``save`` into any folder) is written as ``numpy.save`` does: what is asked for replaces what was there.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

from snn2circuit.errors import OutputError

HOME = ".snn2circuit"  # folder in a results folder; holds the record and the lock
DEPTH = 2  # levels below a results folder that its record covers
COMPACT = 2**20  # bytes of a record, above which lines that no longer count are dropped


def homes(folder: Path) -> list[Path]:
    """The results folders that cover ``folder``, innermost first."""
    folder = folder.absolute()
    return [each for each in (folder, *folder.parents[:DEPTH]) if _is_folder(each / HOME)]


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_ours(path: Path, contents: str | None = None) -> bool:
    """Whether the file ``path`` is as we wrote it; ``contents`` is its :func:`digest`, if that is known already."""
    contents = contents or digest(path)
    return any(contents in _known(home, path) for home in homes(path.parent))


def remember(path: Path, *contents: str) -> None:
    """Record that ``path`` will hold one of ``contents``; nothing is recorded outside of results folders."""
    for home in homes(path.parent)[:1]:
        # In a folder shared with others the record may be theirs. Then nothing of ours is known, which only means
        # that more than need be is kept.
        with contextlib.suppress(PermissionError), _open(home) as descriptor:
            size = os.fstat(descriptor).st_size
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"  # by a full disk
            os.write(descriptor, b"\n" * torn + f"{','.join(contents)} {_name(home, path)}\n".encode())


def keep_aside(path: Path) -> Path:
    """Give the file ``path`` a second name, ``path.1`` or the first free number; returns it."""
    number = 0
    while True:
        number += 1
        kept = path.with_name(f"{path.name}.{number}")
        try:
            # A link fails where the name is taken; the file keeps its old name until a result takes that.
            kept.hardlink_to(path)
        except FileExistsError:
            if not kept.samefile(path):  # else a process was killed between this line and the next
                continue
        except OSError as error:
            if os.path.lexists(kept):
                continue
            try:
                path.rename(kept)  # a file system without links
            except OSError:
                raise OutputError(f"cannot keep {path} aside as {kept}: {error.strerror or error}") from error
        return kept


def compact(home: Path) -> None:
    """Drop the lines of a long record that no longer count."""
    path = home / HOME / "files"
    with contextlib.suppress(OSError):
        if path.stat().st_size < COMPACT:
            return
        with _open(home):
            lines = path.read_bytes().splitlines(keepends=True)
            last = {line.split(b" ", 1)[-1]: line for line in lines if line.endswith(b"\n")}
            shorter = path.with_name("files.new")
            shorter.write_bytes(b"".join(last.values()))
            shorter.replace(path)


def _known(home: Path, path: Path) -> set[str]:
    """The contents that the last line for ``path`` in the record of ``home`` allows."""
    needle = f" {_name(home, path)}\n".encode()
    try:
        with (
            (home / HOME / "files").open("rb") as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as text,
        ):
            end = text.rfind(needle)
            return set(text[text.rfind(b"\n", 0, end) + 1 : end].decode().split(",")) if end >= 0 else set()
    except (OSError, ValueError):  # no record, or an empty one
        return set()


def _name(home: Path, path: Path) -> str:
    return json.dumps(path.absolute().relative_to(home).as_posix())


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


@contextlib.contextmanager
def _open(home: Path) -> Iterator[int]:
    """The record of ``home``, open for appending, with nobody else at it."""
    path = home / HOME / "files"
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if path.stat().st_ino == os.fstat(descriptor).st_ino:  # else it was replaced while we waited
                yield descriptor
                return
        finally:
            os.close(descriptor)
