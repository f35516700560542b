"""A terminal of any encoding: what it cannot show is replaced, and the words around it stay."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import click
import pytest

from snn2circuit.cli import main

SCRIPT = """
import os, sys
from snn2circuit.cli import main
for arguments in os.environb[b"ARGUMENTS"].split(b"\\n"):
    try:
        main([os.fsdecode(each) for each in arguments.split(b"\\t")], prog_name="snn2circuit")
    except SystemExit as end:
        print("ended with", end.code, file=sys.stderr)
"""
WRONG = "[network]\nbeta = 'µ – \u2713'\n"


def kinds() -> list[str]:
    choice = main.commands["list"].params[0].type
    assert isinstance(choice, click.Choice)
    return list(choice.choices)


def arguments() -> list[list[bytes]]:
    """Every list, help, and errors that name a file by a name that is Greek, or that is no text at all."""
    names = ["µ–Ω.toml".encode(), b"no\xfftext.toml"]
    asked = [b"list " + kind.encode() for kind in kinds()]
    asked += [b"--help", b"run --help", b"list nothing", b"doctor", b"design", b"process inkjet"]
    return [each.split() for each in asked] + [[b"run", name, b"-o", b"o"] for name in (*names, b"\xce\xa9.toml")]


@cache
def run(folder: Path, encoding: str | None) -> tuple[bytes, bytes]:
    """Standard output and error of all of it in one process; without an encoding, in the C locale."""
    for name in ("µ–Ω.toml".encode(), b"no\xfftext.toml"):
        (Path(os.fsdecode(os.fsencode(folder) + b"/" + name))).write_text(WRONG, encoding="utf-8")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "COLUMNS": "110"}
    environment |= {"PYTHONPATH": str(Path(__file__).parents[1])}
    environment |= {"PYTHONIOENCODING": encoding, "LC_ALL": "C.UTF-8"} if encoding else {}
    environment |= {} if encoding else {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    bytes_of = {os.fsencode(name): os.fsencode(value) for name, value in environment.items()}
    bytes_of[b"ARGUMENTS"] = b"\n".join(b"\t".join(each) for each in arguments())
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=bytes_of, cwd=folder, capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("terminal")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "koi8-r", "ascii:strict", "utf-8:strict"])
def test_what_cannot_be_encoded_is_replaced_and_nothing_else(encoding: str, folder: Path) -> None:
    codec = encoding.partition(":")[0]
    for shown, whole in zip(run(folder, encoding), run(folder, "utf-8"), strict=True):
        assert "µ" in whole.decode()
        assert shown == whole.decode().encode(codec, "replace")


def test_the_c_locale_shows_the_same_words(folder: Path) -> None:
    out, errors = run(folder, None)
    assert out == run(folder, "utf-8")[0].decode().encode("ascii", "replace")
    # There, file names are ASCII or no text at all, so that more of them is replaced.
    assert errors.isascii()
    assert errors.count(b"Traceback") == 0
    assert errors.count(b"ended with") == run(folder, "utf-8")[1].count(b"ended with") == len(arguments())
