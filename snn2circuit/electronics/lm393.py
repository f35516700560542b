"""LM393, the dual comparator found everywhere; slow near its threshold."""

from __future__ import annotations

from snn2circuit.ir.parts import Electronics, Quantity

_SHEET = "STMicroelectronics LM393 data sheet (Doc ID 2164), table 3, 5 V, 25 degC"

LM393 = Electronics(
    name="lm393",
    technology="comparator, open collector",
    comparator_offset=Quantity(value=1e-3, unit="V", source=f"{_SHEET}: Vio typ. (max. 5 mV)", confidence="high"),
    comparator_delay=Quantity(value=1.3e-6, unit="s", source=f"{_SHEET}: tre at 5 mV overdrive", confidence="high"),
    comparator_current=Quantity(
        value=0.225e-3,
        unit="A",
        source=f"{_SHEET}: ICC typ. 0.45 mA of both comparators, halved (max. 1 mA)",
        confidence="derived",
    ),
)
