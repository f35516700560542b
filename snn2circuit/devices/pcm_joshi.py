"""Phase-change memory with the conductance range of CrossSim's PCMJoshi model.

Drift and programming error of that model are not applied here.
"""

from snn2circuit.devices.ohmic import OhmicDevice
from snn2circuit.ir.parts import Quantity

_SOURCE = "sandialabs/cross-sim, PCMJoshi device model: 0.25 to 25 uS"

PRESET = OhmicDevice(
    name="pcm_joshi",
    technology="phase-change memory, 100 : 1",
    g_min=Quantity(value=0.25e-6, unit="S", source=_SOURCE, confidence="high"),
    g_max=Quantity(value=25e-6, unit="S", source=_SOURCE, confidence="high"),
    v_read=Quantity(
        value=0.1, unit="V", source="no source gives one; small against any switching voltage", confidence="assumed"
    ),
)
