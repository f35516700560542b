"""The MoOx/MoS2 memristor of :mod:`snn2circuit.devices.moox_mos2_foil`, used from 100 nS to 100 uS: 1000 : 1.

Its whole range reaches up to 10 mS, and printed lines cannot feed devices of 100 ohm: a few of them on one line draw
the current of a short, and no trimming gives back what the silver took. Up to 100 uS, 10 kohm, a line of some hundred
ohm loses percents, which trimming makes up for, and three decades hold more levels than can be told apart.
"""

from snn2circuit.devices import moox_mos2_foil
from snn2circuit.devices.ohmic import OhmicDevice
from snn2circuit.ir.parts import Quantity

_WHOLE = moox_mos2_foil.PRESET

PRESET = OhmicDevice(
    name="foil_memristor",
    technology="solution-processed MoOx/MoS2 memristor on foil, used over 1000 : 1",
    g_min=Quantity(value=1e-7, unit="S", source=f"chosen within {_WHOLE.g_min.source}", confidence="derived"),
    g_max=Quantity(
        value=1e-4,
        unit="S",
        source=f"chosen within {_WHOLE.g_max.source}; printed silver takes less than trimming gives back",
        confidence="derived",
    ),
    v_read=_WHOLE.v_read,
)
