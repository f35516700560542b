"""What this machine has of what the package needs, and the command that installs the rest.

Looking is cheap and imports nothing heavy: versions of Python packages come from their metadata, and whether torch was
built for CUDA from the ``version.py`` that every build of it carries. Needed versions are read from this
package's own metadata, so they cannot drift from ``pyproject.toml``.

The simulator is asked itself. A fresh process loads libngspice, starts it, and gives it the command ``version -f``; the
answer has the line ``** ngspice-39 : …`` and, only when the KLU matrix solver was compiled in, ``** Compiled with KLU
Direct Linear Solver``. Setting ``.options klu`` proves nothing: a build without KLU accepts it and ignores it. A
library that is found but does not load (wrong C library, wrong machine) is not good enough, and the loader's own words
are shown.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from snn2circuit import confine
from snn2circuit.child import python_command
from snn2circuit.ir.scratch import scratch

Finder = Callable[[str], str | None]

_PROBE_SECONDS = 20
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked for."""

    name: str
    found: str | None  # version, place or state for people; None when it is missing
    needed: str  # what would do, e.g. ">=3.11"
    ok: bool  # found, and good enough
    required: bool  # False for what only downloads or tests use
    hint: str  # the command that installs it


def diagnose(
    find_library: Finder = ctypes.util.find_library,
    find_program: Finder = shutil.which,
    find_version: Finder | None = None,
) -> tuple[Check, ...]:
    """Look for everything the package uses; required things first.

    Args:
        find_library: gives the loadable name of a shared library, or None.
        find_program: gives the path of a command, or None.
        find_version: gives the installed version of a Python distribution, or None; by default from its metadata.
    """
    return (
        _check_python(),
        *_check_packages(find_version or _installed_version),
        _check_library(os.environ.get("NGSPICE_LIBRARY_PATH") or find_library("ngspice")),
        _check_command(find_program("ngspice")),
        _check_walls(),
        _check_program("chromium", _BROWSERS, find_program, "browser tests"),
        _check_program("node", ("node", "nodejs"), find_program, "glTF validator in the tests"),
    )


def format_report(checks: tuple[Check, ...]) -> str:
    """The checks as a plain text table, then the commands that mend what is missing."""
    rows = [("", "what", "found", "needed")]
    rows += [(_mark(check), check.name, check.found or "missing", check.needed) for check in checks]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    for title, required in (("missing", True), ("optional", False)):
        hints = dict.fromkeys(check.hint for check in checks if not check.ok and check.required is required)
        lines += ["", *(f"{title}: {hint}" for hint in hints)] if hints else []
    return "\n".join(lines) + "\n"


def ask_ngspice(library: str) -> str:
    """What the shared library answers to ``version -f``. Loads it into this process: call it in one of its own.

    Raises:
        OSError: the library cannot be loaded.
    """
    ngspice = ctypes.CDLL(library)
    answer: list[str] = []

    def receive(text: bytes, _identifier: int, _user: int | None) -> int:
        answer.append(text.decode(errors="replace"))
        return 0

    on_text = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p)(receive)
    on_exit = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_bool, ctypes.c_bool, ctypes.c_int, ctypes.c_void_p)(
        lambda *_: 0
    )
    ngspice.ngSpice_Init(on_text, None, on_exit, None, None, None, None)
    ngspice.ngSpice_Command(b"version -f")
    return "\n".join(answer)


def read_version(answer: str) -> str | None:
    """Version and matrix solver in ngspice's answer, e.g. ``'39, without KLU'``; None when it is no such answer."""
    version = re.search(r"\*\* ngspice-([\w.+-]+)", answer)
    return version and f"{version[1]}, {'with' if '** Compiled with KLU' in answer else 'without'} KLU"


def read_cuda(stamp: str) -> str | None:
    """CUDA version in the text of torch's or torchvision's ``version.py``, e.g. ``'13.0'``; None for a CPU build."""
    if found := re.search(r"^cuda\b[^=\n]*=\s*['\"]([\d.]+)['\"]", stamp, re.MULTILINE):
        return found[1]
    found = re.search(r"^__version__\s*=\s*['\"][^'\"]*\+cu(\d+)(\d)['\"]", stamp, re.MULTILINE)
    return found and f"{found[1]}.{found[2]}"


def _mark(check: Check) -> str:
    return "ok" if check.ok else "MISSING" if check.required else "-"


def _check_python() -> Check:
    return Check(
        name="Python",
        found=".".join(map(str, sys.version_info[:3])),
        needed=">=3.11",
        ok=sys.version_info >= (3, 11),
        required=True,
        hint="sudo apt-get install python3 python3-venv",
    )


def _check_packages(find_version: Finder) -> list[Check]:
    """One check for each dependency in the package's metadata; its extras are optional, test tools left out."""
    try:
        requirements = metadata.requires("snn2circuit") or []
    except metadata.PackageNotFoundError:
        return [Check(name="snn2circuit", found=None, needed="installed", ok=False, required=True, hint="make install")]
    checks = []
    for requirement in sorted(requirements, key=str.casefold):
        parts = re.fullmatch(r"([\w.-]+)\s*([^;]*?)\s*(?:;\s*(.*))?", requirement)
        if parts is None or _extra(parts[3]) == "test":
            continue
        name, needed, extra = parts[1], parts[2], parts[3]
        version = find_version(name)
        build, usable = _describe_build(name) if version else ("", True)
        checks.append(
            Check(
                name=name,
                found=version and version.partition("+")[0] + build,
                needed=needed or "any",
                ok=version is not None and usable and _satisfies(version, needed),
                required=not extra,
                hint="make install",
            )
        )
    return sorted(checks, key=lambda check: not check.required)


def _extra(marker: str | None) -> str:
    """The extra that a dependency belongs to, or nothing."""
    found = re.search(r"""extra\s*==\s*["'](\w+)["']""", marker or "")
    return found[1] if found else ""


def _installed_version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _satisfies(version: str, needed: str) -> bool:
    """Whether a release fulfils comma-separated ``==`` and ``>=`` clauses; local parts (``+cpu``) do not count."""
    for clause in filter(None, needed.replace(" ", "").split(",")):
        bound = _release(clause[2:])
        release = _release(version)
        release += (0,) * (len(bound) - len(release))
        if not (release == bound if clause.startswith("==") else release >= bound):
            return False
    return True


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("+")[0]))


def _describe_build(name: str) -> tuple[str, bool]:
    """Whether torch or torchvision was built for CUDA, in words, and whether such a build can be imported here."""
    if name not in ("torch", "torchvision"):
        return "", True
    spec = util.find_spec(name)
    if spec is None or spec.origin is None:
        return " (not importable)", False
    cuda = read_cuda(Path(spec.origin).with_name("version.py").read_text("utf-8"))
    if cuda is None:
        return " (CPU)", True
    if name == "torch" and util.find_spec("nvidia") is None:
        return f" (for CUDA {cuda}, whose libraries are absent)", False
    return f" (for CUDA {cuda})", True


def _check_library(library: str | None) -> Check:
    found, ok = None, False
    if library is not None:
        try:
            found, ok = _probe(library)
        except (OSError, subprocess.SubprocessError) as error:
            found = f"{library}, which does not answer: {error}"
    return Check(
        name="libngspice", found=found, needed="any", ok=ok, required=True, hint="sudo apt-get install libngspice0"
    )


def _check_command(program: str | None) -> Check:
    """The command ``ngspice``, which only people type; it may be of another version than the library."""
    found, ok = None, False
    if program is not None:
        try:
            done = _ask([program, "--version"])
        except (OSError, subprocess.SubprocessError) as error:
            found = f"{program}, which does not answer: {error}"
        else:
            version = re.search(r"\bngspice-([\w.+-]+)", done.stdout)
            found, ok = f"{version[1]} ({program})" if version else f"{program}, which tells no version", bool(version)
    return Check(
        name="ngspice", found=found, needed="decks run by hand", ok=ok, required=False,
        hint="sudo apt-get install ngspice",
    )  # fmt: skip


def _probe(library: str) -> tuple[str, bool]:
    """Version of a libngspice, asked in its own process."""
    done = _ask(python_command(__name__, library))
    version = read_version(done.stdout)
    if version is None:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return f"{library}, which does not load: {reason}", False
    return f"{version} ({library})", True


def _ask(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command in an empty folder that is its home too, so that no ``.spiceinit`` is run."""
    with scratch() as folder:
        environment = {
            "HOME": str(folder),
            "PATH": os.defpath,
            **({"LD_LIBRARY_PATH": os.environ["LD_LIBRARY_PATH"]} if "LD_LIBRARY_PATH" in os.environ else {}),
        }
        return subprocess.run(  # noqa: S603 - our own code, or a program that was looked for by its name
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PROBE_SECONDS,
            check=False,
        )


def _check_walls() -> Check:
    """What keeps a simulator that reads somebody else's deck from doing more than simulate."""
    walls = confine.available()
    return Check(
        name="confinement",
        found=" and ".join(walls) or None,
        needed="decks from elsewhere",
        ok=walls == (confine.SECCOMP, confine.LANDLOCK),
        required=False,
        hint=f"a Linux kernel of 5.13 or later with {confine.SECCOMP} and {confine.LANDLOCK} on, on x86-64 or ARM64",
    )


def _check_program(name: str, commands: tuple[str, ...], find_program: Finder, purpose: str) -> Check:
    found = next(filter(None, map(find_program, commands)), None)
    package = "nodejs" if name == "node" else name
    return Check(
        name=name,
        found=found,
        needed=purpose,
        ok=found is not None,
        required=False,
        hint=f"sudo apt-get install {package}",
    )


if __name__ == "__main__":
    sys.stdout.write(ask_ngspice(sys.argv[1]))
