"""A split as training takes it: normalised once, encoded batch by batch."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from snn2circuit.ir.dataset import Split
from snn2circuit.ir.encoding import PROBABILITIES, Encoding
from snn2circuit.ir.noun import Ints


class Samples:
    """Labelled samples of a split, ready to be presented to a :class:`~snn2circuit.training.models.SpikingNet`."""

    def __init__(self, split: Split, encoding: Encoding, steps: int, places: Ints | None = None) -> None:
        """Take the samples at ``places`` of ``split``, all by default.

        Raises:
            DataError: the encoding does not take such samples.
        """
        self.places: Ints = np.arange(len(split.labels)) if places is None else places
        values = encoding.normalise(split.inputs[self.places])
        encoding.check(values, steps)
        # Probabilities stay in double precision, so that a network in numpy draws the very same spikes.
        exact = encoding.kind in PROBABILITIES
        self.values = torch.from_numpy(values) if exact else torch.tensor(values, dtype=torch.float32)
        self.labels = torch.tensor(split.labels[self.places])
        self.encoding, self.steps = encoding, steps

    def __len__(self) -> int:
        return len(self.labels)

    def present(
        self, chosen: Tensor, *, draw: int = 0, noise: float = 0.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """The drive of the samples ``chosen``, as ``SpikingNet.forward`` takes it, in single precision.

        Args:
            chosen: positions among these samples.
            draw: which of the independent draws of a rate encoding.
            noise: standard deviation of Gaussian noise on the normalised values, which are clipped to 0..1 again where
                the encoding needs that.
            generator: of the noise.
        """
        values = self.values[chosen]
        if noise:
            values = values + noise * torch.randn(values.shape, generator=generator)
        if not self.encoding.varies:
            return values
        if noise and self.encoding.kind in PROBABILITIES:
            values = values.clamp(0, 1)
        drive = self.encoding.present(values.numpy(), self.steps, self.places[chosen.numpy()], draw)
        return torch.from_numpy(drive.transpose(1, 0, 2)).to(torch.float32).contiguous()
