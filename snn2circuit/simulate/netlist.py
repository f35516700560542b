"""A folder of decks to :class:`Waveforms`: run, or recorded elsewhere, and sampled at the instants that count."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from snn2circuit.errors import CompareError, SimulationError
from snn2circuit.ir.circuit import Readout
from snn2circuit.ir.files import load
from snn2circuit.ir.network import Stimulus
from snn2circuit.ir.noun import Bools, Floats
from snn2circuit.ir.waveforms import Netlist, Waveforms
from snn2circuit.simulate.deck import read_deck
from snn2circuit.simulate.jobs import Job, Result, run_jobs
from snn2circuit.simulate.raw import Raw, read_raw

HALF_LEVEL = 0.5  # V, between the logic levels of a latched spike


def simulate_netlist(
    folder: Path | str,
    *,
    workers: int | None = None,
    time_limit: float = 600.0,
    samples: Sequence[int] | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Waveforms:
    """Simulate the decks of the netlist in ``folder`` with ngspice.

    What runs is what lies in the folder: an edited deck gives the edited circuit's waveforms. A deck that holds
    anything but a circuit and its analysis is refused (:mod:`snn2circuit.simulate.grammar`).

    Args:
        folder: as written by ``write_netlist``.
        workers: processes side by side; ``None``: one per processor.
        time_limit: seconds a deck may take.
        samples: numbers of the decks to run, from 0; ``None``: all.
        on_progress: called with the share of all decks that is done, 0 to 1.

    Raises:
        SimulationError: the first deck that failed, by one of its subclasses; or the limits make no sense.
        CompareError: there is no deck of that number.
    """
    folder = Path(folder)
    if time_limit <= 0:
        raise SimulationError(f"time_limit is {time_limit} s; it must be above 0")
    netlist = load(folder / "netlist.npz", Netlist)
    readout = netlist.readout
    chosen = range(len(netlist.decks)) if samples is None else [_number(each, folder, netlist) for each in samples]
    if not chosen:
        raise SimulationError(f"no deck of {folder} is to be simulated; give at least one sample")
    stop = readout.timing.stop(readout.steps, len(readout.membranes))
    jobs = [
        Job(deck=read_deck(folder / deck), nodes=readout.nodes, stop=stop)
        for deck in (netlist.decks[number] for number in chosen)
    ]
    done = [0.0] * len(jobs)

    def progress(index: int, share: float) -> None:
        done[index] = max(done[index], share)
        if on_progress:
            on_progress(sum(done) / len(done))

    results = run_jobs(jobs, workers=workers or os.cpu_count() or 1, time_limit=time_limit, on_progress=progress)
    return _waveforms(netlist.stimulus.pick(chosen), readout, results)


def read_waveforms(folder: Path | str, files: Sequence[Path], *, samples: Sequence[int] | None = None) -> Waveforms:
    """What ngspice or LTspice recorded elsewhere from decks of the netlist in ``folder``, one raw file per sample.

    Args:
        folder: as written by ``write_netlist``.
        files: raw files.
        samples: number of the deck that each file belongs to; without it, a file belongs to the deck whose name it
            bears, as ``sample_3.raw`` to ``sample_3.net``, or else to the one whose title it carries.

    Raises:
        FileFormatError: a file cannot be read.
        CompareError: a file belongs to no deck of this netlist, or ends too early.
    """
    folder = Path(folder)
    netlist = load(folder / "netlist.npz", Netlist)
    readout = netlist.readout
    stop = readout.timing.stop(readout.steps, len(readout.membranes))
    if samples is not None and len(samples) != len(files):
        raise CompareError(f"{len(files)} raw files and {len(samples)} sample numbers; give one number per file")
    chosen, results = [], []
    for position, path in enumerate(files):
        # The last instant that is looked at lies a twentieth of the latching time before the end.
        needed = stop - 0.05 * readout.timing.latched
        raw = read_raw(path, readout.nodes, reach=needed)
        chosen.append(_deck_of(path, raw, folder, netlist, None if samples is None else samples[position]))
        if raw.time[-1] < needed:
            raise CompareError(
                f"{path} ends at {raw.time[-1]:.6g} s, the deck runs to {stop:.6g} s; simulate it to the end"
            )
        results.append(Result(time=raw.time, traces=raw.traces, version=raw.program, seconds=0.0))
    return _waveforms(netlist.stimulus.pick(chosen), readout, results)


def _deck_of(path: Path, raw: Raw, folder: Path, netlist: Netlist, given: int | None) -> int:
    """Number of the deck that a raw file was recorded from."""
    if given is not None:
        return _number(given, folder, netlist)
    stems = [Path(deck).stem for deck in netlist.decks]
    if Path(path).stem in stems:
        return stems.index(Path(path).stem)
    for number, deck in enumerate(netlist.decks):
        if (folder / deck).is_file() and not (folder / deck).is_symlink():
            with (folder / deck).open(encoding="utf-8", errors="replace") as file:
                title = file.readline(1000).lstrip("* ").strip()
            if title and title.lower() == raw.title.strip().lower():
                return number
    raise CompareError(
        f"{path}, titled {raw.title!r}, bears neither the name nor the title of a deck in {folder}; "
        "say with --sample which deck it was recorded from"
    )


def _number(given: int, folder: Path, netlist: Netlist) -> int:
    """``given``, if a deck has that number."""
    if not 0 <= given < len(netlist.decks):
        raise CompareError(f"there is no deck {given}; {folder} holds decks 0 to {len(netlist.decks) - 1}")
    return given


def _waveforms(stimulus: Stimulus, readout: Readout, results: Sequence[Result]) -> Waveforms:
    sampled = [sample_traces(readout, result) for result in results]
    return Waveforms(
        stimulus=stimulus,
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
