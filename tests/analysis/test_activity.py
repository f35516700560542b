"""The activity file against a dense nodal analysis written here, and against the waveforms."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made_waveforms import STEPS, make_crossbar, perfect_waveforms

from snn2circuit.analysis.activity import FULL, line_drops, write_activity
from snn2circuit.ir.parasitics import uniform_parasitics
from snn2circuit.mapping import cut_tiles

LINES = {"r_word": 3.0, "r_bit": 5.0, "r_driver": 20.0}


def nodal(siemens: np.ndarray, r_word: float, r_bit: float, r_driver: float) -> np.ndarray:
    """Voltage across every device, all word lines at 1 V, from the dense nodal matrix."""
    rows, columns = siemens.shape
    matrix, current = np.zeros((2 * rows * columns,) * 2), np.zeros(2 * rows * columns)
    word = lambda i, j: i * columns + j  # noqa: E731
    bit = lambda i, j: rows * columns + i * columns + j  # noqa: E731

    def join(a: int, b: int | None, g: float) -> None:
        matrix[a, a] += g
        if b is not None:
            matrix[b, b] += g
            matrix[a, b] -= g
            matrix[b, a] -= g

    for i in range(rows):
        for j in range(columns):
            join(word(i, j), bit(i, j), siemens[i, j])
            if j == 0:
                join(word(i, 0), None, 1 / (r_driver + r_word))
                current[word(i, 0)] += 1 / (r_driver + r_word)
            else:
                join(word(i, j), word(i, j - 1), 1 / r_word)
            join(bit(i, j), bit(i - 1, j) if i else None, 1 / r_bit)
    volts = np.linalg.solve(matrix, current)
    across: np.ndarray = (volts[: rows * columns] - volts[rows * columns :]).reshape(rows, columns)
    return across


@pytest.mark.parametrize("tile", [None, (3, 2)])
def test_drops_are_kirchhoffs(tile: tuple[int, int] | None) -> None:
    _, crossbar, _ = make_crossbar()
    if tile:
        crossbar = cut_tiles(crossbar, rows=tile[0], columns=tile[1])
    drops = line_drops(crossbar, uniform_parasitics(crossbar, source="test", **LINES))
    for layer, drop in zip(crossbar.layers, drops, strict=True):
        assert drop.shape == (layer.rows, layer.columns, 2)
        for rows, columns in layer.tiles:
            made = np.stack([g[rows, columns] for g in layer.programmed], axis=2)
            wanted = 1 - nodal(made.reshape(len(made), -1), **LINES)
            np.testing.assert_allclose(drop[rows, columns].reshape(wanted.shape), wanted, rtol=1e-6)


def test_the_file_holds_spikes_inputs_and_drops_of_the_first_sample(tmp_path: Path) -> None:
    _, crossbar, stimulus = make_crossbar()
    waveforms = perfect_waveforms(crossbar, stimulus)
    parasitics = uniform_parasitics(crossbar, source="test", **LINES)
    path = tmp_path / "activity.json"
    write_activity(crossbar, waveforms, parasitics, path)
    data = json.loads(path.read_text())
    assert (data["sample"], data["steps"], data["step_seconds"]) == (7, STEPS, crossbar.timing.slot)
    assert data["inputs"] == [list(range(STEPS))] * 4
    for entry, spikes, drop in zip(data["layers"], waveforms.spikes, line_drops(crossbar, parasitics), strict=True):
        assert sum(len(steps) for steps in entry["spikes"]) == spikes[0].sum() > 0
        assert all(spikes[0, step, neuron] for neuron, steps in enumerate(entry["spikes"]) for step in steps)
        read = np.array(entry["drop"]["share"]) * entry["drop"]["most"] / FULL
        np.testing.assert_allclose(read, drop.ravel(), atol=entry["drop"]["most"] / FULL)
        assert max(entry["drop"]["share"]) == FULL


def test_ideal_lines_take_nothing_and_write_nothing(tmp_path: Path) -> None:
    _, crossbar, stimulus = make_crossbar()
    waveforms = perfect_waveforms(crossbar, stimulus)
    for parasitics in (None, uniform_parasitics(crossbar, source="ideal")):
        write_activity(crossbar, waveforms, parasitics, tmp_path / "activity.json")
        assert all("drop" not in entry for entry in json.loads((tmp_path / "activity.json").read_text())["layers"])
