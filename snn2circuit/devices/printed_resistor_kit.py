"""Printed-resistor crossbar of the Karlsruhe printed-neuromorphic work: fixed weights, the best-supported preset.

The numbers are the defaults of the public repository Neuromophic/Printed_Spiking_NN (``configuration.py``: ``--pgmin``,
the minimal printable conductance, and the ratio ``--gmax / --gmin`` of its surrogate conductances).
"""

from snn2circuit.devices.ohmic import OhmicDevice
from snn2circuit.ir.parts import Quantity

PRESET = OhmicDevice(
    name="printed_resistor_kit",
    technology="inkjet-printed resistor, written once",
    by_shape=True,
    g_min=Quantity(
        value=1e-7, unit="S", source="Neuromophic/Printed_Spiking_NN configuration.py --pgmin", confidence="high"
    ),
    g_max=Quantity(
        value=1e-4, unit="S", source="pgmin * gmax / gmin of the same configuration.py", confidence="derived"
    ),
    v_read=Quantity(value=0.1, unit="V", source="no source gives one; small against any supply", confidence="assumed"),
)
