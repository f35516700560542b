"""The verdict of a run: what its masks, printed as they are, would do, and where accuracy went on the way there.

One function decides. Headline, colour, exit status, ``summary.json``, report and viewer all say what it found.

The way is trained → mapped → circuit → as printed. *Mapped* is the network that the devices' levels stand for.
*Circuit* is its circuit with ideal lines, or those of the design file. *As printed* has the lines and conductances of
the final masks, and it alone makes the verdict: **bad** if one of its spikes differs, a membrane leaves the rails, a
design rule is broken, or a mask file is another circuit, and if any of that could not be judged; a **warning** if all
is well but accuracy is lost against the trained network; else **good**. Accuracy counts as lost from :data:`LOST` on,
of the test set or of the simulated samples: however fine the levels are, a decision or two of hundreds lie so close to
a tie that they go either way.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

from snn2circuit.ir.noun import noun
from snn2circuit.ir.outcome import DIFFERENT, EQUAL, NOT_JUDGED

Colour = Literal["good", "warning", "bad"]

LOST = 0.01  # share of the decisions; fewer of them fall on either side of a tie


@noun
class Verdict:
    """A sentence, its colour, the exit status that goes with it, and the steps that lead there."""

    text: str
    colour: Colour
    status: int  # EQUAL, DIFFERENT or NOT_JUDGED
    steps: tuple[tuple[str, Colour], ...]  # trained, mapped, circuit, as printed, and every mask format

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        steps = [{"text": text, "colour": colour} for text, colour in self.steps]
        return {**dataclasses.asdict(self), "steps": steps}


def judge(summary: Mapping[str, Any]) -> Verdict:
    """The verdict on what ``summary.json`` holds."""
    steps, different, unjudged = [*_networks(summary), _circuit(summary)], [], []
    printed = _printed(summary)
    masks = [_masks(entry) for entry in summary["masks"]]
    for text, status in (printed, *masks):
        steps.append((text, "good" if status == EQUAL else "bad"))
        if status == DIFFERENT:
            different.append(text)
        elif status == NOT_JUDGED:
            unjudged.append(text)
    if not masks:
        unjudged.append("no mask was written, so none was judged")
        steps.append((unjudged[-1], "bad"))
    if different or unjudged:
        # What differs is known, whatever else is not.
        status = DIFFERENT if different else NOT_JUDGED
        return Verdict(text="; ".join(different + unjudged), colour="bad", status=status, steps=tuple(steps))
    formats = ", ".join(entry["format"] for entry in summary["masks"])
    text = f"{printed[0]}; masks ({formats}): no design rule broken, the circuit of the crossbar"
    lost = _lost(summary)
    if lost:
        return Verdict(text=f"{text}; but {lost}", colour="warning", status=EQUAL, steps=tuple(steps))
    return Verdict(text=text, colour="good", status=EQUAL, steps=tuple(steps))


def _networks(summary: Mapping[str, Any]) -> list[tuple[str, Colour]]:
    on_samples = summary["accuracy_samples"]
    tests, samples = summary["test_samples"], summary["images_simulated"]
    trained, mapped = summary["accuracy_trained"], summary["accuracy_mapped"]
    worse = _less(mapped, trained) or _less(on_samples["mapped"], on_samples["trained"])
    return [
        (
            f"trained: {_percent(trained)} of {tests:,} test samples right, {_percent(on_samples['trained'])} of the "
            f"{samples} simulated",
            "good",
        ),
        (
            f"mapped: {_percent(mapped)}, {_percent(on_samples['mapped'])} of the simulated; {summary['levels']} "
            f"levels change {summary['spikes_changed_by_mapping']:,} of {summary['spikes_compared']:,} spikes and "
            f"{summary['predictions_changed_by_mapping']} of {samples} decisions",
            "warning" if worse else "good",
        ),
    ]


def _circuit(summary: Mapping[str, Any]) -> tuple[str, Colour]:
    differ = summary["spike_mismatches"]
    text = (
        f"circuit, {summary['reference_lines']}: {differ:,} of {summary['spikes_compared']:,} spikes differ, "
        f"{_percent(summary['accuracy_samples']['circuit'])} of the simulated right"
    )
    return text, "good" if summary["equivalent"] else "warning"


def _printed(summary: Mapping[str, Any]) -> tuple[str, int]:
    if summary["printed_equivalent"] is None:
        return f"not judged as printed: {summary['printed_not_judged']}", NOT_JUDGED
    text = (
        f"as printed, {summary['printed_spike_mismatches']:,} of {summary['printed_spikes_compared']:,} spikes differ "
        "between network and circuit"
    )
    right = summary["accuracy_samples"]["printed"]
    text += f", {_percent(right)} of the simulated right"
    if summary["printed_equivalent"]:
        return text, EQUAL
    if summary["printed_spike_mismatches"] == 0:
        text += "; a membrane leaves the supply rails"
    return text, DIFFERENT


def _masks(entry: Mapping[str, Any]) -> tuple[str, int]:
    name, violations, faults = entry["format"], entry["violations"], entry["faults"]
    if violations == faults == 0:
        same = f", the same as {entry['same_as']}" if entry["same_as"] else ""
        return f"masks, {name}: no design rule broken, the circuit of the crossbar{same}", EQUAL
    found = [f"{violations:,} design rule violations"] if violations else []
    if faults:
        found.append(f"NOT the circuit of the crossbar, {faults:,} differences")
    status = DIFFERENT if found else NOT_JUDGED
    if violations is None or faults is None:
        found.append("not judged " + ("by design rules" if violations is None else "as a circuit"))
    return f"masks, {name}: {', '.join(found)}", status


def _lost(summary: Mapping[str, Any]) -> str:
    """Where accuracy is lost against the trained network, in words, or nothing."""
    found = []
    trained, mapped = summary["accuracy_trained"], summary["accuracy_mapped"]
    if _less(mapped, trained):
        found.append(f"{_percent(trained)} trained, {_percent(mapped)} mapped")
    on_samples = summary["accuracy_samples"]
    names = {"mapped": "mapped", "circuit": summary["reference_lines"], "printed": "as printed"}
    fewer = [f"{_percent(on_samples[key])} {name}" for key, name in names.items()
             if _less(on_samples[key], on_samples["trained"])]  # fmt: skip
    if fewer:
        simulated = f"of the {summary['images_simulated']} simulated samples"
        found.append(f"{_percent(on_samples['trained'])} {simulated} trained, {', '.join(fewer)}")
    return "accuracy is lost on the way: " + "; ".join(found) if found else ""


def _less(share: float | None, than: float | None) -> bool:
    """Whether accuracy is lost; 1e-9 is for the rounding of shares."""
    return share is not None and than is not None and than - share >= LOST - 1e-9


def _percent(share: float | None) -> str:
    return "not known" if share is None else f"{share:.2%}"
