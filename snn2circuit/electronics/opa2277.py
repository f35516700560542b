"""OPA2277, a precision dual op-amp: the offset and gain of an untrimmed neuron that works."""

from __future__ import annotations

from snn2circuit.ir.parts import Electronics, Quantity

_SHEET = "Texas Instruments OPA2277 data sheet (SBOS079), features"
_RECALLED = "Texas Instruments OPA2277 data sheet (SBOS079), electrical characteristics; quoted from memory"

OPA2277 = Electronics(
    name="opa2277",
    technology="op-amp, precision bipolar",
    gain=Quantity(value=5e6, unit="", source=f"{_SHEET}: open-loop gain 134 dB", confidence="high"),
    bandwidth=Quantity(value=1e6, unit="Hz", source=f"{_RECALLED}: GBW", confidence="medium"),
    offset=Quantity(value=10e-6, unit="V", source=f"{_SHEET}: offset 10 uV", confidence="high"),
    slew=Quantity(value=0.8e6, unit="V/s", source=f"{_RECALLED}: slew rate", confidence="medium"),
    amplifier_current=Quantity(value=800e-6, unit="A", source=f"{_SHEET}: 800 uA per amplifier", confidence="high"),
)
