r"""Neurons from op-amps, resistors, capacitors and switches only: the family for printing and for a breadboard.

No controlled source is left. A state is the output of an inverting integrator: its capacitor and leak resistor lie
between the op-amp's output and its virtual ground, and everything that charges it is a resistor into that virtual
ground. The column's voltage ``V(x) = -unit·I`` through ``1/siemens`` therefore charges the state as the transconductor
``siemens`` of the other family does, and the sizing equations stay the same; only signs are made by inverters.

*Reset by subtraction*: a switch that the spike closes lets the drive clock (1 V) through ``R = 1 V / amplitude``.
*Reset to zero*: switches across the integrator's capacitor, in series where two conditions must hold.
*Gate*: a switch closed while the clock is above half its height, so a rectangle from mid-edge to mid-edge.

Sensitivity. With a gain ``A`` instead of an infinite one the virtual ground stands at ``-V/A``, and the sum of currents
into it gives::

    V·[(1/R + sC)(1 + 1/A) + G/A] = -Σ V_k G_k        G = Σ G_k, of every resistor into the virtual ground

so the leak grows by ``1 + R·G/(A+1)`` against the capacitor: the decay of a slot becomes ``decay^(1 + R·G/(A+1))``, and
a membrane that has settled errs by about ``R·G/A · decay·ln(1/decay)/(1 - decay)`` of itself. ``1 + R·G`` is the noise
gain; it also multiplies the op-amp's offset. The input's resistor is part of ``G`` and not the crossbar's, because the
front end stands between them: an integrator right on the bit line would save an op-amp and have ``R·(ΣG_crossbar +
1/R_f)``. The current-source family has no such error, its leak is a resistor to ground.
"""

from __future__ import annotations

import itertools
import math
from typing import ClassVar

from snn2circuit.errors import NetlistError
from snn2circuit.ir.circuit import GROUND, Block, Capacitor, Element, Resistor, Switch
from snn2circuit.ir.parts import Drive, value_of
from snn2circuit.ir.timing import Timing
from snn2circuit.neurons.cells import LATCH_ON, LOGIC_HIGH, SWITCH_OFF, amplifier, time_constant
from snn2circuit.neurons.vccs import discharge_on

UNITY_OHMS = 100e3  # ohm, of inverters and difference amplifiers


class OpAmps:
    """States at the outputs of inverting integrators."""

    name: ClassVar[str] = "opamp"

    def __init__(self, drive: Drive, capacitance: float) -> None:
        self.drive, self.timing, self.capacitance = drive, drive.timing, capacitance
        self.gate_on = value_of(drive.electronics.r_on, LATCH_ON)

    def charge(self, name: str, node: str, siemens: float) -> tuple[Element, ...]:
        """Charges ``node`` with ``-siemens · V(x)``."""
        return (Resistor(name=name, a="x", b=f"sum_{node}", ohms=1 / siemens),)

    def couple(self, name: str, source: str, node: str, siemens: float) -> tuple[Element, ...]:
        """Charges ``node`` with ``siemens · V(source)`` while the drive clock is high: an inverter and a switch."""
        return (
            Resistor(name=f"{name}_in", a=source, b=f"{name}_sum", ohms=UNITY_OHMS),
            Resistor(name=f"{name}_back", a=f"{name}_sum", b=f"{name}_inv", ohms=UNITY_OHMS),
            amplifier(f"{name}_inv", f"{name}_inv", f"{name}_sum", self.drive.electronics),
            self._switch(f"{name}_gate", f"{name}_inv", f"{name}_gated", "phi", self.gate_on),
            Resistor(name=name, a=f"{name}_gated", b=f"sum_{node}", ohms=self._behind_switch(1 / siemens)),
        )

    @staticmethod
    def window(timing: Timing) -> tuple[tuple[float, float, float, float], ...]:
        """The gate of :meth:`couple`, linear pieces ``(start, end, level at start, level at end)``: a rectangle."""
        a, b, c, d = timing.corners
        corners = ((a + b) / 2, b, c, (c + d) / 2)  # apart at the drive pulse's corners, where states have kinks
        return tuple((start, end, 1.0, 1.0) for start, end in itertools.pairwise(corners))

    def integrator(self, node: str, decay: float) -> tuple[Element, ...]:
        """An op-amp whose output ``node`` keeps ``decay`` of itself over a slot.

        For ``0 < decay < 1`` a resistor bridges the capacitor, ``R = -T / (C ln decay)``; for 1 nothing does; for 0 a
        switch shorts it at the start of every slot.
        """
        parts: list[Element] = [
            amplifier(f"int_{node}", node, f"sum_{node}", self.drive.electronics),
            Capacitor(name=node, a=f"sum_{node}", b=node, farads=self.capacitance),
        ]
        tau = time_constant(decay, self.timing)
        if math.isfinite(tau):
            parts.append(Resistor(name=f"leak_{node}", a=f"sum_{node}", b=node, ohms=tau / self.capacitance))
        elif decay == 0:
            parts.append(self._switch(f"leak_{node}", f"sum_{node}", node, "discharge", self._short_on(1)))
        return tuple(parts)

    def difference(self, name: str, plus: str, minus: str, gain: float) -> tuple[Element, ...]:
        """``V(name) = gain · (V(plus) - V(minus))``: the textbook difference amplifier of four resistors."""
        return (
            Resistor(name=f"{name}_minus", a=minus, b=f"{name}_sum", ohms=UNITY_OHMS),
            Resistor(name=f"{name}_back", a=f"{name}_sum", b=name, ohms=gain * UNITY_OHMS),
            Resistor(name=f"{name}_plus", a=plus, b=f"{name}_ref", ohms=UNITY_OHMS),
            Resistor(name=f"{name}_ref", a=f"{name}_ref", b=GROUND, ohms=gain * UNITY_OHMS),
            amplifier(name, name, f"{name}_sum", self.drive.electronics, plus=f"{name}_ref"),
        )

    def subtract(self, threshold: float, amplitude: float) -> Block:
        """A spike takes ``amplitude`` amperes from ``mem`` during the next drive pulse: ``threshold`` at its end."""
        return Block(
            comment=f"reset by subtraction: a spike takes out {threshold:.9g} during the next slot",
            elements=(
                self._switch("reset", "phi", "take", "spike", self.gate_on),
                Resistor(name="reset", a="take", b="sum_mem", ohms=self._behind_switch(LOGIC_HIGH / amplitude)),
            ),
        )

    def clamp(self, nodes: tuple[str, ...]) -> Block:
        """A spike shorts ``nodes`` for the whole next slot, so that the slot's input is lost with what was there."""
        return Block(
            comment="reset to zero: a spike shorts the state for the whole next slot",
            elements=tuple(
                self._switch(f"clamp_{node}", f"sum_{node}", node, "spike", self._short_on(1)) for node in nodes
            ),
        )

    def discharge(self, node: str) -> Block:
        """A spike shorts ``node`` between the latch and the drive pulse, so that the slot's input survives."""
        return Block(
            comment="reset to zero: a spike shorts the membrane before the drive pulse",
            elements=(
                self._switch("clear", f"sum_{node}", "clear", "spike", self._short_on(2)),
                self._switch("when", "clear", node, "discharge", self._short_on(2)),
            ),
        )

    def _short_on(self, in_series: int) -> float:
        ideal = discharge_on(self.timing, self.capacitance) / in_series
        return value_of(self.drive.electronics.r_on, ideal)

    def _switch(self, name: str, a: str, b: str, control: str, r_on: float) -> Switch:
        r_off = value_of(self.drive.electronics.r_off, SWITCH_OFF)
        return Switch(name=name, a=a, b=b, control=control, threshold=LOGIC_HIGH / 2, r_on=r_on, r_off=r_off)

    def _behind_switch(self, ohms: float) -> float:
        """The resistor that makes ``ohms`` together with the switch in front of it."""
        if ohms <= self.gate_on:
            raise NetlistError(
                f"a closed switch has {self.gate_on:.4g} ohm where the neuron needs {ohms:.4g} ohm in all; "
                "choose a smaller capacitance or a better switch"
            )
        return ohms - self.gate_on
