"""The ways a neuron can be built, chosen by ``[circuit] family``; a neuron's equations are the same in all of them."""

from __future__ import annotations

from typing import Protocol

from snn2circuit.errors import NetlistError
from snn2circuit.ir.circuit import Block, Element
from snn2circuit.ir.parts import Drive
from snn2circuit.ir.timing import Timing
from snn2circuit.neurons.opamp import OpAmps
from snn2circuit.neurons.vccs import CurrentSources


class Family(Protocol):
    """The parts that a neuron asks for by what they do; made for one drive and one capacitance."""

    def charge(self, name: str, node: str, siemens: float) -> tuple[Element, ...]:
        """Charges ``node`` with ``-siemens · V(x)``, x the output of the column's front end."""

    def couple(self, name: str, source: str, node: str, siemens: float) -> tuple[Element, ...]:
        """Charges ``node`` with ``siemens · V(source)`` during :meth:`window`."""

    def window(self, timing: Timing) -> tuple[tuple[float, float, float, float], ...]:
        """The gate of :meth:`couple`, linear pieces ``(start, end, level at start, level at end)`` of a slot."""

    def integrator(self, node: str, decay: float) -> tuple[Element, ...]:
        """A state on ``node`` that keeps ``decay`` of itself over a slot."""

    def difference(self, name: str, plus: str, minus: str, gain: float) -> tuple[Element, ...]:
        """``V(name) = gain · (V(plus) - V(minus))``."""

    def subtract(self, threshold: float, amplitude: float) -> Block:
        """Reset by subtraction of ``amplitude`` amperes from ``mem`` during the slot after a spike."""

    def clamp(self, nodes: tuple[str, ...]) -> Block:
        """Reset to zero for the whole slot after a spike."""

    def discharge(self, node: str) -> Block:
        """Reset to zero before the drive pulse of the slot after a spike."""


FAMILIES: dict[str, type[CurrentSources] | type[OpAmps]] = {
    CurrentSources.name: CurrentSources,
    OpAmps.name: OpAmps,
}


def family(drive: Drive, capacitance: float) -> Family:
    """The family that ``drive`` names, for states on ``capacitance`` farads."""
    if drive.family not in FAMILIES:
        raise NetlistError(f"unknown family of neuron circuits {drive.family!r}; allowed: {', '.join(FAMILIES)}")
    return FAMILIES[drive.family](drive, capacitance)
