r"""Whether a stack's devices are resistors in the plane, and how much room each of them gets.

They are where the device is made by its shape and the process gives the ink of its device layer a sheet resistance
``Rs``: then a device of conductance ``G`` is a strip of ``N = 1 / (G · Rs)`` squares, a meander
(:mod:`snn2circuit.layout.meander`). It lies between its word line and the next one and beside its bit line, to the left
of a positive and to the right of a negative one, so that a neuron's pair stays close together. All windows of a layer
are as large as the lowest of all levels needs.

With ``m`` legs in windows ``X`` wide, line width ``w`` and pair spacing ``p``, word lines are at least ``w + m · (W +
s) + s`` apart, and a neuron's lines and windows take ``p + w + 2·X``. The columns of a layer are the rows of the next,
so layers are worked out from the last one down: it gets the windows that make the larger of its two pitches smallest,
each one below it windows as wide as its columns are anyway, and as many legs as that asks for.

A conductance is met exactly where its meander is (:class:`Printable`): a step of the drop grid is ``G^2 · Rs · g / W``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from snn2circuit.errors import LayoutError
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.layout import Process
from snn2circuit.ir.noun import Floats, Ints, freeze, noun
from snn2circuit.ir.parts import Device, Quantity
from snn2circuit.layout.meander import (
    Trace,
    Window,
    draw_meander,
    legs_needed,
    printable_squares,
    width_needed,
)
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.rules import DEVICES, Rules
from snn2circuit.units import engineering


def check_shaped(device: Device, process: Process) -> None:
    """Refuse a device that is made by its shape where no shape would have its value.

    Raises:
        LayoutError: the text names the processes that shape it.
    """
    if device.by_shape and process.layer(DEVICES).sheet_resistance is None:
        shaping = [name for name, each in PROCESSES.items() if each.layer(DEVICES).sheet_resistance is not None]
        raise LayoutError(
            f"device {device.name} is made by its shape, and process {process.name} gives the ink of its layer "
            f"{DEVICES} no sheet_resistance, so no shape would have its value: use a process that shapes it "
            f"({', '.join(shaping)}, or a process file with that key), or a device that is programmed"
        )


@noun
class Resistors:
    """How all devices of a stack are drawn as resistors."""

    ink: Quantity  # ohm per square
    trace: Trace
    squares: float  # of the lowest conductance

    def window(self, width: int) -> Window:
        """The window of a layer whose columns leave ``width`` for each."""
        width = max(width - width % (2 * self.trace.grid), self.trace.narrowest)
        return Window(trace=self.trace, width=width, legs=legs_needed(self.trace, width, self.squares))

    def printable(self, window: Window, device: Device) -> Printable:
        """What can be printed in ``window`` of the range of ``device``."""
        return Printable(
            ink=self.ink.value,
            window=window,
            fewest=max(self.trace.shortest, 1 / (device.g_max.value * self.ink.value)),
            most=min(window.holds, self.squares),
        )


def plan_resistors(crossbar: CrossbarNetwork, process: Process, rules: Rules) -> Resistors | None:
    """How the devices of ``crossbar`` are drawn as resistors in ``process``; nothing where they are patches.

    Raises:
        LayoutError: the device is made by its shape and the process does not shape it, or a conductance is too large
            for the ink; the text has an ink and a conductance that would do.
    """
    check_shaped(crossbar.device, process)
    ink = process.layer(DEVICES).sheet_resistance
    if ink is None or not crossbar.device.by_shape:
        return None
    if rules.mode == "shared_electrode":
        raise LayoutError(
            f"stack mode shared_electrode has devices above its bit lines too, and printed resistors in the ink of "
            f"process {process.name} take the room beside them once: use isolated, staircase or sheet_per_layer"
        )
    trace = make_trace(rules)
    programmed = [values for layer in crossbar.layers for values in layer.programmed]
    highest = max(float(values.max()) for values in programmed)
    lowest = min(float(crossbar.levels[0]), *(float(values.min()) for values in programmed))
    fewest = 1 / (highest * ink.value)
    if fewest < trace.shortest - trace.step / 2:
        raise LayoutError(
            f"a device of {engineering(highest, 'S')} is {fewest:.3g} squares in the ink of process {process.name}, "
            f"{engineering(ink.value, 'ohm/sq')}, and the shortest meander from line to line has {trace.shortest:.3g}: "
            f"use an ink of at most {engineering(1 / (highest * trace.shortest), 'ohm/sq')} (sheet_resistance of "
            f"{DEVICES} in a process file), or a device with a g_max of at most "
            f"{engineering(1 / (trace.shortest * ink.value), 'S')}"
        )
    return Resistors(ink=ink, trace=trace, squares=1 / (lowest * ink.value))


def make_trace(rules: Rules) -> Trace:
    """How a process draws strips: as wide as its lines, and no closer than these or than half a pitch."""
    return Trace(
        width=rules.width,
        space=max(rules.space, rules.width),
        reach=rules.width + rules.overlay,
        grid=max(1, rules.step // 2),
    )


def row_pitch(window: Window, rules: Rules) -> int:
    """Least distance of word lines with windows between them, nm."""
    return rules.width + window.height + window.trace.space


def span(window: Window, pair: int, rules: Rules) -> int:
    """Width of a neuron's two bit lines, ``pair`` apart, with the windows to both sides, nm."""
    return pair + rules.width + 2 * (window.width + rules.overlay)


def find_windows(resistors: Resistors, rules: Rules, pairs: Sequence[int], pitches: Sequence[int]) -> list[Window]:
    """The windows of each layer.

    Args:
        resistors: what has to fit.
        rules: of the process.
        pairs: distance of a neuron's two bit lines, layer by layer.
        pitches: of neurons, layer by layer, as far as anything else asks for it.
    """

    def beside(pair: int, pitch: int) -> int:
        return (pitch - rules.space - pair - rules.width) // 2 - rules.overlay

    windows: list[Window] = []
    least = 0  # pitch that the rows of the layer above ask for
    for pair, pitch in zip(reversed(pairs), reversed(pitches), strict=True):
        if not windows:
            least = _square(resistors, rules, pair)
        window = resistors.window(beside(pair, max(pitch, least)))
        windows.append(window)
        least = row_pitch(window, rules)
    return windows[::-1]


def _square(resistors: Resistors, rules: Rules, pair: int) -> int:
    """Pitch of neurons at which the pitches of rows and of neurons are as small as they can be alike."""
    trace, legs = resistors.trace, 1
    while True:  # each two legs more make windows narrower and higher
        width = max(rules.snap(width_needed(trace, legs, resistors.squares)), trace.narrowest)
        window = Window(trace=trace, width=width, legs=legs)
        across, along = span(window, pair, rules) + rules.space, row_pitch(window, rules)
        if along >= across or width == trace.narrowest:
            return across
        legs += 2


@noun
class Printable:
    """The conductances that the resistors of one layer can be printed with: those that a meander has exactly."""

    ink: float  # ohm per square
    window: Window
    fewest: float  # squares of the highest conductance of the device
    most: float  # of the lowest

    def __call__(self, conductance: Floats) -> tuple[Floats, Floats]:
        """Those next at or below and next at or above each ``conductance``, S; beyond an end of the range, that end."""
        with np.errstate(divide="ignore"):
            wanted = np.clip(1 / (conductance * self.ink), self.fewest, self.most)
        few, many = printable_squares(wanted, self.window)
        (_, first), (last, _) = (printable_squares(np.array(end), self.window) for end in (self.fewest, self.most))
        below, above = (1 / (np.clip(squares, first, last) * self.ink) for squares in (many, few))
        return below, above


@noun
class Strips:
    """The meanders of many devices, in ``u`` and ``v`` from the crossing of each, nm."""

    boxes: Ints  # (boxes, 4): u0, v0, u1, v1
    owners: Ints  # (boxes,), increasing: number of the device
    outlines: Ints  # (devices, 4)
    error: float  # largest relative error of a conductance that the grid leaves

    def __post_init__(self) -> None:
        for name in ("boxes", "owners", "outlines"):
            freeze(self, name, np.int64)


def place_resistors(resistors: Resistors, window: Window, conductance: Floats, sides: Ints, rules: Rules) -> Strips:
    """Draw one resistor for each of ``conductance``, S, left of its bit line where ``sides`` is 0, else right of it."""
    near, far = rules.width // 2, rules.width - rules.width // 2
    outlines = np.empty((len(conductance), 4), dtype=np.int64)
    boxes, owners, error = [], [], 0.0
    values, value = np.unique(conductance, return_inverse=True)
    order = np.argsort(value, kind="stable")
    for siemens, devices in zip(values.tolist(), np.split(order, np.cumsum(np.bincount(value))[:-1]), strict=True):
        squares = 1 / (siemens * resistors.ink.value)
        meander = draw_meander(squares, window)
        error = max(error, abs(squares / meander.squares - 1))
        x0, y0, x1, y1 = meander.boxes.T
        right = np.stack([far + x0, far + y0, far + x1, far + y1], axis=1)
        left = np.stack([-near - x1, far + y0, -near - x0, far + y1], axis=1)
        for side, drawn in ((0, left), (1, right)):
            own = devices[sides[devices] == side]
            outlines[own] = [*drawn[:, :2].min(axis=0), *drawn[:, 2:].max(axis=0)]
            boxes.append(np.tile(drawn, (len(own), 1)))
            owners.append(np.repeat(own, len(drawn)))
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    return Strips(boxes=np.concatenate(boxes)[order], owners=owner[order], outlines=outlines, error=error)
