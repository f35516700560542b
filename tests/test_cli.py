"""Every command, on real files, and its answer to a mistake."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from conftest import SMALL

from snn2circuit.cli import circuit, main
from snn2circuit.design import sections
from snn2circuit.layout.printable import WRITERS
from snn2circuit.netlist import DIALECTS
from snn2circuit.neurons import NEURONS


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def design_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


def test_the_stages_one_by_one_give_what_the_whole_run_gives(
    design_file: Path, finished: tuple[Path, dict[str, Any]], trained_here: Path, tmp_path: Path
) -> None:
    trained, crossbar, decks, waveforms = (
        tmp_path / name for name in ("network.npz", "crossbar.npz", "netlist", "waveforms.npz")
    )
    assert "test accuracy" in call("train", "-d", design_file, "-o", trained).output
    assert trained.read_bytes() == (trained_here / "network.npz").read_bytes()
    network = finished[0] / "network.npz"
    mapped = call("map", network, "-d", design_file, "-o", crossbar).output
    assert "layer 2: 260 devices" in mapped
    assert "compensated: " in mapped
    assert "2 decks" in call("netlist", crossbar, "-d", design_file, "-o", decks).output
    reference = tmp_path / "netlist_ideal"
    assert call("netlist", crossbar, "-d", design_file, "--circuit", "reference", "-o", reference).exit_code == 0
    for folder in (decks, reference):
        for path in (finished[0] / folder.name).glob("*.*i*"):
            assert (folder / path.name).read_bytes() == path.read_bytes(), path
    assert "2 samples, ngspice" in call("simulate", decks, "-d", design_file, "-o", waveforms).output
    compared = call(
        "compare", crossbar, waveforms, "-o", tmp_path / "equivalence.json", "--plot", tmp_path / "waveforms.png"
    )
    assert compared.exit_code == 0, compared.output
    assert "0 of 352 spikes differ over 2 samples" in compared.output
    built = call(
        "layout", crossbar, "-d", design_file, "-o", tmp_path / "stack.glb", "--placement", tmp_path / "placement.csv"
    )
    assert "1,820 devices in 2 sheets" in built.output
    out = finished[0]
    for name in ("crossbar.npz", "stack.glb", "placement.csv"):
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes(), name
    assert json.loads((tmp_path / "equivalence.json").read_text())["equivalent"] is True


def test_the_command_line_knows_the_reductions_of_the_design_file() -> None:
    """They stand in both, because the design loads what the command line must not."""
    assert circuit.REDUCE == sections.REDUCE


def test_verify_runs_the_test_set_through_the_circuit(
    design_file: Path, finished: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    report = tmp_path / "verification.json"
    lines = finished[0] / "masks" / "parasitics.npz"
    arguments = (
        "verify", finished[0] / "crossbar.npz", "-d", design_file, "-n", 30, "--referee", 1, "-o", report,
        "--parasitics", lines,
    )  # fmt: skip
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    assert "verified" in result.output
    written = json.loads(report.read_text())
    assert (written["passed"], written["samples"], len(written["referee_samples"])) == (True, 30, 1)


def test_a_run_in_the_exact_solver_spikes_the_same(tmp_path: Path) -> None:
    design = tmp_path / "exact.toml"
    design.write_text(SMALL.replace("[simulation]", '[simulation]\nsolver = "exact"'))
    result = call("run", design, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "out" / "equivalence.json").read_text())["simulator"] == "exact solver"
    refused = call("simulate", tmp_path / "out" / "netlist", "-d", design, "-o", tmp_path / "w.npz")
    assert refused.exit_code == 64
    assert "use `run` or `verify`" in refused.output


def test_compare_fails_when_the_circuit_is_another(finished: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    out = finished[0]
    decks = tmp_path / "netlist"
    shutil.copytree(out / "netlist", decks)
    cells = decks / "cells.lib"
    cells.write_text(re.sub(r"^Breset .*$", "", cells.read_text(), count=1, flags=re.MULTILINE))
    assert call("simulate", decks, "-o", tmp_path / "w.npz").exit_code == 0
    compared = call("compare", out / "crossbar.npz", tmp_path / "w.npz")
    assert compared.exit_code == 2
    assert re.search(r"first at sample \d, layer 1, step \d", compared.output)


def test_raw_files_recorded_elsewhere_are_judged(finished: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    crossbar, folder = finished[0] / "crossbar.npz", tmp_path / "lt"
    line = ("netlist", crossbar, "--dialect", "ltspice", "--circuit", "reference", "-o", folder)
    assert call(*line).exit_code == 0
    ngspice = ["ngspice", "-b", "-r", "sample_1.raw", "sample_1.net"]
    subprocess.run(ngspice, cwd=folder, check=True, capture_output=True, timeout=120)
    judged = call("compare", crossbar, "--raw", folder / "sample_1.raw")
    assert judged.exit_code == 0, judged.output
    assert "0 of 176 spikes differ over 1 samples (ngspice" in judged.output
    # Judged as another sample's deck, the same waveforms are wrong.
    other = call("compare", crossbar, "--raw", folder / "sample_1.raw", "--netlist", folder, "--sample", 0)
    assert other.exit_code == 2
    assert call("compare", crossbar).exit_code == 64
    assert "--raw FILE.raw" in call("compare", crossbar).output


@pytest.mark.parametrize("name", ["decks", "my decks; touch $HOME", 'it\'s "here"', "-o"])
def test_what_netlist_says_to_type_works_as_typed(
    name: str, finished: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(finished[0] / "crossbar.npz", "cross bar.npz")
    said = call("netlist", "cross bar.npz", f"--out={name}").output
    typed = said.partition("by hand: ")[2]
    program = Path(sys.executable).with_name("python")
    line = typed.replace("snn2circuit compare", f"{program} -m snn2circuit compare")
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False, timeout=120)
    assert "0 of 176 spikes differ over 1 samples (ngspice" in done.stdout, done.stderr
    assert (tmp_path / name / "sample_0.png").stat().st_size > 10_000
    said = call("netlist", "cross bar.npz", "--dialect", "ltspice", f"--out={name}").output
    assert "in LTspice" in said
    assert "ngspice -b" not in said


def test_without_the_ngspice_command_the_hint_says_how_to_get_it(
    finished: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said = call("netlist", finished[0] / "crossbar.npz", "-o", tmp_path / "decks").output
    assert "sudo apt-get install ngspice" in said


def test_some_samples_are_simulated_and_judged(finished: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    crossbar, decks, out = finished[0] / "crossbar.npz", finished[0] / "netlist", tmp_path / "w.npz"
    assert call("simulate", decks, "--sample", 1, "--sample", 1, "-o", out).exit_code == 0
    assert "0 of 176 spikes differ over 1 samples" in call("compare", crossbar, out).output
    assert call("simulate", decks, "-o", out).exit_code == 0
    assert "0 of 352 spikes differ over 2 samples" in call("compare", crossbar, out).output
    assert "0 of 176 spikes differ over 1 samples" in call("compare", crossbar, out, "--sample", 1).output
    refused = call("compare", crossbar, out, "--sample", 1, "--plot", tmp_path / "p.png")
    assert "full traces are kept of the first simulated sample only" in refused.output
    assert "there is no sample 2; the waveforms hold 0 to 1" in call("compare", crossbar, out, "--sample", 2).output
    assert "no deck 9" in call("simulate", decks, "--sample", 9, "-o", out).output


def test_run_ends_with_a_table_a_person_understands(
    design_file: Path, finished: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    shutil.copytree(finished[0], tmp_path / "out")
    result = call("run", design_file, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    for words in (
        "test accuracy, trained",
        "devices",
        "as printed, 0 of 352 spikes differ between network and circuit",
        "report.html",
    ):
        assert words in result.output


@pytest.mark.parametrize(
    ("what", "word"),
    [
        ("devices", "foil_memristor"),
        ("models", "vteam"),
        ("neurons", "leaky"),
        ("datasets", "digits"),
        ("processes", "inkjet"),
    ],
)
def test_list_shows_what_can_be_chosen(what: str, word: str) -> None:
    result = call("list", what)
    assert result.exit_code == 0, result.output
    assert word in result.output
    if what in ("devices", "processes"):
        assert "assumed" in result.output


def test_design_prints_a_file_that_runs(tmp_path: Path) -> None:
    result = call("design")
    path = tmp_path / "printed.toml"
    path.write_text(result.output)
    assert call("design", path).output == result.output


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[network]\nbeta = 3\n", "line 2: [network] beta = 3"),
        ("[data]\ndataset = 'mnist'\nfolder = '/nowhere'\n", "mnist"),
    ],
)
def test_a_mistake_is_one_clear_message(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    result = call("run", path, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert says in result.output
    assert "Traceback" not in result.output


def test_a_file_of_another_kind_is_refused(finished: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    result = call("map", finished[0] / "crossbar.npz", "-o", tmp_path / "x.npz")
    assert result.exit_code == 1
    assert "holds a CrossbarNetwork; a Network is needed here" in result.output


def test_doctor_finds_what_is_installed() -> None:
    result = call("doctor")
    assert result.exit_code == 0, result.output
    for word in ("torch", "snntorch", "PySpice", "ngspice", "KLU"):
        assert word.lower() in result.output.lower()


def test_a_neuron_without_a_circuit_is_refused_before_training(tmp_path: Path) -> None:
    path = tmp_path / "alpha.toml"
    path.write_text("[network]\nneuron = 'alpha'\nreset_mechanism = 'subtract'\n")
    result = call("run", path, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "no circuit; train with zero or none" in result.output
    assert not (tmp_path / "out" / "history.jsonl").exists()


def test_download_says_what_needs_none(tmp_path: Path) -> None:
    result = call("download", "digits", "--folder", tmp_path)
    assert result.exit_code == 1
    assert "needs no download" in result.output


def choices(command: click.Command, option: str) -> tuple[str, ...]:
    kind = next(each.type for each in command.params if each.name == option)
    assert isinstance(kind, click.Choice)
    return tuple(kind.choices)


def test_what_the_command_line_offers_is_what_the_rooms_have() -> None:
    assert choices(main.commands["netlist"], "dialect") == tuple(DIALECTS)
    assert choices(main.commands["layout"], "kind") == tuple(WRITERS)
    paper = main.commands["experiment"]
    assert isinstance(paper, click.Group)
    assert set(choices(paper.commands["paper"], "neuron")) == set(NEURONS)
