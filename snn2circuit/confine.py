"""Walls around a process that works on somebody else's file: what it may use, start, reach, read and write.

Three of them, each of which holds alone:

* limits of the system on processor time, memory, size of a file, core dumps and processes (``setrlimit``);
* a seccomp filter: no other program, no other process, no network (Linux, on x86-64 and ARM64; see the kernel's
  documentation, "Seccomp BPF");
* Landlock: no file outside one folder (Linux 5.13 and later, where it is switched on; see "Landlock: unprivileged
  access control").

A process raises them around itself and cannot take them down. Where the kernel lacks one, the others stay;
:func:`available` says which there are.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import struct
from dataclasses import dataclass
from pathlib import Path

SECCOMP, LANDLOCK = "seccomp", "Landlock"


@dataclass(frozen=True, kw_only=True)
class _Calls:
    """Numbers of system calls on one kind of processor, from the kernel's tables."""

    processor: int  # as the kernel's audit names it
    seccomp: int
    clone: int
    clone3: int
    denied: tuple[int, ...]


# Denied: fork, vfork (x86-64 only), execve, execveat, socket, socketpair, ptrace, process_vm_readv, process_vm_writev,
# io_uring_setup, open_by_handle_at.
_CALLS = {
    "x86_64": _Calls(
        processor=0xC000003E, seccomp=317, clone=56, clone3=435,
        denied=(57, 58, 59, 322, 41, 53, 101, 310, 311, 425, 304),
    ),
    "aarch64": _Calls(
        processor=0xC00000B7, seccomp=277, clone=220, clone3=435,
        denied=(221, 281, 198, 199, 117, 270, 271, 425, 265),
    ),
}  # fmt: skip
_NO_NEW_PRIVILEGES = 38  # of prctl
_SET_FILTER, _ALL_THREADS, _IS_AVAILABLE = 1, 1, 2  # of seccomp
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000  # a filter's verdicts
_THREAD = 0x00010000  # flag of clone
_FIRST_X32 = 0x40000000  # x86-64 has its calls a second time from here on

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # system calls, the same on every processor
_BENEATH = 1  # a rule for a folder and what lies in it
_TRUNCATE = 1 << 14
# Write, read and list, remove and make regular files: what a simulator needs in its own folder.
_OWN = (1 << 1) | (1 << 2) | (1 << 3) | (1 << 5) | (1 << 8) | _TRUNCATE
_ALL = ((3, 0x7FFF), (2, 0x3FFF), (1, 0x1FFF))  # version of Landlock and every right on files that it knows


def limit_use(*, cpu: int, memory: int, file_size: int) -> None:
    """Limit processor time (s), address space (bytes) and the size of a file (bytes); no core dump."""
    for what, soft, hard in (
        (resource.RLIMIT_CPU, cpu, cpu + 1),
        (resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_FSIZE, file_size, file_size),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        most = resource.getrlimit(what)[1]
        bound = hard if most == resource.RLIM_INFINITY else min(hard, most)
        resource.setrlimit(what, (min(soft, bound), bound))


def machine_memory(most: int) -> int:
    """The memory of this machine in bytes, or ``most`` if it has more."""
    return min(most, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def shut_in(folder: Path) -> None:
    """From here on no program, process or connection is started and no file outside ``folder`` is opened.

    What the process needs from elsewhere, modules and libraries above all, must be loaded before.
    """
    _restrict_files(folder)
    forbid_programs()


def forbid_programs() -> None:
    """From here on this process starts no program, no process and no connection."""
    # Root is not bound by this one, which is why there is a filter.
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    calls = _CALLS.get(platform.machine())
    if calls is None or not _give_up_privileges():
        return
    program = _filter(calls)
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    _call(calls.seccomp, _SET_FILTER, _ALL_THREADS, header)


def available() -> tuple[str, ...]:
    """Which of the kernel's walls there are on this machine."""
    calls = _CALLS.get(platform.machine())
    if calls is None:
        return ()
    filters = _call(calls.seccomp, _IS_AVAILABLE, 0, struct.pack("@I", _ERROR)) == 0
    return (SECCOMP,) * filters + (LANDLOCK,) * (_landlock() > 0)


def _filter(calls: _Calls) -> bytes:
    """A BPF program over a system call's number (at byte 0), processor (at 4) and first argument (at 16)."""
    load, equal, at_least, any_bit, verdict = 0x20, 0x15, 0x35, 0x45, 0x06

    def line(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("@HBBI", code, yes, no, value)

    deny = line(verdict, _ERROR | errno.EPERM)
    return b"".join(
        [
            line(load, 4),
            line(equal, calls.processor, yes=1),
            deny,
            line(load, 0),
            *(part for number in calls.denied for part in (line(equal, number, no=1), deny)),
            line(at_least, _FIRST_X32, no=1),
            deny,
            # The C library then uses clone, whose flags a filter can see.
            line(equal, calls.clone3, no=1),
            line(verdict, _ERROR | errno.ENOSYS),
            line(equal, calls.clone, no=3),
            line(load, 16),
            line(any_bit, _THREAD, yes=1),
            deny,
            line(verdict, _ALLOW),
        ]
    )


def _restrict_files(folder: Path) -> None:
    version = _landlock()
    if version < 1 or not _give_up_privileges():
        return
    handled = next(rights for first, rights in _ALL if version >= first)
    ruleset = _call(_CREATE_RULESET, struct.pack("=Q", handled), 8, 0)
    place = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if ruleset >= 0 and _call(_ADD_RULE, ruleset, _BENEATH, struct.pack("=Qi", _OWN & handled, place), 0) == 0:
            _call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(place)
        if ruleset >= 0:
            os.close(ruleset)


def _landlock() -> int:
    """Version of Landlock; below 1 where there is none."""
    return _call(_CREATE_RULESET, None, 0, 1)


def _give_up_privileges() -> bool:
    """What both walls ask for first: no later program may bring rights with it."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    words = map(ctypes.c_ulong, (_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    return prctl is not None and prctl(*words) == 0


def _call(number: int, *arguments: int | bytes | None) -> int:
    """A system call; -1 where it fails or there is no such thing."""
    syscall = getattr(ctypes.CDLL(None), "syscall", None)
    if syscall is None or platform.system() != "Linux":
        return -1
    words = (ctypes.c_long(each) if isinstance(each, int) else ctypes.c_char_p(each) for each in arguments)
    return int(syscall(ctypes.c_long(number), *words))
