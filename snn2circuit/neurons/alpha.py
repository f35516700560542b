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
from functools import cached_property
from typing import ClassVar

import numpy as np

from snn2circuit.errors import NetlistError, NetworkError
from snn2circuit.ir.circuit import Block, Subcircuit
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.parts import Drive, Footprint, PerNeuron, State
from snn2circuit.ir.per_neuron import Numbers, combined, listed, numbers
from snn2circuit.ir.timing import Timing
from snn2circuit.neurons.cells import (
    NEURON_PORTS,
    PRINTED_CELL,
    column_front_end,
    spike_latch,
    time_constant,
)
from snn2circuit.neurons.families import family
from snn2circuit.neurons.parameters import check_positive, check_reset, check_shares, round_to_float32, single


@dataclass(frozen=True, kw_only=True)
class Alpha:
    """snnTorch's ``Alpha``; ``alpha``, ``beta`` and ``threshold`` as float32, for the layer or for each neuron."""

    kind: ClassVar[str] = "alpha"
    snntorch: ClassVar[str] = "Alpha"
    per_neuron: ClassVar[tuple[str, ...]] = ("alpha", "beta", "threshold")

    alpha: PerNeuron = 0.9  # decay of the excitatory trace per step; above beta, at most 1
    beta: PerNeuron = 0.8  # decay of the inhibitory trace per step, 0..1
    threshold: PerNeuron = 1.0
    reset_mechanism: str = "zero"
    capacitance: float = 100e-9  # F, of both traces; sets the impedance level, not the behaviour

    def __post_init__(self) -> None:
        round_to_float32(self, "alpha", "beta", "threshold")
        check_shares(self, "alpha", "beta")
        pairs = np.broadcast_arrays(listed(self.alpha), listed(self.beta))
        for place, (alpha, beta) in enumerate(zip(*(each.tolist() for each in pairs), strict=True)):
            if alpha <= beta:
                which = f"neuron {place}: " if len(pairs[0]) > 1 else ""
                raise NetworkError(f"{which}alpha is {alpha} and beta {beta}; an alpha neuron needs alpha above beta")
        check_positive(self, "threshold", "capacitance")
        check_reset(self)

    @property
    def gain(self) -> PerNeuron:
        """``t`` of the module's text: makes the response to a single spike peak near the spike's weight."""
        return combined(_gain, self.alpha, self.beta)

    def start(self, shape: tuple[int, ...]) -> State:
        """Membrane and both traces, all empty."""
        return np.zeros(shape), np.zeros(shape), np.zeros(shape)

    def advance(self, state: State, current: Floats) -> State:
        """One step of the update above."""
        membrane, excitation, inhibition = state
        alpha, beta, threshold, gain = self._numbers
        fired = membrane > threshold
        next_excitation = alpha * excitation + current
        next_inhibition = beta * inhibition - current
        base = gain * (next_excitation + next_inhibition)
        if self.reset_mechanism == "zero":
            kept = ~fired
            return base * kept, next_excitation * kept, next_inhibition * kept
        if self.reset_mechanism == "subtract":
            return base + fired * inhibition, next_excitation - threshold * fired, next_inhibition * ~fired
        return base, next_excitation, next_inhibition

    def bound(self, low: Floats, high: Floats) -> Floats:
        """Largest ``|U|``, ``|E|`` or ``|H|``: sums of the responses, none of which changes sign; infinite for alpha 1.

        With reset by subtraction a trace loses at most a threshold a step, so the series of that adds to it.
        """
        alpha, beta, threshold, gain = self._numbers
        largest = np.maximum(np.maximum(high, 0), np.maximum(-low, 0))
        with np.errstate(divide="ignore", invalid="ignore"):  # alpha of 1
            longest = np.divide(1, np.subtract(1, alpha))
            if self.reset_mechanism == "subtract":
                bound = (2 * gain + 1) * ((largest + threshold) / np.subtract(1, alpha))
            else:
                bound = largest * np.maximum(gain * (longest - 1 / np.subtract(1, beta)), longest)
        return np.where(np.equal(alpha, 1), np.inf, bound)

    def cell(self, name: str, drive: Drive) -> Subcircuit:
        """The sized neuron.

        Raises:
            NetlistError: the reset mechanism is ``subtract``.
        """
        if self.reset_mechanism == "subtract":
            raise NetlistError(
                f"{name}: an alpha neuron with reset by subtraction has no circuit; train with zero or none"
            )
        alpha, beta, threshold, gain = single(self, "alpha", "beta", "threshold", "gain")
        timing, volts, farads = drive.timing, drive.volts_per_unit, self.capacitance
        parts = family(drive, farads)
        blocks = [column_front_end(drive)]
        for node, decay, word in (("exc", alpha, "alpha"), ("inh", beta, "beta")):
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
                comment=f"membrane: {gain:.9g} times the difference of the traces",
                elements=parts.difference("mem", "exc", "inh", gain),
            )
        )
        if self.reset_mechanism == "zero":
            blocks.append(parts.clamp(("exc", "inh")))
        blocks.append(spike_latch(threshold * volts, drive))
        return Subcircuit(
            name=name,
            ports=NEURON_PORTS,
            blocks=tuple(blocks),
            comment=f"Alpha neuron: alpha {alpha:.9g}, beta {beta:.9g}, threshold {threshold:.9g}, "
            f"reset {self.reset_mechanism}",
        )

    def fastest(self, timing: Timing) -> float:
        """The shortest of all time constants."""
        return min(time_constant(decay, timing) for decay in (*listed(self.alpha), *listed(self.beta)))

    def footprint(self) -> Footprint:
        """The printed cell that all neurons share."""
        return PRINTED_CELL

    @cached_property
    def _numbers(self) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        return numbers(self.alpha), numbers(self.beta), numbers(self.threshold), numbers(self.gain)


def _gain(alpha: float, beta: float) -> float:
    return 1.0 if beta == 0 else math.log(alpha) / (math.log(beta) - math.log(alpha)) + 1
