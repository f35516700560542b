"""How a sample becomes the drive of the first layer: normalised once, then presented step by step.

A sample ``x`` is normalised to ``v = (x - offset) / scale``; 0.1307 and 0.3081 make the "normalised" inputs of most
MNIST tutorials. Word lines take any sign, so a negative ``v`` is a negative voltage. Then, over ``T`` steps:

``constant``
    ``v`` in every step, an analog current.
``rate``
    A spike in each step with probability ``v``. The draws are a function of ``(seed, index of the sample, draw)``
    alone: the raw words of the counter-based generator Philox4x64-10 under the key ``(seed, index)`` with ``draw`` in
    the highest word of its counter (J. K. Salmon et al., SC'11, doi:10.1145/2063384.2063405), the same on every
    machine. Their 32-bit halves, low before high, fill the steps in order, and an input spikes where its number lies
    below ``v · 2³²``. So the model, snnTorch and the circuit see the same spikes; training takes a new ``draw`` every
    epoch, everything else draw 0.
``latency``
    One spike, the earlier the larger ``v``, as ``snntorch.spikegen.latency`` with ``normalize=True``. Linear:
    ``t = (T - 1) · min(1 - v, 1 - threshold)``; logarithmic: ``t = (T - 1) · L(v) / L(0)`` with
    ``L(v) = ln(u / (u - threshold))``, ``u = max(v, threshold + 1e-7)``; both rounded to the nearest step, halves to
    even. Inputs below ``threshold`` spike in the last step, or never with ``clip``. snnTorch divides the logarithmic
    code by the latest time that occurs in the batch; here it is the latest that can occur, which is the same as soon
    as one input of the batch is at or below the threshold, and does not depend on the neighbours of a sample.
``given``
    The sample already has steps, ``(steps, inputs)``: spikes or analog values, normalised and otherwise left alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn2circuit.errors import DataError, NetworkError
from snn2circuit.ir.noun import Bools, Floats, Ints

ENCODINGS = ("constant", "rate", "latency", "given")
PROBABILITIES = ("rate", "latency")  # encodings of values in 0..1
LOG_EPSILON = 1e-7  # keeps the logarithm finite at the threshold, as in snnTorch
MAX_SEED = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """Normalisation and encoding of a network's inputs; compares by value."""

    kind: str = "constant"  # one of ENCODINGS
    offset: float = 0.0  # subtracted from every input
    scale: float = 1.0  # what is left is divided by this
    seed: int = 0  # of the draws (rate)
    threshold: float = 0.01  # normalised input below which there is no code (latency)
    linear: bool = True  # linear code, or else logarithmic (latency)
    clip: bool = True  # inputs below the threshold never spike, or else in the last step (latency)

    def __post_init__(self) -> None:
        if self.kind not in ENCODINGS:
            raise NetworkError(f"encoding {self.kind!r} is not known; allowed: {', '.join(ENCODINGS)}")
        if not math.isfinite(self.offset) or not (math.isfinite(self.scale) and self.scale > 0):
            raise NetworkError(
                f"inputs cannot be normalised with offset {self.offset} and scale {self.scale}; "
                "both must be finite and the scale above 0"
            )
        if not 0 <= self.seed <= MAX_SEED:
            raise NetworkError(f"the seed of an encoding is {self.seed}; allowed are 0..{MAX_SEED}")
        if not 0 < self.threshold < 1:
            raise NetworkError(f"the threshold of an encoding is {self.threshold}; it must lie between 0 and 1")

    @property
    def varies(self) -> bool:
        """Whether the drive may differ from step to step."""
        return self.kind != "constant"

    def normalise(self, samples: Floats) -> Floats:
        """``(samples - offset) / scale``, any shape."""
        values = np.asarray(samples, dtype=np.float64)
        # The usual case costs seconds on a large set, and changes nothing.
        return values if (self.offset, self.scale) == (0, 1) else (values - self.offset) / self.scale

    def encode(self, samples: Floats, steps: int, indices: Ints | None = None, draw: int = 0) -> Floats:
        """The drive ``(samples, steps, inputs)``.

        Args:
            samples: ``(samples, inputs)``, or ``(samples, steps, inputs)`` if they are given step by step.
            steps: steps to present them for.
            indices: place of each sample in its split, which decides its draws; ``None`` counts from 0.
            draw: which of the independent draws.

        Raises:
            DataError: the samples have no steps or too many, or values outside 0..1 where those are probabilities.
        """
        values = self.normalise(samples)
        self.check(values, steps)
        places = np.arange(len(values)) if indices is None else np.asarray(indices, dtype=np.int64)
        return self.present(values, steps, places, draw).astype(np.float64, copy=False)

    def check(self, values: Floats, steps: int) -> None:
        """Refuse normalised ``values`` that cannot be encoded; arguments and errors as in :meth:`encode`."""
        if values.ndim != (3 if self.kind == "given" else 2):
            needed = "(samples, steps, inputs)" if self.kind == "given" else "(samples, inputs)"
            way_out = "'given' is for samples that already have steps; the other encodings make them"
            raise DataError(f"encoding {self.kind!r} takes {needed}; the samples have shape {values.shape}: {way_out}")
        if self.kind == "given" and values.shape[1] != steps:
            raise DataError(f"the samples are given over {values.shape[1]} steps, the network runs {steps}; set steps")
        if self.kind in PROBABILITIES and values.size and not (values.min() >= 0 and values.max() <= 1):
            sample, channel = (int(v) for v in np.argwhere(~((values >= 0) & (values <= 1)))[0])
            raise DataError(
                f"encoding {self.kind!r} takes inputs in 0..1, but input {channel} of sample {sample} is "
                f"{values[sample, channel]:.4g} after normalisation ({self.formula}); normalise to the range 0..1, "
                "or use the encoding 'constant'"
            )

    def present(self, values: Floats, steps: int, indices: Ints, draw: int = 0) -> NDArray[Any]:
        """The drive of normalised ``values`` that passed :meth:`check`; spikes as truth values."""
        match self.kind:
            case "constant":
                # A view without a copy; whoever sees that every step is the same vector may reckon with it once.
                return np.broadcast_to(values[:, None, :], (len(values), steps, values.shape[1]))
            case "rate":
                return self._bernoulli(values, steps, indices, draw)
            case "latency":
                return self._first_spikes(values, steps)
            case _:
                return values

    def limits(self, samples: Floats | None) -> tuple[float, float]:
        """Lowest and highest drive that encoding ``samples`` can give; ``None`` stands for any samples in 0..1."""
        if self.kind in PROBABILITIES:
            return 0.0, 1.0
        ends = np.array([0.0, 1.0]) if samples is None else np.array([np.min(samples), np.max(samples)])
        low, high = self.normalise(ends)
        return float(low), float(high)

    @property
    def formula(self) -> str:
        """The normalisation in words."""
        if (self.offset, self.scale) == (0.0, 1.0):
            return "inputs as they are"
        return f"(input - {self.offset:.6g}) / {self.scale:.6g}"

    def __str__(self) -> str:
        latency = (
            f"{'linear' if self.linear else 'logarithmic'}, threshold {self.threshold:g}" + ", clipped" * self.clip
        )
        extra = {"rate": f" (seed {self.seed})", "latency": f" ({latency})"}.get(self.kind, "")
        return f"{self.kind}{extra}, {self.formula}"

    def _bernoulli(self, values: Floats, steps: int, indices: Ints, draw: int) -> Bools:
        count = steps * values.shape[1]
        # `number < v · 2³²` in whole numbers of 32 bits: `number <= ceil(v · 2³²) - 1`, and never for 0.
        highest, possible = (np.ceil(np.maximum(values * 2.0**32, 1.0)) - 1).astype(np.uint32), values > 0
        spikes = np.empty((len(values), steps, values.shape[1]), dtype=np.bool_)
        for row, index in enumerate(indices):
            words = np.random.Philox(key=[self.seed, int(index)], counter=[0, 0, 0, draw]).random_raw((count + 1) // 2)
            numbers = np.asarray(words, dtype="<u8").view("<u4")[:count].reshape(spikes.shape[1:])
            np.less_equal(numbers, highest[row], out=spikes[row])
        spikes &= possible[:, None, :]
        return spikes

    def _first_spikes(self, values: Floats, steps: int) -> Bools:
        if self.linear:
            times = (steps - 1) * np.minimum(1 - values, 1 - self.threshold)
        else:
            reached = np.maximum(values, self.threshold + LOG_EPSILON)
            latest = math.log((self.threshold + LOG_EPSILON) / LOG_EPSILON)
            times = (steps - 1) * np.log(reached / (reached - self.threshold)) / latest
        # An input below the threshold spikes in no step when clipped.
        steps_hit = np.where(self.clip & (values < self.threshold), -1, np.round(times)).astype(np.int64)
        hits: Bools = steps_hit[:, None, :] == np.arange(steps)[:, None]
        return hits


CONSTANT = Encoding()  # every sample as it is, in every step
