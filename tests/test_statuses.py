"""Exit statuses, the same for every command: 1 a failure, 2 a difference, 3 not judged, 64 a wrong command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from snn2circuit import errors
from snn2circuit.cli import main
from snn2circuit.cli.status import MEANINGS, statuses
from snn2circuit.errors import AnotherCircuit, CircuitNotLinear, NotJudged, RangeLeft, Snn2CircuitError
from snn2circuit.ir.interrupts import Terminated


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def commands(group: click.Group = main, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*names, name))
        else:
            yield (*names, name), command


ALL = list(commands())
EVERY = pytest.mark.parametrize(("names", "command"), ALL, ids=[" ".join(names) for names, _ in ALL])


@EVERY
def test_a_wrong_command_line_is_64(names: tuple[str, ...], command: click.Command) -> None:
    wrong = [[*names, "--no-such-option"], [*names, "one", "too", "many", "words", "for", "any", "command"]]
    required = [each for each in command.params if each.required]
    if required:
        wrong.append([*names])
    for line in wrong:
        result = call(*line)
        assert result.exit_code == 64, (line, result.output)
        assert "Usage:" in result.output


@EVERY
def test_a_file_that_is_not_there_is_64(
    names: tuple[str, ...], command: click.Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for param in command.params:
        if not (isinstance(param.type, click.Path) and param.type.exists):
            continue
        given = ["nowhere/file.npz"]
        result = call(*names, *([param.opts[0], *given] if isinstance(param, click.Option) else given))
        assert result.exit_code == 64, result.output
        assert "does not exist" in result.output or "Missing" in result.output


@pytest.mark.parametrize("line", [
    ["nonsense"], ["list", "nonsense"], ["process", "nonsense"], ["process", "nowhere.toml"], ["download", "nonsense"],
    ["netlist", "x.npz", "--dialect", "nonsense"], ["view", "nowhere"], ["compare", "nowhere.npz", "w.npz"],
])  # fmt: skip
def test_what_does_not_exist_is_64(line: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = call(*line)
    assert result.exit_code == 64, result.output


@EVERY
def test_help_is_no_failure(names: tuple[str, ...], command: click.Command) -> None:
    assert call(*names, "--help").exit_code == 0


def test_help_and_the_manual_document_every_status() -> None:
    text = " ".join(call("--help").output.split())
    manual = (Path(__file__).parents[1] / "docs" / "verdict.md").read_text()
    for status, meaning in MEANINGS.items():
        assert f"{status} {meaning}" in text
        assert f"| {status} |" in manual


ERRORS = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, Snn2CircuitError) and each is not Snn2CircuitError
]


@pytest.mark.parametrize("kind", ERRORS, ids=[each.__name__ for each in ERRORS])
def test_every_error_of_ours_has_a_status_and_one_message(
    kind: type[Snn2CircuitError], capsys: pytest.CaptureFixture[str]
) -> None:
    expected = {AnotherCircuit: 2, NotJudged: 3, CircuitNotLinear: 3, RangeLeft: 3}.get(kind, 1)
    with pytest.raises(SystemExit) as ended, statuses():
        raise kind("what, where, and the way out")
    assert (ended.value.code, capsys.readouterr().err) == (expected, "Error: what, where, and the way out\n")


@pytest.mark.parametrize(("signalled", "status"), [(KeyboardInterrupt(), 130), (Terminated(), 143)])
def test_signals_have_their_own(signalled: BaseException, status: int) -> None:
    with pytest.raises(SystemExit) as ended, statuses():
        raise signalled
    assert ended.value.code == status


@pytest.mark.parametrize(("good", "status"), [(True, 0), (False, 2)])
@pytest.mark.parametrize("command", ["compare", "drc", "lvs", "extract", "verify"])
def test_a_judge_ends_with_what_it_found(
    command: str, good: bool, status: int, finished: tuple[Path, dict[str, Any]], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    out = finished[0]
    circuit = {"match": good, "faults": 0 if good else 2, "first_faults": ["one"], "nets": 1, "devices": 1, "cells": 1}
    rules = {"violations": 0 if good else 3, "broken": {}, "first_violations": [], "rules": 60, "process": "inkjet"}
    judged = SimpleNamespace(equivalent=good, passed=good, rows=lambda: [("samples", "1")])
    for name, value in (
        ("steps.check_drc", rules), ("steps.check_lvs", (circuit, [], None, None)),
        ("analysis.compare_circuit", judged), ("analysis.verify.verify_circuit", judged),
    ):  # fmt: skip
        monkeypatch.setattr(f"snn2circuit.{name}", lambda *_, value=value, **__: value)
    masks, layout, crossbar = out / "masks" / "stack.gds", out / "layout.npz", out / "crossbar.npz"
    line = {
        "compare": [crossbar, out / "waveforms.npz"],
        "drc": [masks, layout, "-o", tmp_path / "out"],
        "verify": [crossbar, "--parasitics", out / "masks" / "parasitics.npz"],
    }.get(command, [masks, layout, crossbar, "-o", tmp_path / "out"])
    result = call(command, *line)
    assert result.exit_code == status, result.output


def test_the_program_itself_ends_so() -> None:
    line = [sys.executable, "-m", "snn2circuit", "compare", "nowhere.npz", "w.npz"]
    done = subprocess.run(line, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    assert (done.returncode, done.stdout) == (64, "")
    assert "does not exist" in done.stderr
