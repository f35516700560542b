"""MCP6022, a rail-to-rail dual op-amp for 5 V, used here on 2.5 V supplies."""

from __future__ import annotations

from snn2circuit.ir.parts import Electronics, Quantity

_SHEET = "Microchip MCP6021/2/3/4 data sheet (DS21685)"
_RECALLED = f"{_SHEET}, electrical characteristics; quoted from memory"

MCP6022 = Electronics(
    name="mcp6022",
    technology="op-amp, CMOS rail-to-rail",
    gain=Quantity(value=316e3, unit="", source=f"{_RECALLED}: AOL typ. 110 dB", confidence="medium"),
    bandwidth=Quantity(value=10e6, unit="Hz", source=f"{_SHEET}, features: 10 MHz typ.", confidence="high"),
    offset=Quantity(value=500e-6, unit="V", source=f"{_SHEET}, DC table: VOS max., industrial", confidence="high"),
    v_low=Quantity(value=-2.48, unit="V", source=f"{_RECALLED}: 20 mV from 2.5 V", confidence="medium"),
    v_high=Quantity(value=2.48, unit="V", source=f"{_RECALLED}: 20 mV from 2.5 V", confidence="medium"),
    slew=Quantity(value=7e6, unit="V/s", source=f"{_RECALLED}: SR typ.", confidence="medium"),
    amplifier_current=Quantity(
        value=1e-3, unit="A", source=f"{_SHEET}, features: supply current typ., per amplifier", confidence="high"
    ),
    supply=Quantity(value=5.0, unit="V", source="what its values here are taken at", confidence="assumed"),
)
