"""Draws the stack: a crossbar network and a process become boxes in whole nanometres, each with its net.

Where things go is decided in :mod:`snn2circuit.layout.plan`, how large they are in :mod:`snn2circuit.layout.rules`;
here every position becomes a box. Boxes of one plane never overlap, they touch where they connect. A substrate is drawn
whole: its holes are where the via pillars stand.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from snn2circuit.ir.crossbar import CrossbarLayer, CrossbarNetwork
from snn2circuit.ir.layout import Devices, Layout, Process, Sheet
from snn2circuit.ir.noun import Ints
from snn2circuit.layout import nets
from snn2circuit.layout.assumptions import list_assumptions
from snn2circuit.layout.canvas import BARE, Canvas
from snn2circuit.layout.marks import draw_mark, draw_text, strip_width
from snn2circuit.layout.plan import Plan, SheetPlan, plan_stack
from snn2circuit.layout.resistors import Printable, place_resistors, plan_resistors
from snn2circuit.layout.rules import (
    BETWEEN,
    BIT_LINES,
    CELLS,
    CONTACTS,
    DEVICES,
    DIELECTRIC,
    ENCAPSULATION,
    SUBSTRATE,
    SUBSTRATE_VIAS,
    UPPER,
    UPPER_CONTACTS,
    UPPER_DIELECTRIC,
    UPPER_WORD_LINES,
    WORD_LINES,
    Rules,
    read_rules,
)
from snn2circuit.layout.sheet_size import check_size


def build_layout(crossbar: CrossbarNetwork, process: Process, mode: str = "auto") -> Layout:
    """The stack of ``crossbar`` in ``process``: a sheet for each tile of each layer, the first at the bottom.

    In mode ``shared_electrode`` each two consecutive row tiles of a layer share a sheet.

    ``mode`` is one of :data:`snn2circuit.layout.rules.MODES`.

    Raises:
        LayoutError: the process cannot make it; the text names the rule. Or no two row tiles are there to share bit
            lines.
    """
    rules, plan = plan_layout(crossbar, process, mode)
    names = nets.all_nets(crossbar, rules.mode)
    ids = {name: index for index, name in enumerate(names)}
    drafts = [_Draft(crossbar, rules, plan, ids, index) for index in range(len(plan.sheets))]
    sheets = tuple(draft.sheet() for draft in drafts)
    return Layout(
        name=crossbar.name,
        process=process,
        sheets=sheets,
        nets=tuple(names),
        levels=len(crossbar.levels),
        assumptions=list_assumptions(crossbar, process, rules, plan, [draft.error for draft in drafts]),
        mode=rules.mode,
    )


def plan_layout(crossbar: CrossbarNetwork, process: Process, mode: str = "auto") -> tuple[Rules, Plan]:
    """Where everything will lie, with the rules that it follows; nothing is drawn.

    Raises:
        LayoutError: as :func:`build_layout`.
    """
    rules = read_rules(process, mode)
    plan = plan_stack(crossbar, rules, plan_resistors(crossbar, process, rules))
    check_size(plan, process, crossbar, rules)
    return rules, plan


def printable_conductances(
    crossbar: CrossbarNetwork, process: Process, mode: str = "auto"
) -> tuple[Printable, ...] | None:
    """What the devices of each layer can be printed with; nothing where their values are not in their shapes.

    Raises:
        LayoutError: as :func:`build_layout`.
    """
    if process.layer(DEVICES).sheet_resistance is None or not crossbar.device.by_shape:
        return None
    _, plan = plan_layout(crossbar, process, mode)
    windows = {sheet.layer: sheet.window for sheet in plan.sheets}
    return tuple(
        plan.resistors.printable(window, crossbar.device)
        for _, window in sorted(windows.items())
        if plan.resistors and window
    )


class _Draft:
    """One sheet while it is drawn."""

    def __init__(self, crossbar: CrossbarNetwork, rules: Rules, plan: Plan, ids: dict[str, int], index: int) -> None:
        self.crossbar, self.rules, self.stack, self.index = crossbar, rules, plan, index
        self.plan: SheetPlan = plan.sheets[index]
        self.is_first, self.is_last = index == 0, index == len(plan.sheets) - 1
        self.layer: CrossbarLayer = crossbar.layers[self.plan.layer]
        self.ids = ids
        self.has_upper = len(self.plan.upper_rows) > 0
        self.bottom = sum(rules.height(below, len(plan.sheets[below].upper_rows) > 0) for below in range(index))
        self.base, self.base_vias = BETWEEN[rules.mode] if index else (SUBSTRATE, SUBSTRATE_VIAS)
        words = self.net_ids(nets.word_lines(crossbar, self.plan.layer + 1, self.plan.part))
        self.passing_nets = words[self.plan.passing]
        ends = np.cumsum([len(self.plan.rows), len(self.plan.upper_rows)])
        self.word_nets, self.upper_nets, _ = np.split(words[self.plan.first_row :], ends)
        self.neurons = slice(*self.plan.neurons)
        outputs = self.net_ids(nets.outputs(crossbar, self.plan.layer + 1))
        self.output_nets, self.crossing_nets = outputs[self.neurons], outputs[: self.neurons.start]
        self.rail_nets = self.net_ids(nets.RAILS)
        self.error = 0.0  # largest of a resistor's conductance, relative
        planes = (
            ((self.base, self.base_vias), rules.base if index else rules.substrate),
            ((WORD_LINES,), rules.word),
            ((DEVICES, DIELECTRIC, CONTACTS, CELLS), rules.between),
            ((BIT_LINES,), rules.bit),
            (UPPER[:3], rules.upper_between if self.has_upper else 0),
            (UPPER[3:], rules.upper_word if self.has_upper else 0),
            ((ENCAPSULATION,), rules.encapsulation),
        )
        self.canvas = Canvas(planes, self.bottom, self.plan.turned)

    def net_ids(self, names: Iterable[str]) -> Ints:
        return np.array([self.ids[name] for name in names], dtype=np.int64)

    def sheet(self) -> Sheet:
        (u0, v0), (u1, v1) = self.plan.near, self.plan.far
        if self.plan.strips:
            half = self.rules.width // 2 + self.rules.overlay
            self.canvas.draw(self.base, u0, v0, self.plan.fingers, v1, BARE)
            self.canvas.draw(self.base, self.plan.fingers, self.plan.rows - half, u1, self.plan.rows + half, BARE)
        else:
            self.canvas.draw(self.base, u0, v0, u1, v1, BARE)
        self.draw_word_lines()
        self.draw_bit_lines()
        if self.plan.has_cells:
            self.draw_cells()
        self.draw_crossing()
        self.draw_rails()
        self.draw_marks()
        if self.is_last and self.rules.encapsulation:
            self.draw_encapsulation()
        plan = self.plan
        devices = self.draw_devices(DIELECTRIC, plan.rows, plan.first_row)
        upper = None
        if self.has_upper:
            upper = self.draw_devices(UPPER_DIELECTRIC, plan.upper_rows, plan.first_row + len(plan.rows))
        return Sheet(
            name=f"sheet {self.index + 1}",
            network_layer=self.plan.layer,
            tile=self.plan.tile,
            part=self.plan.part,
            rotation=90 if self.plan.turned else 0,
            z_nm=self.bottom,
            shapes=self.canvas.shapes(),
            devices=devices,
            upper=upper,
        )

    @property
    def bit_centres(self) -> tuple[Ints, Ints]:
        """``u`` of the positive and of the negative bit lines."""
        positive = self.plan.columns - self.plan.pair // 2
        return positive, positive + self.plan.pair

    @property
    def crossed(self) -> tuple[int, int]:
        """``u`` where the crossbar's first device begins and its last one ends."""
        positive, negative = self.bit_centres
        start, beside = self.rules.patch // 2, self.plan.window.width if self.plan.window else 0
        return int(positive[0]) - start - beside, int(negative[-1]) - start + self.rules.patch + beside

    def draw_word_lines(self) -> None:
        plan, lower = self.plan, len(self.plan.rows)
        driven = plan.inputs if plan.layer else 0  # by cells below; the other rows end in contact fingers
        if plan.layer:
            rows = np.concatenate([plan.rows, plan.upper_rows])[:driven]
            v = np.append(rows, plan.above)
            owners = np.concatenate([self.word_nets, self.upper_nets])[:driven]
            owners = np.append(owners, self.passing_nets)
            u, up = np.full(len(v), -self.stack.output), slice(0 if plan.rising else min(driven, lower), None)
            self.canvas.draw_squares(self.base_vias, u, v, self.rules.via, owners)
            self.canvas.draw_squares(WORD_LINES, u, v, self.rules.pad, owners)
            self.canvas.draw_squares(CONTACTS, u[up], v[up], self.rules.via, owners[up])
            self.draw_landings(u[up], v[up], owners[up])
        self.draw_rows(WORD_LINES, plan.rows, self.word_nets, min(driven, lower), plan.fingers)
        if self.has_upper:
            self.draw_rows(
                UPPER_WORD_LINES, plan.upper_rows, self.upper_nets, max(driven - lower, 0), plan.upper_fingers
            )

    def draw_rows(self, layer: str, rows: Ints, owners: Ints, driven: int, fingers: int) -> None:
        """Word lines; the first ``driven`` start at a pad over the cells below, the others end in contact fingers."""
        rules = self.rules
        low = rows - rules.width // 2
        high = low + rules.width
        start, end = (np.full(len(rows), edge) for edge in self.crossed)
        start[:driven] = -self.stack.output - rules.pad // 2 + rules.pad
        end[driven:] = fingers
        self.canvas.draw(layer, start, low, end, high, owners)
        self.canvas.draw(layer, fingers, low[driven:], fingers + rules.finger, high[driven:], owners[driven:])

    def draw_landings(self, u: Ints, v: ArrayLike, owners: Ints) -> None:
        """Pads in the plane of the bit lines, and on sheets with more planes up to their top: there vias land."""
        self.canvas.draw_squares(BIT_LINES, u, v, self.rules.pad, owners)
        if self.has_upper:
            self.canvas.draw_squares(UPPER_CONTACTS, u, v, self.rules.via, owners)
            self.canvas.draw_squares(UPPER_WORD_LINES, u, v, self.rules.pad, owners)

    def draw_bit_lines(self) -> None:
        rules, plan = self.rules, self.plan
        top = int(np.append(plan.rows, plan.upper_rows).max()) - rules.patch // 2 + rules.patch
        if plan.window:
            top += plan.window.height
        for polarity, centres in zip((+1, -1), self.bit_centres, strict=True):
            low = centres - rules.width // 2
            owners = self.net_ids(nets.bit_lines(self.crossbar, plan.layer + 1, polarity)[self.neurons])
            start = -rules.pin
            if plan.joined:
                self.draw_joints(centres, owners)
                if plan.has_cells:
                    self.canvas.draw(BIT_LINES, low, start, low + rules.width, rules.space, owners)
                start = rules.space + rules.pad
            self.canvas.draw(BIT_LINES, low, start, low + rules.width, top, owners)
        if plan.joined and plan.has_cells:  # bit lines cross the first rail at the cells' edge
            self.canvas.draw(DIELECTRIC, self.crossed[0], 0, self.crossed[1], rules.space, BARE)
        if plan.window:
            self.draw_islands()
            return
        self.draw_filling(DIELECTRIC, plan.rows, top)
        if self.has_upper:
            self.draw_filling(UPPER_DIELECTRIC, plan.upper_rows, top)
            if plan.layer == 0:
                self.draw_insulation()

    def draw_islands(self) -> None:
        """Dielectric where lines cross and nowhere else: resistors in the plane need the rest."""
        patch = self.rules.patch
        low, high = (centres - patch // 2 for centres in self.bit_centres)
        for v in self.plan.rows - patch // 2:
            self.canvas.draw(DIELECTRIC, low, v, high + patch, v + patch, BARE)

    def draw_filling(self, layer: str, rows: Ints, top: int) -> None:
        """Dielectric between the devices of neighbouring rows, up to where the bit lines end."""
        rules = self.rules
        low = np.sort(rows) - rules.patch // 2
        start, end = np.append(rules.joint_end if self.plan.joined else 0, low + rules.patch), np.append(low, top)
        free = start < end
        self.canvas.draw(layer, self.crossed[0], start[free], self.crossed[1], end[free], BARE)

    def draw_insulation(self) -> None:
        """Dielectric between the devices of one row, where word lines run right above those of the lower tile."""
        rules, plan = self.rules, self.plan
        devices = np.sort(np.concatenate(self.bit_centres)) - rules.patch // 2
        start = np.append(devices[0] - rules.overlay, devices + rules.patch)
        end = np.append(devices, plan.upper_fingers + rules.finger + rules.overlay)
        free = start < end
        low = plan.upper_rows[:, None] - rules.patch // 2 + np.zeros(int(free.sum()), dtype=np.int64)
        sides = (np.broadcast_to(edge[free], low.shape).ravel() for edge in (start, end))
        u0, u1 = sides
        self.canvas.draw(UPPER_DIELECTRIC, u0, low.ravel(), u1, low.ravel() + rules.patch, BARE)

    def draw_joints(self, centres: Ints, owners: Ints) -> None:
        """Where bit lines meet those of the sheets above and below that carry tiles of the same layer."""
        rules = self.rules
        if self.plan.has_cells:  # nothing lands here
            self.canvas.draw_squares(BIT_LINES, centres, rules.joint, rules.pad, owners)
        else:
            self.draw_landings(centres, rules.joint, owners)
        if self.plan.tile:
            self.canvas.draw_squares(self.base_vias, centres, rules.joint, rules.via, owners)
            self.canvas.draw_squares(WORD_LINES, centres, rules.joint, rules.pad, owners)
            self.canvas.draw_squares(CONTACTS, centres, rules.joint, rules.via, owners)

    def draw_cells(self) -> None:
        rules, plan, out = self.rules, self.plan, -self.stack.output
        left = plan.columns - plan.cell_before
        self.canvas.draw(CELLS, left, -plan.cell_depth, left + plan.cell_width, 0, BARE)
        if self.is_last:
            low = plan.columns - rules.width // 2
            edge = plan.near[1] + rules.space + rules.finger
            self.canvas.draw(BIT_LINES, low, edge, low + rules.width, out, self.output_nets)
            self.canvas.draw(BIT_LINES, low, edge - rules.finger, low + rules.width, edge, self.output_nets)
        else:
            self.draw_landings(plan.columns, out, self.output_nets)

    def draw_crossing(self) -> None:
        """Outputs of the column tiles below, on their way up or, on the topmost sheet, to its near edge."""
        rules, plan, out = self.rules, self.plan, -self.stack.output
        u, owners = plan.crossing, self.crossing_nets
        self.canvas.draw_squares(self.base_vias, u, out, rules.via, owners)
        self.canvas.draw_squares(WORD_LINES, u, out, rules.pad, owners)
        self.canvas.draw_squares(CONTACTS, u, out, rules.via, owners)
        if not self.is_last:
            self.draw_landings(u, out, owners)
            return
        self.canvas.draw_squares(BIT_LINES, u, out, rules.pad, owners)
        low, beside = u - rules.width // 2, u - rules.patch // 2
        edge, end = plan.near[1] + rules.space + rules.finger, out - rules.pad // 2
        self.canvas.draw(BIT_LINES, low, edge, low + rules.width, end, owners)
        self.canvas.draw(BIT_LINES, low, edge - rules.finger, low + rules.width, edge, owners)
        self.canvas.draw(DIELECTRIC, beside, -plan.cell_depth, beside + rules.patch, end, BARE)

    def draw_rails(self) -> None:
        rules, plan, corner = self.rules, self.plan, -self.stack.rails
        low = corner - rules.width // 2
        start = corner - rules.pad // 2 + rules.pad
        self.canvas.draw_squares(WORD_LINES, corner, corner, rules.pad, self.rail_nets)
        last = int(plan.columns[-1]) - plan.cell_before + plan.cell_width
        end = plan.fingers if self.is_first else last
        if self.is_first or plan.has_cells:
            self.canvas.draw(WORD_LINES, start, low, end, low + rules.width, self.rail_nets)
        if self.is_first:
            finger = (plan.fingers, low, plan.fingers + rules.finger, low + rules.width)
            self.canvas.draw(WORD_LINES, *finger, self.rail_nets)
        else:
            self.canvas.draw_squares(self.base_vias, corner, corner, rules.via, self.rail_nets)
        if not self.is_last:
            self.canvas.draw_squares(CONTACTS, corner, corner, rules.via, self.rail_nets)
            self.draw_landings(corner, corner, self.rail_nets)

    def draw_marks(self) -> None:
        across, *ends = self.stack.marks
        length = ends[1] - ends[0] - strip_width(self.rules) - 2 * self.rules.space
        start = ends[0] + strip_width(self.rules) + self.rules.space
        flat = self.stack.marks_along == int(self.plan.turned)  # the strip runs along the sheet's u
        number = self.index + 1

        def place(layer: str, boxes: Ints, net: int) -> None:
            a0, b0, a1, b1 = boxes.T
            self.canvas.draw(layer, *((a0, b0, a1, b1) if flat else (b0, a0, b1, a1)), net)

        for end, along in enumerate(ends):
            for layer, boxes in draw_mark(self.rules, along, across):
                name = nets.marks(number)[2 * end + int(layer == BIT_LINES)]
                place(layer, boxes, BARE if layer == DIELECTRIC else self.ids[name])
        text = draw_text(f"{number} {self.crossbar.name}", self.rules, start, across, length)
        if len(text):
            place(DIELECTRIC, text, BARE)

    def draw_encapsulation(self) -> None:
        """Over all of the topmost sheet, but the fingers at its near edge and, where it has some, at its far edge."""
        rules, plan = self.rules, self.plan
        near = plan.near[1] + rules.space + rules.finger
        far = plan.upper_fingers
        if plan.strips or plan.far[0] <= far:  # what it is printed on ends there, but for the strips
            far = min(plan.far[0], far) - rules.space
        self.canvas.draw(ENCAPSULATION, plan.near[0] + rules.space, near, far, plan.far[1] - rules.space, BARE)

    def draw_devices(self, plane: str, placed: Ints, first: int) -> Devices:
        """The devices of one tile in the plane of layer ``plane``: rows from ``first`` on, which lie at ``placed``.

        Those that are no patches are drawn as shapes.
        """
        layer, plan = self.layer, self.plan
        tile = slice(first, first + len(placed))
        shape = (len(placed), len(plan.columns), 2)
        rows, columns, sides = (axis.ravel() for axis in np.indices(shape))
        conductance = np.stack(layer.programmed, axis=-1)[tile, self.neurons].ravel()
        u, v = np.stack(self.bit_centres, axis=1)[columns, sides], placed[rows]
        low, high = -(self.rules.patch // 2), self.rules.patch - self.rules.patch // 2
        outlines = np.tile([low, low, high, high], (len(rows), 1))
        if plan.window and self.stack.resistors:
            strips = place_resistors(self.stack.resistors, plan.window, conductance, sides, self.rules)
            at, (u0, v0, u1, v1) = strips.owners, strips.boxes.T
            self.canvas.draw(DEVICES, u[at] + u0, v[at] + v0, u[at] + u1, v[at] + v1, BARE)
            outlines, self.error = strips.outlines, strips.error
        u0, v0, u1, v1 = outlines.T
        return Devices(
            rows=first + rows,
            columns=self.neurons.start + columns,
            polarity=1 - 2 * sides,
            boxes=self.canvas.boxes(plane, u + u0, v + v0, u + u1, v + v1),
            weight=np.repeat(layer.weights[tile, self.neurons], 2),
            conductance=conductance,
            level=np.stack([layer.level_pos, layer.level_neg], axis=-1)[tile, self.neurons].ravel(),
        )
