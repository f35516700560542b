"""Write requirements.lock: the exact version of every package that the package, its downloads and its tests need.

uv resolves for all Pythons and Linux machines at once, starting from the versions the lock already holds, so a run
without changes in pyproject.toml and without ``--upgrade`` changes nothing. uv does not read pip's configuration; this
script hands over the indexes and wheel folders that pip would use. What the resolver adds for CUDA is dropped, as are
packages for other operating systems.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = """\
# Every package that snn2circuit, its extras and its tests need, pinned exactly. Written by `make lock`.
#
# Install with `make install`, which runs `pip install --no-deps -r requirements.lock`: without --no-deps some of these
# packages would replace the CPU build of torch by several gigabytes of CUDA. No index is named here, so pip's own
# configuration decides where packages come from. Where your index serves a CUDA build as torch 2.13.0 (the public
# default index does so on Linux), let the environment variable PIP_EXTRA_INDEX_URL (or PIP_INDEX_URL) name the index of
# CPU wheels that PyTorch publishes, or PIP_FIND_LINKS a folder that holds such a wheel: its version ends in +cpu, and
# pip prefers it. `make install` checks which build it got, and says so.
"""
PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[^ ;]+)(?: ; (?P<marker>[^#]*?))?\s*(?P<via># via .*)?")
CUDA = re.compile(r"nvidia-.*|cuda-.*|triton")


def main() -> None:
    """Resolve and write the lock."""
    lock = ROOT / "requirements.lock"
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml"),
        *("--extra", "download", "--extra", "tensorboard", "--extra", "test"),
        *("--universal", "--python-version", "3.11", "--fork-strategy", "fewest", "--index-strategy"),
        *("unsafe-best-match", "--annotation-style", "line", "--no-header", "--quiet", "--output-file", lock.name),
        *sys.argv[1:],
        *pip_sources(),
    ]
    before = lock.read_text("utf-8") if lock.exists() else None
    try:
        subprocess.run(command, cwd=ROOT, check=True)
        lock.write_text(HEADER + reduce(lock.read_text("utf-8")), "utf-8")
    except BaseException:
        if before is not None:
            lock.write_text(before, "utf-8")
        raise


def pip_sources() -> list[str]:
    """Indexes and wheel folders from pip's configuration and environment, as options of uv."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    )
    settings: dict[str, list[str]] = {}
    for line in listing.stdout.splitlines():
        key, _, value = line.partition("=")
        settings[key.rpartition(".")[2]] = ast.literal_eval(value).split()
    options = {"index-url": "--default-index", "extra-index-url": "--index", "find-links": "--find-links"}
    return [word for key, option in options.items() for value in settings.get(key, []) for word in (option, value)]


def reduce(resolved: str) -> str:
    """The resolver's pins without CUDA, without other operating systems, one torch for all machines."""
    lines: dict[str, None] = {}
    for line in resolved.splitlines():
        if line.startswith("#"):
            continue
        pin = PIN.fullmatch(line)
        if pin is None:
            sys.exit(f"lock: cannot read the resolver's line {line!r}")
        marker = "" if pin["name"] == "torch" else pin["marker"] or ""
        if CUDA.fullmatch(pin["name"]) or "sys_platform == 'win32'" in marker:
            continue
        version = pin["version"].partition("+")[0]
        text = f"{pin['name']}=={version}{' ; ' + marker if marker else ''}"
        lines[f"{text}  {pin['via']}" if pin["via"] else text] = None
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
