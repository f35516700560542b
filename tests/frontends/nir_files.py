"""NIR files for tests without a child process, and NIR's published equations stepped in plain numpy."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest

from snn2circuit.frontends import nir_read
from snn2circuit.frontends.imported import Imported
from snn2circuit.neurons import NEURONS

Tree = dict[str, Any]


def graph(*nodes: nir.NIRNode, shape: tuple[int, ...], outputs: int = 1) -> Tree:
    """The group ``node`` of a file that holds a chain ``in, n0, n1, ..., out``."""
    every = [nir.Input(input_type=np.array(shape)), *nodes, nir.Output(output_type=np.array([outputs]))]
    names = ["in", *(f"n{index}" for index in range(len(nodes))), "out"]
    return {
        "type": "NIRGraph",
        "nodes": {name: stored(each.to_dict()) for name, each in zip(names, every, strict=True)},
        "edges": [list(pair) for pair in itertools.pairwise(names)],
    }


def stored(fields: Tree) -> Tree:
    """Fields as a file gives them back: arrays and text."""
    return {
        key: value if isinstance(value, str) else np.asarray(value)
        for key, value in fields.items()
        if value is not None and key != "metadata"
    }


@contextmanager
def opened(tree: Tree) -> Iterator[None]:
    """Every file holds ``tree`` inside."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nir_read, "read_tree", lambda path: {"node": tree})
        yield


def read(tree: Tree, **options: Any) -> Imported:
    with opened(tree):
        return nir_read.read_nir(Path("n.nir"), neurons=NEURONS, **options)


def step(node: nir.NIRNode, current: np.ndarray, dt: float, *, euler: bool, start: Any = 0.0) -> np.ndarray:
    """Membranes ``(samples, steps, neurons)`` of a node before its reset, from the membrane ``start`` on.

    The equations are those of Pedersen et al., Nature Communications 15, 8122 (2024), table 1, with the input held
    through a step.
    """

    def keep(tau: Any) -> Any:
        return 1 - dt / tau if euler else np.exp(-dt / tau)

    get = {name: np.ravel(value) for name, value in vars(node).items() if isinstance(value, np.ndarray)}
    v = np.zeros((len(current), current.shape[2])) + start
    synapse, seen = np.zeros_like(v), np.empty(current.shape)
    for index in range(current.shape[1]):
        into = current[:, index]
        if "tau_syn" in get:
            alpha = keep(get["tau_syn"])
            synapse = alpha * synapse + (1 - alpha) * get["w_in"] * into
            into = synapse
        if "v_leak" in get:
            beta = keep(get.get("tau_mem", get.get("tau")))
            v = beta * v + (1 - beta) * (get["v_leak"] + get["r"] * into)
        else:
            v = v + dt * get["r"] * into
        seen[:, index] = v
        if "v_reset" in get:
            v = np.where(v > get["v_threshold"], get["v_reset"], v)
    return seen
