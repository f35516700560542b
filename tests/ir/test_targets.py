"""What a result may replace, and what it may not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from special_files import NOT_FILES, state

from snn2circuit.errors import OutputError
from snn2circuit.ir.files import append_text, atomic, write_text
from snn2circuit.ir.targets import check_file, check_folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # the name of a socket may have a hundred letters
    (tmp_path / "link").symlink_to("nowhere")
    return Path()


@pytest.mark.parametrize("kind", NOT_FILES)
def test_what_is_no_regular_file_is_refused_and_stays(kind: str, folder: Path) -> None:
    path = folder / "x"
    NOT_FILES[kind](path)
    before = state(path), names(folder)
    with pytest.raises(OutputError, match="cannot write x: "):
        check_file(path)
    for write in (write_text, append_text):
        with pytest.raises(OutputError, match="cannot write x: "):
            write(path, "new")
    assert (state(path), names(folder)) == before


@pytest.mark.parametrize(
    "path", ["/dev/null", "/dev/full", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/proc/x", "/"]
)
def test_names_of_the_system_are_refused(path: str) -> None:
    before = state(Path(path)) if os.path.lexists(path) else None
    with pytest.raises(OutputError, match=f"cannot write {path}: "):
        check_file(Path(path))
    assert (state(Path(path)) if os.path.lexists(path) else None) == before


def test_a_link_is_written_through(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "target.txt").write_text("old")
    (folder / "middle").symlink_to("sub/target.txt")
    (folder / "x").symlink_to("middle")
    with atomic(folder / "x") as temporary:
        assert temporary.parent == folder / "sub"  # where it can be moved in one piece
        temporary.write_text("new")
    assert (folder / "x").is_symlink()
    assert (folder / "middle").is_symlink()
    assert (folder / "sub" / "target.txt").read_text() == "new"
    assert not (folder / "sub" / "target.txt").is_symlink()
    append_text(folder / "x", "er")
    assert (folder / "sub" / "target.txt").read_text() == "newer"


def test_a_folder_is_made_or_refused(folder: Path) -> None:
    (folder / "file").write_text("a file")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "real").mkdir()
    (folder / "linked").symlink_to("real")
    for good in ("real", "linked", "real/new/deep", "linked/new", "."):
        check_folder(folder / good)
        check_file(folder / good / "x")
    for bad in ("file", "file/below", "dangling", "dangling/below", "/dev/null", "/proc/version/x"):
        with pytest.raises(OutputError, match="is not a folder"):
            check_folder(folder / bad)
        with pytest.raises(OutputError, match="cannot write"):
            check_file(folder / bad / "x")
    assert names(folder) == ["dangling", "file", "link", "linked", "real"]


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused(folder: Path) -> None:
    (folder / "closed").mkdir(mode=0o555)
    for refuse in (check_folder, lambda path: check_file(path / "x")):
        with pytest.raises(OutputError, match="no permission to write into"):
            refuse(folder / "closed")
