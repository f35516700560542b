"""The generic non-volatile memory of DNN+NeuroSim 1.4: 100 kohm and a ratio of 17.

A simulator's default, useful for comparing with work that used it.
"""

from snn2circuit.devices.ohmic import OhmicDevice
from snn2circuit.ir.parts import Quantity

_SOURCE = "neurosim/DNN_NeuroSim_V1.4, Param.cpp"

PRESET = OhmicDevice(
    name="neurosim_nvm",
    technology="generic NVM, default of DNN+NeuroSim 1.4",
    g_min=Quantity(value=1e-5 / 17, unit="S", source=_SOURCE, confidence="derived"),
    g_max=Quantity(value=1e-5, unit="S", source=_SOURCE, confidence="high"),
    v_read=Quantity(value=0.5, unit="V", source=_SOURCE, confidence="high"),
)
