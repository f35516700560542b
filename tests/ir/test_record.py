"""In a results folder no file of the user is lost, whenever a process may be killed."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path

import pytest

from snn2circuit.errors import FileKept
from snn2circuit.ir import record
from snn2circuit.ir.claims import claim
from snn2circuit.ir.files import append_text, atomic, write_text
from snn2circuit.ir.record import HOME, compact, digest, is_ours, keep_aside, remember


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A results folder."""
    folder = tmp_path / "out"
    (folder / HOME).mkdir(parents=True)
    return folder


def quietly(path: Path, text: str) -> None:
    """Write, and fail if anything is kept aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_text(path, text)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != HOME)


@pytest.mark.parametrize("place", ["x.json", "netlist/x.json", "masks/violations/x.json", 'odd "name"\n\udc80.txt'])
def test_what_we_wrote_is_replaced_and_what_was_edited_is_kept(place: str, out: Path) -> None:
    path = out / place
    quietly(path, "first")
    quietly(path, "second")
    assert is_ours(path)
    for number in (1, 2):
        path.write_text(f"edited {number}")
        assert not is_ours(path)
        kept = path.with_name(f"{path.name}.{number}")
        with pytest.warns(FileKept, match=re.escape(f"{path} is not as snn2circuit wrote it; it is kept as {kept}")):
            write_text(path, "third")
        assert path.read_text() == "third"
        assert kept.read_text() == f"edited {number}"
    quietly(path, "fourth")
    assert names(path.parent) == sorted(path.name + end for end in ("", ".1", ".2"))


def test_a_file_that_was_there_before_is_kept_unless_it_is_the_same(out: Path) -> None:
    (out / "mine.txt").write_text("mine")
    (out / "mine.txt.1").write_text("taken")
    with pytest.warns(FileKept, match=r"mine\.txt\.2"):
        write_text(out / "mine.txt", "new")
    (out / "same.txt").write_text("same")
    quietly(out / "same.txt", "same")
    assert names(out) == ["mine.txt", "mine.txt.1", "mine.txt.2", "same.txt"]
    assert (out / "mine.txt.1").read_text() == "taken"


def test_the_same_contents_under_another_name_are_not_ours(out: Path) -> None:
    quietly(out / "a", "contents")
    (out / "b").write_text("contents")
    assert not is_ours(out / "b")
    # A copy put back after a later result was written in its place is the user's doing.
    quietly(out / "a", "later")
    quietly(out / "a", "latest")
    (out / "a").write_text("contents")
    assert not is_ours(out / "a")


def test_a_link_out_of_the_folder_does_not_open_it(out: Path) -> None:
    precious = out.parent / "precious.txt"
    precious.write_text("precious")
    (out / "x.txt").symlink_to(precious)
    with pytest.warns(FileKept):
        write_text(out / "x.txt", "new")
    assert (out.parent / "precious.txt.1").read_text() == "precious"
    quietly(out / "x.txt", "newer")
    assert precious.read_text() == "newer"


def test_elsewhere_a_file_is_written_over_as_numpy_does(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("old")
    quietly(tmp_path / "x", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_failed_write_keeps_nothing_aside(out: Path) -> None:
    (out / "x").write_text("mine")

    def fail() -> None:
        with atomic(out / "x") as temporary:
            temporary.write_text("half")
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - our own
        fail()
    assert names(out) == ["x"]
    assert (out / "x").read_text() == "mine"


@pytest.mark.parametrize("moment", ["after the record", "after the link"])
def test_a_kill_between_record_and_result_loses_nothing_and_leaves_no_double(
    moment: str, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quietly(out / "ours", "old")
    (out / "mine").write_text("mine")

    def killed(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        if moment == "after the record":
            patch.setattr("snn2circuit.ir.files.keep_aside", lambda path: killed(path, path))
        for name in ("ours", "mine"):
            with pytest.raises(KeyboardInterrupt):
                write_text(out / name, "new")
    quietly(out / "ours", "newer")
    with pytest.warns(FileKept, match=r"mine\.1"):
        write_text(out / "mine", "newer")
    assert names(out) == ["mine", "mine.1", "ours"]
    assert (out / "mine.1").read_text() == "mine"


def test_a_growing_file_stays_ours_and_an_edited_one_does_not_become_it(out: Path) -> None:
    path = out / "history.jsonl"
    quietly(path, "")
    for line in "abc":
        append_text(path, line)
        assert is_ours(path)
    quietly(path, "again")
    path.write_text("edited")
    append_text(path, "more")
    assert path.read_text() == "editedmore"
    assert not is_ours(path)


def test_keeping_aside_without_links_renames(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(self: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    (out / "x").write_text("mine")
    (out / "x.1").write_text("taken")
    assert keep_aside(out / "x") == out / "x.2"
    assert names(out) == ["x.1", "x.2"]


def test_a_long_record_is_made_short(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "COMPACT", 0)
    for text in "abc":
        for name in ("x", "y"):
            quietly(out / name, text)
    before = (out / HOME / "files").read_bytes()
    with claim(out):
        pass
    after = (out / HOME / "files").read_bytes()
    assert len(after.splitlines()) == 2 < len(before.splitlines())
    assert is_ours(out / "x")
    assert is_ours(out / "y")
    compact(out.parent)  # no record there


def test_a_damaged_record_only_keeps_more(out: Path) -> None:
    quietly(out / "x", "ours")
    (out / HOME / "files").write_bytes(os.urandom(500))
    with pytest.warns(FileKept):
        write_text(out / "x", "new")
    assert (out / "x.1").read_text() == "ours"
    quietly(out / "x", "newer")


def test_a_record_that_is_a_link_is_not_followed(out: Path) -> None:
    (out.parent / "target").write_text("target")
    (out / HOME / "files").symlink_to(out.parent / "target")
    with pytest.raises(OSError, match="symbolic"):
        remember(out / "x", digest(out.parent / "target"))
    assert (out.parent / "target").read_text() == "target"
