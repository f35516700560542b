r"""Where everything of a stack goes, before anything is drawn: a floor plan without a single crossing.

Each sheet is planned in its own axes ``(u, v)``: word lines run along ``u``, bit lines along ``v``. On the first
sheet ``(u, v)`` is ``(x, y)``, on the second ``(y, x)``, and so on in turn. All crossbars lie in the quadrant
``u, v > 0`` and all neuron cells in a row at ``v < 0``, so every sheet turns around the same corner, the origin::

       v                                         sheet of layer 1, seen from above
       │    bp bn    bp bn
       │ ────┼──┼─────┼──┼──────────────── bias ▭      ▭  contact finger, left bare by the smaller sheets above
       │ ────┼──┼─────┼──┼──────────────── row 1 ▭      ┼  a device between word line and bit line
       │ ────┼──┼─────┼──┼──────────────── row 0 ▭      ◉  via up to the next sheet
     ──┼────┌┴──┴┐───┌┴──┴┐──────────────────── u
      ◉─────│────│───│────│──────────────── vdd ▭       rails run under the cells in the plane of the word lines;
     ◉│─────│ ◉  │───│ ◉  │──────────────── vss ▭       a cell's output leaves at its top
    ◉││     └────┘   └────┘

*Row tiles.* A layer that is cut into row tiles has a sheet for each, all in the same axes, with its cells on the
topmost. Below row 0 its bit lines have a pad each; the pads of all tiles lie above one another, and vias join them.
That takes pads ``pad_pitch`` apart, so the two bit lines of a neuron stand that far apart. Tiles of the first layer
have fingers of their own and lie right above one another, each set back from the one below. In a ``staircase`` of ``n``
tiles their rows are ``n`` times as far apart and each tile is offset by one row: all fingers lie in one line, those of
higher tiles on strips of their interlayer, between which the others stay bare. Tiles of later layers have their rows
where the cells below drive them, each beside those of the tile before; what drives a higher tile passes the sheets
below it in a via column.

*Column tiles.* A layer that is cut into column tiles has sheets for each, all in the same axes: those of the first,
then those of the next, each with its own cells on the topmost. Where word lines end in fingers, every column tile has
its own, set back from those below, each with a driver from outside: that costs contacts and no loss. Word lines of
later layers hang on the via column that comes up from the cell that drives them. Outputs of a lower column tile pass
the sheets of the others in via columns: neurons take turns along ``u``, one of each tile, so that between two cells of
one there is room for a pad of each other, and the next layer's rows come in that order. These cells begin at their
pins, so that turns are short. The rails leave a channel for these pads, in which the outputs lie; what passes the last
layer's topmost sheet leaves at its near edge as its own spikes do, insulated from the rails that it crosses.

*Shared bit lines.* In mode ``shared_electrode`` a sheet carries two consecutive row tiles, the second one above the bit
lines. In the first layer its word lines lie right above those of the first, so the bit lines cross two rows at every
step and are half as long; its fingers end before those below, which reach further out. In later layers its rows lie
beside those of the first tile and come up through contacts. Two tiles on one sheet need no joint; sheets are joined as
above, their via columns passing the upper planes too.

*Sheet to sheet.* The output of cell ``n`` lies at ``u = c_n`` on its sheet, which is ``v = c_n`` on the turned sheet
above: there word line ``n`` runs, starting exactly over the output. So a via connects them and nothing has to be
routed; in exchange the rows of a sheet have the pitch of the cells below.

*Rails.* Rail ``i`` lies at ``v = -t_i`` on every sheet. The lines ``v = -t_i`` of one sheet and of the turned next one
meet at the corner ``(-t_i, -t_i)``, and these corners lie on a diagonal: there each rail has one straight via column
through the whole stack. Rails are parallel to word lines and share their plane; bit lines and outputs are in the other
plane and meet rails only across a cell.

*Resistors.* Devices that are printed as meanders (:mod:`snn2circuit.layout.resistors`) lie above their word line and
beside their pair of bit lines. Rows and columns then are as far apart as these windows ask for.

*Edges.* Word lines of the first sheet, all rails and every bias line end in contact fingers at the far edge, which the
sheets above leave uncovered: a staircase. Spikes leave at the near edge of the topmost sheet. Marks and names stand in
a strip along the other near edge (:mod:`snn2circuit.layout.marks`).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from snn2circuit.errors import LayoutError
from snn2circuit.ir.crossbar import CrossbarLayer, CrossbarNetwork, Tile
from snn2circuit.ir.noun import Ints, freeze, noun
from snn2circuit.layout.marks import strip_width
from snn2circuit.layout.meander import Window
from snn2circuit.layout.nets import RAILS
from snn2circuit.layout.nets import sheets as sheets_of
from snn2circuit.layout.resistors import Resistors, find_windows, row_pitch, span
from snn2circuit.layout.rules import Rules


@noun
class SheetPlan:
    """Positions on one sheet, in nm and in the sheet's own axes."""

    layer: int  # that it carries, from 0
    tile: int  # of the layer's row tiles, from 0; the lower one where it carries two
    part: int  # of the layer's column tiles, from 0
    neurons: tuple[int, int]  # of the column tile, first and behind the last
    first_row: int  # of the tile
    inputs: int  # rows of all its tiles that are not the bias row
    rising: bool  # its rows go on to the sheets of the next column tile
    passing: Ints  # (rows of higher sheets,), those that only pass through on their way up
    above: Ints  # (rows of higher sheets,), their v
    crossing: Ints  # (neurons of lower column tiles,), u of their outputs, first neuron first
    rows: Ints  # (rows,), v of each word line's centre, bias row last
    upper_rows: Ints  # (rows,), v of the word lines of the tile above the bit lines; none where there is no such tile
    columns: Ints  # (neurons,), u of each neuron's centre; its bit lines lie half of ``pair`` to either side
    pair: int  # from a neuron's positive to its negative bit line
    window: Window | None  # room of a device that is a resistor in the plane
    joined: bool  # the bit lines of the layer's sheets meet at ``rules.joint``
    has_cells: bool  # the layer's cells stand here: it is the topmost of the layer's sheets
    fingered: bool  # some of its word lines end in contact fingers
    cell_width: int  # along u; on a sheet without cells, the room that they take on the one with cells
    cell_before: int  # of it, what lies before the neuron's centre
    cell_depth: int  # along v, from 0 down to -cell_depth
    fingers: int  # u at which contact fingers begin
    upper_fingers: int  # u at which those of the tile above the bit lines begin; the same unless both have some
    strips: bool  # from there on, what the sheet is printed on is a strip under each finger
    near: tuple[int, int]  # u and v of the substrate's near edges
    far: tuple[int, int]  # u and v of the substrate's far edges
    turned: bool  # (u, v) is (y, x) instead of (x, y)

    def __post_init__(self) -> None:
        freeze(self, "passing", np.int64)
        freeze(self, "above", np.int64)
        freeze(self, "crossing", np.int64)
        freeze(self, "rows", np.int64)
        freeze(self, "upper_rows", np.int64)
        freeze(self, "columns", np.int64)


@noun
class Plan:
    """The floor plan of a stack."""

    rails: Ints  # (rails,), v of each rail's centre is minus this, on every sheet
    output: int  # v of every cell's output via is minus this
    sheets: tuple[SheetPlan, ...]  # bottom to top
    marks: tuple[int, int, int]  # of the strip of marks: where it begins across, and where both marks begin along it
    marks_along: int  # axis along which the strip runs: 0 for x, 1 for y
    resistors: Resistors | None = None  # how devices are drawn; nothing where they are patches

    def __post_init__(self) -> None:
        freeze(self, "rails", np.int64)


def plan_stack(crossbar: CrossbarNetwork, rules: Rules, resistors: Resistors | None = None) -> Plan:
    """Floor plan of one sheet for each tile of each layer, or each two of its row tiles, first layer at the bottom.

    ``resistors`` says how devices are drawn that are no patches.

    Raises:
        LayoutError: the stack mode needs row tiles and there are none.
    """
    _check_tiles(crossbar, rules)
    rails, output = _rails(rules, channel=any(layer.column_cuts for layer in crossbar.layers))
    carried = sheets_of(crossbar, rules.mode)
    joined = [
        sum(number == index and tiles[0].columns.start == 0 for number, tiles in carried) > 1
        for index in range(1, len(crossbar.layers) + 1)
    ]
    starts = [rules.joint_end if meets else rules.space for meets in joined]  # v from which on devices may lie
    rooms = _rooms(crossbar, rules, joined, resistors, (int(rails[-1]), output))
    cells = [room.cell for room in rooms]
    columns = [
        _columns(layer, rules, room, start)
        for layer, room, start in zip(crossbar.layers, rooms, [*starts[1:], 0], strict=True)
    ]

    deepest = int(max(rails[-1] + rules.pad, *(depth for _, depth in cells)))
    near = [-deepest - rules.space] * 2
    strip = 1 - len(cells) % 2  # the axis at whose near end the marks stand: the one where no spike leaves
    near[strip] -= strip_width(rules) + rules.space
    near[len(cells) % 2] = -max(deepest, cells[-1][1] + rules.space + rules.finger) - rules.space
    far = [0, 0]  # x and y of the sheet above
    sheets: list[SheetPlan] = []
    for number, tiles in reversed(carried):
        index, layer = number - 1, crossbar.layers[number - 1]
        room = rooms[index]
        is_top = tiles[-1].rows.stop == layer.rows
        has_bias = layer.has_bias and is_top
        below = columns[index - 1] if index else None
        rows, *uppers = (
            _rows(layer, tile, below, starts[index], rules, room.row_pitch, int(rails[0])) for tile in tiles
        )
        upper_rows = uppers[0] if uppers else np.empty(0, dtype=np.int64)
        part = layer.tiles.index(tiles[0]) % (len(layer.column_cuts) + 1)
        mine, rising = tiles[0].columns, tiles[0].columns.stop < layer.columns
        passing = np.arange(layer.inputs if index else 0)
        landed = (passing >= tiles[0].rows.start) & (passing < tiles[-1].rows.stop)
        passing = passing[~landed & ((passing >= tiles[-1].rows.stop) | rising)]
        above = np.empty(0, dtype=np.int64) if below is None else below[passing]
        taken = np.concatenate([rows, upper_rows, above])
        in_line = rules.mode == "staircase" and index == 0 and number in {sheet.layer + 1 for sheet in sheets}
        u, v = (1, 0) if index % 2 else (0, 1)
        reach = rules.width - rules.width // 2 + rules.overlay
        half = (max(room.width, room.pair + 2 * reach) + 1) // 2
        end = int(columns[index].max()) + max(half, room.cell[0] - room.before)
        fingers = upper_fingers = sheets[-1].fingers if in_line else max(end, far[u]) + rules.space
        if index == 0 and uppers:  # those below reach further out
            fingers += rules.finger + rules.space
        if index == 0 or has_bias:
            far[u] = fingers + rules.finger + rules.space
        else:
            far[u] = max(far[u], end + rules.space)
        pads = rules.pad - rules.pad // 2 if index else 0
        up = int(rows.max()) + reach + (room.window.height if room.window else 0)
        far[v] = max(far[v], int(taken.max()) + max(reach, pads) + rules.space, up + rules.space)
        sheets.append(
            SheetPlan(
                layer=index,
                tile=layer.tiles.index(tiles[0]) // (len(layer.column_cuts) + 1),
                part=part,
                neurons=(mine.start, mine.stop),
                first_row=tiles[0].rows.start,
                inputs=len(rows) + len(upper_rows) - has_bias,
                rising=rising,
                passing=passing,
                above=above,
                crossing=columns[index][: mine.start],
                rows=rows,
                upper_rows=upper_rows,
                columns=columns[index][mine],
                pair=room.pair,
                window=room.window,
                joined=joined[index],
                has_cells=is_top,
                fingered=index == 0 or has_bias,
                cell_width=room.cell[0],
                cell_before=room.before,
                cell_depth=room.cell[1],
                fingers=fingers,
                upper_fingers=upper_fingers,
                strips=rules.mode == "staircase" and index == 0 and tiles[0] != layer.tiles[0],
                near=(near[u], near[v]),
                far=(far[u], far[v]),
                turned=index % 2 == 1,
            )
        )
    top = sheets[0]  # the smallest; it turns so that the strip runs along its v
    marks = (near[strip] + rules.space, top.near[1] + rules.space, top.far[1] - rules.space - strip_width(rules))
    return Plan(
        rails=rails,
        output=output,
        sheets=tuple(reversed(sheets)),
        marks=marks,
        marks_along=1 - strip,
        resistors=resistors,
    )


def _rails(rules: Rules, *, channel: bool) -> tuple[Ints, int]:
    """Where rails and outputs lie; with a ``channel``, no rail runs where outputs have pads in the rails' plane."""
    rails = rules.pad - rules.pad // 2 + rules.rail_pitch * np.arange(len(RAILS))
    output = rules.pin + rules.space + rules.pad - rules.pad // 2
    if channel:
        half = rules.width - rules.width // 2
        output = max(output, int(rails[0]) + half + rules.space + rules.pad - rules.pad // 2)
        first = max(output + rules.pad - rules.pad // 2 + rules.space + half, int(rails[1]))
        rails[1:] += first - rails[1]
    return rails, output


def _check_tiles(crossbar: CrossbarNetwork, rules: Rules) -> None:
    """Make sure that there are the row tiles that a stack mode is about."""
    first, largest = crossbar.layers[0], max(crossbar.layers, key=lambda layer: layer.rows)
    if rules.mode == "staircase" and not first.row_cuts:
        raise LayoutError(
            f"stack mode staircase offsets the contacts of layer 1's row tiles, and layer 1, of {first.rows} rows, "
            f"is not cut: set tile_rows in [circuit] to {max(1, first.rows // 2)}, or use isolated"
        )
    if rules.mode == "shared_electrode" and not any(layer.row_cuts for layer in crossbar.layers):
        number, half = crossbar.layers.index(largest) + 1, (largest.rows + 1) // 2
        raise LayoutError(
            "stack mode shared_electrode puts two row tiles of a layer below and above the same bit lines, and no "
            f"layer is cut: set tile_rows in [circuit] to {half}, which cuts layer {number} of {largest.rows} rows in "
            "two, or use isolated. Two layers of the network cannot share bit lines: the currents of both would add up "
            "in one neuron"
        )


@noun
class _Room:
    """What a layer's lines, devices and cells take, nm."""

    pair: int  # from a neuron's positive to its negative bit line
    cell: tuple[int, int]  # width and depth
    before: int  # of its width, what lies before the neuron's centre
    window: Window | None  # of a device that is a resistor in the plane
    width: int  # of a neuron
    pitch: int  # of a column tile's neurons
    turn: int  # from one column tile's neuron to the next one's
    row_pitch: int  # of word lines, where no cells below drive them


def _rooms(
    crossbar: CrossbarNetwork, rules: Rules, joined: list[bool], resistors: Resistors | None, deepest: tuple[int, int]
) -> list[_Room]:
    pairs = [rules.pad_pitch if meets else rules.pitch for meets in joined]
    cells = [cell_outline(layer, rules, pair, *deepest) for layer, pair in zip(crossbar.layers, pairs, strict=True)]
    pitches = [max(2 * pair, width + rules.space) for pair, (width, _) in zip(pairs, cells, strict=True)]
    across = [len(layer.column_cuts) + 1 for layer in crossbar.layers]
    before, turns, behind = ([0] * len(cells) for _ in range(3))
    for index, (pair, (width, _)) in enumerate(zip(pairs, cells, strict=True)):
        before[index], pad = width // 2, rules.pad - rules.pad // 2
        if across[index] > 1:  # pads of other outputs lie between two cells, which then begin at their pins
            before[index] = rules.snap((max(pair + rules.width, rules.pad) + 1) // 2 + rules.overlay)
            turns[index] = max(rules.pad_pitch, before[index] + rules.space + pad)
            behind[index] = width - before[index] + rules.space + pad
    if across[-1] > 1:
        turns[-1] = max(turns[-1], rules.contact)
    pitches[-1] = max(pitches[-1], rules.contact)  # spikes leave through fingers
    pitches = [
        max(pitch, (count - 1) * turn + after)
        for pitch, count, turn, after in zip(pitches, across, turns, behind, strict=True)
    ]
    windows = None if resistors is None else find_windows(resistors, rules, pairs, pitches)
    rooms: list[_Room] = []
    for index in reversed(range(len(cells))):
        window, width, rows = None, cells[index][0], rules.pitch
        if windows is not None:
            window = windows[index]
            width = max(width, span(window, pairs[index], rules))
            rows = row_pitch(window, rules)
        rows_above, others = rooms[-1].row_pitch if rooms else 0, across[index] - 1
        turn = max(turns[index], rows_above) if others else 0
        pitch = max(pitches[index], width + rules.space, rows_above, others * turn + max(behind[index], turn))
        rooms.append(
            _Room(
                pair=pairs[index],
                cell=cells[index],
                before=before[index],
                window=window,
                width=width,
                pitch=pitch,
                turn=turn,
                row_pitch=rows,
            )
        )
    return rooms[::-1]


def _columns(layer: CrossbarLayer, rules: Rules, room: _Room, start: int) -> Ints:
    """``u`` of the neurons of ``layer``; the next layer's devices lie from ``start`` on, 0 if there is none."""
    first = rules.space + (room.width + 1) // 2
    if start:  # row 0 of the next layer runs there
        first = max(first, start + rules.patch)
    edges = [0, *layer.column_cuts, layer.columns]
    tiles = enumerate(pairwise(edges))
    return first + np.concatenate(
        [room.pitch * np.arange(stop - start) + room.turn * part for part, (start, stop) in tiles]
    )


def _rows(
    layer: CrossbarLayer, tile: Tile, below: Ints | None, start: int, rules: Rules, pitch: int, rail: int
) -> Ints:
    """``v`` of a tile's rows, from ``start`` on, ``pitch`` apart; ``below``: cells that drive them."""
    if below is None:
        # Word lines of the first layer, and the rails beside them, end in fingers at an edge.
        banks, bank = (len(layer.tiles), layer.tiles.index(tile)) if rules.mode == "staircase" else (1, 0)
        step = max(rules.pitch, rules.contact, rules.snap(-(-pitch // banks)))
        first = max(start + (rules.patch + 1) // 2, rules.contact - rail)
        return first + step * (bank + banks * np.arange(tile.rows.stop - tile.rows.start))
    rows = np.append(below, below.max() + pitch) if layer.has_bias else below
    return rows[tile.rows]


def cell_outline(layer: CrossbarLayer, rules: Rules, pair: int, last_rail: int, output: int) -> tuple[int, int]:
    """Width and depth of a layer's neuron cells, nm: the footprint, or what pins and rails need where that is more.

    ``pair`` is the distance of a neuron's two bit lines; ``v`` of the last rail and of outputs is minus the others.
    """
    footprint = layer.neuron.footprint()
    pins = max(pair + rules.width, rules.pad) + 2 * rules.overlay
    rails = last_rail + rules.pad // 2
    crossed = last_rail + rules.width - rules.width // 2
    # Lines that cross the last rail are insulated from it by the cell, whatever the register.
    depth = max(rails, crossed + rules.overlay, output + rules.pad // 2 + rules.overlay)
    return rules.snap(max(footprint.width_nm, pins)), rules.snap(max(footprint.height_nm, depth))
