"""Bookkeeping of a run: time and progress of each stage, and whether an earlier result still holds.

``stages.json`` in the output folder remembers, for each expensive stage, a key made of everything its result depends
on, the fingerprint of the result, and the seconds it took. A result is reused when the key is the same and the file
holds that very result; a file that is damaged, or that a later run has overwritten, is made again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from snn2circuit.errors import Snn2CircuitError
from snn2circuit.ir.files import fingerprint, load, write_json

Progress = Callable[[str, float, str], None]  # (stage, share of it done from 0 to 1, remark)
Note = Callable[[str, str], None]  # (stage, what a person must know of it at once)
T = TypeVar("T")


class Stages:
    """The stages of one run into one folder."""

    def __init__(
        self,
        out: Path,
        *,
        fresh: bool,
        on_progress: Progress | None,
        on_note: Note | None,
        parts: Mapping[str, type],
    ) -> None:
        self.out, self.parts, self.on_progress, self.on_note = out, parts, on_progress, on_note
        self.seconds: dict[str, float] = {}  # wall seconds of each stage, or what it took when its result was made
        self.reused: list[str] = []
        self.notes: dict[str, str] = {}  # what a person must know of a stage beyond its time
        self._pending: dict[str, dict[str, Any]] = {}
        self._kept: dict[str, dict[str, Any]] = {} if fresh else self._read()

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[float, str], None]]:
        """Time a stage and report its beginning and end; gives a function to report progress in between."""

        def tell(share: float, remark: str = "") -> None:
            if self.on_progress:
                self.on_progress(name, share, remark)

        tell(0.0)
        started = time.perf_counter()
        # Only the end of the stage, with its time, is reported as done.
        yield lambda share, remark: tell(min(share, 0.999), remark)
        if name not in self.reused:
            self.seconds[name] = time.perf_counter() - started
        if name in self._pending:
            self._kept[name] = {**self._pending.pop(name), "seconds": self.seconds[name]}
            write_json(self.out / "stages.json", self._kept)
        took = "reused" if name in self.reused else f"{self.seconds[name]:.1f} s"
        tell(1.0, f"{took}, {self.notes[name]}" if name in self.notes else took)

    def note(self, name: str, text: str, *, at_once: bool = False) -> None:
        """Add to the notes of stage ``name``, and tell it ``at_once`` if it cannot wait for the stage's end."""
        self.notes[name] = f"{self.notes[name]}; {text}" if name in self.notes else text
        if at_once and self.on_note:
            self.on_note(name, text)

    def reuse(self, name: str, key: str, file: str, kind: type[T], *others: str) -> T | None:
        """The result of an earlier run for the same ``key``, or ``None`` if it has to be made."""
        kept = self._kept.get(name, {})
        if kept.get("key") != key or not all((self.out / other).exists() for other in others):
            return None
        try:
            value = load(self.out / file, kind, self.parts)
        except Snn2CircuitError:
            return None
        if fingerprint(value) != kept.get("result"):
            return None
        self.seconds[name] = float(kept["seconds"])
        self.reused.append(name)
        return value

    def keep(self, name: str, key: str, value: object) -> None:
        """Remember, once stage ``name`` ends well, that its result ``value`` stands for ``key``."""
        self._pending[name] = {"key": key, "result": fingerprint(value)}

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            data = json.loads((self.out / "stages.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        entries = data.items() if isinstance(data, dict) else ()
        return {
            name: entry
            for name, entry in entries
            if isinstance(entry, dict) and "key" in entry and isinstance(entry.get("seconds"), (int, float))
        }
