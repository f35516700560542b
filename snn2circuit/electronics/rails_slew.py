"""An op-amp that ends at its rails and moves at a limited rate."""

from __future__ import annotations

from snn2circuit.ir.parts import Electronics, Quantity

_SOURCE = "a round number, no part's"

RAILS_SLEW = Electronics(
    name="rails_slew",
    technology="op-amp of gain 1e5, 10 MHz, rails at 2.5 V, 5 V/us",
    gain=Quantity(value=1e5, unit="", source=_SOURCE, confidence="assumed"),
    bandwidth=Quantity(value=10e6, unit="Hz", source=_SOURCE, confidence="assumed"),
    v_low=Quantity(value=-2.5, unit="V", source=_SOURCE, confidence="assumed"),
    v_high=Quantity(value=2.5, unit="V", source=_SOURCE, confidence="assumed"),
    slew=Quantity(value=5e6, unit="V/s", source=_SOURCE, confidence="assumed"),
)
