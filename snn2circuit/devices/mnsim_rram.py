"""RRAM as MNSIM 2.0 assumes it by default: 30 kohm to 150 kohm.

A simulator's default, useful for comparing with work that used it.
"""

from snn2circuit.devices.ohmic import OhmicDevice
from snn2circuit.ir.parts import Quantity

_SOURCE = "thu-nics/MNSIM-2.0, SimConfig.ini"

PRESET = OhmicDevice(
    name="mnsim_rram",
    technology="RRAM, default of MNSIM 2.0",
    g_min=Quantity(value=1 / 150e3, unit="S", source=_SOURCE, confidence="high"),
    g_max=Quantity(value=1 / 30e3, unit="S", source=_SOURCE, confidence="high"),
    v_read=Quantity(value=0.5, unit="V", source=_SOURCE, confidence="high"),
)
