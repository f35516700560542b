"""The analog RRAM of MLP+NeuroSim 3: tens of megohms, which printed neurons with small currents like.

The values match published Ag:a-Si devices; that attribution is not confirmed.
"""

from snn2circuit.devices.ohmic import OhmicDevice
from snn2circuit.ir.parts import Quantity

_SOURCE = "neurosim/MLP_NeuroSim_V3.0, Cell.cpp"

PRESET = OhmicDevice(
    name="ag_asi",
    technology="analog RRAM (Ag:a-Si like), default of MLP+NeuroSim 3",
    g_min=Quantity(value=3.0769e-9, unit="S", source=_SOURCE, confidence="high"),
    g_max=Quantity(value=38.462e-9, unit="S", source=_SOURCE, confidence="high"),
    v_read=Quantity(value=0.5, unit="V", source=_SOURCE, confidence="high"),
)
