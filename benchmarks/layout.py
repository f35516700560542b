"""How long a large stack takes from crossbar to judged masks: layout, GLB, GDS, design rules, circuit, parasitics.

Run ``make bench-layout`` or ``python benchmarks/layout.py [SIZES [PROCESS]]``; the network is 784-100-10 in inkjet
without a word; 1024-450-90-10 in gravure has a million devices. Weights are random, because the geometry does not
depend on them. The whole chain up to the GDS runs twice and must give equal bytes. The last line is one JSON object;
seconds are of the wall, ``cpu`` those of the processor, children included.
"""

from __future__ import annotations

import itertools
import json
import resource
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
from snn2circuit.layout.signoff.stack import read_masks
from snn2circuit.mapping import map_network
from snn2circuit.neurons import NEURONS

T = TypeVar("T")
LIMIT = 300.0  # s


def main() -> None:
    """Measure, print a line a step, and one JSON line; exit status 1 if the masks are wrong or late."""
    network, process_name = [*sys.argv[1:], *("784-100-10", "inkjet")[len(sys.argv) - 1 :]]
    sizes, process = tuple(map(int, network.split("-"))), PROCESSES[process_name]
    seconds: dict[str, float] = {}
    cpu: dict[str, float] = {}

    def timed(step: str, work: Callable[[], T]) -> T:
        started, busy = time.perf_counter(), _cpu()
        result = work()
        seconds[step], cpu[step] = round(time.perf_counter() - started, 3), round(_cpu() - busy, 3)
        sys.stdout.write(f"{step:<8} {seconds[step]:8.2f} s, {cpu[step]:8.2f} s of the processor\n")
        sys.stdout.flush()
        return result

    crossbar = _crossbar(sizes)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        layout = timed("layout", lambda: build_layout(crossbar, process))
        glb_bytes = timed("glb", lambda: write_glb(layout, folder / "stack.glb"))
        (gds,) = timed("gds", lambda: steps.draw_masks(layout, folder, ["gds"]))
        again = build_layout(_crossbar(sizes), process)
        (other,) = steps.draw_masks(again, folder / "again", ["gds"])
        write_glb(again, folder / "again.glb")
        same = gds.read_bytes() == other.read_bytes()
        same = same and (folder / "stack.glb").read_bytes() == (folder / "again.glb").read_bytes()
        stack = timed("read", lambda: read_masks(gds, process, layout))
        drc = timed("drc", lambda: steps.check_drc(gds, layout, folder, stack))
        lvs, extracted, *_ = timed("lvs", lambda: steps.check_lvs(gds, layout, crossbar, folder, stack))
        gds_bytes = gds.stat().st_size
    result = {
        "devices": crossbar.devices,
        "process": process.name,
        "seconds": {**seconds, "total": round(sum(seconds.values()), 3)},
        "cpu": {**cpu, "total": round(sum(cpu.values()), 3)},
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
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


def _cpu() -> float:
    """Seconds of the processor so far, of this process and of its children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _crossbar(sizes: tuple[int, ...]) -> CrossbarNetwork:
    random = np.random.default_rng(0)
    leaky = NEURONS["leaky"](beta=0.9)
    layers = tuple(
        Layer(weight=random.normal(0, 0.1, (columns, rows)), bias=random.normal(0, 0.1, columns), neuron=leaky)
        for rows, columns in itertools.pairwise(sizes)
    )
    network = Network(name="-".join(map(str, sizes)), layers=layers, steps=25)
    return map_network(network, DEVICES["foil_memristor"])


if __name__ == "__main__":
    main()
