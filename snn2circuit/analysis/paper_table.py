"""The results of the paper's protocol as a page: table, tests, machine and versions, and the same as CSV."""

from __future__ import annotations

import dataclasses
import itertools
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snn2circuit.analysis import paper
from snn2circuit.analysis.paper_plots import plot_accuracy, plot_differences
from snn2circuit.analysis.significance import Comparison, compare_pairs
from snn2circuit.ir.files import write_text
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.tables import csv_text

PUBLISHED = (
    ("Leaky, 10 hidden", "-", "86.30%", "leaky"),
    ("Leaky, 100 hidden", "-", "92.00%", "leaky"),
    ("Lapicque, 25 hidden", "90.16%", "50.72%", "lapicque from beta"),
    ("Synaptic, 25 hidden", "97.97%", "89.69%", "synaptic"),
    ("Alpha, 80 hidden", "98.64%", "93.04%", "synaptic, alpha 0.5"),
)  # one training each, from the files that came with the paper


@dataclass(frozen=True, kw_only=True)
class Row:
    """One neuron and size over its seeds; accuracies are shares."""

    neuron: str
    hidden: int
    seeds: int
    accuracy_mean: float
    accuracy_sd: float
    accuracy_min: float
    accuracy_max: float
    accuracy_membrane_mean: float
    accuracy_one_vs_rest_mean: float
    f1_mean: float
    flops: int
    seconds_mean: float


def write_page(runs: Sequence[paper.Run], folder: Path, command: str) -> None:
    """Write ``paper.md``, ``paper.csv`` and the plots into ``folder``; ``command`` is what made the runs."""
    write_text(folder / "paper.md", as_markdown(runs, command))
    write_text(folder / "paper.csv", as_csv(runs))
    plot_accuracy(runs, folder / "paper_accuracy.png")
    plot_differences(runs, folder / "paper_differences.png")


def rows(runs: Sequence[paper.Run]) -> list[Row]:
    """The table."""
    found = []
    for (neuron, hidden), group in _groups(runs).items():
        accuracies = _values(group, "accuracy")
        row = Row(
            neuron=neuron,
            hidden=hidden,
            seeds=len(group),
            accuracy_mean=float(accuracies.mean()),
            accuracy_sd=float(accuracies.std(ddof=1)) if len(group) > 1 else 0.0,
            accuracy_min=float(accuracies.min()),
            accuracy_max=float(accuracies.max()),
            accuracy_membrane_mean=float(_values(group, "accuracy_membrane").mean()),
            accuracy_one_vs_rest_mean=float(_values(group, "accuracy_one_vs_rest").mean()),
            f1_mean=float(_values(group, "f1").mean()),
            flops=group[0].flops,
            seconds_mean=float(_values(group, "seconds").mean()),
        )
        found.append(row)
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
    cells = (
        [f"{cell:.6f}" if isinstance(cell, float) else cell for cell in dataclasses.astuple(row)] for row in rows(runs)
    )
    return csv_text((field.name for field in dataclasses.fields(Row)), cells)


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
            f"Machine: {_machine()}, one thread per training. {made}"
            f"{' (and others, see the runs)' if several else ''}.",
            "",
            *_protocol(),
            "",
            "## Results",
            "",
            "Mean and standard deviation over the seeds. *One-vs-rest* is what the paper printed as accuracy; *s* is "
            "the wall time of a training, which says little if the machine had other work.",
            "",
            "| neuron | hidden | accuracy | min to max | by membrane | one-vs-rest | macro F1 | FLOPs | s |",
            "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
            *(
                f"| {row.neuron} | {row.hidden} | {row.accuracy_mean:.2%} ± {row.accuracy_sd:.2%} "
                f"| {row.accuracy_min:.2%} to {row.accuracy_max:.2%} | {row.accuracy_membrane_mean:.2%} "
                f"| {row.accuracy_one_vs_rest_mean:.2%} | {row.f1_mean:.4f} | {row.flops:,} | {row.seconds_mean:.1f} |"
                for row in rows(runs)
            ),
            "",
            "![Accuracy and one-vs-rest accuracy over the number of hidden neurons](paper_accuracy.png)",
            "",
            "What the authors published, beside the multiclass accuracy that follows from their confusion matrices:",
            "",
            "| networks as they call them | printed | multiclass | by what they hold |",
            "|---|--:|--:|---|",
            *(f"| {name} | {printed} | {share} | {what} |" for name, printed, share, what in PUBLISHED),
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
