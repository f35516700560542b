"""What is said first: good only where it is good, and with a way out where lines change spikes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from snn2circuit.analysis.headline import verdicts
from snn2circuit.analysis.html import table


def test_lines_that_change_spikes_are_told_beside_the_circuit_that_spikes_right(
    finished: tuple[Path, dict[str, Any]],
) -> None:
    _, summary = finished
    lines = {**summary["measured_lines"], "spikes_changed": 0}
    assert [kind for _, kind in verdicts({**summary, "measured_lines": lines})] == ["good", "good", "good"]
    said = verdicts({**summary, "measured_lines": {**lines, "spikes_changed": 1234, "decisions_changed": 2}})
    assert [kind for _, kind in said] == ["good", "good", "warning"]
    assert "change 1,234 of" in said[2][0]
    assert 'lines = "measured" and compensate = true' in said[2][0]
    assert len(verdicts({**summary, "measured_lines": {"reason": "not linear"}})) == 2


def test_wrong_spikes_broken_rules_and_other_circuits_are_bad(finished: tuple[Path, dict[str, Any]]) -> None:
    _, summary = finished
    assert verdicts({**summary, "equivalent": False})[0][1] == "bad"
    assert verdicts({**summary, "drc": {**summary["drc"], "violations": 3}})[1] == (
        "masks: 3 design rule violations, the circuit of the crossbar",
        "bad",
    )
    assert "NOT the circuit" in verdicts({**summary, "lvs": {**summary["lvs"], "match": False}})[1][0]


def test_numbers_stand_to_the_right_and_words_to_the_left() -> None:
    made = table(("material", "area"), [("silver", "2.5"), ("foil", "-")])
    assert made.count("<td class=n>") == 2
    assert "<td>silver</td><td class=n>2.5</td>" in made
    assert "<th>material</th><th class=n>area</th>" in made
    assert table(("rule", "violations"), []) == ""
    assert "class=n" not in table(("", ""), [("python", "3.11")])
