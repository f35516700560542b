"""Monte Carlo: the same stimulus through many samples of a circuit whose devices scatter.

Every conductance is multiplied by ``exp(sigma·z)``, ``z`` standard normal and independent from device to device, the
log-normal scatter usual for resistive memories. Deriving a new circuit sample's maps costs milliseconds, so circuit
samples are gone through one after the other, each with all stimuli at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from snn2circuit.errors import SimulationError
from snn2circuit.ir.circuit import Circuit, Crossbar
from snn2circuit.ir.network import Stimulus
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.simulate.exact.solve import ExactSolver


def simulate_variations(
    circuit: Circuit, stimulus: Stimulus, *, count: int, sigma: float, seed: int, workers: int | None = None
) -> Iterator[Waveforms]:
    """Waveforms of ``count`` circuits with scattered conductances, the same for the same seed.

    Args:
        circuit: with explicit crossbars.
        stimulus: inputs ``(samples, steps, inputs)``.
        count: circuit samples.
        sigma: standard deviation of the natural logarithm of a conductance.
        seed: of the scatter.
        workers: threads; ``None``: one per processor.

    Raises:
        SimulationError: a scatter that makes no sense, or no waveforms.
    """
    if not 0 <= sigma < np.inf:
        raise SimulationError(f"sigma is {sigma!r}; it must be finite and 0 or more")
    generator = np.random.default_rng(seed)
    for _ in range(count):
        yield ExactSolver(scattered(circuit, sigma, generator)).simulate(stimulus, workers=workers, traces=False)


def scattered(circuit: Circuit, sigma: float, generator: np.random.Generator) -> Circuit:
    """The circuit with every conductance of its crossbars multiplied by ``exp(sigma·z)``."""

    def draw(siemens: Floats) -> Floats:
        return siemens * np.exp(sigma * generator.standard_normal(siemens.shape))

    blocks = tuple(
        replace(
            block,
            elements=tuple(
                replace(each, g_pos=draw(each.g_pos), g_neg=draw(each.g_neg)) if isinstance(each, Crossbar) else each
                for each in block.elements
            ),
        )
        for block in circuit.network
    )
    return replace(circuit, network=blocks)
