"""The aerosol jet process with an ink for printed resistors: devices that are made by their shape become meanders.

Its other numbers are those of :mod:`snn2circuit.layout.processes.aerosol_jet`. The sheet resistance of such an ink is
not in the sources of the resistor presets; it is assumed, such that the 10 kohm of ``printed_resistor_kit`` are 5
squares, not much above the shortest meander. The ink that you have may differ: put its value into a process file.
"""

from snn2circuit.ir.parts import Quantity
from snn2circuit.layout.processes import aerosol_jet
from snn2circuit.layout.processes.foil import with_ink

PROCESS = with_ink(
    aerosol_jet.PROCESS,
    name="aerosol_jet_resistor",
    material="resistive ink (PEDOT:PSS or carbon)",
    sheet_resistance=Quantity(
        value=2e3,
        unit="ohm/sq",
        source="no source found; 10 kohm of printed_resistor_kit in 5 squares, the shortest meander has 4.6",
        confidence="assumed",
    ),
)
