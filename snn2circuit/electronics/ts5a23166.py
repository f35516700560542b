"""TS5A23166, a low-voltage dual analog switch of less than an ohm."""

from __future__ import annotations

from snn2circuit.ir.parts import Electronics, Quantity

_SHEET = "Texas Instruments TS5A23166 data sheet (SCDS196)"
_SIBLING = "Texas Instruments TS5A3159-EP data sheet (SCDS217), a sibling: 0.2 nA off at 3 V, as a resistance"

TS5A23166 = Electronics(
    name="ts5a23166",
    technology="analog switch, 1.65 V to 5.5 V",
    r_on=Quantity(value=0.9, unit="ohm", source=f"{_SHEET}: ON-state resistance", confidence="high"),
    r_off=Quantity(value=15e9, unit="ohm", source=_SIBLING, confidence="derived"),
)
