"""The samples once more with measured lines: a circuit that the exact solver cannot take gives a reason, not an end."""

from __future__ import annotations

from dataclasses import replace

from networks import random_crossbar

from snn2circuit.electronics import ELECTRONICS
from snn2circuit.ir.parasitics import uniform_parasitics
from snn2circuit.steps import simulate_exactly
from snn2circuit.steps.signoff import line_effect


def test_an_amplifier_beyond_its_slew_rate_does_not_end_a_run() -> None:
    crossbar, stimulus = random_crossbar(
        (3, 4, 2), beta=0.9, threshold=1.0, reset="subtract", seed=1, samples=1, steps=6
    )
    before = simulate_exactly(crossbar, stimulus, None)
    lines = uniform_parasitics(crossbar, r_word=1.0, source="this test")
    assert "reason" not in line_effect(crossbar, before, lines)
    slow = line_effect(replace(crossbar, electronics=ELECTRONICS["rails_slew"]), before, lines)
    assert "slew rate" in slow["reason"]
