"""From a trained network to what it is worth."""

from __future__ import annotations

from pathlib import Path

from snn2circuit.analysis.evaluate import Evaluation
from snn2circuit.analysis.evaluation_plots import plot_confusion, plot_firing, plot_roc
from snn2circuit.ir.files import write_json


def write_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write ``metrics.json`` and its pictures into ``folder``."""
    write_json(folder / "metrics.json", evaluation.as_dict())
    plot_confusion(evaluation, folder / "confusion.png")
    plot_roc(evaluation, folder / "roc.png")
    plot_firing(evaluation, folder / "firing.png")
