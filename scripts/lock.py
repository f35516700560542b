"""Write requirements.lock: exact versions and hashes of all that the package, its downloads and its tests need.

uv resolves for all Pythons and Linux machines at once, starting from the versions the lock already holds, so a run
without changes in pyproject.toml and without ``--upgrade`` changes nothing. uv does not read pip's configuration; this
script hands over the indexes and wheel folders that pip would use. What the resolver adds for CUDA is dropped, as are
packages for other operating systems.

A second pass asks pip's main index for the hashes of every wheel of every pin: other indexes and folders may hold only
those for one machine. PyTorch's CPU wheels are not on that index; their hashes come from ``cpu_wheels.sha256``. Of
torch itself the lock allows no other: a build for CUDA cannot be imported without the packages that are dropped, and
pip would prefer one whose hash the index tells to a CPU wheel in a folder.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = """\
# Every package that snn2circuit, its extras and its tests need, pinned exactly, with the hashes of its wheels. Written
# by `make lock`.
#
# Install with `make install`, which runs `pip install --require-hashes --only-binary :all: --no-deps -r
# requirements.lock`: without --no-deps some of these packages would replace the CPU build of torch by several gigabytes
# of CUDA. No index is named here, so pip's own configuration decides where packages come from; the hashes decide what
# they are. Of torch they allow the CPU wheels that PyTorch publishes (version 2.13.0+cpu). Where your index has only
# builds for CUDA (the public default index does so on Linux), let the environment variable PIP_EXTRA_INDEX_URL (or
# PIP_INDEX_URL) name the index of CPU wheels that PyTorch publishes, or PIP_FIND_LINKS a folder that holds such a
# wheel. Any other build of torch needs SNN2CIRCUIT_TORCH=FILE.whl, which installs that file unchecked and says so.
"""
PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[^ ;]+)(?: ; (?P<marker>[^#]*?))?\s*(?P<via># via .*)?")
CUDA = re.compile(r"nvidia-.*|cuda-.*|triton")


def main() -> None:
    """Resolve, gather the hashes and write the lock."""
    lock = ROOT / "requirements.lock"
    index, *others = pip_sources()
    before = lock.read_text("utf-8") if lock.exists() else None
    try:
        uv(
            *("pyproject.toml", "--extra", "download", "--extra", "tensorboard", "--extra", "test"),
            *("--fork-strategy", "fewest", "--index-strategy", "unsafe-best-match", "--annotation-style", "line"),
            *("--output-file", lock.name, *sys.argv[1:], *index, *(word for option in others for word in option)),
        )
        pins = reduce(lock.read_text("utf-8"))
        plain = "\n".join(pin.partition("  #")[0] for pin in pins)
        hashed = uv("-", "--no-deps", "--no-annotate", "--generate-hashes", *index, given=plain)
        wheels = read_wheels((ROOT / "scripts" / "cpu_wheels.sha256").read_text("utf-8"))
        lock.write_text(HEADER + add_hashes(pins, read_hashes(hashed), wheels), "utf-8")
    except BaseException:
        if before is not None:
            lock.write_text(before, "utf-8")
        raise


def uv(*arguments: str, given: str = "") -> str:
    """What uv's resolver writes to standard output."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--universal", "--python-version", "3.11", "--no-header"]
    command += ["--only-binary", ":all:", "--quiet", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, input=given, stdout=subprocess.PIPE, text=True).stdout


def pip_sources() -> list[tuple[str, ...]]:
    """Indexes and wheel folders from pip's configuration and environment, as options of uv; the main index first."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    )
    settings: dict[str, list[str]] = {}
    for line in listing.stdout.splitlines():
        key, _, value = line.partition("=")
        settings[key.rpartition(".")[2]] = ast.literal_eval(value).split()
    main = tuple(word for value in settings.get("index-url", []) for word in ("--default-index", value))
    options = {"extra-index-url": "--index", "find-links": "--find-links"}
    return [main, *((option, value) for key, option in options.items() for value in settings.get(key, []))]


def reduce(resolved: str) -> list[str]:
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
    return list(lines)


def read_hashes(hashed: str) -> dict[str, set[str]]:
    """Hashes by ``name==version``, of the resolver's answer with hashes."""
    found: dict[str, set[str]] = {}
    for block in re.split(r"^(?=\S)", hashed, flags=re.MULTILINE):
        found.setdefault(re.split(r"[ \\\n]", block, maxsplit=1)[0], set()).update(
            re.findall(r"--hash=(sha256:[0-9a-f]{64})\b", block)
        )
    return found


def read_wheels(listing: str) -> dict[str, set[str]]:
    """Hashes by ``name==version``, of a listing as sha256sum writes it; the local part of a version is left out."""
    found: dict[str, set[str]] = {}
    for line in listing.splitlines():
        if line and not line.startswith("#"):
            digest, wheel = line.split()
            name, version = wheel.split("-")[:2]
            found.setdefault(f"{name}=={version.partition('+')[0]}", set()).add(f"sha256:{digest}")
    return found


def add_hashes(pins: list[str], published: dict[str, set[str]], wheels: dict[str, set[str]]) -> str:
    """The text of the lock: each pin with its hashes; one without any, or wheels without a pin, end the program."""
    text, keys = "", [re.split(r"[ ;]", pin, maxsplit=1)[0] for pin in pins]
    if old := sorted(wheels.keys() - set(keys)):
        sys.exit(f"lock: cpu_wheels.sha256 lists {', '.join(old)}; list the wheels of the version that is locked")
    for key, pin in zip(keys, pins, strict=True):
        requirement, _, via = pin.partition("  # ")
        listed = (wheels,) if key.startswith("torch==") else (published, wheels)
        hashes = sorted(set().union(*(source.get(key, set()) for source in listed)))
        if not hashes:
            sys.exit(f"lock: the index gives no hash of a wheel of {key}")
        text += " \\\n    ".join([requirement, *(f"--hash={each}" for each in hashes)]) + "\n"
        text += f"    # {via}\n" if via else ""
    return text


if __name__ == "__main__":
    main()
