"""The LTspice folder: portable text only, the same circuit in every form, judged from raw files.

LTspice itself is not to be had here. Its files are held against a whitelist of what both simulators read, run in
ngspice in its default mode and in its LTspice mode, and the schematic is turned back into a deck by an independent
reader.
"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from networks import random_crossbar
from schematic_reader import netlist_of
from spice_grammar import doubled_names, foreign_lines
from test_neurons import CASES

from snn2circuit.analysis import compare_circuit
from snn2circuit.devices import DEVICES
from snn2circuit.errors import NetlistError
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.network import Layer, Network, Stimulus
from snn2circuit.ir.parts import Neuron
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.mapping import map_network
from snn2circuit.netlist import DIALECTS, build_circuit, write_netlist
from snn2circuit.netlist.flatten import flatten
from snn2circuit.simulate import read_waveforms


def ngspice(deck: Path, *, mode: str = "", ascii_raw: bool = False) -> Path:
    """Run a deck by hand, as a person would, and give the raw file."""
    commands = [f"set ngbehavior={mode}"] * bool(mode) + ["set filetype=ascii"] * ascii_raw
    (deck.parent / ".spiceinit").write_text("".join(f"{command}\n" for command in commands))
    raw = deck.with_name(f"{deck.stem}{mode}{'_ascii' * ascii_raw}.raw")
    done = subprocess.run(
        ["ngspice", "-b", "-r", raw.name, deck.name],
        cwd=deck.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(deck.parent)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "error" not in (done.stdout + done.stderr).lower()
    return raw


def mapped(neuron: Neuron, drive: float) -> tuple[CrossbarNetwork, Stimulus]:
    rng = np.random.default_rng(3)
    layers = tuple(
        Layer(
            weight=rng.normal(0.6, 0.8, (outputs, inputs)) * 1.5 * drive * neuron.threshold,
            bias=rng.normal(0.2, 0.2, outputs) * drive * neuron.threshold,
            neuron=neuron,
        )
        for inputs, outputs in ((2, 3), (3, 1))
    )
    network = Network(name="two", layers=layers, steps=8)
    inputs = rng.uniform(-0.3, 1.3, (1, 8, 2))
    stimulus = Stimulus(inputs=inputs, labels=np.array([-1]), indices=np.arange(1))
    return map_network(network, DEVICES["printed_resistor_kit"], v_rail=10.0, inputs=inputs.reshape(-1, 2)), stimulus


def worst_difference(a: Waveforms, b: Waveforms) -> float:
    return max(float(np.abs(x - y).max()) for x, y in zip(a.membranes, b.membranes, strict=True))


@pytest.mark.parametrize(("neuron", "drive"), CASES, ids=lambda each: getattr(each, "kind", None))
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_deck_keeps_to_what_both_simulators_read(
    neuron: Neuron, drive: float, dialect: str, tmp_path: Path
) -> None:
    write_netlist(*mapped(neuron, drive), tmp_path, dialect=dialect)
    decks = [path for path in tmp_path.iterdir() if path.suffix in (".net", ".lib", ".cir")]
    assert len(decks) == 3
    for deck in decks:
        text = deck.read_text()
        assert foreign_lines(text) == []
        assert doubled_names(text) == set()


@pytest.mark.parametrize(
    ("neuron", "drive"),
    [CASES[0], CASES[1], CASES[3], CASES[9], CASES[18]],
    ids=lambda each: getattr(each, "kind", None),
)
def test_netlist_and_schematic_are_the_circuit_in_both_modes(neuron: Neuron, drive: float, tmp_path: Path) -> None:
    crossbar, stimulus = mapped(neuron, drive)
    write_netlist(crossbar, stimulus, tmp_path, dialect="ltspice")
    drawn = tmp_path / "drawn.cir"
    drawn.write_text(netlist_of(tmp_path / "sample_0.asc"))
    assert foreign_lines(drawn.read_text()) == []
    runs = [
        read_waveforms(tmp_path, [ngspice(deck, mode=mode)], samples=[0])
        for deck in (tmp_path / "sample_0.net", drawn)
        for mode in ("", "ltpsa")
    ]
    for run in runs:
        equivalence = compare_circuit(crossbar, run)
        assert equivalence.equivalent, str(equivalence)
        assert equivalence.layers[0].spikes_model > 0
        scale = max(float(np.abs(m).max()) for m in run.membranes)
        assert worst_difference(run, runs[0]) < 1e-5 * scale


def test_a_wire_moved_in_the_schematic_is_seen(tmp_path: Path) -> None:
    crossbar, stimulus = random_crossbar((3, 3, 2), beta=0.9, threshold=1.0, reset="subtract", seed=1, samples=1)
    write_netlist(crossbar, stimulus, tmp_path, dialect="ltspice")
    sheet = tmp_path / "sample_0.asc"
    lines = sheet.read_text().splitlines()
    first, second = (next(n for n, line in enumerate(lines) if line.endswith(f" bp_l1_n{k}")) for k in (0, 1))
    lines[first], lines[second] = (
        lines[first].replace("bp_l1_n0", "bp_l1_n1"),
        lines[second].replace("bp_l1_n1", "bp_l1_n0"),
    )
    sheet.write_text("\n".join(lines) + "\n")
    drawn = tmp_path / "sample_0_moved.cir"
    drawn.write_text(netlist_of(sheet))
    assert not compare_circuit(crossbar, read_waveforms(tmp_path, [ngspice(drawn)], samples=[0])).equivalent


def test_ascii_and_binary_raw_files_say_the_same_and_are_found_by_title(tmp_path: Path) -> None:
    crossbar, stimulus = random_crossbar((3, 3, 2), beta=0.9, threshold=1.0, reset="zero", seed=2, samples=2, steps=6)
    write_netlist(crossbar, stimulus, tmp_path, dialect="ltspice")
    deck = tmp_path / "sample_1.net"
    binary = ngspice(deck)
    text = ngspice(deck, ascii_raw=True)
    by_name, by_title = read_waveforms(tmp_path, [binary]), read_waveforms(tmp_path, [text])
    for waveforms in (by_name, by_title):
        assert waveforms.stimulus.indices.tolist() == [1]
        assert compare_circuit(crossbar, waveforms).equivalent
        assert waveforms.simulator.startswith("ngspice")
    assert worst_difference(by_name, by_title) < 1e-9


def test_flattening_keeps_every_element_and_refuses_what_does_not_fit() -> None:
    crossbar, stimulus = random_crossbar((3, 3, 2), beta=0.9, threshold=1.0, reset="zero", seed=2, samples=1)
    circuit = build_circuit(crossbar, stimulus.inputs[0], "flat")
    flat = flatten(circuit)
    assert flat.subcircuits == ()
    per_cell = [sum(len(block.elements) for block in cell.blocks) for cell in circuit.subcircuits]
    top = sum(len(block.elements) for block in circuit.network)
    assert sum(len(block.elements) for block in flat.network) == top - 5 + 3 * per_cell[0] + 2 * per_cell[1]
    with pytest.raises(NetlistError, match=r"l1_n0 connects 8 nodes to leaky_l1, which is not there"):
        flatten(replace(circuit, subcircuits=circuit.subcircuits[1:]))
    cut = replace(circuit.subcircuits[0], ports=circuit.subcircuits[0].ports[:-1])
    with pytest.raises(NetlistError, match="which has 7 ports"):
        flatten(replace(circuit, subcircuits=(cut, *circuit.subcircuits[1:])))


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        made = random_crossbar((3, 3, 2), beta=0.9, threshold=1.0, reset="zero", seed=2, samples=1)
        write_netlist(*made, tmp_path / name, dialect="ltspice")
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert {"sample_0.net", "sample_0.asc", "sample_0.plt", "models.lib", "README.txt", "crossbar_l1.asy"} <= set(files)
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in files)
