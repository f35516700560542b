"""The alpha neuron, whose membrane answers to a spike with an alpha function: snnTorch's ``Alpha``, and its circuit.

Model (snnTorch 1.0.0, ``snn.Alpha``). Two traces of the input with different decays, ``alpha > beta``, and a membrane
that is their difference; ``r = 1`` if the last membrane was above the threshold::

    t = ln(alpha) / (ln(beta) - ln(alpha)) + 1
    E' = alpha·E + I        H' = beta·H - I        U' = t·(E' + H')
    zero       E', H', U' all times (1 - r)
    none       as they are
    subtract   E' - r·threshold,   (1 - r)·H',   U' + r·H                   (as in the source; U is no state of its own)

Circuit. Two capacitors, ``exc`` for ``E`` and ``inh`` for ``-H``, each charged from the column and keeping its decay
over a slot, as the leaky neuron's membrane does; an amplifier of gain ``t`` takes their difference, which is the
membrane. Reset to zero: a spike shorts both capacitors for the whole next slot. Reset by subtraction would need the
old ``H`` for a slot more, and its membrane is not what is subtracted from; it runs as a model and is refused as a
circuit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from snn2circuit.errors import NetlistError, NetworkError
from snn2circuit.ir.circuit import Block, Subcircuit
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.parts import Drive, Footprint, State
from snn2circuit.ir.timing import Timing
from snn2circuit.neurons.cells import (
    NEURON_PORTS,
    PRINTED_CELL,
    column_front_end,
    spike_latch,
    time_constant,
)
from snn2circuit.neurons.families import family
from snn2circuit.neurons.parameters import check_positive, check_reset, check_shares, round_to_float32


@dataclass(frozen=True, kw_only=True)
class Alpha:
    """snnTorch's ``Alpha`` with one ``alpha``, ``beta`` and ``threshold`` for the whole layer, as float32."""

    kind: ClassVar[str] = "alpha"
    snntorch: ClassVar[str] = "Alpha"

    alpha: float = 0.9  # decay of the excitatory trace per step; above beta, at most 1
    beta: float = 0.8  # decay of the inhibitory trace per step, 0..1
    threshold: float = 1.0
    reset_mechanism: str = "zero"
    capacitance: float = 100e-9  # F, of both traces; sets the impedance level, not the behaviour

    def __post_init__(self) -> None:
        round_to_float32(self, "alpha", "beta", "threshold")
        check_shares(self, "alpha", "beta")
        if self.alpha <= self.beta:
            raise NetworkError(f"alpha is {self.alpha} and beta {self.beta}; an alpha neuron needs alpha above beta")
        check_positive(self, "threshold", "capacitance")
        check_reset(self)

    @property
    def gain(self) -> float:
        """``t`` of the module's text: makes the response to a single spike peak near the spike's weight."""
        if self.beta == 0:
            return 1.0
        return math.log(self.alpha) / (math.log(self.beta) - math.log(self.alpha)) + 1

    def start(self, shape: tuple[int, ...]) -> State:
        """Membrane and both traces, all empty."""
        return np.zeros(shape), np.zeros(shape), np.zeros(shape)

    def advance(self, state: State, current: Floats) -> State:
        """One step of the update above."""
        membrane, excitation, inhibition = state
        fired = membrane > self.threshold
        next_excitation = self.alpha * excitation + current
        next_inhibition = self.beta * inhibition - current
        base = self.gain * (next_excitation + next_inhibition)
        if self.reset_mechanism == "zero":
            kept = ~fired
            return base * kept, next_excitation * kept, next_inhibition * kept
        if self.reset_mechanism == "subtract":
            return base + fired * inhibition, next_excitation - self.threshold * fired, next_inhibition * ~fired
        return base, next_excitation, next_inhibition

    def bound(self, low: Floats, high: Floats) -> Floats:
        """Largest ``|U|``, ``|E|`` or ``|H|``: sums of the responses, none of which changes sign; infinite for alpha 1.

        With reset by subtraction a trace loses at most a threshold a step, so the series of that adds to it.
        """
        if self.alpha == 1:
            return np.full(np.shape(high), np.inf)
        largest = np.maximum(np.maximum(high, 0), np.maximum(-low, 0))
        if self.reset_mechanism == "subtract":
            trace = (largest + self.threshold) / (1 - self.alpha)
            return (2 * self.gain + 1) * trace
        membrane = self.gain * (1 / (1 - self.alpha) - 1 / (1 - self.beta))
        return largest * max(membrane, 1 / (1 - self.alpha))

    def cell(self, name: str, drive: Drive) -> Subcircuit:
        """The sized neuron.

        Raises:
            NetlistError: the reset mechanism is ``subtract``.
        """
        if self.reset_mechanism == "subtract":
            raise NetlistError(
                f"{name}: an alpha neuron with reset by subtraction has no circuit; train with zero or none"
            )
        timing, volts, farads = drive.timing, drive.volts_per_unit, self.capacitance
        parts = family(drive, farads)
        blocks = [column_front_end(drive)]
        for node, decay, word in (("exc", self.alpha, "alpha"), ("inh", self.beta, "beta")):
            siemens = volts * farads / (drive.unit * timing.charge(time_constant(decay, timing)))
            blocks.append(
                Block(
                    comment=f"trace {node}: keeps {word} = {decay:.9g} over a slot; {volts:.6g} V stand for 1",
                    elements=(
                        *parts.charge(node, node, siemens),
                        *parts.integrator(node, decay),
                    ),
                )
            )
        blocks.append(
            Block(
                comment=f"membrane: {self.gain:.9g} times the difference of the traces",
                elements=parts.difference("mem", "exc", "inh", self.gain),
            )
        )
        if self.reset_mechanism == "zero":
            blocks.append(parts.clamp(("exc", "inh")))
        blocks.append(spike_latch(self.threshold * volts, drive))
        return Subcircuit(
            name=name,
            ports=NEURON_PORTS,
            blocks=tuple(blocks),
            comment=f"Alpha neuron: alpha {self.alpha:.9g}, beta {self.beta:.9g}, threshold {self.threshold:.9g}, "
            f"reset {self.reset_mechanism}",
        )

    def fastest(self, timing: Timing) -> float:
        """The shorter of the two time constants."""
        return min(time_constant(self.alpha, timing), time_constant(self.beta, timing))

    def footprint(self) -> Footprint:
        """The printed cell that all neurons share."""
        return PRINTED_CELL
