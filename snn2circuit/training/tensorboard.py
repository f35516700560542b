"""TensorBoard event files: the numbers of the history as curves that can be watched while training runs.

They are written from the first epoch on each time a training starts or goes on, and what an earlier process has put
into the same folder is marked as outdated, so that neither a kill nor a restart leaves a gap or a double.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from snn2circuit.errors import OutputError, TrainingError
from snn2circuit.training.history import EpochRecord

SCALARS = {
    "loss/train": "loss",
    "loss/validation": "validation_loss",
    "accuracy/train": "train_accuracy",
    "accuracy/validation": "validation_accuracy",
    "accuracy/test": "test_accuracy",
    "learning_rate": "learning_rate",
}  # tag: field of the record


class Events:
    """An event file that grows by one epoch at a time."""

    def __init__(self, folder: Path, records: Sequence[EpochRecord] = ()) -> None:
        """Begin an event file in ``folder`` with the epochs known so far.

        Raises:
            TrainingError: the package tensorboard is not installed.
            OutputError: the folder cannot be written.
        """
        try:
            from torch.utils.tensorboard.writer import SummaryWriter
        except ImportError as error:
            raise TrainingError(
                "TensorBoard event files need the package tensorboard: pip install 'snn2circuit[tensorboard]'; "
                "or train without them, history.jsonl holds the same numbers"
            ) from error
        try:
            self._writer = SummaryWriter(str(folder), purge_step=1)
        except OSError as error:
            raise OutputError(f"cannot write {folder}: {error.strerror or error}") from error
        for record in records:
            self.append(record)

    def append(self, record: EpochRecord) -> None:
        """Add one epoch, readable at once."""
        for tag, field in SCALARS.items():
            self._writer.add_scalar(tag, getattr(record, field), record.epoch)
        self._writer.flush()

    def close(self) -> None:
        """End the file."""
        self._writer.close()
