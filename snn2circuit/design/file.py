"""Reading, checking and printing a design file.

Errors name the file, the line and the key, and say what is allowed.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import re
import tomllib
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snn2circuit.design.key import keys
from snn2circuit.design.sections import (
    PER_LAYER,
    CircuitSection,
    Data,
    DeviceSection,
    FineTuning,
    LayoutSection,
    MasksSection,
    NetworkSection,
    Simulation,
    Training,
)
from snn2circuit.errors import DesignError, TrainingError
from snn2circuit.layout.masks.formats import BITMAPS
from snn2circuit.training.architecture import count_layers


@dataclass(frozen=True, kw_only=True)
class Design:
    """A whole design; made by :func:`read_design` or in Python."""

    data: Data = field(default_factory=Data)
    network: NetworkSection = field(default_factory=NetworkSection)
    training: Training = field(default_factory=Training)
    fine_tuning: FineTuning = field(default_factory=FineTuning)
    device: DeviceSection = field(default_factory=DeviceSection)
    circuit: CircuitSection = field(default_factory=CircuitSection)
    simulation: Simulation = field(default_factory=Simulation)
    layout: LayoutSection = field(default_factory=LayoutSection)
    masks: MasksSection = field(default_factory=MasksSection)

    def __post_init__(self) -> None:
        for section, value in self.sections():
            for name, key in keys(type(value)).items():
                if problem := key.check(getattr(value, name)):
                    raise DesignError(f"[{section}] {name} = {getattr(value, name)!r}: {problem}")
        try:
            layers = count_layers(self.network.convolution, self.network.hidden)
        except TrainingError as error:
            raise DesignError(f"[network] {error}") from None
        for name in PER_LAYER:
            value = getattr(self.network, name)
            if isinstance(value, tuple) and len(value) != layers:
                raise DesignError(f"[network] {name} lists {len(value)} values; {layers} layers need one each")
        if idle := self.masks.idle:
            raise DesignError(
                f"[masks] {idle} = {getattr(self.masks, idle)!r} is for bitmaps, and formats names none: add "
                f"{', '.join(BITMAPS)} to it, or leave {idle} out"
            )
        given = [name for name in ("r_word", "r_bit", "r_driver") if getattr(self.circuit, name)]
        if self.circuit.lines == "measured" and given:
            raise DesignError(
                f'[circuit] lines = "measured" takes every resistance from the masks; leave out {", ".join(given)}, or '
                'set lines = "given"'
            )
        if self.fine_tuning.epochs and self.network.convolution:
            raise DesignError(
                "[fine_tuning] takes fully connected layers only, because each device of an unrolled convolution holds "
                "its own copy of a weight; set epochs = 0 or leave convolution empty"
            )

    def sections(self) -> list[tuple[str, Any]]:
        """Name and value of every section, in the file's order."""
        return [(each.name, getattr(self, each.name)) for each in dataclasses.fields(self)]

    def fingerprint(self, *names: str) -> str:
        """Content hash of the named sections, or of all; 16 hexadecimal digits."""
        chosen = {name: dataclasses.asdict(value) for name, value in self.sections() if not names or name in names}
        return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:16]

    def as_toml(self, *, documented: bool = True) -> str:
        """The design as a design file, with the meaning and the allowed values of every key if ``documented``."""
        lines: list[str] = []
        for section, value in self.sections():
            lines += [f"# {type(value).__doc__}"] * documented + [f"[{section}]"]
            for name, key in keys(type(value)).items():
                limits = f" ({key.limits()})" if key.limits() != "any" else ""
                lines += [f"# {key.doc}{limits}"] * documented + [f"{name} = {_toml(getattr(value, name))}"]
            lines.append("")
        return "\n".join(lines)


def read_design(path: Path) -> Design:
    """Read and check a design file.

    Raises:
        DesignError: the file is missing, is not TOML, or a section, key or value is not allowed; with line and way out.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DesignError(f"{path} cannot be read: {error}") from error
    return parse_design(text, str(path))


def names_key(path: Path, section: str, name: str) -> bool:
    """Whether a design file that :func:`read_design` takes gives this key, rather than leaving it to its default."""
    return name in tomllib.loads(Path(path).read_text(encoding="utf-8")).get(section, {})


def parse_design(text: str, source: str = "design") -> Design:
    """Check the text of a design file; ``source`` names it in messages."""
    try:
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits and deep nesting, too
        raise DesignError(f"{source}: not valid TOML: {error}") from error
    classes: dict[str, type] = {each.name: type(getattr(Design(), each.name)) for each in dataclasses.fields(Design)}
    given = {}
    for section, table in tree.items():
        where = f"{source}, line {_line(text, section)}"
        if section not in classes:
            raise DesignError(f"{where}: unknown section [{section}]; {_suggest(section, list(classes))}")
        if not isinstance(table, dict):
            raise DesignError(f"{where}: {section} must be a section, written [{section}]")
        hints, known = typing.get_type_hints(classes[section]), keys(classes[section])
        values = {}
        for name, value in table.items():
            where = f"{source}, line {_line(text, section, name)}"
            if name not in known:
                raise DesignError(f"{where}: unknown key {name!r} in [{section}]; {_suggest(name, list(known))}")
            try:
                values[name] = _convert(value, hints[name])
            except TypeError as error:
                raise DesignError(f"{where}: [{section}] {name} = {value!r}: {error}") from error
            if problem := known[name].check(values[name]):
                raise DesignError(f"{where}: [{section}] {name} = {value!r}: {problem}")
        given[section] = classes[section](**values)
    return Design(**given)


_WORDS: dict[Any, str] = {str: "text in quotes", int: "a whole number", float: "a number", bool: "true or false"}


def _convert(value: Any, kind: Any) -> Any:
    if isinstance(kind, types.UnionType):
        single = typing.get_args(kind)[0]
        if isinstance(value, list) and value:
            return tuple(_convert(each, single) for each in value)
        try:
            return _convert(value, single)
        except TypeError as error:
            raise TypeError(f"{error}, or a list with one for each layer") from None
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind == tuple[int, ...]:
        if isinstance(value, list) and all(isinstance(each, int) and not isinstance(each, bool) for each in value):
            return tuple(value)
        raise TypeError("a list of whole numbers is needed, such as [32]")
    if kind == tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return tuple(value)
        raise TypeError('a list of texts is needed, such as ["ideal"]')
    if isinstance(value, kind) and isinstance(value, bool) == (kind is bool):
        return value
    raise TypeError(f"{_WORDS[kind]} is needed")


def _suggest(word: str, allowed: list[str]) -> str:
    near = difflib.get_close_matches(word, allowed, n=1)
    return (f"did you mean {near[0]!r}? " if near else "") + f"allowed: {', '.join(allowed)}"


def _line(text: str, section: str, key: str | None = None) -> int:
    """Line, from 1, on which a section or one of its keys stands; dotted and inline spellings are found too."""
    inside, fallback = False, 1
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line)
        if header:
            inside = header[1].split(".")[0].strip(" \"'") == section
        if (header and inside) or re.match(rf"\s*[\"']?{re.escape(section)}[\"']?\s*[.=]", line):
            fallback = number
            if key is None:
                return number
        if key is not None:
            plain = inside and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line)
            if plain or re.match(rf"\s*{re.escape(section)}\s*(\.\s*|=.*\b){re.escape(key)}\s*=", line):
                return number
    return fallback


def _toml(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case tuple():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case _:
            return repr(value)
