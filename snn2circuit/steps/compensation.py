"""Compensation of real parts, measured in the exact solver, with its effect on spikes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from snn2circuit.analysis import Equivalence, compare_circuit
from snn2circuit.errors import CompareError
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.network import Stimulus
from snn2circuit.ir.noun import Floats, noun
from snn2circuit.ir.parasitics import Parasitics
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.mapping import LayerCompensation, compensate_network
from snn2circuit.netlist import build_circuit

SAMPLES = 500  # test samples on which spikes are compared before and after


@noun
class Compensation:
    """What trimming did to the layers, and to the spikes of a stimulus in the exact solver."""

    layers: tuple[LayerCompensation, ...]
    before: Equivalence
    after: Equivalence

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "samples": self.after.samples,
            "spikes_compared": self.after.spikes_compared,
            "spike_mismatches_before": self.before.mismatches,
            "spike_mismatches_after": self.after.mismatches,
            "samples_exact_before": self.before.samples_exact,
            "samples_exact_after": self.after.samples_exact,
            "worst_membrane_error_before": self.before.worst_membrane_error,
            "worst_membrane_error_after": self.after.worst_membrane_error,
            "layers": [dataclasses.asdict(layer) for layer in self.layers],
        }


def compensate_parts(
    crossbar: CrossbarNetwork, stimulus: Stimulus, parasitics: Parasitics | None = None
) -> tuple[CrossbarNetwork, Compensation]:
    """Trim ``crossbar`` until its circuit adds what its network says, and compare spikes on ``stimulus``."""

    def measure(number: int, alone: CrossbarNetwork, inputs: Floats) -> Floats:
        lines = None if parasitics is None else Parasitics(layers=parasitics.layers[number - 1 : number])
        nothing = np.full(len(inputs), -1)
        drives = Stimulus(inputs=inputs, labels=nothing, indices=np.arange(len(inputs)))
        return solve_exactly(alone, drives, lines).membranes[0][:, -1] / alone.layers[0].volts_per_unit

    trimmed, layers = compensate_network(crossbar, measure)
    before, after = (compare_circuit(each, solve_exactly(each, stimulus, parasitics)) for each in (crossbar, trimmed))
    return trimmed, Compensation(layers=layers, before=before, after=after)


def solve_exactly(crossbar: CrossbarNetwork, stimulus: Stimulus, parasitics: Parasitics | None = None) -> Waveforms:
    """Sampled membranes and spikes of every sample, without traces."""
    # The solver compiles; only who compensates waits for that.
    from snn2circuit.simulate.exact import ExactSolver

    if stimulus.samples == 0:
        raise CompareError("the stimulus has no sample; give at least one")
    circuit = build_circuit(crossbar, stimulus.inputs[0], crossbar.name, parasitics=parasitics)
    return ExactSolver(circuit).simulate(stimulus, traces=False)
