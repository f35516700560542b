"""Networks from NIR, the Neuromorphic Intermediate Representation, through its own library.

A file that :mod:`snn2circuit.frontends.nir_write` made gives back the network it was made of. An annotation that
contradicts its node is refused: some other program has changed one of them. Of a file without annotations the caller
has to know ``dt``, and by which rule its time constants were made; snnTorch's exporter takes 1e-4 s and forward Euler.
The nodes have to form one chain, see :mod:`snn2circuit.frontends.nir_graph`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import nir
import numpy as np

from snn2circuit.errors import FileFormatError, NetworkError, Snn2CircuitError
from snn2circuit.frontends import annotation
from snn2circuit.frontends.hdf5 import read_tree
from snn2circuit.frontends.imported import Imported
from snn2circuit.frontends.nir_fields import NEURONS, as_text, fill
from snn2circuit.frontends.nir_graph import Chain, read_chain
from snn2circuit.frontends.nir_neurons import Reading, check_step, neuron_nodes, read_neuron
from snn2circuit.frontends.nir_reference import Stage, count_changes
from snn2circuit.frontends.nir_step import advise_step
from snn2circuit.ir.layer import AnyLayer, make_layer
from snn2circuit.ir.linear import AvgPool2d, Conv2d, Dense, Map, Scale, Shape, SumPool2d
from snn2circuit.ir.network import Network
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.parts import Neuron

MAX_PLACES = 2**24  # of an image between two maps
MAX_DIAGONAL = 2**12  # neurons that a bias of their own gives a matrix, where no map before them can hold it
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
        chain = read_chain(read_tree(path).get("node"))
        return _Reader(chain, neurons, dt, discretisation).read(path.stem, steps, approximate)
    except Snn2CircuitError as error:
        raise type(error)(f"{path}: {error}") from error
    except Exception as error:
        # The library checks with assertions, and trusts every value to be of the right type.
        raise FileFormatError(f"{path} is damaged or not a NIR graph: {type(error).__name__}: {error}") from error


class _Reader:
    """A chain of nodes, and how to step it."""

    def __init__(
        self, chain: Chain, neurons: Mapping[str, type[Neuron]], dt: float | None, discretisation: str | None
    ) -> None:
        self.chain, self.neurons = chain, neurons
        self.protocol = _note("the graph", chain.metadata)
        self.warnings = list(chain.warnings)
        nodes = [node for _, node in chain.nodes]
        step = dt if dt is not None else chain.metadata.get("dt")
        if step is None and all(isinstance(each, nir.Threshold) for each in nodes if isinstance(each, NEURONS)):
            step = 1.0  # a threshold has no memory, and any step is the same to it
        if step is None:
            raise NetworkError(
                "NIR holds time constants and no time step: say which `dt` the network was made for; "
                f"{advise_step(nodes)}"
            )
        self.dt = float(np.asarray(step).item())
        self.rule = discretisation or (as_text(chain.metadata.get("discretisation")) or "")
        if not self.rule:
            self.rule = "exact"
            # Without leak both rules are the same.
            if not all(isinstance(each, (nir.I, nir.IF, nir.Threshold)) for each in nodes if isinstance(each, NEURONS)):
                self.warnings.append(
                    "the file does not say how its time constants are stepped; read as exact exponentials "
                    "(`discretisation`)"
                )
        check_step(self.dt, self.rule)
        advice, told = advise_step(nodes), "dt" in chain.metadata
        self.hint = ""
        if not told and f"`dt={self.dt:.3g}`" not in advice:
            self.hint = f"was the file made for another time step? {advice}"

    def read(self, name: str, steps: int | None, approximate: bool) -> Imported:
        nodes, shape = self.chain.nodes, self.chain.shape
        start, maps, layers = shape, list[Map](), list[AnyLayer]()
        stages: list[Stage] = []
        losses: dict[int, tuple[str, ...]] = {}  # per layer
        position = 0
        while position < len(nodes):
            label, node = nodes[position]
            position += 1
            try:
                _check_places(shape)
                if not isinstance(node, NEURONS):
                    if (one := _read_map(node, shape)) is not None:
                        maps.append(one)
                        shape = one.output_shape(shape)
                    else:
                        shape = (math.prod(shape),)
                    continue
                spiking = [node]
                if isinstance(node, _SILENT):
                    if position < len(nodes) and isinstance(nodes[position][1], nir.Threshold):
                        spiking.append(nodes[position][1])
                        position += 1
                    elif position < len(nodes):
                        raise NetworkError("its membrane drives the next layer; between layers there are only spikes")
                neuron, reading = self.neuron(label, spiking, shape)
                if reading is not None:
                    self.warnings += reading.remarks
                    losses[len(layers)] = reading.losses
                layers.append(_layer(start, maps, shape, neuron, reading))
                stages.append(Stage(make_layer(start, maps or [_unit(shape)], neuron).current, spiking, shape))
            except Snn2CircuitError as error:
                text = str(error)
                raise type(error)(text if text.startswith("node ") else f"node {label!r}: {text}") from error
            start, maps = shape, []
        if maps or not layers:
            raise NetworkError("the last node has no neuron after it; every output of a circuit is a neuron")
        protocol = annotation.read_protocol(self.protocol, name, steps)
        network = Network(layers=tuple(layers), **protocol)
        if any(losses.values()):
            changes = count_changes(network, stages, self.dt, self.rule)
            lost = [f"{'; '.join(each)}; {changes[index]}" for index, each in losses.items() if each]
            if not approximate:
                raise NetworkError(
                    f"{'; '.join(lost)}; allow the approximation (`approximate=True`) to read it as the nearest there "
                    "is"
                )
            self.warnings += lost
        return Imported(network=network, warnings=tuple(self.warnings), if_silent=self.hint)

    def neuron(self, label: str, nodes: list[nir.NIRNode], shape: Shape) -> tuple[Neuron, Reading | None]:
        """The neuron part of NIR nodes and how it was read; ``None`` if an annotation says it."""
        noted = _note(f"node {label!r}", nodes[0].metadata)
        if noted:
            part = annotation.read_neuron(noted, self.neurons)
            expected, _ = neuron_nodes(part, shape, self.dt, self.rule)
            if [type(each) for _, each in expected] != [type(each) for each in nodes] or not all(
                _agree(one, other, shape) for (_, one), other in zip(expected, nodes, strict=True)
            ):
                raise FileFormatError(
                    f"its annotation says {part} in steps of {self.dt:g} s ({self.rule}), its values say otherwise; "
                    "was the file changed? Remove the annotation to read the values"
                )
            return part, None
        reading = read_neuron(label, nodes, shape, self.dt, self.rule)
        cls = next((each for each in self.neurons.values() if each.snntorch == reading.kind), None)
        if cls is None:
            raise NetworkError(f"there is no circuit for {reading.kind} neurons")
        return cls(**reading.parameters), reading


def _layer(start: Shape, maps: list[Map], shape: Shape, neuron: Neuron, reading: Reading | None) -> AnyLayer:
    """A layer whose neurons see the chain of maps times the reading's gain, and its offset."""
    if reading is not None and ((reading.gain != 1).any() or reading.offset.any()):
        maps = _folded(maps, shape, reading.gain, reading.offset)
    return make_layer(start, maps or [_unit(shape)], neuron)


def _folded(maps: list[Map], shape: Shape, gain: Floats, offset: Floats) -> list[Map]:
    """The chain of maps, then times ``gain`` plus ``offset``, in its last map if that can hold both."""
    if maps and isinstance(last := maps[-1], Dense):
        bias = None if last.bias is None and not offset.any() else gain * _or_zero(last.bias) + offset
        return [*maps[:-1], replace(last, weight=last.weight * gain[:, None], bias=bias)]
    if maps and isinstance(last := maps[-1], Conv2d):
        gains, offsets = (each.reshape(shape[0], -1) for each in (gain, offset))
        if all((each == each[:, :1]).all() for each in (gains, offsets)):
            gains, offsets = gains[:, 0], offsets[:, 0]
            bias = None if last.bias is None and not offsets.any() else gains * _or_zero(last.bias) + offsets
            return [*maps[:-1], replace(last, weight=last.weight * gains[:, None, None, None], bias=bias)]
    if not offset.any():
        return [*maps, Scale(scale=gain.reshape(shape))]
    if len(gain) > MAX_DIAGONAL:
        raise NetworkError(
            f"{len(gain):,} neurons each have a bias of their own, and no matrix stands before them to take it "
            f"(at most {MAX_DIAGONAL:,}); their v_leak has to be v_reset, or the same within a channel"
        )
    return [*maps, Dense(weight=np.diag(gain), bias=offset)]


def _or_zero(bias: Floats | None) -> Floats | float:
    return 0.0 if bias is None else bias


def _unit(shape: Shape) -> Scale:
    """The map of neurons that nothing stands before."""
    return Scale(scale=np.ones((1,) * len(shape)))


def _check_places(shape: Shape) -> None:
    if math.prod(shape) > MAX_PLACES:
        raise FileFormatError(f"it has {math.prod(shape):,} places {shape}; more than {MAX_PLACES:,} are not read")


def _read_map(node: nir.NIRNode, shape: Shape) -> Map | None:
    """The map of a node; ``None`` for a node that only gives the numbers another shape."""
    match node:
        case nir.Flatten():
            return None
        case nir.Affine():
            return Dense(weight=node.weight, bias=node.bias)
        case nir.Linear():
            return Dense(weight=node.weight)
        case nir.Scale():
            return Scale(scale=fill("scale", node.scale, shape))
        case nir.Conv2d():
            padding = node.padding
            if padding == "same":
                total = [gap * (size - 1) for gap, size in zip(node.dilation, node.weight.shape[2:], strict=True)]
                if any(each % 2 for each in total):
                    raise NetworkError("padding 'same' of an even kernel is not the same on both sides")
                padding = (total[0] // 2, total[1] // 2)
            return Conv2d(
                weight=node.weight, bias=node.bias if np.any(node.bias) else None, stride=node.stride, padding=padding,
                dilation=node.dilation, groups=node.groups,
            )  # fmt: skip
        case nir.SumPool2d() | nir.AvgPool2d():
            pool = SumPool2d if isinstance(node, nir.SumPool2d) else AvgPool2d
            return pool(kernel=node.kernel_size, stride=node.stride, padding=node.padding)
        case _:
            raise NetworkError(f"a {type(node).__name__} cannot become part of a crossbar circuit")


def _note(what: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Our note among the metadata; empty if there is none."""
    if annotation.KEY not in metadata:
        return {}
    return annotation.read_note(what, as_text(metadata[annotation.KEY]))


def _agree(one: nir.NIRNode, other: nir.NIRNode, shape: Shape) -> bool:
    """Whether the fields of two nodes hold the same numbers."""
    mine, theirs = vars(one), vars(other)
    names = [name for name, value in mine.items() if isinstance(value, np.ndarray)]
    return all(np.allclose(mine[name], fill(name, theirs[name], shape), rtol=1e-9, atol=0) for name in names)
