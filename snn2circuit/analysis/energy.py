"""Energy and latency of an inference, from the circuit's own elements.

The exact solver gives the voltage at every node, and from them the heat of every resistor, switch, crossbar and latch
(:mod:`snn2circuit.simulate.exact.heat`). What sources and amplifiers deliver is this heat, but for what stays in
capacitors. Beyond it op-amps lose in their outputs what lies between the rail and the output, computed from the same
voltages, and all parts draw quiescent currents (:mod:`snn2circuit.analysis.supply`). Parts without a supply current in
their preset, ideal ones above all, count for their heat alone, and :attr:`Energy.not_counted` names them.

A sample takes ``steps + layers - 1`` slots. Its first answer is there when an output has spiked and its latch is valid;
its decision is *settled* at the first step from which the winner stays the winner.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from snn2circuit.analysis.compare import circuit_activity
from snn2circuit.analysis.supply import Supplies, count_supplies, known_sum, written
from snn2circuit.errors import CompareError
from snn2circuit.ir.circuit import Amplifier, Element
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.network import Activity, Stimulus
from snn2circuit.ir.noun import Bools, Floats, noun
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.netlist.build import LayerCells, build_circuit, neuron_cells
from snn2circuit.units import engineering

if TYPE_CHECKING:
    from snn2circuit.simulate.exact.heat import Heat

SAMPLES = 10  # at most; the mean hardly moves after that
LATCH = "spike latch"


@noun
class BlockEnergy:
    """Energy of one block of one layer in an inference, mean over the samples."""

    layer: int  # from 1
    block: str  # "crossbar", or the name that the cell's own text gives the block
    heat: float  # J, in resistors, switches and devices
    parts: dict[str, float]  # J, the heat by element of the cell
    outputs: float | None = 0.0  # J, that op-amps lose in their outputs; None: not known
    quiescent: float | None = 0.0  # J, that parts draw whether they work or not; None: not known

    @property
    def joules(self) -> float:
        """All of it that is known, J."""
        return self.heat + (self.outputs or 0.0) + (self.quiescent or 0.0)


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
    supplies: Supplies

    @property
    def total(self) -> BlockEnergy:
        """All blocks together."""
        return BlockEnergy(
            layer=0,
            block="all",
            heat=sum(block.heat for block in self.blocks),
            parts={},
            outputs=known_sum(block.outputs for block in self.blocks),
            quiescent=known_sum(block.quiescent for block in self.blocks),
        )

    @property
    def joules(self) -> float:
        """Energy of an inference, J."""
        return self.total.joules

    @property
    def per_spike(self) -> float | None:
        """Energy of an inference over its spikes, J; ``None`` without spikes."""
        return self.joules / self.spikes if self.spikes else None

    @property
    def not_counted(self) -> str:
        """What is missing, in words."""
        return self.supplies.not_counted

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON, totals first."""
        return {
            "circuit": "as mapped, before trimming, with ideal lines",
            "joules_per_inference": self.joules,
            "joules_heat": self.total.heat,
            "joules_outputs": self.total.outputs,
            "joules_quiescent": self.total.quiescent,
            "joules_per_spike": self.per_spike,
            "watts": self.joules / self.seconds,
            **dataclasses.asdict(self),
            "blocks": [{**dataclasses.asdict(block), "joules": block.joules} for block in self.blocks],
            "supplies": self.supplies.as_dict(),
            "not_counted": self.not_counted,
        }

    def rows(self) -> list[tuple[str, ...]]:
        """A table for people: layer, block, heat, loss in outputs, quiescent, all of an inference, power, share."""
        total = self.joules or 1.0
        return [
            (
                str(each.layer) if each.layer else "",
                each.block,
                *(written(joules, "J") for joules in (each.heat, each.outputs, each.quiescent, each.joules)),
                engineering(each.joules / self.seconds, "W"),
                f"{each.joules / total:.1%}",
            )
            for each in (*self.blocks, self.total)
        ]

    def __str__(self) -> str:
        spike = "no spike" if self.per_spike is None else f"{engineering(self.per_spike, 'J')} per spike"
        first = (
            "no output spikes"
            if self.first_spike is None
            else f"the first output spike after {engineering(self.first_spike, 's')} "
            f"(in {self.samples_with_spike} of {self.samples} samples)"
        )
        whole = self.total
        split = (
            f" (heat {engineering(whole.heat, 'J')}, op-amp outputs {written(whole.outputs, 'J')}, "
            f"quiescent {written(whole.quiescent, 'J')})"
            if whole.outputs or whole.quiescent
            else ""
        )
        return (
            f"{engineering(self.joules, 'J')} per inference of {engineering(self.seconds, 's')}{split}, {spike}; "
            f"{first}, "
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
    timing, layers, steps = crossbar.timing, len(crossbar.layers), given.inputs.shape[1]
    supplies, seconds = count_supplies(crossbar), timing.stop(steps, layers)
    blocks: list[BlockEnergy] = []
    for number, (heat, cells) in enumerate(zip(heats, neuron_cells(crossbar), strict=True), start=1):
        blocks += _layer(number, heat, cells, supplies, seconds)
    firsts = [
        timing.end(int(np.argmax(fired)), layers - 1) + timing.latched
        for fired in np.asarray(waveforms.spikes[-1].max(axis=2))
        if fired.any()
    ]
    return Energy(
        samples=chosen.samples,
        seconds=seconds,
        blocks=tuple(blocks),
        spikes=sum(int(each.sum()) for each in spikes) / chosen.samples,
        first_spike=float(np.mean(firsts)) if firsts else None,
        samples_with_spike=len(firsts),
        settled=float(
            np.mean([timing.end(step, layers - 1) + timing.latched for step in _settled(crossbar, waveforms)])
        ),
        supplies=supplies,
    )


def _layer(number: int, heat: Heat, cells: LayerCells, supplies: Supplies, seconds: float) -> list[BlockEnergy]:
    """The blocks of a layer in ``seconds``; blocks and elements of the same name in different cells are one."""
    devices, latches = float(heat.devices.mean()), float(heat.latches.mean())
    blocks = [BlockEnergy(layer=number, block="crossbar", heat=devices, parts={"devices": devices})]
    parts = {name: float(joules.mean()) for name, joules in heat.elements.items()}
    latching: list[float | None] = []
    for label, elements in _blocks(cells).items():
        own = {each.name: parts[each.name] for each, _ in elements if each.name in parts}
        amplifiers = list(dict.fromkeys(each.name for each, _ in elements if isinstance(each, Amplifier)))
        drawn = [(neurons, supplies.watts([each])) for each, neurons in elements]
        quiescent = known_sum(None if watts is None else neurons * seconds * watts for neurons, watts in drawn)
        if not own and not amplifiers:
            # All its switches are latches', whose heat is known for all of them together.
            latching.append(quiescent)
            continue
        lost = [supplies.volts / 2 * heat.charges[name] - heat.works[name] for name in amplifiers]
        known = float(np.sum(np.mean(lost, axis=1))) if lost else 0.0
        outputs = known if supplies.amplifiers_known or not lost else None
        blocks.append(
            BlockEnergy(
                layer=number, block=label, heat=sum(own.values()), parts=own, outputs=outputs, quiescent=quiescent
            )
        )  # fmt: skip
    latch = BlockEnergy(
        layer=number, block=LATCH, heat=latches, parts={"latches": latches}, quiescent=known_sum(latching)
    )
    return [*blocks, latch]


def _blocks(cells: LayerCells) -> dict[str, list[tuple[Element, int]]]:
    """Elements with the neurons that have them, by block, which is called what stands before its comment's colon."""
    found: dict[str, list[tuple[Element, int]]] = {}
    for cell, neurons in zip(cells.cells, np.bincount(cells.kinds).tolist(), strict=True):
        for block in cell.blocks:
            own = found.setdefault(block.comment.split(":")[0], [])
            own.extend((element, neurons) for element in block.elements)
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
