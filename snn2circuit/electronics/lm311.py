"""LM311, a single comparator, faster than the LM393."""

from __future__ import annotations

from snn2circuit.ir.parts import Electronics, Quantity

_SHEET = "Texas Instruments LM311 key specifications, quoted by a distributor"

LM311 = Electronics(
    name="lm311",
    technology="comparator, open collector",
    comparator_offset=Quantity(value=2e-3, unit="V", source=f"{_SHEET}: typ. (max. 7.5 mV)", confidence="medium"),
    comparator_delay=Quantity(value=200e-9, unit="s", source=f"{_SHEET}: response time typ.", confidence="medium"),
    comparator_current=Quantity(
        value=4.6e-3,
        unit="A",
        source="Texas Instruments LM311 data sheet (SLCS007), 15 V: typ. 5.1 mA from V+, 4.1 mA from V-, their mean",
        confidence="derived",
    ),
)
