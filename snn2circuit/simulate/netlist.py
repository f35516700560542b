"""A folder of decks to :class:`Waveforms`: run each, sample membranes and spikes at the instants that count."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from snn2circuit.errors import SimulationError
from snn2circuit.ir.circuit import Readout
from snn2circuit.ir.files import load
from snn2circuit.ir.noun import Bools, Floats
from snn2circuit.ir.waveforms import Netlist, Waveforms
from snn2circuit.simulate.deck import read_deck
from snn2circuit.simulate.jobs import Job, Result, run_jobs

HALF_LEVEL = 0.5  # V, between the logic levels of a latched spike


def simulate_netlist(
    folder: Path | str,
    *,
    workers: int | None = None,
    time_limit: float = 600.0,
    on_progress: Callable[[float], None] | None = None,
) -> Waveforms:
    """Simulate every deck of the netlist in ``folder`` with ngspice.

    What runs is what lies in the folder: an edited deck gives the edited circuit's waveforms.

    Args:
        folder: as written by ``write_netlist``.
        workers: processes side by side; ``None``: one per processor.
        time_limit: seconds a deck may take.
        on_progress: called with the share of all decks that is done, 0 to 1.

    Raises:
        SimulationError: the first deck that failed, by one of its subclasses; or the limits make no sense.
    """
    folder = Path(folder)
    if time_limit <= 0:
        raise SimulationError(f"time_limit is {time_limit} s; it must be above 0")
    netlist = load(folder / "netlist.npz", Netlist)
    readout = netlist.readout
    stop = readout.timing.stop(readout.steps, len(readout.membranes))
    jobs = [
        Job(name=str(folder / deck), text=read_deck(folder / deck), nodes=readout.nodes, stop=stop)
        for deck in netlist.decks
    ]
    done = [0.0] * len(jobs)

    def progress(index: int, share: float) -> None:
        done[index] = max(done[index], share)
        if on_progress:
            on_progress(sum(done) / len(done))

    results = run_jobs(jobs, workers=workers or os.cpu_count() or 1, time_limit=time_limit, on_progress=progress)
    sampled = [sample_traces(readout, result) for result in results]
    return Waveforms(
        stimulus=netlist.stimulus,
        readout=readout,
        membranes=tuple(np.stack(layer) for layer in zip(*(membranes for membranes, _ in sampled), strict=True)),
        spikes=tuple(np.stack(layer) for layer in zip(*(spikes for _, spikes in sampled), strict=True)),
        time=results[0].time,
        traces=results[0].traces,
        seconds=np.array([result.seconds for result in results]),
        simulator=results[0].version,
    )


def sample_traces(readout: Readout, result: Result) -> tuple[list[Floats], list[Bools]]:
    """Membranes (V) at the end of each step and the spikes latched just after, per layer ``(steps, neurons)``."""
    timing, row = readout.timing, 0
    membranes: list[Floats] = []
    spikes: list[Bools] = []
    for layer, nodes in enumerate(readout.membranes):
        count = len(nodes)
        ends = np.array([timing.end(step, layer) for step in range(readout.steps)])
        held = ends + 0.95 * timing.latched
        mem, spike = result.traces[row : row + count], result.traces[row + count : row + 2 * count]
        membranes.append(np.stack([np.interp(ends, result.time, trace) for trace in mem], axis=1))
        spikes.append(np.stack([np.interp(held, result.time, trace) > HALF_LEVEL for trace in spike], axis=1))
        row += 2 * count
    return membranes, spikes
