"""Extracted resistances and capacitances against KLayout's own extractor and against closed forms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import klayout.db as kdb
import klayout.pex as kpex
import numpy as np
import pytest
from layout_crossbars import make_crossbar
from scipy.constants import epsilon_0
from scipy.special import ellipk

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import Layout
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.masks.files import write_masks
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.signoff.pex import extract_parasitics, line_resistance, plate_capacitance, strip_capacitance
from snn2circuit.layout.signoff.stack import read_masks


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


@pytest.mark.parametrize("process", sorted(PROCESSES))
def test_line_segments_are_those_of_klayouts_extractor(process: str, tmp_path: Path) -> None:
    crossbar = make_crossbar(4, 3, 2)
    layout = build_layout(crossbar, PROCESSES[process])
    (path,) = write_masks(layout, tmp_path, ["gds"])
    _, table = extract_parasitics(path, layout.process, crossbar)
    stack = read_masks(path, layout.process)
    for number, sheet in enumerate(layout.sheets, start=1):
        centres = (sheet.devices.boxes[:, :2] + sheet.devices.boxes[:, 3:5]) // 2
        for name, layer, line in (
            ("word_segment", "word_lines", sheet.devices.rows),
            ("bit_segment", "bit_lines", 2 * sheet.devices.columns + (sheet.devices.polarity < 0)),
        ):
            ohm = layout.process.layer(layer).sheet_resistance
            assert ohm is not None
            judged: list[float] = []
            for index in np.unique(line):
                points = [kdb.Point(x, y) for x, y in sorted(map(tuple, centres[line == index].tolist()))]
                wire = stack.region((number, layer)).interacting(
                    kdb.Region(kdb.Box(points[0], points[-1]).enlarged(1, 1))
                )
                judged += klayout_resistances(wire, points, ohm.value)
            (measured,) = [each for each in table if (each.layer, each.name) == (number, name)]
            assert measured.count == len(judged)
            assert measured.mean == pytest.approx(np.mean(judged), rel=1e-6)
            assert (measured.least, measured.most) == pytest.approx((min(judged), max(judged)), rel=1e-6)


def test_a_straight_line_by_hand() -> None:
    # 10 squares of 0.18 ohm.
    assert line_resistance(0.18, 1e-3, 1e-4) == pytest.approx(1.8)


def test_a_via_by_hand(tmp_path: Path) -> None:
    """125 um of silver of 0.18 ohm/sq at 1 um through a hole of 100 um."""
    crossbar = make_crossbar(4, 3, 2)
    layout = build_layout(crossbar, PROCESSES["inkjet"])
    parasitics, table = extract_parasitics(write_masks(layout, tmp_path, ["gds"])[0], layout.process, crossbar)
    by_hand = 0.18 * 1e-6 * 125e-6 / (np.pi * 50e-6**2)
    assert parasitics.layers[0].via.value == 0
    assert parasitics.layers[1].via.value == pytest.approx(by_hand, rel=2e-3)  # the circle is a polygon of 64 corners
    (vias,) = [each for each in table if (each.layer, each.name) == (2, "via")]
    assert vias.count == 3


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
    with pytest.raises(LayoutError, match="layer word_lines of the process has no sheet_resistance"):
        extract_parasitics(path, replace(layout.process, layers=layers), crossbar)
    with pytest.raises(LayoutError, match="hold no device of layer 2"):
        extract_parasitics(path, layout.process, make_crossbar(2, 2, 2))
