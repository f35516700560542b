"""Currents of a crossbar with extracted lines against a network of small squares cut from the masks' own polygons."""

from __future__ import annotations

import itertools
from pathlib import Path

import klayout.db as kdb
import numpy as np
import pytest
from layout_crossbars import make_crossbar
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

from snn2circuit.analysis.activity import line_drops
from snn2circuit.ir.layout import Layout, Sheet
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.masks.files import write_masks
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.signoff.pex import extract_parasitics
from snn2circuit.layout.signoff.stack import MaskStack, read_masks
from snn2circuit.netlist import crossbar_arrays
from snn2circuit.simulate.crossbar import bit_line_currents

CUTS = 6  # of every piece between two corners or crossings


@pytest.mark.parametrize(
    ("process", "mode"),
    [
        ("inkjet", "auto"), ("inkjet", "isolated"), ("aerosol_jet", "auto"), ("organic_flow", "auto"),
        ("inkjet", "shared_electrode"), ("organic_flow", "shared_electrode"),
    ],
)  # fmt: skip
def test_lines_take_what_a_network_of_the_polygons_takes(process: str, mode: str, tmp_path: Path) -> None:
    """The judge knows nothing of segments and leads; what it has more is how current spreads at pads and crossings."""
    crossbar = make_crossbar(4, 3, 2, tile_rows=3 if mode == "shared_electrode" else 0)
    layout = build_layout(crossbar, PROCESSES[process], mode)
    (path,) = write_masks(layout, tmp_path, ["gds"])
    parasitics, _ = extract_parasitics(path, layout.process, crossbar)
    stack = read_masks(path, layout.process)
    for number, (layer, sheet) in enumerate(zip(crossbar.layers, layout.sheets, strict=True), start=1):
        (tile,) = parasitics.layers[number - 1].tiles
        siemens = np.stack(layer.programmed, axis=2).reshape(layer.rows, -1)
        siemens *= 0.05 / siemens.max() / tile.lines.word_segments.max()  # lines take tens of percent
        volts = np.random.default_rng(number).uniform(0.5, 1, layer.rows)
        ideal = volts @ siemens
        ours = ideal - bit_line_currents(siemens[tile.rows], volts[tile.rows], tile.lines)
        judged = ideal - polygon_currents(stack, layout, number, sheet, siemens, volts)
        assert (judged / ideal).max() > 0.1
        assert np.abs(ours - judged).max() < 0.005 * judged.max()


def test_two_tiles_on_the_same_bit_lines_are_one_crossbar(tmp_path: Path) -> None:
    """Word lines below and above them, pair by pair at the same place: no tile loses what it would alone."""
    crossbar = make_crossbar(7, 3, 2, tile_rows=4)
    layout = build_layout(crossbar, PROCESSES["inkjet"], "shared_electrode")
    (path,) = write_masks(layout, tmp_path, ["gds"])
    parasitics, _ = extract_parasitics(path, layout.process, crossbar)
    (tile,) = parasitics.layers[0].tiles
    assert tile.rows.tolist() == [0, 4, 1, 5, 2, 6, 3, 7]
    assert (tile.bit_segments.values[::2] == 0).all()
    siemens = np.stack(crossbar.layers[0].programmed, axis=2).reshape(8, -1)
    siemens *= 0.05 / siemens.max() / tile.lines.word_segments.max()
    volts = np.random.default_rng(1).uniform(0.5, 1, 8)
    ideal = volts @ siemens
    ours = ideal - bit_line_currents(siemens[tile.rows], volts[tile.rows], tile.lines)
    judged = ideal - polygon_currents(read_masks(path, layout.process), layout, 1, layout.sheets[0], siemens, volts)
    assert (judged / ideal).max() > 0.1
    assert np.abs(ours - judged).max() < 0.005 * judged.max()
    (array,) = crossbar_arrays(crossbar, parasitics)[0]
    assert array.word_lines[:2] == ("wl_l1_r0", "wl_l1_r4")
    np.testing.assert_array_equal(array.g_pos, crossbar.layers[0].programmed[0][tile.rows])
    assert line_drops(crossbar, parasitics)[0].shape == (8, 3, 2)


def polygon_currents(
    stack: MaskStack, layout: Layout, number: int, sheet: Sheet, siemens: np.ndarray, volts: np.ndarray
) -> np.ndarray:
    """Currents that the bit lines of a sheet carry into their cells."""
    wires, printed = {}, {}
    for words, devices in zip(("word_lines", "upper_word_lines"), sheet.planes, strict=False):
        boxes, bits = np.delete(devices.boxes, [2, 5], axis=1), 2 * devices.columns + (devices.polarity < 0)
        for kind, name, index in (("word", words, devices.rows), ("bit", "bit_lines", bits)):
            for line in np.unique(index).tolist():
                box = kdb.Box(*boxes[index == line][0].tolist())
                (piece,) = (stack.region((number, name)) & kdb.Region(box)).each()
                (wires[kind, line],) = stack.region((number, name)).interacting(kdb.Region(piece)).each()
                printed[kind, line] = name
    crossings = {
        (row, bit): (kdb.Region(wires["word", row]) & kdb.Region(wires["bit", bit])).bbox()
        for row, bit in itertools.product(range(len(siemens)), range(siemens.shape[1]))
    }
    base = "substrate_vias" if layout.mode == "sheet_per_layer" else "interlayer_vias"
    landings = {"word_lines": base, "bit_lines": "contacts", "upper_word_lines": "upper_contacts"}
    ports = {name: stack.region((number, via)) for name, via in landings.items()} | {
        "bit_lines": stack.region((number, "cells"))
    }
    network = Network()
    where: dict[tuple[str, int, int], list[tuple[int, np.ndarray]]] = {}
    for (kind, line), polygon in wires.items():
        name = printed[kind, line]
        ohm = layout.process.layer(name).sheet_resistance.value
        mine = {at: box for at, box in crossings.items() if at[kind == "bit"] == line}
        port = kdb.Region(polygon) & ports[name]
        squares = network.cut(polygon, [*mine.values(), port.bbox()], ohm)
        for at, box in mine.items():
            where[(kind, *at)] = squares.inside(box)
        if kind == "bit":
            network.hold(squares.inside(port.bbox()), ("bit", line), np.inf)
        elif not port.is_empty():
            passed = list(landings.items())[: 3 if name == "upper_word_lines" else 1]
            rho_t = [
                layer.sheet_resistance.value * layer.thickness.value * layout.process.layer(via).thickness.value
                for layer, via in ((layout.process.layer(conductor), via) for conductor, via in passed)
            ]
            network.hold(squares.inside(port.bbox()), ("word", line), port.area() * 1e-18 / sum(rho_t))
        else:
            squares.hold_end(("word", line), 1 if sheet.rotation else 0)
    for (row, bit), box in crossings.items():
        for (a, one), (b, other) in itertools.product(where["word", row, bit], where["bit", row, bit]):
            both = np.prod(np.maximum(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0))
            if both:
                network.join(a, b, siemens[row, bit] * both / box.area())
    return network.currents(volts, siemens.shape[1])


class Network:
    """Squares of foil joined by their sides; nodes are numbers, or names of what is held from outside."""

    def __init__(self) -> None:
        self.count = 0
        self.branches: list[tuple[object, object, float]] = []
        self.held: dict[int, object] = {}  # squares that are one with a held node

    def join(self, a: object, b: object, siemens: float) -> None:
        self.branches.append((a, b, siemens))

    def hold(self, squares: list[tuple[int, np.ndarray]], name: object, siemens: float) -> None:
        """Join squares evenly to a held node; without resistance they become that node."""
        for square, _ in squares:
            if np.isinf(siemens):
                self.held[square] = name
            else:
                self.join(square, name, siemens / len(squares))

    def cut(self, polygon: kdb.Polygon, boxes: list[kdb.Box], ohm: float) -> Squares:
        return Squares(self, polygon, boxes, ohm)

    def currents(self, volts: np.ndarray, bits: int) -> np.ndarray:
        names = [*(("word", row) for row in range(len(volts))), *(("bit", bit) for bit in range(bits))]
        index = {name: number for number, name in enumerate(names)}

        def node(each: object) -> int:
            name = self.held.get(each, each)
            return index.setdefault(name, len(index))

        ends = np.array([(node(a), node(b)) for a, b, _ in self.branches])
        g = np.array([siemens for _, _, siemens in self.branches])
        a, b = ends.T
        rows, columns = np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a])
        matrix = coo_array((np.concatenate([g, g, -g, -g]), (rows, columns))).tocsr()
        known = len(names)
        solved = np.zeros(len(index))
        solved[: len(volts)] = volts
        solved[known:] = spsolve(matrix[known:, known:].tocsc(), -matrix[known:, :known] @ solved[:known])
        return -(matrix @ solved)[len(volts) : known]


class Squares:
    """One polygon cut along its corners and given boxes, and each piece into :data:`CUTS` times as many."""

    def __init__(self, network: Network, polygon: kdb.Polygon, boxes: list[kdb.Box], ohm: float) -> None:
        self.network, self.ohm = network, ohm
        frame = polygon.bbox()
        points = list(polygon.each_point_hull())
        self.x = self._cuts(
            [p.x for p in points], [s for b in boxes for s in (b.left, b.right)], frame.left, frame.right
        )
        self.y = self._cuts(
            [p.y for p in points], [s for b in boxes for s in (b.bottom, b.top)], frame.bottom, frame.top
        )
        self.node: dict[tuple[int, int], int] = {}
        for i, j in itertools.product(range(len(self.x) - 1), range(len(self.y) - 1)):
            if polygon.inside(kdb.Point(int(self._middle(self.x, i)), int(self._middle(self.y, j)))):
                self.node[i, j] = network.count
                network.count += 1
        for (i, j), a in self.node.items():
            width, height = np.diff(self.x[i : i + 2])[0], np.diff(self.y[j : j + 2])[0]
            if (b := self.node.get((i + 1, j))) is not None:
                network.join(a, b, 2 * height / (self.x[i + 2] - self.x[i]) / ohm)
            if (b := self.node.get((i, j + 1))) is not None:
                network.join(a, b, 2 * width / (self.y[j + 2] - self.y[j]) / ohm)

    def inside(self, box: kdb.Box) -> list[tuple[int, np.ndarray]]:
        """Squares in a box with their outlines: left, bottom, right, top."""
        return [
            (node, np.array([self.x[i], self.y[j], self.x[i + 1], self.y[j + 1]]))
            for (i, j), node in self.node.items()
            if box.left < self._middle(self.x, i) < box.right and box.bottom < self._middle(self.y, j) < box.top
        ]

    def hold_end(self, name: object, axis: int) -> None:
        """Hold the edge where the polygon ends along ``axis``."""
        cuts, other = (self.x, self.y) if axis == 0 else (self.y, self.x)
        for at, node in self.node.items():
            if at[axis] == len(cuts) - 2:
                side = other[at[1 - axis] + 1] - other[at[1 - axis]]
                self.network.join(node, name, 2 * side / (cuts[-1] - cuts[-2]) / self.ohm)

    @staticmethod
    def _middle(cuts: np.ndarray, index: int) -> float:
        return float(cuts[index] + cuts[index + 1]) / 2

    @staticmethod
    def _cuts(corners: list[int], sides: list[int], low: int, high: int) -> np.ndarray:
        places = sorted({at for at in (*corners, *sides) if low <= at <= high})
        pieces = [np.linspace(a, b, CUTS + 1)[:-1] for a, b in itertools.pairwise(places)]
        return np.append(np.concatenate(pieces), high)
