"""Roll-to-roll gravure-printed silver on foil: the finest lines here, in a register that sets the space.

Width: 36 um is the narrowest line that conducted (Aijazi, thesis, Western Michigan University, 2014). Overlay: 40 um in
machine direction and 16 um across (Noh et al., IEEE Trans. Electron. Packag. Manuf. 33(4):275, 2010); one number holds
for both directions, so the larger is taken. The space must exceed twice the overlay. Thickness was not found; with the
conductivity of inkjet silver half a micrometre gives the sheet resistance.
"""

from snn2circuit.ir.layout import Process
from snn2circuit.ir.parts import Quantity
from snn2circuit.layout.processes.foil import DENSITY_WINDOW, MAX_DENSITY, VIA_DIAMETER, largest_sheet, print_layers

SILVER = Quantity(value=0.5e-6, unit="m", source="no source found", confidence="assumed")
SHEET_RESISTANCE = Quantity(
    value=0.36,
    unit="ohm/sq",
    source="1 / (5.56e6 S/m * 0.5 um), assumed thickness, conductivity of inkjet silver",
    confidence="assumed",
)
BETWEEN = Quantity(value=1e-6, unit="m", source="no source found", confidence="assumed")

PROCESS = Process(
    name="gravure",
    technology="roll-to-roll gravure-printed silver on PET foil, through-foil vias",
    layers=print_layers(
        silver="gravure silver ink",
        silver_thickness=SILVER,
        sheet_resistance=SHEET_RESISTANCE,
        device="resistive or switching ink",
        dielectric="gravure-printed dielectric",
        between=BETWEEN,
    ),
    min_width=Quantity(
        value=36e-6, unit="m", source="Aijazi, thesis WMU 2014: narrowest conducting line", confidence="high"
    ),
    min_space=Quantity(value=100e-6, unit="m", source="no source found; above twice the overlay", confidence="assumed"),
    overlay=Quantity(
        value=40e-6, unit="m", source="Noh et al., IEEE TEPM 33(4):275 (2010), machine direction", confidence="high"
    ),
    via_diameter=VIA_DIAMETER,
    max_density=MAX_DENSITY,
    density_window=DENSITY_WINDOW,
    **largest_sheet(1.0, 0.3),
)
