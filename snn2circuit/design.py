"""The design file: what to train, on which device, with which circuit, simulation and process.

TOML with one table per section below; every key has a default, so a file holds only what differs. Keys are checked
against the dataclasses of this module: their annotations carry the type, the meaning, and the allowed values, and
``snn2circuit design`` prints them all. Errors name the file, the line and the key, and say what is allowed.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import math
import re
import tomllib
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from snn2circuit.datasets import DATASETS
from snn2circuit.devices import DEVICES
from snn2circuit.errors import DesignError
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.mapping.quantize import MAX_LEVELS, SPACINGS
from snn2circuit.neurons import NEURONS
from snn2circuit.neurons.parameters import RESETS


@dataclass(frozen=True)
class Key:
    """Meaning of a key and what it may be: one of ``choices``, or a number from ``low`` to ``high``."""

    doc: str
    choices: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    above: bool = False  # low itself is not allowed

    def check(self, value: Any) -> str | None:
        """What is wrong with ``value``, or ``None``."""
        if self.choices and value not in self.choices:
            near = difflib.get_close_matches(str(value), self.choices, n=1)
            return f"allowed: {', '.join(self.choices)}" + (f"; did you mean {near[0]!r}?" if near else "")
        numbers = value if isinstance(value, tuple) else (value,)
        for number in numbers:
            if isinstance(number, (int, float)) and not isinstance(number, bool):
                too_low = number <= self.low if self.above else number < self.low
                if not math.isfinite(number) or too_low or number > self.high:
                    return f"allowed: {self.limits()}"
        return None

    def limits(self) -> str:
        """The allowed values in words."""
        if self.choices:
            return ", ".join(self.choices)
        low = "" if self.low == -math.inf else f"{'more than' if self.above else 'at least'} {self.low:g}"
        high = "" if self.high == math.inf else f"at most {self.high:g}"
        return " and ".join(part for part in (low, high) if part) or "any"


@dataclass(frozen=True, kw_only=True)
class Data:
    """What the network learns, and where it lies."""

    dataset: Annotated[str, Key("name of the dataset", tuple(DATASETS))] = "digits"
    folder: Annotated[str, Key("folder that holds the dataset's files; empty: the default data folder")] = ""


@dataclass(frozen=True, kw_only=True)
class NetworkSection:
    """Shape of the network and its neurons, in snnTorch's terms."""

    hidden: Annotated[tuple[int, ...], Key("neurons of each hidden layer; [] for none", low=1, high=100_000)] = (32,)
    neuron: Annotated[str, Key("neuron model of every layer", tuple(NEURONS))] = "leaky"
    beta: Annotated[float, Key("membrane decay per step", low=0, high=1)] = 0.9
    alpha: Annotated[float, Key("decay of the second state (synaptic, alpha)", low=0, high=1)] = 0.95
    R: Annotated[float, Key("resistance in the model's units (lapicque)", low=0, above=True)] = 1.0
    C: Annotated[float, Key("capacitance in the model's units (lapicque); 0: from beta", low=0)] = 0.0
    time_step: Annotated[float, Key("time step in the model's units (lapicque)", low=0, above=True)] = 1.0
    threshold: Annotated[float, Key("a neuron spikes above this membrane", low=0, above=True)] = 1.0
    reset_mechanism: Annotated[str, Key("what a spike does to its membrane", RESETS)] = "subtract"
    steps: Annotated[int, Key("time steps per sample", low=1, high=100_000)] = 25
    bias: Annotated[bool, Key("a bias per neuron, one more word line per layer")] = True


@dataclass(frozen=True, kw_only=True)
class Training:
    """Surrogate-gradient training with Adam."""

    epochs: Annotated[int, Key("passes over the training data", low=1, high=100_000)] = 60
    batch: Annotated[int, Key("samples per update", low=1, high=1_000_000)] = 64
    learning_rate: Annotated[
        float, Key("Adam's first step size; falls to 0 along a cosine", low=0, above=True, high=10)
    ] = 0.01
    weight_decay: Annotated[float, Key("L2 penalty's factor", low=0, high=1)] = 0.0
    temperature: Annotated[
        float, Key("divides the summed membranes in the loss; more asks for a larger lead", low=0, above=True)
    ] = 25.0
    noise: Annotated[float, Key("standard deviation of Gaussian noise on training inputs", low=0, high=10)] = 0.2
    averaging: Annotated[
        float, Key("share of the old value in the running mean of the weights; 0 for none", low=0, high=0.99999)
    ] = 0.99
    validation: Annotated[float, Key("share of the training data that chooses the best epoch", low=0, high=0.9)] = 0.1
    surrogate_slope: Annotated[float, Key("alpha of snnTorch's atan surrogate gradient", low=0, above=True)] = 2.0
    seed: Annotated[int, Key("seed of initial weights and shuffling", low=0, high=2**32 - 1)] = 0


@dataclass(frozen=True, kw_only=True)
class DeviceSection:
    """What stands at each crosspoint, and how weights become conductances."""

    preset: Annotated[str, Key("device preset", tuple(DEVICES))] = "printed_resistor_kit"
    levels: Annotated[int, Key("conductance levels a device can hold", low=2, high=MAX_LEVELS)] = 32
    spacing: Annotated[str, Key("how the levels are spaced between g_min and g_max", SPACINGS)] = "linear"
    weight_range: Annotated[
        float, Key("weight magnitude that uses the whole conductance range; 0: the largest of each layer", low=0)
    ] = 0.0
    saturate: Annotated[bool, Key("hold weights beyond weight_range at g_max and count them, instead of refusing")] = (
        False
    )


@dataclass(frozen=True, kw_only=True)
class CircuitSection:
    """The clocked circuit."""

    slot: Annotated[float, Key("length of the time slot of one step, s", low=1e-5, high=1)] = 1e-3
    v_rail: Annotated[float, Key("supply rails, V; no membrane leaves them", low=0, above=True, high=1000)] = 2.5
    capacitance: Annotated[float, Key("membrane capacitor, F", low=0, above=True, high=1)] = 100e-9


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """What is simulated in ngspice."""

    samples: Annotated[int, Key("test samples, each simulated as the whole network", low=1, high=1_000_000)] = 10
    first: Annotated[int, Key("index of the first of them in the test split", low=0)] = 0
    workers: Annotated[int, Key("simulations side by side; 0: one per processor", low=0, high=1024)] = 0
    time_limit: Annotated[float, Key("seconds one simulation may take", low=0, above=True)] = 600.0


@dataclass(frozen=True, kw_only=True)
class LayoutSection:
    """The printed stack."""

    process: Annotated[str, Key("printing process", tuple(PROCESSES))] = "inkjet"


@dataclass(frozen=True, kw_only=True)
class Design:
    """A whole design; made by :func:`read_design` or in Python."""

    data: Data = field(default_factory=Data)
    network: NetworkSection = field(default_factory=NetworkSection)
    training: Training = field(default_factory=Training)
    device: DeviceSection = field(default_factory=DeviceSection)
    circuit: CircuitSection = field(default_factory=CircuitSection)
    simulation: Simulation = field(default_factory=Simulation)
    layout: LayoutSection = field(default_factory=LayoutSection)

    def __post_init__(self) -> None:
        for section, value in self.sections():
            for name, key in keys(type(value)).items():
                if problem := key.check(getattr(value, name)):
                    raise DesignError(f"[{section}] {name} = {getattr(value, name)!r}: {problem}")

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


def keys(section: type) -> dict[str, Key]:
    """The keys of a section class with their meaning."""
    hints = typing.get_type_hints(section, include_extras=True)
    return {
        each.name: next(a for a in hints[each.name].__metadata__ if isinstance(a, Key))
        for each in dataclasses.fields(section)
    }


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


def parse_design(text: str, source: str = "design") -> Design:
    """Check the text of a design file; ``source`` names it in messages."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
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
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind == tuple[int, ...]:
        if isinstance(value, list) and all(isinstance(each, int) and not isinstance(each, bool) for each in value):
            return tuple(value)
        raise TypeError("a list of whole numbers is needed, such as [32]")
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
            return json.dumps(value, ensure_ascii=False)
        case tuple():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case _:
            return repr(value)
