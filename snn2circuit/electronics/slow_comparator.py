"""A comparator with offset and delay, otherwise ideal parts."""

from __future__ import annotations

from snn2circuit.ir.parts import Electronics, Quantity

_SOURCE = "a round number, no part's"

SLOW_COMPARATOR = Electronics(
    name="slow_comparator",
    technology="comparator with 1 mV offset and 1 us delay, otherwise ideal",
    comparator_offset=Quantity(value=1e-3, unit="V", source=_SOURCE, confidence="assumed"),
    comparator_delay=Quantity(value=1e-6, unit="s", source=_SOURCE, confidence="assumed"),
)
