"""How long a large stack takes from crossbar to judged masks: layout, GLB, GDS, design rules, circuit, parasitics.

Run ``make bench-layout`` or ``python benchmarks/layout.py [SIZES]``; the network is 784-100-10 without a word. Weights
are random, because the geometry does not depend on them. The whole chain up to the GDS runs twice and must give equal
bytes. The last line is one JSON object; seconds are of the wall.
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from snn2circuit import steps
from snn2circuit.devices import DEVICES
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.network import Layer, Network
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.gltf import write_glb
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.mapping import map_network
from snn2circuit.neurons import NEURONS

T = TypeVar("T")
LIMIT = 300.0  # s


def main() -> None:
    """Measure, print a line a step, and one JSON line; exit status 1 if the masks are wrong or late."""
    sizes = tuple(int(size) for size in (sys.argv[1:] or ["784-100-10"])[0].split("-"))
    seconds: dict[str, float] = {}

    def timed(step: str, work: Callable[[], T]) -> T:
        started = time.perf_counter()
        result = work()
        seconds[step] = round(time.perf_counter() - started, 3)
        sys.stdout.write(f"{step:<8} {seconds[step]:8.2f} s\n")
        sys.stdout.flush()
        return result

    crossbar = _crossbar(sizes)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        layout = timed("layout", lambda: build_layout(crossbar, PROCESSES["inkjet"]))
        glb_bytes = timed("glb", lambda: write_glb(layout, folder / "stack.glb"))
        (gds,) = timed("gds", lambda: steps.draw_masks(layout, folder, ["gds"]))
        again = build_layout(_crossbar(sizes), PROCESSES["inkjet"])
        (other,) = steps.draw_masks(again, folder / "again", ["gds"])
        write_glb(again, folder / "again.glb")
        same = gds.read_bytes() == other.read_bytes()
        same = same and (folder / "stack.glb").read_bytes() == (folder / "again.glb").read_bytes()
        drc = timed("drc", lambda: steps.check_drc(gds, layout, folder))
        lvs, extracted, _ = timed("lvs", lambda: steps.check_lvs(gds, layout, crossbar, folder))
        gds_bytes = gds.stat().st_size
    result = {
        "devices": crossbar.devices,
        "seconds": {**seconds, "total": round(sum(seconds.values()), 3)},
        "glb_bytes": glb_bytes,
        "gds_bytes": gds_bytes,
        "drc_violations": drc["violations"],
        "lvs_match": lvs["match"],
        "parasitics": len(extracted),
        "byte_equal": same,
    }
    sys.stdout.write(json.dumps(result) + "\n")
    if drc["violations"] or not lvs["match"] or not same or sum(seconds.values()) > LIMIT:
        sys.exit(1)


def _crossbar(sizes: tuple[int, ...]) -> CrossbarNetwork:
    random = np.random.default_rng(0)
    leaky = NEURONS["leaky"](beta=0.9)
    layers = tuple(
        Layer(weight=random.normal(0, 0.1, (columns, rows)), bias=random.normal(0, 0.1, columns), neuron=leaky)
        for rows, columns in itertools.pairwise(sizes)
    )
    network = Network(name="-".join(map(str, sizes)), layers=layers, steps=25)
    return map_network(network, DEVICES["printed_resistor_kit"])


if __name__ == "__main__":
    main()
