"""Extracted resistances and capacitances against KLayout's own extractor and against closed forms."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import klayout.db as kdb
import klayout.pex as kpex
import numpy as np
import pytest
from layout_crossbars import FREE_INKJET, make_crossbar
from scipy.constants import epsilon_0
from scipy.special import ellipk

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import Layout
from snn2circuit.layout import nets
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.masks.files import write_masks
from snn2circuit.layout.plan import plan_stack
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.rules import read_rules
from snn2circuit.layout.signoff.fields import (
    line_resistance,
    plate_capacitance,
    shifted_capacitance,
    strip_capacitance,
)
from snn2circuit.layout.signoff.pex import extract_parasitics
from snn2circuit.layout.signoff.stack import read_masks
from snn2circuit.mapping import cut_tiles


def klayout_resistances(wire: kdb.Region, ports: list[kdb.Point], ohm: float) -> list[float]:
    """Between each two ports along a wire, by KLayout's square counting."""
    (polygon,) = wire.merged().each()
    extractor = kpex.RExtractor.square_counting_extractor(0.001)
    network = extractor.extract(polygon, ports)
    found = {}
    for element in network.each_element():
        ends = [(node.type(), node.port_index()) for node in (element.a(), element.b())]
        if all(kind == kpex.RNodeType.VertexPort for kind, _ in ends):
            found[tuple(sorted(port for _, port in ends))] = element.resistance() * ohm
    return [found[i, i + 1] for i in range(len(ports) - 1)]


PATCHED = [name for name, process in sorted(PROCESSES.items()) if process.layer("devices").sheet_resistance is None]


@pytest.mark.parametrize("process", PATCHED)
def test_line_segments_are_those_of_klayouts_extractor(process: str, tmp_path: Path) -> None:
    crossbar = make_crossbar(4, 3, 2)
    layout = build_layout(crossbar, PROCESSES[process])
    (path,) = write_masks(layout, tmp_path, ["gds"])
    parasitics, table = extract_parasitics(path, layout.process, crossbar)
    stack = read_masks(path, layout.process)
    for number, sheet in enumerate(layout.sheets, start=1):
        centres = (sheet.devices.boxes[:, :2] + sheet.devices.boxes[:, 3:5]) // 2
        for name, layer, line in (
            ("word_segments", "word_lines", sheet.devices.rows),
            ("bit_segments", "bit_lines", 2 * sheet.devices.columns + (sheet.devices.polarity < 0)),
        ):
            ohm = layout.process.layer(layer).sheet_resistance
            assert ohm is not None
            judged: list[list[float]] = []
            for index in np.unique(line):
                points = [kdb.Point(x, y) for x, y in sorted(map(tuple, centres[line == index].tolist()))]
                wire = stack.region((number, layer)).interacting(
                    kdb.Region(kdb.Box(points[0], points[-1]).enlarged(1, 1))
                )
                judged.append(klayout_resistances(wire, points, ohm.value))
            (tile,) = parasitics.layers[number - 1].tiles
            values = getattr(tile, name).values
            np.testing.assert_allclose(np.tile(values, (len(judged), 1)), judged, rtol=1e-6)
            (measured,) = [each for each in table if (each.layer, each.name) == (number, name)]
            assert (measured.count, measured.least, measured.most) == (len(values), values.min(), values.max())
            assert measured.mean == pytest.approx(values.mean())


def test_resistors_are_fed_where_they_meet_their_lines(tmp_path: Path) -> None:
    """Word lines: from the foot of the first resistor to that of the last; bit lines: from end to end."""
    crossbar = make_crossbar(3, 3, process="aerosol_jet_resistor")
    process = PROCESSES["aerosol_jet_resistor"]
    layout = build_layout(crossbar, process)
    parasitics, _ = extract_parasitics(write_masks(layout, tmp_path, ["gds"])[0], process, crossbar)
    (sheet,) = layout.sheets
    (shapes,) = [each for each in sheet.shapes if each.layer == "devices"]
    devices, bits = sheet.devices, 2 * sheet.devices.columns + (sheet.devices.polarity < 0)
    feet, ends, share = np.empty(len(bits)), np.empty(len(bits)), devices.conductance
    for number, (x0, y0, _, x1, y1, _) in enumerate(devices.boxes.tolist()):
        own = shapes.boxes[
            (shapes.boxes[:, 0] >= x0)
            & (shapes.boxes[:, 3] <= x1)
            & (shapes.boxes[:, 1] >= y0)
            & (shapes.boxes[:, 4] <= y1)
        ]
        foot, end = own[np.argmin(own[:, 1])], own[np.argmax(own[:, 4])]
        feet[number], ends[number] = (foot[0] + foot[3]) / 2, (end[1] + end[4]) / 2
    ohm, width = 0.0171, 20_000
    (tile,) = parasitics.layers[0].tiles
    # Where a line's current is, not where most of its resistors are.
    along = [np.average(feet[bits == bit], weights=share[bits == bit]) for bit in range(6)]
    up = [np.average(ends[devices.rows == row], weights=share[devices.rows == row]) for row in range(4)]
    np.testing.assert_allclose(tile.word_segments.values, ohm * np.diff(along) / width, rtol=1e-4)
    np.testing.assert_allclose(tile.bit_segments.values, ohm * np.diff(up) / width, rtol=1e-4)


def test_a_straight_line_by_hand() -> None:
    # 10 squares of 0.18 ohm.
    assert line_resistance(0.18, 1e-3, 1e-4) == pytest.approx(1.8)


def test_a_via_by_hand(tmp_path: Path) -> None:
    """125 um of silver of 0.18 ohm/sq at 1 um through a hole of 100 um."""
    crossbar = make_crossbar(4, 3, 2)
    layout = build_layout(crossbar, PROCESSES["inkjet"])
    parasitics, table = extract_parasitics(write_masks(layout, tmp_path, ["gds"])[0], layout.process, crossbar)
    by_hand = 0.18 * 1e-6 * 125e-6 / (np.pi * 50e-6**2)
    (vias,) = [each for each in table if each.name == "vias"]
    assert (vias.layer, vias.count) == (2, 3)
    assert vias.mean == pytest.approx(by_hand, rel=2e-3)  # the circle is a polygon of 64 corners
    (tile,) = parasitics.layers[1].tiles
    assert tile.word_leads.values[:3].min() > by_hand


def test_leads_and_feeds_by_hand(tmp_path: Path) -> None:
    """FREE_INKJET: lines of 120 um, 0.18 ohm/sq, patches of 180 um, pads of 160 um, fingers of 1.2 mm."""
    crossbar = make_crossbar(4, 3, 2)
    layout = build_layout(crossbar, FREE_INKJET)
    parasitics, _ = extract_parasitics(write_masks(layout, tmp_path, ["gds"])[0], layout.process, crossbar)
    (first,), (second,) = (layer.tiles for layer in parasitics.layers)
    np.testing.assert_array_equal(first.fed_far, [True] * 5)
    np.testing.assert_array_equal(second.fed_far, [False, False, False, True])
    plan = plan_stack(crossbar, read_rules(layout.process, "auto"))
    rules = read_rules(layout.process, "auto")
    for tile, sheet in ((first, plan.sheets[0]), (second, plan.sheets[1])):
        last = int(sheet.columns[-1]) + rules.pitch - rules.pitch // 2
        by_hand = 0.18 * (sheet.fingers + rules.finger - last) / rules.width
        np.testing.assert_allclose(tile.word_leads.values[tile.fed_far], by_hand, rtol=1e-9)
        np.testing.assert_allclose(tile.bit_leads.values, 0.18 * sheet.rows[0] / rules.width, rtol=1e-9)
    # From the centre of the via half a pad, then the line up to the first crossing.
    half, start = rules.pad / 2, plan.sheets[1].columns[0] - rules.pitch // 2 + plan.output
    pad, line = 0.5, (start - half) / rules.width
    via = 0.18 * 1e-6 * 125e-6 / (np.pi * (rules.via / 2e9) ** 2)
    np.testing.assert_allclose(second.word_leads.values[:3], 0.18 * (pad + line) + via, rtol=1e-3)


def test_shifted_lines_of_two_levels_against_the_integral_equation() -> None:
    """Charges on both strips, constant on small pieces, such that each strip has one potential (Harrington 1968)."""
    for width, shift, distance, within in (
        (120, 120, 1, 0.06), (120, 120, 125, 0.06), (100, 75, 0.15, 0.06), (100, 99, 1, 0.06), (36, 68, 1, 0.06),
        (500, 500, 25, 0.06), (500, 500, 125, 0.06), (36, 68, 125, 0.15), (120, 240, 125, 0.06),
    ):  # fmt: skip
        ours = shifted_capacitance(2.0, width, shift, distance, 3.0) / (2.0 * 3.0 * epsilon_0)
        assert ours == pytest.approx(strips_by_moments(width, shift, distance), rel=within)
    # The judge itself on coplanar strips and on wide plates.
    assert strips_by_moments(100, 150, 1e-4) == pytest.approx(ellipk(1 - 0.2**2) / ellipk(0.2**2), rel=1e-4)
    assert strips_by_moments(1, 0, 0.01) == pytest.approx(
        plate_capacitance(1, 1, 1e6, 0.01) / epsilon_0 / 1e6, rel=3e-3
    )


def strips_by_moments(width: float, shift: float, distance: float) -> float:
    """Capacitance per length over the permittivity."""

    def cut(low: float, others: tuple[float, float]) -> np.ndarray:
        edges = sorted({low, low + width, *(at for at in others if low < at < low + width)})
        steps = [60 + int(200 * (b - a) / width) for a, b in itertools.pairwise(edges)]
        pieces = [
            a + (b - a) * (1 - np.cos(np.pi * np.arange(count + 1) / count)) / 2
            for (a, b), count in zip(itertools.pairwise(edges), steps, strict=True)
        ]
        return np.unique(np.concatenate(pieces))

    strips = cut(0, (shift, shift + width)), cut(shift, (0, width))
    low, high = (np.concatenate([strip[part] for strip in strips]) for part in (slice(None, -1), slice(1, None)))
    level = np.repeat([0.0, distance], [len(strip) - 1 for strip in strips])
    middle, length = (low + high) / 2, high - low
    height = level[:, None] - level

    def integral(u: np.ndarray) -> np.ndarray:  # of the logarithm of the distance
        return (
            u * np.log(u * u + height**2) / 2 - u + np.abs(height) * np.arctan(u / np.where(height, np.abs(height), 1))
        )

    potential = (integral(low - middle[:, None]) - integral(high - middle[:, None])) / (2 * np.pi)
    matrix = np.block([[potential, -np.ones((len(low), 1))], [length[None], np.zeros((1, 1))]])
    charge = np.linalg.solve(matrix, np.append(np.where(level, -0.5, 0.5), 0))[:-1]
    return float((charge * length)[level == 0].sum())


def test_the_next_sheet_is_felt_through_the_interlayer(tmp_path: Path) -> None:
    """Word lines of organic_flow overlap both bit lines below by 25 um, at 150 nm: hardly more than plates."""
    crossbar = make_crossbar(8, 4, 2)
    layout = build_layout(crossbar, PROCESSES["organic_flow"])
    parasitics, _ = extract_parasitics(write_masks(layout, tmp_path, ["gds"])[0], layout.process, crossbar)
    (lower,), (upper,) = (layer.tiles for layer in parasitics.layers)
    assert (lower.below.value, upper.above.value) == (0, 0)
    bits, words = (
        next(shapes for shapes in sheet.shapes if shapes.layer == name)
        for sheet, name in zip(layout.sheets, ("bit_lines", "word_lines"), strict=True)
    )
    overlap = 0.0
    for a, owner in zip(bits.boxes, bits.nets, strict=True):
        for b, other in zip(words.boxes, words.nets, strict=True):
            if layout.nets[owner][:2] in ("bp", "bn") and layout.nets[other] in nets.word_lines(crossbar, 2):
                sides = np.minimum(a[3:5], b[3:5]) - np.maximum(a[:2], b[:2])
                overlap += float(np.prod(np.maximum(sides, 0.0))) * 1e-18
    plates = epsilon_0 * 8.0 * overlap / 150e-9
    assert overlap > 0
    assert plates < upper.below.value * 5 * 4 < 1.05 * plates
    assert lower.above.value * 8 * 9 == pytest.approx(upper.below.value * 5 * 4)
    assert upper.settling > replace(upper, below=replace(upper.below, value=0.0)).settling


def test_row_tiles_by_hand(tmp_path: Path) -> None:
    """Each tile on its sheet, its bit lines up to the joint; vias from joint to joint, and one way on to the cell."""
    crossbar = cut_tiles(make_crossbar(9, 6, 2), rows=4)
    layout = build_layout(crossbar, FREE_INKJET)
    parasitics, table = extract_parasitics(write_masks(layout, tmp_path, ["gds"])[0], layout.process, crossbar)
    rules = read_rules(layout.process, "auto")
    sheets = plan_stack(crossbar, rules).sheets
    assert [len(layer.tiles) for layer in parasitics.layers] == [3, 2]
    tiles = [tile for layer in parasitics.layers for tile in layer.tiles]
    for tile, sheet in zip(tiles, sheets, strict=True):
        squares = 0.5 + (sheet.rows[0] - rules.space - rules.pad) / rules.width
        np.testing.assert_allclose(tile.bit_leads.values, 0.18 * squares, rtol=1e-9)
        assert tile.lines.shape == (len(sheet.rows), 2 * len(sheet.columns))
    hole = 0.18 * 1e-6 * 126e-6 / (np.pi * (rules.via / 2e9) ** 2)  # through the foil and up to the bit lines
    to_cell = 0.18 * (0.5 + rules.space / rules.width)
    for layer, crossed in zip(parasitics.layers, crossbar.layers, strict=True):
        assert layer.joints is not None
        by_hand = np.repeat([[hole]] * (len(layer.tiles) - 1) + [[to_cell]], 2 * crossed.columns, axis=1)
        np.testing.assert_allclose(layer.joints.values, by_hand, rtol=2e-3)
    # The second tile of layer 2 is driven through two foils and the bit lines' plane between them.
    (vias,) = [each for each in table if (each.layer, each.tile, each.name) == (2, 2, "vias")]
    assert vias.mean == pytest.approx(hole * 251 / 126, rel=2e-3)
    assert [tile.fed_far.tolist() for tile in tiles[3:]] == [[False] * 3, [False] * 3 + [True]]


def test_plates_become_ideal_when_they_are_wide_and_never_fall_below() -> None:
    for ratio in (30, 100, 1000, 1e5):
        ideal = epsilon_0 * 3.5 * ratio**2 * 1e-6
        held = plate_capacitance(3.5, ratio * 1e-6, ratio * 1e-6, 1e-6)
        assert 1 < held / ideal < 1 + 8 * np.log(ratio) / (np.pi * ratio)


def test_plates_against_a_field_solution() -> None:
    """Two thin strips have the exact capacitance ``eps K(k) / K(k')`` per length; their aspect ratio gives ``k``."""
    from scipy.optimize import brentq
    from scipy.special import ellipe, ellipeinc, ellipkinc

    def aspect(m: float) -> float:  # w / d of strips with parameter m (A. E. H. Love, Proc. LMS 22, 337, 1923)
        big_k, big_e = ellipk(m), ellipe(m)
        turn = np.arcsin(np.sqrt((big_k - big_e) / (m * big_k)))
        return float(2 / np.pi * (big_k * ellipeinc(turn, m) - big_e * ellipkinc(turn, m)))

    for ratio in (3.0, 5.0, 10.0):
        m = brentq(lambda m, ratio=ratio: aspect(m) - ratio, 1e-9, 1 - 1e-15)
        exact = epsilon_0 * ellipk(m) / ellipk(1 - m)
        # One pair of edges: a plate so long that its ends do not count.
        ours = plate_capacitance(1.0, ratio * 1e-6, 1e3, 1e-6) / 1e3
        assert ours == pytest.approx(exact, rel=0.25 / ratio)


def test_strips_against_the_elliptic_integrals() -> None:
    for width, gap in ((100e-6, 100e-6), (36e-6, 2e-3), (500e-6, 500e-6), (120e-6, 1.77e-3)):
        k = gap / (gap + 2 * width)
        wanted = epsilon_0 * 3.2 * ellipk(1 - k * k) / ellipk(k * k) * 2e-4
        assert strip_capacitance(3.2, width, gap, 2e-4) == pytest.approx(wanted, rel=1e-12)


def test_a_process_without_a_value_says_which(tmp_path: Path) -> None:
    crossbar = make_crossbar(2, 2)
    layout: Layout = build_layout(crossbar, PROCESSES["inkjet"])
    (path,) = write_masks(layout, tmp_path, ["gds"])
    layers = tuple(replace(layer, sheet_resistance=None) for layer in layout.process.layers)
    with pytest.raises(LayoutError, match="_lines of the process has no sheet_resistance"):
        extract_parasitics(path, replace(layout.process, layers=layers), crossbar)
    with pytest.raises(LayoutError, match="hold no device of layer 2"):
        extract_parasitics(path, layout.process, make_crossbar(2, 2, 2))
