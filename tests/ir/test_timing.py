"""The slot's instants, and the closed form of what a drive pulse leaves on a leaky integrator."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from snn2circuit.errors import NetlistError
from snn2circuit.ir.timing import Pulse, Timing


def level(pulse: Pulse, time: float) -> float:
    """Height of a trapezoid pulse at ``time`` in its first period, from its definition."""
    corners = np.cumsum([pulse.delay, pulse.rise, pulse.width, pulse.fall])
    return float(np.interp(time, corners, [0.0, 1.0, 1.0, 0.0]))


def integrate(timing: Timing, tau: float) -> float:
    """``∫ phi(s) exp(-(T-s)/tau) ds`` by adaptive quadrature, scaled by the pulse's end so that nothing underflows."""
    pulse = timing.phi
    corners = np.cumsum([pulse.delay, pulse.rise, pulse.width, pulse.fall])
    end = corners[-1]
    cuts = [end - n * tau for n in (0.5, 2, 5, 12, 30, 60, 100)] if math.isfinite(tau) else []
    points = sorted({*corners, *(cut for cut in cuts if corners[0] < cut < end)})
    total = sum(
        quad(lambda s: level(pulse, s) * math.exp(-(end - s) / tau), low, high, epsabs=0, epsrel=1e-11, limit=200)[0]
        for low, high in pairwise(points)
    )
    return total * math.exp(-(timing.slot - end) / tau)


@pytest.mark.parametrize("slot", [1e-5, 1e-3, 1.0])
@pytest.mark.parametrize(
    "slots", [2e-3, 0.01, 0.05, 0.3, 1.0, 1.4427, 9.4912, 100.0, 1e3, pytest.param(math.inf, id="no leak")]
)
def test_charge_is_the_integral(slot: float, slots: float) -> None:
    timing = Timing(slot=slot)
    assert timing.charge(slots * slot) == pytest.approx(integrate(timing, slots * slot), rel=1e-9)


def test_charge_of_a_very_short_memory_is_the_integral() -> None:
    timing = Timing(slot=1.0)
    for slots in (1e-4, 3e-4, 1e-3):
        assert timing.charge(slots) == pytest.approx(integrate(timing, slots), rel=1e-8)


def test_charge_grows_with_memory_up_to_the_pulse_area() -> None:
    timing = Timing()
    charges = [timing.charge(slots * timing.slot) for slots in (0.02, 0.1, 1, 10, 100, 1e3, math.inf)]
    assert charges == sorted(charges)
    pulse = timing.phi
    assert charges[-1] == pytest.approx(pulse.width + pulse.rise, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(slot=st.floats(1e-5, 1.0), beta=st.floats(1e-6, 0.999999))
def test_charge_scales_with_the_slot(slot: float, beta: float) -> None:
    """Only tau/T matters: the ratio to the slot is the same for every slot length."""
    slots = -1 / math.log(beta)
    assert Timing(slot=slot).charge(slots * slot) / slot == pytest.approx(Timing(slot=1.0).charge(slots), rel=1e-8)


@settings(max_examples=60, deadline=None)
@given(slot=st.floats(1e-5, 1.0))
def test_instants_follow_each_other(slot: float) -> None:
    """Latch, discharge, drive and sample never overlap, within a slot and across its border."""
    timing = Timing(slot=slot)

    def span(pulse: Pulse) -> tuple[float, float]:
        return pulse.delay, pulse.delay + pulse.rise + pulse.width + pulse.fall

    latch, discharge, drive, sample = map(span, (timing.latch, timing.discharge, timing.phi, timing.sample))
    assert latch[0] >= sample[1]  # the master is cut off before the slave copies it
    assert latch[1] - slot <= timing.latched
    assert timing.latched <= discharge[0]
    assert discharge[1] <= drive[0]
    assert drive[1] <= sample[0]
    half_height = sample[1] - timing.sample.fall / 2
    assert half_height == pytest.approx(slot, rel=1e-12)
    assert {p.period for p in (timing.latch, timing.discharge, timing.phi, timing.sample)} == {slot}


def test_ends_are_pipelined() -> None:
    timing = Timing(slot=2e-3)
    assert timing.end(step=0, layer=0) == pytest.approx(2e-3)
    assert timing.end(step=3, layer=2) == pytest.approx(6 * 2e-3)
    assert timing.stop(steps=4, layers=3) == pytest.approx(6 * 2e-3 + 2e-5)


@pytest.mark.parametrize("slot", [0.0, -1e-3, math.nan, math.inf, 1e-12, 1e6])
def test_impossible_slots_are_refused(slot: float) -> None:
    with pytest.raises(NetlistError, match=r"slot is .* s; allowed are"):
        Timing(slot=slot)


@pytest.mark.parametrize("slots", [0.05, 0.7, 3.0, 1e3, math.inf])
def test_rise_ends_as_charge_and_is_the_integral_on_the_way(slots: float) -> None:
    timing = Timing(slot=2e-3)
    tau = slots * timing.slot
    assert timing.rise(tau, timing.slot) == pytest.approx(timing.charge(tau), rel=1e-9)
    a, b, c, d = timing.corners
    for s in (a / 2, (a + b) / 2, 0.5 * timing.slot, (c + d) / 2):
        steps = np.linspace(0, s, 400_001)
        pulse = np.interp(steps, [a, b, c, d], [0, 1, 1, 0])
        expected = np.trapezoid(pulse * np.exp(-(s - steps) / tau), steps)
        assert timing.rise(tau, s) == pytest.approx(expected, rel=1e-6, abs=1e-15)
