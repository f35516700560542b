"""The trained network: affine maps, one neuron model per layer, and the spikes it makes.

A :class:`Network` is the dimensionless truth that everything after it is judged against. :meth:`Network.run` steps it
in float64 with the exact updates of snnTorch; the tests hold it against snnTorch itself, spike for spike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from snn2circuit.errors import NetworkError
from snn2circuit.ir.encoding import CONSTANT, Encoding
from snn2circuit.ir.layer import AnyLayer
from snn2circuit.ir.layer import Layer as Layer
from snn2circuit.ir.noun import Bools, Floats, Ints, freeze, freeze_each, noun
from snn2circuit.ir.parts import fires
from snn2circuit.ir.per_neuron import wrong_count

# What makes an output win, in words.
DECISIONS = {"membrane": "the largest membrane summed over the steps", "count": "the most spikes"}


@noun
class Activity:
    """What a network did: membranes and spikes of every layer, sample, step and neuron."""

    membranes: tuple[Floats, ...]  # per layer (samples, steps, neurons), dimensionless
    spikes: tuple[Bools, ...]  # per layer (samples, steps, neurons)

    def __post_init__(self) -> None:
        membranes, spikes = freeze_each(self, "membranes", np.float64), freeze_each(self, "spikes", np.bool_)
        if [m.shape for m in membranes] != [s.shape for s in spikes]:
            raise NetworkError("membranes and spikes of an activity differ in shape")

    def predictions(self, decision: str) -> Ints:
        """Class of each sample: the output with the largest summed membrane, or with the most spikes.

        Ties go to the first of the outputs that share the largest value. Summed membranes hardly ever tie; spike
        counts do, and are read as snnTorch's ``accuracy_rate`` reads them.

        Args:
            decision: ``membrane`` or ``count``, the :attr:`Network.decision` of the network that was active.
        """
        votes = self.membranes[-1] if decision == "membrane" else self.spikes[-1]
        predicted: Ints = np.argmax(votes.sum(axis=1), axis=1)
        return predicted


@noun
class Stimulus:
    """Inputs to present, with the labels they carry and the place they had in their dataset."""

    inputs: Floats  # (samples, steps, inputs), dimensionless
    labels: Ints  # (samples,), class index; -1 where unknown
    indices: Ints  # (samples,), index in the dataset's test split

    def __post_init__(self) -> None:
        inputs = freeze(self, "inputs", np.float64)
        labels, indices = freeze(self, "labels", np.int64), freeze(self, "indices", np.int64)
        if inputs.ndim != 3 or labels.shape != inputs.shape[:1] or indices.shape != inputs.shape[:1]:
            raise NetworkError(
                f"stimulus inputs {inputs.shape}, labels {labels.shape}, indices {indices.shape}: "
                "expected (samples, steps, inputs), (samples,), (samples,)"
            )
        if not np.isfinite(inputs).all():
            sample, step, channel = (int(v) for v in np.argwhere(~np.isfinite(inputs))[0])
            raise NetworkError(f"stimulus input is not finite: sample {sample}, step {step}, input {channel}")

    @property
    def samples(self) -> int:
        """Number of samples."""
        return int(self.inputs.shape[0])

    def pick(self, numbers: Sequence[int]) -> Stimulus:
        """These samples of it, in this order, counted from 0."""
        chosen = np.array(numbers, dtype=np.int64)
        return Stimulus(inputs=self.inputs[chosen], labels=self.labels[chosen], indices=self.indices[chosen])


@noun
class Network:
    """A feed-forward spiking network in snnTorch's terms, with the protocol it was trained under."""

    name: str
    layers: tuple[AnyLayer, ...]
    steps: int
    dataset: str = ""  # name of the dataset it was trained on, or empty
    encoding: Encoding = CONSTANT  # how samples become the drive of the first layer
    decision: str = "membrane"  # what makes an output win, one of DECISIONS

    def __post_init__(self) -> None:
        if not self.layers:
            raise NetworkError("a network needs at least one layer")
        if self.steps < 1:
            raise NetworkError(f"steps is {self.steps}; a network needs at least 1")
        if not isinstance(self.encoding, Encoding):
            raise NetworkError(f"encoding is {self.encoding!r}; an Encoding is needed")
        if self.decision not in DECISIONS:
            raise NetworkError(f"decision {self.decision!r} is not known; allowed: {', '.join(DECISIONS)}")
        for number, layer in enumerate(self.layers, start=1):
            for what, values in layer.arrays():
                if not np.isfinite(values).all():
                    where = tuple(int(v) for v in np.argwhere(~np.isfinite(values))[0])
                    raise NetworkError(
                        f"layer {number}: {what} at {where} is {values[where]}; only finite values "
                        "can become devices, train again or mend the file"
                    )
            if wrong := wrong_count(layer.neuron, layer.outputs):
                raise NetworkError(f"layer {number}: {wrong}")
            if number > 1 and layer.inputs != self.layers[number - 2].outputs:
                raise NetworkError(
                    f"layer {number} takes {layer.inputs} inputs, "
                    f"but layer {number - 1} has {self.layers[number - 2].outputs} neurons"
                )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Inputs, then the neurons of each layer, e.g. ``(64, 32, 10)``."""
        return (self.layers[0].inputs, *(layer.outputs for layer in self.layers))

    def encode(self, samples: Floats, indices: Ints | None = None) -> Floats:
        """The drive ``(samples, steps, inputs)`` of ``samples`` ``(samples, inputs)``.

        Samples that are given step by step are ``(samples, steps, inputs)`` already. ``indices`` are their places in
        their split, which decide the draws of a rate encoding; ``None`` counts from 0.

        Raises:
            NetworkError: the samples have another number of inputs.
            DataError: the encoding does not take such samples.
        """
        samples = np.asarray(samples, dtype=np.float64)
        if samples.ndim not in (2, 3) or samples.shape[-1] != self.sizes[0]:
            raise NetworkError(f"inputs have shape {samples.shape}; the network takes (samples, {self.sizes[0]})")
        return self.encoding.encode(samples, self.steps, indices)

    def run(self, inputs: Floats) -> Activity:
        """Membranes and spikes for ``inputs`` ``(samples, steps, inputs)``, in float64.

        Raises:
            NetworkError: the inputs have another shape.
        """
        membranes, spikes = [], []
        for membrane, fired, _ in self._layers(inputs):
            membranes.append(membrane)
            spikes.append(fired)
        return Activity(membranes=tuple(membranes), spikes=tuple(spikes))

    def largest_states(self, inputs: Floats) -> tuple[float, ...]:
        """Largest magnitude of any state, membrane or other, in each layer for ``inputs`` as in :meth:`run`."""
        return tuple(largest for _, _, largest in self._layers(inputs))

    def _layers(self, inputs: Floats) -> Iterator[tuple[Floats, Bools, float]]:
        """Membranes, spikes and largest state of each layer in turn."""
        inputs = np.asarray(inputs, dtype=np.float64)
        if inputs.ndim != 3 or inputs.shape[2] != self.sizes[0]:
            raise NetworkError(f"inputs have shape {inputs.shape}; the network takes (samples, steps, {self.sizes[0]})")
        signal: Floats = inputs
        for layer in self.layers:
            # A constant input is a view whose steps are one vector: its product is the same in every step.
            held = signal.shape[1] > 1 and signal.strides[1] == 0
            current = layer.current(signal[:, :1] if held else signal)
            current = np.broadcast_to(current, (len(signal), signal.shape[1], layer.outputs))
            membrane = np.empty(current.shape)
            state = layer.neuron.start((current.shape[0], layer.outputs))
            largest = 0.0
            for step in range(current.shape[1]):
                state = layer.neuron.advance(state, current[:, step])
                membrane[:, step] = state[0]
                largest = max(largest, *(float(np.abs(each).max(initial=0.0)) for each in state))
            fired = fires(layer.neuron, membrane)
            yield membrane, fired, largest
            signal = fired.astype(np.float64)

    def predict(self, samples: Floats, batch: int = 1000) -> Ints:
        """Class of each of ``samples``, a whole split as :meth:`encode` takes it, in batches to bound memory."""
        places = np.arange(len(samples))
        parts = [
            self.run(self.encode(samples[i : i + batch], places[i : i + batch])).predictions(self.decision)
            for i in range(0, len(samples), batch)
        ]
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
