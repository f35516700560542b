"""Verification: every sample in the exact solver, a random few again in ngspice, all held against the model.

The exact solver makes it affordable to run a whole test set through the circuit; ngspice, which shares no line of code
with it, stays the referee. The drawn samples are the same for the same seed. Any spike that differs between any two of
model, exact solver and ngspice fails the verification.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from snn2circuit.analysis.compare import Divergence, compare_circuit
from snn2circuit.errors import DataError
from snn2circuit.ir.circuit import NortonCrossbar
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.dataset import Dataset
from snn2circuit.ir.network import Stimulus
from snn2circuit.ir.noun import Ints, noun
from snn2circuit.ir.parasitics import Parasitics
from snn2circuit.ir.per_neuron import listed
from snn2circuit.ir.scratch import scratch
from snn2circuit.netlist import build_circuit, write_netlist
from snn2circuit.simulate import simulate_netlist

CHUNK = 250  # samples at once, which bounds memory
MEMBRANE_LIMIT = 1e-4  # how far ngspice at its default tolerance and the exact solver may differ


@noun
class Verification:
    """What was compared with what, and how often it differed."""

    samples: int
    spikes_compared: int  # in the exact solver, all samples
    spikes: int  # that the model makes in them
    mismatches: int  # exact solver against model
    samples_exact: int  # samples in which no spike differs
    predictions_equal: int
    worst_membrane_error: float  # exact solver against model, dimensionless
    smallest_margin: float  # distance of any membrane from its threshold in the model, dimensionless
    first_divergence: Divergence | None  # its sample counts from the first verified one
    referee_samples: tuple[int, ...]  # places in the test split that ngspice ran
    referee_mismatches: int  # exact solver against ngspice
    referee_model_mismatches: int  # ngspice against model
    referee_difference: float  # of a membrane: of the layer's lowest threshold, or of its largest if that is more
    seconds: float  # wall, exact solver
    referee_seconds: float  # wall, all of ngspice

    @property
    def passed(self) -> bool:
        """No spike differs anywhere, and both simulators agree about the membranes."""
        differing = self.mismatches + self.referee_mismatches + self.referee_model_mismatches
        return differing == 0 and self.referee_difference <= MEMBRANE_LIMIT

    @property
    def samples_per_second(self) -> float:
        """Rate of the exact solver."""
        return self.samples / self.seconds

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON, the verdict first."""
        return {"passed": self.passed, "samples_per_second": self.samples_per_second, **dataclasses.asdict(self)}

    def rows(self) -> list[tuple[str, ...]]:
        """A table for people."""
        drawn = len(self.referee_samples)
        return [
            ("samples", f"{self.samples:,} in the exact solver, {drawn} of them drawn for ngspice"),
            ("exact against model", f"{self.mismatches:,} of {self.spikes_compared:,} spikes differ"),
            ("exact against ngspice", f"{self.referee_mismatches:,} spikes differ in {drawn} samples"),
            ("ngspice against model", f"{self.referee_model_mismatches:,} spikes differ in {drawn} samples"),
            ("membranes", f"exact against ngspice {self.referee_difference:.2g} of threshold or peak, "
             f"against model {self.worst_membrane_error:.2g}; smallest margin {self.smallest_margin:.2g}"),
            ("time", f"{self.samples_per_second:,.0f} samples/s, in ngspice {self.referee_seconds / drawn:.2g} s each"),
        ]  # fmt: skip


def verify_circuit(
    crossbar: CrossbarNetwork,
    dataset: Dataset,
    *,
    samples: int | None = None,
    referee: int = 3,
    seed: int = 0,
    parasitics: Parasitics | None = None,
    reduced: Mapping[str, NortonCrossbar] | None = None,
    workers: int | None = None,
    time_limit: float = 600.0,
    on_progress: Callable[[float, str], None] | None = None,
) -> Verification:
    """Verify a mapped network's circuit on a dataset's test samples.

    Args:
        crossbar: the mapped network.
        dataset: whose test split is used, from its beginning.
        samples: how many; ``None``: all.
        referee: how many of them ngspice runs too.
        seed: of the draw.
        parasitics: resistance of lines and drivers; ``None``: ideal ones.
        reduced: equivalents that stand in for crossbars in ngspice's decks.
        workers: threads of the exact solver, processes of ngspice; ``None``: one per processor.
        time_limit: seconds ngspice may take for a sample.
        on_progress: called with the share that is done and a remark.

    Raises:
        DataError: more samples are asked for than there are.
        SimulationError: a simulator gave no result.
    """
    # numba is loaded only where the solver is used.
    from snn2circuit.simulate.exact import ExactSolver

    available = len(dataset.test.labels)
    count = available if samples is None else samples
    if not (1 <= referee <= count <= available):
        raise DataError(
            f"{dataset.name} has {available} test samples; {count} samples and {referee} of them for ngspice were "
            "asked for: 1 <= referee <= samples <= available"
        )

    def tell(share: float, remark: str) -> None:
        if on_progress:
            on_progress(share, remark)

    def stimulus(indices: Ints) -> Stimulus:
        inputs = crossbar.network().encode(dataset.test.inputs[indices], indices)
        return Stimulus(inputs=inputs, labels=dataset.test.labels[indices], indices=indices)

    tell(0.0, "maps of the exact solver")
    drawn = np.sort(np.random.default_rng(seed).choice(count, referee, replace=False))
    first = stimulus(drawn[:1]).inputs[0]
    solver = ExactSolver(build_circuit(crossbar, first, "verification", parasitics=parasitics))
    solver.simulate(stimulus(drawn[:1]), traces=False)  # loads or compiles the kernels, so that seconds are honest
    found, seconds = [], 0.0
    for start in range(0, count, CHUNK):
        chunk = stimulus(np.arange(start, min(start + CHUNK, count)))
        began = time.perf_counter()
        waveforms = solver.simulate(chunk, workers=workers, traces=False)
        seconds += time.perf_counter() - began
        found.append(compare_circuit(crossbar, waveforms))
        done = min(start + CHUNK, count)
        tell(0.8 * (done / count), f"{done:,} samples in the exact solver")
    held = stimulus(drawn)
    tell(0.8, f"decks of {referee} samples for ngspice")
    exact = solver.simulate(held, workers=workers, traces=False)
    began = time.perf_counter()
    with scratch() as folder:
        write_netlist(crossbar, held, folder, parasitics=parasitics, reduced=reduced)
        judged = simulate_netlist(
            folder,
            workers=workers,
            time_limit=time_limit,
            on_progress=lambda share: tell(0.8 + 0.199 * share, f"{referee} samples in ngspice, {share:.0%} done"),
        )
    # The error of ngspice's integration grows with the voltages it integrates, hence the peak.
    scales = [
        max(min(listed(layer.neuron.threshold)) * layer.volts_per_unit, float(np.abs(volts).max()))
        for layer, volts in zip(crossbar.layers, exact.membranes, strict=True)
    ]
    divergence = next(((n, each.first_divergence) for n, each in enumerate(found) if each.first_divergence), None)
    return Verification(
        samples=count,
        spikes_compared=sum(each.spikes_compared for each in found),
        spikes=sum(layer.spikes_model for each in found for layer in each.layers),
        mismatches=sum(each.mismatches for each in found),
        samples_exact=sum(each.samples_exact for each in found),
        predictions_equal=sum(each.predictions_equal for each in found),
        worst_membrane_error=max(each.worst_membrane_error for each in found),
        smallest_margin=min(layer.smallest_margin for each in found for layer in each.layers),
        first_divergence=None
        if divergence is None
        else dataclasses.replace(divergence[1], sample=divergence[0] * CHUNK + divergence[1].sample),
        referee_samples=tuple(int(index) for index in drawn),
        referee_mismatches=sum(int((a != b).sum()) for a, b in zip(exact.spikes, judged.spikes, strict=True)),
        referee_model_mismatches=compare_circuit(crossbar, judged).mismatches,
        referee_difference=max(
            float(np.abs(a - b).max()) / volts
            for a, b, volts in zip(exact.membranes, judged.membranes, scales, strict=True)
        ),
        seconds=seconds,
        referee_seconds=time.perf_counter() - began,
    )
