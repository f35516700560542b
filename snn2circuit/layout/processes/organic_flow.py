"""Princeton's open organic-transistor process, as its design kit Organic-Flow describes it: thin, and monolithic.

Metal of 50 nm and dielectric of 150 nm with a permittivity of 8 (``pdk/organic.itf``); lines of metal 1 are 100 um wide
and 50 um apart, those of metal 2, here the bit lines, 20 um and 20 um, vias 10 um wide and 10 um apart, 20 um inside
the upper metal (``organic.tf``). Both metals are drawn by the coarser rule. The kit gives an enclosure and no overlay;
the larger enclosure stands for it. Its three metals make one crossbar; further ones on top of it are assumed.
There are no vias through the substrate, so a stack in it is monolithic.
"""

from dataclasses import replace

from snn2circuit.ir.layout import Process, ProcessLayer
from snn2circuit.ir.parts import Quantity
from snn2circuit.layout.processes.foil import DENSITY_WINDOW, MAX_DENSITY, largest_sheet, print_layers

STACK = "Princeton Organic-Flow, pdk/organic.itf"
RULES = "Princeton Organic-Flow, organic.tf"

SUBSTRATE = ProcessLayer(
    name="substrate",
    role="substrate",
    material="glass",
    thickness=Quantity(value=700e-6, unit="m", source="no source found", confidence="assumed"),
    color="#cfe3ee",
    mask=1,
    permittivity=Quantity(value=6.0, unit="1", source="no source found; that of glass", confidence="assumed"),
)


METAL_2 = Quantity(value=20e-6, unit="m", source=f"{RULES}, metal 2, width and space", confidence="high")
VIA_SPACE = Quantity(value=10e-6, unit="m", source=f"{RULES}, via", confidence="high")


def own_rules(layer: ProcessLayer) -> ProcessLayer:
    """``layer`` with the rules that the kit gives it, where they are not those of metal 1."""
    if layer.role == "via":
        return replace(layer, min_space=VIA_SPACE)
    return replace(layer, min_width=METAL_2, min_space=METAL_2) if layer.name == "bit_lines" else layer


PROCESS = Process(
    name="organic_flow",
    technology="pentacene process of Princeton's Organic-Flow kit, monolithic",
    layers=tuple(
        own_rules(layer)
        for layer in print_layers(
            silver="metal",
            silver_thickness=Quantity(value=50e-9, unit="m", source=STACK, confidence="high"),
            sheet_resistance=Quantity(value=0.488, unit="ohm/sq", source=f"{STACK}, metal 1 and 2", confidence="high"),
            device="resistive or switching film",
            dielectric="interlayer dielectric",
            between=Quantity(value=150e-9, unit="m", source=STACK, confidence="high"),
            permittivity=Quantity(value=8.0, unit="1", source=STACK, confidence="high"),
            base=(SUBSTRATE,),
        )
    ),
    min_width=Quantity(value=100e-6, unit="m", source=f"{RULES}, metal 1", confidence="high"),
    min_space=Quantity(value=50e-6, unit="m", source=f"{RULES}, metal 1", confidence="high"),
    overlay=Quantity(value=20e-6, unit="m", source=f"{RULES}, via in upper metal", confidence="high"),
    via_diameter=Quantity(value=10e-6, unit="m", source=RULES, confidence="high"),
    max_density=MAX_DENSITY,
    density_window=DENSITY_WINDOW,
    **largest_sheet(0.15, 0.15),
)
