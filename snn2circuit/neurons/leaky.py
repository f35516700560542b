"""The leaky integrate-and-fire neuron: snnTorch's ``Leaky``, and the circuit that does the same.

Model (snnTorch 1.0.0, ``snn.Leaky``). With ``r = 1`` if the last step's membrane was above the threshold, else 0::

    subtract   U' = beta·U + I - r·threshold
    zero       U' = beta·(1 - r)·U + I          (the step's input survives)
    none       U' = beta·U + I

and a spike whenever ``U' > threshold``, strictly.

Circuit. The column front end turns the pair of bit-line currents into ``V(x) = -unit·I·phi(t)``, where ``unit`` volts
stand for a weighted input of 1. A transconductor ``gm`` charges ``C`` in parallel with the leak ``R`` while ``phi`` is
high.

*Leak.* Over a slot ``T`` the capacitor keeps ``exp(-T/RC)``, which has to be ``beta``: ``R = -T / (C ln beta)``. For
``beta = 1`` there is no leak resistor; for ``beta = 0`` the capacitor is shorted at the start of every slot instead.

*Input.* A drive of one unit must add ``volts_per_unit`` by the end of the slot. A current ``i·phi(t)`` leaves
``i·K/C`` there, with ``K = ∫ phi(s) exp(-(T-s)/RC) ds`` (:meth:`Timing.charge`), hence ``gm = C·volts_per_unit /
(unit·K)``.

*Reset.* ``subtract``: during the slot after a spike the current ``C·threshold·volts_per_unit / K``, gated by ``phi``,
takes out exactly ``threshold`` by the slot's end; that is snnTorch's one-step delay. ``zero``: the spike closes a
switch across ``C`` between the latch and the drive pulse. ``none``: nothing.

*Threshold.* The comparator's reference is ``threshold·volts_per_unit``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from snn2circuit.ir.circuit import Block, Subcircuit
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.parts import Drive, Footprint, PerNeuron, State
from snn2circuit.ir.per_neuron import Numbers, listed, numbers
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
from snn2circuit.neurons.parameters import check_positive, check_reset, check_shares, round_to_float32, single


@dataclass(frozen=True, kw_only=True)
class Leaky:
    """snnTorch's ``Leaky``; ``beta`` and ``threshold`` as float32, for the layer or for each neuron."""

    kind: ClassVar[str] = "leaky"
    snntorch: ClassVar[str] = "Leaky"
    per_neuron: ClassVar[tuple[str, ...]] = ("beta", "threshold")

    beta: PerNeuron = 0.9  # membrane decay per step, 0..1
    threshold: PerNeuron = 1.0
    reset_mechanism: str = "subtract"
    capacitance: float = 100e-9  # F, of the membrane; sets the impedance level, not the behaviour

    def __post_init__(self) -> None:
        round_to_float32(self, "beta", "threshold")
        check_shares(self, "beta")
        check_positive(self, "threshold", "capacitance")
        check_reset(self)

    def start(self, shape: tuple[int, ...]) -> State:
        """A discharged membrane."""
        return (np.zeros(shape),)

    def advance(self, state: State, current: Floats) -> State:
        """One step of the update above."""
        (membrane,), (beta, threshold) = state, self._numbers
        fired = membrane > threshold
        if self.reset_mechanism == "zero":
            return (beta * np.where(fired, 0.0, membrane) + current,)
        reset = threshold * fired if self.reset_mechanism == "subtract" else 0.0
        return (beta * membrane + current - reset,)

    def bound(self, low: Floats, high: Floats) -> Floats:
        """Largest ``|U|`` any number of steps can reach; infinite for ``beta`` 1."""
        beta, threshold = self._numbers
        dip = (1 - beta) * threshold if self.reset_mechanism == "subtract" else 0.0
        return single_pole_bound(low, high, beta, dip)

    def cell(self, name: str, drive: Drive) -> Subcircuit:
        """The sized neuron; see the module's text for the equations."""
        beta, threshold = single(self, "beta", "threshold")
        timing, parts = drive.timing, family(drive, self.capacitance)
        kernel = timing.charge(time_constant(beta, timing))
        step = self.capacitance * drive.volts_per_unit / kernel  # A; for a drive pulse's length, one unit of membrane
        blocks = [
            column_front_end(drive),
            Block(
                comment=f"membrane: keeps beta = {beta:.9g} over a slot; {drive.volts_per_unit:.6g} V stand for 1",
                elements=(
                    *parts.charge("in", "mem", step / drive.unit),
                    *parts.integrator("mem", beta),
                ),
            ),
        ]
        if self.reset_mechanism == "subtract":
            blocks.append(parts.subtract(threshold, threshold * step))
        elif self.reset_mechanism == "zero" and beta > 0:
            blocks.append(parts.discharge("mem"))
        blocks.append(spike_latch(threshold * drive.volts_per_unit, drive))
        return Subcircuit(
            name=name,
            ports=NEURON_PORTS,
            blocks=tuple(blocks),
            comment=f"Leaky neuron: beta {beta:.9g}, threshold {threshold:.9g}, reset {self.reset_mechanism}",
        )

    def fastest(self, timing: Timing) -> float:
        """The shortest time constant ``RC`` of a leak; no leak resistor, no time constant."""
        return min(time_constant(beta, timing) for beta in listed(self.beta))

    def footprint(self) -> Footprint:
        """The printed cell that all neurons share."""
        return PRINTED_CELL

    @cached_property
    def _numbers(self) -> tuple[Numbers, Numbers]:
        return numbers(self.beta), numbers(self.threshold)
