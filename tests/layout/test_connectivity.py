"""Layout against crossbar: right stacks pass, also by a slow judge; every planted fault is caught and named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from brute_force import read_drawing
from hypothesis import given, settings
from hypothesis import strategies as st
from layout_crossbars import FREE_INKJET, make_crossbar, mode_of

from snn2circuit.errors import LayoutError
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.layout import Layout, Sheet
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.connectivity import check_connectivity
from snn2circuit.layout.extract import extract
from snn2circuit.layout.processes import PROCESSES

Edit = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
networks = st.lists(st.integers(1, 6), min_size=2, max_size=4).map(tuple)
process_names = st.sampled_from(sorted(PROCESSES))
tiles = st.integers(0, 3)  # rows of a tile, or no cut


@pytest.fixture(scope="module")
def crossbar() -> CrossbarNetwork:
    return make_crossbar(3, 4, 2, seed=1)


@pytest.fixture(scope="module")
def layout(crossbar: CrossbarNetwork) -> Layout:
    return build_layout(crossbar, FREE_INKJET)


def change_sheet(layout: Layout, sheet: int, changed: Sheet) -> Layout:
    return replace(layout, sheets=tuple(changed if i == sheet else each for i, each in enumerate(layout.sheets)))


def change_shapes(layout: Layout, sheet: int, layer: str, edit: Edit) -> Layout:
    """The layout with one group of shapes edited; ``sheet`` from 0."""
    old = layout.sheets[sheet]
    assert any(shapes.layer == layer for shapes in old.shapes)
    shapes = []
    for each in old.shapes:
        if each.layer == layer:
            boxes, nets = edit(each.boxes.copy(), each.nets.copy())
            each = replace(each, boxes=boxes, nets=nets)
        shapes.append(each)
    return change_sheet(layout, sheet, replace(old, shapes=tuple(shapes)))


def change_devices(layout: Layout, sheet: int, keep: np.ndarray | list[int], **fields: np.ndarray) -> Layout:
    """The layout with the devices ``keep`` of a sheet, some of their fields replaced."""
    old = layout.sheets[sheet].devices
    names = ("rows", "columns", "polarity", "boxes", "weight", "conductance", "level")
    devices = replace(old, **{name: fields.get(name, getattr(old, name)[keep]) for name in names})
    return change_sheet(layout, sheet, replace(layout.sheets[sheet], devices=devices))


def net(layout: Layout, name: str) -> int:
    return layout.nets.index(name)


def expect_fault(layout: Layout, crossbar: CrossbarNetwork, *words: str) -> None:
    with pytest.raises(LayoutError) as caught:
        check_connectivity(layout, crossbar)
    for word in words:
        assert word in str(caught.value)


# --- right stacks -----------------------------------------------------------------------------------------------------


@given(networks, process_names, st.booleans(), tiles, st.booleans())
@settings(deadline=None, max_examples=60)
def test_every_network_becomes_a_stack_that_connects_it(
    sizes: tuple[int, ...], process: str, bias: bool, tile_rows: int, shared: bool
) -> None:
    crossbar = make_crossbar(*sizes, bias=bias, tile_rows=tile_rows, process=process)
    layout = build_layout(crossbar, PROCESSES[process], mode_of(crossbar, process, shared=shared))
    report = check_connectivity(layout, crossbar)
    assert report.devices == crossbar.devices
    assert report.cells == sum(sizes[1:])
    rails, biases = 7, len(sizes) - 1 if bias else 0
    tiles_of_a_sheet = 2 if layout.mode == "shared_electrode" else 1
    marks = 4 * sum(-(-len(layer.tiles) // tiles_of_a_sheet) for layer in crossbar.layers)
    assert report.nets == rails + biases + sum(sizes) + 2 * sum(sizes[1:]) + marks


@given(networks, process_names, st.booleans(), tiles, st.booleans())
@settings(deadline=None, max_examples=25)
def test_trying_every_pair_finds_the_same_network(
    sizes: tuple[int, ...], process: str, bias: bool, tile_rows: int, shared: bool
) -> None:
    crossbar = make_crossbar(*sizes, bias=bias, tile_rows=tile_rows, process=process)
    drawing = read_drawing(build_layout(crossbar, PROCESSES[process], mode_of(crossbar, process, shared=shared)))
    names: dict[int, set[str | None]] = {}
    for solid, piece in drawing.piece.items():
        names.setdefault(piece, set()).add(drawing.solids[solid].net)
    assert all(len(each) == 1 for each in names.values())  # no short
    assert len({next(iter(each)) for each in names.values()}) == len(names)  # no open
    name_of = {piece: str(next(iter(each))) for piece, each in names.items()}

    found, cells = {}, set()
    ends: dict[int, tuple[set[str], set[str]]] = {}
    for i, solid in enumerate(drawing.solids):
        touched = {name_of[drawing.piece[j]] for j in drawing.touching.get(i, ())}
        if solid.role == "device":
            below, above = (
                {
                    name_of[drawing.piece[j]]
                    for j in drawing.touching[i]
                    if drawing.solids[j].box[2 + end] == solid.box[5 - end]
                }
                for end in (3, 0)
            )
            assert touched == below | above
            word, bit = (above, below) if solid.layer == "upper_devices" else (below, above)
            own = ends.setdefault(drawing.device[i], (set(), set()))
            own[0].update(word)
            own[1].update(bit)
        if solid.role == "cell":
            cells.add(frozenset(touched))

    for i, ((word,), (bit,)) in ends.items():
        assert (word, bit) not in found
        found[word, bit] = i

    expected, expected_cells = set(), set()
    for number, layer in enumerate(crossbar.layers, start=1):
        for column in range(layer.columns):
            last = number == len(crossbar.layers)
            out = f"spike_l{number}_n{column}" if last else f"wl_l{number + 1}_r{column}"
            pair = f"bp_l{number}_n{column}", f"bn_l{number}_n{column}"
            expected_cells.add(frozenset({*pair, out, "vdd", "vss", "gnd", "phi", "sample", "latch", "discharge"}))
            for row in range(layer.rows):
                word = f"bias_l{number}" if bias and row == layer.rows - 1 else f"wl_l{number}_r{row}"
                expected |= {(word, bit) for bit in pair}
    assert found.keys() == expected
    assert cells == expected_cells


@given(networks, st.booleans())
@settings(deadline=None, max_examples=25)
def test_extraction_is_the_same_partition_as_trying_every_pair(sizes: tuple[int, ...], bias: bool) -> None:
    layout = build_layout(make_crossbar(*sizes, bias=bias), PROCESSES["inkjet"])
    drawing, found = read_drawing(layout), extract(layout)
    metal = sorted(drawing.piece)
    assert len(metal) == len(found.component)
    first = {}
    for solid, component in zip(metal, found.component.tolist(), strict=True):
        assert drawing.piece[solid] == first.setdefault(component, drawing.piece[solid])
    assert len(set(first.values())) == found.components


def test_the_stored_names_play_no_part_in_the_extraction(layout: Layout) -> None:
    nameless = layout
    for index, sheet in enumerate(layout.sheets):
        for shapes in sheet.shapes:
            nameless = change_shapes(nameless, index, shapes.layer, lambda boxes, nets: (boxes, np.full_like(nets, -1)))
    assert extract(nameless).component.tolist() == extract(layout).component.tolist()


# --- planted faults ---------------------------------------------------------------------------------------------------


def test_a_shifted_bit_line_is_open(layout: Layout, crossbar: CrossbarNetwork) -> None:
    def shift(boxes: np.ndarray, nets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        boxes[nets == net(layout, "bp_l1_n2"), 1::3] += 500_000
        return boxes, nets

    expect_fault(
        change_shapes(layout, 0, "bit_lines", shift),
        crossbar,
        "device of layer 1, row 0, column 2, polarity + touches no bit line",
        "device of layer 1, row 0, column 2, polarity + is missing",
    )


def test_a_bit_line_too_far_right_touches_its_neighbours_devices(layout: Layout, crossbar: CrossbarNetwork) -> None:
    def shift(boxes: np.ndarray, nets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        boxes[nets == net(layout, "bp_l1_n2"), 0::3] += 80_000
        return boxes, nets

    moved = change_shapes(layout, 0, "bit_lines", shift)
    expect_fault(moved, crossbar, "device of layer 1, row 0, column 2, polarity - touches more than one bit line")


def test_a_cut_bit_line_is_open(layout: Layout, crossbar: CrossbarNetwork) -> None:
    def cut(boxes: np.ndarray, nets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        (which,) = np.flatnonzero(nets == net(layout, "bn_l1_n0"))
        rest = boxes[which].copy()
        middle = (rest[1] + rest[4]) // 2
        boxes[which, 4], rest[1] = middle - 500, middle + 500
        return np.vstack([boxes, rest]), np.append(nets, nets[which])

    expect_fault(change_shapes(layout, 0, "bit_lines", cut), crossbar, "net bn_l1_n0 is open, it falls into 2 pieces")


def test_a_bridge_is_a_short(layout: Layout, crossbar: CrossbarNetwork) -> None:
    def bridge(boxes: np.ndarray, nets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        (a,), (b,) = (np.flatnonzero(nets == net(layout, f"b{sign}_l1_n1")) for sign in "pn")
        between = boxes[a].copy()
        between[0], between[3] = boxes[a, 3], boxes[b, 0]
        return np.vstack([boxes, between]), np.append(nets, nets[a])

    bridged = change_shapes(layout, 0, "bit_lines", bridge)
    expect_fault(bridged, crossbar, "short between bn_l1_n1 and bp_l1_n1", "bit_lines of sheet 1")


def test_a_bridge_with_the_wrong_name_is_a_short_too(layout: Layout, crossbar: CrossbarNetwork) -> None:
    def bridge(boxes: np.ndarray, nets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        (a,), (b,) = (np.flatnonzero((nets == net(layout, f"wl_l2_r{r}")) & (boxes[:, 4] > 0)) for r in (1, 2))
        between = boxes[a].copy()
        between[0], between[3], between[4] = boxes[a, 3], boxes[b, 0], boxes[a, 1] + 100_000
        return np.vstack([boxes, between]), np.append(nets, net(layout, "gnd"))

    expect_fault(change_shapes(layout, 1, "word_lines", bridge), crossbar, "short between gnd and wl_l2_r1", "wl_l2_r2")


def test_a_missing_via_between_sheets_is_open(layout: Layout, crossbar: CrossbarNetwork) -> None:
    def drop(boxes: np.ndarray, nets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        keep = nets != net(layout, "wl_l2_r3")
        return boxes[keep], nets[keep]

    expect_fault(
        change_shapes(layout, 1, "substrate_vias", drop), crossbar, "net wl_l2_r3 is open, it falls into 2 pieces"
    )


@pytest.mark.parametrize(("sheet", "layer"), [(0, "contacts"), (1, "substrate_vias")])
def test_a_missing_rail_via_is_open(layout: Layout, crossbar: CrossbarNetwork, sheet: int, layer: str) -> None:
    def drop(boxes: np.ndarray, nets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        keep = nets != net(layout, "phi")
        return boxes[keep], nets[keep]

    expect_fault(change_shapes(layout, sheet, layer, drop), crossbar, "net phi is open")


def test_a_via_that_misses_its_pad_is_open(layout: Layout, crossbar: CrossbarNetwork) -> None:
    def shift(boxes: np.ndarray, nets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # Diagonally by 115 um: the pillar's bounding box still overlaps its pad's corner, the pillar does not.
        boxes[nets == net(layout, "wl_l2_r0")] += np.array([115_000, 115_000, 0, 115_000, 115_000, 0])
        return boxes, nets

    expect_fault(change_shapes(layout, 1, "substrate_vias", shift), crossbar, "net wl_l2_r0 is open")


def test_a_missing_device_is_named(layout: Layout, crossbar: CrossbarNetwork) -> None:
    devices = layout.sheets[1].devices
    gone = (devices.rows == 3) & (devices.columns == 1) & (devices.polarity == -1)
    broken = change_devices(layout, 1, np.flatnonzero(~gone))
    expect_fault(broken, crossbar, "device of layer 2, row 3, column 1, polarity - is missing")


def test_a_device_twice_is_named(layout: Layout, crossbar: CrossbarNetwork) -> None:
    broken = change_devices(layout, 0, [*range(len(layout.sheets[0].devices.rows)), 9])
    expect_fault(broken, crossbar, "device of layer 1, row 1, column 0, polarity - is there 2 times")


def test_a_device_in_anothers_place_is_named(layout: Layout, crossbar: CrossbarNetwork) -> None:
    boxes = layout.sheets[0].devices.boxes.copy()
    boxes[0] = boxes[1]
    broken = change_devices(layout, 0, np.arange(len(boxes)), boxes=boxes)
    expect_fault(
        broken,
        crossbar,
        "device of layer 1, row 0, column 0, polarity + is missing",
        "device of layer 1, row 0, column 0, polarity - is there 2 times",
    )


def test_a_lifted_device_touches_nothing(layout: Layout, crossbar: CrossbarNetwork) -> None:
    boxes = layout.sheets[0].devices.boxes.copy()
    boxes[4, 2] += 1
    broken = change_devices(layout, 0, np.arange(len(boxes)), boxes=boxes)
    expect_fault(broken, crossbar, "device of layer 1, row 0, column 2, polarity + touches no word line")


def test_swapped_rows_of_devices_are_named(layout: Layout, crossbar: CrossbarNetwork) -> None:
    rows = layout.sheets[0].devices.rows
    order = np.argsort(np.where(rows == 0, 2, np.where(rows == 2, 0, rows)), kind="stable")
    devices = layout.sheets[0].devices
    broken = change_devices(
        layout, 0, np.arange(len(rows)),
        level=devices.level[order], conductance=devices.conductance[order], weight=devices.weight[order],
    )  # fmt: skip
    expect_fault(broken, crossbar, "device of layer 1, row 0, column 0, polarity", "the crossbar has")


def test_swapped_word_lines_are_named(layout: Layout, crossbar: CrossbarNetwork) -> None:
    def swap(boxes: np.ndarray, nets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        a, b = net(layout, "wl_l1_r0"), net(layout, "wl_l1_r2")
        return boxes, np.where(nets == a, b, np.where(nets == b, a, nets))

    broken = change_shapes(layout, 0, "word_lines", swap)
    expect_fault(broken, crossbar, "device of layer 1, row 2, column 0, polarity +: row is 0, the crossbar has 2")


def test_outputs_that_meet_the_wrong_rows_are_named(layout: Layout, crossbar: CrossbarNetwork) -> None:
    def swap(boxes: np.ndarray, nets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        a, b = net(layout, "wl_l2_r0"), net(layout, "wl_l2_r1")
        return boxes, np.where(nets == a, b, np.where(nets == b, a, nets))

    broken = change_shapes(layout, 0, "bit_lines", swap)
    expect_fault(broken, crossbar, "short between wl_l2_r0 and wl_l2_r1")
    for layer in ("substrate_vias", "word_lines"):
        broken = change_shapes(broken, 1, layer, swap)
    # Now the names agree from the output pad through the via along the word line: only the cells' own lines tell.
    expect_fault(
        broken,
        crossbar,
        "cell of layer 1, neuron 0 does not touch net wl_l2_r0",
        "cell of layer 1, neuron 0 touches net wl_l2_r1",
    )


@pytest.mark.parametrize(("field", "word"), [("level", "level"), ("conductance", "conductance"), ("weight", "weight")])
def test_one_wrong_value_is_named(layout: Layout, crossbar: CrossbarNetwork, field: str, word: str) -> None:
    devices = layout.sheets[1].devices
    values = getattr(devices, field).copy()
    values[5] = values[5] + 1
    broken = change_devices(layout, 1, np.arange(len(values)), **{field: values})
    expect_fault(broken, crossbar, f"device of layer 2, row 1, column 0, polarity -: {word} is")


def test_a_rail_that_does_not_reach_the_last_cell_is_named(layout: Layout, crossbar: CrossbarNetwork) -> None:
    def shorten(boxes: np.ndarray, nets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        own = nets == net(layout, "vss")
        longest = np.argmax(np.where(own, boxes[:, 4] - boxes[:, 1], 0))
        boxes[longest, 4] -= 2_100_000
        return boxes, nets

    broken = change_shapes(layout, 1, "word_lines", shorten)
    expect_fault(broken, crossbar, "cell of layer 2, neuron 1 does not touch net vss")


def test_a_missing_cell_is_named(layout: Layout, crossbar: CrossbarNetwork) -> None:
    broken = change_shapes(layout, 0, "cells", lambda boxes, nets: (boxes[1:], nets[1:]))
    expect_fault(broken, crossbar, "layer 1, neuron 0 has 0 cells")


def test_a_cell_in_the_dark_is_named(layout: Layout, crossbar: CrossbarNetwork) -> None:
    broken = change_shapes(layout, 0, "cells", lambda boxes, nets: (boxes - [0, 10**8, 0, 0, 10**8, 0], nets))
    expect_fault(broken, crossbar, "cell 0 of layer 1 touches 0 positive bit lines")


def test_metal_without_a_net_is_refused(layout: Layout, crossbar: CrossbarNetwork) -> None:
    broken = change_shapes(layout, 0, "word_lines", lambda boxes, nets: (boxes, np.where(nets == 0, -1, nets)))
    expect_fault(broken, crossbar, "word_lines of sheet 1", "carries no net")


def test_a_net_without_metal_is_named(layout: Layout, crossbar: CrossbarNetwork) -> None:
    def drop(boxes: np.ndarray, nets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        keep = nets != net(layout, "bp_l1_n0")
        return boxes[keep], nets[keep]

    expect_fault(change_shapes(layout, 0, "bit_lines", drop), crossbar, "net bp_l1_n0 has no conductor")


def test_other_names_and_other_crossbars_are_refused(layout: Layout, crossbar: CrossbarNetwork) -> None:
    renamed = replace(layout, nets=tuple(name.replace("phi", "clock") for name in layout.nets))
    expect_fault(renamed, crossbar, "net phi of the crossbar is not in the layout", "net clock")
    expect_fault(layout, make_crossbar(3, 4, 2, seed=2), "the crossbar has")
    expect_fault(layout, make_crossbar(3, 5, 2), "is not in the layout")
    expect_fault(layout, make_crossbar(3, 4), "sheets for layers [1, 2]")
    doubled = replace(layout, nets=(*layout.nets, "gnd"))
    expect_fault(doubled, crossbar, "same name")


@given(st.data())
@settings(deadline=None, max_examples=80)
def test_leaving_out_any_solid_that_matters_is_caught(data: st.DataObject) -> None:
    crossbar = make_crossbar(2, 3, 2, seed=1)
    layout = build_layout(crossbar, PROCESSES["inkjet"])
    drawing = read_drawing(layout)
    used = {
        i: len(others)
        for i, others in drawing.touching.items()
        if not str(drawing.solids[i].net).startswith("mark_")  # part of a mark is a mark
    }
    for i, others in drawing.touching.items():
        for j in others & used.keys():
            used[j] += drawing.solids[i].role in ("device", "cell")
    # A conductor that touches one other solid only is a stub: a contact finger.
    essential = [i for i, count in used.items() if count > 1]
    assert len(used) - len(essential) == 2 + 7 + 2 + 2  # inputs, rails, biases, spikes
    solid = drawing.solids[data.draw(st.sampled_from(essential))]
    if solid.role == "device":
        keep = [i for i in range(len(layout.sheets[solid.sheet].devices.rows)) if i != solid.index]
        broken = change_devices(layout, solid.sheet, keep)
    else:
        broken = change_shapes(
            layout, solid.sheet, solid.layer,
            lambda boxes, nets: (np.delete(boxes, solid.index, axis=0), np.delete(nets, solid.index)),
        )  # fmt: skip
    with pytest.raises(LayoutError):
        check_connectivity(broken, crossbar)


def test_a_long_list_of_faults_is_counted(layout: Layout, crossbar: CrossbarNetwork) -> None:
    expect_fault(change_devices(layout, 0, []), crossbar, "; and 27 more")
