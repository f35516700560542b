"""Verification: what must pass, what must fail, and that the draw depends on the seed alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from snn2circuit.analysis import verify as room
from snn2circuit.analysis.verify import verify_circuit
from snn2circuit.devices import DEVICES
from snn2circuit.errors import DataError, SimulationError
from snn2circuit.ir.circuit import Comparator, Element
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.dataset import Dataset, Split
from snn2circuit.ir.network import Layer, Network, Stimulus
from snn2circuit.mapping import map_network
from snn2circuit.netlist import build_circuit
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.simulate.exact.variation import simulate_variations


def network_and_data(samples: int = 12) -> tuple[CrossbarNetwork, Dataset]:
    rng = np.random.default_rng(4)
    inputs, labels = rng.uniform(0, 1, (samples, 3)), np.arange(samples) % 2
    split = Split(inputs=inputs, labels=labels)
    dataset = Dataset(
        name="tiny", title="Tiny", source="made here", shape=(3,), classes=("no", "yes"), train=split, test=split
    )
    layers = (
        Layer(weight=rng.normal(0.3, 0.5, (4, 3)), bias=rng.normal(0.1, 0.1, 4), neuron=Leaky(beta=0.8)),
        Layer(weight=rng.normal(0.3, 0.5, (2, 4)), neuron=Leaky(beta=0.8)),
    )
    return map_network(Network(name="tiny", layers=layers, steps=8), DEVICES["printed_resistor_kit"]), dataset


def test_a_sound_circuit_is_verified_by_both_simulators(monkeypatch: pytest.MonkeyPatch) -> None:
    crossbar, dataset = network_and_data()
    told: list[float] = []
    monkeypatch.setattr(room, "CHUNK", 5)
    result = verify_circuit(crossbar, dataset, referee=2, seed=5, on_progress=lambda share, _: told.append(share))
    assert result.passed, result.rows()
    assert (result.samples, result.spikes_compared) == (12, 12 * 8 * 6)
    assert 0 < result.spikes < result.spikes_compared
    assert result.samples_exact == result.predictions_equal == 12
    assert told == sorted(told)
    assert told[0] == 0.0, "before anything is solved"
    assert sum(0 < share <= 0.8 for share in set(told)) == 3, "once for each chunk"
    again = verify_circuit(crossbar, dataset, samples=6, referee=2, seed=5)
    assert all(0 <= index < 6 for index in again.referee_samples)
    assert result.referee_samples == verify_circuit(crossbar, dataset, referee=2, seed=5).referee_samples


def test_a_solver_that_reads_another_circuit_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    crossbar, dataset = network_and_data()

    def lower(each: Element) -> Element:
        below = isinstance(each, Comparator) and each.name == "above"
        return replace(each, threshold=0.7 * each.threshold) if below else each

    def faulty(*arguments: object, **named: object) -> object:
        circuit = build_circuit(*arguments, **named)  # type: ignore[arg-type]
        cells = []
        for cell in circuit.subcircuits:
            blocks = tuple(replace(block, elements=tuple(map(lower, block.elements))) for block in cell.blocks)
            cells.append(replace(cell, blocks=blocks))
        return replace(circuit, subcircuits=tuple(cells))

    monkeypatch.setattr(room, "build_circuit", faulty)
    result = verify_circuit(crossbar, dataset, referee=2)
    assert not result.passed
    assert result.mismatches > 0
    assert result.referee_mismatches > 0
    assert result.referee_model_mismatches == 0
    assert result.first_divergence is not None


def test_more_samples_than_there_are_is_an_error() -> None:
    crossbar, dataset = network_and_data()
    with pytest.raises(DataError, match="tiny has 12 test samples; 13 samples and 3"):
        verify_circuit(crossbar, dataset, samples=13)


def test_scatter_depends_on_the_seed_and_grows_with_sigma() -> None:
    crossbar, dataset = network_and_data()
    inputs = crossbar.network().encode(dataset.test.inputs)
    stimulus = Stimulus(inputs=inputs, labels=dataset.test.labels, indices=np.arange(12))
    circuit = build_circuit(crossbar, inputs[0], "scatter")

    def membranes(sigma: float, seed: int) -> np.ndarray:  # type: ignore[type-arg]
        runs = simulate_variations(circuit, stimulus, count=2, sigma=sigma, seed=seed)
        return np.stack([run.membranes[0] for run in runs])

    still, some, more = membranes(0.0, 1), membranes(1e-4, 1), membranes(1e-2, 1)
    np.testing.assert_array_equal(still[0], still[1])
    np.testing.assert_array_equal(some, membranes(1e-4, 1))
    assert np.abs(some - membranes(1e-4, 2)).max() > 0
    assert 0 < np.abs(some[:, :, 0] - still[:, :, 0]).max() < np.abs(more[:, :, 0] - still[:, :, 0]).max()
    with pytest.raises(SimulationError, match="sigma"):
        list(simulate_variations(circuit, stimulus, count=1, sigma=-1.0, seed=0))
