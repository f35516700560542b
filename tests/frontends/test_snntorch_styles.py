"""Every style of writing a network is imported and equal to its own output, or refused with the place and a way out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from snntorch_styles import STEPS, STYLES, Style
from torch import nn

from snn2circuit.errors import NetworkError
from snn2circuit.frontends.snntorch import from_snntorch
from snn2circuit.neurons import NEURONS

SAMPLES = 5
ACCEPTED = [name for name, each in STYLES.items() if not each.refused]
REFUSED = [name for name, each in STYLES.items() if each.refused]


def build(style: Style) -> nn.Module:
    """The module, with weights that make it spike; the same every time."""
    torch.manual_seed(5)
    module = style.build()
    with torch.no_grad():
        for each in module.modules():
            if isinstance(each, nn.Linear | nn.Conv1d | nn.Conv2d) and type(each.weight) is nn.Parameter:
                each.weight *= 2.5
    return module.eval()


def read(module: nn.Module, **options: object) -> object:
    return from_snntorch(module, neurons=NEURONS, name="styled", steps=STEPS, **options)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads cost more than they save on layers of a dozen neurons."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def in_double() -> Iterator[pytest.MonkeyPatch]:
    """A user's own code in double precision: what it makes, and what it calls a float, is float64."""
    with pytest.MonkeyPatch.context() as patch:
        torch.set_default_dtype(torch.float64)
        patch.setattr(torch.Tensor, "float", torch.Tensor.double)
        yield patch
    torch.set_default_dtype(torch.float32)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ACCEPTED)
def test_imported_and_equal(name: str, in_double: pytest.MonkeyPatch) -> None:
    style = STYLES[name]
    torch.set_default_dtype(torch.float32)
    network, judge = read(build(style), **style.options), build(style)
    torch.set_default_dtype(torch.float64)
    judge.double()
    if hasattr(judge, "_orig_mod"):
        judge = judge._orig_mod
    random = np.random.default_rng(3)
    counted = []
    for scale in (1.0, 3.0):
        inputs = scale * (random.normal(size=(STEPS, SAMPLES, *style.shape)) + 0.3)
        inputs = inputs if style.varies else np.broadcast_to(inputs[:1], inputs.shape)
        with torch.no_grad():
            theirs = style.run(judge, torch.from_numpy(np.array(inputs)))
        mine = network.run(np.array(inputs).reshape(STEPS, SAMPLES, -1).transpose(1, 0, 2)).spikes[-1]
        mine = torch.from_numpy(mine.transpose(1, 0, 2).astype(float))
        counted.append(float(mine.mean()))
        np.testing.assert_allclose(
            style.reads(mine).numpy().reshape(-1), theirs.double().numpy().reshape(-1), atol=1e-9
        )
    assert 0.01 < np.mean(counted) < 0.99, counted


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(name: str) -> None:
    style = STYLES[name]
    with pytest.raises(NetworkError) as caught:
        read(build(style), **style.options)
    assert re.search(style.refused, str(caught.value)), str(caught.value)
