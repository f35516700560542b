"""Presets of real parts: combined without contradiction, each with its source, and running in the circuit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from snn2circuit.analysis import compare_circuit
from snn2circuit.design import parse_design
from snn2circuit.devices import DEVICES
from snn2circuit.electronics import ELECTRONICS, select
from snn2circuit.errors import DesignError, NetlistError
from snn2circuit.ir.circuit import Amplifier, Comparator, Switch
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.network import Layer, Network, Stimulus
from snn2circuit.ir.parts import Drive, Electronics, Quantity
from snn2circuit.ir.timing import Timing
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.mapping import map_network
from snn2circuit.netlist import write_netlist
from snn2circuit.neurons.families import FAMILIES
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.simulate import simulate_netlist

DRIVE = Drive(timing=Timing(), v_read=0.1, siemens_per_unit=1e-5, r_feedback=1e4, volts_per_unit=0.1)


def gain_only(value: float) -> Electronics:
    return Electronics(name="gain", gain=Quantity(value=value, unit="", source="this test", confidence="assumed"))


def simulate(crossbar: CrossbarNetwork, inputs: np.ndarray, folder: Path) -> Waveforms:
    stimulus = Stimulus(inputs=inputs, labels=np.full(len(inputs), -1), indices=np.arange(len(inputs)))
    write_netlist(crossbar, stimulus, folder)
    return simulate_netlist(folder, workers=1, time_limit=120)


def test_presets_of_different_parts_go_together() -> None:
    parts = select(["opa2277", "lm311", "dg411le", "74hc"])
    assert parts.name == "opa2277 + lm311 + dg411le + 74hc"
    assert parts.gain is ELECTRONICS["opa2277"].gain
    assert parts.comparator_delay is ELECTRONICS["lm311"].comparator_delay
    assert parts.r_on is ELECTRONICS["dg411le"].r_on
    assert select(["ideal", "tl072"]).values == ELECTRONICS["tl072"].values
    assert select(["ideal"]).values == select([]).values == {}


def test_contradictions_and_unknown_parts_are_refused() -> None:
    with pytest.raises(
        NetlistError, match="tl072 and mcp6022 both say amplifier_current, bandwidth, gain, offset, slew, supply"
    ):
        select(["tl072", "mcp6022"])
    with pytest.raises(NetlistError, match="unknown electronics 'ua741'; allowed: ideal"):
        select(["ua741"])
    with pytest.raises(DesignError, match="did you mean 'tl072'"):
        parse_design('[circuit]\nelectronics = ["tl071"]')
    with pytest.raises(DesignError, match="a list of texts is needed"):
        parse_design('[circuit]\nelectronics = "tl072"')
    assert parse_design('[circuit]\nelectronics = ["tl072", "lm393"]').circuit.electronics == ("tl072", "lm393")


@pytest.mark.parametrize("name", ELECTRONICS)
def test_every_value_of_a_preset_has_a_source(name: str) -> None:
    part = ELECTRONICS[name]
    assert part.name == name
    assert all(value.source and value.value != 0 for value in part.values.values())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_cell_is_built_from_the_parts(family: str) -> None:
    parts = select(["tl072", "lm393", "ts5a23166", "74hc"])
    cell = Leaky(reset_mechanism="zero").cell("cell", replace(DRIVE, electronics=parts, family=family))
    elements = [each for block in cell.blocks for each in block.elements]
    amplifiers = [each for each in elements if isinstance(each, Amplifier)]
    assert len(amplifiers) == {"vccs": 2, "opamp": 3}[family]
    assert {(each.gain, each.bandwidth, each.slew, abs(each.offset)) for each in amplifiers} == {(2e5, 4e6, 16e6, 3e-3)}
    assert {(each.r_on, each.r_off) for each in elements if isinstance(each, Switch)} == {(0.9, 15e9)}
    above, buffer = (each for each in elements if isinstance(each, Comparator))
    assert (above.offset, above.delay) == (1e-3, 1.3e-6)
    assert (buffer.threshold, buffer.delay) == (0.7, 13e-9)


def test_parts_too_slow_for_the_slot_are_refused() -> None:
    hurried = replace(DRIVE, timing=Timing(slot=1e-5), electronics=select(["lm393"]))
    with pytest.raises(NetlistError, match=r"lm393: a comparator of 1.3e-06 s .* use a longer slot"):
        Leaky().cell("cell", hurried)
    poor = replace(DRIVE, electronics=select(["cd4066b"]), family="opamp", volts_per_unit=100.0)
    with pytest.raises(NetlistError, match="choose a smaller capacitance or a better switch"):
        Leaky(capacitance=1e-5).cell("cell", poor)
    with pytest.raises(NetlistError, match="unknown family of neuron circuits 'ota'; allowed: vccs, opamp"):
        Leaky().cell("cell", replace(DRIVE, family="ota"))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_real_parts_spike_as_the_model_where_margins_allow(family: str, reset: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    neuron = Leaky(beta=0.8, reset_mechanism=reset)
    network = Network(
        name="real",
        layers=(
            Layer(weight=rng.normal(0.2, 0.6, (4, 2)), bias=rng.normal(0.1, 0.1, 4), neuron=neuron),
            Layer(weight=rng.normal(0.3, 0.6, (1, 4)), neuron=neuron),
        ),
        steps=15,
    )
    inputs = rng.uniform(0, 1.3, (1, 15, 2))
    parts = select(["opa2277", "lm311", "dg411le", "74hc"])
    crossbar = map_network(
        network, DEVICES["printed_resistor_kit"], v_rail=10.0, inputs=inputs.reshape(-1, 2), electronics=parts,
        family=family,
    )  # fmt: skip
    equivalence = compare_circuit(crossbar, simulate(crossbar, inputs, tmp_path))
    assert equivalence.equivalent, str(equivalence)
    assert sum(layer.spikes_model for layer in equivalence.layers) > 0
    assert 1e-5 < equivalence.worst_membrane_error < 2e-2


def test_the_op_amp_familys_leak_grows_as_its_formula_says(tmp_path: Path) -> None:
    gain, beta = 300.0, 0.9
    neuron = Leaky(beta=beta, reset_mechanism="none", threshold=50.0)
    network = Network(name="one", layers=(Layer(weight=np.array([[1.0]]), neuron=neuron),), steps=4)
    crossbar = map_network(
        network, DEVICES["printed_resistor_kit"], inputs=np.ones((1, 1)), electronics=gain_only(gain), family="opamp"
    )
    membranes = simulate(crossbar, np.array([[[1.0], [0.0], [0.0], [0.0]]]), tmp_path).membranes[0][0, :, 0]
    kept = membranes[2:] / membranes[1:-1]
    elements = {
        (type(each).__name__, each.name): each
        for block in neuron.cell("cell", crossbar.drive(crossbar.layers[0])).blocks
        for each in block.elements
    }
    leak, source = elements["Resistor", "leak_mem"].ohms, elements["Resistor", "in"].ohms
    expected = beta ** (1 + leak / source / (gain + 1))
    assert expected < beta - 5e-4
    np.testing.assert_allclose(kept, expected, rtol=2e-5)
