"""Is one configuration better than another, or was it luck? Wilcoxon's signed-rank test on paired results.

For paired results ``a_i, b_i`` the non-zero differences ``d_i`` are ranked by size; ``W+`` and ``W-`` are the sums of
the ranks of the positive and the negative ones. Under the hypothesis of no difference both are alike; the two-sided
p-value is scipy's (exact for few pairs without ties, normal approximation otherwise). No distribution is assumed, but
pairs must be independent of each other. The effect size is the matched-pairs rank-biserial correlation ``r = (W+ - W-)
/ (W+ + W-)``: 1 if ``a`` wins every pair, 0 for a draw, -1 if ``b`` wins every pair.

A family of tests at 5 % each finds differences where there are none more often than in 5 % of cases. Holm's correction
prevents that: of ``m`` p-values in ascending order the ``k``-th is multiplied by ``m - k + 1`` and never falls below
the one before. Sources: F. Wilcoxon, Biometrics Bulletin 1, 80 (1945), doi:10.2307/3001968; D. S. Kerby, Comprehensive
Psychology 3, 11.IT.3.1 (2014), doi:10.2466/11.IT.3.1; S. Holm, Scandinavian Journal of Statistics 6, 65 (1979).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from snn2circuit.errors import DataError
from snn2circuit.ir.noun import Floats

LEVEL = 0.05


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two configurations, pair by pair."""

    first: str
    second: str
    pairs: int
    median: float  # of first - second
    effect: float  # rank-biserial correlation, -1..1
    p: float  # two-sided
    p_holm: float  # the same, corrected for all comparisons of the family

    @property
    def significant(self) -> bool:
        """Whether the difference stands after the correction."""
        return self.p_holm < LEVEL


def compare_pairs(family: Mapping[tuple[str, str], tuple[Floats, Floats]]) -> list[Comparison]:
    """Test a family of comparisons, each two arrays ``(pairs,)`` of results of which equal places belong together.

    Raises:
        DataError: arrays differ in length or are empty.
    """
    plain = [_compare(first, second, a, b) for (first, second), (a, b) in family.items()]
    corrected = holm([each.p for each in plain])
    return [dataclasses.replace(each, p_holm=p) for each, p in zip(plain, corrected, strict=True)]


def holm(p_values: list[float]) -> list[float]:
    """Holm's step-down correction, in the order given."""
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = highest
    return corrected


def _compare(first: str, second: str, a: Floats, b: Floats) -> Comparison:
    from scipy.stats import rankdata, wilcoxon

    if a.shape != b.shape or a.ndim != 1 or not a.size:
        raise DataError(f"{first} has {a.shape} results and {second} {b.shape}; pairs are needed")
    # Accuracies are multiples of 1/samples; rounding makes equal differences tie, as they do on paper.
    differences = np.round(a - b, 12)
    moved = differences[differences != 0]
    ranks = rankdata(np.abs(moved))
    effect = float(np.sum(np.sign(moved) * ranks) / ranks.sum()) if moved.size else 0.0
    p = float(wilcoxon(moved).pvalue) if moved.size else 1.0
    return Comparison(
        first=first,
        second=second,
        pairs=a.size,
        median=float(np.median(differences)),
        effect=effect,
        p=p,
        p_holm=p,
    )
