"""Neurons from voltage-controlled current sources: the family with the least interaction between its parts.

A state is the voltage of a capacitor to ground. Transconductors charge it, a resistor leaks it, switches short it, a
gated current source takes the threshold out. Each part acts on its own: sizing one does not disturb another.
"""

from __future__ import annotations

import math
from typing import ClassVar

from snn2circuit.ir.circuit import (
    GROUND,
    Block,
    Capacitor,
    Element,
    GatedCurrent,
    GatedTransconductance,
    GatedVoltage,
    Resistor,
    Switch,
    Transconductance,
    VoltageGain,
)
from snn2circuit.ir.parts import Drive, value_of
from snn2circuit.ir.timing import Timing
from snn2circuit.neurons.cells import LOGIC_HIGH, SWITCH_OFF, time_constant


class CurrentSources:
    """States on capacitors to ground, charged by current sources."""

    name: ClassVar[str] = "vccs"

    def __init__(self, drive: Drive, capacitance: float) -> None:
        self.drive, self.timing, self.capacitance = drive, drive.timing, capacitance

    def charge(self, name: str, node: str, siemens: float) -> tuple[Element, ...]:
        """Charges ``node`` with ``-siemens · V(x)``."""
        source = Transconductance(name=name, out=node, plus=GROUND, minus="x", siemens=siemens)
        return (source, *self._output(name, node))

    def couple(self, name: str, source: str, node: str, siemens: float) -> tuple[Element, ...]:
        """Charges ``node`` with ``siemens · V(source)`` while the drive pulse is high."""
        gated = GatedTransconductance(name=name, out=node, control=source, gate="phi", siemens=siemens)
        return (gated, *self._output(name, node))

    @staticmethod
    def window(timing: Timing) -> tuple[tuple[float, float, float, float], ...]:
        """The gate of :meth:`couple`, linear pieces ``(start, end, level at start, level at end)``: the drive pulse."""
        a, b, c, d = timing.corners
        return (a, b, 0.0, 1.0), (b, c, 1.0, 1.0), (c, d, 1.0, 0.0)

    def integrator(self, node: str, decay: float) -> tuple[Element, ...]:
        """A capacitor on ``node`` that keeps ``decay`` of its charge over a slot.

        For ``0 < decay < 1`` a resistor leaks it, ``R = -T / (C ln decay)``; for 1 nothing does; for 0 a switch shorts
        it at the start of every slot, so that nothing of the last step survives.
        """
        parts: list[Element] = [Capacitor(name=node, a=node, b=GROUND, farads=self.capacitance)]
        tau = time_constant(decay, self.timing)
        if math.isfinite(tau):
            parts.append(Resistor(name=f"leak_{node}", a=node, b=GROUND, ohms=tau / self.capacitance))
        elif decay == 0:
            parts.append(self._short(f"leak_{node}", node, "discharge"))
        return tuple(parts)

    def difference(self, name: str, plus: str, minus: str, gain: float) -> tuple[Element, ...]:
        """``V(name) = gain · (V(plus) - V(minus))``."""
        return (VoltageGain(name=name, out=name, plus=plus, minus=minus, gain=gain),)

    def subtract(self, threshold: float, amplitude: float) -> Block:
        """A spike takes ``amplitude`` amperes from ``mem`` during the next drive pulse: ``threshold`` at its end."""
        return Block(
            comment=f"reset by subtraction: a spike takes out {threshold:.9g} during the next slot",
            elements=(
                GatedCurrent(name="reset", out="mem", enable="spike", gate="phi", amplitude=amplitude),
                *self._output("reset", "mem"),
            ),
        )

    def clamp(self, nodes: tuple[str, ...]) -> Block:
        """A spike shorts ``nodes`` for the whole next slot, so that the slot's input is lost with what was there."""
        return Block(
            comment="reset to zero: a spike shorts the state for the whole next slot",
            elements=tuple(self._short(f"clamp_{node}", node, "spike") for node in nodes),
        )

    def discharge(self, node: str) -> Block:
        """A spike shorts ``node`` between the latch and the drive pulse, so that the slot's input survives."""
        return Block(
            comment="reset to zero: a spike shorts the membrane before the drive pulse",
            elements=(
                GatedVoltage(name="clear", out="clear", enable="spike", gate="discharge", amplitude=LOGIC_HIGH),
                self._short("clear", node, "clear"),
            ),
        )

    def _short(self, name: str, node: str, control: str) -> Switch:
        electronics = self.drive.electronics
        return Switch(
            name=name,
            a=node,
            b=GROUND,
            control=control,
            threshold=LOGIC_HIGH / 2,
            r_on=value_of(electronics.r_on, discharge_on(self.timing, self.capacitance)),
            r_off=value_of(electronics.r_off, SWITCH_OFF),
        )

    def _output(self, name: str, node: str) -> tuple[Element, ...]:
        """Output resistance of a real current source."""
        ohms = self.drive.electronics.r_source
        return () if ohms is None else (Resistor(name=f"{name}_source", a=node, b=GROUND, ohms=ohms.value),)


def discharge_on(timing: Timing, capacitance: float) -> float:
    """On-resistance, in ohm, that empties ``capacitance`` to ``exp(-40)`` within the discharge pulse."""
    return timing.discharge.width / (40 * capacitance)
