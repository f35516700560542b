"""What the processes print on: PET foil with laser-drilled holes that are filled with screen-printed silver.

Kujala et al. (npj Flexible Electronics, 2020) drilled holes of 50 to 200 um into 125 um PET and filled them; at 100 um
diameter 1010 of 1010 conducted, from 150 um on only the wall is coated.
"""

from snn2circuit.ir.layout import ProcessLayer
from snn2circuit.ir.parts import Quantity

KUJALA = "Kujala et al., npj Flex. Electron. 2020"

SUBSTRATE = ProcessLayer(
    name="substrate",
    role="substrate",
    material="PET foil",
    thickness=Quantity(value=125e-6, unit="m", source=KUJALA, confidence="high"),
    color="#cfe3ee",
)
SUBSTRATE_VIAS = ProcessLayer(
    name="substrate_vias",
    role="via",
    material="screen-printed silver in laser-drilled holes",
    thickness=Quantity(value=125e-6, unit="m", source="thickness of the foil", confidence="derived"),
    color="#7f8b99",
)
VIA_DIAMETER = Quantity(value=100e-6, unit="m", source=KUJALA, confidence="high")
