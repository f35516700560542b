"""The paper's protocol in small: it resumes, refuses what does not belong, and its page says what its runs say."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from click.testing import CliRunner

from snn2circuit.analysis import paper_table
from snn2circuit.analysis.paper import HIDDEN, PARTS, Configuration, Run, read_runs, run_experiment, run_one
from snn2circuit.analysis.workers import run_parallel
from snn2circuit.cli import main
from snn2circuit.cli.experiment import HIDDEN as OFFERED_HIDDEN
from snn2circuit.cli.experiment import NEURONS as OFFERED_NEURONS
from snn2circuit.datasets import load_dataset
from snn2circuit.errors import DataError, FileFormatError, TrainingError


def configurations(seeds: int) -> list[Configuration]:
    return [
        Configuration(neuron=neuron, hidden=10, seed=seed, dataset="digits")
        for seed in range(seeds)
        for neuron in ("leaky", "synaptic")
    ]


def invented() -> list[Run]:
    """Leaky beats Lapicque in every pair; more neurons help."""
    random = np.random.default_rng(0)
    return [
        Run(
            neuron=neuron, hidden=hidden, seed=seed, dataset="mnist", recipe="", accuracy=accuracy,
            accuracy_membrane=accuracy, accuracy_one_vs_rest=1 - (1 - accuracy) / 5, f1=accuracy,
            flops=2 * (784 * hidden + 10 * hidden), seconds=1.0, versions={"torch": "2"},
        )
        for neuron, base in (("lapicque", 0.5), ("leaky", 0.8))
        for hidden in (10, 20, 30)
        for seed in range(5)
        for accuracy in [base + hidden / 1000 + random.uniform(0, 0.005)]
    ]  # fmt: skip


def test_the_protocol_is_the_papers() -> None:
    recipe = Configuration(neuron="leaky", hidden=80, seed=0).recipe()
    assert (recipe.epochs, recipe.learning_rate, recipe.steps, recipe.batch) == (1, 5e-4, 25, 128)
    assert (recipe.loss, recipe.schedule, recipe.noise, recipe.averaging) == ("ce_steps", "constant", 0, 0)
    assert [getattr(part, "beta", 0.95) for part in PARTS.values()] == pytest.approx([0.95] * 4)
    assert HIDDEN == OFFERED_HIDDEN == (10, 15, 20, 25, 30, 50, 80, 100)
    assert tuple(PARTS) == OFFERED_NEURONS


def test_runs_are_kept_resumed_and_the_same_in_any_process(tmp_path: Path) -> None:
    path, told = tmp_path / "runs.jsonl", []
    first = run_experiment(configurations(1), path, workers=2)
    assert len(path.read_text().splitlines()) == 2
    both = run_experiment(configurations(2), path, on_progress=lambda share, words: told.append((share, words)))
    assert [share for share, _ in told] == [0.75, 1.0]  # only what was missing
    assert both[:2] == first  # times and all
    assert list(read_runs(path).values()) == sorted(both, key=lambda run: (run.neuron, run.seed))
    again = run_one(configurations(1)[0])
    assert dataclasses.replace(again, seconds=0) == dataclasses.replace(first[0], seconds=0)
    assert again.accuracy_one_vs_rest == pytest.approx(1 - 2 * (1 - again.accuracy) / 10)
    assert not list(tmp_path.glob(".*"))


def test_runs_of_another_protocol_and_damaged_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    other = dataclasses.asdict(invented()[0]) | {"neuron": "leaky", "dataset": "digits", "seed": 0}
    path.write_text(json.dumps(other | {"recipe": "epochs=2"}) + "\n")
    with pytest.raises(FileFormatError, match=r"another protocol \(epochs=2\)"):
        run_experiment(configurations(1), path)
    path.write_text(json.dumps(other) + '\n{"neuron": "le')
    with pytest.raises(FileFormatError, match="line 2: not a run"):
        run_experiment(configurations(1), path)
    with pytest.raises(DataError, match="no configuration"):
        run_experiment([], path)


def test_a_worker_that_dies_or_fails_is_told() -> None:
    with pytest.raises(TrainingError, match="worked on 3 died with exit status 3"):
        list(run_parallel(os._exit, [3], 1))
    with pytest.raises(DataError, match="nothing"):
        list(run_parallel(load_dataset, ["nothing", "xor"], 1))
    assert list(run_parallel(len, [], 2)) == []
    assert sorted(run_parallel(len, ["a", "bb", "ccc"], 2)) == [("a", 1), ("bb", 2), ("ccc", 3)]


def test_the_page_says_what_the_runs_say(tmp_path: Path) -> None:
    runs = invented()
    paper_table.write_page(runs, tmp_path, command="experiment")
    with (tmp_path / "paper.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 6
    assert [row["neuron"] for row in rows] == ["leaky"] * 3 + ["lapicque"] * 3
    ten = [run.accuracy for run in runs if (run.neuron, run.hidden) == ("leaky", 10)]
    assert float(rows[0]["accuracy_mean"]) == pytest.approx(np.mean(ten), abs=1e-6)
    assert float(rows[0]["accuracy_sd"]) == pytest.approx(np.std(ten, ddof=1), abs=1e-6)
    (neurons,) = paper_table.between_neurons(runs)
    assert (neurons.first, neurons.second, neurons.pairs) == ("leaky", "lapicque", 15)
    assert (neurons.effect, neurons.significant) == (1.0, True)
    sizes = paper_table.between_sizes(runs)
    assert [(each.first, each.second, each.pairs, each.effect) for each in sizes] == [
        ("20", "10", 10, 1.0),
        ("30", "20", 10, 1.0),
    ]
    text = (tmp_path / "paper.md").read_text()
    assert f"| leaky | 10 | {np.mean(ten):.2%} ± {np.std(ten, ddof=1):.2%} |" in text
    assert text.count("| differs |") == 3
    for name in ("paper_accuracy", "paper_differences"):
        assert f"({name}.png)" in text
        assert min(matplotlib.image.imread(tmp_path / f"{name}.png").shape[:2]) > 150


def test_the_command(tmp_path: Path) -> None:
    options = ["--seeds", "1", "--hidden", "10", "--neuron", "leaky", "--dataset", "digits"]
    result = CliRunner().invoke(main, ["experiment", "paper", "-o", str(tmp_path), *options])
    assert result.exit_code == 0, result.output
    names = {"paper.md", "paper.csv", "paper_accuracy.png", "paper_differences.png", "paper_runs.jsonl"}
    assert {path.name for path in tmp_path.iterdir()} == names | {".snn2circuit"}
