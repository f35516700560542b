"""The exact solver: a circuit and any number of stimuli to :class:`Waveforms`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from snn2circuit.errors import SimulationError
from snn2circuit.ir.circuit import Circuit
from snn2circuit.ir.network import Stimulus
from snn2circuit.ir.noun import Bools, Floats
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.simulate.exact.clocks import merge
from snn2circuit.simulate.exact.heat import Heat, group_heat, together
from snn2circuit.simulate.exact.march import march, march_joined
from snn2circuit.simulate.exact.phases import make_phases
from snn2circuit.simulate.exact.wiring import Group, read_circuit

TRACE_POINTS = 24  # per slot, beside the corners of the clocks

Values = TypeVar("Values", Floats, Bools)


class ExactSolver:
    """A circuit, ready to be simulated: its maps are computed once and serve any number of samples."""

    def __init__(self, circuit: Circuit) -> None:
        """Read the circuit and compute its maps.

        Raises:
            CircuitNotLinear: the circuit is not linear between known instants; the message says which element.
        """
        self.circuit = circuit
        self.slots = circuit.readout.steps + len(circuit.readout.membranes)
        self.groups = read_circuit(circuit, self.slots)
        self.phases = [make_phases(group) for group in self.groups]

    def own_stimulus(self) -> Stimulus:
        """What the circuit's own sources put on its input lines, as one sample."""
        volts = {line.node: line.volts for group in self.groups for line in group.lines if line.spike is None}
        missing = [node for node in self.circuit.inputs if node not in volts]
        if missing or not self.circuit.inputs:
            raise SimulationError(f"the circuit names no input lines, or lines that it does not have: {missing[:3]}")
        heights = np.stack([volts[node][: self.circuit.readout.steps] for node in self.circuit.inputs], axis=1)
        return Stimulus(
            inputs=heights[None] / self.circuit.volts_per_input, labels=np.array([-1]), indices=np.array([0])
        )

    def simulate(
        self,
        stimulus: Stimulus | None = None,
        *,
        workers: int | None = None,
        traces: bool = True,
        on_progress: Callable[[float], None] | None = None,
    ) -> Waveforms:
        """Simulate every sample of a stimulus.

        Args:
            stimulus: inputs ``(samples, steps, inputs)``, in place of the circuit's own; ``None``: the circuit's own.
            workers: threads; ``None``: one per processor.
            traces: also compute the first sample's full traces, not only the sampled values.
            on_progress: called with the share that is done, 0 to 1.

        Raises:
            SimulationError: the stimulus does not fit the circuit.
            SimulationDiverged: an amplifier left the range in which it is linear.
        """
        started = time.perf_counter()
        stimulus = stimulus or self.own_stimulus()
        readout = self.circuit.readout
        expected = (readout.steps, len(self.circuit.inputs))
        if stimulus.inputs.shape[1:] != expected or stimulus.samples == 0:
            raise SimulationError(
                f"the stimulus has shape {stimulus.inputs.shape}; the circuit takes (samples, steps, inputs) with "
                f"{expected[0]} steps of {expected[1]} inputs and at least one sample"
            )
        membranes: list[Floats] = []
        spikes: list[Bools] = []
        for number, (group, phases) in enumerate(zip(self.groups, self.phases, strict=True), start=1):
            currents = self._currents(group, stimulus.inputs, spikes)
            membrane, spike = march(phases, currents, self.slots, group.spike, workers or os.cpu_count() or 1)
            membranes.append(membrane)
            spikes.append(spike)
            if on_progress:
                on_progress(number / len(self.groups))
        instants, curves = self._traces(stimulus.inputs[:1]) if traces else (np.empty(0), None)
        return Waveforms(
            stimulus=stimulus,
            readout=readout,
            membranes=self._read(membranes, readout.membranes, 0),
            # A spike of a step is what the latch holds in the slot after it.
            spikes=self._read(spikes, readout.spikes, 1),
            time=instants,
            traces=np.empty((len(readout.nodes), 0)) if curves is None else curves,
            seconds=np.full(stimulus.samples, (time.perf_counter() - started) / stimulus.samples),
            simulator="exact solver",
        )

    def heat(self, stimulus: Stimulus) -> tuple[tuple[Heat, ...], tuple[Bools, ...]]:
        """What every layer's crossbars and cells turn into heat, and the spikes as in :class:`Waveforms`.

        Raises:
            SimulationError: a line has resistance, so that what the devices take is not known from the bit lines.
            SimulationDiverged: an amplifier left the range in which it is linear.
        """
        found: list[Heat] = []
        spikes: list[Bools] = []
        for group in self.groups:
            if group.load.joined:
                raise SimulationError(f"{group.name}: heat is computed for lines without resistance")
            alone = replace(group, transfer=np.eye(len(group.lines)))
            heights = self._currents(alone, stimulus.inputs, spikes)
            heat, fired = group_heat(group, heights, self.slots, self.circuit.readout.timing.latched)
            found.append(heat)
            spikes.append(fired)
        nodes = self.circuit.readout.spikes
        layers = [
            [heat for heat, group in zip(found, self.groups, strict=True) if not group.ports.keys().isdisjoint(layer)]
            for layer in nodes
        ]
        return tuple(together(layer) for layer in layers), self._read(spikes, nodes, 1)

    def _currents(self, group: Group, inputs: Floats, spikes: Sequence[Bools]) -> Floats:
        """Short-circuit currents of a group's bit lines at a drive of unit height, A.

        ``(samples, slots, columns·bits)``, or one slot that stands for all where nothing changes: the whole first
        layer of a network with constant inputs is one product.
        """
        places = {node: index for index, node in enumerate(self.circuit.inputs)}
        driven = [row for row, line in enumerate(group.lines) if line.node in places]
        fixed = [row for row, line in enumerate(group.lines) if line.node not in places and line.spike is None]
        sources = sorted({line.spike[0] for line in group.lines if line.spike})
        volts = np.array([group.lines[row].volts for row in fixed]).reshape(len(fixed), self.slots)
        steady = not sources and (volts == volts[:, :1]).all() and (inputs == inputs[:, :1]).all()
        slots = 1 if steady else self.slots
        currents = np.zeros((len(inputs), slots, group.transfer.shape[1]))
        currents += volts.T[:slots] @ group.transfer[fixed]
        if driven:
            taken = inputs[:, :slots, [places[group.lines[row].node] for row in driven]]
            currents[:, : taken.shape[1]] += taken @ (group.transfer[driven] * self.circuit.volts_per_input)
        for source in sources:
            rows = [
                (row, line.spike[1]) for row, line in enumerate(group.lines) if line.spike and line.spike[0] == source
            ]
            heights = np.array([group.lines[row].volts for row, _ in rows]).T
            fired = spikes[source][:, :, [column for _, column in rows]] * heights
            currents += fired @ group.transfer[[row for row, _ in rows]]
        return currents

    def _read(self, values: Sequence[Values], nodes: tuple[tuple[str, ...], ...], delay: int) -> tuple[Values, ...]:
        """Values at the readout's nodes layer by layer, from each layer's first slot on."""
        where = {
            node: (number, place[0]) for number, group in enumerate(self.groups) for node, place in group.ports.items()
        }
        steps = self.circuit.readout.steps
        return tuple(
            np.stack(
                [values[where[node][0]][:, first : first + steps, where[node][1]] for node in layer], axis=2
            )
            for first, layer in enumerate(nodes, start=delay)
        )  # fmt: skip

    def _traces(self, inputs: Floats) -> tuple[Floats, Floats]:
        """Time axis ``(points,)`` and voltages ``(nodes, points)`` of the readout's nodes for one sample."""
        slot, nodes = self.circuit.readout.timing.slot, self.circuit.readout.nodes
        corners = [instant for group in self.groups for instant in (*group.columns.instants, *group.drive.instants)]
        even = slot * np.arange(1, TRACE_POINTS + 1) / TRACE_POINTS
        marks = merge([*corners, *even.tolist()], slot)
        spikes: list[Bools] = []
        traces: dict[str, Floats] = {}
        for group in self.groups:
            phases = make_phases(group, marks)
            membrane, spike = march_joined(phases, self._currents(group, inputs, spikes), self.slots, group.spike)
            spikes.append(spike[:, :, phases.shown])
            latch = group.columns.holds[group.spike]
            curves = {group.membrane: membrane[0], latch.node: spike[0] * latch.high}
            for node, (column, port) in group.ports.items():
                if port in curves:
                    traces[node] = curves[port].reshape(-1, phases.columns)[:, column]
        instants = np.arange(self.slots)[:, None] * slot + np.array(marks)
        voltages = np.stack([traces[node] for node in nodes])
        return np.append(0.0, instants), np.hstack([np.zeros((len(nodes), 1)), voltages])
