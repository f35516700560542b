"""The drawn stack: counts, sizes, spacing, planes, names, and what cannot be drawn."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from brute_force import Solid, overlap, read_drawing, touch
from hypothesis import given, settings
from hypothesis import strategies as st
from layout_crossbars import FREE_INKJET, make_crossbar, mode_of

from snn2circuit.errors import LayoutError
from snn2circuit.ir.files import fingerprint, load, save
from snn2circuit.ir.layout import Layout, Process
from snn2circuit.ir.parts import Footprint, Quantity
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.connectivity import check_connectivity
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.rules import read_rules
from snn2circuit.neurons.leaky import Leaky

networks = st.lists(st.integers(1, 6), min_size=2, max_size=4).map(tuple)
process_names = st.sampled_from(sorted(PROCESSES))
tiles = st.integers(0, 3)  # rows of a tile, or no cut


@dataclass(frozen=True, kw_only=True)
class Sized(Leaky):
    """A leaky neuron that takes another area."""

    width: int = 1
    height: int = 1

    def footprint(self) -> Footprint:
        return Footprint(width_nm=self.width, height_nm=self.height, source="this test", confidence="high")


def metres(value: float) -> Quantity:
    return Quantity(value=value, unit="m", source="this test", confidence="assumed")


def boxes_of(layout: Layout, sheet: int, layer: str) -> np.ndarray:
    (shapes,) = [shapes for shapes in layout.sheets[sheet].shapes if shapes.layer == layer]
    return shapes.boxes


def base_of(layout: Layout, sheet: int) -> str:
    """What the sheet is printed on."""
    return "interlayer" if sheet and layout.mode != "sheet_per_layer" else "substrate"


def hides(a: Solid, b: Solid) -> bool:
    """``a`` lies over ``b``, seen from above."""
    return all(min(a.box[i + 3], b.box[i + 3]) > max(a.box[i], b.box[i]) for i in (0, 1))


def distance(a: Solid, b: Solid) -> float:
    """Seen from above."""
    gaps = [max(a.box[i] - b.box[i + 3], b.box[i] - a.box[i + 3], 0) for i in (0, 1)]
    return float(np.hypot(*gaps))


@given(networks, process_names, st.booleans(), tiles, st.booleans())
@settings(deadline=None, max_examples=25)
def test_solids_never_overlap_and_foreign_metal_keeps_its_space(
    sizes: tuple[int, ...], process: str, bias: bool, tile_rows: int, shared: bool
) -> None:
    crossbar = make_crossbar(*sizes, bias=bias, tile_rows=tile_rows, process=process)
    layout = build_layout(crossbar, PROCESSES[process], mode_of(crossbar, process, shared=shared))
    space = round(layout.process.min_space.value * 1e9)
    for a, b in itertools.combinations(read_drawing(layout).solids, 2):
        if {a.role, b.role} != {"substrate", "via"}:
            assert not overlap(a, b), (a, b)
        if a.role == b.role == "conductor" and a.net != b.net and a.box[2] == b.box[2]:
            assert distance(a, b) >= space, (a, b)


@given(networks, process_names, st.booleans(), tiles, st.booleans())
@settings(deadline=None, max_examples=25)
def test_metal_is_wide_enough_and_vias_keep_their_enclosure(
    sizes: tuple[int, ...], process: str, bias: bool, tile_rows: int, shared: bool
) -> None:
    crossbar = make_crossbar(*sizes, bias=bias, tile_rows=tile_rows, process=process)
    layout = build_layout(crossbar, PROCESSES[process], mode_of(crossbar, process, shared=shared))
    width, overlay, via = (
        round(quantity.value * 1e9)
        for quantity in (layout.process.min_width, layout.process.overlay, layout.process.via_diameter)
    )
    solids = read_drawing(layout).solids
    metal = [solid for solid in solids if solid.role == "conductor"]
    for solid in metal:
        assert min(solid.box[3] - solid.box[0], solid.box[4] - solid.box[1]) >= width
    for pillar in (solid for solid in solids if solid.role == "via"):
        assert pillar.round
        assert pillar.box[3] - pillar.box[0] == pillar.box[4] - pillar.box[1] == via
        grown = [pillar.box[0] - overlay, pillar.box[1] - overlay, pillar.box[3] + overlay, pillar.box[4] + overlay]
        for z, side in ((pillar.box[2], 5), (pillar.box[5], 2)):
            enclosing = [
                pad
                for pad in metal
                if pad.box[side] == z
                and pad.net == pillar.net
                and pad.box[0] <= grown[0]
                and pad.box[1] <= grown[1]
                and pad.box[3] >= grown[2]
                and pad.box[4] >= grown[3]
            ]
            assert len(enclosing) == 1


@given(networks, process_names, st.booleans(), tiles, st.booleans())
@settings(deadline=None, max_examples=25)
def test_all_printed_matter_stands_on_its_foil_and_fingers_stay_bare(
    sizes: tuple[int, ...], process: str, bias: bool, tile_rows: int, shared: bool
) -> None:
    crossbar = make_crossbar(*sizes, bias=bias, tile_rows=tile_rows, process=process)
    layout = build_layout(crossbar, PROCESSES[process], mode_of(crossbar, process, shared=shared))
    foils = [boxes_of(layout, sheet, base_of(layout, sheet))[0] for sheet in range(len(layout.sheets))]
    drawing = read_drawing(layout)
    for solid in drawing.solids:
        foil = foils[solid.sheet]
        assert all(solid.box[i] >= foil[i] for i in (0, 1))
        assert all(solid.box[i] <= foil[i] for i in (3, 4))
    rules = read_rules(layout.process)
    width, space = rules.width, rules.space
    bare = []
    cells = [solid for solid in drawing.solids if solid.role == "cell"]
    for solid in drawing.solids:
        if solid.role != "conductor":
            continue
        foil = foils[solid.sheet]
        above = [Solid(0, "", "", tuple(each), False, None, 0) for each in foils[solid.sheet + 1 :]]
        size = sorted([solid.box[3] - solid.box[0], solid.box[4] - solid.box[1]])
        edges = {abs(solid.box[i] - foil[i]) for i in (0, 1, 3, 4)}
        # Fingers of a tile above the bit lines stand back by a finger and a space.
        at_edge = space in edges or (solid.layer == "upper_word_lines" and 2 * space + 10 * width in edges)
        over = (each for each in drawing.solids if each.sheet == solid.sheet and each.box[2] >= solid.box[5])
        covered = any(distance(solid, each) == 0 for each in above) or any(hides(each, solid) for each in over)
        at_cell = any(touch(solid, cell) for cell in cells)
        if size == [width, 10 * width] and at_edge and not covered and not at_cell:
            bare.append(solid.net)
    last = len(sizes) - 1
    wanted = ["vdd", "vss", "gnd", "phi", "sample", "latch", "discharge"]
    wanted += [f"wl_l1_r{row}" for row in range(sizes[0])] + [f"spike_l{last}_n{n}" for n in range(sizes[-1])]
    wanted += [f"bias_l{layer}" for layer in range(1, last + 1)] if bias else []
    assert sorted(map(str, bare)) == sorted(wanted)


def test_planes_of_a_sheet_in_nm() -> None:
    layout = build_layout(make_crossbar(2, 3, 2), PROCESSES["inkjet"])
    expected = {
        "substrate": {(0, 125_000)},
        "substrate_vias": {(0, 125_000)},
        "word_lines": {(125_000, 126_000)},
        "dielectric": {(126_000, 127_000)},
        "contacts": {(126_000, 127_000)},
        "cells": {(126_000, 127_000)},
        "bit_lines": {(127_000, 128_000)},
        "encapsulation": {(128_000, 129_000)},
    }
    for number, sheet in enumerate(layout.sheets):
        assert sheet.z_nm == 128_000 * number
        for shapes in sheet.shapes:
            heights = {tuple(pair) for pair in (shapes.boxes[:, [2, 5]] - sheet.z_nm).tolist()}
            assert heights == expected[shapes.layer]
        assert {tuple(pair) for pair in (sheet.devices.boxes[:, [2, 5]] - sheet.z_nm).tolist()} == {(126_000, 127_000)}


def test_sizes_of_a_small_inkjet_stack_by_hand() -> None:
    layout = build_layout(make_crossbar(2, 3, 2), FREE_INKJET)
    # Neuron cells of 2 mm, 0.1 mm apart, set the neurons' pitch to 2.1 mm; the first cell begins 0.1 mm off the corner.
    cells = boxes_of(layout, 0, "cells")
    assert cells[:, [0, 3]].tolist() == [[100_000, 2_100_000], [2_200_000, 4_200_000], [4_300_000, 6_300_000]]
    assert cells[:, [1, 4]].tolist() == [[-3_000_000, 0]] * 3
    # Line pitch 0.2 mm, device side 0.15 mm; the first row keeps 0.1 mm from the cells.
    devices = layout.sheets[0].devices
    rows = sorted({(int(b[1]), int(b[4])) for b in devices.boxes})
    assert rows == [(100_000, 250_000), (300_000, 450_000), (500_000, 650_000)]
    columns = sorted({(int(b[0]), int(b[3])) for b in devices.boxes})
    assert columns[:2] == [(925_000, 1_075_000), (1_125_000, 1_275_000)]
    # The second sheet is turned: its rows stand at the first sheet's neurons, 1.1, 3.2, 5.3 mm; the bias row follows.
    centres = sorted({int(b[0] + b[3]) // 2 for b in layout.sheets[1].devices.boxes})
    assert centres == [1_100_000, 3_200_000, 5_300_000, 5_500_000]
    assert [sheet.rotation for sheet in layout.sheets] == [0, 90]


def test_rails_stand_in_one_column_through_all_sheets() -> None:
    layout = build_layout(make_crossbar(2, 3, 2, 4, 1), PROCESSES["inkjet"])
    for name in ("vdd", "vss", "gnd", "phi", "sample", "latch", "discharge"):
        places = {
            (tuple(box[:2]), tuple(box[3:5]))
            for sheet in layout.sheets
            for shapes in sheet.shapes
            if shapes.round
            for box in shapes.boxes[shapes.nets == layout.nets.index(name)].tolist()
        }
        assert len(places) == 1


def test_devices_come_in_the_promised_order_with_the_crossbars_values() -> None:
    crossbar = make_crossbar(4, 3, 2, seed=5)
    layout = build_layout(crossbar, PROCESSES["gravure"])
    for layer, sheet in zip(crossbar.layers, layout.sheets, strict=True):
        devices = sheet.devices
        order = list(itertools.product(range(layer.rows), range(layer.columns), (1, -1)))
        assert list(zip(devices.rows, devices.columns, devices.polarity, strict=True)) == order
        for at, (row, column, sign) in enumerate(order):
            assert devices.conductance[at] == (layer.g_pos if sign > 0 else layer.g_neg)[row, column]
            assert devices.level[at] == (layer.level_pos if sign > 0 else layer.level_neg)[row, column]
            assert devices.weight[at] == layer.weights[row, column]


def test_names_of_all_nets() -> None:
    layout = build_layout(make_crossbar(2, 2, 1), PROCESSES["inkjet"])
    assert layout.nets == (
        "vdd", "vss", "gnd", "phi", "sample", "latch", "discharge",
        "wl_l1_r0", "wl_l1_r1", "bias_l1", "bp_l1_n0", "bp_l1_n1", "bn_l1_n0", "bn_l1_n1",
        "wl_l2_r0", "wl_l2_r1", "bias_l2", "bp_l2_n0", "bn_l2_n0", "spike_l2_n0",
        *(f"mark_s{sheet}_{end}_{shape}" for sheet in (1, 2) for end in (1, 2) for shape in ("plus", "ring")),
    )  # fmt: skip


def test_mnist_size_builds_every_device() -> None:
    crossbar = make_crossbar(784, 100, 10)
    layout = build_layout(crossbar, PROCESSES["inkjet"])
    assert sum(len(sheet.devices.rows) for sheet in layout.sheets) == crossbar.devices == 159_020


def test_equal_input_gives_an_equal_layout_and_files_keep_it(tmp_path: Path) -> None:
    layout, again = (build_layout(make_crossbar(3, 2, 2), PROCESSES["screen"]) for _ in range(2))
    assert fingerprint(layout) == fingerprint(again)
    save(layout, tmp_path / "layout.npz")
    assert fingerprint(load(tmp_path / "layout.npz", Layout)) == fingerprint(layout)


def test_a_small_cell_grows_until_its_pins_and_rails_fit_and_says_so() -> None:
    neuron = Sized(width=1000, height=1000)
    layout = build_layout(make_crossbar(2, 3, neuron=neuron), FREE_INKJET)
    cells = boxes_of(layout, 0, "cells")
    # Two lines of 0.1 mm at 0.2 mm, 25 um register to each side; seven pads of 0.15 mm at 0.25 mm.
    assert set((cells[:, 3] - cells[:, 0]).tolist()) == {350_000}
    assert set((cells[:, 4] - cells[:, 1]).tolist()) == {1_650_000}
    assert any("layer 1 is drawn 350 µm by 1.65 mm" in sentence for sentence in layout.assumptions)


def test_a_cell_as_large_as_its_footprint_is_drawn_so() -> None:
    neuron = Sized(width=5_000_001, height=7_000_000)
    layout = build_layout(make_crossbar(2, 3, neuron=neuron), FREE_INKJET)
    cells = boxes_of(layout, 0, "cells")
    assert set((cells[:, 3] - cells[:, 0]).tolist()) == {5_000_001}
    assert np.diff(cells[:, 0]).tolist() == [5_100_001] * 2
    assert not any("Neuron cell" in sentence for sentence in layout.assumptions)


def test_every_assumed_value_is_told() -> None:
    process = PROCESSES["gravure"]
    told = " ".join(build_layout(make_crossbar(2, 2), process).assumptions)
    assert "smallest space 100 µm is assumed" in told
    assert "thickness of word_lines 500 nm is assumed" in told
    assert "Neuron cell of layer 1: 2 mm by 3 mm is assumed" in told
    assert "gravure: overlay" not in told  # read in a source
    assert "smallest line width" not in told


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"overlay": metres(50e-6)}, "overlay is 60000 nm and min_space 120000 nm"),
        ({"overlay": metres(120e-6)}, "widen min_space"),
        ({"min_width": metres(0.0)}, "min_width is 0.0 m"),
        ({"min_space": metres(-1e-6)}, "min_space is -1e-06 m"),
        ({"via_diameter": metres(float("nan"))}, "via_diameter is nan m"),
        ({"via_diameter": metres(100.5e-9)}, "whole nanometres"),
        ({"min_width": metres(11.0)}, "min_width is 11.0 m"),
        ({"min_width": replace(metres(1e-4), unit="mm")}, "given in m"),
    ],
)
def test_impossible_rules_are_named(changes: dict[str, Quantity], words: str) -> None:
    with pytest.raises(LayoutError, match="process inkjet") as caught:
        build_layout(make_crossbar(2, 2), replace(PROCESSES["inkjet"], **changes))
    assert words in str(caught.value)


def without(process: Process, name: str) -> Process:
    return replace(process, layers=tuple(layer for layer in process.layers if layer.name != name))


def test_impossible_layers_are_named() -> None:
    process = PROCESSES["inkjet"]
    with pytest.raises(LayoutError, match="no layer 'contacts'"):
        build_layout(make_crossbar(2, 2), without(process, "contacts"))
    wrong_role = tuple(replace(layer, role="via") if layer.name == "cells" else layer for layer in process.layers)
    with pytest.raises(LayoutError, match="cells has role via; it must be cell"):
        build_layout(make_crossbar(2, 2), replace(process, layers=wrong_role))
    too_thin = tuple(
        replace(layer, thickness=metres(1e-7)) if layer.name == "devices" else layer for layer in process.layers
    )
    with pytest.raises(LayoutError, match="devices is 100 nm thick and dielectric 1000 nm"):
        build_layout(make_crossbar(2, 2), replace(process, layers=too_thin))


@given(networks, process_names)
@settings(deadline=None, max_examples=15)
def test_marks_lie_over_one_another_on_every_sheet_and_touch_nothing(sizes: tuple[int, ...], process: str) -> None:
    layout = build_layout(make_crossbar(*sizes, process=process), PROCESSES[process])
    solids = read_drawing(layout).solids
    places: dict[str, set[tuple[int, ...]]] = {}
    for number in range(len(layout.sheets)):
        for end, shape in itertools.product((1, 2), ("plus", "ring")):
            name = f"mark_s{number + 1}_{end}_{shape}"
            parts = [solid for solid in solids if solid.net == name]
            assert len(parts) == {"plus": 3, "ring": 4}[shape]
            outline = [min(p.box[i] for p in parts) for i in (0, 1)] + [max(p.box[i] for p in parts) for i in (3, 4)]
            places.setdefault(f"{end} {shape}", set()).add(tuple(outline))
            for part in parts:
                others = (s for s in solids if s.role in ("conductor", "via", "device", "cell") and s.net != name)
                assert not any(touch(part, other) for other in others)
    assert all(len(each) == 1 for each in places.values())
    for end in (1, 2):
        (plus,), (ring,) = places[f"{end} plus"], places[f"{end} ring"]
        rules = read_rules(layout.process)
        gap = rules.width + rules.space
        assert [a - b for a, b in zip(plus, ring, strict=True)] == [gap, gap, -gap, -gap]


def test_a_sheet_carries_its_number_and_the_name_of_the_network_in_dots() -> None:
    layout = build_layout(make_crossbar(4, 5, 3), FREE_INKJET)
    mark = next(s.box for s in read_drawing(layout).solids if s.net == "mark_s1_1_ring")  # its lower side
    for sheet, digit in enumerate(([0x00, 0x42, 0x7F, 0x40, 0x00], [0x42, 0x61, 0x51, 0x49, 0x46])):
        boxes = boxes_of(layout, sheet, "dielectric")
        dots = np.zeros((7, 5), dtype=bool)
        for x0, y0, _, x1, y1, _ in (boxes - [mark[3] + 100_000, mark[1], 0] * 2).tolist():
            if 0 <= x0 < 500_000 and 0 <= y0 < 700_000:
                dots[y0 // 100_000 : y1 // 100_000, x0 // 100_000 : x1 // 100_000] = True
        assert [sum(1 << row for row in range(7) if dots[6 - row, column]) for column in range(5)] == digit


@pytest.mark.parametrize("process", ["inkjet", "aerosol_jet", "screen"])
@pytest.mark.parametrize("sizes", [(3, 4, 2), (4, 3), (2, 5, 3, 2)])
def test_contact_fingers_keep_the_pitch_of_the_connector(process: str, sizes: tuple[int, ...]) -> None:
    pitched = replace(PROCESSES[process], contact_pitch=metres(2.54e-3))
    crossbar = make_crossbar(*sizes)
    layout = build_layout(crossbar, pitched)
    check_connectivity(layout, crossbar)
    lines = boxes_of(layout, 0, "word_lines")
    at_edge = np.unique(lines[lines[:, 3] == lines[:, 3].max()][:, [1, 4]], axis=0)
    assert len(at_edge) == 7 + sizes[0] + 1
    assert np.diff(at_edge.mean(axis=1)).min() >= 2_540_000
    last = len(layout.sheets) - 1
    along, across = (1, 0) if last % 2 else (0, 1)
    spikes = boxes_of(layout, last, "bit_lines")
    nets = next(shapes.nets for shapes in layout.sheets[last].shapes if shapes.layer == "bit_lines")
    spikes = spikes[[layout.nets[net].startswith("spike") for net in nets]]
    spikes = spikes[spikes[:, across] == spikes[:, across].min()]
    assert len(spikes) == sizes[-1]
    assert np.diff(np.sort(spikes[:, along])).min(initial=10**9) >= 2_540_000


def test_contacts_that_do_not_fit_the_edge_are_told_with_what_fits() -> None:
    process = replace(
        PROCESSES["inkjet"], contact_pitch=metres(2.52e-3), sheet_length=metres(0.1), sheet_width=metres(0.1)
    )
    with pytest.raises(LayoutError, match=r"49 contacts at a contact_pitch of 2.52 mm: (\d+) fit, or all at") as caught:
        build_layout(make_crossbar(41, 6, 2), process)
    fits = int(str(caught.value).split("2.52 mm: ")[1].split()[0])
    pitch = float(str(caught.value).split("at a pitch of ")[1].split()[0])
    build_layout(make_crossbar(fits - 8, 6, 2), process)
    with pytest.raises(LayoutError, match=f"{fits + 1} contacts at"):
        build_layout(make_crossbar(fits - 7, 6, 2), process)
    closer = round(pitch / 0.03) * 0.03 - 0.03  # to the drop grid
    build_layout(make_crossbar(41, 6, 2), replace(process, contact_pitch=metres(round(closer, 2) * 1e-3)))


def test_a_sheet_that_is_too_small_is_refused_with_the_size_that_fits() -> None:
    crossbar = make_crossbar(20, 12, 3)
    process = replace(PROCESSES["inkjet"], sheet_length=metres(0.02), sheet_width=metres(0.02))
    with pytest.raises(LayoutError, match=r"sheet 1 is .* 21 word lines 0.24 mm apart and 12 neurons") as caught:
        build_layout(crossbar, process)
    words = str(caught.value)
    assert "process inkjet prints at most 20 mm by 20 mm" in words
    length, width = (
        float(words.split(f"{name} = ")[1].split()[0].rstrip(",:")) for name in ("sheet_length", "sheet_width")
    )
    build_layout(crossbar, replace(process, sheet_length=metres(length), sheet_width=metres(width)))
    with pytest.raises(LayoutError, match="sheet 1 is"):
        build_layout(crossbar, replace(process, sheet_length=metres(length - 1e-6), sheet_width=metres(width)))
