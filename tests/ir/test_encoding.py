"""Encodings: snnTorch's own latency code, Bernoulli draws that repeat, and contradictions that are refused."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import ir_samples as samples
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from snntorch import spikegen

from snn2circuit.errors import DataError, NetworkError
from snn2circuit.ir.encoding import Encoding
from snn2circuit.ir.network import Network

GREY = np.linspace(0, 1, 33)


def images(count: int = 12, inputs: int = 40, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).random((count, inputs))
    values[0], values[1, 0], values[2, :] = 0.0, 1.0, np.resize(GREY, inputs)
    return values


@pytest.mark.parametrize("clip", [True, False])
@pytest.mark.parametrize("linear", [True, False])
@pytest.mark.parametrize(("steps", "threshold"), [(1, 0.01), (2, 0.3), (7, 0.01), (25, 0.2), (100, 0.05)])
def test_latency_is_snntorchs(steps: int, threshold: float, linear: bool, clip: bool) -> None:
    values = images()
    values[3] = threshold
    mine = Encoding(kind="latency", threshold=threshold, linear=linear, clip=clip).encode(values, steps)
    judge = spikegen.latency(
        torch.from_numpy(values), num_steps=steps, threshold=threshold, normalize=True, linear=linear, clip=clip
    )
    np.testing.assert_array_equal(mine, judge.numpy().transpose(1, 0, 2))
    assert set(np.unique(mine.sum(axis=1))) == ({0.0, 1.0} if clip else {1.0})


def test_rate_has_the_probabilities_it_is_given() -> None:
    spikes = Encoding(kind="rate", seed=5).encode(np.tile(GREY, (400, 1)), 50)
    assert set(np.unique(spikes)) == {0.0, 1.0}
    assert not spikes[:, :, 0].any()
    assert spikes[:, :, -1].all()
    deviation = np.sqrt(GREY * (1 - GREY) / 20_000)
    assert (np.abs(spikes.mean(axis=(0, 1)) - GREY) <= 4.5 * deviation).all()
    # Neither steps, inputs, samples nor draws know of each other.
    fair = np.full((60, 60), 0.5)
    one, other = (Encoding(kind="rate", seed=5).encode(fair, 60, draw=draw) - 0.5 for draw in (0, 1))
    for a, b in ((one[:, 1:], one[:, :-1]), (one[1:], one[:-1]), (one[:, :, 1:], one[:, :, :-1]), (one, other)):
        assert abs((a * b).mean()) < 5 * 0.25 / np.sqrt(a.size)


def test_draws_depend_on_seed_index_and_draw_alone() -> None:
    values = images()
    code = Encoding(kind="rate", seed=3)
    whole = code.encode(values, 9)
    order = np.array([7, 2, 11])
    np.testing.assert_array_equal(code.encode(values[order], 9, order), whole[order])
    np.testing.assert_array_equal(code.encode(values, 9, draw=0), whole)
    for other in (code.encode(values, 9, draw=1), dataclasses.replace(code, seed=4).encode(values, 9)):
        assert (other != whole).any()
    # The first numbers of Philox4x64-10 under this key, from numpy in another process: nothing global decides them.
    words = "import numpy as np; print(*np.random.Philox(key=[3, 5], counter=[0, 0, 0, 2]).random_raw(2))"
    low, high = map(int, subprocess.run([sys.executable, "-c", words], capture_output=True, check=True).stdout.split())
    numbers = np.array([low % 2**32, low >> 32, high % 2**32, high >> 32])
    mine = code.encode(np.array([[0.25, 0.75]]), 2, np.array([5]), draw=2)
    np.testing.assert_array_equal(mine[0], numbers.reshape(2, 2) < np.array([0.25, 0.75]) * 2.0**32)


def test_normalisation_comes_first() -> None:
    standard = Encoding(offset=0.1307, scale=0.3081)
    drive = standard.encode(np.array([[0.0, 1.0]]), 3)
    np.testing.assert_allclose(drive[0], [[-0.4242129, 2.8214865]] * 3, rtol=1e-6)
    assert standard.limits(None) == tuple(drive[0, 0])
    code = Encoding(kind="latency", scale=255.0)
    np.testing.assert_array_equal(
        code.encode(GREY[None] * 255, 9), dataclasses.replace(code, scale=1.0).encode(GREY[None], 9)
    )
    assert code.limits(GREY * 255) == (0.0, 1.0)
    spikes = np.random.default_rng(0).integers(0, 2, (4, 6, 5)).astype(float)
    np.testing.assert_array_equal(Encoding(kind="given").encode(spikes, 6), spikes)
    np.testing.assert_array_equal(Encoding(kind="given", offset=1, scale=2).encode(spikes, 6), (spikes - 1) / 2)


@pytest.mark.parametrize(
    ("encoding", "values", "reason"),
    [
        (
            Encoding(kind="rate", offset=0.1307, scale=0.3081),
            images(),
            r"takes inputs in 0\.\.1, but input 0 of sample 0",
        ),
        (Encoding(kind="latency"), np.array([[0.5, 0.5], [0.5, 1.01]]), r"input 1 of sample 1 is 1\.01"),
        (Encoding(kind="rate"), np.array([[0.5, np.nan]]), "input 1 of sample 0 is nan"),
        (Encoding(kind="given"), images(), r"takes \(samples, steps, inputs\)"),
        (Encoding(kind="constant"), np.zeros((2, 4, 3)), r"takes \(samples, inputs\)"),
        (Encoding(kind="given"), np.zeros((2, 5, 3)), "given over 5 steps, the network runs 4"),
    ],
)
def test_contradictions_are_refused(encoding: Encoding, values: np.ndarray, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        encoding.encode(values, 4)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": "poisson"}, "encoding 'poisson' is not known; allowed: constant, rate, latency, given"),
        ({"scale": 0.0}, "scale above 0"),
        ({"scale": -1.0}, "scale above 0"),
        ({"scale": float("inf")}, "finite"),
        ({"offset": float("nan")}, "finite"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"threshold": 0.0}, "threshold"),
        ({"threshold": 1.0}, "threshold"),
    ],
)
def test_encodings_that_make_no_sense(fields: dict[str, float], reason: str) -> None:
    with pytest.raises(NetworkError, match=reason):
        Encoding(**fields)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_network_predicts_the_same_in_batches_of_any_size(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["constant", "rate", "latency"]))
    network = dataclasses.replace(
        samples.network(), encoding=Encoding(kind=kind, seed=data.draw(st.integers(0, 9))),
        decision=data.draw(st.sampled_from(["membrane", "count"])),
    )  # fmt: skip
    assert isinstance(network, Network)
    values = images(10, 3)
    whole = network.run(network.encode(values)).predictions(network.decision)
    np.testing.assert_array_equal(network.predict(values, batch=data.draw(st.integers(1, 11))), whole)
