"""Whole runs of a small network whose verdicts differ: what is printed is what is judged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import klayout.db as kdb
import pytest
from click.testing import CliRunner
from trained import go_on_with

from snn2circuit import flow, steps
from snn2circuit.cli import main
from snn2circuit.design import parse_design
from snn2circuit.errors import LayoutError, RangeLeft
from snn2circuit.ir.files import load
from snn2circuit.ir.parasitics import Parasitics
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.viewer.page import viewer_page

XOR = """
[data]
dataset = "xor"
[network]
hidden = [4]
steps = 20
[training]
epochs = 1
[simulation]
solver = "exact"
samples = 4
"""
CONDUCTING = '[device]\nlevels = 64\npreset = "moox_mos2_foil"\n'  # up to 10 mS, which silver feeds badly
# A design, its colour and exit status, and what is said.
RUNS = {
    "trimmed": (CONDUCTING, "good", 0, "as printed, 0 of 480 spikes differ"),
    "not trimmed": (CONDUCTING + "[circuit]\ncompensate = false", "bad", 2, "as printed, 49 of 480 spikes differ"),
    "trimmed against other lines": (CONDUCTING + '[circuit]\nlines = "given"', "bad", 2, "of 480 spikes differ"),
    "too few levels": ("[device]\nlevels = 3", "warning", 0, "100.00% trained, 75.00% mapped"),
}


@pytest.fixture
def xor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], tuple[int, dict[str, Any], str]]:
    """Runs a design of XOR by its command; gives exit status, summary and output."""
    go_on_with("xor", monkeypatch)

    def run(extra: str) -> tuple[int, dict[str, Any], str]:
        (tmp_path / "xor.toml").write_text(XOR + extra)
        result = CliRunner().invoke(main, ["run", str(tmp_path / "xor.toml"), "-o", str(tmp_path / "out")])
        summary = tmp_path / "out" / "summary.json"
        return result.exit_code, json.loads(summary.read_text()) if summary.exists() else {}, result.output

    return run


@pytest.mark.parametrize("name", RUNS)
def test_colour_and_status_are_those_of_the_circuit_as_printed(
    name: str, xor: Callable[[str], tuple[int, dict[str, Any], str]], tmp_path: Path
) -> None:
    design, colour, status, says = RUNS[name]
    code, summary, output = xor(design)
    assert (summary["verdict"]["colour"], summary["verdict"]["status"], code) == (colour, status, status), output
    assert says in summary["verdict"]["text"]
    assert says in " ".join(output.split())
    assert summary["spike_mismatches"] == 0, "with ideal lines every one of these circuits is right"
    page = viewer_page((tmp_path / "out" / "summary.json").read_bytes())
    assert f'<p class="s2c-verdict s2c-{colour}" role="status">{summary["verdict"]["text"]}</p>' in page
    waveforms = load(tmp_path / "out" / "waveforms.npz", Waveforms)
    lines = load(tmp_path / "out" / "masks" / "parasitics.npz", Parasitics)
    crossbar = steps.load_crossbar(tmp_path / "out" / "crossbar.npz")
    again = steps.simulate_exactly(crossbar, waveforms.stimulus, lines)
    assert all((a == b).all() for a, b in zip(again.spikes, waveforms.spikes, strict=True))


def damage(path: Path) -> None:
    """Cut the first word line of a mask file in two."""
    database = kdb.Layout()
    database.read(str(path))
    database.flatten(database.top_cell().cell_index(), -1, True)
    index = database.layer(3, 1)
    shapes = kdb.Region(database.top_cell().begin_shapes_rec(index))
    box = next(shapes.merged().each()).bbox()
    shapes -= kdb.Region(kdb.Box(box.center().x - 50_000, box.bottom, box.center().x + 50_000, box.top))
    texts = kdb.Texts(database.top_cell().shapes(index))
    database.clear_layer(index)
    database.top_cell().shapes(index).insert(shapes)
    database.top_cell().shapes(index).insert(texts)
    database.write(str(path))


@pytest.mark.parametrize("suffix", [".gds", ".oas"])
def test_one_wrong_file_of_many_makes_the_run_red(
    suffix: str, xor: Callable[[str], tuple[int, dict[str, Any], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = steps.signoff.draw_masks

    def draw_one_wrong(*arguments: Any) -> list[Path]:
        paths = draw(*arguments)
        for path in paths:
            if path.suffix == suffix:
                damage(path)
        return paths

    monkeypatch.setattr(steps.signoff, "draw_masks", draw_one_wrong)
    code, summary, output = xor("")
    assert (summary["verdict"]["colour"], code) == ("bad", 2), output
    wrong = {each["format"]: each["faults"] for each in summary["masks"] if each["faults"]}
    assert list(wrong) == [suffix[1:]]
    assert "NOT the circuit of the crossbar" in summary["verdict"]["text"]
    # Where nothing can be measured nothing is judged, and is not called 0.
    judged = summary["printed_spike_mismatches"], summary["printed_equivalent"], summary["accuracy_samples"]["printed"]
    assert judged == ((None, None, None) if suffix == ".gds" else (0, True, 1.0))


def test_masks_whose_circuit_cannot_be_told_are_not_judged(
    xor: Callable[[str], tuple[int, dict[str, Any], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise LayoutError("sheet 1: nothing to measure")

    monkeypatch.setattr("snn2circuit.layout.signoff.pex.measure_parasitics", refuse)
    code, summary, _ = xor('[circuit]\nlines = "given"')
    assert (summary["verdict"]["colour"], code) == ("bad", 3)
    assert "not judged as printed: stack.gds: sheet 1: nothing to measure" in summary["verdict"]["text"]
    # Where lines are to be trimmed against them, there is nothing to go on with.
    code, _, output = xor("")
    assert code == 3
    assert "nothing to measure" in output


def test_what_the_exact_solver_cannot_take_is_not_judged(
    xor: Callable[[str], tuple[int, dict[str, Any], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise RangeLeft("an amplifier leaves its rails; simulate in ngspice")

    monkeypatch.setattr("snn2circuit.steps.decks.simulate_exactly", refuse)
    code, _, output = xor('[circuit]\nlines = "given"')
    assert (code, "simulate in ngspice" in output) == (3, True)


def test_a_run_killed_between_its_simulations_goes_on_with_the_second(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    go_on_with("xor", monkeypatch)
    design = parse_design(XOR)

    def stop(stage: str, share: float, remark: str) -> None:
        if stage == "simulate ideal":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        flow.run(design, tmp_path, on_progress=stop)
    assert (tmp_path / "waveforms.npz").exists()
    assert not (tmp_path / "waveforms_ideal.npz").exists()
    assert not (tmp_path / "summary.json").exists()
    summary = flow.run(design, tmp_path)
    assert summary["stages_reused"] == ["train", "simulate"]
    assert flow.run(design, tmp_path)["verdict"] == summary["verdict"]
