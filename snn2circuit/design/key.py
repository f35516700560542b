"""A key of a design file: its meaning, and what it may be."""

from __future__ import annotations

import dataclasses
import difflib
import math
import typing
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Key:
    """Meaning of a key and what it may be: one of ``choices`` or a ``file``, or a number from ``low`` to ``high``."""

    doc: str
    choices: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    above: bool = False  # low itself is not allowed
    file: str = ""  # ending of a file name that may stand in place of a choice

    def check(self, value: Any) -> str | None:
        """What is wrong with ``value``, or ``None``."""
        each = value if isinstance(value, tuple) else (value,)
        for word in each if self.choices else ():
            if word not in self.choices and not (self.file and str(word).endswith(self.file)):
                near = difflib.get_close_matches(str(word), self.choices, n=1)
                return f"allowed: {self.limits()}" + (f"; did you mean {near[0]!r}?" if near else "")
        for number in each:
            if isinstance(number, (int, float)) and not isinstance(number, bool):
                too_low = number <= self.low if self.above else number < self.low
                if not math.isfinite(number) or too_low or number > self.high:
                    return f"allowed: {self.limits()}"
        return None

    def limits(self) -> str:
        """The allowed values in words."""
        if self.choices:
            return ", ".join(self.choices) + (f", or a {self.file} file" if self.file else "")
        low = "" if self.low == -math.inf else f"{'more than' if self.above else 'at least'} {self.low:g}"
        high = "" if self.high == math.inf else f"at most {self.high:g}"
        return " and ".join(part for part in (low, high) if part) or "any"


def keys(section: type) -> dict[str, Key]:
    """The keys of a section class with their meaning."""
    hints = typing.get_type_hints(section, include_extras=True)
    return {
        each.name: next(a for a in hints[each.name].__metadata__ if isinstance(a, Key))
        for each in dataclasses.fields(section)
    }
