"""The whole pipeline on one page: every stage in order, files in and files out.

:func:`run` is what ``snn2circuit run`` does. The stages themselves are in :mod:`snn2circuit.steps`; the command line
calls them one by one, a Python user may call the rooms directly.

A run can be killed and started again: the trained network and the simulated waveforms, the two results that take time,
are kept with a fingerprint of everything they depend on, and reused when it still holds; a training that was cut short
goes on where it stopped.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snn2circuit import __version__
from snn2circuit.analysis import accuracies, compare_circuit, compare_lines, compare_mapping
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
from snn2circuit.ir.network import Network, Stimulus
from snn2circuit.ir.waveforms import Netlist, Waveforms
from snn2circuit.layout.gltf import write_glb
from snn2circuit.stages import Note, Progress, Stages
from snn2circuit.steps import (
    PARTS,
    Extractions,
    Wired,
    build_stack,
    check_circuit,
    check_process,
    check_sizes,
    choose_samples,
    data_folder,
    deck_digest,
    describe_tuning,
    design_encoding,
    find_causes,
    fine_tune,
    inference_energy,
    judge_with_snntorch,
    make_neurons,
    map_and_trim,
    read_trained,
    reference_circuit,
    reference_lines,
    sign_off,
    simulate_decks,
    train_or_go_on,
    write_decks,
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
        extractions = Extractions()
        mapped = map_and_trim(design, network, dataset, extractions)
        crossbar, compensation = mapped.crossbar, mapped.compensation
        for remark in mapped.remarks:
            stages.note("map", remark)
        if compensation is not None:
            write_json(out / "compensation.json", compensation.as_dict())
        save(crossbar, out / "crossbar.npz")
        stimulus = choose_samples(crossbar, dataset, count=design.simulation.samples, first=design.simulation.first)
        reference = reference_circuit(design, crossbar)
    with stages.stage("layout"):
        layout = build_stack(design, crossbar)
        save(layout, out / "layout.npz")
        glb_bytes = write_glb(layout, out / "stack.glb")
        write_placement(crossbar, layout, out / "placement.csv")
        bill = list_materials(layout, crossbar)
        write_materials(bill, out)
        plot_sections(layout, out / "cross_section.svg")
    with stages.stage("sign-off"):
        signoff = sign_off(layout, crossbar, out / "masks", design.masks.formats, design.masks.raster, extractions)
        printed = None if signoff.crossbar is None else Wired(crossbar=signoff.crossbar, parasitics=signoff.parasitics)
    with stages.stage("netlist"):
        netlist, reference_advice = write_decks(design, reference, stimulus, out / "netlist_ideal")
        printed_netlist, advice = None, reference_advice
        if printed is not None:
            printed_netlist, advice = write_decks(design, printed, stimulus, out / "netlist")
        schematics = write_schematics(crossbar, out / "schematics")
    waveforms = None
    if printed is not None and printed_netlist is not None:
        waveforms = _simulate(design, stages, "simulate", printed, printed_netlist, stimulus, "netlist")
    ideal = _simulate(design, stages, "simulate ideal", reference, netlist, stimulus, "netlist_ideal")
    with stages.stage("compare"):
        equivalence = compare_circuit(reference.crossbar, ideal)
        snntorch_mismatches = judge_with_snntorch(crossbar, ideal)
        write_equivalence(equivalence, out / "equivalence_ideal.json", snntorch_mismatches)
        printed_equivalence, printed_snntorch, causes, lines = None, None, None, dict[str, Any]()
        if printed is not None and waveforms is not None:
            printed_equivalence = compare_circuit(crossbar, waveforms)
            causes = find_causes(printed.crossbar, waveforms, printed_equivalence, printed.parasitics)
            printed_snntorch = judge_with_snntorch(crossbar, waveforms)
            write_equivalence(printed_equivalence, out / "equivalence.json", printed_snntorch, causes)
            lines = dataclasses.asdict(compare_lines(crossbar, ideal, waveforms))
        effect = compare_mapping(network, crossbar, stimulus)
        right = accuracies(network, crossbar, ideal, waveforms)
        plot_waveforms(crossbar, waveforms or ideal, out / "waveforms.png")
        energy = inference_energy(reference.crossbar, ideal)
        write_activity(crossbar, waveforms or ideal, signoff.parasitics, out / "activity.json")
    with stages.stage("report"):
        results = Results(
            dataset=dataset,
            network=network,
            evaluation=evaluation,
            crossbar=crossbar,
            advice=advice,
            reference_advice=reference_advice,
            reference_lines=reference_lines(design),
            waveforms=ideal,
            equivalence=equivalence,
            printed=printed_equivalence,
            printed_snntorch_mismatches=printed_snntorch,
            accuracies=right,
            effect=effect,
            energy=energy,
            causes=causes,
            snntorch_mismatches=snntorch_mismatches,
            layout=layout,
            bill=bill,
            schematics=schematics,
            glb_bytes=glb_bytes,
            compensation=None if compensation is None else compensation.as_dict(),
            signoff={
                "drc": signoff.drc,
                "lvs": signoff.lvs,
                "extracted": signoff.extracted,
                "masks": signoff.masks,
                "measured_lines": lines,
            },
        )
        summary = summarize(results, design, seconds=stages.seconds, reused=stages.reused, notes=stages.notes)
        write_report(summary, results, design, out)
    summary["seconds"] = {name: round(value, 3) for name, value in stages.seconds.items()}
    write_json(out / "summary.json", summary)
    return summary


def _simulate(
    design: Design, stages: Stages, name: str, circuit: Wired, netlist: Netlist, stimulus: Stimulus, folder: str
) -> Waveforms:
    """The waveforms of a circuit's decks, from an earlier run if they still hold."""
    decks, file = stages.out / folder, folder.replace("netlist", "waveforms") + ".npz"
    with stages.stage(name) as tell:
        key = f"{fingerprint(netlist)} {deck_digest(decks)} {design.simulation.solver} {__version__}"
        waveforms = stages.reuse(name, key, file, Waveforms)
        if waveforms is None:
            waveforms = simulate_decks(design, circuit, stimulus, decks, tell)
            save(waveforms, stages.out / file)
            stages.keep(name, key, waveforms)
    return waveforms
