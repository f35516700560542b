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
    single_pole_bound,
    spike_latch,
    time_constant,
)
from snn2circuit.neurons.families import family
from snn2circuit.neurons.parameters import as_given, check_positive, check_reset, round_to_float32, single


@dataclass(frozen=True, kw_only=True)
class Lapicque:
    """snnTorch's ``Lapicque``, by ``R``, ``C`` and ``time_step``, or by ``beta`` alone where ``C`` is 0.

    Each of them and ``threshold`` is one number for the layer, or one for each neuron.
    """

    kind: ClassVar[str] = "lapicque"
    snntorch: ClassVar[str] = "Lapicque"
    per_neuron: ClassVar[tuple[str, ...]] = ("R", "C", "time_step", "threshold")

    beta: InitVar[PerNeuron] = 0.95  # only to compute C, if C is 0
    R: PerNeuron = 1.0  # in the model's own units
    C: PerNeuron = 0.0  # in the model's own units; 0: from beta
    time_step: PerNeuron = 1.0
    threshold: PerNeuron = 1.0
    reset_mechanism: str = "subtract"
    capacitance: float = 100e-9  # F, of the membrane; sets the impedance level, not the behaviour

    def __post_init__(self, beta: PerNeuron) -> None:
        if np.ndim(self.C) == 0 and self.C == 0:
            betas = as_given("beta", beta)
            for place, number in enumerate(listed(betas)):
                if not 0 < number < 1:
                    which = f" of neuron {place}" if isinstance(betas, tuple) else ""
                    raise NetworkError(f"beta{which} is {number}; without C, a lapicque neuron needs 0 < beta < 1")
            rest = (as_given(name, getattr(self, name)) for name in ("R", "time_step"))
            object.__setattr__(self, "C", combined(_capacity, betas, *rest))
        round_to_float32(self, "R", "C", "time_step", "threshold")
        check_positive(self, "R", "C", "time_step", "threshold", "capacitance")
        check_reset(self)

    @property
    def decay(self) -> PerNeuron:
        """Share of the membrane that a step keeps."""
        return combined(lambda r, c, step: 1 - step / (r * c), self.R, self.C, self.time_step)

    @property
    def gain(self) -> PerNeuron:
        """Membrane that a current of 1 adds in a step."""
        return combined(lambda c, step: step / c, self.C, self.time_step)

    def start(self, shape: tuple[int, ...]) -> State:
        """A discharged membrane."""
        return (np.zeros(shape),)

    def advance(self, state: State, current: Floats) -> State:
        """One step of the update above."""
        (membrane,), (decay, gain, threshold) = state, self._numbers
        fired = membrane > threshold
        base = decay * membrane + gain * current
        if self.reset_mechanism == "zero":
            return (np.where(fired, 0.0, base),)
        return (base - threshold * fired if self.reset_mechanism == "subtract" else base,)

    def bound(self, low: Floats, high: Floats) -> Floats:
        """Largest ``|U|`` any number of steps can reach; infinite where ``|decay|`` is 1 or more."""
        decay, gain, threshold = self._numbers
        subtracts = self.reset_mechanism == "subtract"
        dip = (1 - decay) * threshold if subtracts else 0.0
        bound = single_pole_bound(gain * low, gain * high, decay, dip)
        with np.errstate(divide="ignore"):  # a decay of -1
            alternating = (gain * np.maximum(np.abs(low), np.abs(high)) + threshold * subtracts) / np.add(1, decay)
        return np.where(np.less(decay, 0), np.where(np.greater(decay, -1), alternating, np.inf), bound)

    def cell(self, name: str, drive: Drive) -> Subcircuit:
        """The sized neuron.

        Raises:
            NetlistError: the decay is 0 or below.
        """
        decay, gain, threshold = single(self, "decay", "gain", "threshold")
        r, c, time_step = single(self, "R", "C", "time_step")
        if decay <= 0:
            raise NetlistError(
                f"{name}: time_step {time_step:g} is not below R·C = {r * c:g}, so the membrane would "
                f"keep {decay:g} of itself; a passive RC keeps more than 0: lower time_step or raise R or C"
            )
        timing, parts = drive.timing, family(drive, self.capacitance)
        kernel = timing.charge(time_constant(decay, timing))
        step = self.capacitance * drive.volts_per_unit / kernel  # A; for a drive pulse's length, one unit of membrane
        blocks = [
            column_front_end(drive),
            Block(
                comment=f"membrane: keeps {decay:.9g} over a slot, takes {gain:.9g} of its input; "
                f"{drive.volts_per_unit:.6g} V stand for 1",
                elements=(
                    *parts.charge("in", "mem", gain * step / drive.unit),
                    *parts.integrator("mem", decay),
                ),
            ),
        ]
        if self.reset_mechanism == "subtract":
            blocks.append(parts.subtract(threshold, threshold * step))
        elif self.reset_mechanism == "zero":
            blocks.append(parts.clamp(("mem",)))
        blocks.append(spike_latch(threshold * drive.volts_per_unit, drive))
        return Subcircuit(
            name=name,
            ports=NEURON_PORTS,
            blocks=tuple(blocks),
            comment=f"Lapicque neuron: R {r:.9g}, C {c:.9g}, time step {time_step:.9g}, "
            f"threshold {threshold:.9g}, reset {self.reset_mechanism}",
        )

    def fastest(self, timing: Timing) -> float:
        """The shortest time constant of a leak."""
        return min(time_constant(decay, timing) for decay in listed(self.decay))

    def footprint(self) -> Footprint:
        """The printed cell that all neurons share."""
        return PRINTED_CELL

    @cached_property
    def _numbers(self) -> tuple[Numbers, Numbers, Numbers]:
        return numbers(self.decay), numbers(self.gain), numbers(self.threshold)


def _capacity(beta: float, r: float, time_step: float) -> float:
    return time_step / (r * float(np.log(1 / np.float32(beta))))
