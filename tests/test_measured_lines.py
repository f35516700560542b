"""A design whose lines are those of its own masks: measured before trimming, and found again by the sign-off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import SMALL
from trained import go_on_with

from snn2circuit import flow, steps
from snn2circuit.design import Design, parse_design
from snn2circuit.errors import AnotherCircuit, DesignError
from snn2circuit.ir.files import fingerprint, load
from snn2circuit.ir.parasitics import Parasitics

# Devices of up to 10 mS, which 0.18 ohm a square of silver feeds badly.
CONDUCTING = """
[device]
preset = "moox_mos2_foil"

[circuit]
lines = "measured"
compensate = {compensate}
"""


def given(design: Design) -> Design:
    return replace(design, circuit=replace(design.circuit, lines="given"))


def test_measured_lines_are_those_that_the_sign_off_finds(
    finished: tuple[Path, dict[str, Any]], small_design: Design
) -> None:
    out, _ = finished
    crossbar = steps.load_crossbar(out / "crossbar.npz")
    found = steps.line_parasitics(small_design, crossbar)
    assert found is not None
    assert fingerprint(found) == fingerprint(load(out / "masks" / "parasitics.npz", Parasitics))
    assert steps.line_parasitics(given(small_design), crossbar) is None


def test_a_run_trimmed_against_its_own_masks_spikes_as_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on_with("small", monkeypatch)
    text = SMALL.replace("[simulation]", '[simulation]\nsolver = "exact"')
    design = parse_design(text + CONDUCTING.format(compensate="true"))
    summary = flow.run(design, tmp_path / "out")
    trimmed = summary["compensation"]
    assert trimmed["spike_mismatches_before"] > 100
    assert trimmed["spike_mismatches_after"] == 0
    assert summary["printed_spike_mismatches"] == summary["spike_mismatches"] == 0
    assert (summary["verdict"]["colour"], summary["verdict"]["status"]) == ("good", 0)
    # Conductances have changed since the lines were measured, where lines run has not.
    assert summary["measured_lines"]["spikes_changed"] == 0
    assert summary["advice"]["layers"][0]["worst_loss"] > 0.01


def test_other_resistances_beside_measured_lines_are_refused() -> None:
    with pytest.raises(DesignError, match=r'lines = "measured" takes every resistance from the masks; leave out r_bit'):
        parse_design('[circuit]\nlines = "measured"\nr_bit = 2.0')


def test_masks_of_another_circuit_are_not_measured(
    finished: tuple[Path, dict[str, Any]], small_design: Design, monkeypatch: pytest.MonkeyPatch
) -> None:
    crossbar = steps.load_crossbar(finished[0] / "crossbar.npz")
    other = {"match": False, "first_faults": ["net wl_l1_r0 is torn"]}
    monkeypatch.setattr("snn2circuit.steps.lines.check_lvs", lambda *_, **__: (other, [], None, None))
    with pytest.raises(AnotherCircuit, match=r'another circuit.*wl_l1_r0 is torn.*lines = "given"'):
        steps.line_parasitics(small_design, crossbar)
