"""Meanders against a field solution on the drawn shape, against the corner's exact value, and against their window."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

from snn2circuit.errors import LayoutError
from snn2circuit.ir.noun import Ints
from snn2circuit.layout.meander import (
    CORNER,
    Meander,
    Trace,
    Window,
    draw_meander,
    legs_needed,
    printable_squares,
    width_needed,
)


def field_squares(boxes: Ints) -> float:
    """Squares of what lies in the quadrant ``x, y > 0``, between its edges ``y = 0`` and ``x = 0``.

    Laplace's equation by finite volumes on cells of 1 by 1: the current between neighbours is their difference, that
    into an electrode half a cell away twice the potential.
    """
    inside = np.zeros((boxes[:, 2].max(), boxes[:, 3].max()), dtype=bool)
    for x0, y0, x1, y1 in boxes:
        inside[max(x0, 0) : x1, max(y0, 0) : y1] = True
    cells = int(inside.sum())
    number = np.full(inside.shape, -1)
    number[inside] = np.arange(cells)
    pairs = np.concatenate(
        [
            np.stack([number[:-1].ravel(), number[1:].ravel()], axis=1),
            np.stack([number[:, :-1].ravel(), number[:, 1:].ravel()], axis=1),
        ]
    )
    a, b = pairs[(pairs >= 0).all(axis=1)].T
    foot, end = (edge[edge >= 0] for edge in (number[:, 0], number[0]))
    rows = np.concatenate([a, b, a, b, foot, end])
    columns = np.concatenate([b, a, a, b, foot, end])
    ones = np.ones(len(a))
    values = np.concatenate([-ones, -ones, ones, ones, np.full(len(foot) + len(end), 2.0)])
    source = np.bincount(foot, minlength=cells) * 2.0
    potential = spsolve(coo_matrix((values, (rows, columns)), shape=(cells, cells)).tocsc(), source)
    return float(1 / (2 * potential[end].sum()))


def drawn(squares: float, trace: Trace, width: int = 0) -> Meander:
    width = width or trace.narrowest
    return draw_meander(squares, Window(trace=trace, width=width, legs=legs_needed(trace, width, squares)))


@pytest.mark.parametrize("squares", [2.559, 3.3, 8.0, 14.0, 17.0, 30.0, 47.3])
@pytest.mark.parametrize("space", [12, 24])
def test_squares_are_those_of_the_field(squares: float, space: int) -> None:
    meander = drawn(max(squares, 2 * space / 12 + CORNER), Trace(width=12, space=space, reach=15, grid=3))
    assert meander.squares == pytest.approx(field_squares(meander.boxes), rel=6e-3)
    # The field at a corner is what the cells resolve worst: their error halves with their size.
    finer = field_squares(2 * meander.boxes)
    assert meander.squares == pytest.approx(2 * finer - field_squares(meander.boxes), rel=2e-3)


def test_the_corner_is_that_of_the_field() -> None:
    """An L with long arms, less its arms."""
    boxes = np.array([[80, 0, 100, 80], [0, 80, 100, 100]])
    coarse, fine = field_squares(boxes), field_squares(2 * boxes)
    assert 2 * fine - coarse - 8 == pytest.approx(CORNER, abs=0.0025)
    assert pytest.approx(0.559, abs=5e-4) == CORNER  # as Hall printed it


TRACES = st.builds(
    lambda width, space, reach, grid: Trace(width=width * grid, space=(width + space) * grid, reach=reach, grid=grid),
    st.integers(1, 30), st.integers(0, 40), st.integers(1, 100), st.integers(1, 20),
)  # fmt: skip


@given(TRACES, st.floats(0, 400), st.integers(0, 60))
@settings(deadline=None, max_examples=50)
def test_every_value_is_met_within_half_a_step_and_stays_in_its_window(trace: Trace, more: float, extra: int) -> None:
    squares = trace.shortest + more
    width = trace.narrowest + extra * trace.grid
    legs = legs_needed(trace, width, squares)
    meander = draw_meander(squares, Window(trace=trace, width=width, legs=legs))
    assert abs(meander.squares / squares - 1) <= trace.tolerance(squares) * (1 + 1e-9)

    x0, y0, x1, y1 = meander.boxes.T
    window = Window(trace=trace, width=width, legs=legs)
    assert (x1 <= width).all()
    assert (y1 <= window.height).all()
    assert (meander.boxes[meander.boxes != -trace.reach] % trace.grid == 0).all()
    # One end over each line, and everything else as far from both as from another leg.
    assert sorted((x0 < 0).tolist()).count(True) == sorted((y0 < 0).tolist()).count(True) == 1
    assert (x0[x0 > 0] >= trace.space).all()
    assert (y0[y0 > 0] >= 0).all()

    # One strip of one width: the boxes touch in a row, overlap nowhere, and area and outline are those of a strip.
    area = int(((x1 - np.maximum(x0, 0)) * (y1 - np.maximum(y0, 0))).sum())
    corners = 2 * legs - 1
    length = (meander.squares - corners * CORNER) * trace.width
    assert area == pytest.approx(length * trace.width + corners * trace.width**2, rel=1e-9)
    for i in range(len(meander.boxes)):
        for j in range(i + 1, len(meander.boxes)):
            wide = min(x1[i], x1[j]) - max(x0[i], x0[j])
            high = min(y1[i], y1[j]) - max(y0[i], y0[j])
            if j == i + 1:
                assert sorted((wide, high)) == [0, trace.width]
            else:
                assert wide <= -trace.space or high <= -trace.space or max(wide, high) <= 0 or min(wide, high) < 0


@given(TRACES, st.floats(0, 400), st.integers(0, 60), st.integers(0, 4))
@settings(deadline=None, max_examples=200)
def test_printable_values_are_drawn_exactly_and_lie_close(trace: Trace, more: float, extra: int, spare: int) -> None:
    squares, width = trace.shortest + more, trace.narrowest + extra * trace.grid
    window = Window(trace=trace, width=width, legs=legs_needed(trace, width, squares) + 2 * spare)
    below, above = map(float, printable_squares(np.array(squares), window))
    for value in (below, above):
        assert draw_meander(value, window).squares == pytest.approx(value, rel=1e-12)
        assert printable_squares(np.array(value), window) == pytest.approx((value, value), rel=1e-12)
    assert below <= squares + 1e-6 * trace.step
    assert above >= min(squares, window.holds) - 1e-6 * trace.step
    assert above - below <= 1.5 * trace.step + 1e-6 * (1 + squares)


def test_beyond_its_ends_the_ends_are_printable() -> None:
    trace = Trace(width=120, space=120, reach=145, grid=15)
    window = Window(trace=trace, width=2400, legs=5)
    low, high = printable_squares(np.array([0.0, 1e9]), window)
    np.testing.assert_allclose(low, high)
    assert low.tolist() == pytest.approx([trace.shortest, window.holds])


def test_the_fewest_legs_that_do_are_drawn() -> None:
    trace = Trace(width=10, space=15, reach=12, grid=5)
    for legs in (1, 3, 5, 21):
        width = 300
        full = Window(trace=trace, width=width, legs=legs).holds
        assert legs_needed(trace, width, full) == legs
        assert legs_needed(trace, width, full + 1) == legs + 2
        assert width_needed(trace, legs, full) == width
        assert draw_meander(full, Window(trace=trace, width=width, legs=legs)).squares == pytest.approx(full)


def test_what_cannot_be_drawn_is_refused() -> None:
    trace = Trace(width=10, space=10, reach=12, grid=1)
    window = Window(trace=trace, width=trace.narrowest, legs=3)
    with pytest.raises(LayoutError, match="too short"):
        draw_meander(2.4, window)
    with pytest.raises(LayoutError, match="takes 11 legs in a window of 110 nm; it has room for 3"):
        draw_meander(100, window)
    with pytest.raises(LayoutError, match="must be at least 110 nm wide"):
        draw_meander(5, Window(trace=trace, width=50, legs=9))
    with pytest.raises(LayoutError, match="space must be at least the width"):
        Trace(width=10, space=9, reach=0, grid=1)
    assert math.isclose(trace.shortest, 2.5587, abs_tol=1e-4)
