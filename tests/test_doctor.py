"""The doctor tells the truth about this machine, and says what is missing when something is."""

from __future__ import annotations

import ctypes.util
import dataclasses
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from snn2circuit.doctor import Check, diagnose, format_report, read_cuda, read_version

# What two real libraries answer to `version -f`: Debian 12's ngspice 39.3 and Debian 13's 44.2.
ANSWER_39 = """\
stdout ******
stdout ** ngspice-39 shared library
stdout ** Creation Date: Sun Feb  5 13:44:35 UTC 2023
stdout ******
stdout ** ngspice-39 : Circuit level simulation program
stdout ** Copyright 2001-2022, The ngspice team.
stdout ** XSPICE extensions included
"""
ANSWER_44 = """\
stdout ******
stdout ** ngspice-44.2 shared library
stdout ** Creation Date: Sun Jan 12 08:19:15 UTC 2025
stdout ******
stdout ** ngspice-44.2 : Circuit level simulation program
stdout ** Compiled with KLU Direct Linear Solver
stdout ** Copyright 2001-2024, The ngspice team.
"""


def nothing(_name: str) -> None:
    return None


def by_name(checks: tuple[Check, ...]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_this_machine_has_what_it_needs() -> None:
    checks = diagnose()
    assert [check for check in checks if check.required and not check.ok] == []
    found = by_name(checks)
    assert found["Python"].found == sys.version.split()[0]
    for name in ("torch", "snntorch", "PySpice", "numpy", "scikit-learn", "trimesh", "networkx", "matplotlib"):
        version = metadata.version(name).partition("+")[0]
        assert found[name].found is not None
        assert found[name].found.split()[0] == version
        assert found[name].required
    assert not found["torchvision"].required


def test_needs_are_those_of_the_package() -> None:
    """Every dependency is checked against the bound that the package declares, the test tools are not."""
    found = by_name(diagnose())
    for requirement in metadata.requires("snn2circuit") or []:
        name = re.split(r"[=<>;\s]", requirement, maxsplit=1)[0]
        assert (name in found) == ('extra == "test"' not in requirement)
        if name in found:
            assert requirement.split(";")[0].strip() == name + found[name].needed


def test_torch_tells_its_build() -> None:
    import torch

    found = by_name(diagnose())["torch"].found
    assert found is not None
    assert ("(CPU)" in found) == (torch.version.cuda is None)


def test_the_simulator_itself_is_asked() -> None:
    """The ngspice program of the same package says the same about version and KLU as the doctor about the library."""
    program = subprocess.run(["ngspice", "--version"], capture_output=True, text=True, check=True).stdout
    check = by_name(diagnose())["libngspice"]
    assert check.ok
    assert check.found is not None
    version = re.search(r"ngspice-([\w.]+)", program)
    assert version is not None
    assert check.found.startswith(f"{version[1]}, ")
    assert ("with KLU" in check.found) == ("KLU" in program)


def test_the_command_is_asked_too(tmp_path: Path) -> None:
    """Library and command may be of two versions; a program of that name that is none is not good enough."""
    program = shutil.which("ngspice")
    assert program is not None
    check = by_name(diagnose())["ngspice"]
    assert (check.ok, check.required, check.hint) == (True, False, "sudo apt-get install ngspice")
    assert check.found is not None
    assert re.fullmatch(rf"\d[\w.+-]* \({re.escape(program)}\)", check.found)
    missing = by_name(diagnose(find_program=nothing))["ngspice"]
    assert (missing.ok, missing.found) == (False, None)
    for script, says in (("#!/bin/sh\necho no\n", "tells no version"), ("no program", "does not answer")):
        (tmp_path / "ngspice").write_text(script)
        (tmp_path / "ngspice").chmod(0o755)
        other = by_name(diagnose(find_program=lambda name: str(tmp_path / name)))["ngspice"]
        assert not other.ok
        assert says in str(other.found)


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        (ANSWER_39, "39, without KLU"),
        (ANSWER_44, "44.2, with KLU"),
        ("stdout Note: KLU is not what this is about\n", None),
        ("", None),
    ],
)
def test_versions_are_read_from_real_answers(answer: str, version: str | None) -> None:
    assert read_version(answer) == version


@pytest.mark.parametrize(
    ("stamp", "cuda"),
    [
        ("__version__ = '2.13.0+cpu'\ncuda: Optional[str] = None\n", None),
        ("__version__ = '2.13.0+cu130'\ncuda: Optional[str] = '13.0'\n", "13.0"),
        ("__version__ = '2.13.0'\ncuda: Optional[str] = \"13.0\"\n", "13.0"),
        ("__version__ = '0.28.0+cu130'\nfrom x import _check\nif _check() > 0:\n    cuda = _check()\n", "13.0"),
        ("__version__ = '0.28.0+cpu'\n", None),
        ("__version__ = '0.28.0'\n", None),
    ],
)
def test_cuda_is_read_from_the_stamp_of_a_build(stamp: str, cuda: str | None) -> None:
    assert read_cuda(stamp) == cuda


def test_a_missing_library_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NGSPICE_LIBRARY_PATH", raising=False)
    asked: list[str] = []

    def find(name: str) -> None:
        asked.append(name)

    checks = diagnose(find_library=find)
    missing = by_name(checks)["libngspice"]
    assert asked == ["ngspice"]
    assert (missing.ok, missing.required, missing.found) == (False, True, None)
    assert missing.hint == "sudo apt-get install libngspice0"
    assert [check.name for check in checks if check.required and not check.ok] == ["libngspice"]


def test_a_library_that_does_not_load_is_not_good_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NGSPICE_LIBRARY_PATH", raising=False)
    text = tmp_path / "libngspice.so"
    text.write_text("not a library")
    stranger = ctypes.util.find_library("c")
    for path, reason in ((str(text), "file too short|invalid ELF header"), (stranger, "ngSpice_Init")):
        check = by_name(diagnose(find_library=lambda _name, path=path: path))["libngspice"]  # type: ignore[misc]
        assert not check.ok
        assert check.found is not None
        assert re.search(rf"does not load: .*({reason})", check.found)


def test_the_environment_names_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", str(tmp_path / "elsewhere.so"))
    check = by_name(diagnose())["libngspice"]
    assert not check.ok
    assert "elsewhere.so" in str(check.found)


def test_no_start_file_of_the_user_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ngspice executes a ``.spiceinit`` it finds in its folder or the home folder; the probe must not let it."""
    canary = tmp_path / "canary"
    (tmp_path / ".spiceinit").write_text(f"shell touch {canary}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert by_name(diagnose())["libngspice"].ok
    assert not canary.exists()


@pytest.mark.parametrize(
    ("version", "ok"), [("2.13.0", True), ("2.13.0+cpu", True), ("2.12.1", False), ("2.13.1", False), (None, False)]
)
def test_versions_are_held_against_their_bounds(version: str | None, ok: bool) -> None:
    def find(name: str) -> str | None:
        return version if name == "torch" else metadata.version(name)

    checks = by_name(diagnose(find_version=find))
    assert checks["torch"].ok is ok
    assert checks["torch"].hint == "make install"
    assert all(check.ok for name, check in checks.items() if check.required and name != "torch")


@pytest.mark.parametrize(
    ("version", "ok"), [("1.26", True), ("1.26.0", True), ("2.4.6", True), ("1.25.9", False), ("1.3", False)]
)
def test_lower_bounds(version: str, ok: bool) -> None:
    def find(name: str) -> str | None:
        return version if name == "numpy" else metadata.version(name)

    check = by_name(diagnose(find_version=find))["numpy"]
    assert check.needed == ">=1.26"
    assert check.ok is ok


def test_programs_for_tests_are_optional() -> None:
    checks = by_name(diagnose(find_program=nothing))
    for name, package in (("chromium", "chromium"), ("node", "nodejs")):
        assert (checks[name].ok, checks[name].required, checks[name].found) == (False, False, None)
        assert checks[name].hint == f"sudo apt-get install {package}"
    there = by_name(diagnose(find_program=lambda name: "/opt/chrome" if name == "google-chrome" else None))
    assert there["chromium"].found == "/opt/chrome"
    assert shutil.which("node") == by_name(diagnose())["node"].found


def test_the_report_names_what_is_missing_and_how_to_get_it() -> None:
    here = Check(name="numpy", found="2.4.6", needed=">=1.26", ok=True, required=True, hint="make install")
    gone = dataclasses.replace(
        here, name="libngspice", found=None, needed="any", ok=False, hint="sudo apt-get install x"
    )
    extra = dataclasses.replace(gone, name="chromium", required=False, hint="sudo apt-get install y")
    assert format_report((here, gone, extra)) == (
        "         what        found    needed\n"
        "ok       numpy       2.4.6    >=1.26\n"
        "MISSING  libngspice  missing  any\n"
        "-        chromium    missing  any\n"
        "\n"
        "missing: sudo apt-get install x\n"
        "\n"
        "optional: sudo apt-get install y\n"
    )
    assert "missing" not in format_report((here,))
