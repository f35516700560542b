"""Aerosol-jet-printed silver on foil.

Aerosol jets draw lines of a few micrometres to millimetres, a few tenths of a micrometre to several micrometres high
(Vogeler et al., 2013, abstract). Reactive silver ink cured at 80 degC is 93 % dense and conducts nearly as bulk silver
(Rosker et al., arXiv:2007.06645, abstract): bulk silver's 1.59e-8 ohm m over that density and an assumed micrometre
gives the sheet resistance. Width, space, overlay and dielectric were not found and are assumed.
"""

from snn2circuit.ir.layout import Process
from snn2circuit.ir.parts import Quantity
from snn2circuit.layout.processes.foil import DENSITY_WINDOW, MAX_DENSITY, VIA_DIAMETER, largest_sheet, print_layers

SILVER = Quantity(
    value=1e-6, unit="m", source="no source found; within the range of Vogeler et al. 2013", confidence="assumed"
)
SHEET_RESISTANCE = Quantity(
    value=0.0171,
    unit="ohm/sq",
    source="1.59e-8 ohm m / 0.93 / 1 um, density of Rosker et al., arXiv:2007.06645",
    confidence="derived",
)
BETWEEN = Quantity(value=1e-6, unit="m", source="no source found", confidence="assumed")

PROCESS = Process(
    name="aerosol_jet",
    technology="aerosol-jet-printed silver on PET foil, through-foil vias",
    layers=print_layers(
        silver="reactive silver ink",
        silver_thickness=SILVER,
        sheet_resistance=SHEET_RESISTANCE,
        device="resistive or switching ink",
        dielectric="aerosol-jet-printed dielectric",
        between=BETWEEN,
    ),
    min_width=Quantity(
        value=20e-6, unit="m", source="no source found; within the range of Vogeler et al. 2013", confidence="assumed"
    ),
    min_space=Quantity(value=40e-6, unit="m", source="no source found; above twice the overlay", confidence="assumed"),
    overlay=Quantity(value=10e-6, unit="m", source="no source found", confidence="assumed"),
    via_diameter=VIA_DIAMETER,
    max_density=MAX_DENSITY,
    density_window=DENSITY_WINDOW,
    **largest_sheet(0.3, 0.3),
)
