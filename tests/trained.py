"""Networks that were trained once and are kept as files, so that no verdict follows from a training.

Sums are rounded in another order on another processor, with other threads or another library, and a training carries
the last bit of a sum on to other weights, spikes and accuracies. :func:`go_on_with` lets a test train all the same, and
goes on with the file's network. ``python tests/networks/train.py`` makes the files.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from snn2circuit import flow
from snn2circuit.ir.files import load
from snn2circuit.ir.network import Network
from snn2circuit.steps import PARTS

NETWORKS = Path(__file__).parent / "networks"


def trained_network(name: str) -> Network:
    """The network in ``networks/<name>.npz``."""
    return load(NETWORKS / f"{name}.npz", Network, PARTS)


def go_on_with(name: str, monkeypatch: pytest.MonkeyPatch, where: object = flow, call: str = "read_trained") -> None:
    """Let ``where.call``, which trains or reads what was trained, do so and then give the file's network."""
    given, real = trained_network(name), getattr(where, call)

    def replaced(*arguments: object, **named: object) -> Network:
        made = real(*arguments, **named)
        assert (made.sizes, made.steps, made.encoding, made.decision, made.dataset) == (
            (given.sizes, given.steps, given.encoding, given.decision, given.dataset)
        ), f"{name}.npz is another network; run python tests/networks/train.py"
        return given

    monkeypatch.setattr(where, call, replaced)
