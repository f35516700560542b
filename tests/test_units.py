"""Numbers as people read them."""

from __future__ import annotations

import pytest

from snn2circuit.units import engineering


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (14925.4, "Ω", "14.9 kΩ"),
        (0.36, "ohm", "360 mΩ"),
        (0.18, "ohm/sq", "180 mΩ/sq"),
        (999.9, "m", "1 km"),
        (0.0, "F", "0 F"),
        (3.2, "1", "3.2"),
        (0.8, "1", "0.8"),
        (1e10, "", "1e+10"),
    ],
)
def test_prefixes_belong_to_units(value: float, unit: str, text: str) -> None:
    assert engineering(value, unit) == text
