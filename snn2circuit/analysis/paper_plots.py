"""The pictures of the paper's protocol: accuracy over size, and what pairs of trainings differ by."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from snn2circuit.analysis.evaluation_plots import new_figure, write_figure
from snn2circuit.analysis.paper import Run

COLORS = {"leaky": "#1f5fa8", "lapicque": "#d1495b", "synaptic": "#2a9d6f", "alpha": "#e2a02d"}


def plot_accuracy(runs: Sequence[Run], path: Path) -> None:
    """Multiclass accuracy on the left and the same as one-vs-rest accuracy on the right, mean and range over seeds."""
    figure = new_figure(9, 3.8)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, field, title in zip(
        panels, ("accuracy", "accuracy_one_vs_rest"), ("accuracy", "the same trainings, one-vs-rest"), strict=True
    ):
        for neuron, color in COLORS.items():
            sizes = sorted({run.hidden for run in runs if run.neuron == neuron})
            if sizes:
                values = [
                    [100 * getattr(run, field) for run in runs if (run.neuron, run.hidden) == (neuron, size)]
                    for size in sizes
                ]
                axes.plot(sizes, [np.mean(each) for each in values], "o-", color=color, markersize=3, label=neuron)
                axes.fill_between(sizes, [*map(min, values)], [*map(max, values)], color=color, alpha=0.2, linewidth=0)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("hidden neurons")
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("% of the test images")
    panels[0].legend(frameon=False, fontsize=9)
    write_figure(figure, path)


def plot_differences(runs: Sequence[Run], path: Path) -> None:
    """Differences in accuracy of trainings that share size and seed, for every two neuron models, as box plots."""
    neurons = [name for name in COLORS if name in {run.neuron for run in runs}]
    by_neuron = {
        neuron: {(run.hidden, run.seed): 100 * run.accuracy for run in runs if run.neuron == neuron}
        for neuron in neurons
    }
    pairs = list(itertools.combinations(neurons, 2))
    figure = new_figure(7, 0.45 * max(len(pairs), 1) + 1.2)
    axes = figure.subplots()
    if pairs:
        differences = [
            [accuracy - by_neuron[second][place] for place, accuracy in by_neuron[first].items()]
            for first, second in pairs
        ]
        axes.boxplot(differences, orientation="horizontal", widths=0.6)
        axes.set_yticks(range(1, len(pairs) + 1), [f"{first} - {second}" for first, second in pairs], fontsize=9)
    axes.axvline(0, color="#8d99ae", linestyle=":", linewidth=1)
    axes.set_xlabel("difference in accuracy, percentage points")
    axes.spines[["top", "right"]].set_visible(False)
    write_figure(figure, path)
