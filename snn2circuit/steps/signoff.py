"""From the stack to masks, and from the written masks to the verdict: rules, circuit, parasitics."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snn2circuit.analysis import compare_lines
from snn2circuit.errors import CircuitNotLinear, SimulationDiverged
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.files import save, write_json
from snn2circuit.ir.layout import Layout
from snn2circuit.ir.noun import noun
from snn2circuit.ir.parasitics import Parasitics
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.steps.circuit import simulate_exactly

OF_A_RUN = ("gds", "oas", "klayout")  # what every run writes; the first is judged


@noun
class SignOff:
    """What KLayout says of the written masks; the dictionaries are what ``summary.json`` holds."""

    drc: dict[str, Any]
    lvs: dict[str, Any]
    extracted: list[dict[str, Any]]
    parasitics: Parasitics | None  # None if the masks do not match: then nothing stands for the crossbar


def draw_masks(layout: Layout, folder: Path, formats: Sequence[str] = OF_A_RUN, dpi: float | None = None) -> list[Path]:
    """Write the masks of ``layout`` into ``folder``; returns the paths, in the order of ``formats``."""
    # KLayout takes a while to load, and only this stage and the next need it.
    from snn2circuit.layout.masks.files import write_masks

    return write_masks(layout, folder, formats, dpi)


def check_drc(masks: Path, layout: Layout, folder: Path) -> dict[str, Any]:
    """Design rules on a mask file: ``drc.lyrdb``, ``drc.csv`` and a picture of each violation into ``folder``."""
    from snn2circuit.analysis.violations import draw_violations
    from snn2circuit.layout.signoff.drc import check_stack
    from snn2circuit.layout.signoff.reports import drc_summary, write_lyrdb, write_violations
    from snn2circuit.layout.signoff.stack import read_masks

    stack = read_masks(masks, layout.process)
    report = check_stack(stack)
    write_lyrdb(report, masks.name, stack.top.name, folder / "drc.lyrdb")
    write_violations(report, folder / "drc.csv")
    draw_violations(report, stack, folder / "violations")
    return drc_summary(report)


def check_lvs(
    masks: Path, layout: Layout, crossbar: CrossbarNetwork, folder: Path
) -> tuple[dict[str, Any], list[dict[str, Any]], Parasitics | None]:
    """Circuit and parasitics of a mask file: ``lvs.json``, and if it matches ``parasitics.npz`` and ``.json``."""
    from snn2circuit.layout.signoff.extract import extract_netlist
    from snn2circuit.layout.signoff.lvs import compare_netlist
    from snn2circuit.layout.signoff.pex import measure_parasitics
    from snn2circuit.layout.signoff.reports import lvs_summary, parasitics_summary, write_lvs
    from snn2circuit.layout.signoff.stack import read_masks

    stack = read_masks(masks, layout.process)
    found = extract_netlist(stack)
    report = compare_netlist(found, layout, crossbar)
    write_lvs(report, folder / "lvs.json")
    if not report.match:
        return lvs_summary(report), [], None
    parasitics, table = measure_parasitics(stack, found, crossbar)
    extracted = parasitics_summary(table)
    save(parasitics, folder / "parasitics.npz")
    write_json(folder / "parasitics.json", {"parasitics": extracted})
    return lvs_summary(report), extracted, parasitics


def line_effect(crossbar: CrossbarNetwork, before: Waveforms, parasitics: Parasitics) -> dict[str, Any]:
    """The samples of ``before`` once more, with the lines as measured, in the exact solver; what changed.

    A circuit that the exact solver cannot take has a ``reason`` instead; ``netlist --parasitics`` gives its decks.
    """
    try:
        after = simulate_exactly(crossbar, before.stimulus, parasitics)
    except (CircuitNotLinear, SimulationDiverged) as error:
        return {"reason": str(error)}
    return dataclasses.asdict(compare_lines(crossbar, before, after))


def sign_off(layout: Layout, crossbar: CrossbarNetwork, folder: Path) -> SignOff:
    """Write the masks of ``layout`` into ``folder``, read them back, and judge them."""
    masks = draw_masks(layout, folder)[0]
    drc = check_drc(masks, layout, folder)
    lvs, extracted, parasitics = check_lvs(masks, layout, crossbar, folder)
    return SignOff(drc=drc, lvs=lvs, extracted=extracted, parasitics=parasitics)
