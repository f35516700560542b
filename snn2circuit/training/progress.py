"""Where a training stands between two batches, for a person who waits for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A training after one of its batches. Loss and accuracy are means over the running epoch's batches so far."""

    epoch: int  # the running one, counted from 1
    epochs: int
    batch: int  # finished batches of the running epoch
    batches: int  # of every epoch
    loss: float
    accuracy: float  # on the training batches, 0..1
    validation_accuracy: float | None  # after the last finished epoch; None before the first
    seconds_left: float | None  # None until there is something to extrapolate from

    @property
    def share(self) -> float:
        """Share of all batches that is done, 0..1."""
        return ((self.epoch - 1) * self.batches + self.batch) / (self.epochs * self.batches)

    def __str__(self) -> str:
        parts = [f"epoch {self.epoch}/{self.epochs}", f"loss {self.loss:.3f}", f"accuracy {self.accuracy:.1%}"]
        if self.validation_accuracy is not None:
            parts.append(f"validation {self.validation_accuracy:.1%}")
        if self.seconds_left is not None:
            parts.append(f"{duration(self.seconds_left)} left")
        return ", ".join(parts)


def duration(seconds: float) -> str:
    """Seconds in words: ``42 s``, ``3:07 min``, ``2:05 h``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours}:{rest:02d} h"
