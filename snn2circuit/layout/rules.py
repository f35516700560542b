"""Process rules as whole nanometres: line and pad sizes, pitches, and the heights of the planes of one sheet.

A sheet has four planes, bottom to top: substrate, word lines, the plane between the electrodes, bit lines. Devices,
dielectric, contacts and neuron cells share the plane between the electrodes, so they are equally thick.

With width ``w``, space ``s``, overlay ``o`` (how far two printed layers may be out of register) and via diameter ``d``:

* lines lie at pitch ``w + s``;
* a device patch has side ``w + 2·o``, so that it covers its crossing whatever the register. Printed ``o`` off its place
  it reaches ``2·o`` beyond its line, which must leave the neighbouring line free: ``2·o < s``;
* a via lands on a pad of side ``max(w, d + 2·o)``; pads in a row lie ``s`` apart.

A printer that sets drops on a grid ``g`` can only draw what lies on it. There ``w``, ``s``, ``o``, pads and cells are
rounded up to whole multiples of ``2·g``, so that centres and edges fall on the grid.
"""

from __future__ import annotations

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import Process, Role
from snn2circuit.ir.noun import noun
from snn2circuit.ir.parts import Quantity

SUBSTRATE, SUBSTRATE_VIAS, CONTACTS = "substrate", "substrate_vias", "contacts"
WORD_LINES, BIT_LINES = "word_lines", "bit_lines"
DEVICES, DIELECTRIC, CELLS = "devices", "dielectric", "cells"

LAYERS: dict[str, Role] = {
    SUBSTRATE: "substrate",
    SUBSTRATE_VIAS: "via",
    WORD_LINES: "conductor",
    DEVICES: "device",
    DIELECTRIC: "dielectric",
    CONTACTS: "via",
    CELLS: "cell",
    BIT_LINES: "conductor",
}  # what a process must offer so that a stack can be drawn in it
EQUALLY_THICK = ((SUBSTRATE, (SUBSTRATE_VIAS,)), (DIELECTRIC, (DEVICES, CONTACTS, CELLS)))
FINGER = 10  # length of a contact finger at a sheet's edge, in line widths


@noun
class Rules:
    """Sizes in nm."""

    width: int
    space: int
    overlay: int
    via: int  # diameter
    step: int  # every printed size is a multiple of it: twice the drop grid, or 1
    substrate: int  # thickness, as the three below
    word: int
    between: int
    bit: int

    def snap(self, length: int) -> int:
        """The smallest printable length that is not below ``length``."""
        return -(-length // self.step) * self.step

    @property
    def pitch(self) -> int:
        """Of word lines and of bit lines at their closest."""
        return self.width + self.space

    @property
    def patch(self) -> int:
        """Side of a device."""
        return self.width + 2 * self.overlay

    @property
    def pad(self) -> int:
        """Side of a pad that a via lands on."""
        return self.snap(max(self.width, self.via + 2 * self.overlay))

    @property
    def pad_pitch(self) -> int:
        """Of pads in a row, and of the rails that end in them."""
        return self.pad + self.space

    @property
    def pin(self) -> int:
        """How far a bit line reaches over its neuron cell."""
        return self.width + self.overlay

    @property
    def finger(self) -> int:
        """Length of a contact finger."""
        return FINGER * self.width

    @property
    def sheet(self) -> int:
        """Height of one sheet."""
        return self.substrate + self.word + self.between + self.bit


def read_rules(process: Process) -> Rules:
    """The rules of ``process``.

    Raises:
        LayoutError: a layer is missing or has another role, a size is not a positive whole number of nanometres, layers
            of one plane differ in thickness, or the overlay is too coarse for the space.
    """
    for name, role in LAYERS.items():
        if process.layer(name).role != role:
            raise LayoutError(
                f"process {process.name}: layer {name} has role {process.layer(name).role}; it must be {role}"
            )
    thickness = {name: nanometres(process, f"thickness of {name}", process.layer(name).thickness) for name in LAYERS}
    for reference, others in EQUALLY_THICK:
        for name in others:
            if thickness[name] != thickness[reference]:
                raise LayoutError(
                    f"process {process.name}: {name} is {thickness[name]} nm thick and "
                    f"{reference} {thickness[reference]} nm; they share a plane and must be equally thick"
                )
    step = 1 if process.drop_grid is None else 2 * nanometres(process, "drop_grid", process.drop_grid)

    def printed(what: str, quantity: Quantity, least: int = 1) -> int:
        return -(-nanometres(process, what, quantity, least) // step) * step

    rules = Rules(
        width=printed("min_width", process.min_width),
        space=printed("min_space", process.min_space),
        overlay=printed("overlay", process.overlay, least=0),
        step=step,
        via=nanometres(process, "via_diameter", process.via_diameter),
        substrate=thickness[SUBSTRATE],
        word=thickness[WORD_LINES],
        between=thickness[DIELECTRIC],
        bit=thickness[BIT_LINES],
    )
    if 2 * rules.overlay >= rules.space:
        raise LayoutError(
            f"process {process.name}: overlay is {rules.overlay} nm and min_space {rules.space} nm; a device printed "
            "that far off its place touches the neighbouring line unless twice the overlay is below the space: "
            "widen min_space or choose a process with finer register"
        )
    return rules


def nanometres(process: Process, what: str, quantity: Quantity, least: int = 1) -> int:
    """A length of ``process`` called ``what``, in whole nanometres.

    Raises:
        LayoutError: it is no whole number of nanometres from ``least`` to 1e10.
    """
    exact = quantity.value * 1e9
    if quantity.unit != "m" or not least - 1e-3 < exact < 1e10 or abs(exact - round(exact)) > 1e-3:
        raise LayoutError(
            f"process {process.name}: {what} is {quantity.value!r} {quantity.unit}; "
            f"a layout needs whole nanometres from {least} to 1e10, given in m"
        )
    return round(exact)
