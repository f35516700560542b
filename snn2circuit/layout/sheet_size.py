"""Whether the sheets of a plan can be printed, and what would fit where they are too large."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from snn2circuit.errors import LayoutError
from snn2circuit.ir.crossbar import CrossbarNetwork, even_cuts
from snn2circuit.ir.layout import Process
from snn2circuit.ir.noun import Ints
from snn2circuit.layout.nets import RAILS
from snn2circuit.layout.plan import Plan, SheetPlan, plan_stack
from snn2circuit.layout.rules import Rules, nanometres
from snn2circuit.units import engineering

PARTS = 16  # column tiles of a layer that a refusal tries


def check_size(plan: Plan, process: Process, crossbar: CrossbarNetwork, rules: Rules) -> None:
    """Make sure that every sheet of the ``plan`` of ``crossbar`` can be printed.

    Raises:
        LayoutError: a sheet is larger than the process allows; the text has both sizes and what would fit.
    """
    if process.sheet_length is None or process.sheet_width is None:
        return
    long, short = (nanometres(process, "sheet", side) for side in (process.sheet_length, process.sheet_width))
    for number, sheet in enumerate(plan.sheets, start=1):
        width, length = _sides(sheet)
        if length > long or width > short:
            words = len(sheet.rows) + len(sheet.upper_rows)
            contacts = _contacts(sheet, process, long, short) if number == 1 else ""
            raise LayoutError(
                f"sheet {number} is {length / 1e6:g} mm by {width / 1e6:g} mm, with {words} word lines "
                f"{_pitch(sheet.rows)} apart and {len(sheet.columns)} neurons {_pitch(sheet.columns)} apart; process "
                f"{process.name} prints at most {long / 1e6:g} mm by {short / 1e6:g} mm: allow sheet_length = "
                f"{max(length, long) / 1e9:g} and sheet_width = {max(width, short) / 1e9:g}, the least that fits, "
                "choose a finer process, fewer neurons, or tile_rows and tile_columns, which spread both over "
                f"several sheets{_column_tiles(plan, crossbar, rules, long, short)}"
                f"{_resistors(plan, crossbar, rules, long, short)}{contacts}"
            )


def _column_tiles(plan: Plan, crossbar: CrossbarNetwork, rules: Rules, long: int, short: int) -> str:
    """The largest column tiles with which all sheets fit, of up to :data:`PARTS` a layer, tried by planning."""
    widest = max(layer.columns for layer in crossbar.layers)
    for limit in dict.fromkeys(-(-widest // parts) for parts in range(2, PARTS + 1)):
        layers = (replace(layer, column_cuts=even_cuts(layer.columns, limit)) for layer in crossbar.layers)
        tried = plan_stack(replace(crossbar, layers=tuple(layers)), rules, plan.resistors)
        if all(width <= short and length <= long for width, length in map(_sides, tried.sheets)):
            return f": tile_columns = {limit} in [circuit] fits, on {len(tried.sheets)} sheets"
    return ""


def _sides(sheet: SheetPlan) -> tuple[int, int]:
    """Shorter and longer side."""
    width, length = sorted(int(high - low) for low, high in zip(sheet.near, sheet.far, strict=True))
    return width, length


def _resistors(plan: Plan, crossbar: CrossbarNetwork, rules: Rules, long: int, short: int) -> str:
    """What would fit if meanders take the room: the smallest conductance at which all sheets do, tried 2 % by 2 %."""
    if plan.resistors is None:
        return ""
    squares, trace, ink = plan.resistors.squares, plan.resistors.trace, plan.resistors.ink.value
    said = (
        f". Its resistors are meanders of up to {squares:.0f} squares of {engineering(ink, 'ohm/sq')} each, "
        f"{engineering(1 / (squares * ink), 'S')}"
    )
    siemens = 1 / (squares * ink)
    while (least := 1.02 * siemens) * ink * trace.shortest < 1:
        digit = 10.0 ** (math.floor(math.log10(least)) - 2)
        siemens = math.ceil(least / digit) * digit  # three digits, as the text has them
        fit = 1 / (siemens * ink)
        tried = plan_stack(crossbar, rules, replace(plan.resistors, squares=fit))
        if all(width <= short and length <= long for width, length in map(_sides, tried.sheets)):
            return said + (
                f", and {fit:.0f} squares would fit: g_min in [device] of {engineering(siemens, 'S')}, or an ink of "
                f"{engineering(squares * ink / fit, 'ohm/sq')} with a g_max of at most "
                f"{engineering(fit / (squares * ink * trace.shortest), 'S')}, the shortest meander"
            )
    return f"{said}; no shorter ones would fit either"


def _contacts(sheet: SheetPlan, process: Process, long: int, short: int) -> str:
    """What would fit if it is the contacts of the first sheet that are too many for its edge."""
    across, edge = (int(high - low) for low, high in zip(sheet.near, sheet.far, strict=True))
    room = long if edge >= across else short
    contacts = max(len(sheet.rows), len(sheet.upper_rows)) + len(RAILS)
    if process.contact_pitch is None or edge <= room:
        return ""
    pitch = nanometres(process, "contact_pitch", process.contact_pitch)
    fits, closest = contacts - -(-(edge - room) // pitch), pitch - -(-(edge - room) // (contacts - 1))
    return (
        f". Its edge has {contacts} contacts at a contact_pitch of {pitch / 1e6:g} mm: "
        f"{max(fits, 0)} fit, or all at a pitch of {max(closest, 0) / 1e6:g} mm"
    )


def _pitch(centres: Ints) -> str:
    return f"{np.diff(np.sort(centres)).max() / 1e6:g} mm" if len(centres) > 1 else "0 mm"
