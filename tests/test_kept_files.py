"""No command loses a file of the user, or one that was edited: every output of every command is tried."""

from __future__ import annotations

import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from test_places import FILES, FOLDERS, named

from snn2circuit import flow
from snn2circuit.cli import console, main
from snn2circuit.design import parse_design
from snn2circuit.errors import FileKept
from snn2circuit.ir.record import HOME

XOR = """
[data]
dataset = "xor"
[network]
hidden = [4]
steps = 4
[training]
epochs = 2
[simulation]
samples = 2
"""
LONG = ("verify", "advise", "paper", "explain")  # seconds each, and one `write_json` or `write_text` of their own


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and HOME not in path.parts)


def edit(folder: Path) -> dict[Path, bytes]:
    """Edit every file below ``folder``; what it holds now."""
    for path in files(folder):
        with path.open("ab") as stream:
            stream.write(f"\n* edited: {path.name}\n".encode())
    return {path: path.read_bytes() for path in files(folder)}


def lost(edited: dict[Path, bytes], said: str) -> list[str]:
    """Edited files that are gone, or were moved without a word."""
    found = []
    for path, contents in edited.items():
        kept = path.with_name(f"{path.name}.1")
        if path.exists() and path.read_bytes() == contents:
            continue
        if not kept.exists() or kept.read_bytes() != contents:
            found.append(f"{path} is lost")
        elif kept.name not in said:
            found.append(f"nobody was told of {kept}")
    return found


@pytest.fixture(scope="module")
def xor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run; read-only by convention."""
    out = tmp_path_factory.mktemp("xor") / "out"
    flow.run(parse_design(XOR), out)
    return out


@pytest.mark.parametrize("fresh", [False, True])
def test_a_run_keeps_every_file_that_was_edited(fresh: bool, xor: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(xor, out)
    own = {"netlist/sample_notes.cir": b"notes", "netlist/sample_0_saved.cir": b"saved", "sample_9.cir": b"mine"}
    for name, contents in own.items():
        (out / name).write_bytes(contents)
    edited = edit(out)
    assert len(edited) > 40
    with pytest.warns(FileKept) as told:
        flow.run(parse_design(XOR), out, fresh=fresh)
    assert lost(edited, "\n".join(str(each.message) for each in told)) == []
    assert len([path for path in edited if path.with_name(f"{path.name}.1").exists()]) > 35
    # What was written now is known again.
    before = files(out)
    flow.run(parse_design(XOR), out, fresh=fresh)
    assert files(out) == before


def test_an_untouched_run_keeps_nothing_aside(xor: Path, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    out = tmp_path / "out"
    shutil.copytree(xor, out)
    flow.run(parse_design(XOR), out, fresh=True)
    assert [path.relative_to(out) for path in files(out)] == [path.relative_to(xor) for path in files(xor)]
    assert not [each for each in recwarn if issubclass(each.category, FileKept)]


@pytest.mark.parametrize("name", ["design.toml", "out/../design.toml", "link.toml"])
def test_the_design_file_is_never_rewritten(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    refused = XOR.replace("hidden = [4]", "hidden = [4]\nneuron = 'alpha'\nreset_mechanism = 'subtract'")
    Path("design.toml").write_text(refused)  # only after the design in full was written
    Path("link.toml").symlink_to("design.toml")
    before = Path("design.toml").stat()
    result = call("run", name, "-o", ".")
    assert "no circuit; train with zero or none" in result.output
    after = Path("design.toml").stat()
    assert Path("design.toml").read_text() == refused
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert not Path("design.toml.1").exists()
    assert parse_design(Path("design.resolved.toml").read_text()) == parse_design(refused)


def arguments(names: tuple[str, ...], command: click.Command, option: click.Option, xor: Path) -> list[str]:
    """Everything that the command needs besides that option, from a finished run."""
    given = {
        "network_file": xor / "network.npz", "crossbar_file": xor / "crossbar.npz", "folder": xor / "netlist",
        "waveforms_file": xor / "waveforms.npz", "layout_file": xor / "layout.npz",
        "masks_file": xor / "masks" / "stack.gds", "file": "weights.json", "design_file": "small.toml",
        "kind": "glb" if names == ("layout",) else "snntrainer3d", "samples": "2",
    }  # fmt: skip
    found: list[str] = [*names]
    for other in command.params:
        if other is option or other.name not in given or (names, other.name) == (("compare",), "folder"):
            continue
        if names in (("compare",), ("simulate",)) and other.name == "samples":
            continue
        value = str(given[str(other.name)])
        found += [other.opts[0], value] if isinstance(other, click.Option) else [value]
    for other in command.params:
        if other.required and other is not option and other.type in (console.OUT, console.OUT_FOLDER):
            found += [other.opts[0], f"other/{other.name}.glb"]
    return found


@named([case for case in FILES + FOLDERS if case[0][-1] not in (*LONG, "run")])
def test_a_command_keeps_what_it_did_not_write(
    names: tuple[str, ...], command: click.Command, option: click.Option, xor: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(XOR)
    assert call("export", xor / "network.npz", "--format", "snntrainer3d", "-o", "weights.json").exit_code == 0
    is_file = option.type is console.OUT
    place = Path("mine", "thesis.tex") if is_file else Path("mine")
    Path("mine").mkdir()
    if is_file:
        place.write_text("a thesis")
    line = [*arguments(names, command, option, xor), option.opts[0], str(place)]
    first = call(*line)
    assert first.exit_code in (0, 2), first.output
    if is_file:
        assert Path("mine", "thesis.tex.1").read_text() == "a thesis"
        assert "kept as mine/thesis.tex.1" in first.output
        Path("mine", "thesis.tex.1").unlink()
    written = files(Path("mine"))
    assert written
    again = call(*line)
    assert files(Path("mine")) == written, "its own file was kept aside"
    edited = edit(Path("mine"))
    again = call(*line)
    assert again.exit_code in (0, 1, 2), again.output
    assert lost(edited, again.output) == []


def test_decks_from_python_are_kept_too(xor: Path, tmp_path: Path) -> None:
    from snn2circuit import load_dataset, steps, write_netlist

    crossbar = steps.load_crossbar(xor / "crossbar.npz")
    both, one = (steps.choose_samples(crossbar, load_dataset("xor"), count=count) for count in (3, 1))
    write_netlist(crossbar, both, tmp_path)
    (tmp_path / "sample_notes.cir").write_text("notes")
    for name in ("sample_0.cir", "sample_1.cir"):
        (tmp_path / name).write_text("edited")
    with pytest.warns(FileKept, match=r"sample_0\.cir\.1"):
        write_netlist(crossbar, one, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "cells.lib", "netlist.npz", "network.lib", "sample_0.cir", "sample_0.cir.1", "sample_1.cir", "sample_notes.cir",
    ]  # fmt: skip
    assert (tmp_path / "sample_1.cir").read_text() == "edited"
