"""What a person reads first of a run: the verdict, and the numbers that decide, for the terminal and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from snn2circuit.analysis.verdict import judge
from snn2circuit.ir.network import DECISIONS
from snn2circuit.units import engineering


def verdicts(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The verdict in a sentence, then the steps that lead there; each ``good``, a ``warning`` or ``bad``."""
    verdict = judge(summary)
    return [(verdict.text, verdict.colour), *verdict.steps]


def headline(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The rows that a person reads first, for the terminal and the report."""
    seconds, (low, high) = summary["seconds"], summary["accuracy_interval_95"]
    return [
        ("network", f"{summary['network']} {summary['neuron']}, {summary['steps']} steps"),
        ("inputs", summary["inputs"]),
        ("winner", f"the output with {DECISIONS[summary['decision']]}; ties go to the first"),
        (
            "test accuracy, trained",
            f"{summary['accuracy_trained']:.2%} of {summary['test_samples']:,} samples "
            f"(95 % interval {low:.2%} to {high:.2%})",
        ),
        (
            "neurons that never spike",
            ", ".join(f"layer {layer}: {len(dead)}" for layer, dead in enumerate(summary["dead_neurons"], start=1)),
        ),
        (
            "test accuracy, mapped",
            f"{summary['accuracy_mapped']:.2%} with {summary['levels']} levels of {summary['device']}, "
            + " to ".join(engineering(each, "S") for each in summary["conductances_S"]),
        ),
        ("devices", f"{summary['devices']:,} in {summary['sheets']} sheets, {stack_size(summary['stack_mm'])}"),
        (
            "weights lost by mapping",
            f"{summary['weights_vanished']} fell to 0, {summary['weights_saturated']} out of range",
        ),
        (
            "circuit simulated",
            f"{summary['images_simulated']} samples, {summary['simulator']}, {summary['ngspice_seconds']:.1f} s",
        ),
        (
            "equivalents in the decks",
            f"as printed: {summary['reduce']['printed']}; {summary['reference_lines']}: {summary['reduce']['ideal']}",
        ),
        ("spikes, network", f"{summary['spikes_model']:,}"),
        ("spikes that differ, as printed", _differ(summary, "printed_")),
        (f"spikes that differ, {summary['reference_lines']}", _differ(summary)),
        *((f"note on {stage}", note) for stage, note in summary["notes"].items()),
        (
            "time",
            f"{sum(seconds.values()):.1f} s: " + ", ".join(f"{name} {value:.1f}" for name, value in seconds.items()),
        ),
    ]


def _differ(summary: Mapping[str, Any], prefix: str = "") -> str:
    """Spikes that differ, by the model and by snnTorch, and how near to a mistake the membranes came."""
    differ = summary[f"{prefix}spike_mismatches"]
    if differ is None:
        return "not judged"
    return (
        f"{differ:,} of {summary[f'{prefix}spikes_compared']:,} "
        f"(against snnTorch: {summary[f'{prefix}spike_mismatches_snntorch']:,}); worst membrane error "
        f"{summary[f'{prefix}worst_membrane_error']:.1e}, smallest margin {summary['smallest_margin']:.1e}"
    )


def stack_size(stack_mm: Sequence[float]) -> str:
    """Width, depth and height in words."""
    width, depth, height = stack_mm
    return f"{width:.4g} x {depth:.4g} x {height:.3g} mm"
