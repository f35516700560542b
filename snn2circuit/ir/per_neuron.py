"""Parameters that are one number for all neurons of a layer, or one for each; and such a layer's neurons one by one.

A neuron part names in the class variable ``per_neuron`` the fields that may hold a tuple: one number per neuron, in the
order of the layer's outputs. A part without that variable has the same parameters in every neuron. Models broadcast the
tuples over the last axis of their states. A circuit is built of single neurons: neurons with the same parameters share
one cell, so a layer has as many cells as it has different sets of parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from snn2circuit.errors import NetworkError
from snn2circuit.ir.noun import Floats, Ints
from snn2circuit.ir.parts import Neuron, PerNeuron

Numbers = float | Floats


def numbers(value: PerNeuron) -> Numbers:
    """``value`` as a model computes with it: the number, or a read-only array ``(neurons,)``."""
    if not isinstance(value, tuple):
        return value
    array = np.array(value, dtype=np.float64)
    array.setflags(write=False)
    return array


def listed(value: PerNeuron) -> tuple[float, ...]:
    """The numbers of ``value``, one of them if all neurons share it."""
    return value if isinstance(value, tuple) else (value,)


def value_at(value: PerNeuron, place: int) -> float:
    """The number of the neuron at ``place`` of its layer."""
    return value[place] if isinstance(value, tuple) else value


def combined(formula: Callable[..., float], *values: PerNeuron) -> PerNeuron:
    """``formula`` of numbers, neuron by neuron if any of ``values`` has one for each.

    Raises:
        NetworkError: they have numbers for different counts of neurons.
    """
    counts = [len(value) for value in values if isinstance(value, tuple)]
    if not counts:
        return formula(*values)
    if len(set(counts)) > 1:
        raise NetworkError(f"parameters have values for {' and '.join(map(str, counts))} neurons of one layer")
    rows = zip(*(value if isinstance(value, tuple) else (value,) * counts[0] for value in values), strict=True)
    return tuple(formula(*row) for row in rows)


def varying(neuron: Neuron) -> dict[str, tuple[float, ...]]:
    """The parameters that differ from neuron to neuron, by field."""
    fields = {name: getattr(neuron, name) for name in getattr(neuron, "per_neuron", ())}
    return {name: value for name, value in fields.items() if isinstance(value, tuple)}


def wrong_count(neuron: Neuron, neurons: int) -> str:
    """What does not fit a layer of that many neurons, in words; empty if the part does."""
    for name, values in varying(neuron).items():
        if len(values) != neurons:
            return f"{name} has {len(values)} values for {neurons} neurons; it needs one number, or one for each"
    return ""


def neuron_at(neuron: Neuron, place: int) -> Neuron:
    """The neuron at ``place`` of its layer alone, every parameter one number."""
    own: dict[str, Any] = {name: values[place] for name, values in varying(neuron).items()}
    return replace(neuron, **own) if own else neuron  # type: ignore[type-var]


def distinct_neurons(neuron: Neuron, neurons: int) -> tuple[tuple[Neuron, ...], Ints]:
    """The different single neurons of a layer, in order of their first place, and which of them is at each place."""
    fields = varying(neuron)
    if not fields:
        return (neuron,), np.zeros(neurons, dtype=np.int64)
    places: dict[tuple[float, ...], int] = {}
    firsts: list[int] = []
    kinds = np.empty(neurons, dtype=np.int64)
    for place, own in enumerate(zip(*fields.values(), strict=True)):
        if own not in places:
            places[own] = len(firsts)
            firsts.append(place)
        kinds[place] = places[own]
    return tuple(neuron_at(neuron, place) for place in firsts), kinds
