"""Screen-printed polymer thick-film silver on foil: thick, of low resistance, and coarse.

Silver of 25 to 40 um has 8 to 81 milliohm per square at 25 um (Dow Corning PI-2000, circuitcalculator.com); the
thinnest film and the highest resistance are taken. Width and space are the conservative design rule of membrane
switches, 0.020 inch (JRPanel guide); records lie far below it (22 um, Hyun et al., ACS Appl. Mater. Interfaces, 2015).
Overlay and dielectric were not found and are assumed.
"""

from snn2circuit.ir.layout import Process
from snn2circuit.ir.parts import Quantity
from snn2circuit.layout.processes.foil import DENSITY_WINDOW, MAX_DENSITY, VIA_DIAMETER, largest_sheet, print_layers

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

PROCESS = Process(
    name="screen",
    technology="screen-printed polymer thick-film silver on PET foil, through-foil vias",
    layers=print_layers(
        silver="polymer thick-film silver",
        silver_thickness=SILVER,
        sheet_resistance=SHEET_RESISTANCE,
        device="resistive or switching paste",
        dielectric="screen-printed dielectric",
        between=BETWEEN,
    ),
    min_width=Quantity(value=500e-6, unit="m", source="JRPanel membrane switch guide, 0.020 in", confidence="high"),
    min_space=Quantity(value=500e-6, unit="m", source="JRPanel membrane switch guide, 0.020 in", confidence="high"),
    overlay=Quantity(value=100e-6, unit="m", source="no source found", confidence="assumed"),
    via_diameter=VIA_DIAMETER,
    max_density=MAX_DENSITY,
    density_window=DENSITY_WINDOW,
    **largest_sheet(1.0, 0.7),
)
