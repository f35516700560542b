"""Screen-printed polymer thick-film silver on foil: thick, of low resistance, and coarse.

Silver of 25 to 40 um has 8 to 81 milliohm per square at 25 um (Dow Corning PI-2000, circuitcalculator.com); the
thinnest film and the highest resistance are taken. Width and space are the conservative design rule of membrane
switches, 0.020 inch (JRPanel guide); records lie far below it (22 um, Hyun et al., ACS Appl. Mater. Interfaces, 2015).
Overlay and dielectric were not found and are assumed.
"""

from snn2circuit.ir.layout import Process, ProcessLayer
from snn2circuit.ir.parts import Quantity
from snn2circuit.layout.processes.foil import SUBSTRATE, SUBSTRATE_VIAS, VIA_DIAMETER

SILVER = Quantity(
    value=25e-6, unit="m", source="Dow Corning PI-2000 via circuitcalculator.com, 25 to 40 um", confidence="high"
)
SHEET_RESISTANCE = Quantity(
    value=0.081,
    unit="ohm/sq",
    source="Dow Corning PI-2000 via circuitcalculator.com, 0.008 to 0.081 at 25 um",
    confidence="high",
)
BETWEEN = Quantity(value=25e-6, unit="m", source="no source found", confidence="assumed")
SHARED = Quantity(value=BETWEEN.value, unit="m", source="as thick as the dielectric around it", confidence="assumed")

PROCESS = Process(
    name="screen",
    technology="screen-printed polymer thick-film silver on PET foil, through-foil vias",
    layers=(
        SUBSTRATE,
        SUBSTRATE_VIAS,
        ProcessLayer(
            name="word_lines",
            role="conductor",
            material="polymer thick-film silver",
            thickness=SILVER,
            color="#aab4c0",
            sheet_resistance=SHEET_RESISTANCE,
        ),
        ProcessLayer(
            name="devices", role="device", material="resistive or switching paste", thickness=SHARED, color="#c58b2b"
        ),
        ProcessLayer(
            name="dielectric",
            role="dielectric",
            material="screen-printed dielectric",
            thickness=BETWEEN,
            color="#6fae8f",
        ),
        ProcessLayer(
            name="contacts",
            role="via",
            material="polymer thick-film silver in openings of the dielectric",
            thickness=SHARED,
            color="#98a4b0",
        ),
        ProcessLayer(
            name="cells",
            role="cell",
            material="neuron circuit, drawn as a black box",
            thickness=SHARED,
            color="#3d6fb4",
        ),
        ProcessLayer(
            name="bit_lines",
            role="conductor",
            material="polymer thick-film silver",
            thickness=SILVER,
            color="#dfe4ea",
            sheet_resistance=SHEET_RESISTANCE,
        ),
    ),
    min_width=Quantity(value=500e-6, unit="m", source="JRPanel membrane switch guide, 0.020 in", confidence="high"),
    min_space=Quantity(value=500e-6, unit="m", source="JRPanel membrane switch guide, 0.020 in", confidence="high"),
    overlay=Quantity(value=100e-6, unit="m", source="no source found", confidence="assumed"),
    via_diameter=VIA_DIAMETER,
)
