"""Process rules as whole nanometres: line and pad sizes, pitches, and the heights of the planes of one sheet.

A sheet has four planes, bottom to top: substrate, word lines, the plane between the electrodes, bit lines. Devices,
dielectric, contacts and neuron cells share the plane between the electrodes, so they are equally thick. A sheet that
carries two row tiles has two more: a second plane between electrodes, and the word lines of the upper tile.

Stack modes say what the sheets above the first are printed on. ``sheet_per_layer``: a foil each, laminated, with vias
through the foil. ``isolated``: all on the first foil, with a printed interlayer in between that has openings for vias.
``staircase``: as ``isolated``, and the row tiles of the first layer are offset against one another by a row, so that
all their contacts lie side by side at one edge and one connector reaches them.
``shared_electrode``: as ``isolated``, and each two consecutive row tiles of a layer stand on one sheet, below and above
the bit lines that they share, as two device layers share an electrode in Li et al., Nat. Commun. 8, 15666 (2017). Both
tiles' currents add up in the same bit line, as they did in the uncut layer. So it is right for tiles of one layer and
for nothing else: bit lines that two network layers share would carry both layers' currents into one neuron.

With width ``w``, space ``s``, overlay ``o`` (how far two printed layers may be out of register) and via diameter ``d``:

* lines lie at pitch ``w + s``;
* a device patch has side ``w + 2·o``, so that it covers its crossing whatever the register. Printed ``o`` off its place
  it reaches ``2·o`` beyond its line, which must leave the neighbouring line free: ``2·o < s``;
* a via lands on a pad of side ``max(w, d + 2·o)``; pads in a row lie ``s`` apart.

Layers may have rules of their own. Word and bit lines are drawn alike, so ``w`` and ``s`` are the largest of all
conductors and vias, and hold on every layer; the design rule check holds each layer against its own.

A printer that sets drops on a grid ``g`` can only draw what lies on it. There ``w``, ``s``, ``o``, pads and cells are
rounded up to whole multiples of ``2·g``, so that centres and edges fall on the grid.
"""

from __future__ import annotations

from typing import cast

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import Mode, Process, ProcessLayer, Role
from snn2circuit.ir.noun import noun
from snn2circuit.ir.parts import Quantity

SUBSTRATE, SUBSTRATE_VIAS, CONTACTS = "substrate", "substrate_vias", "contacts"
INTERLAYER, INTERLAYER_VIAS, ENCAPSULATION = "interlayer", "interlayer_vias", "encapsulation"
WORD_LINES, BIT_LINES = "word_lines", "bit_lines"
DEVICES, DIELECTRIC, CELLS = "devices", "dielectric", "cells"
UPPER_DEVICES, UPPER_DIELECTRIC = "upper_devices", "upper_dielectric"
UPPER_CONTACTS, UPPER_WORD_LINES = "upper_contacts", "upper_word_lines"
UPPER = (UPPER_DEVICES, UPPER_DIELECTRIC, UPPER_CONTACTS, UPPER_WORD_LINES)  # of a tile above the bit lines

LAYERS: dict[str, Role] = {
    SUBSTRATE: "substrate",
    SUBSTRATE_VIAS: "via",
    INTERLAYER: "substrate",
    INTERLAYER_VIAS: "via",
    WORD_LINES: "conductor",
    DEVICES: "device",
    DIELECTRIC: "dielectric",
    CONTACTS: "via",
    CELLS: "cell",
    BIT_LINES: "conductor",
    UPPER_DEVICES: "device",
    UPPER_DIELECTRIC: "dielectric",
    UPPER_CONTACTS: "via",
    UPPER_WORD_LINES: "conductor",
    ENCAPSULATION: "dielectric",
}  # what a stack can be drawn with
BETWEEN: dict[Mode, tuple[str, str]] = {
    "sheet_per_layer": (SUBSTRATE, SUBSTRATE_VIAS),
    "isolated": (INTERLAYER, INTERLAYER_VIAS),
    "staircase": (INTERLAYER, INTERLAYER_VIAS),
    "shared_electrode": (INTERLAYER, INTERLAYER_VIAS),
}  # what lies between two sheets, and its vias
NEEDS: dict[Mode, tuple[str, ...]] = {**BETWEEN, "shared_electrode": (*BETWEEN["shared_electrode"], *UPPER)}
MODES = ("auto", *BETWEEN)
TILED: tuple[Mode, ...] = ("staircase", "shared_electrode")  # make sense only of layers that are cut into row tiles
FINGER = 10  # length of a contact finger at a sheet's edge, in line widths


@noun
class Rules:
    """Sizes in nm."""

    width: int
    space: int
    overlay: int
    via: int  # diameter
    contact: int  # least pitch of contact fingers at an edge; 0 where any will do
    step: int  # every printed size is a multiple of it: twice the drop grid, or 1
    mode: Mode
    substrate: int  # thickness, as those below
    base: int  # of what the sheets above the first are printed on
    word: int
    between: int
    bit: int
    upper_between: int  # 0 where the process has none, as the next
    upper_word: int
    encapsulation: int  # 0 where the process has none

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
        """Of pads in a row."""
        return self.pad + self.space

    @property
    def rail_pitch(self) -> int:
        """Of the rails, which end in pads and in contact fingers."""
        return max(self.pad_pitch, self.contact)

    @property
    def pin(self) -> int:
        """How far a bit line reaches over its neuron cell."""
        return self.width + self.overlay

    @property
    def joint(self) -> int:
        """``v`` at which the bit lines of a layer that is cut into row tiles meet, between its cells and its rows."""
        return self.space + self.pad // 2

    @property
    def joint_end(self) -> int:
        """``v`` from which on devices may lie beside the pads of a joint."""
        return self.space + self.pad + self.space

    @property
    def finger(self) -> int:
        """Length of a contact finger."""
        return FINGER * self.width

    def height(self, sheet: int, upper: bool) -> int:
        """Of sheet ``sheet``, from 0, with what it stands on; ``upper``: it carries a tile above its bit lines."""
        base = self.base if sheet else self.substrate
        return base + self.word + self.between + self.bit + upper * (self.upper_between + self.upper_word)


def choose_mode(process: Process, mode: str) -> Mode:
    """The stack mode; ``auto`` is ``sheet_per_layer`` in a process with vias through its substrate, else ``isolated``.

    Raises:
        LayoutError: no circuit of this package can be built so, or the process lacks a layer for it.
    """
    names = {layer.name for layer in process.layers}
    able = [each for each, needed in NEEDS.items() if names.issuperset(needed)]
    for each in able:
        if mode in ("auto", each):
            return each
    if mode not in MODES:
        raise LayoutError(f"there is no stack mode {mode!r}; there are {', '.join(MODES)}")
    wanted = NEEDS.get(cast("Mode", mode), (*BETWEEN["sheet_per_layer"], *BETWEEN["isolated"]))
    missing = [name for name in wanted if name not in names]
    raise LayoutError(
        f"process {process.name} has no {' and no '.join(missing)}; stack mode {mode} needs it"
        + (f": use {able[0]}" if able else "")
    )


def read_rules(process: Process, mode: str = "auto") -> Rules:
    """The rules of ``process`` for a stack in ``mode``.

    Raises:
        LayoutError: a layer is missing or has another role, a size is not a positive whole number of nanometres, layers
            of one plane differ in thickness, the overlay is too coarse for the space, or the sheet or density rules
            contradict themselves.
    """
    chosen = choose_mode(process, mode)
    base, vias = BETWEEN[chosen]
    optional = {SUBSTRATE_VIAS, INTERLAYER, INTERLAYER_VIAS, *UPPER, ENCAPSULATION} - set(NEEDS[chosen])
    known = {layer.name for layer in process.layers}
    for name, role in LAYERS.items():
        if (name not in optional or name in known) and process.layer(name).role != role:
            raise LayoutError(
                f"process {process.name}: layer {name} has role {process.layer(name).role}; it must be {role}"
            )
    thickness = {
        name: nanometres(process, f"thickness of {name}", process.layer(name).thickness)
        for name in LAYERS
        if name in known
    }
    planes = ((base, (vias,)), (DIELECTRIC, (DEVICES, CONTACTS, CELLS)), (UPPER_DIELECTRIC, UPPER[:3]))
    for reference, others in planes:
        for name in others:
            if {name, reference} <= thickness.keys() and thickness[name] != thickness[reference]:
                raise LayoutError(
                    f"process {process.name}: {name} is {thickness[name]} nm thick and "
                    f"{reference} {thickness[reference]} nm; they share a plane and must be equally thick"
                )
    step = 1 if process.drop_grid is None else 2 * nanometres(process, "drop_grid", process.drop_grid)

    def printed(what: str, quantity: Quantity, least: int = 1) -> int:
        return -(-nanometres(process, what, quantity, least) // step) * step

    metal, fills = ([each for each in process.layers if each.role == role] for role in ("conductor", "via"))
    rules = Rules(
        width=max(printed(*least_width(process, each)) for each in metal),
        space=max(printed(*least_space(process, each)) for each in (*metal, *fills)),
        overlay=printed("overlay", process.overlay, least=0),
        contact=0 if process.contact_pitch is None else printed("contact_pitch", process.contact_pitch),
        step=step,
        via=nanometres(process, "via_diameter", process.via_diameter),
        mode=chosen,
        substrate=thickness[SUBSTRATE],
        base=thickness[base],
        word=thickness[WORD_LINES],
        between=thickness[DIELECTRIC],
        bit=thickness[BIT_LINES],
        upper_between=thickness.get(UPPER_DIELECTRIC, 0),
        upper_word=thickness.get(UPPER_WORD_LINES, 0),
        encapsulation=thickness.get(ENCAPSULATION, 0),
    )
    if 2 * rules.overlay >= rules.space:
        raise LayoutError(
            f"process {process.name}: overlay is {rules.overlay} nm and min_space {rules.space} nm; a device printed "
            "that far off its place touches the neighbouring line unless twice the overlay is below the space: "
            f"widen min_space to {rules.snap(2 * rules.overlay + 1)} nm, "
            f"or choose a process with an overlay of at most {(rules.space - 1) // 2 // step * step} nm"
        )
    _check_sheet(process)
    _check_density(process, rules)
    return rules


def _check_sheet(process: Process) -> None:
    length, width = process.sheet_length, process.sheet_width
    if (length is None) != (width is None):
        given, other = ("sheet_length", "sheet_width") if width is None else ("sheet_width", "sheet_length")
        raise LayoutError(f"process {process.name}: {given} is given and {other} is not; a sheet has two sides")
    if length is not None and width is not None:
        sides = nanometres(process, "sheet_length", length), nanometres(process, "sheet_width", width)
        if sides[0] < sides[1]:
            raise LayoutError(
                f"process {process.name}: sheet_length is {length.value:g} m and sheet_width {width.value:g} m; "
                f"the length is the longer side: {width.value:g} m is the least that fits"
            )


def _check_density(process: Process, rules: Rules) -> None:
    share, window = process.max_density, process.density_window
    if (share is None) != (window is None):
        given, other = ("max_density", "density_window") if window is None else ("density_window", "max_density")
        raise LayoutError(f"process {process.name}: {given} is given and {other} is not; one means nothing alone")
    if share is not None:
        least = rules.width / rules.pitch
        if not least <= share.value <= 1:
            raise LayoutError(
                f"process {process.name}: max_density is {share.value:g}; lines of {rules.width} nm at a pitch of "
                f"{rules.pitch} nm cover {least:.3g}, which is the least that fits, and 1 the most"
            )


def least_width(process: Process, layer: ProcessLayer) -> tuple[str, Quantity]:
    """Smallest width of a line of ``layer``, m, after what it is called: its own rule or the process's."""
    own = layer.min_width
    return ("min_width", process.min_width) if own is None else (f"min_width of {layer.name}", own)


def least_space(process: Process, layer: ProcessLayer) -> tuple[str, Quantity]:
    """Smallest space between shapes of ``layer``, m, after what it is called: its own rule or the process's."""
    own = layer.min_space
    return ("min_space", process.min_space) if own is None else (f"min_space of {layer.name}", own)


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
