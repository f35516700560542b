"""The results of the paper's protocol as a page: table, tests, machine and versions, and the same as CSV."""

from __future__ import annotations

import csv
import io
import itertools
import os
import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from snn2circuit.analysis import paper
from snn2circuit.analysis.paper_plots import plot_accuracy, plot_differences
from snn2circuit.analysis.significance import Comparison, compare_pairs
from snn2circuit.ir.files import write_text
from snn2circuit.ir.noun import Floats

COLUMNS = (
    "neuron", "hidden", "seeds", "accuracy_mean", "accuracy_sd", "accuracy_min", "accuracy_max",
    "accuracy_membrane_mean", "accuracy_one_vs_rest_mean", "f1_mean", "flops", "seconds_mean",
)  # fmt: skip


def write_page(runs: Sequence[paper.Run], folder: Path, command: str) -> None:
    """Write ``paper.md``, ``paper.csv`` and the plots into ``folder``; ``command`` is what made the runs."""
    write_text(folder / "paper.md", as_markdown(runs, command))
    write_text(folder / "paper.csv", as_csv(runs))
    plot_accuracy(runs, folder / "paper_accuracy.png")
    plot_differences(runs, folder / "paper_differences.png")


def rows(runs: Sequence[paper.Run]) -> list[tuple[str | int | float, ...]]:
    """One row of :data:`COLUMNS` per neuron and size, over the seeds; accuracies are shares."""
    found = []
    for (neuron, hidden), group in _groups(runs).items():
        accuracies = _values(group, "accuracy")
        spread = float(accuracies.std(ddof=1)) if len(group) > 1 else 0.0
        found.append(
            (
                neuron,
                hidden,
                len(group),
                float(accuracies.mean()),
                spread,
                float(accuracies.min()),
                float(accuracies.max()),
                float(_values(group, "accuracy_membrane").mean()),
                float(_values(group, "accuracy_one_vs_rest").mean()),
                float(_values(group, "f1").mean()),
                group[0].flops,
                float(_values(group, "seconds").mean()),
            )
        )
    return found


def between_neurons(runs: Sequence[paper.Run]) -> list[Comparison]:
    """Every two neuron models, paired by size and seed."""
    groups = _groups(runs)
    neurons, sizes = _names(runs)
    results = {
        neuron: np.concatenate([_values(groups[neuron, size], "accuracy") for size in sizes]) for neuron in neurons
    }
    return compare_pairs({(a, b): (results[a], results[b]) for a, b in itertools.combinations(neurons, 2)})


def between_sizes(runs: Sequence[paper.Run]) -> list[Comparison]:
    """Every size and the next larger one, paired by neuron model and seed."""
    groups = _groups(runs)
    neurons, sizes = _names(runs)
    results = {
        size: np.concatenate([_values(groups[neuron, size], "accuracy") for neuron in neurons]) for size in sizes
    }
    return compare_pairs({(str(b), str(a)): (results[b], results[a]) for a, b in itertools.pairwise(sizes)})


def as_csv(runs: Sequence[paper.Run]) -> str:
    """The table as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([f"{cell:.6f}" if isinstance(cell, float) else cell for cell in row] for row in rows(runs))
    return text.getvalue()


def as_markdown(runs: Sequence[paper.Run], command: str) -> str:
    """The whole page; ``command`` is what made it."""
    neurons, sizes = _names(runs)
    seeds = sorted({run.seed for run in runs})
    made = "; ".join(f"{name} {version}" for name, version in runs[0].versions.items())
    several = len({tuple(run.versions.items()) for run in runs}) > 1
    return "\n".join(
        [
            "# The SNNtrainer3D paper's protocol, run again",
            "",
            f"`{command}`: {len(runs)} trainings on {runs[0].dataset}, hidden {', '.join(map(str, sizes))}, "
            f"neurons {', '.join(neurons)}, seeds {', '.join(map(str, seeds))}.",
            "",
            f"Machine: {_machine()}, one thread per training. {made}{' (and others, see the runs)' if several else ''}.",
            "",
            *_protocol(),
            "",
            "## Results",
            "",
            "Mean and standard deviation over the seeds. *One-vs-rest* is what the paper printed as accuracy.",
            "",
            "| neuron | hidden | accuracy | min to max | by membrane | one-vs-rest | macro F1 | FLOPs | s |",
            "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
            *(
                f"| {row[0]} | {row[1]} | {row[3]:.2%} ± {row[4]:.2%} | {row[5]:.2%} to {row[6]:.2%} | {row[7]:.2%} "
                f"| {row[8]:.2%} | {row[9]:.4f} | {row[10]:,} | {row[11]:.1f} |"
                for row in rows(runs)
            ),
            "",
            "![Accuracy and one-vs-rest accuracy over the number of hidden neurons](paper_accuracy.png)",
            "",
            "## Wilcoxon signed-rank tests",
            "",
            "On multiclass accuracy, two-sided, p-values corrected by Holm within each table. The effect is the "
            "rank-biserial correlation: 1 if the first wins every pair, -1 if the second does. A pair is two trainings "
            "that differ in nothing but what is compared. Single configurations are not tested against each other: "
            f"with {len(seeds)} pairs the smallest possible p is {2 / 2 ** len(seeds):.3g}.",
            "",
            f"Between neuron models, paired by size and seed ({len(sizes)} × {len(seeds)} pairs):",
            "",
            *_tests(between_neurons(runs)),
            "",
            f"Between a size and the next smaller one, paired by neuron model and seed ({len(neurons)} × {len(seeds)} "
            "pairs; both nets see the same images in the same order, initial weights differ with the size):",
            "",
            *_tests(between_sizes(runs)),
            "",
            "![Paired differences between neuron models](paper_differences.png)",
            "",
        ]
    )


def _protocol() -> list[str]:
    text = (paper.__doc__ or "").split("\n", 2)[2].strip()
    return text.replace("``", "`").replace(":mod:`snn2circuit.training.metrics`", "`training/metrics.py`").splitlines()


def _tests(comparisons: Sequence[Comparison]) -> list[str]:
    return [
        "| first | second | median difference | effect | p | p (Holm) | |",
        "|---|---|--:|--:|--:|--:|---|",
        *(
            f"| {each.first} | {each.second} | {each.median:+.2%} | {each.effect:+.2f} | {each.p:.2g} "
            f"| {each.p_holm:.2g} | {'differs' if each.significant else 'not shown'} |"
            for each in comparisons
        ),
    ]


def _groups(runs: Sequence[paper.Run]) -> dict[tuple[str, int], list[paper.Run]]:
    groups: dict[tuple[str, int], list[paper.Run]] = {}
    for run in sorted(runs, key=lambda run: run.seed):
        groups.setdefault((run.neuron, run.hidden), []).append(run)
    neurons, sizes = _names(runs)
    return {(neuron, size): groups[neuron, size] for neuron in neurons for size in sizes}


def _names(runs: Sequence[paper.Run]) -> tuple[list[str], list[int]]:
    return [name for name in paper.PARTS if name in {run.neuron for run in runs}], sorted({run.hidden for run in runs})


def _values(group: Sequence[paper.Run], name: str) -> Floats:
    return np.array([getattr(run, name) for run in group], dtype=np.float64)


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"
