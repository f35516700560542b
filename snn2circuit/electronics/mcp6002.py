"""MCP6002, a cheap low-power rail-to-rail dual op-amp, used here on 2.5 V supplies."""

from __future__ import annotations

from snn2circuit.ir.parts import Electronics, Quantity

_SHEET = "Microchip MCP6001/2/4 data sheet (DS21733)"
_RECALLED = f"{_SHEET}, electrical characteristics; quoted from memory"

MCP6002 = Electronics(
    name="mcp6002",
    technology="op-amp, CMOS rail-to-rail, 100 uA",
    gain=Quantity(value=398e3, unit="", source=f"{_RECALLED}: AOL typ. 112 dB", confidence="medium"),
    bandwidth=Quantity(value=1e6, unit="Hz", source=f"{_SHEET}, features: 1 MHz typ.", confidence="high"),
    offset=Quantity(value=4.5e-3, unit="V", source=f"{_RECALLED}: VOS max.", confidence="medium"),
    v_low=Quantity(value=-2.475, unit="V", source=f"{_RECALLED}: 25 mV from 2.5 V", confidence="medium"),
    v_high=Quantity(value=2.475, unit="V", source=f"{_RECALLED}: 25 mV from 2.5 V", confidence="medium"),
    slew=Quantity(value=0.6e6, unit="V/s", source=f"{_RECALLED}: SR typ.", confidence="medium"),
    amplifier_current=Quantity(
        value=100e-6, unit="A", source=f"{_SHEET}, features: IQ typ., per amplifier", confidence="high"
    ),
    supply=Quantity(value=5.0, unit="V", source="what its values here are taken at", confidence="assumed"),
)
