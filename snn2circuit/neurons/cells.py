"""The cells that neuron circuits share: column front end and spike latch.

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

from snn2circuit.errors import NetlistError
from snn2circuit.ir.circuit import (
    GROUND,
    Amplifier,
    Block,
    Capacitor,
    Comparator,
    Resistor,
    Switch,
)
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.parts import Drive, Electronics, Footprint, value_of
from snn2circuit.ir.per_neuron import Numbers
from snn2circuit.ir.timing import Timing

NEURON_PORTS = ("bit_pos", "bit_neg", "phi", "sample", "latch", "discharge", "mem", "spike")

PRINTED_CELL = Footprint(
    width_nm=2_000_000,
    height_nm=3_000_000,
    source="no source gives its size; room for a dual op-amp, a comparator and a latch mounted on the foil",
    confidence="assumed",
)

LOGIC_HIGH = 1.0  # V
OPEN_LOOP_GAIN = 1e10  # ideal: an error of about 1e-9 of the sum, below the margin of the closest of 27 million events
SWITCH_OFF = 1e12  # ohm
LATCH_ON = 1e3  # ohm


def amplifier(
    name: str, out: str, minus: str, electronics: Electronics, plus: str = GROUND, sign: int = 1
) -> Amplifier:
    """An op-amp of the kind the electronics name; ``sign`` is that of its offset."""
    return Amplifier(
        name=name,
        out=out,
        plus=plus,
        minus=minus,
        gain=value_of(electronics.gain, OPEN_LOOP_GAIN),
        bandwidth=value_of(electronics.bandwidth, math.inf),
        offset=sign * value_of(electronics.offset, 0.0),
        r_out=value_of(electronics.r_out, 0.0),
        low=value_of(electronics.v_low, -math.inf),
        high=value_of(electronics.v_high, math.inf),
        slew=value_of(electronics.slew, math.inf),
    )


def column_front_end(drive: Drive) -> Block:
    """Bit-line currents to the voltage at node ``x``: ``V(x) = -r_feedback · (I_pos - I_neg)``."""
    return Block(
        comment=f"front end: V(x) = -{drive.r_feedback:.6g} ohm * (I(bit_pos) - I(bit_neg)); "
        f"a weighted input of 1 gives -{drive.unit:.6g} V",
        elements=(
            amplifier("inverter", "a", "bit_neg", drive.electronics),
            Resistor(name="f_neg", a="bit_neg", b="a", ohms=drive.r_feedback),
            Resistor(name="f_sum", a="a", b="bit_pos", ohms=drive.r_feedback),
            # An offset lowers x here and in the inverter alike: both raise the membrane.
            amplifier("summer", "x", "bit_pos", drive.electronics, sign=-1),
            Resistor(name="f_pos", a="bit_pos", b="x", ohms=drive.r_feedback),
        ),
    )


def time_constant(decay: float, timing: Timing) -> float:
    """``RC`` of an integrator that keeps ``decay`` over a slot; infinite for 1, and for 0, which has no leak."""
    return -timing.slot / math.log(decay) if 0 < decay < 1 else math.inf


def single_pole_bound(low: Floats, high: Floats, decay: Numbers, dip: Numbers) -> Floats:
    """Largest ``|U|`` of ``U' = decay·U + I - reset`` for ``I`` in ``[low, high]``: the series of the extreme drive.

    Upwards a reset only helps. Downwards a reset by subtraction starts above the threshold and lands no lower than one
    drive below ``-dip``, ``dip = (1 - decay)·threshold``; other resets have ``dip`` 0. Infinite for ``decay`` 1.
    """
    fall = np.maximum(-low, 0)
    with np.errstate(divide="ignore", invalid="ignore"):  # a decay of 1
        extreme = np.maximum(np.maximum(high, 0) / (1 - decay), fall / (1 - decay))
    bound = np.maximum(extreme, np.where(np.not_equal(dip, 0), fall + dip, 0.0))
    return np.where(np.greater_equal(decay, 1), np.inf, bound)


def spike_latch(threshold: float, drive: Drive) -> Block:
    """Comparator of ``mem`` with ``threshold`` volts, sampled at the slot's end and held at ``spike`` for the next.

    Raises:
        NetlistError: the comparator or the gate is too slow for the slot.
    """
    timing, electronics = drive.timing, drive.electronics
    hold = timing.edge / (100 * LATCH_ON)
    r_on, r_off = value_of(electronics.r_on, LATCH_ON), value_of(electronics.r_off, SWITCH_OFF)
    slow, gate = value_of(electronics.comparator_delay, 0.0), value_of(electronics.gate_delay, 0.0)
    quiet = timing.slot - timing.corners[3]  # between the end of the drive pulse and the sample
    if slow > quiet / 2 or gate > timing.edge:
        raise NetlistError(
            f"{electronics.name}: a comparator of {slow:g} s and a gate of {gate:g} s are too slow for a slot of "
            f"{timing.slot:g} s, which leaves them {quiet / 2:g} s and {timing.edge:g} s; "
            "use a longer slot or faster parts"
        )
    half = LOGIC_HIGH / 2
    return Block(
        comment=f"spike: V(mem) > {threshold:.6g} V at the end of the slot, held through the next",
        elements=(
            Comparator(
                name="above", out="above", plus="mem", threshold=threshold, high=LOGIC_HIGH, delay=slow,
                offset=value_of(electronics.comparator_offset, 0.0),
            ),
            Switch(name="master", a="above", b="held", control="sample", threshold=half, r_on=r_on, r_off=r_off),
            Capacitor(name="master", a="held", b=GROUND, farads=hold),
            Comparator(
                name="buffer", out="buffered", plus="held", high=LOGIC_HIGH, delay=gate, logic=True,
                threshold=LOGIC_HIGH * value_of(electronics.gate_threshold, 0.5),
            ),
            Switch(name="slave", a="buffered", b="spike", control="latch", threshold=half, r_on=r_on, r_off=r_off),
            Capacitor(name="slave", a="spike", b=GROUND, farads=hold),
        ),
    )  # fmt: skip
