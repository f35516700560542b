"""Inkjet-printed silver on foil.

Silver: two passes on photo paper cured at 90 degC gave 5.56e6 S/m (Saha et al., J. Electrochem. Soc. 165, B3163, 2018,
abstract); the abstract gives no thickness, so the sheet resistance is that of an assumed micrometre. Dielectric: inkjet
polyimide of 2.82 nF on 10 mm by 10 mm, thinner than 1 um (J. Appl. Polym. Sci. 133, 43361, 2016), from which the
permittivity follows. No source was found for the smallest width, space and overlay of inkjet lines; they are assumed.
"""

from snn2circuit.ir.layout import Process
from snn2circuit.ir.parts import Quantity
from snn2circuit.layout.processes.foil import DENSITY_WINDOW, MAX_DENSITY, VIA_DIAMETER, largest_sheet, print_layers

SILVER = Quantity(value=1e-6, unit="m", source="no source found", confidence="assumed")
SHEET_RESISTANCE = Quantity(
    value=0.18,
    unit="ohm/sq",
    source="1 / (5.56e6 S/m * 1 um), conductivity of Saha et al., JES 165 B3163 (2018)",
    confidence="derived",
)
BETWEEN = Quantity(
    value=1e-6, unit="m", source="upper limit in J. Appl. Polym. Sci. 133:43361 (2016)", confidence="high"
)

PROCESS = Process(
    name="inkjet",
    technology="inkjet-printed silver on PET foil, through-foil vias",
    layers=print_layers(
        silver="silver ink",
        silver_thickness=SILVER,
        sheet_resistance=SHEET_RESISTANCE,
        device="resistive or switching ink",
        dielectric="inkjet polyimide",
        between=BETWEEN,
        permittivity=Quantity(
            value=3.18,
            unit="1",
            source="2.82e-5 F/m2 * 1 um / eps0, J. Appl. Polym. Sci. 133:43361 (2016)",
            confidence="derived",
        ),
    ),
    min_width=Quantity(value=100e-6, unit="m", source="no source found", confidence="assumed"),
    min_space=Quantity(value=100e-6, unit="m", source="no source found", confidence="assumed"),
    overlay=Quantity(value=25e-6, unit="m", source="no source found", confidence="assumed"),
    via_diameter=VIA_DIAMETER,
    drop_grid=Quantity(
        value=15e-6, unit="m", source="drop spacing, Saha et al., JES 165 B3163 (2018)", confidence="high"
    ),
    max_density=MAX_DENSITY,
    density_window=DENSITY_WINDOW,
    **largest_sheet(0.42, 0.297),
)
