"""What came out of a simulation: sampled membranes and spikes for every sample, full traces for one.

Recording every time point of every neuron of every sample would fill a disk and nobody would look at it; the sampled
values decide equivalence, and one sample's full traces show why.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from snn2circuit.errors import CompareError, NetlistError
from snn2circuit.ir.circuit import Readout
from snn2circuit.ir.network import Stimulus
from snn2circuit.ir.noun import Bools, Floats, freeze, freeze_each, noun


@noun
class Netlist:
    """A folder of decks, one per sample, and how to read what they give."""

    decks: tuple[str, ...]  # file names inside the folder, one per sample
    stimulus: Stimulus
    readout: Readout
    written: tuple[tuple[str, str], ...] = ()  # (file, SHA-256) of everything in the folder

    def __post_init__(self) -> None:
        if len(self.decks) != self.stimulus.samples:
            raise NetlistError(f"{len(self.decks)} decks for {self.stimulus.samples} samples")
        for deck in self.decks:
            if deck != PurePosixPath(deck).name or deck in ("", ".", ".."):
                raise NetlistError(f"deck {deck!r} must be a file name without a folder")


@noun
class Waveforms:
    """Simulated voltages, and the spikes read from them at the instants the :class:`Readout` names."""

    stimulus: Stimulus
    readout: Readout
    membranes: tuple[Floats, ...]  # per layer (samples, steps, neurons), V, at the end of each step's slot
    spikes: tuple[Bools, ...]  # per layer (samples, steps, neurons), latched
    time: Floats  # (points,), s, of the first sample
    traces: Floats  # (nodes, points), V, of the first sample; rows follow readout.nodes
    seconds: Floats  # (samples,), wall seconds each simulation took
    simulator: str  # name and version of what simulated

    def __post_init__(self) -> None:
        time, traces = freeze(self, "time", np.float64), freeze(self, "traces", np.float64)
        if freeze(self, "seconds", np.float64).shape != (self.stimulus.samples,):
            raise CompareError("seconds must hold one number per sample")
        if traces.shape != (len(self.readout.nodes), len(time)):
            raise CompareError(f"traces have shape {traces.shape}; expected {(len(self.readout.nodes), len(time))}")
        for name, dtype in (("membranes", np.float64), ("spikes", np.bool_)):
            for layer, (values, nodes) in enumerate(
                zip(freeze_each(self, name, dtype), self.readout.membranes, strict=True), start=1
            ):
                expected = (self.stimulus.samples, self.readout.steps, len(nodes))
                if values.shape != expected:
                    raise CompareError(f"{name} of layer {layer} have shape {values.shape}; expected {expected}")

    def pick(self, numbers: Sequence[int]) -> Waveforms:
        """These samples of it, in this order, counted from 0; full traces only if the first one stays the first.

        Raises:
            CompareError: there is no sample of that number.
        """
        for number in numbers:
            if not 0 <= number < self.stimulus.samples:
                raise CompareError(f"there is no sample {number}; the waveforms hold 0 to {self.stimulus.samples - 1}")
        chosen, points = list(numbers), len(self.time) if list(numbers[:1]) == [0] else 0
        return Waveforms(
            stimulus=self.stimulus.pick(chosen),
            readout=self.readout,
            membranes=tuple(layer[chosen] for layer in self.membranes),
            spikes=tuple(layer[chosen] for layer in self.spikes),
            time=self.time[:points],
            traces=self.traces[:, :points],
            seconds=self.seconds[chosen],
            simulator=self.simulator,
        )
