"""What the README shows is true: its example runs, its files exist, its tree is the tree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from trained import go_on_with

import snn2circuit
from snn2circuit.design import parse_design

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_the_python_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = blocks("python")
    assert len([line for line in example.splitlines() if line.strip()]) <= 11
    monkeypatch.chdir(tmp_path)
    quick = example.replace("steps=25)", "steps=25, epochs=2)").replace("count=10", "count=1")
    assert quick.count("epochs=2") == quick.count("count=1") == 1
    go_on_with("digits", monkeypatch, snn2circuit, "train")
    exec(compile(quick, "README", "exec"), {})  # noqa: S102 - our own text
    assert "0 of 1,050 spikes differ over 1 samples" in capsys.readouterr().out
    assert (tmp_path / "stack.glb").exists()


def test_the_design_example_is_a_design() -> None:
    (example,) = blocks("toml")
    parse_design(example, "README")


def test_every_link_into_the_project_leads_somewhere() -> None:
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", README) if "://" not in target]
    assert len(targets) >= 6
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_tour_of_the_tree_names_every_room() -> None:
    rooms = {path.parent.name for path in (ROOT / "snn2circuit").glob("*/__init__.py")}
    assert [room for room in sorted(rooms) if f"{room}/" not in README] == []
