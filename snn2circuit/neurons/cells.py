"""The cells that neuron circuits share: column front end, integrator, resets, spike latch.

Every neuron subcircuit has the ports :data:`NEURON_PORTS`. Logic levels are 0 V and 1 V.

*Column front end.* Two inverting transimpedance amplifiers hold both bit lines at virtual ground. The first turns the
negative line's current into ``-Rf·I_neg`` and pushes that through a second ``Rf`` into the positive line's virtual
ground, so the second amplifier sees ``I_pos - I_neg`` and gives ``V(x) = -Rf·(I_pos - I_neg)``. Bit lines at ground
are what makes a crossbar a sum of products: no current leaks from one word line into another. Both stages stand in any
op-amp text.

*Spike latch.* A comparator, then a master and a slave sample-and-hold. The master follows the comparator until the
slot's end; the slave copies it just after, so the spike stands still during the whole next slot. The hold capacitors
settle in 1/100 of a clock edge through 1 kΩ switches and droop through 1 TΩ by 1e-4 in a slot.
"""

from __future__ import annotations

import math

import numpy as np

from snn2circuit.ir.circuit import (
    GROUND,
    Block,
    Capacitor,
    Comparator,
    Element,
    GatedCurrent,
    GatedVoltage,
    Resistor,
    Switch,
    VoltageGain,
)
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.parts import Drive, Footprint
from snn2circuit.ir.timing import Timing

NEURON_PORTS = ("bit_pos", "bit_neg", "phi", "sample", "latch", "discharge", "mem", "spike")

PRINTED_CELL = Footprint(
    width_nm=2_000_000,
    height_nm=3_000_000,
    source="no source gives its size; room for a dual op-amp, a comparator and a latch mounted on the foil",
    confidence="assumed",
)

LOGIC_HIGH = 1.0  # V
OPEN_LOOP_GAIN = 1e8  # ideal: an error of about 1e-7 of the sum, below the simulator's own
SWITCH_OFF = 1e12  # ohm
LATCH_ON = 1e3  # ohm


def column_front_end(drive: Drive) -> Block:
    """Bit-line currents to the voltage at node ``x``: ``V(x) = -r_feedback · (I_pos - I_neg)``."""
    return Block(
        comment=f"front end: V(x) = -{drive.r_feedback:.6g} ohm * (I(bit_pos) - I(bit_neg)); "
        f"a weighted input of 1 gives -{drive.unit:.6g} V",
        elements=(
            VoltageGain(name="inverter", out="a", plus=GROUND, minus="bit_neg", gain=OPEN_LOOP_GAIN),
            Resistor(name="f_neg", a="bit_neg", b="a", ohms=drive.r_feedback),
            Resistor(name="f_sum", a="a", b="bit_pos", ohms=drive.r_feedback),
            VoltageGain(name="summer", out="x", plus=GROUND, minus="bit_pos", gain=OPEN_LOOP_GAIN),
            Resistor(name="f_pos", a="bit_pos", b="x", ohms=drive.r_feedback),
        ),
    )


def time_constant(decay: float, timing: Timing) -> float:
    """``RC`` of an integrator that keeps ``decay`` over a slot; infinite for 1, and for 0, which has no leak."""
    return -timing.slot / math.log(decay) if 0 < decay < 1 else math.inf


def integrator(node: str, decay: float, timing: Timing, capacitance: float) -> tuple[Element, ...]:
    """A capacitor on ``node`` that keeps ``decay`` of its charge over a slot.

    For ``0 < decay < 1`` a resistor leaks it, ``R = -T / (C ln decay)``; for 1 nothing does; for 0 a switch shorts it
    at the start of every slot, so that nothing of the last step survives.
    """
    parts: list[Element] = [Capacitor(name=node, a=node, b=GROUND, farads=capacitance)]
    tau = time_constant(decay, timing)
    if math.isfinite(tau):
        parts.append(Resistor(name=f"leak_{node}", a=node, b=GROUND, ohms=tau / capacitance))
    elif decay == 0:
        parts.append(
            Switch(
                name=f"leak_{node}",
                a=node,
                b=GROUND,
                control="discharge",
                threshold=LOGIC_HIGH / 2,
                r_on=discharge_on(timing, capacitance),
                r_off=SWITCH_OFF,
            )
        )
    return tuple(parts)


def clamp(nodes: tuple[str, ...], timing: Timing, capacitance: float) -> Block:
    """A spike shorts ``nodes`` for the whole next slot, so that the slot's input is lost with what was there."""
    return Block(
        comment="reset to zero: a spike shorts the state for the whole next slot",
        elements=tuple(
            Switch(
                name=f"clamp_{node}",
                a=node,
                b=GROUND,
                control="spike",
                threshold=LOGIC_HIGH / 2,
                r_on=discharge_on(timing, capacitance),
                r_off=SWITCH_OFF,
            )
            for node in nodes
        ),
    )


def subtract_reset(threshold: float, amplitude: float) -> Block:
    """A spike draws ``amplitude`` amperes from ``mem`` during the next drive pulse: ``threshold`` by the slot's end."""
    return Block(
        comment=f"reset by subtraction: a spike takes out {threshold:.9g} during the next slot",
        elements=(GatedCurrent(name="reset", out="mem", enable="spike", gate="phi", amplitude=amplitude),),
    )


def single_pole_bound(low: Floats, high: Floats, decay: float, dip: float) -> Floats:
    """Largest ``|U|`` of ``U' = decay·U + I - reset`` for ``I`` in ``[low, high]``: the series of the extreme drive.

    Upwards a reset only helps. Downwards a reset by subtraction starts above the threshold and lands no lower than one
    drive below ``-dip``, ``dip = (1 - decay)·threshold``; other resets have ``dip`` 0. Infinite for ``decay`` 1.
    """
    if decay >= 1:
        return np.full(np.shape(high), np.inf)
    upper = np.maximum(high, 0) / (1 - decay)
    fall = np.maximum(-low, 0)
    return np.maximum(upper, np.maximum(fall / (1 - decay), fall + dip if dip else 0.0))


def discharge_on(timing: Timing, capacitance: float) -> float:
    """On-resistance, in ohm, that empties ``capacitance`` to ``exp(-40)`` within the discharge pulse."""
    return timing.discharge.width / (40 * capacitance)


def discharge_switch(node: str, timing: Timing, capacitance: float) -> Block:
    """A spike shorts ``node`` between the latch and the drive pulse, so that the slot's input survives."""
    return Block(
        comment="reset to zero: a spike shorts the membrane before the drive pulse",
        elements=(
            GatedVoltage(name="clear", out="clear", enable="spike", gate="discharge", amplitude=LOGIC_HIGH),
            Switch(
                name="clear", a=node, b=GROUND, control="clear", threshold=LOGIC_HIGH / 2,
                r_on=discharge_on(timing, capacitance), r_off=SWITCH_OFF,
            ),
        ),
    )  # fmt: skip


def spike_latch(threshold: float, timing: Timing) -> Block:
    """Comparator of ``mem`` with ``threshold`` volts, sampled at the slot's end and held at ``spike`` for the next."""
    hold = timing.edge / (100 * LATCH_ON)
    half = LOGIC_HIGH / 2
    return Block(
        comment=f"spike: V(mem) > {threshold:.6g} V at the end of the slot, held through the next",
        elements=(
            Comparator(name="above", out="above", plus="mem", threshold=threshold, high=LOGIC_HIGH),
            Switch(
                name="master", a="above", b="held", control="sample", threshold=half, r_on=LATCH_ON, r_off=SWITCH_OFF
            ),
            Capacitor(name="master", a="held", b=GROUND, farads=hold),
            Comparator(name="buffer", out="buffered", plus="held", threshold=half, high=LOGIC_HIGH),
            Switch(
                name="slave", a="buffered", b="spike", control="latch", threshold=half, r_on=LATCH_ON, r_off=SWITCH_OFF
            ),
            Capacitor(name="slave", a="spike", b=GROUND, farads=hold),
        ),
    )
