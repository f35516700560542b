"""The leaky neuron: its update, its bound, and a cell whose parts obey the differential equation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from snn2circuit.errors import NetworkError
from snn2circuit.ir.circuit import (
    Comparator,
    Element,
    GatedCurrent,
    Resistor,
    Subcircuit,
    Switch,
    Transconductance,
)
from snn2circuit.ir.parts import Drive
from snn2circuit.ir.timing import Timing
from snn2circuit.neurons.leaky import Leaky

DRIVE = Drive(timing=Timing(slot=1e-3), v_read=0.1, siemens_per_unit=2e-5, r_feedback=5e3, volts_per_unit=0.08)


def elements(cell: Subcircuit) -> dict[tuple[type, str], Element]:
    return {(type(each), each.name): each for block in cell.blocks for each in block.elements}


def phi(timing: Timing, t: float) -> float:
    a, b, c, d = timing.corners
    return float(np.interp(t, [a, b, c, d], [0, 1, 1, 0]))


@pytest.mark.parametrize("beta", [0.05, 0.5, 0.9, 0.999, 1.0])
@pytest.mark.parametrize("slot", [1e-5, 1e-3])
def test_a_slot_of_the_cell_integrates_to_the_update(beta: float, slot: float) -> None:
    """Solve C dV/dt = gm x - V/R - i_reset with the cell's own values; the slot ends at beta U + I - threshold."""
    neuron = Leaky(beta=beta, threshold=1.5)
    timing = Timing(slot=slot)
    drive = Drive(timing=timing, v_read=0.1, siemens_per_unit=2e-5, r_feedback=5e3, volts_per_unit=0.08)
    parts = elements(neuron.cell("cell", drive))
    gm = parts[Transconductance, "in"].siemens
    leak = 1 / parts[Resistor, "leak_mem"].ohms if beta < 1 else 0.0
    reset = parts[GatedCurrent, "reset"].amplitude
    start, current = 0.7, 1.25
    x = -drive.unit * current

    def slope(t: float, v: list[float]) -> list[float]:
        return [(gm * (0 - x * phi(timing, t)) - leak * v[0] - reset * phi(timing, t)) / neuron.capacitance]

    solved = solve_ivp(slope, (0, slot), [start * drive.volts_per_unit], max_step=slot / 400, rtol=1e-10, atol=1e-14)
    expected = neuron.beta * start + current - neuron.threshold
    assert solved.y[0, -1] / drive.volts_per_unit == pytest.approx(expected, abs=2e-6)


def test_the_comparator_stands_at_the_threshold() -> None:
    parts = elements(Leaky(threshold=2.5).cell("cell", DRIVE))
    assert parts[Comparator, "above"].threshold == pytest.approx(2.5 * 0.08)


def test_each_reset_has_its_own_parts_and_no_others() -> None:
    kinds = {
        reset: set(elements(Leaky(reset_mechanism=reset).cell("cell", DRIVE))) for reset in ("subtract", "zero", "none")
    }
    assert (GatedCurrent, "reset") in kinds["subtract"] - kinds["zero"] - kinds["none"]
    assert (Switch, "clear") in kinds["zero"] - kinds["subtract"] - kinds["none"]
    assert kinds["none"] == kinds["subtract"] & kinds["zero"]


def test_the_discharge_empties_the_capacitor_and_ends_before_the_drive() -> None:
    timing = Timing(slot=2e-3)
    pulse = timing.discharge
    assert pulse.delay > timing.latched
    assert pulse.delay + pulse.rise + pulse.width + pulse.fall < timing.corners[0]
    switch = elements(
        Leaky(beta=0.0, reset_mechanism="none").cell(
            "cell", Drive(timing=timing, v_read=0.1, siemens_per_unit=2e-5, r_feedback=5e3, volts_per_unit=0.08)
        )
    )[Switch, "leak_mem"]
    assert math.exp(-pulse.width / (switch.r_on * Leaky().capacitance)) < 1e-15


@settings(max_examples=200, deadline=None)
@given(
    beta=st.floats(0, 0.99), threshold=st.floats(0.05, 5), reset=st.sampled_from(["subtract", "zero", "none"]),
    low=st.floats(-3, 3), width=st.floats(0, 4), seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_no_membrane_exceeds_the_bound(
    beta: float, threshold: float, reset: str, low: float, width: float, seed: int
) -> None:
    neuron = Leaky(beta=beta, threshold=threshold, reset_mechanism=reset)
    rng = np.random.default_rng(seed)
    # Extremes and mixtures: the worst case alternates between the ends.
    choice = rng.choice([0.0, 1.0, rng.random()], size=(200, 8))
    bound = float(neuron.bound(np.array(low), np.array(low + width)))
    state = neuron.start((8,))
    for step in range(200):
        state = neuron.advance(state, low + width * choice[step])
        assert np.abs(state[0]).max() <= bound * (1 + 1e-9) + 1e-12


def test_the_bound_is_reached() -> None:
    neuron = Leaky(beta=0.9, reset_mechanism="none")
    state = neuron.start((1,))
    for _ in range(400):
        state = neuron.advance(state, np.array([-0.3]))
    assert float(neuron.bound(np.array(-0.3), np.array(0.2))) == pytest.approx(float(-state[0][0]), rel=1e-6)
    assert math.isinf(float(Leaky(beta=1.0).bound(np.array(0.0), np.array(1.0))))


def test_parameters_are_the_float32_that_snntorch_uses() -> None:
    assert Leaky(beta=0.95).beta == float(np.float32(0.95)) != 0.95
    assert Leaky(threshold=0.3).threshold == float(np.float32(0.3))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"beta": 1.2}, "0 <= beta <= 1"),
        ({"beta": math.nan}, "0 <= beta <= 1"),
        ({"threshold": 0.0}, "above 0"),
        ({"threshold": math.inf}, "above 0"),
        ({"reset_mechanism": "half"}, "subtract, zero, none"),
        ({"capacitance": -1e-9}, "above 0"),
    ],
)
def test_impossible_parameters_are_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(NetworkError, match=says):
        Leaky(**change)
