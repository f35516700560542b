"""The whole pipeline on one page: every stage composed, files in and files out.

:func:`run` is what ``snn2circuit run`` does. Each stage function below takes nouns and a design and gives a noun; the
command line calls them one by one, a Python user may call the rooms directly.

A run can be killed and started again: the trained network and the simulated waveforms, the two results that take time,
are kept with a fingerprint of everything they depend on, and reused when it still holds.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from snn2circuit import __version__
from snn2circuit.analysis import Equivalence, compare_circuit, compare_mapping
from snn2circuit.analysis.placement import write_placement
from snn2circuit.analysis.plots import plot_waveforms
from snn2circuit.analysis.report import write_report
from snn2circuit.analysis.summary import Results, summarize
from snn2circuit.datasets import load_dataset
from snn2circuit.design import Design
from snn2circuit.devices import DEVICE_KINDS, DEVICES
from snn2circuit.errors import DataError
from snn2circuit.ir.circuit import Drive, Timing
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.dataset import Dataset
from snn2circuit.ir.files import fingerprint, load, save, write_json, write_text
from snn2circuit.ir.layout import Layout
from snn2circuit.ir.network import Network, Stimulus
from snn2circuit.ir.parts import Neuron
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.connectivity import check_connectivity
from snn2circuit.layout.gltf import write_glb
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.mapping import map_network
from snn2circuit.netlist import write_netlist
from snn2circuit.neurons import NEURONS
from snn2circuit.simulate import simulate_netlist
from snn2circuit.stages import Progress, Stages

if TYPE_CHECKING:
    from torch.nn import Module

    from snn2circuit.training import EpochRecord, Recipe, Trained

PARTS: dict[str, type] = {**NEURONS, **DEVICE_KINDS}


def train_module(
    dataset: Dataset,
    recipe: Recipe,
    *,
    seed: int = 0,
    history: Path | None = None,
    on_progress: Callable[[float, str], None] | None = None,
) -> Trained:
    """Train with snnTorch; after Ctrl-C the best so far, marked as interrupted."""
    # torch and snnTorch take seconds to import, and only this stage and the final judgement need them.
    from snn2circuit import training

    def report(record: EpochRecord) -> None:
        if on_progress:
            accuracies = f"validation {record.validation_accuracy:.2%}, test {record.test_accuracy:.2%}"
            on_progress(record.epoch / recipe.epochs, f"loss {record.loss:.3f}, {accuracies}")

    return training.train(dataset, recipe, seed=seed, history=history, on_epoch=report)


def interruption(trained: Trained) -> str:
    """What to tell a person of a training that was cut short."""
    finished, planned = trained.history[-1].epoch, trained.recipe.epochs
    return f"interrupted after epoch {finished} of {planned}; the best so far, epoch {trained.best.epoch}, is kept"


def read_trained(trained: Trained, dataset: Dataset) -> Network:
    """The network of a finished training, with the circuit values of the recipe's neuron."""
    recipe = trained.recipe
    capacitance = getattr(recipe.neuron, "capacitance", None)
    circuit = {} if capacitance is None else {"capacitance": capacitance}
    return from_snntorch(trained.module, name=dataset.name, steps=recipe.steps, dataset=dataset.name, circuit=circuit)


def train(
    dataset: Dataset,
    recipe: Recipe | None = None,
    *,
    seed: int = 0,
    on_progress: Callable[[float, str], None] | None = None,
) -> Network:
    """Train with snnTorch and hand over the best network; after Ctrl-C, the best so far."""
    from snn2circuit.training import Recipe

    recipe = recipe or Recipe(neuron=NEURONS["leaky"]())
    return read_trained(train_module(dataset, recipe, seed=seed, on_progress=on_progress), dataset)


def from_snntorch(
    module: Module, *, name: str, steps: int, dataset: str = "", circuit: Mapping[str, float] | None = None
) -> Network:
    """A trained snnTorch module as a :class:`Network`; refuses, with the reason, what no circuit here can do.

    ``circuit`` sets fields of the neurons that snnTorch knows nothing of, such as ``capacitance``.
    """
    from snn2circuit.frontends.snntorch import from_snntorch

    return from_snntorch(module, neurons=NEURONS, name=name, steps=steps, dataset=dataset, circuit=circuit)


def choose_samples(crossbar: CrossbarNetwork, dataset: Dataset, *, count: int = 10, first: int = 0) -> Stimulus:
    """``count`` test samples from index ``first`` on, encoded as the network takes them.

    Raises:
        DataError: the test split has no sample there.
    """
    available = len(dataset.test.labels)
    if count < 1 or not 0 <= first < available:
        raise DataError(f"{dataset.name} has {available} test samples; no {count} samples from {first} on")
    indices = np.arange(first, min(first + count, available))
    inputs = crossbar.network().encode(dataset.test.inputs[indices])
    return Stimulus(inputs=inputs, labels=dataset.test.labels[indices], indices=indices)


def data_folder(design: Design) -> Path | None:
    """The data folder the design names, or ``None`` for the default one."""
    return Path(design.data.folder) if design.data.folder else None


def check_circuit(design: Design) -> None:
    """Refuse a neuron that has no circuit before any time goes into training it."""
    unit = Drive(timing=Timing(slot=design.circuit.slot), v_read=1, siemens_per_unit=1, r_feedback=1, volts_per_unit=1)
    make_neuron(design).cell(design.network.neuron, unit)


def make_neuron(design: Design) -> Neuron:
    """The neuron part a design describes; it takes the keys it knows, the others belong to other neurons."""
    part = NEURONS[design.network.neuron]
    values = {**dataclasses.asdict(design.network), **dataclasses.asdict(design.circuit)}
    return part(**{name: values[name] for name in inspect.signature(part).parameters if name in values})


def design_recipe(design: Design) -> Recipe:
    """The training recipe a design describes."""
    from snn2circuit.training import Recipe

    section = design.network
    return Recipe(
        hidden=section.hidden,
        neuron=make_neuron(design),
        steps=section.steps,
        bias=section.bias,
        epochs=design.training.epochs,
        batch=design.training.batch,
        learning_rate=design.training.learning_rate,
        weight_decay=design.training.weight_decay,
        temperature=design.training.temperature,
        averaging=design.training.averaging,
        noise=design.training.noise,
        validation=design.training.validation,
        surrogate_slope=design.training.surrogate_slope,
    )


def map_crossbar(design: Design, network: Network, dataset: Dataset | None) -> CrossbarNetwork:
    """Map onto the design's device; the voltage scales are chosen on the whole dataset, or on the bound without one."""
    return map_network(
        network,
        DEVICES[design.device.preset],
        levels=design.device.levels,
        spacing=design.device.spacing,
        weight_range=design.device.weight_range or None,
        saturate=design.device.saturate,
        timing=Timing(slot=design.circuit.slot),
        v_rail=design.circuit.v_rail,
        inputs=None if dataset is None else np.concatenate([dataset.train.inputs, dataset.test.inputs]),
    )


def build_stack(design: Design, crossbar: CrossbarNetwork) -> Layout:
    """Build the printed stack, and make sure that it connects what the crossbar connects."""
    layout = build_layout(crossbar, PROCESSES[design.layout.process])
    check_connectivity(layout, crossbar)
    return layout


def load_crossbar(path: Path) -> CrossbarNetwork:
    """Read a mapped network."""
    return load(path, CrossbarNetwork, PARTS)


def judge_with_snntorch(crossbar: CrossbarNetwork, waveforms: Waveforms) -> int:
    """Spikes in which snnTorch itself, loaded with the mapped weights, differs from the circuit."""
    from snn2circuit.frontends.snntorch import run_snntorch

    activity = run_snntorch(crossbar.network(), waveforms.stimulus.inputs)
    return sum(int((a != b).sum()) for a, b in zip(activity.spikes, waveforms.spikes, strict=True))


def run(design: Design, out: Path, *, fresh: bool = False, on_progress: Progress | None = None) -> Mapping[str, Any]:
    """Run every stage and fill ``out``; returns what ``summary.json`` holds.

    Args:
        design: what to do.
        out: folder for the results, made if need be.
        fresh: do everything again, even where results in ``out`` still hold.
        on_progress: told the stage, the share of it that is done, and a remark.

    Raises:
        Snn2CircuitError: what went wrong, where, and the way out; results of finished stages stay.
    """
    out = Path(out)
    stages = Stages(out, fresh=fresh, on_progress=on_progress, parts=PARTS)
    write_text(out / "design.toml", design.as_toml(documented=False))

    with stages.stage("data"):
        check_circuit(design)
        dataset = load_dataset(design.data.dataset, data_folder(design))
    with stages.stage("train") as tell:
        key = " ".join((design.fingerprint("network", "training", "circuit"), fingerprint(dataset), __version__))
        network = stages.reuse("train", key, "network.npz", Network, "history.jsonl", "training.png")
        if network is None:
            from snn2circuit.training import plot_training, read_history

            recipe, history = design_recipe(design), out / "history.jsonl"
            trained = train_module(dataset, recipe, seed=design.training.seed, history=history, on_progress=tell)
            network = read_trained(trained, dataset)
            plot_training(read_history(history), out / "training.png")
            save(network, out / "network.npz")
            if trained.interrupted:
                stages.notes["train"] = interruption(trained)
            else:
                stages.keep("train", key, network)
    with stages.stage("map"):
        crossbar = map_crossbar(design, network, dataset)
        save(crossbar, out / "crossbar.npz")
        stimulus = choose_samples(crossbar, dataset, count=design.simulation.samples, first=design.simulation.first)
    with stages.stage("netlist"):
        netlist = write_netlist(crossbar, stimulus, out / "netlist")
    with stages.stage("simulate") as tell:
        key = f"{fingerprint(netlist)} {_digest(out / 'netlist')} {__version__}"
        waveforms = stages.reuse("simulate", key, "waveforms.npz", Waveforms)
        if waveforms is None:
            waveforms = simulate_netlist(
                out / "netlist",
                workers=design.simulation.workers or None,
                time_limit=design.simulation.time_limit,
                on_progress=lambda share: tell(share, f"{stimulus.samples} samples in ngspice"),
            )
            save(waveforms, out / "waveforms.npz")
            stages.keep("simulate", key, waveforms)
    with stages.stage("compare"):
        equivalence = compare_circuit(crossbar, waveforms)
        snntorch_mismatches = judge_with_snntorch(crossbar, waveforms)
        effect = compare_mapping(network, crossbar, stimulus)
        write_equivalence(equivalence, out / "equivalence.json", snntorch_mismatches)
        plot_waveforms(crossbar, waveforms, out / "waveforms.png")
    with stages.stage("layout"):
        layout = build_stack(design, crossbar)
        save(layout, out / "layout.npz")
        glb_bytes = write_glb(layout, out / "stack.glb")
        write_placement(crossbar, layout, out / "placement.csv")
    with stages.stage("report"):
        results = Results(
            dataset=dataset,
            network=network,
            crossbar=crossbar,
            waveforms=waveforms,
            equivalence=equivalence,
            effect=effect,
            snntorch_mismatches=snntorch_mismatches,
            layout=layout,
            glb_bytes=glb_bytes,
        )
        summary = summarize(results, design, seconds=stages.seconds, reused=stages.reused, notes=stages.notes)
        write_report(summary, results, design, out)
    summary["seconds"] = {name: round(value, 3) for name, value in stages.seconds.items()}
    write_json(out / "summary.json", summary)
    return summary


def _digest(folder: Path) -> str:
    """Content hash of the decks in ``folder``, which are all that a simulation depends on."""
    decks = sorted(path for path in folder.iterdir() if path.suffix in (".cir", ".lib"))
    return hashlib.sha256(b"\0".join(path.name.encode() + b"\0" + path.read_bytes() for path in decks)).hexdigest()[:16]


def write_equivalence(equivalence: Equivalence, path: Path, snntorch_mismatches: int | None = None) -> None:
    """Write the comparison of circuit and model as JSON."""
    extra = {} if snntorch_mismatches is None else {"snntorch_mismatches": snntorch_mismatches}
    write_json(path, {**equivalence.as_dict(), **extra})
