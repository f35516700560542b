"""Bring a memristor to a level with pulses and reads in between, and let ngspice confirm the whole waveform.

Also shown: the pinched loop of every model under a triangle, and what 25 reads do to its state.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from snn2circuit.analysis.memristors import Disturb, Programming, integrate, read_disturb, simulate, write_and_verify
from snn2circuit.analysis.plots import plot_programming
from snn2circuit.devices.models import MODELS

LEVEL = 4.7e-3  # S, about half of what the device spans


def main(out: Path = Path("out/write_and_verify")) -> tuple[Programming, float, dict[str, Disturb]]:
    """Returns the programming run, the conductance that ngspice reads at its end, and the disturb of each model."""
    model = MODELS["yakopcic"]
    done = write_and_verify(
        model, target=LEVEL, initial=0.2, v_raise=0.8, v_lower=-0.7, v_read=0.1, width=1e-4, tolerance=0.02
    )
    trace = simulate(model, done.times, done.volts, initial=0.2, points=20 * len(done.times))
    reading = np.flatnonzero(np.abs(trace.voltage) > 0.095)[-1]
    conductance = float(trace.current[reading] / trace.voltage[reading])
    triangle = np.array([0.0, 0.25, 0.75, 1.0]), np.array([0.0, 1.0, -1.0, 0.0])
    loop = integrate(model, triangle[0] * 4e-3, triangle[1] * 0.9, initial=0.2)
    plot_programming(done, trace, loop, out / "write_and_verify.png")
    disturb = {
        name: read_disturb(each, initial=0.4, v_read=0.01 if name == "vteam" else 0.1, width=1e-3, count=25)
        for name, each in MODELS.items()
    }
    return done, conductance, disturb


if __name__ == "__main__":
    programming, confirmed, moved = main()
    print(f"{len(programming.pulses)} pulses, target {LEVEL:g} S, ngspice reads {confirmed:.4g} S")
    for name, each in moved.items():
        print(f"{name}: 25 reads of 1 ms move the state by {each.change:.3g} of its range")
