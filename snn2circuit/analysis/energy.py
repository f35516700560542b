"""Energy and latency of an inference, from the circuit's own elements.

The exact solver gives the voltage at every node, and from them the heat of every resistor, switch, crossbar and latch
(:mod:`snn2circuit.simulate.exact.heat`). What sources and amplifiers deliver is this heat, but for what stays in
capacitors; what they draw beyond it from a supply, quiescent currents first, no preset gives, so it is not counted.

A sample takes ``steps + layers - 1`` slots. Its first answer is there when an output has spiked and its latch is valid;
its decision is *settled* at the first step from which the winner stays the winner.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from snn2circuit.analysis.compare import circuit_activity
from snn2circuit.errors import CompareError
from snn2circuit.ir.circuit import Subcircuit
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.network import Activity, Stimulus
from snn2circuit.ir.noun import Bools, Floats, noun
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.netlist import build_circuit
from snn2circuit.units import engineering

SAMPLES = 10  # at most; the mean hardly moves after that
NOT_COUNTED = (
    "what op-amps, comparators, gates and current sources draw from their supplies beyond what they deliver to "
    "resistors and switches (quiescent currents): no preset of parts gives it"
)


@noun
class BlockEnergy:
    """Heat of one block of one layer in an inference, mean over the samples."""

    layer: int  # from 1
    block: str  # "crossbar", or the name that the cell's own text gives the block
    joules: float
    parts: dict[str, float]  # J, by element of the cell


@noun
class Energy:
    """What an inference costs and how long it takes; means over the samples."""

    samples: int
    seconds: float  # s, an inference from its first slot to its last latched spike
    blocks: tuple[BlockEnergy, ...]
    spikes: float  # of all layers, in an inference
    first_spike: float | None  # s, from the start to the first latched output spike; None: no sample has one
    samples_with_spike: int  # samples with an output spike
    settled: float  # s, from the start to the step from which the decision stays
    not_counted: str = NOT_COUNTED

    @property
    def joules(self) -> float:
        """Heat of an inference, J."""
        return sum(block.joules for block in self.blocks)

    @property
    def per_spike(self) -> float | None:
        """Heat of an inference over its spikes, J; ``None`` without spikes."""
        return self.joules / self.spikes if self.spikes else None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON, totals first."""
        return {
            "joules_per_inference": self.joules,
            "joules_per_spike": self.per_spike,
            "watts": self.joules / self.seconds,
            **dataclasses.asdict(self),
            "blocks": [dataclasses.asdict(block) for block in self.blocks],
        }

    def rows(self) -> list[tuple[str, str, str, str, str]]:
        """A table for people: layer, block, energy of an inference, power, share."""
        total = self.joules or 1.0
        return [
            (str(each.layer) if each.layer else "", each.block, engineering(each.joules, "J"),
             engineering(each.joules / self.seconds, "W"), f"{each.joules / total:.1%}")
            for each in (*self.blocks, BlockEnergy(layer=0, block="all", joules=self.joules, parts={}))
        ]  # fmt: skip

    def __str__(self) -> str:
        spike = "no spike" if self.per_spike is None else f"{engineering(self.per_spike, 'J')} per spike"
        first = (
            "no output spikes"
            if self.first_spike is None
            else f"the first output spike after {engineering(self.first_spike, 's')} "
            f"(in {self.samples_with_spike} of {self.samples} samples)"
        )
        return (
            f"{engineering(self.joules, 'J')} per inference of {engineering(self.seconds, 's')}, {spike}; {first}, "
            f"the decision settled after {engineering(self.settled, 's')}; means over {self.samples} samples"
        )


def measure_energy(crossbar: CrossbarNetwork, waveforms: Waveforms) -> Energy:
    """Energy of the first :data:`SAMPLES` samples of ``waveforms`` with ideal lines, and latency of all of them.

    Lines with resistance only take heat away from the devices, so with them the crossbars' share is an upper bound.

    Raises:
        CircuitNotLinear: the exact solver cannot take the circuit; the message says which element.
        SimulationDiverged: an amplifier left the range in which it is linear.
    """
    # numba is loaded only where the solver is used.
    from snn2circuit.simulate.exact import ExactSolver

    given = waveforms.stimulus
    if given.samples == 0:
        raise CompareError("the waveforms hold no sample; simulate at least one")
    chosen = Stimulus(
        inputs=given.inputs[:SAMPLES], labels=given.labels[:SAMPLES], indices=given.indices[:SAMPLES]
    )  # fmt: skip
    circuit = build_circuit(crossbar, chosen.inputs[0], crossbar.name)
    heats, spikes = ExactSolver(circuit).heat(chosen)
    blocks: list[BlockEnergy] = []
    for number, (heat, cell) in enumerate(zip(heats, circuit.subcircuits, strict=True), start=1):
        devices = float(heat.devices.mean())
        blocks.append(BlockEnergy(layer=number, block="crossbar", joules=devices, parts={"devices": devices}))
        parts = {name: float(joules.mean()) for name, joules in heat.elements.items()}
        for label, names in _blocks(cell).items():
            own = {name: value for name, value in parts.items() if name in names}
            if own:
                blocks.append(BlockEnergy(layer=number, block=label, joules=sum(own.values()), parts=own))
        latches = float(heat.latches.mean())
        blocks.append(BlockEnergy(layer=number, block="spike latch", joules=latches, parts={"latches": latches}))
    timing, layers, steps = crossbar.timing, len(crossbar.layers), given.inputs.shape[1]
    firsts = [
        timing.end(int(np.argmax(fired)), layers - 1) + timing.latched
        for fired in np.asarray(waveforms.spikes[-1].max(axis=2))
        if fired.any()
    ]
    return Energy(
        samples=chosen.samples,
        seconds=timing.stop(steps, layers),
        blocks=tuple(blocks),
        spikes=sum(int(each.sum()) for each in spikes) / chosen.samples,
        first_spike=float(np.mean(firsts)) if firsts else None,
        samples_with_spike=len(firsts),
        settled=float(
            np.mean([timing.end(step, layers - 1) + timing.latched for step in _settled(crossbar, waveforms)])
        ),
    )


def _blocks(cell: Subcircuit) -> dict[str, set[str]]:
    """Elements of a cell by block, which is called what stands before the colon of its comment."""
    found: dict[str, set[str]] = {}
    for block in cell.blocks:
        label = block.comment.split(":")[0]
        found.setdefault(label, set()).update(element.name for element in block.elements)
    return found


def _settled(crossbar: CrossbarNetwork, waveforms: Waveforms) -> list[int]:
    """Per sample the first step from which on the winner is the one at the end."""
    activity = circuit_activity(waveforms)
    membranes, spikes = activity.membranes[-1], activity.spikes[-1]
    winners = np.stack(
        [_decide(crossbar, membranes[:, : step + 1], spikes[:, : step + 1]) for step in range(membranes.shape[1])]
    )
    other = winners != winners[-1]
    return [int(np.flatnonzero(each)[-1]) + 1 if each.any() else 0 for each in other.T]


def _decide(crossbar: CrossbarNetwork, membranes: Floats, spikes: Bools) -> Floats:
    decided = Activity(membranes=(membranes,), spikes=(spikes,)).predictions(crossbar.decision)
    return decided.astype(np.float64)
