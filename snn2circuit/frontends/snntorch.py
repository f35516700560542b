"""snnTorch modules to networks, and networks back to snnTorch modules.

A network is read from what a module computes, not from how it is written: a copy of it runs on random inputs
(:mod:`snn2circuit.frontends.snntorch_run`) while a recorder follows every tensor
(:mod:`snn2circuit.frontends.snntorch_trace`). The neurons' calls are the layers, in the order that signals pass them
(:mod:`snn2circuit.frontends.snntorch_layers`), and the operations between them fold into their maps
(:mod:`snn2circuit.frontends.snntorch_fold`). The network is believed after its spikes were compared with the module's
own (:mod:`snn2circuit.frontends.snntorch_check`); what is not a chain of affine maps and known neurons is refused, with
the place and a way out.

The way back, :func:`to_snntorch`, makes snnTorch itself the judge of any network, trained or mapped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import snntorch
import torch
from torch import Tensor, nn

from snn2circuit.errors import NetworkError
from snn2circuit.frontends.snntorch_check import check_network, dense, injection
from snn2circuit.frontends.snntorch_layers import Link, find_links
from snn2circuit.frontends.snntorch_maps import array, write_map
from snn2circuit.frontends.snntorch_neurons import find_part, graded_factor, read_neuron, run_neuron, shared_fields
from snn2circuit.frontends.snntorch_run import LAYOUTS, CannotRun, Layout, Run, Runner, check_module, guess_shapes
from snn2circuit.ir.layer import AnyLayer, make_layer
from snn2circuit.ir.linear import Dense, Map, Scale, Shape
from snn2circuit.ir.network import Activity, Network
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.parts import Neuron
from snn2circuit.ir.per_neuron import neuron_at, varying

Example = Tensor | Sequence[object]


def from_snntorch(
    module: nn.Module,
    *,
    neurons: Mapping[str, type[Neuron]],
    name: str,
    steps: int,
    dataset: str = "",
    circuit: Mapping[str, float] | None = None,
    input_shape: Shape | None = None,
    example: Example | None = None,
) -> Network:
    """Read a trained module, and compare what was read with the module.

    Args:
        module: what computes with snnTorch's neurons; it is left as it is.
        neurons: the neuron parts to choose from.
        name: of the network.
        steps: time steps a sample is presented for.
        dataset: the dataset it was trained on, if it is one of ours.
        circuit: values for fields of the neuron parts that snnTorch knows nothing of, e.g. ``capacitance``.
        input_shape: shape of one sample, e.g. ``(channels, height, width)``; without it, the first linear module
            that fits says it.
        example: what ``forward`` takes, if that cannot be guessed: the input, or a tuple of all arguments.

    Raises:
        NetworkError: the module computes something no network here can; the text names the place and the way out.
    """
    if not isinstance(module, nn.Module):
        raise NetworkError(_not_a_module(module))
    check_module(module)
    extra = None
    if isinstance(example, tuple | list):
        example, extra = example[0], tuple(example[1:])
    failure: CannotRun | None = None
    for shape, layout, length in _ways_in(module, input_shape, example, steps):
        runner = Runner(module, steps=steps, extra=extra)
        try:
            run, links = _trace(runner, layout, shape, length or runner.length(layout), steps, neurons)
            layers = [_layer(run, link, neurons, circuit or {}) for link in links]
            network = Network(name=name, layers=tuple(layers), steps=steps, dataset=dataset)
            check_network(runner, layout, run, links, network.layers)
        except CannotRun as error:
            failure = failure or error
            continue
        _check_output(run, links[-1])
        return network
    if failure is not None:
        raise failure
    raise NetworkError(
        "the module does not say what it takes (no Linear in it, or a convolution first): give input_shape=, the shape "
        "of one sample such as (channels, height, width), or example=, what forward takes"
    )


def _ways_in(
    module: nn.Module, input_shape: Shape | None, example: object, steps: int
) -> Iterator[tuple[Shape, Layout, int | None]]:
    """Shapes of a sample and layouts to try, and the steps of the example if it has any."""
    if isinstance(example, Tensor):
        for layout in LAYOUTS:
            if example.ndim > len(layout.lead) or not layout.lead:
                shape = tuple(example.shape[len(layout.lead) :])
                yield shape, layout, example.shape[layout.lead.index("t")] if layout.timed else None
        return
    if example is not None:
        raise NetworkError(f"example is a {type(example).__name__}; give the input of forward, a tensor, or a tuple")
    if input_shape is not None and not (
        isinstance(input_shape, Sequence) and all(int(each) > 0 for each in input_shape)
    ):
        raise NetworkError(
            f"input_shape is {input_shape!r}; give the lengths of one sample, such as (1, 28, 28) or (784,)"
        )
    for shape in guess_shapes(module) if input_shape is None else [tuple(map(int, input_shape))]:
        for layout in LAYOUTS:
            yield shape, layout, None


def _trace(
    runner: Runner, layout: Layout, shape: Shape, length: int, steps: int, neurons: Mapping[str, type[Neuron]]
) -> tuple[Run, list[Link]]:
    """A run with neurons that answer random numbers, and the layers that it shows."""
    random = np.random.default_rng(0)
    samples = 1 if not layout.batched else 2 if length == 3 else 3
    runner.admit = lambda path, neuron: find_part(path, neuron, neurons)
    run = runner.run(layout, dense(random, (length, samples, *shape), 1.0), injection(random, {}))
    links = find_links(run, layout)
    found = len(run.threads[links[-1].thread])
    if found != steps and (layout.timed or not run.varies):
        raise NetworkError(
            f"forward runs {found} steps, and the network is to run {steps}: give steps={found}, or let forward run "
            f"{steps}"
        )
    return run, links


def _layer(run: Run, link: Link, neurons: Mapping[str, type[Neuron]], circuit: Mapping[str, float]) -> AnyLayer:
    part = read_neuron(link.path, run.threads[link.thread][0].neuron, link.shape, neurons, circuit)
    maps = list(link.maps)
    if link.source is not None:
        factor = array(graded_factor(run.threads[link.source][0].neuron))
        if (factor != 1).any():
            maps = _scaled(maps, np.broadcast_to(factor, link.start) if factor.size > 1 else factor.reshape(()), link)
    try:
        return make_layer(link.start, maps, part)
    except NetworkError as error:
        raise NetworkError(f"{link.path}: {error}") from error


def _scaled(maps: list[Map], factor: Floats, link: Link) -> list[Map]:
    """``maps`` after spikes that count for ``factor``."""
    if isinstance(maps[0], Dense):
        columns = factor.ravel() if factor.ndim else factor
        return [Dense(weight=maps[0].weight * columns, bias=maps[0].bias), *maps[1:]]
    return [Scale(scale=np.broadcast_to(factor, link.start)), *maps]


def _check_output(run: Run, last: Link) -> None:
    factor = graded_factor(run.threads[last.thread][0].neuron)
    if (factor != 1).any():
        raise NetworkError(
            f"{last.path}: graded_spikes_factor is not 1 in the last layer, and a circuit's spike counts for 1; "
            "set it to 1 and scale what is read out"
        )


def _not_a_module(given: object) -> str:
    what = "a state_dict" if isinstance(given, Mapping) else "a path" if isinstance(given, str | Path) else ""
    what = what or f"a {type(given).__name__}"
    hint = ""
    if isinstance(given, Mapping) and given and all(str(key).startswith("module.") for key in given):
        hint = " (drop the prefix 'module.' that DataParallel gave its keys)"
    return (
        f"{what} holds weights, not what is computed with them: make the module and load it, "
        f"module.load_state_dict(state_dict){hint}, then import the module"
        if hint or what in ("a state_dict", "a path")
        else f"module is {what}; give the torch module itself"
    )


def to_snntorch(network: Network, *, dtype: torch.dtype = torch.float64) -> nn.ModuleList:
    """The network as snnTorch modules, map and neuron in turn; beta and threshold stay the float32 they are.

    A map is an ``nn.Linear``, or an ``nn.Sequential`` of convolution and pooling between vectors.
    """
    modules = nn.ModuleList()
    for layer in network.layers:
        cls = getattr(snntorch, layer.neuron.snntorch)
        fields, first = shared_fields(type(layer.neuron), cls), neuron_at(layer.neuron, 0)
        neuron = cls(**{field: getattr(first, field) for field in fields})
        # Set afterwards, because not every class of snnTorch takes a value for each neuron when it is made.
        for field, values in varying(layer.neuron).items():
            setattr(neuron, field, torch.tensor(values))
        modules.extend([write_map(layer, dtype), neuron.to(dtype)])
    return modules


def exact_dtype(network: Network) -> torch.dtype:
    """``float32`` if it holds every weight, as it does for a network trained in torch; else ``float64``."""
    arrays = (values for layer in network.layers for _, values in layer.arrays())
    return torch.float32 if all(np.array_equal(each, np.float32(each)) for each in arrays) else torch.float64


def run_snntorch(network: Network, inputs: Floats) -> Activity:
    """What snnTorch itself makes of ``inputs`` ``(samples, steps, inputs)``, in float64.

    Raises:
        NetworkError: the inputs have another shape.
    """
    inputs = np.array(inputs, dtype=np.float64)
    if inputs.ndim != 3 or inputs.shape[2] != network.sizes[0]:
        raise NetworkError(f"inputs have shape {inputs.shape}; the network takes (samples, steps, {network.sizes[0]})")
    modules = to_snntorch(network)
    signal = torch.from_numpy(inputs).transpose(0, 1)
    membranes, spikes = [], []
    with torch.no_grad():
        for linear, neuron in zip(modules[::2], modules[1::2], strict=True):
            currents = linear(signal.flatten(0, 1)).unflatten(0, signal.shape[:2])
            fired, held = run_neuron(neuron, currents)
            # snnTorch's surrogate gives float32 spikes whatever the membrane is.
            signal = fired.to(torch.float64)
            spikes.append(fired.transpose(0, 1).numpy() > 0)
            membranes.append(held.transpose(0, 1).numpy())
    return Activity(membranes=tuple(membranes), spikes=tuple(spikes))
