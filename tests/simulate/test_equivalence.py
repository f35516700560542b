"""The product's promise, held in ngspice: every neuron spikes at exactly the steps the model says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from networks import random_crossbar, simulate

from snn2circuit.analysis import compare_circuit
from snn2circuit.frontends.snntorch import run_snntorch


@pytest.mark.parametrize("reset", ["subtract", "zero", "none"])
@pytest.mark.parametrize(("beta", "threshold"), [(0.5, 0.7), (0.8, 2.5), (0.95, 0.3), (0.99, 1.6)])
@pytest.mark.parametrize("sizes", [(2, 4, 1), (3, 6)], ids=["2-4-1", "3-6"])
def test_no_spike_differs(sizes: tuple[int, ...], beta: float, threshold: float, reset: str, tmp_path: Path) -> None:
    seed = int(1000 * beta) + len(sizes)
    crossbar, stimulus = random_crossbar(sizes, beta=beta, threshold=threshold, reset=reset, seed=seed)
    waveforms = simulate(crossbar, stimulus, tmp_path)
    equivalence = compare_circuit(crossbar, waveforms)
    assert equivalence.equivalent, str(equivalence)
    spikes = sum(layer.spikes_model for layer in equivalence.layers)
    assert 0 < spikes < equivalence.spikes_compared, "a network that always or never spikes proves nothing"
    # The error of a membrane is far below what would flip any event here.
    assert equivalence.worst_membrane_error < 1e-4 * max(1.0, threshold)
    # snnTorch itself is the judge of the model, and so of the circuit.
    judged = run_snntorch(crossbar.network(), stimulus.inputs)
    for ours, theirs in zip(waveforms.spikes, judged.spikes, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("slot", [1e-5, 1e-1])
def test_the_slot_length_does_not_matter(slot: float, tmp_path: Path) -> None:
    crossbar, stimulus = random_crossbar((2, 4, 1), beta=0.9, threshold=1.0, reset="zero", seed=5, slot=slot, samples=1)
    equivalence = compare_circuit(crossbar, simulate(crossbar, stimulus, tmp_path))
    assert equivalence.equivalent, str(equivalence)
    assert equivalence.layers[0].spikes_model > 0


@pytest.mark.parametrize("device", ["ag_asi", "moox_mos2_foil", "rram_milo"])
def test_other_devices_spike_the_same(device: str, tmp_path: Path) -> None:
    crossbar, stimulus = random_crossbar(
        (2, 4, 1), beta=0.9, threshold=1.0, reset="subtract", seed=6, device=device, samples=1
    )
    equivalence = compare_circuit(crossbar, simulate(crossbar, stimulus, tmp_path))
    assert equivalence.equivalent, str(equivalence)
    assert equivalence.layers[0].spikes_model > 0
