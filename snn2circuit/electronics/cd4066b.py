"""CD4066B, the CMOS bilateral switch, at 15 V; with the default capacitor too slow to reset before the drive pulse."""

from __future__ import annotations

from snn2circuit.ir.parts import Electronics, Quantity

_SHEET = "Texas Instruments CD4066B data sheet (SCHS051), features; quoted from memory"

CD4066B = Electronics(
    name="cd4066b",
    technology="analog switch, CMOS 4000 series",
    r_on=Quantity(value=125.0, unit="ohm", source=f"{_SHEET}: typ. at 15 V", confidence="medium"),
    r_off=Quantity(value=100e9, unit="ohm", source=f"{_SHEET}: 10 pA at 10 V, as a resistance", confidence="medium"),
    switch_current=Quantity(
        value=2.5e-9,
        unit="A",
        source="Texas Instruments CD4066B data sheet (SCHS051), quoted from memory: 10 nA typ. at 15 V, a fourth of it",
        confidence="medium",
    ),
)
