"""The picture of a training: loss and accuracy of every epoch, and the epoch whose weights were kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from snn2circuit.errors import DataError
from snn2circuit.ir.files import atomic
from snn2circuit.training.history import EpochRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TRAIN, VALIDATION, TEST, BEST = "#1f5fa8", "#7fb069", "#d1495b", "#8d99ae"


def plot_training(records: Sequence[EpochRecord], path: Path) -> None:
    """Draw ``records`` as a PNG at ``path``: cross-entropy on the left, accuracy on the right.

    Raises:
        DataError: there are no epochs.
        OutputError: the file cannot be written.
    """
    if not records:
        raise DataError("there is no epoch to plot")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    epochs = [record.epoch for record in records]
    best = [record for record in records if record.best][-1] if any(r.best for r in records) else records[-1]
    figure = Figure(figsize=(10, 4), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    style = {"marker": "o", "markersize": 3} if len(records) < 15 else {}
    left.plot(epochs, [r.loss for r in records], color=TRAIN, label="train", **style)
    left.plot(epochs, [r.validation_loss for r in records], color=VALIDATION, label="validation", **style)
    left.set_ylabel("cross-entropy (nats)")
    left.set_ylim(bottom=0)
    right.plot(epochs, [r.train_accuracy for r in records], color=TRAIN, label="train", **style)
    right.plot(epochs, [r.validation_accuracy for r in records], color=VALIDATION, label="validation", **style)
    right.plot(epochs, [r.test_accuracy for r in records], color=TEST, label="test", **style)
    right.set_ylabel("accuracy")
    right.yaxis.set_major_formatter(PercentFormatter(1.0))
    right.set_ylim(top=1.005)
    right.set_title(f"kept: epoch {best.epoch}, test accuracy {best.test_accuracy:.2%}", fontsize=10, loc="right")
    for axes in (left, right):
        _finish(axes, best.epoch)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    with atomic(Path(path)) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})


def _finish(axes: Axes, best: int) -> None:
    axes.axvline(best, color=BEST, linestyle=":", linewidth=1.2, label="kept epoch")
    axes.set_xlabel("epoch")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
