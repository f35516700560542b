"""One verdict: about the circuit as printed, with the colour and the exit status that go with it."""

from __future__ import annotations

import copy
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from snn2circuit.analysis.headline import verdicts
from snn2circuit.analysis.html import table
from snn2circuit.analysis.verdict import judge

GOOD: dict[str, Any] = {
    "accuracy_trained": 1.0,
    "accuracy_mapped": 1.0,
    "accuracy_samples": {"trained": 1.0, "mapped": 1.0, "circuit": 1.0, "printed": 1.0},
    "test_samples": 4,
    "images_simulated": 4,
    "levels": 4,
    "spikes_changed_by_mapping": 71,
    "predictions_changed_by_mapping": 0,
    "reference_lines": "with ideal lines",
    "spikes_compared": 300,
    "spike_mismatches": 0,
    "equivalent": True,
    "printed_spikes_compared": 300,
    "printed_spike_mismatches": 0,
    "printed_equivalent": True,
    "printed_not_judged": None,
    "masks": [
        {"format": "gds", "files": ["stack.gds"], "same_as": None, "violations": 0, "faults": 0, "first_faults": []},
        {"format": "oas", "files": ["stack.oas"], "same_as": "gds", "violations": 0, "faults": 0, "first_faults": []},
        {"format": "png", "files": ["a.png"], "same_as": None, "violations": 0, "faults": 0, "first_faults": []},
    ],
}
LOST = {"accuracy_mapped": 0.75}
NOT_PRINTED = {
    "printed_equivalent": None, "printed_spike_mismatches": None, "printed_spikes_compared": None,
    "printed_not_judged": "stack.gds: no sheet", "accuracy_samples.printed": None,
}  # fmt: skip
# What is changed, the colour, the exit status, and what the sentence has to say.
CASES = [
    ({}, "good", 0, ("0 of 300 spikes differ", "gds, oas, png")),
    ({"spikes_changed_by_mapping": 300}, "good", 0, ("0 of 300",)),
    ({"spike_mismatches": 7, "equivalent": False}, "good", 0, ("0 of 300",)),
    ({"accuracy_mapped": 0.995}, "good", 0, ()),
    ({"accuracy_mapped": 0.99}, "warning", 0, ("100.00% trained, 99.00% mapped",)),
    (LOST, "warning", 0, ("accuracy is lost", "100.00% trained, 75.00% mapped")),
    ({"accuracy_samples.mapped": 0.6}, "warning", 0, ("of the 4 simulated samples", "60.00% mapped")),
    ({"accuracy_samples.printed": 0.6}, "warning", 0, ("60.00% as printed",)),
    ({"accuracy_samples.circuit": 0.6}, "warning", 0, ("60.00% with ideal lines",)),
    ({"printed_spike_mismatches": 1, "printed_equivalent": False}, "bad", 2, ("1 of 300 spikes differ",)),
    ({"printed_equivalent": False}, "bad", 2, ("leaves the supply rails",)),
    (NOT_PRINTED, "bad", 3, ("not judged as printed: stack.gds: no sheet",)),
    *(
        ({f"masks.{at}.{key}": value}, "bad", status, (f"masks, {name}: {says}",))
        for at, name in enumerate(("gds", "oas", "png"))
        for key, value, status, says in (
            ("violations", 3, 2, "3 design rule violations"),
            ("faults", 2, 2, "NOT the circuit of the crossbar, 2 differences"),
            ("violations", None, 3, "not judged"),
            ("faults", None, 3, "not judged"),
        )
    ),
    ({"masks": []}, "bad", 3, ("no mask was written",)),
]


def changed(*changes: dict[str, Any]) -> dict[str, Any]:
    summary = copy.deepcopy(GOOD)
    for path, value in itertools.chain.from_iterable(each.items() for each in changes):
        *way, last = path.split(".")
        place: Any = summary
        for step in way:
            place = place[int(step)] if step.isdigit() else place[step]
        place[last] = value
    return summary


@pytest.mark.parametrize(("change", "colour", "status", "says"), CASES)
def test_what_is_found_decides_colour_and_status(
    change: dict[str, Any], colour: str, status: int, says: tuple[str, ...]
) -> None:
    verdict = judge(changed(change))
    assert (verdict.colour, verdict.status) == (colour, status)
    assert all(words in verdict.text for words in says), verdict.text
    # Green is a sentence without anything else than green behind it, but for the circuit that is not printed.
    assert (verdict.colour == "bad") == any(kind == "bad" for _, kind in verdict.steps)
    assert json.loads(json.dumps(verdict.as_dict()))["text"] == verdict.text


def test_of_two_findings_the_worse_one_decides() -> None:
    order = ["good", "warning", "bad"]
    pairs = [
        (one, other)
        for one, other in itertools.combinations(CASES, 2)
        if not one[0].keys() & other[0].keys() and "masks" not in {*one[0], *other[0]}  # about the same thing
    ]
    assert len(pairs) > 100
    for pair in pairs:
        verdict = judge(changed(*(change for change, *_ in pair)))
        assert verdict.colour == max((colour for _, colour, *_ in pair), key=order.index)
        statuses = {status for _, _, status, _ in pair}
        assert verdict.status == (2 if 2 in statuses else max(statuses)), "a difference is known, whatever else is not"


def test_everything_that_speaks_of_the_verdict_says_the_same(finished: tuple[Path, dict[str, Any]]) -> None:
    out, summary = finished
    verdict = judge(summary)
    assert summary["verdict"] == verdict.as_dict()
    assert verdicts(summary) == [(verdict.text, verdict.colour), *verdict.steps]
    report = (out / "report.html").read_text()
    assert f'<p class="verdict {verdict.colour}">{verdict.text}</p>' in report


def test_the_verdict_walks_from_the_trained_network_to_the_print(finished: tuple[Path, dict[str, Any]]) -> None:
    _, summary = finished
    steps = [text.split(":")[0] for text, _ in judge(summary).steps]
    assert steps[:3] == ["trained", "mapped", "circuit, with ideal lines"]
    assert steps[3].startswith("as printed, 0 of")
    assert steps[4:] == ["masks, gds", "masks, oas"]


def test_numbers_stand_to_the_right_and_words_to_the_left() -> None:
    made = table(("material", "area"), [("silver", "2.5"), ("foil", "-")])
    assert made.count("<td class=n>") == 2
    assert "<td>silver</td><td class=n>2.5</td>" in made
    assert "<th>material</th><th class=n>area</th>" in made
    assert table(("rule", "violations"), []) == ""
    assert "class=n" not in table(("", ""), [("python", "3.11")])
