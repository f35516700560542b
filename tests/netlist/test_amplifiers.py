"""Real op-amps and comparators as ngspice runs them, against the closed forms of their equations."""

from __future__ import annotations

import math

import numpy as np
import pytest

from snn2circuit.errors import NetlistError
from snn2circuit.ir.circuit import (
    GROUND,
    Amplifier,
    Block,
    Circuit,
    Comparator,
    Element,
    PiecewiseSource,
    Readout,
    Resistor,
    Transient,
)
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.timing import Timing
from snn2circuit.netlist import DIALECTS
from snn2circuit.simulate.deck import CheckedDeck
from snn2circuit.simulate.jobs import Job, run_jobs

STOP = 100e-6  # s
STEP = PiecewiseSource(name="in", out="in", times=np.array([0, 10e-6, 10.001e-6]), volts=np.array([0, 0, 1.0]))


def run(*elements: Element, node: str = "out", source: PiecewiseSource = STEP) -> tuple[Floats, Floats]:
    """Voltage of ``node`` over time, with ``source`` at the node ``in``."""
    readout = Readout(timing=Timing(), steps=1, membranes=((node,),), spikes=(("in",),), volts_per_unit=(1.0,))
    circuit = Circuit(
        title="one part",
        subcircuits=(),
        network=(),
        stimulus=(Block(comment="all", elements=(source, *elements)),),
        transient=Transient(stop=STOP, max_step=0.1e-6, reltol=1e-5),
        readout=readout,
    )
    text = DIALECTS["ngspice"].deck(circuit, ())
    (result,) = run_jobs([Job(deck=CheckedDeck(text, name="part"), nodes=(node,), stop=STOP)], workers=1, time_limit=60)
    return result.time, result.traces[0]


def inverter(**part: float) -> tuple[Element, ...]:
    """An inverting amplifier of gain 4: ``noise gain`` 5."""
    return (
        Resistor(name="in", a="in", b="minus", ohms=1e3),
        Resistor(name="back", a="minus", b="out", ohms=4e3),
        Amplifier(name="amp", out="out", plus=GROUND, minus="minus", **part),
    )


def at(times: Floats, trace: Floats, when: float) -> float:
    return float(np.interp(when, times, trace))


@pytest.mark.parametrize("gain", [20.0, 1e3, 1e5, 1e8])
def test_a_finite_gain_loses_its_share(gain: float) -> None:
    assert at(*run(*inverter(gain=gain)), 50e-6) == pytest.approx(-4 / (1 + 5 / gain), rel=1e-7)


@pytest.mark.parametrize(("gain", "bandwidth"), [(1e5, 1e6), (100.0, 1e5)])
def test_the_pole_settles_as_its_time_constant_says(gain: float, bandwidth: float) -> None:
    times, trace = run(*inverter(gain=gain, bandwidth=bandwidth))
    tau = gain / (2 * math.pi * bandwidth) / (1 + gain / 5)
    for when in (0.5, 1, 2, 5):
        expected = -4 / (1 + 5 / gain) * (1 - math.exp(-when))
        assert at(times, trace, 10.0005e-6 + when * tau) == pytest.approx(expected, abs=4e-3)


@pytest.mark.parametrize("bandwidth", [math.inf, 10e6])
@pytest.mark.parametrize("offset", [2e-3, -1e-3])
def test_an_offset_appears_times_the_noise_gain(offset: float, bandwidth: float) -> None:
    value = at(*run(*inverter(gain=1e6, bandwidth=bandwidth, offset=offset)), 9e-6)
    assert value == pytest.approx(5 * offset, rel=1e-4)


def test_the_output_stays_between_the_rails_and_leaves_them_at_once() -> None:
    back = PiecewiseSource(name="in", out="in", times=np.array([0, 40e-6, 41e-6]), volts=np.array([2.0, 2.0, 0.1]))
    times, trace = run(*inverter(gain=1e5, bandwidth=10e6, low=-2.5, high=2.4), source=back)
    assert at(times, trace, 39e-6) == pytest.approx(-2.5, abs=2e-3)
    assert at(times, trace, 43e-6) == pytest.approx(-0.4, abs=1e-3)


def test_one_rail_alone_is_enough() -> None:
    times, trace = run(*inverter(gain=1e5, bandwidth=10e6, low=-2.5))
    assert at(times, trace, 90e-6) == pytest.approx(-2.5, abs=2e-3)


def test_the_output_moves_no_faster_than_the_slew_rate() -> None:
    times, trace = run(*inverter(gain=1e5, bandwidth=10e6, slew=0.2e6))
    middle = at(times, trace, 16e-6) - at(times, trace, 12e-6)
    assert middle == pytest.approx(-0.8, rel=5e-3)  # the DC gain takes a little of the current
    assert at(times, trace, 90e-6) == pytest.approx(-4, rel=1e-3)


def test_an_output_resistance_divides_with_the_load() -> None:
    load = Resistor(name="load", a="out", b=GROUND, ohms=500.0)
    open_loop = Amplifier(name="amp", out="out", plus="in", minus=GROUND, gain=3.0, r_out=100.0)
    assert at(*run(open_loop, load), 50e-6) == pytest.approx(3 * 500 / 600)


@pytest.mark.parametrize(("threshold", "offset", "fires"), [(0.99, 0.0, 1), (0.99, 0.02, 0), (1.01, -0.02, 1)])
def test_a_comparator_with_offset_switches_there(threshold: float, offset: float, fires: int) -> None:
    part = Comparator(name="cmp", out="out", plus="in", threshold=threshold, high=2.0, offset=offset)
    assert at(*run(part), 50e-6) == 2.0 * fires


def test_a_threshold_may_be_below_0() -> None:
    part = Comparator(name="cmp", out="out", plus="in", threshold=0.1, high=1.0, offset=-0.2)
    assert at(*run(part), 5e-6) == 1.0


def test_a_comparator_answers_after_its_delay_and_swallows_shorter_pulses() -> None:
    part = Comparator(name="cmp", out="out", plus="in", threshold=0.5, high=1.0, delay=3e-6)
    times, trace = run(part)
    assert float(times[np.argmax(trace > 0.5)]) == pytest.approx(13e-6, abs=0.15e-6)
    blip = PiecewiseSource(
        name="in", out="in", times=np.array([0, 10e-6, 10.01e-6, 11e-6, 11.01e-6]), volts=np.array([0, 0, 1.0, 1.0, 0])
    )
    assert run(part, source=blip)[1].max() == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"gain": 0.0}, "must be above 0"),
        ({"gain": math.inf}, "must be above 0"),
        ({"bandwidth": -1.0}, "must be above 0"),
        ({"low": 1.0, "bandwidth": 1e6}, "rails around 0"),
        ({"r_out": math.nan}, "r_out not below 0"),
        ({"high": 2.5}, "give its bandwidth too"),
        ({"slew": 1e6}, "give its bandwidth too"),
    ],
)
def test_an_impossible_amplifier_is_refused(change: dict[str, float], says: str) -> None:
    with pytest.raises(NetlistError, match=says):
        Amplifier(**{"name": "amp", "out": "o", "plus": "p", "minus": "m", "gain": 1e5, **change})
