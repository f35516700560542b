"""What all tests share: a finished run to look at, made once per test process, and the same examples in every run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from snn2circuit import flow
from snn2circuit.design import Design, parse_design

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
    """The folder and the summary of a finished run; read-only by convention."""
    out = tmp_path_factory.mktemp("finished") / "out"
    return out, dict(flow.run(small_design, out))
