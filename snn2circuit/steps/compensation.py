"""Compensation of real parts and lines, measured in the exact solver, with its effect on spikes.

Where a printed resistor meets its lines depends on its value. So what is trimmed against lines that were measured on
masks has other masks, with lines a little different: they are measured once more and conductances trimmed against them,
until both agree.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from snn2circuit.analysis import Equivalence, compare_circuit
from snn2circuit.errors import CompareError
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.network import Stimulus
from snn2circuit.ir.noun import Floats, noun
from snn2circuit.ir.parasitics import Parasitics
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.mapping import (
    LayerCompensation,
    Measure,
    Sketch,
    Values,
    compensate_network,
    trim_printed,
    weight_error,
)
from snn2circuit.netlist import build_circuit, crossbar_arrays, crossbar_parts
from snn2circuit.simulate.crossbar import sketch_transfer
from snn2circuit.simulate.equivalents import Equivalents

SAMPLES = 500  # test samples on which spikes are compared before and after
AGAIN = 4  # times that lines are measured on the masks of what was trimmed, and it is trimmed against them
BETTER = 0.5  # of the largest error; if a round leaves more, masks and trims agree as far as printable values can


@noun
class Compensation:
    """What trimming did to the layers, and to the spikes of a stimulus in the exact solver."""

    layers: tuple[LayerCompensation, ...]
    before: Equivalence | None  # None: no samples to compare spikes on
    after: Equivalence | None

    @property
    def kept(self) -> bool:
        """Whether the trims are worth keeping: no more spikes differ than without them, as far as is known."""
        return self.before is None or self.after is None or self.after.mismatches <= self.before.mismatches

    @property
    def left(self) -> str:
        """What was left untrimmed and why, in words; empty where nothing was."""
        if self.before is not None and self.after is not None and not self.kept:
            return (
                f"trimmed, {self.after.mismatches:,} spikes would differ instead of {self.before.mismatches:,}: "
                "conductances stay untrimmed"
            )
        layers = ", ".join(str(layer.layer) for layer in self.layers if not layer.trimmed)
        return f"weights of layer {layers} would be further off trimmed and stay as they are" if layers else ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; what is not known is null."""

        def both(name: str, value: Callable[[Equivalence], float]) -> dict[str, float | None]:
            pairs = (("before", self.before), ("after", self.after))
            return {f"{name}_{when}": None if each is None else value(each) for when, each in pairs}

        return {
            "kept": self.kept,
            "samples": None if self.after is None else self.after.samples,
            "spikes_compared": None if self.after is None else self.after.spikes_compared,
            **both("spike_mismatches", lambda each: each.mismatches),
            **both("samples_exact", lambda each: each.samples_exact),
            **both("worst_membrane_error", lambda each: each.worst_membrane_error),
            "layers": [
                {**dataclasses.asdict(layer), "short": [list(each) for each in layer.short]} for layer in self.layers
            ],
        }

    def __str__(self) -> str:
        if self.before is None or self.after is None:
            worst = max(layer.worst_after for layer in self.layers)
            return f"compensated: weights are off by {worst:.1e} at most; there are no samples to compare spikes on"
        done = self.after if self.kept else self.before
        text = (
            f"compensated: {self.before.mismatches:,} spikes differed, {done.mismatches:,} of "
            f"{done.spikes_compared:,} do now, over {done.samples} samples in the exact solver"
        )
        return f"{text}; {self.left}" if self.left else text


def compensate_parts(
    crossbar: CrossbarNetwork,
    stimulus: Stimulus | None,
    parasitics: Parasitics | None = None,
    values: Sequence[Values] | None = None,
    lines: Callable[[CrossbarNetwork], Parasitics | None] | None = None,
) -> tuple[CrossbarNetwork, Compensation]:
    """Trim ``crossbar`` until its circuit adds what its network says, and compare spikes on ``stimulus``, if any.

    Args:
        crossbar: mapped.
        stimulus: samples to compare spikes on.
        parasitics: its lines.
        values: layer by layer, what its devices can be printed with; they stay on these.
        lines: how lines are measured, for devices that are printed and therefore move where they meet them.

    Returns:
        The trimmed network, or ``crossbar`` itself where trimming would let more spikes differ; what was done.
    """
    equivalents = Equivalents()

    def compare(made: CrossbarNetwork, wires: Parasitics | None) -> Equivalence | None:
        return None if stimulus is None else compare_circuit(made, solve_exactly(made, stimulus, wires, equivalents))

    before, sketch = compare(crossbar, parasitics), None if parasitics is None else _sketch_with(parasitics)
    trimmed, layers = compensate_network(crossbar, _measure_with(parasitics, equivalents), sketch, values)
    if values is not None and lines is not None:
        trimmed, parasitics, left = _agree(trimmed, values, lines)
        layers = tuple(replace(layer, worst_after=error) for layer, error in zip(layers, left, strict=True))
    done = Compensation(layers=layers, before=before, after=compare(trimmed, parasitics))
    return trimmed if done.kept else crossbar, done


def _agree(
    trimmed: CrossbarNetwork, values: Sequence[Values], lines: Callable[[CrossbarNetwork], Parasitics | None]
) -> tuple[CrossbarNetwork, Parasitics | None, tuple[float, ...]]:
    """What is trimmed against the lines of its own masks, with these lines and the largest error of each layer."""
    best, measured = trimmed, lines(trimmed)
    left = weight_error(best, _measure_with(measured))
    for _ in range(AGAIN):
        trimmed = trim_printed(best, _measure_with(measured), values)
        own = lines(trimmed)
        error = weight_error(trimmed, _measure_with(own))
        agreed = max(error) > BETTER * max(left)
        if max(error) < max(left):
            best, measured, left = trimmed, own, error
        if agreed:
            break
    return best, measured, left


def _measure_with(parasitics: Parasitics | None, equivalents: Equivalents | None = None) -> Measure:
    def measure(number: int, alone: CrossbarNetwork, inputs: Floats) -> Floats:
        nothing = np.full(len(inputs), -1)
        drives = Stimulus(inputs=inputs, labels=nothing, indices=np.arange(len(inputs)))
        waveforms = solve_exactly(alone, drives, _of_layer(parasitics, number), equivalents)
        return waveforms.membranes[0][:, -1] / alone.layers[0].volts_per_unit

    return measure


def _sketch_with(parasitics: Parasitics) -> Sketch:
    def sketch(number: int, alone: CrossbarNetwork) -> Floats:
        (layer,), lines = alone.layers, _of_layer(parasitics, number)
        weights = np.empty((layer.rows, layer.columns))
        (arrays,) = crossbar_arrays(alone, lines)
        for part, array in zip(crossbar_parts(1, layer, lines), arrays, strict=True):
            siemens = sketch_transfer(array.siemens, array.lines)
            weights[part.rows, part.columns] = siemens[:, ::2] - siemens[:, 1::2]
        return weights / (layer.gain * layer.siemens_per_unit)

    return sketch


def solve_exactly(
    crossbar: CrossbarNetwork,
    stimulus: Stimulus,
    parasitics: Parasitics | None = None,
    equivalents: Equivalents | None = None,
) -> Waveforms:
    """Sampled membranes and spikes of every sample, without traces; ``equivalents`` spare what is reduced already."""
    # The solver compiles; only who compensates waits for that.
    from snn2circuit.simulate.exact import ExactSolver

    if stimulus.samples == 0:
        raise CompareError("the stimulus has no sample; give at least one")
    circuit = build_circuit(crossbar, stimulus.inputs[0], crossbar.name, parasitics=parasitics)
    if equivalents:
        circuit = equivalents.stand_in(circuit)
    return ExactSolver(circuit).simulate(stimulus, traces=False)


def _of_layer(parasitics: Parasitics | None, number: int) -> Parasitics | None:
    """The lines of layer ``number``, from 1, alone."""
    return None if parasitics is None else Parasitics(layers=parasitics.layers[number - 1 : number])
