"""What pulses do to a device: its equations integrated, the same device in ngspice, read disturb, write-and-verify.

A waveform is a piecewise-linear voltage across the device and a resistor in series with it, which stands for the
access device that real arrays have and limits the current. :func:`integrate` solves the model's equations with SciPy,
:func:`simulate` runs the same device as a deck; the tests hold one against the other.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from snn2circuit.errors import SimulationError
from snn2circuit.ir.circuit import Block, Memristor, PiecewiseSource, Resistor
from snn2circuit.ir.formula import NUMERIC
from snn2circuit.ir.memristor import MemristorModel, bounded
from snn2circuit.ir.noun import Floats
from snn2circuit.netlist.dialects.elements import block_lines
from snn2circuit.simulate.deck import CheckedDeck
from snn2circuit.simulate.jobs import Job, run_jobs
from snn2circuit.units import spice

EDGE_SHARE = 0.01  # rise and fall of a pulse, as a share of its width
FIRST, STRONGER, WEAKER = 0.7, 1.03, 0.95  # write-and-verify: first pulse, and how the next follows from the last


@dataclass(frozen=True, kw_only=True, eq=False)
class DeviceTrace:
    """A device under a waveform."""

    time: Floats  # (points,), s
    voltage: Floats  # (points,), V across the device
    current: Floats  # (points,), A
    state: Floats  # (points,), 0 to 1


@dataclass(frozen=True, kw_only=True)
class Disturb:
    """What a train of reads does to a state."""

    before: float
    after: float
    pulses: int

    @property
    def change(self) -> float:
        """Largest part of the state's range that the reads have moved it by."""
        return abs(self.after - self.before)


@dataclass(frozen=True, kw_only=True, eq=False)
class Programming:
    """A write-and-verify run: every pulse, and what was read after it."""

    pulses: Floats  # (pulses,), V
    conductances: Floats  # (pulses + 1,), S, read before the first and after every pulse
    target: float  # S
    reached: bool
    times: Floats  # (points,), s, waveform of the pulses and the reads between them
    volts: Floats  # (points,), V


def pulses(amplitudes: Floats, width: float) -> tuple[Floats, Floats]:
    """Corner points ``(times, volts)`` of pulses of the given heights and of ``width`` s, with pauses as long."""
    edge = EDGE_SHARE * width
    starts = (2 * np.arange(len(amplitudes)) + 1) * width
    times = (starts[:, None] + np.array([0.0, edge, width - edge, width])).ravel()
    volts = (np.asarray(amplitudes, dtype=float)[:, None] * np.array([0.0, 1.0, 1.0, 0.0])).ravel()
    end = [times[-1] + width] if len(amplitudes) else [width]
    return np.concatenate([[0.0], times, end]), np.concatenate([[0.0], volts, [0.0]])


def integrate(
    model: MemristorModel, times: Floats, volts: Floats, *, initial: float, series: float = 1.0, points: int = 2000
) -> DeviceTrace:
    """Solve the model's equations under a waveform; ``series`` ohm stand between source and device.

    Raises:
        SimulationError: the solver gave up.
    """
    from scipy.integrate import solve_ivp
    from scipy.optimize import brentq

    def across(source: float, x: float) -> float:
        """Voltage left for the device: ``v + series · i(v, x) = source``; the current grows with the voltage."""
        if source == 0:
            return 0.0
        low, high = min(source, 0.0), max(source, 0.0)
        return float(brentq(lambda v: v + series * float(model.current(v, x, NUMERIC)) - source, low, high, xtol=1e-15))

    def rate(t: float, state: Floats) -> list[float]:
        x = float(np.clip(state[0], 0.0, 1.0))
        return [float(bounded(model, across(float(np.interp(t, times, volts)), x), x, NUMERIC))]

    wanted = np.union1d(np.linspace(times[0], times[-1], points), times)
    state = np.empty(len(wanted))
    state[0] = initial
    # From corner to corner, so that no step reaches across one.
    for start, end in itertools.pairwise(times):
        inside = (wanted >= start) & (wanted <= end)
        begin = state[int(np.argmax(inside))]
        solved = solve_ivp(
            rate, (start, end), [begin], method="LSODA", t_eval=wanted[inside], rtol=1e-8, atol=1e-10,
            max_step=(end - start) / 10,
        )  # fmt: skip
        if not solved.success:
            raise SimulationError(f"{model.kind}: the equations cannot be integrated: {solved.message}")
        state[inside] = np.clip(solved.y[0], 0.0, 1.0)
    source = np.interp(wanted, times, volts)
    voltage = np.array([across(float(v), float(x)) for v, x in zip(source, state, strict=True)])
    current = np.array([float(model.current(v, x, NUMERIC)) for v, x in zip(voltage, state, strict=True)])
    return DeviceTrace(time=wanted, voltage=voltage, current=current, state=state)


def simulate(
    model: MemristorModel, times: Floats, volts: Floats, *, initial: float, series: float = 1.0, points: int = 2000
) -> DeviceTrace:
    """The same in ngspice, with at least ``points`` time points; the current is what the series resistor carries.

    Raises:
        SimulationError: ngspice gave no result.
    """
    text = device_deck(model, times, volts, initial=initial, series=series, points=points)
    stop = float(times[-1])
    job = Job(deck=CheckedDeck(text, name=model.kind), nodes=("source", "device", "state"), stop=stop)
    result = run_jobs([job], workers=1, time_limit=120.0)[0]
    source, device, state = result.traces
    return DeviceTrace(time=result.time, voltage=device, current=(source - device) / series, state=state)


def device_deck(
    model: MemristorModel, times: Floats, volts: Floats, *, initial: float, series: float = 1.0, points: int = 2000
) -> str:
    """A deck of one device under a waveform, for any SPICE that reads the portable subset."""
    block = Block(
        comment=f"{model.kind}: the state is the voltage of node state, from 0 to 1",
        elements=(
            PiecewiseSource(name="source", out="source", times=times, volts=volts),
            Resistor(name="series", a="source", b="device", ohms=series),
            Memristor(name="device", a="device", b="0", state="state", model=model, initial=initial),
        ),
    )
    stop, step = spice(float(times[-1])), spice(float(times[-1]) / points)
    lines = [
        f"* {model.kind} under a waveform",
        *block_lines((block,)),
        "",
        ".options reltol=1e-06 abstol=1e-12 vntol=1e-9",
        f".tran {step} {stop} 0 {step} uic",
        ".save v(source) v(device) v(state)",
        ".end",
    ]
    return "\n".join(lines) + "\n"


def read_disturb(
    model: MemristorModel, *, initial: float, v_read: float, width: float, count: int, series: float = 1.0
) -> Disturb:
    """What ``count`` read pulses of ``v_read`` V and ``width`` s do to a state."""
    times, volts = pulses(np.full(count, v_read), width)
    trace = integrate(model, times, volts, initial=initial, series=series, points=10)
    return Disturb(before=initial, after=float(trace.state[-1]), pulses=count)


def write_and_verify(
    model: MemristorModel,
    *,
    target: float,
    initial: float,
    v_raise: float,
    v_lower: float,
    v_read: float,
    width: float,
    tolerance: float = 0.02,
    attempts: int = 100,
    series: float = 1.0,
) -> Programming:
    """Pulse a device until its conductance at ``v_read`` lies within ``tolerance`` of ``target``, reading in between.

    Pulses towards ``v_raise`` raise the conductance, towards ``v_lower`` lower it; either begins at :data:`FIRST` of
    that voltage. One that leaves most of the way undone makes the next of its kind stronger, one that jumps over the
    target makes it weaker. The reads are part of the waveform, so that what they disturb is corrected as well.

    Args:
        model: the device.
        target: conductance, S.
        initial: state before the first pulse.
        v_raise: strongest pulse allowed that raises the conductance, V, with its sign.
        v_lower: strongest pulse allowed that lowers it, V, with its sign.
        v_read: read voltage, V.
        width: of every pulse, s.
        tolerance: relative.
        attempts: pulses at most.
        series: ohm between source and device.
    """
    x, reads = initial, [_conductance(model, v_read, initial)]
    heights: list[float] = []
    limits = {True: v_raise, False: v_lower}
    strength = dict.fromkeys(limits, FIRST)
    while abs(reads[-1] / target - 1) > tolerance and len(heights) < attempts:
        up, missing = reads[-1] < target, target - reads[-1]
        heights.append(strength[up] * limits[up])
        times, volts = pulses(np.array([heights[-1], v_read]), width)
        x = float(integrate(model, times, volts, initial=x, series=series, points=10).state[-1])
        reads.append(_conductance(model, v_read, x))
        done = (reads[-1] - reads[-2]) / missing
        strength[up] = min(1.0, strength[up] * (STRONGER if done < 0.25 else WEAKER if done > 1 else 1.0))
    train = np.column_stack([heights, np.full(len(heights), v_read)]).ravel() if heights else np.empty(0)
    times, volts = pulses(train, width)
    return Programming(
        pulses=np.array(heights),
        conductances=np.array(reads),
        target=target,
        reached=bool(abs(reads[-1] / target - 1) <= tolerance),
        times=times,
        volts=volts,
    )


def _conductance(model: MemristorModel, v_read: float, x: float) -> float:
    return float(model.current(v_read, x, NUMERIC)) / v_read
