"""A current source built from an op-amp and resistors of 0.1 %: the Howland circuit's output resistance."""

from __future__ import annotations

from snn2circuit.ir.parts import Electronics, Quantity

HOWLAND = Electronics(
    name="howland",
    technology="Howland current source of 100 kohm resistors with 0.1 % tolerance",
    r_source=Quantity(
        value=25e6,
        unit="ohm",
        source="R / (4 t) for four resistors R of tolerance t, the worst mismatch of the bridge",
        confidence="derived",
    ),
)
