"""Ratios of this package against what a user would pick instead, each pair interleaved in one process.

Run ``python benchmarks/pipeline.py``; the last line is one JSON object. Figures are CPU or wall seconds as named, the
minimum of the rounds; on a shared machine only the ratios mean anything.

* ``deck_x_pyspice``: text of a crossbar's resistors, PySpice's ``Circuit`` interface over our dialect (CPU).
* ``glb_x_trimesh``: a GLB of the same boxes, trimesh with one shared box and one node each over our writer (CPU).
* ``ngspice_x_tight``: one image of a 64-32-10 network in ngspice, tolerances that a careful user would set
  (reltol 1e-5, chgtol 1e-16) over ours, whose membranes owe their accuracy to the time step (wall).
* ``worker_x_batch``: the same deck, our worker process over plain ``ngspice -b``, the floor (wall).
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from snn2circuit.datasets import DATASETS
from snn2circuit.devices import DEVICES
from snn2circuit.ir.network import Layer, Network, Stimulus
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.gltf import encode_glb
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.mapping import map_network
from snn2circuit.netlist import DIALECTS, build_circuit, write_netlist
from snn2circuit.neurons import NEURONS
from snn2circuit.simulate import simulate_netlist

ROUNDS = 5


def main() -> None:
    """Measure, print a table, and one JSON line."""
    network = _network()
    inputs = DATASETS["digits"].load(None).test.inputs[:1]
    crossbar = map_network(network, DEVICES["foil_memristor"], inputs=inputs)
    stimulus = Stimulus(inputs=network.encode(inputs), labels=np.array([-1]), indices=np.array([0]))
    circuit = build_circuit(crossbar, stimulus.inputs[0], "benchmark")
    layout = build_layout(crossbar, PROCESSES["inkjet"])
    boxes = np.concatenate([sheet.devices.boxes for sheet in layout.sheets])
    arrays = [element for block in circuit.network for element in block.elements if hasattr(element, "g_pos")]

    with tempfile.TemporaryDirectory() as folder:
        ours, tight = Path(folder) / "ours", Path(folder) / "tight"
        write_netlist(crossbar, stimulus, ours)
        shutil.copytree(ours, tight)
        deck = tight / "sample_0.cir"
        options = ".options reltol=1e-5 abstol=1e-13 vntol=1e-9 chgtol=1e-16"
        deck.write_text(re.sub(r"^\.options.*$", options, deck.read_text(), flags=re.MULTILINE))
        batch = ["ngspice", "-n", "-b", "-r", "/dev/null", "sample_0.cir"]
        results = {
            "deck_x_pyspice": _ratio(
                lambda: _pyspice_text(arrays), lambda: DIALECTS["ngspice"].network(circuit), time.process_time
            ),
            "glb_x_trimesh": _ratio(lambda: _trimesh_glb(boxes), lambda: encode_glb(layout), time.process_time),
            "ngspice_x_tight": _ratio(
                lambda: simulate_netlist(tight), lambda: simulate_netlist(ours), time.perf_counter
            ),
            "worker_x_batch": _ratio(
                lambda: simulate_netlist(ours),
                lambda: subprocess.run(batch, cwd=ours, check=True, capture_output=True),
                time.perf_counter,
            ),
        }
    for name, (theirs, own, ratio) in results.items():
        sys.stdout.write(f"{name:<18} {theirs:9.4f} s / {own:9.4f} s = {ratio:7.2f}\n")
    sys.stdout.write(json.dumps({name: round(ratio, 3) for name, (_, _, ratio) in results.items()}) + "\n")


def _network() -> Network:
    rng = np.random.default_rng(0)
    leaky = NEURONS["leaky"](beta=0.9)
    return Network(
        name="benchmark",
        layers=(
            Layer(weight=rng.normal(0, 0.15, (32, 64)), bias=rng.normal(0, 0.1, 32), neuron=leaky),
            Layer(weight=rng.normal(0, 0.25, (10, 32)), bias=rng.normal(0, 0.1, 10), neuron=leaky),
        ),
        steps=25,
    )


def _ratio(
    theirs: Callable[[], object], ours: Callable[[], object], clock: Callable[[], float]
) -> tuple[float, float, float]:
    """Best seconds of both, interleaved, and the median of the ratios round by round."""
    seconds: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        pair = []
        for run in (theirs, ours):
            started = clock()
            run()
            pair.append(clock() - started)
        seconds.append((pair[0], pair[1]))
    best = np.min(seconds, axis=0)
    return float(best[0]), float(best[1]), float(np.median([a / b for a, b in seconds]))


def _pyspice_text(arrays: list[object]) -> str:
    from PySpice.Spice.Netlist import Circuit

    circuit = Circuit("benchmark")
    for array in arrays:
        for sign, bits, conductances in (("p", array.bits_pos, array.g_pos), ("n", array.bits_neg, array.g_neg)):  # type: ignore[attr-defined]
            for (row, column), siemens in np.ndenumerate(conductances):
                circuit.R(f"{sign}{array.name}_{row}_{column}", array.word_lines[row], bits[column], 1 / siemens)  # type: ignore[attr-defined]
    return str(circuit)


def _trimesh_glb(boxes: np.ndarray) -> bytes:
    import trimesh

    scene = trimesh.Scene()
    scene.add_geometry(trimesh.creation.box(), geom_name="device", node_name="device")
    for index, (x0, y0, z0, x1, y1, z1) in enumerate((boxes / 1e9).tolist()):
        matrix = np.diag([x1 - x0, y1 - y0, z1 - z0, 1.0])
        matrix[:3, 3] = (x0 + x1) / 2, (y0 + y1) / 2, (z0 + z1) / 2
        scene.graph.update(frame_to=f"device {index}", matrix=matrix, geometry="device")
    return bytes(scene.export(file_type="glb"))


if __name__ == "__main__":
    main()
