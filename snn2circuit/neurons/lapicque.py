"""Lapicque's neuron, an RC circuit by definition: snnTorch's ``Lapicque``, and the circuit that does the same.

Model (snnTorch 1.0.0, ``snn.Lapicque``). With ``gain = time_step / C`` and ``decay = 1 - time_step / (R·C)``, and
``r = 1`` if the last membrane was above the threshold::

    subtract   U' = decay·U + gain·I - r·threshold
    zero       U' = (1 - r)·(decay·U + gain·I)      (the step's input is lost)
    none       U' = decay·U + gain·I

``decay`` is the forward-Euler value, not ``exp(-time_step/RC)``. Given only ``beta``, snnTorch takes ``R = 1`` and ``C
= time_step / ln(1/beta)``, so the decay is ``1 + ln(beta)`` and the gain ``-ln(beta)``: 0.9487 and 0.0513 for ``beta =
0.95``. ``beta`` takes no further part.

Circuit. The membrane is a capacitor with a leak that keeps ``decay`` over a slot, charged so that a drive of one unit
adds ``gain`` units: the leaky neuron's equations with ``beta`` replaced by ``decay`` and the transconductance
multiplied by ``gain``. Only the reset to zero differs: a spike shorts the capacitor for the whole next slot. A decay
of 0 or below (``time_step >= R·C``) changes the membrane's sign from step to step, which no passive RC does; such a
neuron runs as a model and is refused as a circuit.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass
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
    single_pole_bound,
    spike_latch,
    time_constant,
)
from snn2circuit.neurons.families import family
from snn2circuit.neurons.parameters import check_positive, check_reset, round_to_float32


@dataclass(frozen=True, kw_only=True)
class Lapicque:
    """snnTorch's ``Lapicque``, by ``R``, ``C`` and ``time_step``, or by ``beta`` alone where ``C`` is 0."""

    kind: ClassVar[str] = "lapicque"
    snntorch: ClassVar[str] = "Lapicque"

    beta: InitVar[float] = 0.95  # only to compute C, if C is 0
    R: float = 1.0  # in the model's own units
    C: float = 0.0  # in the model's own units; 0: from beta
    time_step: float = 1.0
    threshold: float = 1.0
    reset_mechanism: str = "subtract"
    capacitance: float = 100e-9  # F, of the membrane; sets the impedance level, not the behaviour

    def __post_init__(self, beta: float) -> None:
        if self.C == 0:
            if not 0 < beta < 1:
                raise NetworkError(f"beta is {beta}; without C, a lapicque neuron needs 0 < beta < 1")
            object.__setattr__(self, "C", self.time_step / (self.R * float(np.log(1 / np.float32(beta)))))
        round_to_float32(self, "R", "C", "time_step", "threshold")
        check_positive(self, "R", "C", "time_step", "threshold", "capacitance")
        check_reset(self)

    @property
    def decay(self) -> float:
        """Share of the membrane that a step keeps."""
        return 1 - self.time_step / (self.R * self.C)

    @property
    def gain(self) -> float:
        """Membrane that a current of 1 adds in a step."""
        return self.time_step / self.C

    def start(self, shape: tuple[int, ...]) -> State:
        """A discharged membrane."""
        return (np.zeros(shape),)

    def advance(self, state: State, current: Floats) -> State:
        """One step of the update above."""
        (membrane,) = state
        fired = membrane > self.threshold
        base = self.decay * membrane + self.gain * current
        if self.reset_mechanism == "zero":
            return (np.where(fired, 0.0, base),)
        return (base - self.threshold * fired if self.reset_mechanism == "subtract" else base,)

    def bound(self, low: Floats, high: Floats) -> Floats:
        """Largest ``|U|`` any number of steps can reach; infinite where ``|decay|`` is 1 or more."""
        subtracts = self.reset_mechanism == "subtract"
        if self.decay < 0:
            largest = self.gain * np.maximum(np.abs(low), np.abs(high)) + self.threshold * subtracts
            return largest / (1 + self.decay) if self.decay > -1 else np.full(np.shape(high), np.inf)
        dip = (1 - self.decay) * self.threshold if subtracts else 0.0
        return single_pole_bound(self.gain * low, self.gain * high, self.decay, dip)

    def cell(self, name: str, drive: Drive) -> Subcircuit:
        """The sized neuron.

        Raises:
            NetlistError: the decay is 0 or below.
        """
        if self.decay <= 0:
            raise NetlistError(
                f"{name}: time_step {self.time_step:g} is not below R·C = {self.R * self.C:g}, so the membrane would "
                f"keep {self.decay:g} of itself; a passive RC keeps more than 0: lower time_step or raise R or C"
            )
        timing, parts = drive.timing, family(drive, self.capacitance)
        kernel = timing.charge(self.fastest(timing))
        step = self.capacitance * drive.volts_per_unit / kernel  # A; for a drive pulse's length, one unit of membrane
        blocks = [
            column_front_end(drive),
            Block(
                comment=f"membrane: keeps {self.decay:.9g} over a slot, takes {self.gain:.9g} of its input; "
                f"{drive.volts_per_unit:.6g} V stand for 1",
                elements=(
                    *parts.charge("in", "mem", self.gain * step / drive.unit),
                    *parts.integrator("mem", self.decay),
                ),
            ),
        ]
        if self.reset_mechanism == "subtract":
            blocks.append(parts.subtract(self.threshold, self.threshold * step))
        elif self.reset_mechanism == "zero":
            blocks.append(parts.clamp(("mem",)))
        blocks.append(spike_latch(self.threshold * drive.volts_per_unit, drive))
        return Subcircuit(
            name=name,
            ports=NEURON_PORTS,
            blocks=tuple(blocks),
            comment=f"Lapicque neuron: R {self.R:.9g}, C {self.C:.9g}, time step {self.time_step:.9g}, "
            f"threshold {self.threshold:.9g}, reset {self.reset_mechanism}",
        )

    def fastest(self, timing: Timing) -> float:
        """The leak's time constant."""
        return time_constant(self.decay, timing)

    def footprint(self) -> Footprint:
        """The printed cell that all neurons share."""
        return PRINTED_CELL
