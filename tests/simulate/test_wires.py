"""Resistive lines, tiles and Norton equivalents in whole networks, simulated in ngspice."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from arrays import random_lines
from networks import random_crossbar

from snn2circuit.analysis import compare_circuit
from snn2circuit.analysis.activity import line_drops
from snn2circuit.analysis.wires import assess_wires
from snn2circuit.errors import NetlistError
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.lines import PIECES
from snn2circuit.ir.network import Stimulus
from snn2circuit.ir.parasitics import LayerParasitics, Parasitics, uniform_parasitics
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.mapping import cut_tiles
from snn2circuit.netlist import bit_line_joints, bit_lines, build_circuit, crossbar_arrays, write_netlist
from snn2circuit.netlist.arrays import crossbar_cards
from snn2circuit.simulate import simulate_netlist
from snn2circuit.simulate.joints import join_crossbars
from snn2circuit.steps import reduce_crossbars, sign_off, simulate_exactly


def network(seed: int = 8, device: str = "printed_resistor_kit") -> tuple[CrossbarNetwork, Stimulus]:
    """Five inputs that change in every step, two layers with bias; two of the inputs held."""
    crossbar, stimulus = random_crossbar(
        (5, 4, 3), beta=0.9, threshold=1.0, reset="subtract", seed=seed, samples=1, steps=6, device=device
    )
    inputs = stimulus.inputs.copy()
    inputs[:, :, 1:3] = inputs[:, :1, 1:3]
    return crossbar, Stimulus(inputs=inputs, labels=stimulus.labels, indices=stimulus.indices)


def lines(crossbar: CrossbarNetwork, **ohms: float) -> Parasitics:
    return uniform_parasitics(crossbar, source="made up", **ohms)


def run(
    folder: Path, crossbar: CrossbarNetwork, stimulus: Stimulus, parasitics: Parasitics | None, reduce: str
) -> Waveforms:
    reduced = reduce_crossbars(crossbar, parasitics, reduce)
    write_netlist(crossbar, stimulus, folder, parasitics=parasitics, reduced=reduced)
    return simulate_netlist(folder, time_limit=120)


def apart(a: Waveforms, b: Waveforms) -> float:
    """Largest difference of two runs' membranes, V."""
    for ours, theirs in zip(a.spikes, b.spikes, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    return max(float(np.abs(x - y).max()) for x, y in zip(a.membranes, b.membranes, strict=True))


@pytest.mark.parametrize(
    "ohms",
    [{}, {"r_word": 20.0, "r_bit": 5.0, "r_driver": 100.0}, {"r_driver": 300.0}],
    ids=["ideal", "wires", "drivers"],
)
def test_reduced_and_full_decks_agree(ohms: dict[str, float], tmp_path: Path) -> None:
    crossbar, stimulus = network()
    crossbar = cut_tiles(crossbar, rows=3, columns=3)
    parasitics = lines(crossbar, **ohms) if ohms else None
    full = run(tmp_path / "full", crossbar, stimulus, parasitics, "none")
    assert sum(int(layer.sum()) for layer in full.spikes) > 3
    for reduce in ("first", "all"):
        assert apart(full, run(tmp_path / reduce, crossbar, stimulus, parasitics, reduce)) < 1e-9


def joined(crossbar: CrossbarNetwork, seed: int = 5, scale: float = 1.0) -> Parasitics:
    """Every piece of every line another, and joints that the bit lines of the tiles share; some of them ideal."""
    plain, random = lines(crossbar), np.random.default_rng(seed)
    layers = []
    for layer, made in zip(crossbar.layers, plain.layers, strict=True):
        tiles = []
        for tile in made.tiles:
            drawn = random_lines(*tile.lines.shape, seed=int(random.integers(1000)))
            pieces = {name: replace(getattr(tile, name), values=scale * getattr(drawn, name)) for name in PIECES}
            tiles.append(replace(tile, **pieces, fed_far=drawn.fed_far))
        ohms = scale * random.uniform(1, 50, (len(layer.row_cuts) + 1, 2 * layer.columns))
        ohms[random.random(ohms.shape) < 0.2] = 0.0
        joints = replace(tiles[0].bit_leads, values=ohms)
        layers.append(LayerParasitics(tiles=tuple(tiles), joints=joints if layer.row_cuts else None))
    return Parasitics(layers=tuple(layers))


@pytest.mark.parametrize("tile", [(0, 0), (2, 0), (3, 3)], ids=["whole", "row tiles", "tiles"])
def test_unequal_lines_and_joints_in_ngspice_reduced_and_exactly(tile: tuple[int, int], tmp_path: Path) -> None:
    crossbar, stimulus = network()
    crossbar = cut_tiles(crossbar, rows=tile[0], columns=tile[1])
    parasitics = joined(crossbar)
    assert [bool(each) for each in bit_line_joints(crossbar, parasitics)] == [tile != (0, 0)] * 2
    full = run(tmp_path / "full", crossbar, stimulus, parasitics, "none")
    assert sum(int(layer.sum()) for layer in full.spikes) > 3
    assert apart(full, run(tmp_path / "ideal", crossbar, stimulus, None, "none")) > 1e-3
    for reduce in ("first", "all"):
        assert apart(full, run(tmp_path / reduce, crossbar, stimulus, parasitics, reduce)) < 1e-9
    assert apart(full, simulate_exactly(crossbar, stimulus, parasitics)) < 1e-4  # ngspice's own steps


def test_tiles_on_the_same_bit_lines_in_ngspice_reduced_and_exactly(tmp_path: Path) -> None:
    """Lines as measured on masks that passed all checks; two tiles on a sheet are one array, sheets meet in joints."""
    crossbar, stimulus = network(device="foil_memristor")
    crossbar = cut_tiles(crossbar, rows=2)
    layout = build_layout(crossbar, PROCESSES["inkjet"], "shared_electrode")
    verdict = sign_off(layout, crossbar, tmp_path)
    assert verdict.drc["violations"] == 0
    assert verdict.lvs["match"]
    parasitics = verdict.parasitics
    assert parasitics is not None
    assert [len(group) for group in crossbar_arrays(crossbar, parasitics)] == [2, 2]
    assert [bool(each) for each in bit_line_joints(crossbar, parasitics)] == [True, True]
    full = run(tmp_path / "full", crossbar, stimulus, parasitics, "none")
    ideal = run(tmp_path / "ideal", crossbar, stimulus, None, "none")
    assert sum(int(layer.sum()) for layer in full.spikes) > 3
    assert 1e-6 < apart(full, ideal) < 0.05
    assert apart(full, run(tmp_path / "all", crossbar, stimulus, parasitics, "all")) < 1e-9
    assert apart(full, simulate_exactly(crossbar, stimulus, parasitics)) < 1e-4  # ngspice's own steps


@pytest.mark.parametrize("seed", range(3))
def test_joined_tiles_are_kirchhoffs(seed: int) -> None:
    """Currents and the volts of joints against ngspice's operating point; drops and losses are made of them."""
    crossbar, _ = network()
    crossbar = cut_tiles(crossbar, rows=2)
    parasitics = joined(crossbar, seed)
    arrays, joints = crossbar_arrays(crossbar, parasitics)[0], bit_line_joints(crossbar, parasitics)[0]
    ends = [node for pair in zip(*bit_lines(1, crossbar.layers[0]), strict=True) for node in pair]
    found = join_crossbars(arrays, joints, ends)
    words = [line for array in arrays for line in array.word_lines]
    assert found.array.word_lines == tuple(words)
    sources = [(line, 1.0) for line in dict.fromkeys(words)] + [(bit, 0.0) for bit in found.array.bits]
    cards = [card for array in arrays for card in crossbar_cards(array)]
    cards += [f"R{joint.name} {joint.a} {joint.b} {joint.ohms!r}" for joint in joints]
    judged = operating_point([*cards, *(f"V_{node} {node} 0 {volts}" for node, volts in sources)])
    for bit, current in zip(found.array.bits, found.array.transfer.sum(axis=0), strict=True):
        assert current == pytest.approx(judged[f"i(v_{bit})"], rel=1e-9)
    for node, volts in found.joints.items():
        assert volts.sum() == pytest.approx(judged[node], rel=1e-9)
    ideal = np.stack(crossbar.layers[0].programmed, axis=2).sum(axis=0).ravel()
    losses = [1 - judged[f"i(v_{bit})"] / siemens for bit, siemens in zip(ends, ideal, strict=True)]
    (layer, _), drops = assess_wires(crossbar, parasitics, 0.01), line_drops(crossbar, parasitics)[0]
    assert layer.worst_loss == pytest.approx(max(losses), rel=1e-6)
    assert layer.mean_loss == pytest.approx(np.mean(losses), rel=1e-6)
    seen = (np.stack(crossbar.layers[0].programmed, axis=2) * (1 - drops)).sum(axis=0).ravel()
    np.testing.assert_allclose(1 - seen / ideal, losses, rtol=1e-5)


def operating_point(cards: list[str]) -> dict[str, float]:
    """Every voltage and source current of ngspice's ``.op``."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "op.cir").write_text("\n".join(["* joints", *cards, ".op", ".end", ""]))
        command = ["ngspice", "-n", "-b", "-r", "op.raw", "op.cir"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
        head, _, data = Path(folder, "op.raw").read_bytes().partition(b"Binary:\n")
    names = [line.split()[1] for line in head.decode().split("Variables:\n")[1].splitlines()]
    short = [name.removeprefix("v(").rstrip(")") if name.startswith("v(") else name for name in names]
    return dict(zip(short, np.frombuffer(data).tolist(), strict=True))


def test_tiles_with_ideal_lines_change_nothing_and_wires_do(tmp_path: Path) -> None:
    crossbar, stimulus = network()
    whole = run(tmp_path / "whole", crossbar, stimulus, None, "none")
    assert compare_circuit(crossbar, whole).equivalent
    tiled = cut_tiles(crossbar, rows=2, columns=3)
    assert [len(layer.tiles) for layer in tiled.layers] == [6, 3]
    assert apart(whole, run(tmp_path / "tiled", tiled, stimulus, None, "none")) < 1e-9
    wired = run(tmp_path / "wired", crossbar, stimulus, lines(crossbar, r_word=50.0, r_bit=50.0), "all")
    # Wires take away current, so the circuit is no longer the one that the conductances stand for.
    assert compare_circuit(crossbar, wired).worst_membrane_error > 1e-3


def test_equivalents_of_other_arrays_are_refused() -> None:
    crossbar, stimulus = network()
    tiled = cut_tiles(crossbar, rows=3)
    reduced = reduce_crossbars(tiled)
    with pytest.raises(NetlistError, match="1 of its layer's 2 tiles"):
        build_circuit(tiled, stimulus.inputs[0], "x", reduced={"l1_t0": reduced["l1_t0"]})
    with pytest.raises(NetlistError, match="other word lines"):
        build_circuit(tiled, stimulus.inputs[0], "x", reduced={"l1_t0": reduced["l1_t1"], "l1_t1": reduced["l1_t0"]})


def test_parasitics_of_another_network_are_refused() -> None:
    crossbar, stimulus = network()
    measured = lines(crossbar)
    with pytest.raises(NetlistError, match="parasitics of 1 layers"):
        build_circuit(crossbar, stimulus.inputs[0], "x", parasitics=replace(measured, layers=measured.layers[:1]))
    with pytest.raises(
        NetlistError, match=r"layer 1 has 2 rows x 8 bit lines, 2 rows x 8 bit lines, .*, its parasitics are"
    ):
        build_circuit(cut_tiles(crossbar, rows=2), stimulus.inputs[0], "x", parasitics=measured)


@pytest.mark.parametrize("mode", ["isolated", "shared_electrode"])
def test_column_tiles_as_measured_in_ngspice_reduced_and_exactly(mode: str, tmp_path: Path) -> None:
    """Every column tile has word lines of its own from the same driver, as long as they are on the masks."""
    crossbar, stimulus = network(device="foil_memristor")
    crossbar = cut_tiles(crossbar, rows=3, columns=2)
    verdict = sign_off(build_layout(crossbar, PROCESSES["inkjet"], mode), crossbar, tmp_path)
    assert verdict.drc["violations"] == 0
    assert verdict.lvs["match"]
    parasitics = verdict.parasitics
    assert parasitics is not None
    sheets = 1 if mode == "shared_electrode" else 2
    assert [len(group) for group in crossbar_arrays(crossbar, parasitics)] == [2 * sheets] * 2
    assert [bool(each) for each in bit_line_joints(crossbar, parasitics)] == [sheets > 1] * 2
    full = run(tmp_path / "full", crossbar, stimulus, parasitics, "none")
    assert sum(int(layer.sum()) for layer in full.spikes) > 3
    assert apart(full, run(tmp_path / "all", crossbar, stimulus, parasitics, "all")) < 1e-9
    assert apart(full, simulate_exactly(crossbar, stimulus, parasitics)) < 1e-4  # ngspice's own steps


def test_tiles_cover_every_device_once() -> None:
    crossbar, _ = network()
    for limit in (1, 2, 4, 100):
        tiled = cut_tiles(crossbar, rows=limit, columns=limit)
        for layer in tiled.layers:
            seen = np.zeros((layer.rows, layer.columns), dtype=int)
            for tile in layer.tiles:
                seen[tile.rows, tile.columns] += 1
                assert tile.rows.stop - tile.rows.start <= limit
                assert tile.columns.stop - tile.columns.start <= limit
            assert (seen == 1).all()
        arrays = crossbar_arrays(tiled)
        assert sum(array.siemens.size for group in arrays for array in group) == crossbar.devices
