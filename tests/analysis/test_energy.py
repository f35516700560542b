"""Energy and latency: against ngspice with every inner node recorded, and against closed forms."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from snn2circuit.analysis.energy import measure_energy
from snn2circuit.devices import DEVICES
from snn2circuit.electronics import select
from snn2circuit.ir.circuit import GROUND, Circuit, Crossbar, Resistor, Switch
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.network import Layer, Network, Stimulus
from snn2circuit.ir.parts import Neuron
from snn2circuit.mapping import cut_tiles, map_network
from snn2circuit.netlist import DIALECTS, build_circuit, crossbar_arrays
from snn2circuit.netlist.flatten import flatten
from snn2circuit.neurons import NEURONS
from snn2circuit.simulate.deck import CheckedDeck
from snn2circuit.simulate.exact import ExactSolver
from snn2circuit.simulate.jobs import Job, run_jobs

STEPS = 6


def make(neuron: Neuron, family: str = "vccs", parts: tuple[str, ...] = ()) -> tuple[CrossbarNetwork, Stimulus]:
    rng = np.random.default_rng(2)
    layers = tuple(
        Layer(
            weight=rng.normal(0.4, 0.7, (outputs, inputs)), bias=rng.normal(0.2, 0.2, outputs),
            neuron=neuron,
        )
        for inputs, outputs in itertools.pairwise((2, 3, 2))
    )  # fmt: skip
    inputs = rng.uniform(-0.5, 1.5, (2, STEPS, 2))
    crossbar = map_network(
        Network(name="small", layers=layers, steps=STEPS),
        DEVICES["printed_resistor_kit"],
        v_rail=10.0,
        inputs=inputs.reshape(-1, 2),
        family=family,
        electronics=select(parts),
    )
    return crossbar, Stimulus(inputs=inputs, labels=np.array([-1, -1]), indices=np.arange(2))


def heat_in_ngspice(circuit: Circuit) -> tuple[dict[str, float], float]:
    """Heat of each cell element by its name, all cells together, and of the crossbars: trapezoids over V²/R."""
    flat = flatten(circuit)
    parts = [e for block in flat.network for e in block.elements if isinstance(e, Resistor | Switch)]
    arrays = [e for block in flat.network for e in block.elements if isinstance(e, Crossbar)]
    nodes = {n for e in parts for n in ((e.a, e.b, e.control) if isinstance(e, Switch) else (e.a, e.b))} - {GROUND}
    nodes |= {n for array in arrays for n in (*array.word_lines, *array.bits)}
    order = tuple(sorted(nodes))
    # A membrane leaves through its switch with a time constant of a microsecond.
    fine = replace(flat, transient=replace(flat.transient, max_step=2e-7))
    writer = DIALECTS["ngspice"]
    files = {**writer.shared(fine), **writer.sample(fine, "sample")}
    lines = "\n".join(files[name] for name in files).replace("\n+ ", " ").splitlines()
    text = "\n".join(line for line in lines if not line.lower().startswith((".include", ".save")))
    stop = circuit.transient.stop
    (result,) = run_jobs([Job(deck=CheckedDeck(text, name="x"), nodes=order, stop=stop)], workers=1, time_limit=120)
    volts = {node: result.traces[row] for row, node in enumerate(order)} | {GROUND: np.zeros(len(result.time))}
    within = result.time <= stop * (1 + 1e-9)

    def integral(power: np.ndarray) -> float:
        return float(np.trapezoid(power[within], result.time[within]))

    heat: dict[str, float] = {}
    for part in parts:
        name = part.name.split("_", 2)[2]
        if isinstance(part, Switch):
            ohms = np.where(volts[part.control] > part.threshold, part.r_on, part.r_off)
        else:
            ohms = np.array(part.ohms)
        key = f"{part.name[:2]} {name}"
        heat[key] = heat.get(key, 0.0) + integral((volts[part.a] - volts[part.b]) ** 2 / ohms)
    devices = sum(
        integral(array.siemens[i, j] * (volts[word] - volts[bit]) ** 2)
        for array in arrays
        for i, word in enumerate(array.word_lines)
        for j, bit in enumerate(array.bits)
    )
    return heat, devices


@pytest.mark.parametrize(
    ("neuron", "family", "parts"),
    [
        (NEURONS["leaky"](beta=0.9, reset_mechanism="zero"), "vccs", ()),
        (NEURONS["leaky"](beta=0.9), "opamp", ("finite_gain",)),
        (NEURONS["synaptic"](alpha=0.6, beta=0.8), "vccs", ()),
        (NEURONS["alpha"](alpha=0.8, beta=0.6, reset_mechanism="zero"), "opamp", ()),
    ],
)  # fmt: skip
def test_heat_is_that_of_an_ngspice_transient(neuron: Neuron, family: str, parts: tuple[str, ...]) -> None:
    crossbar, stimulus = make(neuron, family, parts)
    circuit = build_circuit(crossbar, stimulus.inputs[0], "energy")
    heats, spikes = ExactSolver(circuit).heat(
        replace(stimulus, inputs=stimulus.inputs[:1], labels=stimulus.labels[:1], indices=stimulus.indices[:1])
    )
    assert all(each.any() for each in spikes)
    judged, devices = heat_in_ngspice(circuit)
    total = devices + sum(judged.values())
    assert sum(float(heat.devices[0]) for heat in heats) == pytest.approx(devices, rel=5e-3)
    for number, heat in enumerate(heats, start=1):
        for name, joules in heat.elements.items():
            assert joules[0] == pytest.approx(judged[f"l{number} {name}"], rel=1e-2, abs=1e-4 * total), name
    # Two latches of 10 pF at 1 V are filled or emptied when a spike bit changes, in 10 ns, too short for the referee.
    flips = np.abs(np.diff(spikes[-1][0].astype(int), axis=0, prepend=0)).sum()
    assert heats[-1].latches[0] == pytest.approx(2 * 10e-12 / 2 * flips)


def test_heat_is_that_of_closed_forms() -> None:
    crossbar, stimulus = make(NEURONS["leaky"](beta=0.9, reset_mechanism="none"))
    still = replace(stimulus, inputs=np.zeros_like(stimulus.inputs))
    circuit = build_circuit(crossbar, still.inputs[0], "energy")
    (heat, _), _ = ExactSolver(circuit).heat(still)
    layer, timing = crossbar.layers[0], crossbar.timing
    phi = timing.slot * (0.92 - 0.001 + 2 * 0.001 / 3)  # integral of the drive pulse squared, s
    slots = STEPS + 1
    (array,), _ = crossbar_arrays(crossbar)
    # Inputs of 0: only the bias line is driven.
    devices = slots * crossbar.v_read**2 * (array.g_pos[-1] + array.g_neg[-1]).sum() * phi
    negative = slots * layer.r_feedback * ((crossbar.v_read * array.g_neg[-1]) ** 2).sum() * phi
    positive = slots * layer.r_feedback * ((crossbar.v_read * (array.g_pos - array.g_neg)[-1]) ** 2).sum() * phi
    assert heat.devices == pytest.approx([devices, devices], rel=1e-9)
    assert heat.elements["f_neg"] == pytest.approx([negative, negative], rel=1e-5)
    assert heat.elements["f_pos"] == pytest.approx([positive, positive], rel=1e-5)


def test_a_membrane_left_alone_loses_its_charge_in_the_leak() -> None:
    neuron = NEURONS["leaky"](beta=0.9, reset_mechanism="none")
    layer = Layer(weight=np.array([[0.8]]), bias=None, neuron=neuron)
    inputs = np.zeros((1, 40, 1))
    inputs[0, 0] = 1.0
    network = Network(name="one", layers=(layer,), steps=40)
    crossbar = map_network(network, DEVICES["printed_resistor_kit"], v_rail=10.0, inputs=np.ones((1, 1)))
    stimulus = Stimulus(inputs=inputs, labels=np.array([-1]), indices=np.arange(1))
    short = replace(stimulus, inputs=inputs[:, :1])
    first, whole = (
        ExactSolver(build_circuit(crossbar, each.inputs[0], "leak")).heat(each)[0][0].elements["leak_mem"][0]
        for each in (short, stimulus)
    )
    volts = 0.8 * crossbar.layers[0].volts_per_unit  # at the end of the first slot; latching takes another 1/100
    farads = neuron.capacitance
    assert whole - first == pytest.approx(farads * volts**2 / 2 * (0.9 ** (2 * 0.01) - 0.9 ** (2 * 39.01)), rel=1e-3)


@pytest.mark.parametrize(("rows", "columns"), [(2, 0), (0, 2), (2, 1)])
def test_tiles_take_together_what_the_layer_takes(rows: int, columns: int) -> None:
    crossbar, stimulus = make(NEURONS["leaky"](beta=0.9))
    waveforms = ExactSolver(build_circuit(crossbar, stimulus.inputs[0], "whole")).simulate(stimulus, traces=False)
    whole = measure_energy(crossbar, waveforms)
    tiled = measure_energy(cut_tiles(crossbar, rows=rows, columns=columns), waveforms)
    assert [(each.layer, each.block) for each in tiled.blocks] == [(each.layer, each.block) for each in whole.blocks]
    for ours, theirs in zip(tiled.blocks, whole.blocks, strict=True):
        assert ours.heat == pytest.approx(theirs.heat, rel=1e-9)


def test_energy_adds_up_and_latency_is_counted_from_the_start() -> None:
    crossbar, stimulus = make(NEURONS["leaky"](beta=0.9))
    waveforms = ExactSolver(build_circuit(crossbar, stimulus.inputs[0], "energy")).simulate(stimulus, traces=False)
    energy = measure_energy(crossbar, waveforms)
    data = energy.as_dict()
    assert json.loads(json.dumps(data)) == data
    assert {each.layer for each in energy.blocks} == {1, 2}
    assert {"crossbar", "front end", "membrane", "spike latch"} <= {each.block for each in energy.blocks}
    assert data["joules_per_inference"] == pytest.approx(sum(each.joules for each in energy.blocks))
    assert data["joules_per_inference"] == data["joules_heat"]  # ideal parts draw nothing
    assert data["joules_per_spike"] * energy.spikes == pytest.approx(energy.joules)
    assert energy.spikes == sum(each.sum() for each in waveforms.spikes) / 2
    # Seven slots of a millisecond and the time to latch.
    assert energy.seconds == pytest.approx(7.01e-3)
    firsts = [np.flatnonzero(each.any(axis=1))[0] for each in waveforms.spikes[-1] if each.any()]
    assert energy.first_spike == pytest.approx(np.mean(firsts) * 1e-3 + 2.01e-3)
    votes = np.cumsum(waveforms.membranes[-1], axis=1).argmax(axis=2)
    settled = [min(t for t in range(STEPS) if (each[t:] == each[-1]).all()) for each in votes]
    assert energy.settled == pytest.approx(np.mean(settled) * 1e-3 + 2.01e-3)
    assert len(energy.rows()) == len(energy.blocks) + 1
