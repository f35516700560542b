"""Solution-processed MoOx/MoS2 memristor with printed silver electrodes on plastic foil.

Programmed at 0.1 to 0.2 V, so a read must stay well below; the read voltage is an assumption.
"""

from snn2circuit.devices.ohmic import OhmicDevice
from snn2circuit.ir.parts import Quantity

_SOURCE = "Bessonov et al., Nature Materials 14 (2015), abstract: 100 ohm to 100 Mohm"

PRESET = OhmicDevice(
    name="moox_mos2_foil",
    technology="solution-processed MoOx/MoS2 memristor on foil",
    g_min=Quantity(value=1e-8, unit="S", source=_SOURCE, confidence="high"),
    g_max=Quantity(value=1e-2, unit="S", source=_SOURCE, confidence="high"),
    v_read=Quantity(
        value=0.02,
        unit="V",
        source="no source gives one; a fifth of the lowest programming voltage, 0.1 V",
        confidence="assumed",
    ),
)
