"""Clocks and input lines: everything that drives the network from outside.

An input that stays the same in every step is the drive clock times a constant, one controlled source; one that changes
is a piecewise-linear source that returns to zero in every slot. The bias line of layer ``l`` starts at slot ``l``,
when that layer's first step begins, so that no membrane is charged before its time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from snn2circuit.ir.circuit import (
    GROUND,
    Block,
    Element,
    NortonCrossbar,
    PiecewiseSource,
    PulseSource,
    Transconductance,
    VoltageGain,
)
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.timing import Pulse, Timing


def clock_block(timing: Timing) -> Block:
    """The four clocks that every neuron listens to, 0 V to 1 V."""
    return Block(
        name="clocks",
        comment="clocks: drive pulse, sample at the slot's end, latch just after, discharge before the drive pulse",
        elements=tuple(
            PulseSource(name=name, out=name, high=1.0, pulse=getattr(timing, name))
            for name in ("phi", "sample", "latch", "discharge")
        ),
    )


def bias_block(crossbar: CrossbarNetwork, first: int = 1) -> Block:
    """One line per layer with bias from layer ``first`` on, high in every slot from the layer's first."""
    phi = crossbar.timing.phi
    return Block(
        name="bias",
        comment="bias lines: an input of 1 in every step of their layer",
        elements=tuple(
            PulseSource(
                name=f"bias_l{number}",
                out=f"bias_l{number}",
                high=crossbar.v_read,
                pulse=Pulse(
                    delay=phi.delay + (number - 1) * crossbar.timing.slot,
                    rise=phi.rise, fall=phi.fall, width=phi.width, period=phi.period,
                ),
            )
            for number, layer in enumerate(crossbar.layers, start=1)
            if layer.has_bias and number >= first
        ),
    )  # fmt: skip


def input_block(crossbar: CrossbarNetwork, inputs: Floats) -> Block:
    """Word lines of the first layer for one sample ``(steps, inputs)``."""
    elements: list[Element] = []
    for row in range(inputs.shape[1]):
        name, values = f"wl_l1_r{row}", inputs[:, row] * crossbar.v_read
        if (values == values[0]).all():
            elements.append(VoltageGain(name=f"in_r{row}", out=name, plus="phi", minus=GROUND, gain=float(values[0])))
        else:
            times, volts = _return_to_zero(values, crossbar.timing)
            elements.append(PiecewiseSource(name=f"in_r{row}", out=name, times=times, volts=volts))
    return Block(
        name="inputs",
        comment=f"input lines: an input of 1 is {crossbar.v_read:g} V during the drive pulse",
        elements=tuple(elements),
    )


def column_block(crossbar: CrossbarNetwork, inputs: Floats, arrays: Sequence[NortonCrossbar]) -> Block:
    """What the first layer's reduced crossbars drive into its bit lines, for one sample ``(steps, inputs)``.

    Rows that stay the same in every step, the bias among them, add up to one current per bit line that the drive clock
    gates. The others add up to one that returns to zero in every slot, on a source of 1 V at the largest.
    """
    volts = {f"wl_l1_r{row}": inputs[:, row] * crossbar.v_read for row in range(inputs.shape[1])}
    volts["bias_l1"] = np.full(len(inputs), crossbar.v_read)
    elements: list[Element] = []
    for array in arrays:
        drive = np.stack([volts[line] for line in array.word_lines], axis=1)
        steady = (drive == drive[0]).all(axis=0)
        held, varying = drive[0, steady] @ array.transfer[steady], drive[:, ~steady] @ array.transfer[~steady]
        for column, bit in enumerate(array.bits):
            name = f"in_{array.name}_b{column}"
            if held[column]:
                elements.append(
                    Transconductance(name=name, out=bit, plus="phi", minus=GROUND, siemens=float(held[column]))
                )
            largest = float(np.abs(varying[:, column]).max())
            if largest:
                times, shape = _return_to_zero(varying[:, column] / largest, crossbar.timing)
                elements.append(PiecewiseSource(name=name, out=name, times=times, volts=shape))
                elements.append(
                    Transconductance(name=f"{name}_step", out=bit, plus=name, minus=GROUND, siemens=largest)
                )
    return Block(
        comment=f"first layer, reduced: currents into its bit lines; an input of 1 is {crossbar.v_read:g} V",
        elements=tuple(elements),
    )


def _return_to_zero(values: Floats, timing: Timing) -> tuple[Floats, Floats]:
    """Corner points of a pulse of each height in its slot, from 0 s."""
    starts = np.arange(len(values))[:, None] * timing.slot
    times = (starts + np.array(timing.corners)).ravel()
    volts = (values[:, None] * np.array([0.0, 1.0, 1.0, 0.0])).ravel()
    return np.concatenate([[0.0], times]), np.concatenate([[0.0], volts])
