"""Everything that a path may be other than a regular file or a new one."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def link_to_fifo(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


def write_protected(path: Path) -> None:
    path.write_text("precious")
    path.chmod(0o444)


NOT_FILES: dict[str, Callable[[Path], None]] = {
    "folder": lambda path: path.mkdir(),
    "fifo": os.mkfifo,
    "socket": a_socket,
    "link to a folder": link("."),
    "link to a device": link("/dev/null"),
    "link to a full device": link("/dev/full"),
    "link to a fifo": link_to_fifo,
    "link to nothing": link("nowhere"),
    "link to a link to nothing": link("link"),
    "link to itself": link("x"),
    "link to an open file": link("/dev/stdout"),
    "link to a descriptor": link("/proc/self/fd/0"),
    "write-protected": write_protected,
}


def state(path: Path) -> tuple[int, int, str | None]:
    status = path.lstat()
    return status.st_mode, status.st_ino, str(path.readlink()) if path.is_symlink() else None
