"""Where a result may go: a regular file or a new path; a folder that can be written, or a new one.

Moving a finished file to its place replaces whatever has that name. That is right for a regular file and wrong for
everything else: a device, a FIFO or a socket would be gone, and a link would no longer point at what it pointed at. So
links are followed to the file they name, and anything that is not a regular file is refused.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from snn2circuit.errors import OutputError

KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
}
MAX_LINKS = 40  # in a chain, as Linux has it


def check_file(path: Path) -> Path:
    """The place that a result for ``path`` takes: ``path`` itself, or what it links to.

    Raises:
        OutputError: it is something other than a regular file, write-protected, a link to nothing, or in a folder that
            cannot be written.
    """
    path = Path(path)
    try:
        place = _follow(path)
        try:
            mode = place.lstat().st_mode
        except FileNotFoundError:
            if place != path:
                raise OutputError(f"cannot write {path}: it is a link to {place}, which does not exist") from None
            check_folder(path.parent, of=path)
            return place
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    if not stat.S_ISREG(mode):
        kind = KINDS.get(stat.S_IFMT(mode), "no regular file")
        raise OutputError(f"cannot write {path}: it is {kind}; name a regular file or a new one")
    if not mode & 0o222:
        raise OutputError(f"cannot write {path}: it is write-protected; name another file, or allow it with chmod u+w")
    check_folder(place.parent, of=path)
    return place


def check_folder(path: Path, of: Path | None = None) -> None:
    """Make sure that results can go into the folder ``path``, which may be new; ``of`` is a file they are for.

    Raises:
        OutputError: it, or what it would be made in, is no folder or cannot be written.
    """
    path, named = Path(path), of or Path(path)
    try:
        there = next(each for each in (path.absolute(), *path.absolute().parents) if os.path.lexists(each))
        if not there.is_dir():
            raise OutputError(f"cannot write {named}: {there} is not a folder")
        if not os.access(there, os.W_OK | os.X_OK):
            raise OutputError(f"cannot write {named}: no permission to write into {there}; choose another folder")
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"cannot write {named}: {error.strerror or error}") from error


def _follow(path: Path) -> Path:
    """What ``path`` names after all links."""
    place = path
    for _ in range(MAX_LINKS):
        if f"{os.path.realpath(place.parent)}/".startswith("/proc/"):  # as /dev/stdout does
            raise OutputError(f"cannot write {path}: it stands for an open file of a process; name a regular file")
        if not place.is_symlink():
            return place
        place = place.parent / place.readlink()
    raise OutputError(f"cannot write {path}: it is a link to itself")
