"""Op-amps with an offset of 0.1 mV, all in the direction that raises the membrane, otherwise ideal."""

from __future__ import annotations

from snn2circuit.ir.parts import Electronics, Quantity

OFFSET = Electronics(
    name="offset",
    technology="op-amp with 0.1 mV offset, otherwise ideal",
    offset=Quantity(value=1e-4, unit="V", source="a round number, no part's", confidence="assumed"),
)
