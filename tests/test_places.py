"""Where commands may write: every option that names a file or folder, of every command there is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from special_files import NOT_FILES, state

from snn2circuit.cli import console, main


def commands(group: click.Group, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *names, name)
        else:
            yield (*names, name), command


def outputs(*types: object) -> list[tuple[tuple[str, ...], click.Command, click.Option]]:
    return [
        (names, command, option)
        for names, command in commands(main)
        for option in command.params
        if isinstance(option, click.Option) and any(option.type is each for each in types)
    ]


def call(names: tuple[str, ...], command: click.Command, option: click.Option, path: Path) -> Result:
    """The command with that option, everything required filled in, and files to read that nothing reads so early."""
    arguments: list[str] = [option.opts[0], str(path)]
    Path("given.npz").write_text("a file")
    Path("given").mkdir(exist_ok=True)
    for other in command.params:
        if other is option or not other.required:
            continue
        value = "given.npz" if other.type is console.IN else "given"
        if isinstance(other.type, click.Choice):
            value = str(other.type.choices[0])
        if other.type in (console.OUT, console.OUT_FOLDER):
            value = f"other_{other.name}"
        arguments += [other.opts[0], value] if isinstance(other, click.Option) else [value]
    return CliRunner().invoke(main, [*names, *arguments])


def named(cases: list[tuple[tuple[str, ...], click.Command, click.Option]]) -> pytest.MarkDecorator:
    ids = ["-".join((*names, str(option.name))) for names, _, option in cases]
    return pytest.mark.parametrize(("names", "command", "option"), cases, ids=ids)


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("link").symlink_to("nowhere")


FILES, FOLDERS = outputs(console.OUT), outputs(console.OUT_FOLDER)


def test_every_option_that_writes_is_looked_at() -> None:
    assert len(FILES) >= 14
    assert len(FOLDERS) >= 9
    for names, command in commands(main):
        for option in command.params:
            if isinstance(option.type, click.Path):
                assert isinstance(option.type, console._Place) or option.type.exists, f"{names}: {option.name}"


@named(FILES)
def test_a_file_that_is_none_is_refused_before_anything_is_done(
    names: tuple[str, ...], command: click.Command, option: click.Option
) -> None:
    makers: dict[str, Callable[[Path], None]] = {**NOT_FILES, "below a file": lambda path: path.write_text("") and None}
    for kind, make in makers.items():
        Path("pipe").unlink(missing_ok=True)
        path = Path("below") if kind == "below a file" else Path("x")
        make(path)
        before = state(path)
        result = call(names, command, option, path / "x" if kind == "below a file" else path)
        assert (result.exit_code, "cannot write" in result.output) == (1, True), f"{kind}: {result.output}"
        assert state(path) == before
        assert not [each for each in Path().iterdir() if each.name.startswith(("other", ".s"))]
        path.rmdir() if kind == "folder" else path.unlink()


@named(FOLDERS + outputs(console.STORE))
def test_a_folder_that_is_none_is_refused_before_anything_is_done(
    names: tuple[str, ...], command: click.Command, option: click.Option
) -> None:
    makers: dict[str, Callable[[Path], None]] = {
        **{kind: make for kind, make in NOT_FILES.items() if kind not in ("folder", "link to a folder")},
        "file": lambda path: path.write_text("a file") and None,
    }
    for kind, make in makers.items():
        Path("pipe").unlink(missing_ok=True)
        path = Path("x")
        make(path)
        before = state(path)
        for place in (path, path / "below"):
            result = call(names, command, option, place)
            assert (result.exit_code, "is not a folder" in result.output) == (1, True), f"{kind}: {result.output}"
        assert state(path) == before
        path.unlink()


def other_file(command: click.Command, option: click.Option) -> str | None:
    """A file that :func:`call` gives to the command besides that of the option."""
    for other in command.params:
        if other.required and other is not option and other.type in (console.IN, console.OUT):
            return "given.npz" if other.type is console.IN else f"other_{other.name}"
    return None


@named([case for case in FILES if other_file(*case[1:])])
def test_a_file_that_is_read_or_written_already_is_refused(
    names: tuple[str, ...], command: click.Command, option: click.Option
) -> None:
    result = call(names, command, option, Path(str(other_file(command, option))))
    assert result.exit_code == 64, result.output
    assert "choose another file" in result.output
    assert Path("given.npz").read_text() == "a file"


@named(FOLDERS)
def test_a_folder_in_use_is_told_before_anything_is_done(
    names: tuple[str, ...], command: click.Command, option: click.Option
) -> None:
    code = (
        "import sys; from pathlib import Path; from snn2circuit.ir.claims import lock\n"
        "with lock(Path('out')): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        result = call(names, command, option, Path("out"))
        holder.kill()
    assert result.exit_code == 1
    assert f"out is in use by process {holder.pid} of" in result.output
