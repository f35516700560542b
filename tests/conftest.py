"""One finished run that many tests look at: made once per test process, never changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from snn2circuit import flow
from snn2circuit.design import Design, parse_design

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
