"""The 784-100-10 circuit on MNIST: the exact solver, PySpice and ngspice alone, side by side, for all four neurons.

Run ``make bench-circuit`` or ``python benchmarks/circuit.py``; the last line is one JSON object with
``images_per_second``, ``x_ngspice`` and ``spike_mismatches`` per neuron. Each network is trained briefly on part of
MNIST and mapped. Rounds are interleaved: a batch in the exact solver, one image in ngspice alone (``ngspice -b``), the
same image through PySpice in our worker process; ratios are medians over the rounds, in wall seconds, the exact solver
on two threads and ngspice on the one it has. ngspice gets the first layer's Norton equivalent, without which it would
take a quarter of an hour per image.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from snn2circuit.analysis import compare_circuit
from snn2circuit.datasets import load_dataset
from snn2circuit.devices import DEVICES
from snn2circuit.frontends.snntorch import from_snntorch
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.dataset import Dataset, Split
from snn2circuit.ir.network import Stimulus
from snn2circuit.mapping import map_network
from snn2circuit.netlist import build_circuit, crossbar_arrays, write_netlist
from snn2circuit.neurons import NEURONS
from snn2circuit.simulate import simulate_netlist
from snn2circuit.simulate.crossbar import reduce_crossbar
from snn2circuit.simulate.exact import ExactSolver
from snn2circuit.simulate.exact.variation import simulate_variations
from snn2circuit.training import Recipe, train

BATCH = 250


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="data folder that holds MNIST")
    parser.add_argument("--neurons", nargs="+", default=list(NEURONS), choices=list(NEURONS))
    parser.add_argument("--images", type=int, default=10_000, help="through the exact solver")
    parser.add_argument("--referee", type=int, default=10, help="images through ngspice, compared spike by spike")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    dataset = load_dataset("mnist", options.data)
    results: dict[str, dict[str, float]] = {"images_per_second": {}, "x_ngspice": {}, "spike_mismatches": {}}
    for kind in options.neurons:
        crossbar = trained(dataset, kind)
        show(kind, measure(crossbar, dataset, options, results, kind))
    sys.stdout.write(json.dumps(results) + "\n")


def trained(dataset: Dataset, kind: str) -> CrossbarNetwork:
    """A 784-100-10 network after one epoch on 10,000 images, mapped onto the default device."""
    part = Split(inputs=dataset.train.inputs[:10_000], labels=dataset.train.labels[:10_000])
    neuron = NEURONS[kind]()
    result = train(replace(dataset, train=part), Recipe(hidden=(100,), neuron=neuron, steps=25, epochs=1), seed=0)
    network = from_snntorch(result.module, neurons=NEURONS, name=f"mnist {kind}", steps=25, dataset="mnist")
    return map_network(network, DEVICES["printed_resistor_kit"], inputs=dataset.test.inputs)


def measure(
    crossbar: CrossbarNetwork, dataset: Dataset, options: argparse.Namespace, results: dict[str, dict[str, float]],
    kind: str,
) -> list[tuple[str, str]]:  # fmt: skip
    """Fill in the results of one neuron; returns lines for people."""
    solver, derived = timed(
        lambda: ExactSolver(build_circuit(crossbar, stimulus(crossbar, dataset, 0, 1).inputs[0], "x"))
    )
    solver.simulate(stimulus(crossbar, dataset, 0, 2), traces=False)  # compiles
    reduced = {array.name: reduce_crossbar(array) for array in crossbar_arrays(crossbar)[0]}
    exact, alone, pyspice = [], [], []
    for number in range(options.rounds):
        batch, one = stimulus(crossbar, dataset, 0, BATCH), stimulus(crossbar, dataset, number, 1)
        exact.append(timed(lambda batch=batch: solver.simulate(batch, traces=False))[1] / BATCH)
        with tempfile.TemporaryDirectory() as folder:
            write_netlist(crossbar, one, folder, reduced=reduced)
            alone.append(timed(lambda folder=folder: ngspice(folder))[1])
            pyspice.append(timed(lambda folder=folder: simulate_netlist(folder, workers=1))[1])
    referee = stimulus(crossbar, dataset, 0, options.referee)
    with tempfile.TemporaryDirectory() as folder:
        write_netlist(crossbar, referee, folder, reduced=reduced)
        judged = simulate_netlist(folder, workers=2, time_limit=1200)
    mine = solver.simulate(referee, traces=False)
    apart = sum(int((a != b).sum()) for a, b in zip(mine.spikes, judged.spikes, strict=True))
    thresholds = [layer.neuron.threshold * layer.volts_per_unit for layer in crossbar.layers]
    membrane = max(
        float(np.abs(a - b).max()) / v for a, b, v in zip(mine.membranes, judged.membranes, thresholds, strict=True)
    )
    seconds = mismatches = compared = 0.0
    for start in range(0, options.images, BATCH):
        chunk = stimulus(crossbar, dataset, start, min(BATCH, options.images - start))
        waveforms, took = timed(lambda chunk=chunk: solver.simulate(chunk, traces=False))
        equivalence = compare_circuit(crossbar, waveforms)
        seconds, mismatches = seconds + took, mismatches + equivalence.mismatches
        compared += equivalence.spikes_compared
    circuit, some = build_circuit(crossbar, referee.inputs[0], "x"), stimulus(crossbar, dataset, 0, BATCH)
    scatter, carlo = timed(lambda: [
        (w.spikes[-1] != m.spikes[-1]).mean()
        for m in [solver.simulate(some, traces=False)]
        for w in simulate_variations(circuit, some, count=5, sigma=0.05, seed=1)
    ])  # fmt: skip
    results["images_per_second"][kind] = round(options.images / seconds, 1)
    results["x_ngspice"][kind] = round(statistics.median(a / e for a, e in zip(alone, exact, strict=True)), 1)
    results["spike_mismatches"][kind] = apart + compare_circuit(crossbar, judged).mismatches
    return [
        ("maps derived", f"{derived:.2f} s"),
        (
            "exact solver",
            f"{1e3 * min(exact):.2f} ms an image in batches of {BATCH}; {options.images:,} images in {seconds:.1f} s",
        ),
        ("ngspice -b alone", f"{min(alone):.2f} s an image"),
        ("PySpice, our worker", f"{min(pyspice):.2f} s an image"),
        ("exact against model", f"{mismatches:.0f} of {compared:,.0f} spikes differ over {options.images:,} images"),
        (
            "exact against ngspice",
            f"{apart} spikes differ over {options.referee} images, membranes {membrane:.1e} of threshold",
        ),
        ("ngspice against model", f"{compare_circuit(crossbar, judged).mismatches} spikes differ"),
        (
            "Monte Carlo",
            f"{carlo / 5:.2f} s a circuit sample of {BATCH} images, sigma 5 %: {np.mean(scatter):.1%} output spikes",
        ),
    ]


def stimulus(crossbar: CrossbarNetwork, dataset: Dataset, first: int, count: int) -> Stimulus:
    """``count`` test images from ``first`` on."""
    indices = np.arange(first, first + count)
    inputs = crossbar.network().encode(dataset.test.inputs[indices], indices)
    return Stimulus(inputs=inputs, labels=dataset.test.labels[indices], indices=indices)


def ngspice(folder: str) -> None:
    """``ngspice -b``, as a person would run it."""
    program = shutil.which("ngspice")
    if program is None:
        raise SystemExit("ngspice is not installed")
    command = [program, "-b", "-r", "out.raw", "sample_0.cir"]
    subprocess.run(command, cwd=folder, check=False, capture_output=True)


def timed(job: Callable[[], object]) -> tuple:
    """Result and wall seconds."""
    started = time.perf_counter()
    return job(), time.perf_counter() - started


def show(kind: str, rows: list[tuple[str, str]]) -> None:
    """Print a table."""
    sys.stdout.write(f"\n{kind}\n" + "".join(f"  {name:<24}{text}\n" for name, text in rows))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
