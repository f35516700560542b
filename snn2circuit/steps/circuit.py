"""From the trained network to the mapped one, its samples, and the judgement of what a simulator made of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from snn2circuit.analysis import Equivalence
from snn2circuit.analysis.advisor import MAX_LOSS, Advice, advise
from snn2circuit.analysis.causes import Explanation, explain_mismatches
from snn2circuit.analysis.energy import Energy, measure_energy
from snn2circuit.analysis.supply import QuiescentEnergy, count_supplies
from snn2circuit.design import Design
from snn2circuit.devices import DEVICES
from snn2circuit.devices.ohmic import OhmicDevice
from snn2circuit.electronics import select
from snn2circuit.errors import CircuitNotLinear, DataError, SimulationDiverged
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.dataset import Dataset
from snn2circuit.ir.files import write_json
from snn2circuit.ir.network import Network, Stimulus
from snn2circuit.ir.parasitics import Parasitics
from snn2circuit.ir.parts import Drive
from snn2circuit.ir.timing import Timing
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.mapping import cut_tiles, map_network, print_pairs
from snn2circuit.netlist import build_circuit
from snn2circuit.steps.data import check_fit
from snn2circuit.steps.stack import printable_values
from snn2circuit.steps.training import make_neurons

SAMPLES_UNASKED = 10  # test samples where nobody says how many


def design_device(design: Design) -> OhmicDevice:
    """The preset that the design names, in the range of conductances that it asks for.

    Raises:
        MappingError: the preset cannot hold these conductances.
    """
    return DEVICES[design.device.preset].within(design.device.g_min, design.device.g_max)


def check_circuit(design: Design) -> None:
    """Refuse a neuron that has no circuit, or a device out of its range, before any time goes into training."""
    design_device(design)
    unit = Drive(
        timing=Timing(slot=design.circuit.slot),
        v_read=1,
        siemens_per_unit=1,
        r_feedback=1,
        volts_per_unit=1,
        electronics=select(design.circuit.electronics),
        family=design.circuit.family,
    )
    for number, neuron in enumerate(make_neurons(design), start=1):
        neuron.cell(f"{neuron.kind}_{number}", unit)


def map_crossbar(design: Design, network: Network, dataset: Dataset | None) -> CrossbarNetwork:
    """Map onto the design's device, cut into its tiles, and put what is made by its shape on printable values.

    The voltage scales are chosen on the whole dataset, or on the bound without one.

    Raises:
        MappingError: the device cannot represent the network.
        LayoutError: devices are made by their shapes, and the process cannot print the stack.
    """
    splits = () if dataset is None else (dataset.train, dataset.test)
    mapped = map_network(
        network,
        design_device(design),
        levels=design.device.levels,
        spacing=design.device.spacing,
        weight_range=design.device.weight_range or None,
        saturate=design.device.saturate,
        timing=Timing(slot=design.circuit.slot),
        v_rail=design.circuit.v_rail,
        electronics=select(design.circuit.electronics),
        family=design.circuit.family,
        max_devices=design.device.max_devices,
        inputs=np.concatenate([split.inputs for split in splits]) if splits else None,
        indices=np.concatenate([np.arange(len(split.labels)) for split in splits]) if splits else None,
    )
    crossbar = cut_tiles(mapped, rows=design.circuit.tile_rows, columns=design.circuit.tile_columns)
    values = printable_values(design, crossbar)
    return crossbar if values is None else print_pairs(crossbar, values)


def advise_design(
    design: Design,
    crossbar: CrossbarNetwork,
    stimulus: Stimulus,
    parasitics: Parasitics | None,
    reduce: str,
    max_loss: float = MAX_LOSS,
    *,
    measure: bool = False,
) -> Advice:
    """What to know before decks are written; this machine is measured if asked for, or if the budget is at stake."""
    return advise(
        crossbar,
        stimulus,
        parasitics=parasitics,
        reduce=reduce,
        workers=design.simulation.workers or os.cpu_count() or 1,
        max_loss=max_loss,
        budget=None if measure else design.simulation.budget,
    )


def count_samples(dataset: Dataset, count: int, first: int) -> int:
    """How many test samples ``count`` from index ``first`` on are: 0 stands for ten, or all there are if fewer.

    Raises:
        DataError: the test split does not have them; with the number there are.
    """
    available = len(dataset.test.labels)
    if not 0 <= first < available:
        raise DataError(
            f"[simulation] first = {first}: {dataset.name} has {available:,} test samples, 0 to {available - 1}"
        )
    if not 0 <= count <= available - first:
        raise DataError(
            f"[simulation] samples = {count:,} from first = {first} on: {dataset.name} has {available:,} test samples, "
            f"so 1 to {available - first:,} can be asked for"
        )
    return count or min(SAMPLES_UNASKED, available - first)


def choose_samples(crossbar: CrossbarNetwork, dataset: Dataset, *, count: int = 0, first: int = 0) -> Stimulus:
    """``count`` test samples from index ``first`` on, encoded as the network takes them; 0: ten, or all of fewer.

    Raises:
        DataError: the test split has fewer samples, or the network cannot take such samples.
    """
    check_fit(crossbar, dataset, f"the dataset is {dataset.name!r}")
    indices = np.arange(first, first + count_samples(dataset, count, first))
    inputs = crossbar.network().encode(dataset.test.inputs[indices], indices)
    return Stimulus(inputs=inputs, labels=dataset.test.labels[indices], indices=indices)


def simulate_exactly(
    crossbar: CrossbarNetwork,
    stimulus: Stimulus,
    parasitics: Parasitics | None = None,
    *,
    workers: int | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Waveforms:
    """The circuit's waveforms from the exact solver.

    Raises:
        CircuitNotLinear: the circuit is not linear between known instants; the message says which element.
    """
    # numba takes a second to import, and ngspice does not need it.
    from snn2circuit.simulate.exact import ExactSolver

    circuit = build_circuit(crossbar, stimulus.inputs[0], crossbar.name, parasitics=parasitics)
    return ExactSolver(circuit).simulate(stimulus, workers=workers, on_progress=on_progress)


def inference_energy(crossbar: CrossbarNetwork, waveforms: Waveforms) -> Energy | QuiescentEnergy:
    """Energy and latency of an inference, or what is known of it where the exact solver cannot tell."""
    try:
        return measure_energy(crossbar, waveforms)
    except (CircuitNotLinear, SimulationDiverged) as error:
        steps, layers = waveforms.stimulus.inputs.shape[1], len(crossbar.layers)
        return QuiescentEnergy(
            reason=str(error), seconds=crossbar.timing.stop(steps, layers), supplies=count_supplies(crossbar)
        )


def find_causes(
    crossbar: CrossbarNetwork, waveforms: Waveforms, equivalence: Equivalence, parasitics: Parasitics | None
) -> Explanation | str | None:
    """Why spikes differ; ``None`` if none does, a text if the exact solver cannot tell."""
    if equivalence.mismatches == 0:
        return None
    try:
        return explain_mismatches(crossbar, waveforms, parasitics)
    except (CircuitNotLinear, SimulationDiverged) as error:
        return str(error)


def judge_with_snntorch(crossbar: CrossbarNetwork, waveforms: Waveforms) -> int:
    """Spikes in which snnTorch itself, loaded with the mapped weights, differs from the circuit."""
    from snn2circuit.frontends.snntorch import run_snntorch

    activity = run_snntorch(crossbar.network(), waveforms.stimulus.inputs)
    return sum(int((a != b).sum()) for a, b in zip(activity.spikes, waveforms.spikes, strict=True))


def write_equivalence(
    equivalence: Equivalence,
    path: Path,
    snntorch_mismatches: int | None = None,
    causes: Explanation | str | None = None,
) -> None:
    """Write the comparison of circuit and model as JSON."""
    why = {"reason": causes} if isinstance(causes, str) else causes and causes.as_dict()
    found = {"snntorch_mismatches": snntorch_mismatches, "causes": why}
    extra = {name: value for name, value in found.items() if value is not None}
    write_json(path, {**equivalence.as_dict(), **extra})


def deck_digest(folder: Path) -> str:
    """Content hash of the decks in ``folder``, which are all that a simulation depends on."""
    decks = sorted(path for path in folder.iterdir() if path.suffix in (".cir", ".lib"))
    return hashlib.sha256(b"\0".join(path.name.encode() + b"\0" + path.read_bytes() for path in decks)).hexdigest()[:16]
