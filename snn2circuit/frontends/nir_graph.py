"""The graph of a NIR file: nested graphs laid out flat, and the one chain of nodes that a circuit here can be.

A node may be a graph itself, at any depth; its nodes are called ``outer.inner``, as the edges of some programs call
them already. Its ``Input`` and ``Output`` only say where signals enter and leave, and fall away.

An edge is a pair of names, and a NIR graph ``(V, E)`` with ``E`` among the pairs of nodes (J. E. Pedersen et al.,
Nature Communications 15, 8122, 2024) either has it or has not. The library's type check refuses a list that names an
edge twice, and the importers of snnTorch and Lava drop the second one. So an edge that occurs twice is read as one,
with a warning.

What is no chain is refused by its name, in this order: recurrence with the path of the cycle, several inputs or
outputs, branches and joins, and nodes that no path from the input to the output meets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import nir
import numpy as np

from snn2circuit.errors import FileFormatError, NetworkError
from snn2circuit.frontends.nir_fields import as_text, read_node, read_whole
from snn2circuit.ir.linear import Shape

MAX_DEPTH = 64  # graphs in graphs
_SHOWN = 12  # names in a message
_GATES = ("Input", "Output")

Edge = tuple[str, str]


@dataclass(frozen=True)
class Chain:
    """The nodes between the input and the output, in order."""

    shape: Shape  # of the input
    nodes: tuple[tuple[str, nir.NIRNode], ...]
    metadata: Mapping[str, Any]  # of the outermost graph
    warnings: tuple[str, ...]


@dataclass
class _Flat:
    """A graph without graphs in it."""

    fields: dict[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)  # per node: class, what it holds
    edges: list[Edge] = field(default_factory=list)
    repeated: list[Edge] = field(default_factory=list)


def read_chain(tree: Any) -> Chain:
    """The chain in the group ``node`` of a file.

    Raises:
        FileFormatError: it is no graph, or contradicts itself.
        NetworkError: the graph is no chain, or holds a node that no circuit has.
    """
    kind = _kind("the file", tree)
    if kind != "NIRGraph":
        raise FileFormatError(f"the file holds a single {kind:.40}; a graph is needed")
    flat = _Flat()
    _flatten(tree, "", flat)
    order = _order(flat)
    where, given = f"node {order[0]!r}: shape", flat.fields[order[0]][1].get("shape")
    if given is None:
        raise FileFormatError(f"{where} is missing; the size of the input is not known")
    shape = read_whole(where, given)
    if not shape or min(shape) < 1:
        raise FileFormatError(f"{where} is {shape}; every length has to be at least 1")
    inner = [name for name in order[1:-1] if flat.fields[name][0] not in _GATES]
    metadata = tree.get("metadata", {})
    repeated = ", ".join(f"{a!r} -> {b!r}" for a, b in flat.repeated[:_SHOWN]) + ", ..." * (len(flat.repeated) > _SHOWN)
    return Chain(
        shape=shape,
        nodes=tuple((name, read_node(name, *flat.fields[name])) for name in inner),
        metadata=metadata if isinstance(metadata, dict) else {},
        warnings=(f"listed more than once and read as one: the edges {repeated}",) if repeated else (),
    )


def _kind(what: str, tree: Any) -> str:
    kind = as_text(tree.get("type")) if isinstance(tree, dict) else None
    if kind is None:
        raise FileFormatError(f"{what} is no NIR node: it does not say of which type it is")
    return kind


def _flatten(graph: Mapping[str, Any], prefix: str, flat: _Flat, depth: int = 1) -> tuple[list[str], list[str]]:
    """Put the nodes and edges of ``graph`` into ``flat``; the names of its inputs and of its outputs."""
    place = f"the graph {prefix[:-1]!r}" if prefix else "the graph"
    if depth > MAX_DEPTH:
        raise FileFormatError(f"{place:.200}: graphs lie more than {MAX_DEPTH} deep in graphs; refused")
    nodes = graph.get("nodes", {})
    if not isinstance(nodes, dict):
        raise FileFormatError(f"{place} has no group of nodes")
    gates: dict[str, list[str]] = {kind: [] for kind in _GATES}
    inner: dict[str, tuple[list[str], list[str]]] = {}
    for name, fields in nodes.items():
        full = prefix + name
        kind = _kind(f"node {full!r}", fields)
        if kind == "NIRGraph":
            inner[name] = _flatten(fields, full + ".", flat, depth + 1)
            continue
        if full in flat.fields:
            raise FileFormatError(f"two nodes are called {full!r}; one of them lies in a graph of its own")
        flat.fields[full] = kind, {key: value for key, value in fields.items() if key != "type"}
        if kind in gates:
            gates[kind].append(full)

    def end(name: str, side: int) -> str:
        if name not in inner:
            return prefix + name
        found = inner[name][side]
        if len(found) != 1:
            what = ("inputs", "outputs")[side]
            raise NetworkError(f"the graph {prefix + name!r} has {_count(found, what)}; an edge to it needs one")
        return found[0]

    seen = dict.fromkeys(flat.edges)
    for before, after in _edges(place, graph.get("edges")):
        edge = end(before, 1), end(after, 0)
        for name in edge:
            # A node of an inner graph may be named as it is here, before it is known to be there or not.
            if name not in flat.fields:
                raise FileFormatError(
                    f"the edge from {prefix + before!r} to {prefix + after!r} leads to a node that is not there"
                )
        if edge in seen:
            flat.repeated.append(edge)
        else:
            flat.edges.append(edge)
            seen[edge] = None
    return gates["Input"], gates["Output"]


def _edges(place: str, given: Any) -> list[Edge]:
    """Pairs of names; names that are numbers are read as text, which is how the nodes are called in a file."""
    pairs = given.tolist() if isinstance(given, np.ndarray) else given
    if pairs is None:
        raise FileFormatError(f"{place} has no edges")
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise FileFormatError(f"the edges of {place} are no pairs of names")
    return [(str(before), str(after)) for before, after in pairs]


def _order(flat: _Flat) -> list[str]:
    """The names from the input to the output."""
    after: dict[str, list[str]] = {name: [] for name in flat.fields}
    before: dict[str, list[str]] = {name: [] for name in flat.fields}
    for one, other in flat.edges:
        after[one].append(other)
        before[other].append(one)
    if cycle := _find_cycle(after):
        shown = [name for name in cycle if flat.fields[name][0] not in _GATES] or cycle
        path = " -> ".join(map(repr, [*shown[:_SHOWN], *["..."] * (len(shown) > _SHOWN), shown[0]]))
        raise NetworkError(
            f"the network is recurrent: {path}. A signal that comes back cannot become a circuit here; "
            "train the network without recurrent connections"
        )
    kinds = {name: kind for name, (kind, _) in flat.fields.items()}
    # Gates of inner graphs are passed through: only those without an edge on their outer side are ends.
    inputs = [name for name, kind in kinds.items() if kind == "Input" and not before[name]]
    outputs = [name for name, kind in kinds.items() if kind == "Output" and not after[name]]
    for found, what in ((inputs, "inputs"), (outputs, "outputs")):
        if len(found) != 1:
            raise NetworkError(f"the graph has {_count(found, what)}; a circuit here has one")
    if text := _forks(after, before):
        raise NetworkError(text)
    names = inputs
    while after[names[-1]]:
        names.append(after[names[-1]][0])
    if len(names) != len(kinds) or names[-1] != outputs[0]:
        loose = sorted(set(kinds) - set(names)) or [names[-1]]
        raise NetworkError(
            f"the nodes do not form one chain from the input {names[0]!r} to the output {outputs[0]!r}: "
            f"{_list(loose)} {'is' if len(loose) == 1 else 'are'} not on it"
        )
    return names


def _forks(after: Mapping[str, list[str]], before: Mapping[str, list[str]]) -> str:
    """Where paths part or meet, in words; empty if none does."""
    branch = next((name for name, targets in after.items() if len(targets) > 1), None)
    join = next((name for name, sources in before.items() if len(sources) > 1), None)
    way = "; the nodes must form one chain, train the network without the second path"
    if branch is not None and join is not None:
        return (
            f"{branch!r} branches to {_list(after[branch])}, and {join!r} joins {_list(before[join])} "
            f"(a residual or skip connection){way}"
        )
    if branch is not None:
        return f"{branch!r} branches to {_list(after[branch])}{way}"
    return "" if join is None else f"{join!r} joins two sources or more, {_list(before[join])}{way}"


def _find_cycle(after: Mapping[str, list[str]]) -> list[str]:
    """The nodes of some cycle in its order; empty if there is none."""
    done: set[str] = set()
    for start in after:
        path: dict[str, None] = {}
        pending = [(start, False)]
        while pending:
            name, leaving = pending.pop()
            if leaving:
                del path[name]
                done.add(name)
            elif name in path:
                nodes = list(path)
                return nodes[nodes.index(name) :]
            elif name not in done:
                path[name] = None
                pending.append((name, True))
                pending.extend((each, False) for each in after[name])
    return []


def _count(names: list[str], what: str) -> str:
    return f"{len(names)} {what}" + (f" ({_list(names)})" if names else "")


def _list(names: list[str]) -> str:
    return ", ".join(map(repr, names[:_SHOWN])) + ", ..." * (len(names) > _SHOWN)
