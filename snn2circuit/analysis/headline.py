"""What a person reads first of a run: the verdicts, and the numbers that decide, for the terminal and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from snn2circuit.ir.network import DECISIONS
from snn2circuit.units import engineering


def verdicts(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What decides, in sentences that are ``good``, ``bad`` or a ``warning``: the circuit, its masks, their lines."""
    drc, lvs, lines = summary["drc"], summary["lvs"], summary["measured_lines"]
    said = [
        (
            f"{summary['spike_mismatches']:,} of {summary['spikes_compared']:,} spikes differ between network and "
            "circuit",
            "good" if summary["equivalent"] else "bad",
        ),
        (
            f"masks: {drc['violations']:,} design rule violations, "
            f"{'the circuit of the crossbar' if lvs['match'] else 'NOT the circuit of the crossbar'}",
            "good" if drc["violations"] == 0 and lvs["match"] else "bad",
        ),
    ]
    if "spikes_changed" not in lines:
        return said
    changed = lines["spikes_changed"]
    text = f"lines as measured on the masks change {changed:,} of {lines['spikes_compared']:,} spikes of the circuit"
    if changed:
        text += (
            f" and {lines['decisions_changed']} of {lines['samples']} decisions; to trim that away set "
            'lines = "measured" and compensate = true in [circuit], or choose devices that conduct less'
        )
    return [*said, (text, "warning" if changed else "good")]


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
        ("spikes, network / circuit", f"{summary['spikes_model']:,} / {summary['spikes_circuit']:,}"),
        (
            "spikes that differ",
            f"{summary['spike_mismatches']:,} of {summary['spikes_compared']:,} "
            f"(against snnTorch: {summary['spike_mismatches_snntorch']:,})",
        ),
        (
            "worst membrane error",
            f"{summary['worst_membrane_error']:.1e} (smallest margin {summary['smallest_margin']:.1e})",
        ),
        *((f"note on {stage}", note) for stage, note in summary["notes"].items()),
        (
            "time",
            f"{sum(seconds.values()):.1f} s: " + ", ".join(f"{name} {value:.1f}" for name, value in seconds.items()),
        ),
    ]


def stack_size(stack_mm: Sequence[float]) -> str:
    """Width, depth and height in words."""
    width, depth, height = stack_mm
    return f"{width:.4g} x {depth:.4g} x {height:.3g} mm"
