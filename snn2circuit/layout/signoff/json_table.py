"""Files of others read key by key: small regular files, JSON whose values have the kind and size they should have."""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from snn2circuit.errors import LayoutError

MAX_JSON = 2**24  # bytes
WORDS: dict[type, str] = {str: "a text", int: "a whole number", bool: "true or false", dict: "a table", list: "a list"}


class JsonTable:
    """A table or list of a JSON file; what is not as it should be is refused with file and key."""

    def __init__(self, value: Any, path: Path, where: str = "") -> None:
        self.value, self.path, self.where = value, path, where

    def refuse(self, key: str, why: str) -> NoReturn:
        """Raise a LayoutError about the value of ``key``."""
        raise LayoutError(f"{self.path}: {self.where}{key} = {self.value.get(key)!r:.80}: {why}")

    def get(self, key: str, kind: type) -> Any:
        """The value of ``key``, which is of ``kind`` exactly; a table is one of these again."""
        value = self.value.get(key)
        if type(value) is not kind:
            self.refuse(key, f"{WORDS[kind]} is needed")
        return JsonTable(value, self.path, f"{self.where}{key}.") if kind is dict else value

    def count(self, key: str, most: int, least: int = 0) -> int:
        """A whole number from ``least`` to ``most``."""
        if not least <= (value := self.get(key, int)) <= most:
            self.refuse(key, f"it must lie between {least:,} and {most:,}")
        return int(value)

    def number(self, key: str) -> float:
        """Any number that is finite."""
        value = self.value.get(key)
        if type(value) not in (int, float) or not math.isfinite(value):
            self.refuse(key, "a number is needed")
        return float(value)

    def each(self, key: str) -> Iterator[JsonTable]:
        """The tables of a list."""
        for index, value in enumerate(self.get(key, list)):
            if type(value) is not dict:
                self.refuse(key, "a list of tables is needed")
            yield JsonTable(value, self.path, f"{key}[{index}].")


def read_table(path: Path) -> JsonTable:
    """The table that a JSON file holds.

    Raises:
        LayoutError: it cannot be read, is too large, or is something else.
    """
    check_regular(path, MAX_JSON)
    try:
        tree = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise LayoutError(f"{path} is not valid JSON: {error}") from error
    if type(tree) is not dict:
        raise LayoutError(f"{path}: a table is needed")
    return JsonTable(tree, path)


def check_regular(path: Path, most: int) -> None:
    """Make sure that ``path`` is a regular file of at most so many bytes.

    Raises:
        LayoutError: it is not there or not so.
    """
    try:
        info = path.stat()
    except OSError as error:
        raise LayoutError(f"{path} cannot be read: {error.strerror or error}") from error
    if not stat.S_ISREG(info.st_mode):
        raise LayoutError(f"{path} is not a regular file")
    if info.st_size > most:
        raise LayoutError(f"{path} has {info.st_size:,} bytes; the limit is {most:,}")
