"""An op-amp of gain 1e5 and 10 MHz, otherwise ideal: the round numbers at which spikes begin to differ."""

from __future__ import annotations

from snn2circuit.ir.parts import Electronics, Quantity

_SOURCE = "the usual textbook op-amp; a round number, no part's"

FINITE_GAIN = Electronics(
    name="finite_gain",
    technology="op-amp of gain 1e5 and 10 MHz, otherwise ideal",
    gain=Quantity(value=1e5, unit="", source=_SOURCE, confidence="assumed"),
    bandwidth=Quantity(value=10e6, unit="Hz", source=_SOURCE, confidence="assumed"),
)
