"""Oxide RRAM as characterised in CrossSim's RRAMMilo model: a high, narrow conductance range.

Ohmic only at small voltage; the source's polynomial I-V holds up to 0.5 V.
"""

from snn2circuit.devices.ohmic import OhmicDevice
from snn2circuit.ir.parts import Quantity

_SOURCE = "sandialabs/cross-sim, RRAMMilo device model (IRPS 2021): 50 to 225 uS"

PRESET = OhmicDevice(
    name="rram_milo",
    technology="oxide RRAM, 4.5 : 1",
    g_min=Quantity(value=50e-6, unit="S", source=_SOURCE, confidence="high"),
    g_max=Quantity(value=225e-6, unit="S", source=_SOURCE, confidence="high"),
    v_read=Quantity(
        value=0.1, unit="V", source="no source gives one; small against any switching voltage", confidence="assumed"
    ),
)
