"""The lines of the crossbars: as the design gives them, or as KLayout measures them on the masks of its own layout.

Where lines run follows from the sizes of the crossbars, the process and, for printed resistors, the smallest
conductance that the device is used with, not from what is trimmed. So the lines can be measured as soon as the network
is mapped, and conductances be trimmed against them (``compensate``) before the final masks are written. Trimming moves
the places where printed resistors meet their lines a little; the sign-off of a run measures the final masks again.
"""

from __future__ import annotations

from snn2circuit.design import Design
from snn2circuit.errors import LayoutError
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.parasitics import Parasitics, uniform_parasitics
from snn2circuit.ir.scratch import scratch
from snn2circuit.steps.signoff import check_lvs, draw_masks
from snn2circuit.steps.stack import build_stack


def line_parasitics(design: Design, crossbar: CrossbarNetwork) -> Parasitics | None:
    """Resistance of lines and drivers as the design wants it, or ``None`` where all are ideal.

    Raises:
        LayoutError: lines are to be measured, and the process cannot print the stack, or its masks are another circuit.
    """
    section = design.circuit
    if section.lines == "measured":
        return _measure(design, crossbar)
    if section.r_word == section.r_bit == section.r_driver == 0:
        return None
    return uniform_parasitics(
        crossbar,
        r_word=section.r_word,
        r_bit=section.r_bit,
        r_driver=section.r_driver,
        source="the design file, [circuit]",
    )


def _measure(design: Design, crossbar: CrossbarNetwork) -> Parasitics:
    layout = build_stack(design, crossbar)
    with scratch() as folder:
        lvs, _, parasitics = check_lvs(draw_masks(layout, folder, ("gds",))[0], layout, crossbar, folder)
    if parasitics is None:
        raise LayoutError(
            f'[circuit] lines = "measured": the masks of {layout.process.name} are another circuit, with nothing '
            f'to measure; {"; ".join(lvs["first_faults"])}; set lines = "given" and see what `snn2circuit lvs` says'
        )
    return parasitics
