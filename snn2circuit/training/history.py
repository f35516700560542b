"""What happened in each epoch of training, as lines of JSON that are written while it happens.

One epoch is one line, appended whole and at once, so that a reader may follow the file while training runs and a
training that is killed leaves every finished epoch behind.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from snn2circuit.errors import FileFormatError
from snn2circuit.ir.files import append_text, write_text


@dataclass(frozen=True, kw_only=True)
class EpochRecord:
    """One finished epoch. Accuracies are shares, 0..1; losses are mean cross-entropies in nats."""

    epoch: int  # counted from 1
    epochs: int  # planned in all
    loss: float  # mean over the epoch's training batches, as they were trained on
    train_accuracy: float  # over the same batches
    validation_loss: float
    validation_accuracy: float
    test_accuracy: float  # only reported, never used to choose
    learning_rate: float  # at the end of the epoch
    best: bool  # whether this epoch's weights were kept as the best so far


def start_history(path: Path, records: Sequence[EpochRecord] = ()) -> None:
    """Begin a history at ``path`` with the epochs known so far, in place of any that is there.

    Raises:
        OutputError: the file cannot be written.
    """
    write_text(Path(path), "".join(map(_line, records)))


def append_record(path: Path, record: EpochRecord) -> None:
    """Append one epoch to the history at ``path``.

    Raises:
        OutputError: the file cannot be written.
    """
    append_text(Path(path), _line(record))


def read_history(path: Path) -> tuple[EpochRecord, ...]:
    """The epochs of a history file.

    Raises:
        FileFormatError: the file is missing, or a line is not an epoch; the line is named.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise FileFormatError(f"{path} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{path} cannot be read: {error}") from error
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(EpochRecord(**json.loads(line)))
        except (TypeError, ValueError, RecursionError) as error:
            raise FileFormatError(f"{path}, line {number}: not an epoch record: {error}") from error
    return tuple(records)


def _line(record: EpochRecord) -> str:
    return json.dumps(dataclasses.asdict(record), allow_nan=False) + "\n"
