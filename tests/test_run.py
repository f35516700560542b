"""The main job, whole: what it leaves behind, what it says of it, and that a second start loses nothing."""

from __future__ import annotations

import csv
import json
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from conftest import SMALL

from snn2circuit import flow, steps
from snn2circuit.design import Design
from snn2circuit.errors import OutputError, SimulationTimeout
from snn2circuit.ir.files import load, save
from snn2circuit.ir.network import Network
from snn2circuit.ir.parasitics import Parasitics
from snn2circuit.ir.waveforms import Waveforms

FILES = {
    "design.toml", "network.npz", "history.jsonl", "training.png", "crossbar.npz", "placement.csv", "netlist",
    "netlist_ideal", "waveforms.npz", "waveforms_ideal.npz", "waveforms.png", "equivalence.json",
    "equivalence_ideal.json", "compensation.json", "layout.npz", "stack.glb", "masks", "schematics",
    "report.html", "summary.json", "stages.json", "checkpoints", "metrics.json", "confusion.png", "roc.png",
    "firing.png", "materials.json", "materials.csv", "cross_section.svg", "activity.json", ".snn2circuit",
}  # fmt: skip
KEYS = {
    "accuracy_trained", "accuracy_mapped", "images_simulated", "spikes_compared", "spikes_model", "spikes_circuit",
    "spike_mismatches", "worst_membrane_error", "devices", "levels", "ngspice_seconds", "seconds", "glb_bytes",
    "versions", "seed", "design_fingerprint", "energy", "verdict", "masks", "accuracy_samples", "reduce",
    "printed_spike_mismatches", "printed_spikes_compared", "printed_equivalent",
}  # fmt: skip


def test_a_run_leaves_everything_behind_and_nothing_else(finished: tuple[Path, dict[str, Any]]) -> None:
    out, summary = finished
    assert {path.name for path in out.iterdir()} == FILES
    assert set(summary) >= KEYS
    assert json.loads((out / "summary.json").read_text()) == summary
    assert summary["seconds"].keys() == {
        "data",
        "train",
        "evaluate",
        "map",
        "layout",
        "sign-off",
        "netlist",
        "simulate",
        "simulate ideal",
        "compare",
        "report",
    }
    assert {"python", "torch", "snntorch", "PySpice", "ngspice"} <= summary["versions"].keys()


def test_the_masks_are_signed_off_by_klayout(finished: tuple[Path, dict[str, Any]]) -> None:
    out, summary = finished
    assert {path.name for path in (out / "masks").iterdir()} == {
        "stack.gds", "stack.oas", "stack.lyp", "stack.lyd25", "drc.lyrdb", "drc.csv", "lvs.json",
        "parasitics.npz", "parasitics.json",
    }  # fmt: skip
    assert summary["drc"]["violations"] == 0
    assert summary["drc"]["rules"] > 30
    assert summary["lvs"]["match"] is True
    assert summary["lvs"]["devices"] == summary["devices"]
    parasitics = load(out / "masks" / "parasitics.npz", Parasitics)
    assert len(parasitics.layers) == summary["sheets"]
    assert all(
        tile.lines.word_segments.min() > 0 < tile.lines.bit_leads.min()
        for layer in parasitics.layers
        for tile in layer.tiles
    )
    report = (out / "report.html").read_text()
    assert "0 violations of" in report
    assert "Printing changes 0 of" in report
    assert [(each["format"], each["same_as"], each["violations"], each["faults"]) for each in summary["masks"]] == [
        ("gds", None, 0, 0),
        ("oas", "gds", 0, 0),
    ]
    lines = summary["measured_lines"]
    assert (lines["samples"], lines["spikes_compared"]) == (summary["images_simulated"], summary["spikes_compared"])
    assert lines["spikes_before"] == summary["spikes_circuit"]


def test_the_circuit_spikes_as_the_network_and_as_snntorch(finished: tuple[Path, dict[str, Any]]) -> None:
    out, summary = finished
    assert summary["spikes_compared"] == summary["printed_spikes_compared"] == 2 * 8 * (12 + 10)
    for circuit, file in (("", "equivalence_ideal.json"), ("printed_", "equivalence.json")):
        assert summary[f"{circuit}spike_mismatches"] == summary[f"{circuit}spike_mismatches_snntorch"] == 0
        assert summary["spikes_model"] == summary[f"{circuit}spikes_circuit"] > 0
        assert summary[f"{circuit}equivalent"] is True
        assert json.loads((out / file).read_text())["spike_mismatches"] == 0
    assert summary["reduce"] == {"printed": "all", "ideal": "none"}


def test_the_printed_circuit_is_trimmed_and_has_the_lines_of_its_masks(finished: tuple[Path, dict[str, Any]]) -> None:
    out, summary = finished
    assert summary["compensation"]["layers"][0]["gain"] < 1
    printed, ideal = (load(out / f"{name}.npz", Waveforms) for name in ("waveforms", "waveforms_ideal"))
    reduced = "reduced to its Norton equivalent"
    assert reduced in (out / "netlist" / "network.lib").read_text()
    assert reduced not in (out / "netlist_ideal" / "network.lib").read_text()
    assert any((a != b).any() for a, b in zip(printed.membranes, ideal.membranes, strict=True))
    np.testing.assert_array_equal(printed.stimulus.inputs, ideal.stimulus.inputs)


def test_the_placement_table_is_the_crossbar_device_by_device(finished: tuple[Path, dict[str, Any]]) -> None:
    out, summary = finished
    crossbar = steps.load_crossbar(out / "crossbar.npz")
    with (out / "placement.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == summary["devices"] == crossbar.devices == 2 * (65 * 12 + 13 * 10)
    places = set()
    for row in rows:
        layer = crossbar.layers[int(row["layer"]) - 1]
        at = int(row["row"]), int(row["column"])
        positive = row["polarity"] == "+"
        assert float(row["trained_weight"]) == pytest.approx(layer.trained[at], rel=1e-8)
        assert float(row["conductance_S"]) == pytest.approx(layer.programmed[0 if positive else 1][at], rel=1e-8)
        assert float(row["target_conductance_S"]) == pytest.approx(
            (layer.target_pos if positive else layer.target_neg)[at], rel=1e-8
        )
        assert int(row["level"]) == (layer.level_pos if positive else layer.level_neg)[at]
        assert float(row["resistance_ohm"]) * float(row["conductance_S"]) == pytest.approx(1, rel=1e-7)
        places.add((row["sheet"], row["x_mm"], row["y_mm"]))
    assert len(places) == len(rows), "two devices in one place"


def test_the_decks_wire_the_network_that_was_mapped(finished: tuple[Path, dict[str, Any]]) -> None:
    """Read the emitted resistors as a graph, apart from the builder: complete bipartite per layer and polarity."""
    out, _ = finished
    graph = nx.Graph()
    for name, a, b, ohms in re.findall(
        r"^R(\S+) (\S+) (\S+) (\S+)$", (out / "netlist_ideal" / "network.lib").read_text(), re.MULTILINE
    ):
        graph.add_edge(a, b, name=name, siemens=1 / float(ohms))
    crossbar = steps.load_crossbar(out / "crossbar.npz")
    assert graph.number_of_edges() == crossbar.devices
    for number, layer in enumerate(crossbar.layers, start=1):
        rows = [f"wl_l{number}_r{row}" for row in range(layer.inputs)] + [f"bias_l{number}"]
        for column in range(layer.columns):
            pos, neg = f"bp_l{number}_n{column}", f"bn_l{number}_n{column}"
            assert set(graph[pos]) == set(graph[neg]) == set(rows)
            weights = [
                (graph[row][pos]["siemens"] - graph[row][neg]["siemens"]) / layer.siemens_per_unit for row in rows
            ]
            np.testing.assert_allclose(weights, layer.weights[:, column], atol=1e-8)


def test_the_report_is_one_file_that_needs_no_network(finished: tuple[Path, dict[str, Any]]) -> None:
    out, summary = finished
    text = (out / "report.html").read_text()
    assert text.count("data:image/png;base64,") == 5
    assert f"as printed, 0 of {summary['printed_spikes_compared']:,} spikes differ" in text
    # Scripts, styles and images are inline; links inside the bundled library are text, not requests.
    assert not re.search(r"<(?:script|img|link|iframe)[^>]+(?:src|href)=[\"'](?!data:)", text)
    for assumption in summary["assumptions"]:
        assert assumption.split(":")[0].split("(")[0].strip() in text


def test_a_second_start_reuses_what_still_holds(
    small_design: Design, finished: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    out = tmp_path / "again"
    shutil.copytree(finished[0], out)
    told: list[tuple[str, float, str]] = []
    summary = flow.run(small_design, out, on_progress=lambda *what: told.append(what))
    assert summary["stages_reused"] == ["train", "simulate", "simulate ideal"]
    assert summary["seconds"]["train"] == pytest.approx(finished[1]["seconds"]["train"], abs=1e-3)
    assert [stage for stage, share, _ in told if share == 0.0] == list(summary["seconds"])
    # Another device: the network stays, everything after it is made again.
    circuit = replace(small_design.circuit, v_rail=3.0)
    other = flow.run(
        replace(small_design, device=replace(small_design.device, levels=16, g_min=1e-6), circuit=circuit), out
    )
    assert other["stages_reused"] == ["train"]
    assert other["conductances_S"] == [1e-6, 1e-4]
    assert "16 levels of foil_memristor, 1 µS to 100 µS" in (out / "report.html").read_text(encoding="utf-8")
    assert other["levels"] == 16
    assert other["spike_mismatches"] == 0
    # A damaged result is made again, not trusted.
    (out / "waveforms.npz").write_bytes(b"not a file of ours")
    assert flow.run(replace(small_design, device=replace(small_design.device, levels=16)), out)["stages_reused"] == [
        "train"
    ]


def test_the_same_design_gives_the_same_bytes(small_design: Design, trained_here: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for out in (one, other):
        flow.run(small_design, out, fresh=True)
    names = ["network.npz", "crossbar.npz", "placement.csv", "stack.glb", "layout.npz", "training.png"]
    names += [f"{folder}/{path.name}" for folder in ("netlist", "netlist_ideal") for path in (one / folder).iterdir()]
    assert [name for name in names if (one / name).read_bytes() != (other / name).read_bytes()] == []
    assert (one / "network.npz").read_bytes() == (trained_here / "network.npz").read_bytes()


def test_a_failing_stage_keeps_the_finished_ones(small_design: Design, tmp_path: Path) -> None:
    # Without a budget nothing is estimated, so the deck starts and is stopped.
    impatient = replace(small_design, simulation=replace(small_design.simulation, time_limit=0.01, budget=0.0))
    with pytest.raises(SimulationTimeout, match=r"sample_\d\.cir: not finished after 0.01 s"):
        flow.run(impatient, tmp_path)
    assert not (tmp_path / "waveforms.npz").exists()
    assert not (tmp_path / "waveforms_ideal.npz").exists()
    assert load(tmp_path / "network.npz", Network, steps.PARTS).sizes == (64, 12, 10)
    assert flow.run(small_design, tmp_path)["stages_reused"] == ["train"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_a_killed_run_goes_on_where_it_was(
    how: signal.Signals, small_design: Design, trained_here: Path, tmp_path: Path
) -> None:
    # So many samples that the signal cannot come too late; the training is that of the small design.
    (tmp_path / "long.toml").write_text(SMALL.replace("samples = 2", "samples = 60"))
    out = tmp_path / "out"
    # A test run in the background inherits an ignored SIGINT; a person at a terminal does not.
    program = "import signal; signal.signal(2, signal.default_int_handler); from snn2circuit.cli import main; main()"
    command = [sys.executable, "-c", program, "run", str(tmp_path / "long.toml"), "-o", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(b"netlist"):
            break
    process.send_signal(how)
    process.stderr.read()
    assert process.wait(timeout=60) == (-how if how is signal.SIGKILL else 130)
    process.stderr.close()
    assert not (out / "waveforms.npz").exists()
    summary = flow.run(small_design, out)
    assert [path.name for path in out.rglob(".*")] == [".snn2circuit"], "a half-written file was left"
    assert [path.name for path in (out / ".snn2circuit").iterdir()] == ["files"]
    assert summary["stages_reused"] == ["train"]
    assert (out / "network.npz").read_bytes() == (trained_here / "network.npz").read_bytes()
    assert load(out / "waveforms.npz", Waveforms).stimulus.samples == 2


def test_a_full_disk_is_an_error_and_the_old_results_stay(
    finished: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished[0], out)
    before = (out / "layout.npz").read_bytes()
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000));"
        "from pathlib import Path; from snn2circuit.ir.files import load, save;"
        "from snn2circuit.ir.layout import Layout;"
        "layout = load(Path(sys.argv[1]), Layout); save(layout, Path(sys.argv[1]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(out / "layout.npz")], capture_output=True, text=True, check=False
    )
    assert OutputError.__name__ in result.stderr
    assert "cannot write" in result.stderr
    assert (out / "layout.npz").read_bytes() == before
    assert [path.name for path in out.glob(".*")] == [".snn2circuit"]


def test_an_interrupted_training_ends_the_run_and_the_next_goes_on(
    small_design: Design, trained_here: Path, tmp_path: Path
) -> None:
    def stop_after_two(stage: str, share: float, remark: str) -> None:
        if stage == "train" and 0.5 <= share < 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        flow.run(small_design, tmp_path, on_progress=stop_after_two)
    assert len((tmp_path / "history.jsonl").read_text().splitlines()) == 2
    assert not (tmp_path / "network.npz").exists()
    # It goes on to what the whole training would have been.
    assert flow.run(small_design, tmp_path)["stages_reused"] == []
    for name in ("network.npz", "history.jsonl"):
        assert (tmp_path / name).read_bytes() == (trained_here / name).read_bytes()


@pytest.mark.parametrize("how", ["damaged", "another design"])
def test_a_checkpoint_that_cannot_be_used_is_put_aside_and_said(
    how: str, small_design: Design, finished: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    out, design = tmp_path / "out", replace(small_design, training=replace(small_design.training, epochs=1))
    (out / "checkpoints.1").mkdir(parents=True)  # an earlier one, not to be touched
    shutil.copytree(finished[0] / "checkpoints", out / "checkpoints")
    shutil.copy(finished[0] / "history.jsonl", out)
    last = out / "checkpoints" / "last.pt"
    if how == "damaged":
        last.write_bytes(last.read_bytes()[:-100])
    old = {path.name: path.read_bytes() for path in [*last.parent.iterdir(), out / "history.jsonl"]}
    told: list[tuple[str, str, float]] = []
    share = [0.0]

    def progress(stage: str, done: float, remark: str) -> None:
        share[0] = done

    summary = flow.run(
        design, out, on_progress=progress, on_note=lambda stage, note: told.append((stage, note, share[0]))
    )
    ((stage, note, when),) = told
    assert (stage, when) == ("train", 0.0)  # before the first epoch, not after the last
    assert note == summary["notes"]["train"]
    assert f"starts anew, and the training that was there is kept in {out / 'checkpoints.2'}" in note
    assert ("last.pt is damaged" if how == "damaged" else "epochs is 4 there and 1 here") in note
    assert {path.name: path.read_bytes() for path in (out / "checkpoints.2").iterdir()} == old
    assert not list((out / "checkpoints.1").iterdir())
    assert len((out / "history.jsonl").read_text().splitlines()) == 1
    assert "kept in" in (out / "report.html").read_text()


def test_a_result_that_another_run_has_overwritten_is_not_reused(
    small_design: Design, finished: tuple[Path, dict[str, Any]], trained_here: Path, tmp_path: Path
) -> None:
    """A run with another seed that is killed right after saving its network leaves the first run's key behind."""
    out = tmp_path / "out"
    shutil.copytree(finished[0], out)
    other = load(out / "network.npz", Network, steps.PARTS)
    save(
        replace(other, layers=(other.layers[0], replace(other.layers[1], weight=-other.layers[1].weight))),
        out / "network.npz",
    )
    summary = flow.run(small_design, out)
    assert "train" not in summary["stages_reused"]
    assert (out / "network.npz").read_bytes() == (trained_here / "network.npz").read_bytes()
