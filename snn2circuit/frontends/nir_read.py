"""Networks from NIR, the Neuromorphic Intermediate Representation, through its own library.

A file that :mod:`snn2circuit.frontends.nir_write` made gives back the network it was made of. An annotation that
contradicts its node is refused: some other program has changed one of them. Of a file without annotations the caller
has to know ``dt``, and by which rule its time constants were made; snnTorch's exporter takes 1e-4 s and forward Euler.
The nodes may come in any order but have to form one chain, without recurrence.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nir
import numpy as np

from snn2circuit.errors import FileFormatError, NetworkError, Snn2CircuitError
from snn2circuit.frontends.hdf5 import read_tree
from snn2circuit.frontends.imported import Imported
from snn2circuit.frontends.nir_neurons import ANNOTATION, check_step, neuron_nodes, read_neuron
from snn2circuit.ir.encoding import Encoding
from snn2circuit.ir.layer import AnyLayer, make_layer
from snn2circuit.ir.linear import AvgPool2d, Conv2d, Dense, Map, Pair, Scale, Shape, SumPool2d
from snn2circuit.ir.network import Network
from snn2circuit.ir.parts import Neuron

_NEURONS = (nir.LIF, nir.IF, nir.CubaLIF, nir.LI, nir.I, nir.CubaLI, nir.Threshold)
_SILENT = (nir.LI, nir.I, nir.CubaLI)


def read_nir(
    path: Path,
    *,
    neurons: Mapping[str, type[Neuron]],
    steps: int | None = None,
    dt: float | None = None,
    discretisation: str | None = None,
    approximate: bool = False,
) -> Imported:
    """Read a NIR graph.

    Args:
        path: the file.
        neurons: the neuron parts to choose from.
        steps: time steps a sample is presented for; ``None`` takes what the file was annotated with, or 25.
        dt: length of a step, s; ``None`` takes what the file was annotated with.
        discretisation: ``exact`` or ``euler``; ``None`` takes what the file was annotated with, or ``exact``.
        approximate: read nodes that no neuron here equals as the nearest one, with a warning.

    Raises:
        FileFormatError: the file is missing, damaged, hostile, or contradicts itself; the text names the node.
        NetworkError: it holds a network that cannot be one here, or ``dt`` is not known.
    """
    path = Path(path)
    try:
        # The library's type check is another one than ours, and fails on shapes that are fine.
        graph = nir.dict2NIRNode({**read_tree(path)["node"], "type_check": False})
        return _Reader(graph, neurons, dt, discretisation).read(path.stem, steps, approximate)
    except Snn2CircuitError as error:
        raise type(error)(f"{path}: {error}") from error
    except Exception as error:
        # The library checks with assertions, and trusts every value to be of the right type.
        raise FileFormatError(f"{path} is damaged or not a NIR graph: {type(error).__name__}: {error}") from error


class _Reader:
    """A graph as the library read it, and how to step it."""

    def __init__(
        self, graph: Any, neurons: Mapping[str, type[Neuron]], dt: float | None, discretisation: str | None
    ) -> None:
        if not isinstance(graph, nir.NIRGraph):
            raise FileFormatError(f"the file holds a single {type(graph).__name__}; a graph is needed")
        self.graph, self.neurons = graph, neurons
        self.protocol = _annotation("the graph", graph.metadata)
        self.warnings: list[str] = []
        step = dt if dt is not None else graph.metadata.get("dt")
        if step is None:
            raise NetworkError(
                "NIR holds time constants and no time step: say which dt the network was made for "
                "(snnTorch's exporter uses 1e-4 s with the euler discretisation)"
            )
        self.dt = float(step)
        self.rule = discretisation or str(graph.metadata.get("discretisation", ""))
        if not self.rule:
            self.rule = "exact"
            self.warnings.append("the file does not say how its time constants are stepped; read as exact exponentials")
        check_step(self.dt, self.rule)

    def read(self, name: str, steps: int | None, approximate: bool) -> Imported:
        chain = _chain(self.graph)
        first = chain[0][1].input_type["input"]
        shape: Shape = tuple(int(size) for size in np.ravel(first))
        start, maps, layers = shape, list[Map](), list[AnyLayer]()
        remarks: list[str] = []
        position = 1
        while position < len(chain) - 1:
            label, node = chain[position]
            position += 1
            try:
                if not isinstance(node, _NEURONS):
                    if (one := _read_map(node, shape)) is not None:
                        maps.append(one)
                        shape = one.output_shape(shape)
                    else:
                        shape = (math.prod(shape),)
                    continue
                spiking = [node]
                if isinstance(node, _SILENT):
                    if isinstance(chain[position][1], nir.Threshold):
                        spiking.append(chain[position][1])
                        position += 1
                    elif position < len(chain) - 1:
                        raise NetworkError("its membrane drives the next layer; between layers there are only spikes")
                neuron, gain, lost = self.neuron(label, spiking, shape)
                remarks += lost
                layers.append(_layer(start, maps, shape, gain, neuron))
            except Snn2CircuitError as error:
                text = str(error)
                raise type(error)(text if text.startswith("node ") else f"node {label!r}: {text}") from error
            start, maps = shape, []
        if maps or not layers:
            raise NetworkError("the last node has no neuron after it; every output of a circuit is a neuron")
        if remarks and not approximate and any("Synaptic" in each for each in remarks):
            raise NetworkError(f"{'; '.join(remarks)}; allow the approximation to read it as the nearest there is")
        protocol: dict[str, Any] = {"name": name, "steps": 25} | self.protocol
        if "encoding" in protocol:
            protocol["encoding"] = Encoding(**protocol["encoding"])
        if steps is not None:
            protocol["steps"] = steps
        network = Network(layers=tuple(layers), **protocol)
        return Imported(network=network, warnings=(*self.warnings, *remarks))

    def neuron(self, label: str, nodes: list[nir.NIRNode], shape: Shape) -> tuple[Neuron, Any, tuple[str, ...]]:
        """The neuron part of NIR nodes, the gain of its input, and what the reading approximates."""
        noted = _annotation(f"node {label!r}", nodes[0].metadata)
        if noted:
            cls = self.neurons.get(str(noted.pop("kind", "")))
            if cls is None:
                raise FileFormatError(f"its annotation names no known neuron; known: {', '.join(self.neurons)}")
            part = cls(**noted)
            expected, _ = neuron_nodes(part, shape, self.dt, self.rule)
            if [type(each) for _, each in expected] != [type(each) for each in nodes] or not all(
                _agree(one, other) for (_, one), other in zip(expected, nodes, strict=True)
            ):
                raise FileFormatError(
                    f"its annotation says {part} in steps of {self.dt:g} s ({self.rule}), its values say otherwise; "
                    "was the file changed? Remove the annotation to read the values"
                )
            return part, np.ones(1), ()
        kind, parameters, gain, lost = read_neuron(label, nodes, shape, self.dt, self.rule)
        cls = next((each for each in self.neurons.values() if each.snntorch == kind), None)
        if cls is None:
            raise NetworkError(f"there is no circuit for {kind} neurons")
        return cls(**parameters), gain, lost


def _layer(start: Shape, maps: list[Map], shape: Shape, gain: Any, neuron: Neuron) -> AnyLayer:
    """A layer whose neurons see the chain of maps times ``gain``."""
    if (gain != 1).any():
        if maps and isinstance(maps[-1], Dense):
            last = maps[-1]
            bias = None if last.bias is None else last.bias * gain
            maps = [*maps[:-1], Dense(weight=last.weight * gain[:, None], bias=bias)]
        else:
            maps = [*maps, Scale(scale=gain.reshape(shape))]
    return make_layer(start, maps or [Scale(scale=np.ones((1,) * len(shape)))], neuron)


def _read_map(node: nir.NIRNode, shape: Shape) -> Map | None:
    """The map of a node; ``None`` for a node that only gives the numbers another shape."""
    match node:
        case nir.Flatten():
            return None
        case nir.Affine():
            return Dense(weight=node.weight, bias=np.ravel(node.bias))
        case nir.Linear():
            return Dense(weight=node.weight)
        case nir.Scale():
            return Scale(scale=node.scale)
        case nir.Conv2d():
            padding, dilation = node.padding, _pair(node.dilation)
            if isinstance(padding, str):
                same = padding == "same"
                total = [gap * (size - 1) * same for gap, size in zip(dilation, node.weight.shape[2:], strict=True)]
                if any(each % 2 for each in total):
                    raise NetworkError("padding 'same' of an even kernel is not the same on both sides")
                padding = [each // 2 for each in total]
            bias = None if node.bias is None or not np.any(node.bias) else node.bias
            return Conv2d(
                weight=node.weight, bias=bias, stride=_pair(node.stride), padding=_pair(padding), dilation=dilation,
                groups=int(node.groups),
            )  # fmt: skip
        case nir.SumPool2d() | nir.AvgPool2d():
            pool = SumPool2d if isinstance(node, nir.SumPool2d) else AvgPool2d
            return pool(kernel=_pair(node.kernel_size), stride=_pair(node.stride), padding=_pair(node.padding))
        case _:
            raise NetworkError(f"a {type(node).__name__} cannot become part of a crossbar circuit")


def _chain(graph: nir.NIRGraph) -> list[tuple[str, nir.NIRNode]]:
    """The nodes from the input to the output, in order."""
    following: dict[str, str] = {}
    for before, after in graph.edges:
        if before not in graph.nodes or after not in graph.nodes:
            raise FileFormatError(f"the edge from {before!r} to {after!r} leads to a node that is not there")
        if before in following or after in following.values():
            raise NetworkError(
                f"the edge from {before!r} to {after!r} branches or joins; the nodes must form one chain"
            )
        following[before] = after
    starts = [name for name, node in graph.nodes.items() if isinstance(node, nir.Input)]
    if len(starts) != 1:
        raise NetworkError(f"the graph has {len(starts)} inputs; one is needed")
    names = starts
    while names[-1] in following and len(names) <= len(graph.nodes):
        names.append(following[names[-1]])
    if len(names) != len(graph.nodes) or not isinstance(graph.nodes[names[-1]], nir.Output):
        loose = sorted(set(graph.nodes) - set(names))
        raise NetworkError(
            f"the nodes do not form one chain from the input to the output; {', '.join(map(repr, loose)) or 'it'} "
            "is not on it (recurrent connections cannot become a circuit)"
        )
    return [(name, graph.nodes[name]) for name in names]


def _annotation(what: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    text = metadata.get(ANNOTATION)
    if text is None:
        return {}
    value = json.loads(text)
    if not isinstance(value, dict):
        raise FileFormatError(f"the annotation of {what} is no table")
    return value


def _agree(one: nir.NIRNode, other: nir.NIRNode) -> bool:
    mine, theirs = vars(one), vars(other)
    names = [name for name, value in mine.items() if isinstance(value, np.ndarray)]
    return all(
        np.shape(mine[name]) == np.shape(theirs[name]) and np.allclose(mine[name], theirs[name], rtol=1e-9, atol=0)
        for name in names
    )


def _pair(value: Any) -> Pair:
    pair = np.broadcast_to(np.asarray(value), 2)
    return int(pair[0]), int(pair[1])
