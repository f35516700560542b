"""From a circuit to its decks, and from the decks to waveforms, in the simulator that the design asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from snn2circuit.analysis.advisor import Advice
from snn2circuit.design import Design
from snn2circuit.ir.network import Stimulus
from snn2circuit.ir.waveforms import Netlist, Waveforms
from snn2circuit.netlist import write_netlist
from snn2circuit.simulate import simulate_netlist
from snn2circuit.steps.circuit import advise_design, simulate_exactly
from snn2circuit.steps.lines import Wired
from snn2circuit.steps.reduction import reduce_crossbars


def write_decks(
    design: Design, circuit: Wired, stimulus: Stimulus, folder: Path, *, dialect: str = "ngspice", reduce: str = ""
) -> tuple[Netlist, Advice]:
    """Write a deck for each sample into ``folder``, with equivalents where the design, or ``reduce``, wants them.

    ``auto`` is about ngspice; decks in another ``dialect`` then hold every device.

    Raises:
        SimulationError: ngspice would take longer than the design allows; nothing is written.
    """
    asked = reduce or design.simulation.reduce
    if dialect != "ngspice":  # how long another simulator takes is not known
        design = replace(design, simulation=replace(design.simulation, budget=0.0))
        asked = "none" if asked == "auto" else asked
    advice = advise_design(design, circuit.crossbar, stimulus, circuit.parasitics, asked)
    if design.simulation.solver == "ngspice":
        advice.check(design.simulation.budget, design.simulation.time_limit)
    reduced = reduce_crossbars(circuit.crossbar, circuit.parasitics, advice.reduce)
    netlist = write_netlist(
        circuit.crossbar, stimulus, folder, dialect=dialect, parasitics=circuit.parasitics, reduced=reduced
    )
    return netlist, advice


def simulate_decks(
    design: Design, circuit: Wired, stimulus: Stimulus, folder: Path, on_progress: Callable[[float, str], None]
) -> Waveforms:
    """Simulate the decks in ``folder`` in ngspice, or their circuit in the exact solver, as the design says.

    Raises:
        CircuitNotLinear: the exact solver cannot take the circuit; the message says which element.
        SimulationError: the simulator gave no result.
    """
    workers = design.simulation.workers or None
    if design.simulation.solver == "exact":
        return simulate_exactly(
            circuit.crossbar,
            stimulus,
            circuit.parasitics,
            workers=workers,
            on_progress=lambda share: on_progress(share, f"{stimulus.samples} samples in the exact solver"),
        )
    return simulate_netlist(
        folder,
        workers=workers,
        time_limit=design.simulation.time_limit,
        on_progress=lambda share: on_progress(share, f"{stimulus.samples} samples in ngspice"),
    )
