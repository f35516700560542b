"""The exact solver against ngspice: all neurons and resets, real amplifiers, wires; and what it must refuse."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
from circuits import change, differences, in_ngspice, two_layers, with_amplifiers
from test_neurons import CASES

from snn2circuit.errors import CircuitNotLinear, SimulationDiverged, SimulationError
from snn2circuit.ir.circuit import (
    Amplifier,
    Block,
    Capacitor,
    Comparator,
    Element,
    GatedCurrent,
    Instance,
    PulseSource,
    Resistor,
    Subcircuit,
    Switch,
)
from snn2circuit.ir.parts import Neuron
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.simulate.exact import ExactSolver
from snn2circuit.simulate.exact.march import march, march_joined
from snn2circuit.simulate.exact.phases import make_phases
from snn2circuit.simulate.exact.propagate import exponential

LIMITS: list[tuple[Neuron, float]] = [
    (Leaky(beta=0.0), 0.8),
    (Leaky(beta=1.0), 0.3),
    (Leaky(beta=1.0, reset_mechanism="zero"), 0.3),
]


@pytest.mark.parametrize(("neuron", "drive"), CASES + LIMITS, ids=lambda each: getattr(each, "kind", None))
def test_every_neuron_and_reset_is_as_in_ngspice(neuron: Neuron, drive: float, tmp_path: Path) -> None:
    circuit, stimulus = two_layers(neuron, drive)
    exact = ExactSolver(circuit).simulate(stimulus)
    spikes, membrane = differences(exact, in_ngspice(circuit, tmp_path))
    assert spikes == 0
    assert membrane < 1e-4 * max(1.0, neuron.threshold)
    assert 0 < sum(int(layer.sum()) for layer in exact.spikes) < sum(layer.size for layer in exact.spikes)


@pytest.mark.parametrize(
    ("part", "wires"),
    [
        pytest.param({"gain": 2e3, "offset": 1e-3}, {}, id="finite gain and offset"),
        pytest.param({"gain": 1e5, "bandwidth": 1e7, "r_out": 100.0}, {}, id="a pole and output resistance"),
        pytest.param({"gain": 1e4}, {"r_word": 20.0, "r_bit": 20.0}, id="wires"),
        pytest.param({"gain": 1e4, "bandwidth": 1e7, "offset": -1e-3}, {"r_driver": 300.0}, id="drivers and a pole"),
    ],
)
@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_real_amplifiers_and_lines_are_as_in_ngspice(
    part: dict[str, float], wires: dict[str, float], reset: str, tmp_path: Path
) -> None:
    neuron = Leaky(beta=0.9, threshold=1.2, reset_mechanism=reset)
    ideal, stimulus = two_layers(neuron, 0.4)
    circuit = with_amplifiers(two_layers(neuron, 0.4, wires=wires)[0], **part)
    exact = ExactSolver(circuit).simulate(stimulus)
    spikes, membrane = differences(exact, in_ngspice(circuit, tmp_path, finer=4))
    assert spikes == 0
    assert membrane < 1e-4
    # The imperfection is seen at all: it moves membranes by more than the two simulators differ.
    assert differences(exact, ExactSolver(ideal).simulate(stimulus))[1] > 10 * membrane


def test_traces_are_as_in_ngspice(tmp_path: Path) -> None:
    circuit, stimulus = two_layers(Leaky(beta=0.8, threshold=1.2), 0.4)
    exact, referee = ExactSolver(circuit).simulate(stimulus), in_ngspice(circuit, tmp_path)
    both = exact.time < referee.time[-1]
    for node, mine, theirs in zip(circuit.readout.nodes, exact.traces, referee.traces, strict=True):
        if node.startswith("mem"):
            np.testing.assert_allclose(mine[both], np.interp(exact.time[both], referee.time, theirs), atol=2e-4)


def weaken(element: Element) -> Element:
    if isinstance(element, Resistor) and element.name == "leak_mem":
        return replace(element, ohms=1e9)
    return element


def lower(element: Element) -> Element:
    if isinstance(element, Comparator) and element.name == "above":
        return replace(element, threshold=0.4 * element.threshold)
    return element


def no_reset(element: Element) -> Element | None:
    return None if isinstance(element, GatedCurrent) else element


@pytest.mark.parametrize("fault", [weaken, lower, no_reset])
def test_a_fault_in_an_element_shows_as_it_does_in_ngspice(fault: object, tmp_path: Path) -> None:
    # A seed with no membrane within 1e-3 of the threshold: ngspice samples its comparators at its own time steps.
    healthy, stimulus = two_layers(Leaky(beta=0.8, threshold=1.2), 0.5, seed=4)
    broken = change(healthy, fault)  # type: ignore[arg-type]
    exact = ExactSolver(broken).simulate(stimulus)
    assert differences(exact, ExactSolver(healthy).simulate(stimulus))[0] > 0
    assert differences(exact, in_ngspice(broken, tmp_path))[0] == 0


def test_the_circuits_own_sources_are_read() -> None:
    circuit, stimulus = two_layers(Leaky(beta=0.8, threshold=1.2), 0.5)
    solver = ExactSolver(circuit)
    np.testing.assert_allclose(solver.own_stimulus().inputs, stimulus.inputs, rtol=1e-12, atol=1e-12)
    assert differences(solver.simulate(), solver.simulate(stimulus)) == (0, pytest.approx(0, abs=1e-12))


def test_samples_do_not_depend_on_their_neighbours() -> None:
    circuit, stimulus = two_layers(Leaky(beta=0.8, threshold=1.2), 0.5)
    solver = ExactSolver(circuit)
    inputs = np.random.default_rng(1).uniform(-0.3, 1.3, (130, *stimulus.inputs.shape[1:]))
    inputs[77] = stimulus.inputs[0]
    many = replace(stimulus, inputs=inputs, labels=np.zeros(130, dtype=int), indices=np.arange(130))
    all_at_once, alone = solver.simulate(many, workers=2), solver.simulate(stimulus)
    for together, single in zip(all_at_once.membranes, alone.membranes, strict=True):
        np.testing.assert_allclose(together[77], single[0], rtol=1e-12, atol=1e-12)
    with pytest.raises(SimulationError, match="the circuit takes"):
        solver.simulate(replace(stimulus, inputs=stimulus.inputs[:, :5]))


def test_both_ways_of_marching_agree() -> None:
    circuit, stimulus = two_layers(Leaky(beta=0.8, threshold=1.2, reset_mechanism="zero"), 0.5)
    solver = ExactSolver(circuit)
    group, phases = solver.groups[0], make_phases(solver.groups[0])
    currents = solver._currents(group, stimulus.inputs, [])
    membranes, spikes = march(phases, currents, solver.slots, group.spike, 1)
    slow_membranes, slow_spikes = march_joined(phases, currents, solver.slots, group.spike)
    np.testing.assert_allclose(membranes, slow_membranes[:, :, -1], rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(spikes, slow_spikes[:, :, phases.shown])
    assert spikes.any()


def test_a_users_cell_of_cells_works_unchanged() -> None:
    circuit, stimulus = two_layers(Leaky(beta=0.8, threshold=1.2), 0.5)
    inner = circuit.subcircuits[0]
    ports = tuple(f"{port}_out" for port in inner.ports)
    outer = Subcircuit(
        name="outer",
        ports=ports,
        blocks=(Block(comment="one", elements=(Instance(name="x", subcircuit=inner.name, nodes=ports),)),),
        comment="a cell that holds a cell",
    )

    def wrap(element: Element) -> Element:
        return replace(element, subcircuit="outer") if getattr(element, "subcircuit", "") == inner.name else element

    nested = change(circuit, wrap)
    nested = replace(nested, subcircuits=(*circuit.subcircuits, outer))
    pair = ExactSolver(circuit).simulate(stimulus), ExactSolver(nested).simulate(stimulus)
    assert differences(*pair) == (0, 0.0)


def asynchronous(element: Element) -> Element:
    return replace(element, enable="above") if isinstance(element, GatedCurrent) else element


def unlatched(element: Element) -> Element:
    return replace(element, enable="held", gate="sample") if isinstance(element, GatedCurrent) else element


def slow_latch(element: Element) -> Element:
    return replace(element, farads=1e-6) if isinstance(element, Capacitor) and element.name == "slave" else element


def one_window(element: Element) -> Element:
    return replace(element, control="sample") if isinstance(element, Switch) and element.name == "slave" else element


def between_cells(element: Element) -> Element:
    if isinstance(element, Instance) and element.name == "l1_n1":
        return replace(element, nodes=(*element.nodes[:6], "mem_l1_n0", element.nodes[7]))
    return element


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (asynchronous, "reset is switched by above, which is the output of a comparator"),
        (unlatched, "while its sampling window is open"),
        (slow_latch, "the latch at spike has .* to settle"),
        (one_window, "open at once"),
        (between_cells, "cells may only meet on word lines"),
    ],
)
def test_what_is_not_linear_between_known_instants_is_refused(edit: object, reason: str) -> None:
    circuit, _ = two_layers(Leaky(beta=0.8, threshold=1.2), 0.5)
    with pytest.raises(CircuitNotLinear, match=reason):
        ExactSolver(change(circuit, edit))  # type: ignore[arg-type]


def test_clocks_must_repeat_in_every_slot() -> None:
    circuit, _ = two_layers(Leaky(beta=0.8, threshold=1.2), 0.5)

    def slower(element: Element) -> Element:
        return (
            replace(element, pulse=replace(element.pulse, period=2e-3)) if isinstance(element, PulseSource) else element
        )

    clocks, *rest = circuit.stimulus
    clocks = replace(clocks, elements=tuple(slower(each) for each in clocks.elements))
    with pytest.raises(CircuitNotLinear, match=r"repeats after 0\.002 s"):
        ExactSolver(replace(circuit, stimulus=(clocks, *rest)))


def test_a_floating_node_is_named_as_the_cause() -> None:
    circuit, _ = two_layers(Leaky(beta=0.8, threshold=1.2), 0.5)

    def cut(element: Element) -> Element:
        return replace(element, gain=1e-9) if isinstance(element, Amplifier) and element.name == "summer" else element

    def double(element: Element) -> Element:
        return replace(element, out="a") if isinstance(element, Amplifier) and element.name == "summer" else element

    ExactSolver(change(circuit, cut))  # an amplifier with hardly any gain is a short to ground, not an error
    with pytest.raises(CircuitNotLinear, match="no unique solution"):
        ExactSolver(change(circuit, double))


def test_an_amplifier_at_its_rail_is_refused_at_the_sample_that_drives_it_there() -> None:
    circuit, stimulus = two_layers(Leaky(beta=0.8, threshold=1.2), 0.5)
    inside = with_amplifiers(circuit, gain=1e5, bandwidth=1e7, low=-20.0, high=20.0)
    assert ExactSolver(inside).simulate(stimulus).spikes[0].any()
    outside = with_amplifiers(circuit, gain=1e5, bandwidth=1e7, low=-0.05, high=0.05)
    with pytest.raises(SimulationDiverged, match=r"sample 0, slot .* leaves -0\.05 V to 0\.05 V"):
        ExactSolver(outside).simulate(stimulus)
    # Without reset no clock enters the neuron; the word lines' edges are there all the same.
    for neuron in (Leaky(beta=0.8, threshold=1.2), Leaky(beta=0.8, threshold=1.2, reset_mechanism="none")):
        circuit, stimulus = two_layers(neuron, 0.5)
        slow = with_amplifiers(circuit, gain=1e5, bandwidth=1e7, slew=1e2)
        with pytest.raises(SimulationDiverged, match="slew rate"):
            ExactSolver(slow).simulate(stimulus)


def test_the_exponential_is_scipys() -> None:
    rng = np.random.default_rng(2)
    matrices = rng.normal(size=(5, 6, 6)) * np.array([1e-6, 0.1, 1, 10, 100])[:, None, None]
    matrices[4] -= 300 * np.eye(6)  # stiff and decaying, as circuits are
    for mine, matrix in zip(exponential(matrices), matrices, strict=True):
        np.testing.assert_allclose(mine, scipy.linalg.expm(matrix), rtol=1e-9, atol=1e-13 * np.abs(mine).max())
