"""The pictures of an evaluation: what is taken for what, how well the scores separate, how lively the neurons are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from snn2circuit.analysis.evaluate import Evaluation
from snn2circuit.ir.files import atomic
from snn2circuit.training import roc_curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WRITTEN_OUT = 20  # classes; the cells of a larger matrix are too small for their numbers
BAR, DEAD = "#1f5fa8", "#d1495b"


def plot_confusion(evaluation: Evaluation, path: Path) -> None:
    """Confusion matrix as a PNG: counts, shaded by the share of the true class."""
    counts, names = evaluation.confusion, evaluation.classes
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = 3 + 0.35 * min(len(names), 30)
    figure = new_figure(size + 0.8, size)
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if len(names) <= WRITTEN_OUT:
        for (true, predicted), count in np.ndenumerate(counts):
            if count:
                color = "white" if shares[true, predicted] > 0.5 else "black"
                axes.text(predicted, true, str(count), ha="center", va="center", fontsize=7, color=color)
    axes.set_xticks(range(len(names)), names, rotation=90 if max(map(len, names)) > 2 else 0, fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    low, high = evaluation.interval
    axes.set_title(f"accuracy {evaluation.accuracy:.2%} ({low:.2%} to {high:.2%})", fontsize=10)
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8)
    write_figure(figure, path)


def plot_roc(evaluation: Evaluation, path: Path) -> None:
    """ROC curve of every class against the rest as a PNG; classes without one are left out."""
    figure = new_figure(6.5, 5)
    axes = figure.subplots()
    for one, (name, area) in enumerate(zip(evaluation.classes, evaluation.aucs, strict=True)):
        if not np.isnan(area):
            false, true = roc_curve(evaluation.scores[:, one], evaluation.labels == one)
            axes.plot(false, true, linewidth=1.1, label=f"{name}  {area:.4f}")
    axes.plot([0, 1], [0, 1], color="#8d99ae", linestyle=":", linewidth=1)
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        columns = 1 + (len(evaluation.classes) - 1) // WRITTEN_OUT
        axes.legend(title="class, area", loc="lower right", frameon=False, fontsize=8, ncols=columns)
    write_figure(figure, path)


def plot_firing(evaluation: Evaluation, path: Path) -> None:
    """Histogram of the firing rates of every layer as a PNG; neurons that never spike are told apart."""
    layers = evaluation.firing_rates
    figure = new_figure(3.6 * len(layers) + 1, 3.2)
    for number, (axes, rates) in enumerate(zip(np.atleast_1d(figure.subplots(1, len(layers))), layers, strict=True), 1):
        top = max(float(rates.max()), 1e-3)
        bins = np.linspace(0, top, 21)
        axes.hist(rates[rates > 0], bins=bins, color=BAR)
        axes.hist(rates[rates == 0], bins=bins, color=DEAD)
        axes.set_title(
            f"layer {number}: mean {rates.mean():.3f}, {int((rates == 0).sum())} of {len(rates)} never spike",
            fontsize=9,
        )
        axes.set_xlabel("spikes per step")
        axes.set_ylabel("neurons")
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.spines[["top", "right"]].set_visible(False)
    write_figure(figure, path)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of ``width`` by ``height`` inches that needs no display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG whose bytes repeat."""
    with atomic(Path(path)) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})
