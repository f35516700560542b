"""Networks to NIR, the Neuromorphic Intermediate Representation, through its own library.

A NIR graph is a file of HDF5 with nodes and edges. Written is the chain of a network: its maps as they are
(``Affine``, ``Linear``, ``Conv2d``, ``SumPool2d``, ``AvgPool2d``, ``Scale``, and ``Flatten`` before a matrix), its
neurons in continuous time as :mod:`snn2circuit.frontends.nir_neurons` derives. NIR has no time step and no encoding:
``dt``, the discretisation, the number of steps and the encoding go with the graph as annotations, and every neuron
node carries the snnTorch neuron it stands for. Reading a file of our own gives back the same network.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import nir
import numpy as np

from snn2circuit.errors import NetworkError
from snn2circuit.frontends import annotation
from snn2circuit.frontends.nir_neurons import check_step, neuron_nodes
from snn2circuit.frontends.nir_reference import Stage, count_changes
from snn2circuit.ir.files import atomic
from snn2circuit.ir.layer import AnyLayer, ConvLayer
from snn2circuit.ir.linear import BUILT_IN, AvgPool2d, Conv2d, Dense, Map, Scale, Shape, SumPool2d
from snn2circuit.ir.network import Network


def write_nir(
    network: Network,
    path: Path,
    *,
    dt: float = 1e-3,
    discretisation: str = "exact",
    approximate: bool = False,
) -> tuple[str, ...]:
    """Write ``network`` as a NIR graph.

    Args:
        network: the network.
        path: the file to write.
        dt: length of a step, s; for a circuit its time slot.
        discretisation: ``exact`` or ``euler``, how a reader has to step the time constants.
        approximate: write what NIR cannot hold as the nearest it can, annotated, instead of refusing it.

    Returns:
        What was approximated, in words.

    Raises:
        NetworkError: NIR cannot hold the network exactly; the text says what, and in which layer.
    """
    check_step(dt, discretisation)
    shape: Shape = getattr(network.layers[0], "shape", (network.sizes[0],))
    nodes: list[tuple[str, nir.NIRNode]] = [("input", nir.Input(input_type=np.array(shape)))]
    losses, stages = dict[int, str](), list[Stage]()
    for number, layer in enumerate(network.layers, start=1):
        wanted = getattr(layer, "shape", (layer.inputs,))
        if len(wanted) > 1 and wanted != shape:
            raise NetworkError(f"layer {number} makes an image of {wanted} of {shape}; NIR has no node for that")
        chain, shape = _map_nodes(layer, shape)
        try:
            spiking, lost = neuron_nodes(layer.neuron, shape, dt, discretisation)
        except NetworkError as error:
            raise NetworkError(f"layer {number}: {error}") from error
        if lost:
            losses[number] = lost
        stages.append(Stage(layer.current, [node for _, node in spiking], shape))
        spiking[0][1].metadata = {annotation.KEY: json.dumps(annotation.describe_neuron(layer.neuron), sort_keys=True)}
        nodes += [(f"{number}_{name.lower()}_{index}", node) for index, (name, node) in enumerate(chain + spiking)]
    changes = count_changes(network, stages, dt, discretisation) if losses else ()
    remarks = tuple(f"layer {number}: {lost}; {changes[number - 1]}" for number, lost in losses.items())
    if remarks and not approximate:
        raise NetworkError(
            f"NIR cannot hold this network exactly. {'; '.join(remarks)}. Allow the approximation (`approximate=True`) "
            "to write the nearest NIR can say, with an annotation from which this program reads the network back "
            "unchanged"
        )
    nodes.append(("output", nir.Output(output_type=np.array(shape))))
    note = json.dumps(annotation.describe_protocol(network), sort_keys=True)
    metadata = {"dt": dt, "discretisation": discretisation, annotation.KEY: note}
    edges = list(itertools.pairwise(name for name, _ in nodes))
    # The library's own type check does not know groups or kernels that are not square; the shapes are checked above.
    graph = nir.NIRGraph(nodes=dict(nodes), edges=edges, metadata=metadata, type_check=False)
    # A stream: under a path of its own HDF5 would ask for the lock that the temporary file is held with.
    with atomic(path) as temporary, temporary.open("w+b") as stream:
        nir.write(stream, graph)
    return remarks


def _map_nodes(layer: AnyLayer, shape: Shape) -> tuple[list[tuple[str, nir.NIRNode]], Shape]:
    """The nodes of a layer's maps, and the shape of its neurons."""
    # NIR has no node for a user's own map; unrolled, the chain is a matrix like any other.
    if isinstance(layer, ConvLayer) and all(type(each) in BUILT_IN for each in layer.maps):
        maps: tuple[Map, ...] = layer.maps
    else:
        maps = (Dense(weight=layer.weight, bias=layer.bias),)
    nodes: list[tuple[str, nir.NIRNode]] = []
    for each in maps:
        if isinstance(each, Dense) and len(shape) > 1:
            nodes.append(("Flatten", nir.Flatten(input_type={"input": np.array(shape)}, start_dim=0, end_dim=-1)))
        nodes.append((type(each).__name__, _map_node(each, shape)))
        shape = each.output_shape(shape)
    return nodes, shape


def _map_node(one: Map, shape: Shape) -> nir.NIRNode:
    match one:
        case Dense(bias=None):
            return nir.Linear(weight=np.array(one.weight))
        case Dense():
            return nir.Affine(weight=np.array(one.weight), bias=np.array(one.bias))
        case Conv2d():
            bias = np.zeros(len(one.weight)) if one.bias is None else np.array(one.bias)
            return nir.Conv2d(
                input_shape=shape[1:], weight=np.array(one.weight), stride=one.stride, padding=one.padding,
                dilation=one.dilation, groups=one.groups, bias=bias,
            )  # fmt: skip
        case Scale():
            return nir.Scale(scale=np.array(np.broadcast_to(one.scale, shape)))
        case SumPool2d() | AvgPool2d():
            pool = nir.SumPool2d if isinstance(one, SumPool2d) else nir.AvgPool2d
            return pool(kernel_size=np.array(one.kernel), stride=np.array(one.stride), padding=np.array(one.padding))
