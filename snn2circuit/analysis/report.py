"""The report: one HTML file that opens from disk, with the summary, the plots and the turning stack inside.

Nothing in it is fetched: plots are embedded PNGs, the viewer and the GLB are inlined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from snn2circuit.analysis.evaluate import Evaluation
from snn2circuit.analysis.headline import headline, stack_size, verdicts
from snn2circuit.analysis.html import figure, note, table
from snn2circuit.analysis.materials import Bill
from snn2circuit.analysis.summary import Results
from snn2circuit.analysis.supply import QuiescentEnergy
from snn2circuit.design import Design
from snn2circuit.ir.files import write_text
from snn2circuit.mapping import mapping_cost
from snn2circuit.units import engineering
from snn2circuit.viewer.page import embed

LISTED = 20  # neurons; a report that names hundreds is not read


def write_report(summary: Mapping[str, Any], results: Results, design: Design, out: Path) -> None:
    """Write ``out/report.html`` from the summary and the files that the run has put into ``out``."""
    style = resources.files("snn2circuit.analysis").joinpath("report.css").read_text(encoding="utf-8")
    title = f"{results.dataset.title}: {summary['network']}"
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="lead">{escape(summary["neuron"])} neurons, {summary["steps"]} steps, '
        f"{summary['devices']:,} devices {escape(summary['device'])} with {summary['levels']} levels, "
        f"simulated in {escape(summary['simulator'])}</p>",
        *(f'<p class="verdict {kind}">{escape(text)}</p>' for text, kind in verdicts(summary)),
        *_differences(results),
        "<h2>Stack</h2>",
        embed((out / "stack.glb").read_bytes(), title, (out / "activity.json").read_text(encoding="utf-8")),
        note(f"{summary['sheets']} sheets, {stack_size(summary['stack_mm'])}, process {summary['process']}."),
        figure(out / "cross_section.svg", "Cuts through the stack; every film is drawn equally high"),
        *_materials(results.bill),
        "<h2>Sign-off</h2>",
        *_signoff(summary),
        "<h2>Summary</h2>",
        table(("", ""), headline(summary)),
        "<h2>Circuit against network</h2>",
        note(
            "The circuit is judged against the network that its levels stand for: as printed, with the lines and "
            f"conductances of the final masks, and {summary['reference_lines']}. The margin is the distance of a "
            "membrane from the threshold; an error below the smallest margin cannot flip a spike."
        ),
        table(
            (
                "layer",
                "circuit",
                "events",
                "spikes, model",
                "spikes, circuit",
                "differ",
                "worst membrane error",
                "smallest margin",
                "peak",
            ),
            [
                (
                    str(layer.layer),
                    name,
                    f"{layer.spikes_compared:,}",
                    f"{layer.spikes_model:,}",
                    f"{layer.spikes_circuit:,}",
                    f"{layer.mismatches:,}",
                    f"{layer.worst_membrane_error:.2e}",
                    f"{layer.smallest_margin:.2e}",
                    engineering(layer.peak_volts, "V"),
                )
                for name, found in (("as printed", results.printed), (summary["reference_lines"], results.equivalence))
                if found is not None
                for layer in found.layers
            ],
        ),
        *_causes(results),
        figure(out / "waveforms.png", "Membranes and spikes of a few neurons of the first sample, model over circuit."),
        "<h2>Trained against mapped</h2>",
        note(
            f"On the simulated samples the mapping changed {results.effect.spikes_changed:,} of "
            f"{results.effect.spikes_compared:,} spikes and {results.effect.predictions_changed} of "
            f"{results.effect.samples} decisions."
        ),
        table(
            (
                "layer",
                "word lines",
                "neurons",
                "devices",
                "weight step",
                "worst error",
                "RMS error",
                "vanished",
                "saturated",
            ),
            [
                (
                    str(cost.layer),
                    str(cost.rows),
                    str(cost.columns),
                    f"{cost.devices:,}",
                    f"{cost.weight_step:.4g}",
                    f"{cost.worst_error:.4g}",
                    f"{cost.rms_error:.2%}",
                    str(cost.vanished),
                    str(cost.saturated),
                )
                for cost in mapping_cost(results.crossbar)
            ],
        ),
        "<h2>Training</h2>",
        figure(out / "training.png", "Loss and accuracy during training."),
        "<h2>What the trained network is worth</h2>",
        *_classification(results.evaluation, out),
        "<h2>Electrical scale</h2>",
        table(
            ("layer", "weight of 1", "membrane of 1", "feedback resistor"),
            [
                (
                    str(number),
                    engineering(layer.siemens_per_unit, "S"),
                    engineering(layer.volts_per_unit, "V"),
                    engineering(layer.r_feedback, "Ω"),
                )
                for number, layer in enumerate(results.crossbar.layers, start=1)
            ],
        ),
        "<h2>Wires and size</h2>",
        note(
            "Of the circuit as printed. The loss is that of a bit line's current with every word line driven, which no "
            "input exceeds."
        ),
        table(("", ""), results.advice.rows()),
        *_energy(results),
        *_parts(summary, results),
        "<h2>Neuron cells</h2>",
        note("Drawn from the elements that the decks hold; nodes of the same name are one node."),
        *(
            figure(
                each.path,
                f"Layer {each.layer}: {each.path.stem}, {each.neurons} of them."
                + f" {each.undrawn:,} more sets of parameters of this layer are not drawn." * bool(each.undrawn),
            )
            for each in results.schematics
        ),
        "<h2>Assumed</h2>",
        note("No source gives these; they are stated so that you can replace them."),
        "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in summary["assumptions"]) + "</ul>",
        "<h2>Design</h2>",
        f"<pre>{escape(design.as_toml(documented=False))}</pre>",
        "<h2>Versions</h2>",
        table(("", ""), [(name, value) for name, value in summary["versions"].items()]),
    ]
    write_text(
        out / "report.html",
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{style}</style></head>'
        f"<body>{''.join(body)}</body></html>\n",
    )


def _differences(results: Results) -> list[str]:
    """Where a circuit first differs from its network."""
    return [
        f'<p class="{colour}">{escape(f"{name}: {found}")}</p>'
        for name, found, colour in (
            ("as printed", results.printed, "bad"),
            (results.reference_lines, results.equivalence, "warning"),
        )
        if found is not None and found.mismatches
    ]


def _materials(bill: Bill) -> list[str]:
    """Ink and foil by material, and what else the stack takes."""
    told = bill.as_dict()
    parts = ", ".join(f"{count:,} {name}" for name, count in told["parts"].items())
    return [
        "<h2>Materials</h2>",
        note(
            f"{told['area_mm2']:g} mm², {told['height_mm']:g} mm high, {told['vias']['total']:,} vias, "
            f"{told['crossovers']['total']:,} crossovers, {told['contact_fingers']:,} contact fingers. "
            f"Neuron circuits: {parts}. Ink is the dry film; materials.csv has every layer of every sheet."
        ),
        table(
            ("material", "area / mm²", "volume / µl"),
            [
                (name, f"{amount['area_mm2']:.4g}", f"{amount['volume_ul']:.4g}")
                for name, amount in told["materials"].items()
            ],
        ),
    ]


def _signoff(summary: Mapping[str, Any]) -> list[str]:
    drc, lvs = summary["drc"], summary["lvs"]
    good = drc["violations"] == 0 and lvs["match"]
    verdict = f"KLayout read the written masks back: {drc['violations']:,} violations of {drc['rules']} design rules; "
    if lvs["match"] is None:
        verdict += "what circuit they make could not be judged."
    else:
        verdict += (
            f"{lvs['nets']:,} nets, {lvs['devices']:,} devices and {lvs['cells']:,} cells "
            f"{'are' if lvs['match'] else 'are not'} the crossbar's."
        )
    broken = [(name, f"{count:,}") for name, count in drc["broken"].items()]
    tiled = {each["layer"] for each in summary["extracted"] if each["tile"] > 1}
    extracted = [
        (
            str(each["layer"]) if each["layer"] not in tiled else f"{each['layer']}, tile {each['tile']}",
            each["name"].replace("_", " "),
            f"{each['count']:,}",
            *(engineering(each[key], each["unit"]) for key in ("least", "mean", "most")),
            each["formula"],
        )
        for each in summary["extracted"]
    ]
    return [
        note(verdict) if good else f'<p class="bad">{escape(verdict)}</p>',
        table(
            ("format", "files", "judged", "violations", "differences"),
            [
                (
                    each["format"],
                    _first(each["files"]),
                    f"the same as {each['same_as']}" if each["same_as"] else "itself",
                    *("not judged" if each[key] is None else f"{each[key]:,}" for key in ("violations", "faults")),
                )
                for each in summary["masks"]
            ],
        ),
        table(("rule", "violations"), broken),
        *(f'<p class="bad">{escape(text)}</p>' for text in lvs["first_faults"]),
        table(("layer", "parasitic", "places", "least", "mean", "most", "formula"), extracted),
        note(_printing(summary)) if summary["measured_lines"] else "",
    ]


def _printing(summary: Mapping[str, Any]) -> str:
    lines = summary["measured_lines"]
    return (
        f"Printing changes {lines['spikes_changed']:,} of {lines['spikes_compared']:,} spikes of the circuit "
        f"{summary['reference_lines']}, and {lines['decisions_changed']} of {lines['samples']} decisions; "
        f"{lines['accuracy_before']:.2%} of these samples are right before and {lines['accuracy_after']:.2%} after."
    )


def _classification(evaluation: Evaluation, out: Path) -> list[str]:
    metrics = evaluation.as_dict()
    macro = metrics["macro"]
    columns = ("precision", "recall", "f1", "roc_auc", "accuracy_one_vs_rest")
    flops, unrolled = metrics["flops"], metrics["flops_unrolled"]
    matrices = "" if flops == unrolled else f", {unrolled:,} as the matrices that the crossbars hold"
    return [
        note(
            f"On {metrics['samples']:,} test samples; {flops:,} FLOPs a step (two per weight and place{matrices}). "
            "One-vs-rest accuracy counts right rejections too and lies far above the accuracy; it is here because "
            "others print it."
        ),
        table(
            ("class", "samples", "precision", "recall", "F1", "ROC AUC", "one-vs-rest accuracy"),
            [
                *(
                    (each["class"], f"{each['samples']:,}", *(_share(each[column]) for column in columns))
                    for each in metrics["classes"]
                ),
                (
                    "mean",
                    f"{metrics['samples']:,}",
                    *(_share(macro[column]) for column in columns[:-1]),
                    _share(metrics["accuracy_one_vs_rest"]),
                ),
            ],
        ),
        figure(out / "confusion.png", "What is taken for what."),
        figure(out / "roc.png", "ROC curve of each class against the rest."),
        figure(out / "firing.png", "How often the neurons of each layer spike."),
        *(
            note(f"Layer {layer['layer']}: neurons that never spike are {_first(layer['dead'])}.")
            for layer in metrics["layers"]
            if layer["dead"]
        ),
    ]


def _energy(results: Results) -> list[str]:
    energy = results.energy
    supplies = energy.supplies
    parts = [
        note(
            "Quiescent: parts in the neurons' circuits, times the current of one, times its supply, all through an "
            f"inference; rails {supplies.volts:g} V apart, {supplies.chosen}. Not counted: {supplies.not_counted}."
        ),
        table(("parts", "count", "current of one", "supply", "power"), supplies.rows()),
    ]
    if isinstance(energy, QuiescentEnergy):
        return ["<h2>Energy and time</h2>", note(f"{energy}."), *parts]
    return [
        "<h2>Energy and time</h2>",
        note(f"{energy}."),
        table(("layer", "block", "heat", "op-amp outputs", "quiescent", "all", "power", "share"), energy.rows()),
        note(
            "Of an inference of the circuit as mapped, before trimming, lines taken as ideal: heat of resistors, "
            "switches, devices and latches in the exact solver. A line with resistance only lowers the crossbar's."
        ),
        *parts,
    ]


def _causes(results: Results) -> list[str]:
    causes = results.causes
    if causes is None:
        return []
    if isinstance(causes, str):
        return [note(f"Causes not known: the exact solver cannot take this circuit. {causes}")]
    return [
        note(f"{causes}. Each cause was taken out alone in the exact solver; they need not add up."),
        table(("cause", "spikes that differ with it", "without it", "from the network"), causes.rows()),
    ]


def _first(numbers: Sequence[int | str]) -> str:
    """The numbers or names in words, the first few of them if they are many."""
    more = f" and {len(numbers) - LISTED:,} more" if len(numbers) > LISTED else ""
    return ", ".join(map(str, numbers[:LISTED])) + more


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _parts(summary: Mapping[str, Any], results: Results) -> list[str]:
    """The parts that the neurons are built from, and what trimming against their faults did."""
    electronics, done = results.crossbar.electronics, results.compensation
    body = [
        "<h2>Parts</h2>",
        note(f"{electronics.name}: {electronics.technology}. Family of neuron circuits: {summary['family']}."),
        table(
            ("property", "value", "source", "confidence"),
            [
                (name, engineering(value.value, value.unit), value.source, value.confidence)
                for name, value in electronics.values.items()
            ],
        ),
    ]
    if done is None:
        return body
    return [
        *body,
        note(
            f"Conductances were trimmed until the circuit adds what the network says. Of {done['spikes_compared']:,} "
            f"spikes of {done['samples']} samples in the exact solver {done['spike_mismatches_before']:,} differed "
            f"before and {done['spike_mismatches_after']:,} after. Errors of weights are relative to the largest; a "
            "trim takes a device off its level, and the last error is what remains if it may not."
            + ("" if done["kept"] else " More would differ trimmed, so the conductances stay untrimmed.")
        ),
        table(
            ("layer", "sized for", "error before", "after", "on levels", "largest trim", "off level", "not served"),
            [
                (
                    str(layer["layer"]) if layer["trimmed"] else f"{layer['layer']}, untrimmed: trims would not help",
                    f"{layer['gain']:.6f}",
                    f"{layer['worst_before']:.2e}",
                    f"{layer['worst_after']:.2e}",
                    f"{layer['worst_on_levels']:.2e}",
                    engineering(layer["largest_trim"], "S"),
                    str(layer["off_level"]),
                    ", ".join(f"neuron {neuron}: {error:.1e}" for neuron, error in layer["short"]) or "none",
                )
                for layer in done["layers"]
            ],
        ),
    ]
