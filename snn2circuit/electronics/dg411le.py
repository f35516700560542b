"""DG411LE, a quad analog switch for supplies up to 8 V."""

from __future__ import annotations

from snn2circuit.ir.parts import Electronics, Quantity

_SHEET = "Vishay DG411LE data sheet, features"
_SIBLING = "Maxim DG411F data sheet, table: off leakage at most 0.25 nA at 10 V, as a resistance"

DG411LE = Electronics(
    name="dg411le",
    technology="analog switch, up to 16 V",
    r_on=Quantity(value=16.0, unit="ohm", source=f"{_SHEET}: RDS(on)", confidence="high"),
    r_off=Quantity(value=40e9, unit="ohm", source=_SIBLING, confidence="derived"),
    switch_current=Quantity(
        value=3e-9,
        unit="A",
        source="Vishay DG411 data sheet (70050), a sibling: 0.35 uW at 30 V, shared by four switches",
        confidence="derived",
    ),
)
