"""The two circuits of a mapped network: as its masks are printed, and with ideal lines or those of the design file.

Where lines run follows from the sizes of the crossbars, the process and, for printed resistors, the smallest
conductance that the device is used with, not from what is trimmed. So the lines can be measured as soon as the network
is mapped, and conductances be trimmed against them (``compensate``) before the final masks are written. Trimming moves
the places where printed resistors meet their lines a little; the circuit as printed has the lines of the final masks.
"""

from __future__ import annotations

from dataclasses import replace

from snn2circuit.design import Design
from snn2circuit.errors import AnotherCircuit
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.noun import noun
from snn2circuit.ir.parasitics import Parasitics, uniform_parasitics
from snn2circuit.ir.scratch import scratch
from snn2circuit.steps.extractions import Extractions
from snn2circuit.steps.signoff import check_lvs, draw_masks
from snn2circuit.steps.stack import build_stack

IDEAL, GIVEN = "with ideal lines", "with the lines of the design file"


@noun
class Wired:
    """A crossbar with its lines: what decks and the exact solver are made from."""

    crossbar: CrossbarNetwork
    parasitics: Parasitics | None  # None: ideal lines


def printed_circuit(design: Design, crossbar: CrossbarNetwork, extractions: Extractions | None = None) -> Wired:
    """The circuit that the masks of ``crossbar`` make in the design's process; what is measured is kept.

    Raises:
        AnotherCircuit: its masks are another circuit.
        LayoutError: the process cannot print the stack, or its masks cannot be measured.
    """
    layout = build_stack(design, crossbar)
    with scratch() as folder:
        (masks,) = draw_masks(layout, folder, ("gds",))
        lvs, _, parasitics, printed = check_lvs(masks, layout, crossbar, folder, extractions=extractions)
    if printed is None:
        raise AnotherCircuit(
            f"the masks of {layout.process.name} are another circuit, with nothing to measure: "
            f'{"; ".join(lvs["first_faults"])}; see what `snn2circuit lvs` says, or do without: lines = "given" in '
            "[circuit] to map, --circuit reference for decks"
        )
    return Wired(crossbar=printed, parasitics=parasitics)


def reference_circuit(design: Design, crossbar: CrossbarNetwork) -> Wired:
    """The circuit without its layout: ideal lines, or those that the design file gives.

    What was trimmed against measured lines would be wrong without them, so here it is as it was mapped.
    """
    if design.circuit.lines == "measured":
        return Wired(crossbar=untrimmed(crossbar), parasitics=None)
    return Wired(crossbar=crossbar, parasitics=given_lines(design, crossbar))


def reference_lines(design: Design) -> str:
    """What lines :func:`reference_circuit` has, in words."""
    section = design.circuit
    return GIVEN if section.r_word or section.r_bit or section.r_driver else IDEAL


def untrimmed(crossbar: CrossbarNetwork) -> CrossbarNetwork:
    """``crossbar`` as it was mapped, every device on its level."""
    layers = tuple(replace(layer, trim_pos=None, trim_neg=None, gain=1.0) for layer in crossbar.layers)
    return replace(crossbar, layers=layers)


def line_parasitics(
    design: Design, crossbar: CrossbarNetwork, extractions: Extractions | None = None
) -> Parasitics | None:
    """The lines that conductances are trimmed against, or ``None`` where all are ideal.

    The circuit of measured masks stays in ``extractions`` for who judges the same masks later.

    Raises:
        LayoutError: lines are to be measured, and the process cannot print the stack, or its masks are another circuit.
    """
    if design.circuit.lines == "measured":
        return printed_circuit(design, crossbar, extractions).parasitics
    return given_lines(design, crossbar)


def given_lines(design: Design, crossbar: CrossbarNetwork) -> Parasitics | None:
    """Resistance of lines and drivers as the design file gives it, or ``None`` where all are ideal."""
    section = design.circuit
    if section.r_word == section.r_bit == section.r_driver == 0:
        return None
    return uniform_parasitics(
        crossbar,
        r_word=section.r_word,
        r_bit=section.r_bit,
        r_driver=section.r_driver,
        source="the design file, [circuit]",
    )
