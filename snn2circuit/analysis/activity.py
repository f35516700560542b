"""What the first simulated sample did, for the viewer: spikes of every neuron, and what lines take from each device.

The drop of a device is the share of the read voltage that it does not see when every word line is driven with it:
``1 - (V_word - V_bit) / V_read`` at its own crossing, bit lines held at 0 V at their ends. No smaller set of driven
word lines draws more current, so no sample loses more anywhere. The voltages come from the exact solver of the lines.

To stay small the file holds whole numbers: a spike is the number of its step, a drop is in thousandths of the largest
of its layer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.files import write_text
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.parasitics import Parasitics
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.netlist import bit_line_joints, bit_lines, crossbar_arrays, crossbar_parts
from snn2circuit.simulate.joints import join_crossbars
from snn2circuit.simulate.lines import LineSolver

TOLERANCE = 1e-9  # of the line solver, in the energy norm; the file keeps three digits
FULL = 1000  # what the largest drop of a layer is written as


def write_activity(
    crossbar: CrossbarNetwork, waveforms: Waveforms, parasitics: Parasitics | None, path: Path | str
) -> None:
    """Write ``path`` as JSON: steps (from 0) of every spike of the first sample, and drops if lines are resistive.

    ``inputs`` are the steps in which each word line of the first layer is driven; ``drop.share`` is in the order row,
    column, polarity (+ first), in thousandths of ``drop.most``.
    """
    layers: list[dict[str, Any]] = [{"spikes": _steps(spikes[0])} for spikes in waveforms.spikes]
    if parasitics is not None:
        for entry, drop in zip(layers, line_drops(crossbar, parasitics), strict=True):
            most = float(drop.max())
            if most > 0:
                entry["drop"] = {"most": most, "share": np.rint(drop.ravel() * (FULL / most)).astype(int).tolist()}
    data = {
        "sample": int(waveforms.stimulus.indices[0]),
        "steps": waveforms.readout.steps,
        "step_seconds": waveforms.readout.timing.slot,
        "inputs": _steps(waveforms.stimulus.inputs[0] != 0),
        "layers": layers,
    }
    write_text(Path(path), json.dumps(data, separators=(",", ":"), allow_nan=False) + "\n")


def line_drops(crossbar: CrossbarNetwork, parasitics: Parasitics) -> tuple[Floats, ...]:
    """Share of the read voltage that each device loses with all word lines driven; per layer (rows, columns, 2)."""
    found = []
    groups = zip(crossbar_arrays(crossbar, parasitics), bit_line_joints(crossbar, parasitics), strict=True)
    for number, (layer, (arrays, joints)) in enumerate(zip(crossbar.layers, groups, strict=True), start=1):
        drop = np.zeros((layer.rows, layer.columns, 2))
        ends = {bit for lines in bit_lines(number, layer) for bit in lines}
        inner = join_crossbars(arrays, joints, ends).joints if joints else {}
        for part, array in zip(crossbar_parts(number, layer, parasitics), arrays, strict=True):
            if array.lines.ideal and not inner:
                continue
            rows = len(array.word_lines)
            solver = LineSolver(array.siemens, array.lines)
            ports = np.array([inner[bit].sum() if bit in inner else 0.0 for bit in array.bits])
            words, columns = solver.solve(np.ones(rows), ports, TOLERANCE)
            drop[part.rows, part.columns] = (1.0 - (words - columns)).reshape(rows, -1, 2)
        found.append(drop)
    return tuple(found)


def _steps(events: np.ndarray[Any, Any]) -> list[list[int]]:
    """Steps in which each channel of ``(steps, channels)`` is true."""
    return [np.flatnonzero(channel).tolist() for channel in events.T]
