"""Pairs on values that can be made: their differences, not their conductances, are what a network asks for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_compensate import DEVICE, Faulty, crossbar

from snn2circuit.ir.noun import Floats
from snn2circuit.mapping import Values, compensate_network, pair_errors, print_pairs, trim_printed, weight_error

INK = 3500.0


def grid(step: float, g_min: float = DEVICE.g_min.value, g_max: float = DEVICE.g_max.value) -> Values:
    """Strips of whole steps of ``step`` squares, within the range."""
    first, last = np.ceil(1 / (g_max * INK * step) - 1e-9), np.floor(1 / (g_min * INK * step) + 1e-9)

    def values(siemens: Floats) -> tuple[Floats, Floats]:
        with np.errstate(divide="ignore"):
            steps = 1 / (siemens * INK * step)
        many, few = (np.clip(each, first, last) for each in (np.ceil(steps - 1e-6), np.floor(steps + 1e-6)))
        return 1 / (many * step * INK), 1 / (few * step * INK)

    return values


def made(values: Values, siemens: Floats) -> bool:
    return bool(np.allclose(values(siemens), siemens, rtol=1e-12))


@given(st.floats(1e-4, 0.25), st.integers(0, 100))
@settings(deadline=None, max_examples=60)
def test_differences_stay_within_the_bound(step: float, seed: int) -> None:
    values, original = grid(step), crossbar(seed=seed)
    printed = print_pairs(original, [values] * len(original.layers))
    for layer, before in zip(printed.layers, original.layers, strict=True):
        pos, neg = layer.programmed
        assert made(values, pos)
        assert made(values, neg)
        upper, lower = np.maximum(pos, neg), np.minimum(pos, neg)
        asked = layer.gain * layer.siemens_per_unit * before.weights
        # At the lower conductance wanted; half a step of this grid, which has no turns.
        wanted = upper - np.abs(asked)
        bound = step * INK * wanted * np.maximum(wanted, lower) / 2
        assert (np.abs(pos - neg - asked) <= bound * (1 + 1e-6) + 1e-18).all()
        # No further above the level that it rests on than a step of the upper one.
        assert (wanted - before.g_pos.min() <= step * INK * upper**2 * (1 + 1e-6) + 1e-12).all()
        np.testing.assert_array_equal(layer.weights, before.weights)
        assert 0.9 < layer.gain <= 1
    assert max(pair_errors(printed)) < max(pair_errors(replace(original, layers=printed.layers))) + 1e-4


def test_what_can_be_made_already_stays() -> None:
    values = grid(0.01)
    once = print_pairs(crossbar(), [values] * 2)
    again = print_pairs(once, [values] * 2)
    for one, other in zip(once.layers, again.layers, strict=True):
        np.testing.assert_allclose(one.programmed, other.programmed, rtol=1e-12)


@pytest.mark.parametrize("step", [1e-4, 0.125])
def test_trims_hold_on_printable_values(step: float) -> None:
    original, faulty, values = crossbar(), Faulty(a=1e3, drop=0.8), [grid(step)] * 2
    trimmed, reports = compensate_network(original, faulty, values=values)
    for layer, report in zip(trimmed.layers, reports, strict=True):
        assert all(made(values[0], each) for each in layer.programmed)
        assert report.worst_after < 1e-4 < 1e-2 < report.worst_before
        assert report.short == ()
    assert weight_error(trimmed, faulty) == pytest.approx([each.worst_after for each in reports])
    # Against a circuit that differs a little, upper conductances stay, but where lower ones have no room left.
    other = Faulty(a=1e3, drop=0.801)
    assert max(weight_error(trimmed, other)) > 1e-4
    again = trim_printed(trimmed, other, values)
    assert max(weight_error(again, other)) < 1e-4
    assert all(made(values[0], each) for layer in again.layers for each in layer.programmed)
    for one, two in zip(trimmed.layers, again.layers, strict=True):
        moved = np.abs(np.maximum(*two.programmed) / np.maximum(*one.programmed) - 1) > 1e-9
        assert moved.sum() <= 3
