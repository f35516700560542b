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

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from snn2circuit.errors import NetworkError
from snn2circuit.ir.circuit import (
    GROUND,
    Block,
    Capacitor,
    Drive,
    Element,
    GatedCurrent,
    Resistor,
    Subcircuit,
    Timing,
    Transconductance,
)
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.parts import Footprint, State
from snn2circuit.neurons.cells import (
    NEURON_PORTS,
    PRINTED_CELL,
    column_front_end,
    discharge_switch,
    leak_switch,
    spike_latch,
)

RESETS = ("subtract", "zero", "none")


@dataclass(frozen=True, kw_only=True)
class Leaky:
    """snnTorch's ``Leaky`` with one ``beta`` and one ``threshold`` for the whole layer, both as the float32 it uses."""

    kind: ClassVar[str] = "leaky"
    snntorch: ClassVar[str] = "Leaky"

    beta: float = 0.9  # membrane decay per step, 0..1
    threshold: float = 1.0
    reset_mechanism: str = "subtract"
    capacitance: float = 100e-9  # F, of the membrane; sets the impedance level, not the behaviour

    def __post_init__(self) -> None:
        object.__setattr__(self, "beta", float(np.float32(self.beta)))
        object.__setattr__(self, "threshold", float(np.float32(self.threshold)))
        if not 0 <= self.beta <= 1:
            raise NetworkError(f"beta is {self.beta}; a leaky neuron needs 0 <= beta <= 1")
        if not (math.isfinite(self.threshold) and self.threshold > 0):
            raise NetworkError(f"threshold is {self.threshold}; it must be finite and above 0")
        if self.reset_mechanism not in RESETS:
            raise NetworkError(f"reset_mechanism is {self.reset_mechanism!r}; allowed: {', '.join(RESETS)}")
        if not (math.isfinite(self.capacitance) and self.capacitance > 0):
            raise NetworkError(f"capacitance is {self.capacitance} F; it must be finite and above 0")

    def start(self, shape: tuple[int, ...]) -> State:
        """A discharged membrane."""
        return (np.zeros(shape),)

    def advance(self, state: State, current: Floats) -> State:
        """One step of the update above."""
        (membrane,) = state
        fired = membrane > self.threshold
        if self.reset_mechanism == "zero":
            return (self.beta * np.where(fired, 0.0, membrane) + current,)
        reset = self.threshold * fired if self.reset_mechanism == "subtract" else 0.0
        return (self.beta * membrane + current - reset,)

    def bound(self, low: Floats, high: Floats) -> Floats:
        """Largest ``|U|`` any number of steps can reach: the series of the extreme drive, infinite for beta 1.

        Upwards a reset only helps. Downwards a reset by subtraction starts from above the threshold and lands no lower
        than one drive below ``-(1 - beta)·threshold``.
        """
        if self.beta == 1:
            return np.full(np.shape(high), np.inf)
        upper = np.maximum(high, 0) / (1 - self.beta)
        lower = np.maximum(-low, 0) / (1 - self.beta)
        if self.reset_mechanism == "subtract":
            lower = np.maximum(lower, np.maximum(-low, 0) + (1 - self.beta) * self.threshold)
        return np.maximum(upper, lower)

    def cell(self, name: str, drive: Drive) -> Subcircuit:
        """The sized neuron; see the module's text for the equations."""
        timing = drive.timing
        tau = self.fastest(timing)
        kernel = timing.charge(tau)
        step = (
            self.capacitance * drive.volts_per_unit / kernel
        )  # A, for the length of the drive pulse: one membrane unit
        membrane: list[Element] = [
            Transconductance(name="in", out="mem", plus=GROUND, minus="x", siemens=step / drive.unit),
            Capacitor(name="mem", a="mem", b=GROUND, farads=self.capacitance),
        ]
        if math.isfinite(tau):
            membrane.append(Resistor(name="leak", a="mem", b=GROUND, ohms=tau / self.capacitance))
        blocks = [
            column_front_end(drive),
            Block(
                comment=f"membrane: keeps beta = {self.beta:.9g} over a slot; {drive.volts_per_unit:.6g} V stand for 1",
                elements=tuple(membrane),
            ),
        ]
        if self.beta == 0:
            blocks.append(leak_switch("mem", timing, self.capacitance))
        if self.reset_mechanism == "subtract":
            blocks.append(
                Block(
                    comment=f"reset by subtraction: a spike takes out {self.threshold:.9g} during the next slot",
                    elements=(
                        GatedCurrent(
                            name="reset", out="mem", enable="spike", gate="phi", amplitude=self.threshold * step
                        ),
                    ),
                )
            )
        elif self.reset_mechanism == "zero" and self.beta > 0:
            blocks.append(discharge_switch("mem", timing, self.capacitance))
        blocks.append(spike_latch(self.threshold * drive.volts_per_unit, timing))
        return Subcircuit(
            name=name,
            ports=NEURON_PORTS,
            blocks=tuple(blocks),
            comment=f"Leaky neuron: beta {self.beta:.9g}, threshold {self.threshold:.9g}, reset {self.reset_mechanism}",
        )

    def fastest(self, timing: Timing) -> float:
        """The leak's time constant ``RC``; no leak resistor, no time constant."""
        return -timing.slot / math.log(self.beta) if 0 < self.beta < 1 else math.inf

    def footprint(self) -> Footprint:
        """The printed cell that all neurons share."""
        return PRINTED_CELL
