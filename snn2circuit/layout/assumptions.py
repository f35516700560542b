"""What a stack rests on that no source gives, in sentences for reports and viewers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.layout import PRINTING, Process
from snn2circuit.ir.parts import Quantity
from snn2circuit.layout.plan import Plan
from snn2circuit.layout.resistors import Resistors
from snn2circuit.layout.rules import DEVICES, NEEDS, SUBSTRATE, Rules
from snn2circuit.units import engineering

EXACT = 1e-9  # of a conductance; rounding
NOT_MODELLED = (
    "Lamination glue, levelling of layers, ink spread, line edges and the relief of printed layers are not drawn.",
    "Through-foil holes are drawn as the pillars that fill them; their substrate is drawn whole.",
)


def list_assumptions(
    crossbar: CrossbarNetwork, process: Process, rules: Rules, plan: Plan, errors: Sequence[float]
) -> tuple[str, ...]:
    """One sentence each, without repeats: assumed process values, neuron cells, devices, and what is not drawn.

    ``errors`` are the largest relative errors of the conductances of resistors, sheet by sheet, that the grid leaves.
    """
    sentences = [
        f"Process {process.name}: {what} {engineering(quantity.value, quantity.unit)} is assumed ({quantity.source})."
        for what, quantity in _quantities(process, rules)
        if quantity.confidence == "assumed"
    ]
    for sheet in plan.sheets:
        if not sheet.has_cells:
            continue
        number, layer = sheet.layer + 1, crossbar.layers[sheet.layer]
        footprint = layer.neuron.footprint()
        size = f"{engineering(footprint.width_nm * 1e-9, 'm')} by {engineering(footprint.height_nm * 1e-9, 'm')}"
        if footprint.confidence == "assumed":
            sentences.append(f"Neuron cell of layer {number}: {size} is assumed ({footprint.source}).")
        drawn = (sheet.cell_width, sheet.cell_depth)
        if drawn != (footprint.width_nm, footprint.height_nm):
            size = f"{engineering(drawn[0] * 1e-9, 'm')} by {engineering(drawn[1] * 1e-9, 'm')}"
            sentences.append(f"Neuron cell of layer {number} is drawn {size}, so that its pins and rails fit.")
    if rules.step > 1:
        sentences.append(
            f"Widths, spaces, overlays and cells are rounded up to multiples of {engineering(rules.step * 1e-9, 'm')}, "
            "twice the drop grid."
        )
    sentences.append(f"Contact fingers are {engineering(rules.finger * 1e-9, 'm')} long (assumed).")
    return (
        *dict.fromkeys(sentences),
        *_column_tiles(crossbar),
        *_resistors(crossbar, process, plan.resistors, errors),
        *NOT_MODELLED,
    )


def _column_tiles(crossbar: CrossbarNetwork) -> Iterator[str]:
    """How the word lines of column tiles are fed, and what of that the measured lines leave out."""
    for number, layer in enumerate(crossbar.layers, start=1):
        parts = len(layer.column_cuts) + 1
        if parts > 1 and number == 1:
            yield f"Word lines of layer 1 are repeated on {parts} sheets, each with its own driver and contact finger."
        elif parts > 1:
            yield (
                f"Word lines of layer {number} are fed through vias that its {parts} column tiles share; the measured "
                "lines count these vias in every tile's lead, with the current of that tile alone."
            )


def _resistors(
    crossbar: CrossbarNetwork, process: Process, resistors: Resistors | None, errors: Sequence[float]
) -> Iterator[str]:
    """How devices that are made by their shape are drawn, and why those of a resistive ink are not."""
    ink, device = process.layer(DEVICES).sheet_resistance, crossbar.device
    if resistors is not None:
        few, many = (1 / (siemens * resistors.ink.value) for siemens in (crossbar.levels[-1], crossbar.levels[0]))
        yield (
            f"Devices are drawn as meanders of {few:.3g} to {many:.3g} squares of ink, "
            + ("all on" if max(errors) < EXACT else f"within {max(errors):.2g} of a conductance of")
            + " values that can be printed. Contact resistance, ink spread and register are not in them."
        )
    elif ink is not None:
        yield (
            f"Device {device.name} is no printed resistor: devices are drawn as patches, and the sheet resistance of "
            f"{DEVICES} is not used."
        )


def _quantities(process: Process, rules: Rules) -> Iterator[tuple[str, Quantity]]:
    unused = {name for names in NEEDS.values() for name in names} - {SUBSTRATE, *NEEDS[rules.mode]}
    for layer in process.layers:
        if layer.name in unused:
            continue
        yield f"thickness of {layer.name}", layer.thickness
        if layer.sheet_resistance is not None:
            yield f"sheet resistance of {layer.name}", layer.sheet_resistance
        if layer.permittivity is not None:
            yield f"permittivity of {layer.name}", layer.permittivity
        if layer.min_width is not None:
            yield f"smallest line width of {layer.name}", layer.min_width
        if layer.min_space is not None:
            yield f"smallest space of {layer.name}", layer.min_space
        for what in PRINTING:
            if (quantity := getattr(layer, what)) is not None:
                yield f"{what.replace('_', ' ')} of {layer.name}", quantity
    yield "smallest line width", process.min_width
    yield "smallest space", process.min_space
    yield "overlay", process.overlay
    yield "via diameter", process.via_diameter
    for what, quantity in (
        ("pitch of contacts", process.contact_pitch),
        ("drop grid", process.drop_grid),
        ("longest sheet", process.sheet_length),
        ("widest sheet", process.sheet_width),
        ("largest density of a conductor", process.max_density),
        ("window of the density", process.density_window),
    ):
        if quantity is not None:
            yield what, quantity
