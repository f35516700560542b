"""Crossbars with resistive lines: the solvers against dense nodal analysis, ngspice, and badcrossbar's numbers."""

from __future__ import annotations

import itertools
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from arrays import dense_norton, random_array, random_lines, random_siemens
from hypothesis import given, settings
from hypothesis import strategies as st

from snn2circuit.errors import SimulationError
from snn2circuit.ir.circuit import Crossbar
from snn2circuit.ir.lines import PIECES, LineResistances, uniform_lines
from snn2circuit.netlist.arrays import crossbar_cards
from snn2circuit.simulate.crossbar import FEW, bit_line_currents, norton, reduce_crossbar, sketch_transfer

SIZES = [(1, 1), (1, 6), (7, 1), (2, 3), (5, 9), (13, 10)]
REFERENCE = Path(__file__).parents[2] / "netlists" / "reference" / "badcrossbar.json"
KINDS = [
    dict(zip(("r_word", "r_bit", "r_driver"), each, strict=True)) for each in itertools.product((0, 2.5), repeat=3)
]


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("case", json.loads(REFERENCE.read_text())["cases"], ids=lambda case: str(len(case["ohms"])))
def test_currents_equal_badcrossbars(case: dict) -> None:
    """Its bit lines leave after the last row; ours at row 0, so the rows change order."""
    siemens, volts = 1 / np.array(case["ohms"])[::-1], np.array(case["volts"])[:, ::-1]
    lines = uniform_lines(*siemens.shape, r_word=case["r_word"], r_bit=case["r_bit"])
    assert relative(bit_line_currents(siemens, volts, lines), np.array(case["amperes"])) < 1e-9
    assert relative(volts @ norton(siemens, lines).transfer, np.array(case["amperes"])) < 1e-9


@pytest.mark.parametrize("ohms", KINDS, ids=lambda lines: "-".join(f"{v:g}" for v in lines.values()))
@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_every_kind_of_line_and_size_solves_kirchhoffs_equations(rows: int, columns: int, ohms: dict) -> None:
    hold_kirchhoff(random_siemens(rows, columns, seed=rows), uniform_lines(rows, columns, **ohms))


@pytest.mark.parametrize("ideal", [0.0, 0.5])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_unequal_pieces_and_both_ends_solve_kirchhoffs_equations(
    rows: int, columns: int, seed: int, ideal: float
) -> None:
    hold_kirchhoff(random_siemens(rows, columns, seed), random_lines(rows, columns, seed, ideal))


def hold_kirchhoff(siemens: np.ndarray, lines: LineResistances) -> None:
    rows, columns = siemens.shape
    transfer, load = dense_norton(siemens, lines)
    found = norton(siemens, lines)
    assert relative(found.transfer, transfer) < 1e-11
    assert relative(found.load, load) < 1e-10  # the judge subtracts conductances of 100 S
    volts = np.random.default_rng(1).uniform(-1, 1, (FEW + 1, rows))
    for count in (2, FEW + 1):  # drive by drive, and by the transfer matrix
        assert relative(bit_line_currents(siemens, volts[:count], lines), volts[:count] @ transfer) < 1e-10
    assert bit_line_currents(siemens, volts[0], lines).shape == (columns,)


def test_a_word_line_by_hand() -> None:
    """One row on bit lines of no resistance: the ladder of a line that is fed at either end."""
    siemens, segment, lead = np.array([[0.25, 0.5]]), 2.0, 1.0
    lines = uniform_lines(1, 2, r_word=segment)
    # Behind the segment 0.5 S: 1 / (2 + 2) S beside 0.25 S are 2 ohm, behind 1 ohm of lead: 1/3 A into 2/3 V.
    near = replace(lines, word_leads=[lead])
    assert bit_line_currents(siemens, np.ones(1), near) == pytest.approx([1 / 6, 1 / 6])
    # From the other end: 1 / (2 + 4) S beside 0.5 S are 1.5 ohm, behind 1 ohm: 0.4 A into 0.6 V.
    assert bit_line_currents(siemens, np.ones(1), replace(near, fed_far=[True])) == pytest.approx([0.1, 0.3])


def test_a_bit_line_by_hand() -> None:
    """One bit line of two rows: the device of row 1 has the segment on top of the lead."""
    lines = replace(uniform_lines(2, 1, r_bit=2.0), bit_leads=[1.0])
    siemens = np.array([[1.0], [0.5]])
    # Row 1 alone: 2 + 2 ohm to row 0, there 1 S beside 1 S to ground: 1 / 4.5 A, half of it leaves.
    assert bit_line_currents(siemens, np.array([0.0, 1.0]), lines) == pytest.approx([1 / 9])
    # Row 0 alone: 1 ohm, then 1 S beside 1/4 S: 1 / 1.8 A, 4/5 of it leaves.
    assert bit_line_currents(siemens, np.array([1.0, 0.0]), lines) == pytest.approx([4 / 9])


def test_a_long_line_falls_off_as_a_hyperbolic_cosine() -> None:
    """``v'' = r g v`` with an open end: ``v(x) = cosh((n - x) a) / cosh(n a)``, as for a telegraph line at 0 Hz."""
    count, ohms, siemens = 2000, 1e-3, 1e-3
    lines = replace(uniform_lines(1, count, r_word=ohms), word_leads=[0.0])
    found = bit_line_currents(np.full((1, count), siemens), np.ones(1), lines)
    a = 2 * np.arcsinh(np.sqrt(ohms * siemens) / 2)
    # Half a segment more behind the last crossing makes the ladder symmetric there.
    expected = siemens * np.cosh((count - 0.5 - np.arange(count)) * a) / np.cosh((count - 0.5) * a)
    assert relative(found, expected) < 1e-10
    mirrored = bit_line_currents(np.full((1, count), siemens), np.ones(1), replace(lines, fed_far=[True]))
    assert relative(mirrored[::-1], expected) < 1e-10


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    seed=st.integers(0, 99),
    scale=st.floats(1e-2, 1e2),
)
def test_the_two_solvers_agree(rows: int, columns: int, seed: int, scale: float) -> None:
    siemens = random_siemens(rows, columns, seed)
    siemens[seed % rows] = 0.0  # an open row
    lines = random_lines(rows, columns, seed)
    lines = replace(lines, **{name: scale * getattr(lines, name) for name in PIECES})
    volts = np.random.default_rng(seed).uniform(0, 1, rows)
    transfer, load = norton(siemens, lines)
    expected = volts @ transfer
    # A current is judged by the currents, which sum up to as many entries of the matrix as there are rows.
    currents = max(np.abs(expected).max(), np.abs(transfer).max(), 1e-30)
    assert np.abs(bit_line_currents(siemens, volts, lines) - expected).max() <= 1e-11 * currents
    # With every source and every end at 1 V no current flows.
    assert np.abs(transfer.sum(axis=0) - load.sum(axis=1)).max() <= 1e-11 * max(np.abs(transfer).max(), 1e-30)


def test_lines_that_are_far_too_resistive_still_converge() -> None:
    siemens = random_siemens(60, 70, seed=3)
    lines = uniform_lines(60, 70, r_word=1e4, r_bit=1e4)
    volts = np.linspace(0, 1, 60)
    assert relative(bit_line_currents(siemens, volts, lines), volts @ norton(siemens, lines).transfer) < 1e-9


@pytest.mark.parametrize(
    ("siemens", "words"),
    [
        (np.ones(3), "crossbar is"),
        (np.full((2, 2), -1.0), "0 or more"),
        (np.full((2, 2), np.nan), "finite"),
        (np.ones((2, 3)), r"shape \(2, 3\), the resistances of their lines \(2, 2\)"),
        (np.ones((3, 2)), "3 finite volts"),
    ],
)
def test_what_no_array_can_be_is_refused(siemens: np.ndarray, words: str) -> None:
    lines = uniform_lines(2, 2) if siemens.shape == (2, 3) else None
    with pytest.raises(SimulationError, match=words):
        bit_line_currents(siemens, np.zeros(2), lines)


@pytest.mark.parametrize(
    "lines",
    [
        *(uniform_lines(6, 8, **ohms) for ohms in KINDS),
        *(random_lines(6, 8, seed, ideal) for seed in (1, 2, 5) for ideal in (0.0, 0.5)),
    ],
)
def test_emitted_meshes_carry_the_same_currents_in_ngspice(lines: LineResistances, tmp_path: Path) -> None:
    array = random_array(6, 4, seed=11, lines=lines)
    assert sum(card[0] == "R" for card in crossbar_cards(array)) == 2 * 6 * 4 + lines.pieces
    volts = np.random.default_rng(4).uniform(-0.5, 0.5, 6)
    found = operating_point(array, volts, tmp_path)
    for solved in (volts @ reduce_crossbar(array).transfer, bit_line_currents(array.siemens, volts, lines)):
        assert relative(found, solved) < 1e-9


def operating_point(array: Crossbar, volts: np.ndarray, folder: Path) -> np.ndarray:
    """Currents out of the bit lines of an emitted crossbar, by ngspice's ``.op``."""
    deck = ["* crossbar", *crossbar_cards(array)]
    deck += [
        f"Vw{row} {line} 0 {volt:.15g}" for row, (line, volt) in enumerate(zip(array.word_lines, volts, strict=True))
    ]
    deck += [f"Vb{column} {bit} 0 0" for column, bit in enumerate(array.bits)]
    (folder / "op.cir").write_text("\n".join([*deck, ".op", ".end", ""]))
    command = ["ngspice", "-n", "-b", "-r", "op.raw", "op.cir"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
    head, _, data = (folder / "op.raw").read_bytes().partition(b"Binary:\n")
    names = [line.split()[1] for line in head.decode().split("Variables:\n")[1].splitlines()]
    values = dict(zip(names, np.frombuffer(data), strict=True))
    return np.array([values[f"i(vb{column})"] for column in range(len(array.bits))])


@pytest.mark.parametrize("far", [False, True])
@pytest.mark.parametrize(("ohms", "within"), [(0.0, 1e-15), (0.01, 1e-4), (1.0, 0.03)])
def test_the_sketch_of_a_transfer_matrix_is_near_it(ohms: float, within: float, far: bool) -> None:
    """What is left out are ways through three devices or more: nothing in ideal lines, little in good ones."""
    rows, columns = 40, 12
    siemens = random_siemens(rows, columns, seed=3)
    lines = replace(uniform_lines(rows, columns, r_word=ohms, r_bit=ohms), fed_far=np.arange(rows) % 2 == far)
    siemens *= 0.5 / (rows * siemens.sum(axis=0).max())  # lines of 1 ohm take about a third
    exact = norton(siemens, lines).transfer
    assert relative(sketch_transfer(siemens, lines), exact) <= within
    if ohms == 1.0:
        assert relative(siemens, exact) > 5 * within, "the devices alone are no sketch"
