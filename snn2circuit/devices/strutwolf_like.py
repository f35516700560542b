"""Printed organic Ag / PMMA:PVA / ITO memristor, from SYNTHETIC data: never present it as measured.

The numbers are parameters of a synthetic dataset that its author calls "based on Strutwolf et al. 2021"; the measured
values of that paper were not available.
"""

from snn2circuit.devices.ohmic import OhmicDevice
from snn2circuit.ir.parts import Quantity

_SOURCE = (
    "jurjsorinliviu/Physics-Informed-Neural-Networks-for-Printed-Memristors, synthetic data generator: 1 kohm, 100 kohm"
)

PRESET = OhmicDevice(
    name="strutwolf_like",
    technology="printed organic memristor Ag/PMMA:PVA/ITO (synthetic data)",
    g_min=Quantity(value=1e-5, unit="S", source=_SOURCE, confidence="medium"),
    g_max=Quantity(value=1e-3, unit="S", source=_SOURCE, confidence="medium"),
    v_read=Quantity(
        value=0.1, unit="V", source="no source gives one; small against any switching voltage", confidence="assumed"
    ),
)
