"""74HC gates as the latch's logic, on any supply: levels are shares of it, the circuit's logic is 0 to 1."""

from __future__ import annotations

from snn2circuit.ir.parts import Electronics, Quantity

HC_GATES = Electronics(
    name="74hc",
    technology="high-speed CMOS gates at 4.5 V",
    gate_threshold=Quantity(
        value=0.7,
        unit="",
        source="74HC DC table at 4.5 V (e.g. Harris CD74HC423): VIH min. 3.15 V, the highest a gate may switch at",
        confidence="high",
    ),
    gate_delay=Quantity(
        value=13e-9,
        unit="s",
        source="STMicroelectronics M74HCT125 data sheet: tPLH typ. at 4.5 V and 50 pF, the gates' own; HC is alike",
        confidence="medium",
    ),
    gate_current=Quantity(
        value=1e-6,
        unit="A",
        source="74HC125 data sheets (e.g. Toshiba): ICC max. 4 uA, a fourth of it; leakage, typically far less",
        confidence="derived",
    ),
    gate_supply=Quantity(value=4.5, unit="V", source="what the values above hold at", confidence="high"),
)
