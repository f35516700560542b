"""Inkjet-printed PEDOT:PSS resistor between silver electrodes: fixed weights, measured spread of 3 to 18 percent.

The resistance range is that of the abstract; the limits are conductances of its ends.
"""

from snn2circuit.devices.ohmic import OhmicDevice
from snn2circuit.ir.parts import Quantity

_SOURCE = (
    "abstract of the SCALE inkjet resistor work: 170 ohm to 3.8 Mohm, more than 98 percent of 300 devices functional"
)

PRESET = OhmicDevice(
    name="pedot_pss_resistor",
    technology="inkjet-printed PEDOT:PSS resistor with silver electrodes, written once",
    by_shape=True,
    g_min=Quantity(value=1 / 3.8e6, unit="S", source=_SOURCE, confidence="high"),
    g_max=Quantity(value=1 / 170.0, unit="S", source=_SOURCE, confidence="high"),
    v_read=Quantity(
        value=0.1, unit="V", source="no source gives one; small against any switching voltage", confidence="assumed"
    ),
)
