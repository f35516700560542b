"""Crossbars with resistive lines: the solvers against dense nodal analysis, ngspice, and badcrossbar's numbers."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from arrays import dense_norton, random_array, random_siemens
from hypothesis import given, settings
from hypothesis import strategies as st

from snn2circuit.errors import NetlistError, SimulationError
from snn2circuit.ir.circuit import Crossbar
from snn2circuit.netlist.arrays import crossbar_cards
from snn2circuit.simulate.crossbar import FEW, bit_line_currents, norton, reduce_crossbar

REFERENCE = Path(__file__).parents[2] / "netlists" / "reference" / "badcrossbar.json"
KINDS = [
    dict(zip(("r_word", "r_bit", "r_driver"), each, strict=True)) for each in itertools.product((0, 2.5), repeat=3)
]


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("case", json.loads(REFERENCE.read_text())["cases"], ids=lambda case: str(len(case["ohms"])))
def test_currents_equal_badcrossbars(case: dict) -> None:
    siemens, volts = 1 / np.array(case["ohms"]), np.array(case["volts"])
    lines = {"r_word": case["r_word"], "r_bit": case["r_bit"]}
    assert relative(bit_line_currents(siemens, volts, **lines), np.array(case["amperes"])) < 1e-9
    assert relative(volts @ norton(siemens, **lines).transfer, np.array(case["amperes"])) < 1e-9


@pytest.mark.parametrize("lines", KINDS, ids=lambda lines: "-".join(f"{v:g}" for v in lines.values()))
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 6), (7, 1), (2, 3), (5, 9), (13, 10)])
def test_every_kind_of_line_and_size_solves_kirchhoffs_equations(rows: int, columns: int, lines: dict) -> None:
    siemens = random_siemens(rows, columns, seed=rows)
    transfer, load = dense_norton(siemens, **lines)
    found = norton(siemens, **lines)
    assert relative(found.transfer, transfer) < 1e-11
    assert relative(found.load, load) < 1e-11
    volts = np.random.default_rng(1).uniform(-1, 1, (FEW + 1, rows))
    for count in (2, FEW + 1):  # drive by drive, and by the transfer matrix
        assert relative(bit_line_currents(siemens, volts[:count], **lines), volts[:count] @ transfer) < 1e-10
    assert bit_line_currents(siemens, volts[0], **lines).shape == (columns,)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    seed=st.integers(0, 99),
    r_word=st.floats(1e-3, 1e4),
    r_bit=st.floats(1e-3, 1e4),
    r_driver=st.sampled_from([0.0, 50.0]),
)
def test_the_two_solvers_agree(
    rows: int, columns: int, seed: int, r_word: float, r_bit: float, r_driver: float
) -> None:
    siemens = random_siemens(rows, columns, seed)
    siemens[seed % rows] = 0.0  # an open row
    lines = {"r_word": r_word, "r_bit": r_bit, "r_driver": r_driver}
    volts = np.random.default_rng(seed).uniform(0, 1, rows)
    transfer, load = norton(siemens, **lines)
    expected = volts @ transfer
    scale = max(np.abs(transfer).max(), 1e-30)
    # A current is judged by the currents, which sum up to as many entries of the matrix as there are rows.
    currents = max(np.abs(expected).max(), scale)
    assert np.abs(bit_line_currents(siemens, volts, **lines) - expected).max() <= 1e-11 * currents
    # With every source and every end at 1 V no current flows.
    assert np.abs(transfer.sum(axis=0) - load.sum(axis=1)).max() <= 1e-11 * scale


def test_lines_that_are_far_too_resistive_still_converge() -> None:
    siemens = random_siemens(60, 70, seed=3)
    lines = {"r_word": 1e4, "r_bit": 1e4}
    volts = np.linspace(0, 1, 60)
    assert relative(bit_line_currents(siemens, volts, **lines), volts @ norton(siemens, **lines).transfer) < 1e-9


@pytest.mark.parametrize(
    ("siemens", "lines", "words"),
    [
        (np.ones(3), {}, "crossbar is"),
        (np.full((2, 2), -1.0), {}, "0 or more"),
        (np.full((2, 2), np.nan), {}, "finite"),
        (np.ones((2, 2)), {"r_word": -1.0}, "r_word is -1.0 ohm"),
        (np.ones((2, 2)), {"r_bit": np.inf}, "r_bit is inf ohm"),
        (np.ones((3, 2)), {}, "3 finite volts"),
    ],
)
def test_what_no_array_can_be_is_refused(siemens: np.ndarray, lines: dict, words: str) -> None:
    with pytest.raises(SimulationError, match=words):
        bit_line_currents(siemens, np.zeros(2), **lines)


def test_an_element_refuses_a_negative_resistance() -> None:
    with pytest.raises(NetlistError, match="r_driver is -1 ohm"):
        random_array(2, 2, seed=0, r_driver=-1)


@pytest.mark.parametrize("lines", KINDS, ids=lambda lines: "-".join(f"{v:g}" for v in lines.values()))
def test_emitted_meshes_carry_the_same_currents_in_ngspice(lines: dict, tmp_path: Path) -> None:
    array = random_array(6, 4, seed=11, **lines)
    volts = np.random.default_rng(4).uniform(-0.5, 0.5, 6)
    assert relative(operating_point(array, volts, tmp_path), volts @ reduce_crossbar(array).transfer) < 1e-6


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
