"""Wilcoxon's test and Holm's correction, against scipy, by hand and on chance alone."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import wilcoxon

from snn2circuit.analysis.significance import compare_pairs, holm
from snn2circuit.errors import DataError


def test_holm_by_hand() -> None:
    """0.01·4, then 0.015·3 = 0.045, 0.03·2 = 0.06, and 0.04·1 may not fall below that."""
    assert holm([0.03, 0.01, 0.04, 0.015]) == pytest.approx([0.06, 0.04, 0.06, 0.045])
    assert holm([0.4, 0.9]) == [0.8, 0.9]
    assert holm([0.7, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_every_sign_pattern_of_five_pairs() -> None:
    """The exact distribution: the share of the 32 sign patterns whose smaller rank sum is at most the one seen."""
    sizes = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    sums = {signs: sizes[np.array(signs) > 0].sum() * 10 for signs in itertools.product((1, -1), repeat=5)}
    smaller = np.array([min(total, 15 - total) for total in sums.values()])
    for signs, total in sums.items():
        (found,) = compare_pairs({("a", "b"): (np.array(signs) * sizes, np.zeros(5))})
        assert found.p == pytest.approx((smaller <= min(total, 15 - total) + 1e-9).mean())
        assert found.effect == pytest.approx((2 * total - 15) / 15)
    assert min(
        compare_pairs({("a", "b"): (np.array(signs) * sizes, np.zeros(5))})[0].p for signs in sums
    ) == pytest.approx(2 / 32)


def test_a_family_agrees_with_scipy_and_is_corrected() -> None:
    random = np.random.default_rng(3)
    a, c = random.normal(0, 1, 30), random.normal(0, 1, 30)
    b = a - np.abs(random.normal(0.5, 0.1, 30))
    better, chance = compare_pairs({("a", "b"): (a, b), ("a", "c"): (a, c)})
    assert better.p == pytest.approx(wilcoxon(a, b).pvalue)
    assert chance.p == pytest.approx(wilcoxon(a, c).pvalue)
    assert (better.effect, better.significant, better.pairs) == (1.0, True, 30)
    assert better.p_holm == pytest.approx(2 * better.p)
    assert not chance.significant


def test_no_difference_at_all() -> None:
    (same,) = compare_pairs({("a", "b"): (np.ones(6), np.ones(6))})
    assert (same.p, same.effect, same.median, same.significant) == (1.0, 0.0, 0.0, False)


def test_what_is_no_pair() -> None:
    with pytest.raises(DataError, match="pairs are needed"):
        compare_pairs({("a", "b"): (np.ones(3), np.ones(4))})
    with pytest.raises(DataError, match="pairs are needed"):
        compare_pairs({("a", "b"): (np.ones(0), np.ones(0))})
