"""The summary of a run: one flat dictionary with every number that decides, and the assumptions behind them."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from snn2circuit.analysis.advisor import Advice
from snn2circuit.analysis.causes import Explanation
from snn2circuit.analysis.compare import Equivalence, MappingEffect
from snn2circuit.analysis.energy import Energy
from snn2circuit.analysis.evaluate import Evaluation
from snn2circuit.analysis.materials import Bill
from snn2circuit.analysis.schematics import Drawing
from snn2circuit.analysis.supply import QuiescentEnergy
from snn2circuit.analysis.verdict import judge
from snn2circuit.design import Design
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.dataset import Dataset
from snn2circuit.ir.layout import Layout
from snn2circuit.ir.network import Network
from snn2circuit.ir.noun import noun
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.mapping import mapping_cost
from snn2circuit.training import accuracy

PACKAGES = ("snn2circuit", "torch", "snntorch", "numpy", "PySpice", "networkx", "trimesh", "matplotlib", "scikit-learn")


@noun
class Results:
    """Everything a finished run made."""

    dataset: Dataset
    network: Network
    evaluation: Evaluation  # of the trained network on the test split
    crossbar: CrossbarNetwork
    advice: Advice  # on the decks as printed
    reference_advice: Advice  # on those with ideal lines
    reference_lines: str  # what lines these have, in words
    waveforms: Waveforms  # with ideal lines, as all down to the energy
    equivalence: Equivalence
    effect: MappingEffect
    energy: Energy | QuiescentEnergy
    snntorch_mismatches: int
    printed: Equivalence | None  # of the circuit as printed; None: not judged
    printed_snntorch_mismatches: int | None
    accuracies: Mapping[str, float | None]  # on the simulated samples: trained, mapped, circuit, printed
    layout: Layout
    bill: Bill
    schematics: tuple[Drawing, ...]  # of the neuron cells, layer by layer
    glb_bytes: int
    signoff: Mapping[str, Any]  # what was found on the written masks, by the names in the summary
    causes: Explanation | str | None = None  # of spikes that differ; a text says why they are not known
    compensation: dict[str, Any] | None = None  # as in compensation.json; None: not asked for


def summarize(
    results: Results, design: Design, *, seconds: dict[str, float], reused: list[str], notes: dict[str, str]
) -> dict[str, Any]:
    """The content of ``summary.json``; keys say what they count, times are wall seconds, ``None`` is not known.

    Keys of spikes are of the circuit with ideal lines, or those of the design file, unless they begin with ``printed``.
    """
    crossbar, equivalence, test = results.crossbar, results.equivalence, results.dataset.test
    metrics = results.evaluation.as_dict()
    costs = mapping_cost(crossbar)
    kinds = [layer.neuron.kind for layer in crossbar.layers]
    size = results.layout.bounds[3:] - results.layout.bounds[:3]
    summary = {
        "name": crossbar.name,
        "network": "-".join(map(str, crossbar.sizes)),
        "neuron": kinds[0] if len(set(kinds)) == 1 else ", ".join(kinds),
        "steps": crossbar.steps,
        "inputs": str(crossbar.encoding),
        "decision": crossbar.decision,
        "accuracy_trained": round(metrics["accuracy"], 6),
        "accuracy_interval_95": [round(bound, 6) for bound in metrics["accuracy_interval_95"]],
        "accuracy_one_vs_rest": round(metrics["accuracy_one_vs_rest"], 6),
        "f1_macro": None if metrics["macro"]["f1"] is None else round(metrics["macro"]["f1"], 6),
        "roc_auc_macro": None if metrics["macro"]["roc_auc"] is None else round(metrics["macro"]["roc_auc"], 6),
        "firing_rates": [round(layer["firing_rate"], 6) for layer in metrics["layers"]],
        "dead_neurons": [layer["dead"] for layer in metrics["layers"]],
        "flops": metrics["flops"],
        "flops_unrolled": metrics["flops_unrolled"],
        "accuracy_mapped": round(accuracy(crossbar.network().predict(test.inputs), test.labels), 6),
        "test_samples": len(test.labels),
        "device": crossbar.device.name,
        "devices": crossbar.devices,
        "levels": len(crossbar.levels),
        "conductances_S": [float(crossbar.levels[0]), float(crossbar.levels[-1])],
        "family": crossbar.family,
        "electronics": crossbar.electronics.name,
        "compensation": results.compensation,
        "weights_vanished": sum(cost.vanished for cost in costs),
        "weights_saturated": sum(cost.saturated for cost in costs),
        "spikes_changed_by_mapping": results.effect.spikes_changed,
        "predictions_changed_by_mapping": results.effect.predictions_changed,
        "images_simulated": equivalence.samples,
        "images_exact": equivalence.samples_exact,
        "spikes_compared": equivalence.spikes_compared,
        "spikes_model": sum(layer.spikes_model for layer in equivalence.layers),
        "spikes_circuit": sum(layer.spikes_circuit for layer in equivalence.layers),
        "spike_mismatches": equivalence.mismatches,
        "spike_mismatches_snntorch": results.snntorch_mismatches,
        "worst_membrane_error": equivalence.worst_membrane_error,
        "smallest_margin": min(layer.smallest_margin for layer in equivalence.layers),
        "equivalent": equivalence.equivalent,
        "simulator": equivalence.simulator,
        "reference_lines": results.reference_lines,
        **_printed(results),
        "accuracy_samples": {name: _rounded(share) for name, share in results.accuracies.items()},
        "advice": results.advice.as_dict(),
        "reduce": {"printed": results.advice.reduce, "ideal": results.reference_advice.reduce},
        "main_cause": results.causes.as_dict()["main_cause"] if isinstance(results.causes, Explanation) else None,
        "energy": results.energy.as_dict(),
        "ngspice_seconds": float(results.waveforms.seconds.sum()),
        "sheets": len(results.layout.sheets),
        "stack_mm": [round(float(length) / 1e6, 6) for length in size],
        "process": results.layout.process.name,
        "stack_mode": results.layout.mode,
        "vias": sum(results.bill.vias.values()),
        "crossovers": sum(results.bill.crossovers),
        "glb_bytes": results.glb_bytes,
        **results.signoff,
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "stages_reused": reused,
        "notes": notes,
        "assumptions": list(assumptions(crossbar, results.layout)),
        "versions": versions(equivalence.simulator),
        "seed": design.training.seed,
        "design_fingerprint": design.fingerprint(),
    }
    return {**summary, "verdict": judge(summary).as_dict()}


def _printed(results: Results) -> dict[str, Any]:
    """What is known of the circuit as printed."""
    printed, lvs = results.printed, results.signoff["lvs"]
    reason = None
    if printed is None:
        wrong = lvs["match"] is False
        reason = "its masks are another circuit, with nothing to measure" if wrong else "; ".join(lvs["first_faults"])
    return {
        "printed_spike_mismatches": None if printed is None else printed.mismatches,
        "printed_spike_mismatches_snntorch": results.printed_snntorch_mismatches,
        "printed_spikes_compared": None if printed is None else printed.spikes_compared,
        "printed_spikes_circuit": None if printed is None else sum(each.spikes_circuit for each in printed.layers),
        "printed_worst_membrane_error": None if printed is None else printed.worst_membrane_error,
        "printed_equivalent": None if printed is None else printed.equivalent,
        "printed_not_judged": reason,
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 6)


def assumptions(crossbar: CrossbarNetwork, layout: Layout) -> tuple[str, ...]:
    """What no source gave, in words: of the device first, then of the layout."""
    device = crossbar.device
    own = [
        f"device {device.name}, {name} = {quantity.value:g} {quantity.unit}: {quantity.source}"
        for name, quantity in (("g_min", device.g_min), ("g_max", device.g_max), ("v_read", device.v_read))
        if quantity.confidence == "assumed"
    ]
    return (*own, *layout.assumptions)


def versions(simulator: str) -> dict[str, str]:
    """Versions of everything that took part."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed as a package"
    match = re.match(r"(\S+) (\S+)", simulator)
    return found | ({match[1]: match[2]} if match else {})
