"""TL072, the JFET-input dual op-amp of many breadboards, on 15 V supplies."""

from __future__ import annotations

from snn2circuit.ir.parts import Electronics, Quantity

_SHEET = "STMicroelectronics TL072 data sheet (Doc ID 2298), electrical characteristics at 15 V, 25 degC"

TL072 = Electronics(
    name="tl072",
    technology="op-amp, JFET input",
    gain=Quantity(value=200e3, unit="", source=f"{_SHEET}: Avd typ. 200 V/mV", confidence="high"),
    bandwidth=Quantity(value=4e6, unit="Hz", source=f"{_SHEET}: GBP typ.", confidence="high"),
    offset=Quantity(value=3e-3, unit="V", source=f"{_SHEET}: Vio typ. (max. 10 mV)", confidence="high"),
    v_low=Quantity(value=-13.5, unit="V", source=f"{_SHEET}: swing at 10 kohm, typ.", confidence="high"),
    v_high=Quantity(value=13.5, unit="V", source=f"{_SHEET}: swing at 10 kohm, typ.", confidence="high"),
    slew=Quantity(value=16e6, unit="V/s", source=f"{_SHEET}: SR typ.", confidence="high"),
    amplifier_current=Quantity(
        value=1.4e-3, unit="A", source=f"{_SHEET}: ICC per amplifier typ. (max. 2.5 mA)", confidence="high"
    ),
    supply=Quantity(value=30.0, unit="V", source=f"{_SHEET}: what all its values hold at", confidence="high"),
)
