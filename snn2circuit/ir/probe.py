"""Whether a neuron part acts as the module that stands for it elsewhere: both run on one drive, step beside step.

The drive is fixed. Its columns never, seldom, often and nearly always make a neuron spike; half of them change their
sign, and all pause for a while, so that a floor, a refractory time or a threshold of its own shows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from snn2circuit.ir.noun import Bools, Floats, noun
from snn2circuit.ir.parts import Neuron, PerNeuron, fires

STEPS = 120
_SCALES = (0.3, 0.7, 1.1, 2.3, 12.0)  # drives in thresholds
_PAUSE = slice(70, 90)
_TOLERANCE = 1e-6  # of the threshold or the membrane; rounding of beta or threshold to float32 stays far below


@noun
class Difference:
    """The first step in which part and module part ways."""

    step: int  # from 1
    drive: float  # of that step, dimensionless
    part: float  # membrane of the part
    module: float  # membrane of the module
    part_spikes: bool
    module_spikes: bool

    def __str__(self) -> str:
        words = {True: "a spike", False: "no spike"}
        return (
            f"in step {self.step} of a test drive, at input {self.drive:.6g}, its membrane is {self.part:.9g} with "
            f"{words[self.part_spikes]}, that of the module {self.module:.9g} with {words[self.module_spikes]}"
        )


def probe_drive(threshold: PerNeuron) -> Floats:
    """The drive ``(STEPS, columns, neurons)`` of neurons with these thresholds; one neuron if all are alike."""
    wave = np.sin(np.arange(1, STEPS + 1)[:, None] ** 1.5)
    wave = np.concatenate([(0.6 + 0.5 * wave) * _SCALES, wave * _SCALES], axis=1)
    wave[_PAUSE] = 0
    drive: Floats = wave[:, :, None] * np.atleast_1d(threshold)
    return drive


def first_difference(part: Neuron, drive: Floats, membranes: Floats, spikes: Bools) -> Difference | None:
    """Where ``part`` leaves the ``membranes`` and ``spikes`` that a module makes of ``drive``, all of one shape."""
    state: Any = part.start(drive.shape[1:])
    for step, (current, membrane, spike) in enumerate(zip(drive, membranes, spikes, strict=True)):
        state = part.advance(state, current)
        own = np.asarray(state[0])
        fired = fires(part, own)
        apart = np.abs(own - membrane) / np.maximum(part.threshold, np.abs(membrane))
        wrong = ~(apart <= _TOLERANCE) | (fired != spike)
        if wrong.any():
            at = tuple(np.argwhere(wrong)[0])
            return Difference(
                step=step + 1,
                drive=float(current[at]),
                part=float(own[at]),
                module=float(membrane[at]),
                part_spikes=bool(fired[at]),
                module_spikes=bool(spike[at]),
            )
    return None
