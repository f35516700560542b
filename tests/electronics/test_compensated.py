"""Poor op-amps and long wires: spikes differ, until the conductances are trimmed; ngspice is the referee."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from snn2circuit.analysis import compare_circuit
from snn2circuit.devices import DEVICES
from snn2circuit.ir.network import Layer, Network, Stimulus
from snn2circuit.ir.parasitics import uniform_parasitics
from snn2circuit.ir.parts import Electronics, Quantity
from snn2circuit.mapping import map_network
from snn2circuit.netlist import write_netlist
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.simulate import simulate_netlist
from snn2circuit.steps import compensate_parts


def poor(**values: float) -> Electronics:
    quantities = {
        name: Quantity(value=value, unit="", source="this test", confidence="assumed") for name, value in values.items()
    }
    return Electronics(name="poor", technology="poor op-amps", **quantities)


def test_real_parts_spike_as_ideal_ones_after_trimming(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    layers = tuple(
        Layer(weight=rng.normal(0.1, 0.5, (columns, rows)), bias=rng.normal(0.1, 0.1, columns), neuron=Leaky(beta=0.9))
        for rows, columns in ((5, 6), (6, 3))
    )
    inputs = rng.uniform(0, 1, (40, 5))
    network = Network(name="poor", layers=layers, steps=20)
    parts = poor(gain=1e3, bandwidth=10e6)
    device = DEVICES["printed_resistor_kit"]
    crossbar = map_network(network, device, v_rail=10.0, inputs=inputs, electronics=parts)
    stimulus = Stimulus(inputs=network.encode(inputs), labels=np.full(40, -1), indices=np.arange(40))
    parasitics = uniform_parasitics(crossbar, r_word=5.0, r_bit=5.0, r_driver=50.0, source="this test")

    trimmed, done = compensate_parts(crossbar, stimulus, parasitics)
    assert done.before.mismatches > 20
    assert done.after.mismatches == 0
    assert done.after.worst_membrane_error < 1e-4
    assert all(layer.short == () for layer in done.layers)
    assert done.as_dict()["spike_mismatches_after"] == 0

    few = Stimulus(inputs=stimulus.inputs[:2], labels=stimulus.labels[:2], indices=stimulus.indices[:2])
    write_netlist(trimmed, few, tmp_path, parasitics=parasitics)
    equivalence = compare_circuit(trimmed, simulate_netlist(tmp_path, workers=1, time_limit=120))
    assert equivalence.equivalent, str(equivalence)
    assert sum(layer.spikes_model for layer in equivalence.layers) > 20


@pytest.mark.parametrize(("r_word", "r_bit", "near"), [(1.5, 1.0, []), (10.0, 6.0, [783])])
def test_a_bit_line_that_loses_half_of_its_current_is_trimmed_too(r_word: float, r_bit: float, near: list[int]) -> None:
    """784 rows as of images, few large weights among many small ones: shares differ from cell to cell.

    With the largest weights next to the neurons, poorer lines cannot carry what the first gain asks for; it gives way.
    """
    rng = np.random.default_rng(3)
    place = np.abs(np.arange(784) % 28 - 13.5) / 14
    weight = np.where(rng.random((4, 784)) < 0.02, 1.0, 0.15) * rng.normal(0, 1, (4, 784)) * (1 - 0.8 * place)
    weight[:, near] = 4.0
    network = Network(name="long", layers=(Layer(weight=weight, bias=None, neuron=Leaky(beta=0.9)),), steps=2)
    inputs = rng.uniform(0, 0.3, (3, 784))
    crossbar = map_network(network, DEVICES["printed_resistor_kit"], inputs=inputs)
    stimulus = Stimulus(inputs=network.encode(inputs), labels=np.full(3, -1), indices=np.arange(3))
    parasitics = uniform_parasitics(crossbar, r_word=r_word, r_bit=r_bit, r_driver=2.0, source="this test")
    _, done = compensate_parts(crossbar, stimulus, parasitics)
    (layer,) = done.layers
    assert layer.worst_before > 0.2
    assert layer.worst_after < 1e-7
    assert layer.short == ()
