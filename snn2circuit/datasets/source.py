"""What is known of a dataset before it is loaded: its name, its shape, and the function that loads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from snn2circuit.ir.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class Source:
    """One line of ``snn2circuit list datasets``, and the way to the data."""

    name: str  # the word that names it on the command line
    title: str  # for people
    origin: str  # where the data come from
    load: Callable[[Path | None], Dataset]  # takes the data folder; None is the default folder
    shape: tuple[int, ...] = ()  # of one sample; empty where only the files tell
    classes: tuple[str, ...] = ()  # empty where only the files tell
    files: tuple[str, ...] = ()  # that must be on disk; IDX: training images and labels, then test images and labels
    torchvision: str = ""  # class in torchvision.datasets that downloads them; empty if none does
    split: str = ""  # what that class calls this part of its data; empty if it has only one

    @property
    def needs_files(self) -> bool:
        """Whether the data must be on disk before they can be loaded."""
        return bool(self.files)
