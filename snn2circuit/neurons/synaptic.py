"""The second-order leaky neuron, whose synapse decays too: snnTorch's ``Synaptic``, and the circuit that does the same.

Model (snnTorch 1.0.0, ``snn.Synaptic``). The membrane takes in the *new* synaptic current; ``r = 1`` if the last
membrane was above the threshold::

    S' = alpha·S + I
    subtract   U' = beta·U + S' - r·threshold
    zero       U' = (1 - r)·(beta·U + S')           (the synapse keeps what it has)
    none       U' = beta·U + S'

Circuit. Two capacitors. ``syn`` keeps ``alpha`` over a slot and is charged from the column by ``g1``; ``mem`` keeps
``beta`` and is charged twice, by ``gs·V(syn)·phi`` and straight from the column by ``gd``. In a slot that begins with
``S`` and is driven by ``I``, with ``x(s)`` the rise of a unit pulse on the synapse (:meth:`Timing.rise`), ``K`` the
kernels of :meth:`Timing.charge` and ``unit`` volts for a weighted input of 1::

    V(syn)(s) = v·S·exp(-s/ts) + g1·unit·I·x(s)/C
    A = (1/C)  ∫ phi(s) exp(-(T-s)/tm) exp(-s/ts) ds
    B = (1/C²) ∫ phi(s) exp(-(T-s)/tm) x(s) ds

``v`` volts stand for ``S = 1`` and also for ``U = 1``. Asking the slot to end with ``v·(alpha·S + I)`` on the synapse
and ``v·(beta·U + alpha·S + I)`` on the membrane gives ``g1 = v·C/(unit·Ks)``, ``gs = alpha/A`` and
``gd = (v - gs·g1·unit·B)·C/(unit·Km)``. The direct path ``gd`` is needed because a cascade alone answers an input too
late: the model's membrane takes it in whole in the same step. ``A`` and ``B`` are integrated numerically, segment by
segment, where the integrands are smooth. With ``alpha = 0`` there is no synapse and ``gd`` alone remains.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from snn2circuit.ir.circuit import (
    Block,
    Element,
    Subcircuit,
)
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
from snn2circuit.neurons.families import Family, family
from snn2circuit.neurons.parameters import check_positive, check_reset, check_shares, round_to_float32, single

NODES, WEIGHTS = np.polynomial.legendre.leggauss(48)


@dataclass(frozen=True, kw_only=True)
class Synaptic:
    """snnTorch's ``Synaptic``; ``alpha``, ``beta`` and ``threshold`` as float32, for the layer or for each neuron."""

    kind: ClassVar[str] = "synaptic"
    snntorch: ClassVar[str] = "Synaptic"
    per_neuron: ClassVar[tuple[str, ...]] = ("alpha", "beta", "threshold")

    alpha: PerNeuron = 0.8  # decay of the synaptic current per step, 0..1
    beta: PerNeuron = 0.9  # membrane decay per step, 0..1
    threshold: PerNeuron = 1.0
    reset_mechanism: str = "subtract"
    capacitance: float = 100e-9  # F, of both states; sets the impedance level, not the behaviour

    def __post_init__(self) -> None:
        round_to_float32(self, "alpha", "beta", "threshold")
        check_shares(self, "alpha", "beta")
        check_positive(self, "threshold", "capacitance")
        check_reset(self)

    def start(self, shape: tuple[int, ...]) -> State:
        """Membrane and synapse, both empty."""
        return np.zeros(shape), np.zeros(shape)

    def advance(self, state: State, current: Floats) -> State:
        """One step of the update above."""
        membrane, synapse = state
        alpha, beta, threshold = self._numbers
        fired = membrane > threshold
        synapse = alpha * synapse + current
        base = beta * membrane + synapse
        if self.reset_mechanism == "zero":
            return np.where(fired, 0.0, base), synapse
        return (base - threshold * fired if self.reset_mechanism == "subtract" else base), synapse

    def bound(self, low: Floats, high: Floats) -> Floats:
        """Largest ``|U|`` or ``|S|``: two series, the second driven by the extremes of the first; infinite at 1."""
        alpha, beta, threshold = self._numbers
        dip = (1 - beta) * threshold if self.reset_mechanism == "subtract" else 0.0
        with np.errstate(divide="ignore", invalid="ignore"):  # alpha of 1
            least, most = np.minimum(low, 0) / (1 - alpha), np.maximum(high, 0) / (1 - alpha)
            largest = np.maximum(single_pole_bound(least, most, beta, dip), np.maximum(-least, most))
        return np.where(np.equal(alpha, 1), np.inf, largest)

    def cell(self, name: str, drive: Drive) -> Subcircuit:
        """The sized neuron; see the module's text for the equations."""
        alpha, beta, threshold = single(self, "alpha", "beta", "threshold")
        timing, volts, farads = drive.timing, drive.volts_per_unit, self.capacitance
        parts = family(drive, farads)
        step = volts * farads / timing.charge(time_constant(beta, timing))  # A; one unit of membrane
        synapse: tuple[Element, ...] = ()
        direct = step / drive.unit
        if alpha > 0:
            kept, passed = self._coupling(alpha, beta, timing, parts)
            g1 = volts * farads / (drive.unit * timing.charge(time_constant(alpha, timing)))
            gs = alpha / kept
            direct *= 1 - gs * g1 * drive.unit * passed / volts
            synapse = (
                *parts.charge("syn", "syn", g1),
                *parts.integrator("syn", alpha),
                *parts.couple("pass", "syn", "mem", gs),
            )
        blocks = [
            column_front_end(drive),
            Block(comment=f"synapse: keeps alpha = {alpha:.9g} over a slot, feeds the membrane", elements=synapse),
            Block(
                comment=f"membrane: keeps beta = {beta:.9g} over a slot; {volts:.6g} V stand for 1",
                elements=(
                    *parts.charge("in", "mem", direct),
                    *parts.integrator("mem", beta),
                ),
            ),
        ]
        if self.reset_mechanism == "subtract":
            blocks.append(parts.subtract(threshold, threshold * step))
        elif self.reset_mechanism == "zero":
            blocks.append(parts.clamp(("mem",)))
        blocks.append(spike_latch(threshold * volts, drive))
        return Subcircuit(
            name=name,
            ports=NEURON_PORTS,
            blocks=tuple(blocks),
            comment=f"Synaptic neuron: alpha {alpha:.9g}, beta {beta:.9g}, threshold {threshold:.9g}, "
            f"reset {self.reset_mechanism}",
        )

    def fastest(self, timing: Timing) -> float:
        """The shortest of all time constants."""
        return min(time_constant(decay, timing) for decay in (*listed(self.alpha), *listed(self.beta)))

    def footprint(self) -> Footprint:
        """The printed cell that all neurons share."""
        return PRINTED_CELL

    @cached_property
    def _numbers(self) -> tuple[Numbers, Numbers, Numbers]:
        return numbers(self.alpha), numbers(self.beta), numbers(self.threshold)

    def _coupling(self, alpha: float, beta: float, timing: Timing, parts: Family) -> tuple[float, float]:
        """``A`` and ``B`` of the module's text, in V per (S·V) and V per (S·A)."""
        ts, tm = time_constant(alpha, timing), time_constant(beta, timing)
        kept = passed = 0.0
        for start, end, at_start, at_end in parts.window(timing):
            half = (end - start) / 2
            for node, weight in zip(NODES.tolist(), WEIGHTS.tolist(), strict=True):
                s = start + half * (1 + node)
                drive = at_start + (at_end - at_start) * (1 + node) / 2
                share = half * weight * drive * math.exp(-(timing.slot - s) / tm) / self.capacitance
                kept += share * math.exp(-s / ts)
                passed += share * timing.rise(ts, s) / self.capacitance
        return kept, passed
