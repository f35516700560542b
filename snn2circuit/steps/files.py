"""Saving and loading any noun, with the parts that come with the package and those that a user brings."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar, overload

from snn2circuit.devices import DEVICE_KINDS
from snn2circuit.errors import FileFormatError
from snn2circuit.ir import files
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.neurons import NEURONS

PARTS: dict[str, type] = {**NEURONS, **DEVICE_KINDS}  # what saved nouns may hold

T = TypeVar("T")


@overload
def load(path: Path | str, *, parts: Iterable[object] = ()) -> object: ...


@overload
def load(path: Path | str, kind: type[T], *, parts: Iterable[object] = ()) -> T: ...


def load(path: Path | str, kind: type = object, *, parts: Iterable[object] = ()) -> object:
    """Read whatever noun a file holds: a network, a crossbar, waveforms, a layout.

    Args:
        path: the file.
        kind: the class that is needed; any by default.
        parts: classes of the user's own neurons, devices and maps that the file may hold, or instances of them.

    Raises:
        FileFormatError: the file is missing, damaged, of another kind or names a part that was not passed; or two
            parts have one kind, or the kind of a built-in one.
    """
    return files.load(path, kind, {**PARTS, **_own_parts(parts)})


def load_crossbar(path: Path) -> CrossbarNetwork:
    """Read a mapped network of built-in parts, which every command line's is."""
    return load(path, CrossbarNetwork)


def save(value: object, path: Path | str) -> None:
    """Write a noun to ``path``; :func:`load` brings it back, if it is passed the user's own parts.

    Raises:
        FileFormatError: the noun holds something that could not be loaded again.
        OutputError: the file cannot be written.
    """
    files.save(value, path, PARTS)


def _own_parts(parts: Iterable[object]) -> dict[str, type]:
    own: dict[str, type] = {}
    for part in parts:
        cls = part if isinstance(part, type) else type(part)
        kind = vars(cls).get("kind")
        if not dataclasses.is_dataclass(cls) or not isinstance(kind, str):
            raise FileFormatError(
                f"{cls.__name__} cannot be loaded: a part is a dataclass with a class variable kind of its own, "
                "the word that names it in files"
            )
        other = PARTS.get(kind) or own.get(kind) or cls
        if other is not cls:
            raise FileFormatError(
                f"{cls.__name__} and {other.__name__} have the same kind {kind!r}; each part needs a word of its own"
            )
        own[kind] = cls
    return own
