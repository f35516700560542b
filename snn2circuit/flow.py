"""The whole pipeline on one page: every stage in order, files in and files out.

:func:`run` is what ``snn2circuit run`` does. The stages themselves are in :mod:`snn2circuit.steps`; the command line
calls them one by one, a Python user may call the rooms directly.

A run can be killed and started again: the trained network and the simulated waveforms, the two results that take time,
are kept with a fingerprint of everything they depend on, and reused when it still holds; a training that was cut short
goes on where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snn2circuit import __version__
from snn2circuit.analysis import compare_circuit, compare_mapping
from snn2circuit.analysis.activity import write_activity
from snn2circuit.analysis.cross_section import plot_sections
from snn2circuit.analysis.evaluate import evaluate
from snn2circuit.analysis.materials import list_materials, write_materials
from snn2circuit.analysis.placement import write_placement
from snn2circuit.analysis.plots import plot_waveforms
from snn2circuit.analysis.report import write_report
from snn2circuit.analysis.schematics import write_schematics
from snn2circuit.analysis.summary import Results, summarize
from snn2circuit.datasets import load_dataset
from snn2circuit.design import Design
from snn2circuit.ir.claims import lock
from snn2circuit.ir.files import fingerprint, save, write_json, write_text
from snn2circuit.ir.network import Network
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.layout.build import check_tiles
from snn2circuit.layout.gltf import write_glb
from snn2circuit.netlist import write_netlist
from snn2circuit.simulate import simulate_netlist
from snn2circuit.stages import Note, Progress, Stages
from snn2circuit.steps import (
    PARTS,
    SAMPLES,
    advise_design,
    build_stack,
    check_circuit,
    check_process,
    check_sizes,
    choose_samples,
    compensate_parts,
    data_folder,
    deck_digest,
    describe_tuning,
    design_encoding,
    find_causes,
    fine_tune,
    inference_energy,
    judge_with_snntorch,
    line_effect,
    line_parasitics,
    make_neurons,
    map_crossbar,
    read_trained,
    reduce_crossbars,
    sign_off,
    simulate_exactly,
    train_or_go_on,
    write_equivalence,
    write_evaluation,
)

DESIGN, RESOLVED = "design.toml", "design.resolved.toml"  # the design in full; RESOLVED beside the user's own DESIGN


def run(
    design: Design,
    out: Path,
    *,
    source: Path | None = None,
    fresh: bool = False,
    tensorboard: Path | None = None,
    on_progress: Progress | None = None,
    on_note: Note | None = None,
) -> Mapping[str, Any]:
    """Run every stage and fill ``out``; returns what ``summary.json`` holds.

    Args:
        design: what to do.
        out: folder for the results, made if need be, and locked while the run is at work.
        source: file that the design was read from; it is not written over, even if it is ``design.toml`` in ``out``.
        fresh: do everything again, even where results in ``out`` still hold.
        tensorboard: folder that gets TensorBoard event files if the network is trained.
        on_progress: told the stage, the share of it that is done, and a remark.
        on_note: told a stage and what a person must know of it at once; the summary's notes hold it too.

    Raises:
        Snn2CircuitError: what went wrong, where, and the way out; results of finished stages stay.
        KeyboardInterrupt: Ctrl-C; the next run into ``out`` goes on from there, in the middle of the training too.
    """
    out = Path(out)
    with lock(out):
        stages = Stages(out, fresh=fresh, on_progress=on_progress, on_note=on_note, parts=PARTS)
        write_text(out / _design_name(out, source), design.as_toml(documented=False))
        return _run(design, out, stages, fresh=fresh, tensorboard=tensorboard)


def _design_name(out: Path, source: Path | None) -> str:
    """Name in ``out`` of the design in full, which must not be the file that the user wrote."""
    own = source is not None and (out / DESIGN).exists() and source.samefile(out / DESIGN)
    return RESOLVED if own else DESIGN


def _run(design: Design, out: Path, stages: Stages, *, fresh: bool, tensorboard: Path | None) -> Mapping[str, Any]:
    with stages.stage("data"):
        check_circuit(design)
        check_process(design)
        dataset = load_dataset(design.data.dataset, data_folder(design))
        check_sizes(design, dataset)
    with stages.stage("train") as tell:
        tuning = ("fine_tuning", "device") if design.fine_tuning.epochs else ()
        sections, neurons = design.fingerprint("network", "training", *tuning), fingerprint(make_neurons(design))
        inputs = fingerprint(design_encoding(design, dataset))
        key = " ".join((sections, neurons, inputs, fingerprint(dataset), __version__))
        made = ("fine_tuning.json",) if tuning else ()
        network = stages.reuse("train", key, "network.npz", Network, "history.jsonl", "training.png", *made)
        if network is None:
            from snn2circuit.training import plot_training

            trained = train_or_go_on(
                design,
                dataset,
                out,
                fresh=fresh,
                tensorboard=tensorboard,
                on_progress=tell,
                on_note=lambda text: stages.note("train", text, at_once=True),
            )
            if trained.interrupted:
                raise KeyboardInterrupt  # the checkpoint is kept; a network that is half trained is no result
            plot_training(trained.history, out / "training.png")
            if tuning:
                tuned = fine_tune(design, trained, dataset, history=out / "fine_tuning.jsonl", on_progress=tell)
                trained = tuned.trained
                if trained.interrupted:
                    raise KeyboardInterrupt
                write_json(out / "fine_tuning.json", tuned.as_dict())
            network = read_trained(trained, dataset)
            save(network, out / "network.npz")
            stages.keep("train", key, network)
        if tuning:
            tuned_as = json.loads((out / "fine_tuning.json").read_text(encoding="utf-8"))
            stages.note("train", describe_tuning(tuned_as))
    with stages.stage("evaluate"):
        evaluation = evaluate(network, dataset.test, dataset.classes)
        write_evaluation(evaluation, out)
    with stages.stage("map"):
        crossbar, compensation = map_crossbar(design, network, dataset), None
        parasitics = line_parasitics(design, crossbar)
        if design.circuit.compensate:
            several = choose_samples(crossbar, dataset, count=min(SAMPLES, len(dataset.test.labels)))
            crossbar, compensation = compensate_parts(crossbar, several, parasitics)
            write_json(out / "compensation.json", compensation.as_dict())
        save(crossbar, out / "crossbar.npz")
        stimulus = choose_samples(crossbar, dataset, count=design.simulation.samples, first=design.simulation.first)
        check_tiles(crossbar)
    with stages.stage("netlist"):
        advice = advise_design(design, crossbar, stimulus, parasitics, design.simulation.reduce)
        advice.check(design.simulation.budget, design.simulation.time_limit)
        reduced = reduce_crossbars(crossbar, parasitics, design.simulation.reduce)
        netlist = write_netlist(crossbar, stimulus, out / "netlist", parasitics=parasitics, reduced=reduced)
        schematics = write_schematics(crossbar, out / "schematics")
    with stages.stage("simulate") as tell:
        solver, workers = design.simulation.solver, design.simulation.workers or None
        key = f"{fingerprint(netlist)} {deck_digest(out / 'netlist')} {solver} {__version__}"
        waveforms = stages.reuse("simulate", key, "waveforms.npz", Waveforms)
        if waveforms is None:
            note = f"{stimulus.samples} samples in {'ngspice' if solver == 'ngspice' else 'the exact solver'}"
            if solver == "exact":
                waveforms = simulate_exactly(
                    crossbar, stimulus, parasitics, workers=workers, on_progress=lambda share: tell(share, note)
                )
            else:
                waveforms = simulate_netlist(
                    out / "netlist",
                    workers=workers,
                    time_limit=design.simulation.time_limit,
                    on_progress=lambda share: tell(share, note),
                )
            save(waveforms, out / "waveforms.npz")
            stages.keep("simulate", key, waveforms)
    with stages.stage("compare"):
        equivalence = compare_circuit(crossbar, waveforms)
        snntorch_mismatches = judge_with_snntorch(crossbar, waveforms)
        effect = compare_mapping(network, crossbar, stimulus)
        causes = find_causes(crossbar, waveforms, equivalence, parasitics)
        write_equivalence(equivalence, out / "equivalence.json", snntorch_mismatches, causes)
        plot_waveforms(crossbar, waveforms, out / "waveforms.png")
        energy = inference_energy(crossbar, waveforms)
    with stages.stage("layout"):
        layout = build_stack(design, crossbar)
        save(layout, out / "layout.npz")
        glb_bytes = write_glb(layout, out / "stack.glb")
        write_placement(crossbar, layout, out / "placement.csv")
        bill = list_materials(layout, crossbar)
        write_materials(bill, out)
        plot_sections(layout, out / "cross_section.svg")
    with stages.stage("sign-off"):
        signoff = sign_off(layout, crossbar, out / "masks")
        measured = signoff.parasitics
        lines = {} if measured is None else line_effect(crossbar, waveforms, measured)
        write_activity(crossbar, waveforms, parasitics or measured, out / "activity.json")
    with stages.stage("report"):
        results = Results(
            dataset=dataset,
            network=network,
            evaluation=evaluation,
            crossbar=crossbar,
            advice=advice,
            waveforms=waveforms,
            equivalence=equivalence,
            effect=effect,
            energy=energy,
            causes=causes,
            snntorch_mismatches=snntorch_mismatches,
            layout=layout,
            bill=bill,
            schematics=schematics,
            glb_bytes=glb_bytes,
            compensation=None if compensation is None else compensation.as_dict(),
            signoff={"drc": signoff.drc, "lvs": signoff.lvs, "extracted": signoff.extracted, "measured_lines": lines},
        )
        summary = summarize(results, design, seconds=stages.seconds, reused=stages.reused, notes=stages.notes)
        write_report(summary, results, design, out)
    summary["seconds"] = {name: round(value, 3) for name, value in stages.seconds.items()}
    write_json(out / "summary.json", summary)
    return summary
