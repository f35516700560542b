"""Memristor models against their published equations, written down here once more, and against ngspice."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from snn2circuit.analysis.memristors import (
    DeviceTrace,
    device_deck,
    integrate,
    pulses,
    read_disturb,
    simulate,
    write_and_verify,
)
from snn2circuit.devices.models import MODELS
from snn2circuit.errors import NetlistError
from snn2circuit.ir.circuit import Memristor
from snn2circuit.ir.formula import NUMERIC, SPICE, Text, power

sys.path.insert(0, str(Path(__file__).parents[1] / "simulate"))
from spice_grammar import NAME, NUMBER

Equation = Callable[[float, float], float]


@dataclass(frozen=True)
class Published:
    """``i(v, x)`` and ``dx/dt(v, x)`` as the papers print them, and a waveform under which the device moves."""

    current: Equation
    rate: Equation
    amplitude: float  # V
    period: float  # s
    initial: float
    series: float = 1.0


def vteam_rate(v: float, x: float) -> float:
    if v > 0.02:
        return 5e-4 * (v / 0.02 - 1) / 3e-9
    return -10.0 * (v / -0.2 - 1) ** 3 / 3e-9 if v < -0.2 else 0.0


def yakopcic_rate(v: float, x: float) -> float:
    drive = 0.0
    if v > 0.65:
        drive = 4000 * (math.exp(v) - math.exp(0.65))
    if v < -0.56:
        drive = -4000 * (math.exp(-v) - math.exp(0.56))
    window = 1.0
    if v >= 0 and x >= 0.3:
        window = math.exp(-(x - 0.3)) * ((0.3 - x) / 0.7 + 1)
    if v < 0 and x <= 0.5:
        window = math.exp(5 * (x + 0.5 - 1)) * x / 0.5
    return drive * window


def pku_current(v: float, x: float) -> float:
    gap = 1.7e-9 - 1.5e-9 * x
    return 1e-3 * math.exp(-gap / 2.5e-10) * math.sinh(v / 0.25)


def pku_rate(v: float, x: float) -> float:
    gap = 1.7e-9 - 1.5e-9 * x
    gamma = 16 - 0.8 * (gap / 1e-9) ** 3
    if gamma * abs(v) / 12e-9 < 1.4e9:
        return 0.0
    q, k = 1.602176634e-19, 1.380649e-23
    kelvin = 298 + abs(v * pku_current(v, x)) * 2100
    closing = 10 * math.exp(-q * 0.6 / (k * kelvin)) * math.sinh(gamma * 0.25e-9 / 12e-9 * q * v / (k * kelvin))
    return closing / 1.5e-9


def biolek_rate(v: float, x: float) -> float:
    i = v / (100 * x + 1000 * (1 - x))
    return 40e-15 * 100 / (16e-9) ** 2 * i * (1 - (x - (1 if -i >= 0 else 0)) ** 14)


PUBLISHED = {
    "linear": Published(lambda v, x: (1e-6 + 99e-6 * x) * v, lambda v, x: 0.0, 0.5, 1e-3, 0.4),
    "nonlinear": Published(
        lambda v, x: (1e-6 + 99e-6 * x) * 0.25 * math.sinh(v / 0.25), lambda v, x: 0.0, 0.5, 1e-3, 0.4
    ),
    "vteam": Published(lambda v, x: v / (50 + 950 * x), vteam_rate, 0.25, 2e-7, 0.5),
    "yakopcic": Published(lambda v, x: 0.17 * x * math.sinh(0.05 * v), yakopcic_rate, 0.9, 4e-3, 0.4),
    "stanford_pku": Published(pku_current, pku_rate, 1.8, 4e-7, 0.2, series=100.0),
    "biolek": Published(lambda v, x: v / (100 * x + 1000 * (1 - x)), biolek_rate, 1.0, 0.2, 0.4),
}


def triangle(case: Published) -> tuple[np.ndarray, np.ndarray]:
    quarter = case.period / 4
    return np.array([0, quarter, 3 * quarter, 4 * quarter]), case.amplitude * np.array([0.0, 1.0, -1.0, 0.0])


def run(name: str, how: Callable[..., DeviceTrace]) -> DeviceTrace:
    case = PUBLISHED[name]
    return how(MODELS[name], *triangle(case), initial=case.initial, series=case.series)


@pytest.mark.parametrize("name", MODELS)
def test_the_equations_are_the_published_ones(name: str) -> None:
    model, case = MODELS[name], PUBLISHED[name]
    rng = np.random.default_rng(1)
    for v, x in zip(rng.uniform(-1.5, 1.5, 400), rng.uniform(0.01, 0.99, 400), strict=True):
        assert float(model.current(v, x, NUMERIC)) == pytest.approx(case.current(v, x), rel=1e-6)
        assert float(model.rate(v, x, NUMERIC)) == pytest.approx(case.rate(v, x), rel=1e-5, abs=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_ngspice_moves_the_state_as_the_equations_do(name: str) -> None:
    case, deck = PUBLISHED[name], run(name, simulate)
    assert deck.state.min() >= -1e-6  # the simulator's own tolerance
    assert deck.state.max() <= 1 + 1e-6
    # The voltage that ngspice found across the device drives the published equations, solved by another method.
    reference = solve_ivp(
        lambda t, x: [case.rate(float(np.interp(t, deck.time, deck.voltage)), min(max(x[0], 0.0), 1.0))],
        (deck.time[0], deck.time[-1]), [case.initial], method="RK45", t_eval=deck.time, rtol=1e-7, atol=1e-9,
        max_step=case.period / 400,
    )  # fmt: skip
    np.testing.assert_allclose(deck.state, reference.y[0], atol=2e-3)
    current = [case.current(v, x) for v, x in zip(deck.voltage, deck.state, strict=True)]
    np.testing.assert_allclose(deck.current, current, atol=1e-4 * float(np.abs(current).max()))
    moved = float(np.ptp(deck.state))
    assert moved == pytest.approx(0, abs=1e-9) if name in ("linear", "nonlinear") else moved > 0.05


@pytest.mark.parametrize("name", MODELS)
def test_our_integration_agrees_with_ngspice(name: str) -> None:
    ours, deck = run(name, integrate), run(name, simulate)
    assert np.abs(np.interp(deck.time, ours.time, ours.state) - deck.state).max() < 2e-3


@pytest.mark.parametrize("name", ["vteam", "yakopcic", "biolek"])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_state_stays_in_its_range_however_long_it_is_pushed(name: str, sign: float) -> None:
    case = PUBLISHED[name]
    times, volts = pulses(np.full(3, sign * 2 * case.amplitude), 3 * case.period)
    trace = simulate(MODELS[name], times, volts, initial=0.5)
    assert trace.state.min() >= -1e-6  # the simulator's own tolerance
    assert trace.state.max() <= 1 + 1e-6
    assert min(abs(trace.state[-1]), abs(trace.state[-1] - 1)) < 0.05, "it was pushed to its end"


def test_reads_disturb_only_what_has_no_threshold() -> None:
    for name in ("vteam", "yakopcic", "stanford_pku"):
        v_read = 0.01 if name == "vteam" else 0.1
        assert read_disturb(MODELS[name], initial=0.4, v_read=v_read, width=1e-3, count=25).change < 1e-12
    biolek = read_disturb(MODELS["biolek"], initial=0.4, v_read=0.1, width=1e-3, count=25)
    # Small against the state, the drift is the rate times the time read.
    drift = biolek_rate(0.1, 0.4) * 25e-3 * 0.99
    assert biolek.change == pytest.approx(drift, rel=0.05)
    assert biolek.change > 1e-3


@pytest.mark.parametrize(
    ("name", "target", "options"),
    [
        ("yakopcic", 0.17 * 0.05 * 0.55, {"v_raise": 0.8, "v_lower": -0.7, "v_read": 0.1, "width": 1e-4}),
        ("biolek", 1 / 600, {"v_raise": 1.0, "v_lower": -1.0, "v_read": 0.05, "width": 2e-3}),
        ("vteam", 1 / 400, {"v_raise": -0.23, "v_lower": 0.1, "v_read": 0.01, "width": 2e-8}),
    ],
)
def test_write_and_verify_reaches_the_level_in_ngspice_too(name: str, target: float, options: dict[str, float]) -> None:
    model = MODELS[name]
    done = write_and_verify(model, target=target, initial=0.2 if name != "vteam" else 0.9, tolerance=0.02, **options)
    assert done.reached
    assert 1 < len(done.pulses) < 100
    assert len(done.conductances) == len(done.pulses) + 1
    deck = simulate(model, done.times, done.volts, initial=0.2 if name != "vteam" else 0.9, points=20 * len(done.times))
    reading = np.abs(deck.voltage) > 0.95 * options["v_read"]
    last = np.flatnonzero(reading)[-1]
    assert deck.current[last] / deck.voltage[last] == pytest.approx(target, rel=0.04)


def test_an_unreachable_level_is_not_claimed() -> None:
    done = write_and_verify(
        MODELS["linear"], target=5e-5, initial=0.1, v_raise=1.0, v_lower=-1.0, v_read=0.1, width=1e-3, attempts=5
    )
    assert not done.reached
    assert len(done.pulses) == 5


def test_the_deck_holds_portable_functions_only() -> None:
    import re

    for model in MODELS.values():
        deck = device_deck(model, np.array([0.0, 1.0]), np.array([0.0, 1.0]), initial=0.5)
        for line in deck.splitlines():
            if line.startswith("B"):
                expression = line.split("=", 1)[1]
                term = rf"(?:V\({NAME}\)|{NUMBER}|(?:u|min|max|exp|sinh|abs)(?=\()|[-+*/(),])"
                assert re.fullmatch(rf"{term}+", expression), line


def test_formulas_read_the_same_as_text_and_as_numbers() -> None:
    def formula(a: object, f: object) -> object:
        return (2 - power(a, 3)) / (a + 1.5) - f.most(-a, 0.25) * f.step(a) + 3 / (1 + a) - f.absolute(a - 7) / -2.0  # type: ignore[attr-defined,operator]

    text = str(formula(Text("a"), SPICE))
    names = {"max": max, "u": lambda y: float(y > 0), "abs": abs}
    for a in (-0.7, 0.3, 2.0):
        assert eval(text, {"a": a, **names}) == pytest.approx(float(formula(a, NUMERIC)))  # type: ignore[arg-type]  # noqa: S307


def test_a_state_outside_its_range_is_refused() -> None:
    with pytest.raises(NetlistError, match=r"initial state 1\.2; it must lie between 0 and 1"):
        Memristor(name="m", a="a", b="0", state="x", model=MODELS["vteam"], initial=1.2)
