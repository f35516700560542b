"""The circuit as data: names that say what and where, stimuli in their slots, samples that do not fit refused."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from golden_networks import resets_3_2_2_1, xor_2_4_2
from hypothesis import given, settings
from hypothesis import strategies as st

from snn2circuit.errors import NetlistError
from snn2circuit.ir.circuit import Block, Circuit, Crossbar, PiecewiseSource, PulseSource, Resistor, VoltageGain
from snn2circuit.ir.lines import uniform_lines
from snn2circuit.ir.network import Stimulus
from snn2circuit.netlist import DIALECTS, build_circuit, write_netlist

NGSPICE = DIALECTS["ngspice"]


@cache
def make_circuit() -> Circuit:
    crossbar, stimulus = xor_2_4_2()
    return build_circuit(crossbar, stimulus.inputs[1], "xor")


def flat(blocks: tuple[Block, ...]) -> dict[str, object]:
    return {each.name: each for block in blocks for each in block.elements}


def test_the_deck_holds_every_device_with_the_conductance_of_the_crossbar() -> None:
    crossbar, stimulus = xor_2_4_2()
    text = NGSPICE.network(build_circuit(crossbar, stimulus.inputs[0], "xor"))
    found = {
        name: (word, bit, float(ohms))
        for name, word, bit, ohms in re.findall(r"^R(\S+) (\S+) (\S+) (\S+)$", text, re.M)
    }
    assert len(found) == crossbar.devices
    for number, layer in enumerate(crossbar.layers, start=1):
        for sign, conductances in (("p", layer.g_pos), ("n", layer.g_neg)):
            for (row, column), siemens in np.ndenumerate(conductances):
                word, bit, ohms = found[f"{sign}_l{number}_r{row}_n{column}"]
                assert word == (f"wl_l{number}_r{row}" if row < layer.inputs else f"bias_l{number}")
                assert bit == f"b{sign}_l{number}_n{column}"
                assert ohms == pytest.approx(1 / siemens, rel=1e-11)


def test_the_readout_maps_every_neuron_to_its_nodes() -> None:
    readout = make_circuit().readout
    assert readout.membranes == (tuple(f"mem_l1_n{j}" for j in range(4)), ("mem_l2_n0", "mem_l2_n1"))
    assert len(set(readout.nodes)) == 12


def test_bias_lines_start_with_their_layers_first_slot() -> None:
    sources = flat(make_circuit().stimulus)
    phi, first, second = (sources[name] for name in ("phi", "bias_l1", "bias_l2"))
    assert isinstance(phi, PulseSource)
    assert first.pulse.delay == phi.pulse.delay
    assert second.pulse.delay == pytest.approx(phi.pulse.delay + 1e-3)


def test_constant_inputs_ride_on_the_clock_and_others_return_to_zero() -> None:
    constant = flat(make_circuit().stimulus)["in_r1"]
    assert isinstance(constant, VoltageGain)
    assert (constant.plus, constant.gain) == ("phi", pytest.approx(0.1))
    crossbar, stimulus = resets_3_2_2_1()
    varying = flat(build_circuit(crossbar, stimulus.inputs[0], "r").stimulus)["in_r1"]
    assert isinstance(varying, PiecewiseSource)
    for step, value in enumerate(stimulus.inputs[0, :, 1]):
        middle = (step + 0.5) * 1e-3
        assert np.interp(middle, varying.times, varying.volts) == pytest.approx(crossbar.v_read * value)
        assert np.interp((step + 1) * 1e-3, varying.times, varying.volts) == 0


def test_a_sample_that_would_leave_the_rails_is_refused() -> None:
    crossbar, _ = xor_2_4_2()
    with pytest.raises(NetlistError, match=r"layer 1: .* the rails are at 2.5 V"):
        build_circuit(crossbar, np.full((60, 2), [40.0, -40.0]), "hot")


@pytest.mark.parametrize("inputs", [np.zeros((5, 3)), np.zeros(2), np.zeros((0, 2)), np.full((5, 2), np.nan)])
def test_inputs_that_do_not_fit_are_refused(inputs: np.ndarray) -> None:
    with pytest.raises(NetlistError, match="finite numbers"):
        build_circuit(xor_2_4_2()[0], inputs, "bad")


def test_an_unknown_dialect_and_an_empty_stimulus_are_refused(tmp_path: Path) -> None:
    crossbar, stimulus = xor_2_4_2()
    with pytest.raises(NetlistError, match="unknown dialect 'hspice'; allowed: ngspice"):
        write_netlist(crossbar, stimulus, tmp_path, dialect="hspice")
    empty = Stimulus(inputs=np.empty((0, 6, 2)), labels=np.empty(0), indices=np.empty(0))
    with pytest.raises(NetlistError, match="no sample"):
        write_netlist(crossbar, empty, tmp_path)


WILD = st.text(
    st.characters(codec="utf-8", categories=None) | st.sampled_from("\n\r\0\v\f\x1c\x85\u2028\u2029.*+$;'\"#"),
    max_size=300,
)


@settings(max_examples=2000, deadline=None)
@given(title=WILD)
def test_no_title_can_add_a_line(title: str) -> None:
    circuit = make_circuit()
    lines = NGSPICE.deck(circuit, ("cells.lib",)).splitlines()
    wild = NGSPICE.deck(replace(circuit, title=title), ("cells.lib",)).splitlines()
    assert wild[1:] == lines[1:]
    assert wild[0].startswith("*")
    assert wild[0].isprintable()


@settings(max_examples=2000, deadline=None)
@given(name=WILD)
def test_a_name_is_a_plain_word_or_refused(name: str) -> None:
    circuit = replace(
        make_circuit(), network=(Block(comment="wild", elements=(Resistor(name=name, a="x", b=name, ohms=1.0),)),)
    )
    if re.fullmatch(r"[a-z0-9][a-z0-9_]{0,62}", name):
        assert f"R{name} x {name} 1" in NGSPICE.network(circuit)
    else:
        with pytest.raises(NetlistError, match="cannot be a SPICE name"):
            NGSPICE.network(circuit)


def test_a_large_crossbar_is_written_in_bulk() -> None:
    rows, columns = 200, 50
    array = Crossbar(
        name="big",
        word_lines=tuple(f"w{i}" for i in range(rows)),
        bits_pos=tuple(f"p{i}" for i in range(columns)),
        bits_neg=tuple(f"n{i}" for i in range(columns)),
        g_pos=np.full((rows, columns), 1e-5),
        g_neg=np.full((rows, columns), 1e-6),
        lines=uniform_lines(rows, 2 * columns),
    )
    text = NGSPICE.network(replace(make_circuit(), network=(Block(comment="big", elements=(array,)),)))
    assert text.count("\nR") == 2 * rows * columns
    assert "Rp_big_r199_n49 w199 p49 100000" in text


def test_decks_of_an_earlier_and_longer_stimulus_are_removed(tmp_path: Path) -> None:
    crossbar, stimulus = xor_2_4_2()
    write_netlist(crossbar, stimulus, tmp_path)
    first = Stimulus(inputs=stimulus.inputs[:1], labels=stimulus.labels[:1], indices=stimulus.indices[:1])
    write_netlist(crossbar, first, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "cells.lib",
        "netlist.npz",
        "network.lib",
        "sample_0.cir",
    ]
