"""What the processes print on, and the order they print in: PET foil with laser-drilled holes filled with silver.

Kujala et al. (npj Flexible Electronics, 2020) drilled holes of 50 to 200 um into 125 um PET and filled them; at 100 um
diameter 1010 of 1010 conducted, from 150 um on only the wall is coated.
"""

from dataclasses import replace

from snn2circuit.ir.layout import Process, ProcessLayer, Role
from snn2circuit.ir.parts import Quantity

KUJALA = "Kujala et al., npj Flex. Electron. 2020"

SUBSTRATE = ProcessLayer(
    name="substrate",
    role="substrate",
    material="PET foil",
    thickness=Quantity(value=125e-6, unit="m", source=KUJALA, confidence="high"),
    color="#cfe3ee",
    mask=1,
    permittivity=Quantity(value=3.2, unit="1", source="no source found", confidence="assumed"),
)
SUBSTRATE_VIAS = ProcessLayer(
    name="substrate_vias",
    role="via",
    material="screen-printed silver in laser-drilled holes",
    thickness=Quantity(value=125e-6, unit="m", source="thickness of the foil", confidence="derived"),
    color="#7f8b99",
    mask=2,
)
VIA_DIAMETER = Quantity(value=100e-6, unit="m", source=KUJALA, confidence="high")
POLYMER = Quantity(value=3.5, unit="1", source="no source found; polymers lie around it", confidence="assumed")
MAX_DENSITY = Quantity(value=0.8, unit="1", source="no source found", confidence="assumed")
DENSITY_WINDOW = Quantity(value=5e-3, unit="m", source="no source found", confidence="assumed")


def largest_sheet(length: float, width: float) -> dict[str, Quantity]:
    """The two sides of the largest sheet, m; no source gives them, they depend on the printer."""
    return {
        name: Quantity(value=value, unit="m", source="depends on the printer", confidence="assumed")
        for name, value in (("sheet_length", length), ("sheet_width", width))
    }


def print_layers(
    *,
    silver: str,
    silver_thickness: Quantity,
    sheet_resistance: Quantity,
    device: str,
    dielectric: str,
    between: Quantity,
    permittivity: Quantity = POLYMER,
    base: tuple[ProcessLayer, ...] = (SUBSTRATE, SUBSTRATE_VIAS),
) -> tuple[ProcessLayer, ...]:
    """The layers of a sheet, bottom to top: what it is printed on, word lines, what lies between the lines, bit lines.

    A sheet is printed on a foil of its own, or, above the first of a monolithic stack, on an interlayer: the same
    dielectric, printed all over with openings for vias. The upper layers are printed on the bit lines of a sheet that
    carries two row tiles, with the same inks and, as is assumed, as thick as their counterparts below.

    Args:
        silver: material of both conductors.
        silver_thickness: of both, m.
        sheet_resistance: of both, ohm per square.
        device: material at the crosspoints.
        dielectric: material where lines cross outside devices.
        between: thickness of the dielectric, m; devices, contacts and cells share its plane and so its thickness.
        permittivity: of the dielectric, relative; that of a polymer where no source gives it.
        base: the substrate, and its vias if there can be any.
    """
    shared = Quantity(
        value=between.value, unit="m", source="as thick as the dielectric around it", confidence="assumed"
    )

    def conductor(
        name: str, color: str, mask: int, thickness: Quantity = silver_thickness, ohm: Quantity = sheet_resistance
    ) -> ProcessLayer:
        return ProcessLayer(
            name=name,
            role="conductor",
            material=silver,
            thickness=thickness,
            color=color,
            mask=mask,
            sheet_resistance=ohm,
        )

    def insulator(name: str, color: str, mask: int, where: str = "", role: Role = "dielectric") -> ProcessLayer:
        return ProcessLayer(
            name=name,
            role=role,
            material=f"{dielectric}{where}",
            thickness=between if name == "dielectric" else shared,
            color=color,
            mask=mask,
            permittivity=permittivity,
        )

    def vias(name: str, color: str, mask: int, through: str) -> ProcessLayer:
        material = f"{silver} in openings of the {through}"
        return ProcessLayer(name=name, role="via", material=material, thickness=shared, color=color, mask=mask)

    def devices(name: str, color: str, mask: int) -> ProcessLayer:
        return ProcessLayer(name=name, role="device", material=device, thickness=shared, color=color, mask=mask)

    def as_below(quantity: Quantity) -> Quantity:
        return replace(quantity, source="as the word lines below", confidence="assumed")

    return (
        *base,
        insulator("interlayer", "#a9cdb9", 9, " all over, with openings", "substrate"),
        vias("interlayer_vias", "#8a95a3", 10, "interlayer"),
        conductor("word_lines", "#aab4c0", 3),
        devices("devices", "#c58b2b", 4),
        insulator("dielectric", "#6fae8f", 5),
        vias("contacts", "#98a4b0", 6, "dielectric"),
        ProcessLayer(
            name="cells",
            role="cell",
            material="neuron circuit, drawn as a black box",
            thickness=shared,
            color="#3d6fb4",
            mask=7,
        ),
        conductor("bit_lines", "#dfe4ea", 8),
        devices("upper_devices", "#d9a441", 12),
        insulator("upper_dielectric", "#8cc2a6", 13),
        vias("upper_contacts", "#a5b0bb", 14, "upper dielectric"),
        conductor("upper_word_lines", "#b9c6d8", 15, as_below(silver_thickness), as_below(sheet_resistance)),
        insulator("encapsulation", "#9fc4d8", 11, ", on the topmost sheet"),
    )


def with_ink(process: Process, *, name: str, material: str, sheet_resistance: Quantity) -> Process:
    """``process`` with a resistive ink for the devices below the bit lines, of ``sheet_resistance`` ohm per square."""
    return replace(
        process,
        name=name,
        technology=f"{process.technology}, printed resistors",
        layers=tuple(
            replace(layer, material=material, sheet_resistance=sheet_resistance) if layer.name == "devices" else layer
            for layer in process.layers
        ),
    )
