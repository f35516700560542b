"""What all tests share: a finished run and a trained network, made once per test process; the same examples always."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from trained import go_on_with

from snn2circuit import flow
from snn2circuit.datasets import load_dataset
from snn2circuit.design import Design, parse_design
from snn2circuit.ir.files import save
from snn2circuit.steps import read_trained, train_or_go_on

# Generated examples follow from the test itself, so that a run says the same today and tomorrow.
settings.register_profile("same", derandomize=True)
settings.load_profile("same")

SMALL = """
[data]
dataset = "digits"

[network]
hidden = [12]
steps = 8

[training]
epochs = 4

[simulation]
samples = 2
"""


@pytest.fixture(scope="session")
def small_design() -> Design:
    """A design that runs in seconds and goes through every stage."""
    return parse_design(SMALL)


@pytest.fixture(scope="session")
def finished(small_design: Design, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder and the summary of a finished run, whose network is that of a file; read-only by convention."""
    out = tmp_path_factory.mktemp("finished") / "out"
    with pytest.MonkeyPatch.context() as monkeypatch:
        go_on_with("small", monkeypatch)
        return out, dict(flow.run(small_design, out))


@pytest.fixture(scope="session")
def trained_here(small_design: Design, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``network.npz`` and ``history.jsonl`` as any other training of the small design here ends."""
    out = tmp_path_factory.mktemp("trained")
    dataset = load_dataset("digits")
    trained = train_or_go_on(
        small_design, dataset, out, fresh=True, tensorboard=None, on_progress=lambda *_: None, on_note=lambda _: None
    )
    save(read_trained(trained, dataset), out / "network.npz")
    return out
