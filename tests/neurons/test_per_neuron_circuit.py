"""The circuit of neurons with parameters of their own: cells, both simulators, energy, parts, drawings, stack."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from per_neuron_layers import CASES, FAMILIES, five

from snn2circuit.analysis import compare_circuit
from snn2circuit.analysis.causes import explain_mismatches
from snn2circuit.analysis.energy import measure_energy
from snn2circuit.analysis.materials import list_materials
from snn2circuit.analysis.ngspice_cost import count_cards
from snn2circuit.analysis.schematics import DRAWN, write_schematics
from snn2circuit.analysis.supply import count_supplies
from snn2circuit.analysis.verify import verify_circuit
from snn2circuit.devices import DEVICES
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.dataset import Dataset, Split
from snn2circuit.ir.files import load, save
from snn2circuit.ir.network import Network, Stimulus
from snn2circuit.ir.parasitics import uniform_parasitics
from snn2circuit.ir.parts import Electronics, Neuron, Quantity
from snn2circuit.ir.per_neuron import neuron_at
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.masks.files import write_masks
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.signoff.lvs import compare_masks
from snn2circuit.mapping import map_network
from snn2circuit.netlist import build_circuit, write_netlist
from snn2circuit.netlist.flatten import flatten
from snn2circuit.neurons import NEURONS
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.simulate import simulate_netlist
from snn2circuit.simulate.exact import ExactSolver
from snn2circuit.steps import compensate_parts

MIXED = Leaky(beta=(0.9, 0.0, 0.5, 1.0, 0.0), threshold=(1.2, 0.8, 1.0, 1.1, 0.8), reset_mechanism="zero")


def stimulus_of(samples: int, steps: int, inputs: int = 3) -> Stimulus:
    values = np.random.default_rng(5).uniform(-0.3, 1.3, (samples, steps, inputs))
    return Stimulus(inputs=values, labels=np.full(samples, -1), indices=np.arange(samples))


def mapped(network: Network, stimulus: Stimulus, **options: object) -> CrossbarNetwork:
    inputs = stimulus.inputs.reshape(-1, network.sizes[0])
    return map_network(network, DEVICES["foil_memristor"], v_rail=10.0, inputs=inputs, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def mixed() -> tuple[CrossbarNetwork, Stimulus]:
    stimulus = stimulus_of(2, 12)
    return mapped(five(MIXED, 0.5), stimulus), stimulus


# With current sources every case, with op-amps every neuron.
SIMULATED = [
    *((neuron, drive, "vccs") for neuron, drive in CASES),
    *((neuron, drive, "opamp") for neuron, drive in (CASES[0], CASES[5], CASES[8], CASES[11])),
]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("neuron", "drive"), CASES, ids=lambda each: getattr(each, "kind", None))
def test_no_spike_differs_in_the_exact_solver(neuron: Neuron, drive: float, family: str) -> None:
    stimulus = stimulus_of(2, 12)
    crossbar = mapped(five(neuron, drive), stimulus, family=family)
    waveforms = ExactSolver(build_circuit(crossbar, stimulus.inputs[0], "five")).simulate(stimulus, traces=False)
    equivalence = compare_circuit(crossbar, waveforms)
    assert equivalence.equivalent, str(equivalence)
    largest = max(1.0, *(float(np.abs(each).max()) for each in crossbar.network().run(stimulus.inputs).membranes))
    assert equivalence.worst_membrane_error < 1e-6 * largest
    assert all(0 < layer.spikes_model < layer.spikes_compared for layer in equivalence.layers)


@pytest.mark.parametrize(("neuron", "drive", "family"), SIMULATED, ids=lambda each: getattr(each, "kind", None))
def test_no_spike_differs_in_ngspice(neuron: Neuron, drive: float, family: str, tmp_path: Path) -> None:
    stimulus = stimulus_of(1, 12)
    crossbar = mapped(five(neuron, drive), stimulus, family=family)
    write_netlist(crossbar, stimulus, tmp_path)
    judged = simulate_netlist(tmp_path, workers=1, time_limit=120)
    equivalence = compare_circuit(crossbar, judged)
    assert equivalence.equivalent, str(equivalence)
    assert all(0 < layer.spikes_model < layer.spikes_compared for layer in equivalence.layers)
    exact = ExactSolver(build_circuit(crossbar, stimulus.inputs[0], "five")).simulate(traces=False)
    for mine, theirs in zip(exact.membranes, judged.membranes, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=5e-4)


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_lines_with_resistance_join_different_cells(reset: str, tmp_path: Path) -> None:
    stimulus = stimulus_of(2, 12)
    crossbar = mapped(five(replace(MIXED, reset_mechanism=reset), 0.5), stimulus)
    lines = uniform_parasitics(crossbar, r_word=2.0, r_bit=2.0, r_driver=20.0, source="this test")
    exact = ExactSolver(build_circuit(crossbar, stimulus.inputs[0], "wires", parasitics=lines)).simulate(stimulus)
    write_netlist(crossbar, stimulus, tmp_path, parasitics=lines)
    judged = simulate_netlist(tmp_path, workers=1, time_limit=120)
    for mine, theirs, membranes, others in zip(
        exact.spikes, judged.spikes, exact.membranes, judged.membranes, strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)
        np.testing.assert_allclose(membranes, others, rtol=0, atol=5e-5)
    # They do take something away, so a solver that passed over them would be seen.
    assert compare_circuit(crossbar, exact).worst_membrane_error > 1e-3


def test_cells_are_shared_and_named_after_their_first_neuron(mixed: tuple[CrossbarNetwork, Stimulus]) -> None:
    crossbar, stimulus = mixed
    circuit = build_circuit(crossbar, stimulus.inputs[0], "names")
    own = [f"leaky_l{layer}_n{neuron}" for layer in (1, 2) for neuron in (0, 1, 2, 3)]
    assert [cell.name for cell in circuit.subcircuits] == [*own, "leaky_l3_n0", "leaky_l3_n1"]
    block = next(each for each in circuit.network if each.name == "neurons_l1")
    assert block.comment == "layer 1: 5 neurons with 4 sets of parameters"
    assert [each.subcircuit for each in block.elements] == [f"leaky_l1_n{first}" for first in (0, 1, 2, 3, 1)]
    assert count_cards(circuit)["ideal"] == count_cards(flatten(circuit))["ideal"]
    same = replace(crossbar.layers[0], neuron=Leaky(beta=(0.5,) * 5))
    plain = build_circuit(replace(crossbar, layers=(same, *crossbar.layers[1:])), stimulus.inputs[0], "names")
    assert plain.subcircuits[0].name == "leaky_l1"


@pytest.mark.parametrize("dialect", ["ltspice"])
def test_the_flat_deck_of_another_dialect_spikes_the_same(
    mixed: tuple[CrossbarNetwork, Stimulus], dialect: str, tmp_path: Path
) -> None:
    crossbar, stimulus = mixed
    write_netlist(crossbar, stimulus, tmp_path, dialect=dialect)
    equivalence = compare_circuit(crossbar, simulate_netlist(tmp_path, workers=1, time_limit=120))
    assert equivalence.equivalent, str(equivalence)
    schematic = (tmp_path / "sample_0.asc").read_text(encoding="utf-8")
    for name in ("leaky_l1_n0", "leaky_l2_n3", "leaky_l3_n1"):
        assert f"SYMBOL {name} " in schematic
        assert (tmp_path / f"{name}.asy").exists()


def alone(crossbar: CrossbarNetwork, layer: int, neuron: Neuron) -> CrossbarNetwork:
    """One layer of ``crossbar``, all of its neurons ``neuron``."""
    return replace(crossbar, layers=(replace(crossbar.layers[layer], neuron=neuron),))


@pytest.mark.parametrize("family", FAMILIES)
def test_energy_and_parts_are_those_of_each_neuron(family: str) -> None:
    """Five neurons that see the same inputs over equal columns: together they take what each takes alone."""
    stimulus = stimulus_of(1, 5)
    crossbar = mapped(five(MIXED, 0.5), stimulus, family=family)
    first = crossbar.layers[0]
    columns = {
        name: np.repeat(getattr(first, name)[:, :1], 5, axis=1)
        for name in ("trained", "target_pos", "target_neg", "level_pos", "level_neg", "g_pos", "g_neg")
    }
    crossbar = replace(crossbar, layers=(replace(first, **columns),))
    neurons = [neuron_at(MIXED, place) for place in range(5)]

    def energy(variant: CrossbarNetwork) -> tuple[float, float]:
        waveforms = ExactSolver(build_circuit(variant, stimulus.inputs[0], "e")).simulate(stimulus, traces=False)
        found = measure_energy(variant, waveforms)
        assert {block.layer for block in found.blocks} == {1}
        assert found.total.outputs is None  # ideal op-amps have no supply that is known
        return found.total.heat, found.spikes

    together = energy(alone(crossbar, 0, MIXED))
    each = np.array([energy(alone(crossbar, 0, neuron)) for neuron in neurons])
    # Integrals over time are taken at the instants of all cells together, a little finer than at each cell's own.
    np.testing.assert_allclose(together, each.sum(axis=0) / 5, rtol=5e-4)

    def parts(variant: CrossbarNetwork) -> dict[str, int]:
        return {draw.kind: draw.count for draw in count_supplies(variant).draws}

    counts = [parts(alone(crossbar, 0, neuron)) for neuron in neurons]
    assert parts(alone(crossbar, 0, MIXED)) == {kind: sum(c[kind] for c in counts) // 5 for kind in counts[0]}


def test_verification_and_causes_take_such_a_network(mixed: tuple[CrossbarNetwork, Stimulus]) -> None:
    crossbar, stimulus = mixed
    rng = np.random.default_rng(0)
    split = Split(inputs=rng.uniform(0, 1, (6, 3)), labels=np.arange(6) % 2)
    dataset = Dataset(
        name="tiny", title="Tiny", source="made here", shape=(3,), classes=("no", "yes"), train=split, test=split
    )
    result = verify_circuit(crossbar, dataset, referee=1)
    assert result.passed, result.rows()
    slow = Quantity(value=0.3, unit="V", source="this test", confidence="assumed")
    faulty = replace(crossbar, electronics=Electronics(name="off", comparator_offset=slow))
    wrong = ExactSolver(build_circuit(faulty, stimulus.inputs[0], "off")).simulate(stimulus, traces=False)
    explained = explain_mismatches(faulty, wrong)
    assert explained.main is not None
    assert (explained.main.name, explained.main.without, explained.remaining) == ("offset", 0, 0)
    first = compare_circuit(faulty, wrong).first_divergence
    assert first is not None
    assert first.threshold == neuron_at(crossbar.layers[first.layer - 1].neuron, first.neuron).threshold


def test_real_parts_are_compensated(tmp_path: Path) -> None:
    stimulus = stimulus_of(20, 12)
    gain = Quantity(value=1e3, unit="", source="this test", confidence="assumed")
    network = five(replace(MIXED, reset_mechanism="subtract"), 0.5)
    crossbar = mapped(network, stimulus, electronics=Electronics(name="poor", gain=gain))
    trimmed, done = compensate_parts(crossbar, stimulus)
    assert done.before.worst_membrane_error > 100 * done.after.worst_membrane_error
    assert done.after.mismatches == 0
    assert all(layer.short == () for layer in done.layers)
    save(trimmed, tmp_path / "crossbar.npz")
    device = type(crossbar.device)
    again = load(tmp_path / "crossbar.npz", CrossbarNetwork, {**NEURONS, device.kind: device})
    assert [layer.neuron for layer in again.layers] == [layer.neuron for layer in crossbar.layers]


def test_drawings_are_few_and_say_what_is_not_drawn(tmp_path: Path) -> None:
    stimulus = stimulus_of(1, 4)
    many = Leaky(beta=(0.5, 0.6, 0.7, 0.8, 0.9))
    drawings = write_schematics(mapped(five(many, 0.5), stimulus), tmp_path)
    assert [(each.layer, each.neurons, each.undrawn) for each in drawings] == [
        *((layer, 1, 5 - DRAWN if place == DRAWN - 1 else 0) for layer in (1, 2) for place in range(DRAWN)),
        (3, 1, 0), (3, 1, 0),
    ]  # fmt: skip
    assert sorted(each.path for each in drawings) == sorted(tmp_path.iterdir())
    assert "beta 0.6" in drawings[1].path.read_text(encoding="utf-8")


def test_the_stack_is_that_of_any_network(mixed: tuple[CrossbarNetwork, Stimulus], tmp_path: Path) -> None:
    crossbar, _ = mixed
    layout = build_layout(crossbar, PROCESSES["inkjet"])
    same = tuple(replace(layer, neuron=Leaky()) for layer in crossbar.layers)
    plain = build_layout(replace(crossbar, layers=same), PROCESSES["inkjet"])
    assert layout.nets == plain.nets
    report = compare_masks(write_masks(layout, tmp_path, ["gds"])[0], layout, crossbar)
    assert report.match, report
    # Decays of 0, of 1 and between have different parts; what has the same is counted together.
    cells = list_materials(layout, crossbar).as_dict()["cells"]
    found = [(each["layer"], each["count"]) for each in cells]
    assert found == [(1, 2), (1, 2), (1, 1), (2, 2), (2, 2), (2, 1), (3, 2)]
