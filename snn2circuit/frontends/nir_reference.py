"""NIR's own equations stepped in float64: what a graph does, to be held against the network it was read as.

A leaky stage is stepped as :mod:`snn2circuit.frontends.nir_neurons` derives, with its input held through a step; a
neuron that passes its threshold spikes and is at ``v_reset`` at once. Nothing here knows of snnTorch's neurons. The
sample is drawn from a fixed seed, so the same network gives the same numbers anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import nir
import numpy as np

from snn2circuit.frontends.nir_neurons import spread_fields, start_potential
from snn2circuit.ir.linear import Shape
from snn2circuit.ir.network import Network
from snn2circuit.ir.noun import Bools, Floats

SAMPLES = 16  # of a generated sample set
MAX_STEPS = 1000  # that they are presented for
_NUMBERS = 2**24  # that a layer's currents may hold; larger networks get fewer samples


@dataclass(frozen=True)
class Stage:
    """A layer of a graph."""

    current: Callable[[Floats], Floats]  # the maps: signals (..., inputs) to currents (..., neurons)
    nodes: list[nir.NIRNode]  # an integrator and its threshold, or a spiking neuron
    shape: Shape  # of the neurons


def run_stages(stages: Sequence[Stage], drive: Floats, dt: float, discretisation: str) -> tuple[Bools, ...]:
    """Spikes ``(samples, steps, neurons)`` of each stage for ``drive`` ``(samples, steps, inputs)``."""
    signal, found = drive, []
    for stage in stages:
        spikes = _run_nodes(stage, stage.current(signal), dt, discretisation)
        found.append(spikes)
        signal = spikes.astype(np.float64)
    return tuple(found)


def count_changes(network: Network, stages: Sequence[Stage], dt: float, discretisation: str) -> tuple[str, ...]:
    """In words and for each layer, how many spikes of a generated sample the network and the graph do not share."""
    network = replace(network, steps=min(network.steps, MAX_STEPS))
    drive = _generated(network)
    ours = network.run(drive).spikes
    theirs = run_stages(stages, drive, dt, discretisation)
    return tuple(
        _share(int((mine != other).sum()), int((mine | other).sum())) for mine, other in zip(ours, theirs, strict=True)
    )


def _share(differ: int, either: int) -> str:
    if not either:
        return "on a generated sample no neuron spikes"
    return f"{differ:,} of {either:,} spikes of a generated sample differ ({differ / either:.1%})"


def _generated(network: Network) -> Floats:
    """Inputs within 0..1, encoded as the network encodes them."""
    largest = network.steps * max(network.sizes)
    samples = max(1, min(SAMPLES, _NUMBERS // largest))
    given = (network.steps,) if network.encoding.kind == "given" else ()
    values = np.random.default_rng(0).uniform(0, 1, (samples, *given, network.sizes[0]))
    encoding = network.encoding
    if encoding.kind in ("rate", "latency"):
        # These take what lies within 0..1 once it is normalised.
        values = values * encoding.scale + encoding.offset
    return network.encode(values)


def _run_nodes(stage: Stage, current: Floats, dt: float, discretisation: str) -> Bools:
    first = stage.nodes[0]
    spread = spread_fields("", stage.nodes, stage.shape)

    def keep(field: str) -> Floats:
        kept: Floats = np.exp(-dt / spread[field]) if discretisation == "exact" else 1 - dt / spread[field]
        return kept

    threshold = spread.get("v_threshold", spread.get("threshold", np.ones(current.shape[2])))
    spikes = np.empty(current.shape, dtype=np.bool_)
    start = start_potential(stage.nodes, spread)
    v = np.broadcast_to(start, (len(current), current.shape[2])).copy()
    synapse = np.zeros_like(v)
    synaptic = isinstance(first, (nir.CubaLI, nir.CubaLIF))
    kept_synapse = keep("tau_syn") if synaptic else 0.0
    leak = None if isinstance(first, (nir.I, nir.IF, nir.Threshold)) else keep("tau_mem" if synaptic else "tau")
    for step in range(current.shape[1]):
        into = current[:, step]
        if synaptic:
            synapse = kept_synapse * synapse + (1 - kept_synapse) * spread["w_in"] * into
            into = synapse
        if isinstance(first, nir.Threshold):
            v = into
        elif leak is None:
            v = v + dt * spread["r"] * into
        else:
            v = leak * v + (1 - leak) * (spread["v_leak"] + spread["r"] * into)
        spikes[:, step] = v > threshold
        if "v_reset" in spread:
            v = np.where(spikes[:, step], spread["v_reset"], v)
    return spikes
