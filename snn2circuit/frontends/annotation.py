"""What a file of another program has no place for, as JSON beside what it has: the protocol and the neurons whole.

A file of ours is read back as the network it was made of by such a note. It never stands against the file: a note that
contradicts the values it lies beside is refused by the reader of the format.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from snn2circuit.errors import FileFormatError
from snn2circuit.ir.encoding import Encoding
from snn2circuit.ir.network import Network
from snn2circuit.ir.parts import Neuron

KEY = "snn2circuit"  # under which a note lies
_TYPES: Mapping[str, type] = {"name": str, "steps": int, "dataset": str, "decision": str}


def describe_protocol(network: Network) -> dict[str, Any]:
    """Everything of a network but its layers."""
    fields = {each.name: getattr(network, each.name) for each in dataclasses.fields(network) if each.name != "layers"}
    return fields | {"encoding": dataclasses.asdict(network.encoding)}


def describe_neuron(neuron: Neuron) -> dict[str, Any]:
    """The kind of a neuron and all its fields."""
    fields = dataclasses.fields(neuron)  # type: ignore[arg-type]
    return {"kind": neuron.kind, **{field.name: getattr(neuron, field.name) for field in fields}}


def read_note(what: str, text: object) -> dict[str, Any]:
    """The table in the JSON of a note.

    Raises:
        FileFormatError: it is none; the text names ``what`` it belongs to.
    """
    value = json.loads(text) if isinstance(text, str) else None
    if not isinstance(value, dict):
        raise FileFormatError(f"the annotation of {what} is no table")
    return value


def read_protocol(note: Mapping[str, Any], name: str, steps: int | None) -> dict[str, Any]:
    """The arguments of a :class:`Network` but its layers; ``steps`` is what the caller knows better.

    Raises:
        FileFormatError: a value is of another type.
    """
    protocol: dict[str, Any] = {"name": name, "steps": 25, **note}
    for key, kind in _TYPES.items():
        if key in protocol and (not isinstance(protocol[key], kind) or isinstance(protocol[key], bool)):
            raise FileFormatError(f"the annotation says {key} = {protocol[key]!r:.40}; {kind.__name__} is needed")
    if "encoding" in protocol:
        protocol["encoding"] = Encoding(**protocol["encoding"])
    return protocol if steps is None else {**protocol, "steps": steps}


def read_neuron(note: Mapping[str, Any], neurons: Mapping[str, type[Neuron]]) -> Neuron:
    """The neuron part that a note describes.

    Raises:
        FileFormatError: it is of no known kind.
    """
    cls = neurons.get(str(note.get("kind", "")))
    if cls is None:
        raise FileFormatError(f"its annotation names no known neuron; known: {', '.join(neurons)}")
    fields = {key: tuple(value) if isinstance(value, list) else value for key, value in note.items() if key != "kind"}
    return cls(**fields)
