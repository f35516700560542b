"""From the stack to masks, and from the written masks to the verdict: rules, circuit, parasitics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from snn2circuit.errors import LayoutError, NotJudged
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.files import save, write_json
from snn2circuit.ir.layout import Layout
from snn2circuit.ir.noun import noun
from snn2circuit.ir.parasitics import Parasitics
from snn2circuit.ir.scratch import scratch
from snn2circuit.layout.masks.formats import BITMAPS
from snn2circuit.layout.masks.raster import Raster
from snn2circuit.steps.extractions import Extractions

if TYPE_CHECKING:
    from snn2circuit.layout.signoff.lvs import LvsReport
    from snn2circuit.layout.signoff.stack import MaskStack

OF_A_RUN = ("gds", "oas", "klayout")  # what a run writes if it is not asked for others
REFERENCE = "gds"  # the format that is judged by rules and circuit; equal ones are as good
SHOWN = 20  # faults of a format in a summary
UNREAD: dict[str, Any] = {"violations": 0, "faults": 0, "first_faults": []}

# What a summary says of a circuit; every parasitic with its range; the parasitics and the crossbar as printed.
Judged = tuple[dict[str, Any], list[dict[str, Any]], Parasitics | None, CrossbarNetwork | None]


@noun
class SignOff:
    """What KLayout says of the written masks; the dictionaries are what ``summary.json`` holds."""

    drc: dict[str, Any]
    lvs: dict[str, Any]  # "match" is None where LVS came to no verdict
    extracted: list[dict[str, Any]]
    masks: list[dict[str, Any]]  # of every format: files, same_as, violations, faults, first_faults
    parasitics: Parasitics | None  # None if the masks do not match: then nothing stands for the crossbar
    crossbar: CrossbarNetwork | None  # with the conductances as printed; None as above


def draw_masks(
    layout: Layout, folder: Path, formats: Sequence[str] = OF_A_RUN, raster: Raster | None = None
) -> list[Path]:
    """Write the masks of ``layout`` into ``folder``; returns the paths, in the order of ``formats``."""
    # KLayout takes a while to load, and only this stage and the next need it.
    from snn2circuit.layout.masks.files import write_masks

    return write_masks(layout, folder, formats, raster)


def read_stack(masks: Path, layout: Layout) -> MaskStack:
    """The masks of ``layout`` as a file, or the set that it is of, holds them."""
    from snn2circuit.layout.signoff.stack import read_masks

    return read_masks(masks, layout.process, layout)


def check_drc(masks: Path, layout: Layout, folder: Path, stack: MaskStack | None = None) -> dict[str, Any]:
    """Design rules and plan on a mask file: ``drc.lyrdb``, ``drc.csv``, a picture of each violation into ``folder``.

    ``stack`` is what the file holds, where it is read already.
    """
    from snn2circuit.analysis.violations import draw_violations
    from snn2circuit.layout.signoff.drc import check_stack
    from snn2circuit.layout.signoff.reports import drc_summary, write_lyrdb, write_violations

    stack = stack or read_stack(masks, layout)
    report = check_stack(stack, layout)
    write_lyrdb(report, masks.name, stack.top.name, folder / "drc.lyrdb")
    write_violations(report, folder / "drc.csv")
    draw_violations(report, stack, folder / "violations")
    return drc_summary(report)


def check_lvs(
    masks: Path,
    layout: Layout,
    crossbar: CrossbarNetwork,
    folder: Path,
    stack: MaskStack | None = None,
    extractions: Extractions | None = None,
) -> Judged:
    """Circuit and parasitics of a mask file: ``lvs.json``, and if it matches ``parasitics.npz`` and ``.json``.

    ``stack`` is what the file holds, where it is read already. Where a file that holds the whole stack has the bytes of
    the last one in ``extractions``, its circuit is that one's.

    Returns:
        What a summary says of it; every parasitic with its range; and, if it matches, the parasitics and ``crossbar``
        as it is printed.

    Raises:
        LayoutError: the file cannot be read.
        NotJudged: it can, and yet its circuit cannot be told, or not measured.
    """
    from snn2circuit.layout.signoff.extract import extract_netlist
    from snn2circuit.layout.signoff.lvs import compare_netlist
    from snn2circuit.layout.signoff.pex import measure_parasitics
    from snn2circuit.layout.signoff.reports import lvs_summary, parasitics_summary, write_lvs

    stack = stack or read_stack(masks, layout)
    try:
        found = extractions.of(stack) if extractions else extract_netlist(stack)
        report = compare_netlist(found, layout, crossbar)
        write_lvs(report, folder / "lvs.json")
        if not report.match:
            return lvs_summary(report), [], None, None
        parasitics, table = measure_parasitics(stack, found, crossbar)
    except LayoutError as error:
        raise NotJudged(f"{masks.name}: {error}") from error
    extracted = parasitics_summary(table)
    save(parasitics, folder / "parasitics.npz")
    write_json(folder / "parasitics.json", {"parasitics": extracted})
    return lvs_summary(report), extracted, parasitics, as_printed(crossbar, layout, report)


def as_printed(crossbar: CrossbarNetwork, layout: Layout, report: LvsReport) -> CrossbarNetwork:
    """``crossbar`` with the conductances that its devices get: as trims on top of its levels.

    A printed resistor has the conductance that LVS measured on the masks, a device that is programmed the one in the
    programming table, which is that of ``layout``.

    Raises:
        LayoutError: a resistor was not found on the masks, so nothing stands for it.
    """
    layers = []
    for index, layer in enumerate(crossbar.layers):
        pair = np.full((2, layer.rows, layer.columns), np.nan)
        for sheet in layout.sheets:
            for devices in sheet.planes if sheet.network_layer == index else ():
                pair[(devices.polarity < 0).astype(np.int64), devices.rows, devices.columns] = devices.conductance
        if report.conductances is not None:
            pair = np.stack(report.conductances[index])
        if np.isnan(pair).any():
            raise LayoutError(
                f"{int(np.isnan(pair).sum())} devices of layer {index + 1} are not on the masks, or are no strips: "
                "the masks are another circuit; see the faults that LVS names"
            )
        if not np.array_equal(pair, np.stack(layer.programmed)):
            layer = replace(layer, trim_pos=pair[0] - layer.g_pos, trim_neg=pair[1] - layer.g_neg)
        layers.append(layer)
    return replace(crossbar, layers=tuple(layers))


def sign_off(
    layout: Layout,
    crossbar: CrossbarNetwork,
    folder: Path,
    formats: Sequence[str] = OF_A_RUN,
    raster: Raster | None = None,
    extractions: Extractions | None = None,
) -> SignOff:
    """Write the masks of ``layout`` into ``folder`` in each of ``formats``, read every file back, and judge it.

    The GDSII file is judged by rules and circuit; where it is not asked for, one that is thrown away afterwards.
    ``raster`` is what the printer asks of bitmaps. Where the file has the bytes of the last one in ``extractions``, its
    circuit is that one's.
    """
    written = {name: draw_masks(layout, folder, [name], raster if name in BITMAPS else None) for name in formats}
    with scratch() as beside:
        masks = (written.get(REFERENCE) or draw_masks(layout, beside, [REFERENCE]))[0]
        stack = read_stack(masks, layout)
        drc, (lvs, extracted, parasitics, printed) = _judge(masks, layout, crossbar, folder, stack, extractions)
        judged = judge_formats(written, stack, layout, crossbar, folder, (drc, lvs))
    return SignOff(drc=drc, lvs=lvs, extracted=extracted, masks=judged, parasitics=parasitics, crossbar=printed)


def _judge(
    masks: Path,
    layout: Layout,
    crossbar: CrossbarNetwork,
    folder: Path,
    stack: MaskStack,
    extractions: Extractions | None = None,
) -> tuple[dict[str, Any], Judged]:
    """Rules, circuit and parasitics of a file; a circuit that cannot be told has no match and no number of faults."""
    drc = check_drc(masks, layout, folder, stack)
    try:
        return drc, check_lvs(masks, layout, crossbar, folder, stack, extractions)
    except NotJudged as error:
        return drc, ({"match": None, "faults": None, "first_faults": [str(error)]}, [], None, None)


def judge_formats(
    written: Mapping[str, Sequence[Path]],
    reference: MaskStack,
    layout: Layout,
    crossbar: CrossbarNetwork,
    folder: Path,
    verdict: tuple[dict[str, Any], dict[str, Any]],
) -> list[dict[str, Any]]:
    """What there is to say of every format that masks were written in, one entry each.

    A format whose shapes and names read back equal to those of ``reference`` has its ``verdict`` (rules, circuit).
    Any other is judged by rules and circuit itself, with the findings in ``folder/FORMAT``; where its numbers are
    exact and the reference is good, that it differs is a fault as well.
    """
    from snn2circuit.layout.masks.files import leftovers
    from snn2circuit.layout.signoff.same import differences
    from snn2circuit.layout.signoff.stack import READERS

    entries, good = [], verdict[0]["violations"] == 0 and verdict[1]["faults"] == 0
    for name, paths in written.items():
        if paths[0].suffix not in READERS:
            continue  # what shows masks, but is none
        (drc, lvs), same, faults = verdict, True, list[str]()
        if paths[0] != reference.path:
            try:
                stack = read_stack(paths[0], layout)
                faults = list(differences(stack, reference, layout))
                if faults:
                    same = False
                    drc, (lvs, *_) = _judge(paths[0], layout, crossbar, folder / name, stack)
                    faults = faults if good and stack.tolerance == 0 else []
                others = leftovers(paths[0].parent, paths)
                faults = [f"{each} is of no mask of this stack: remove it" for each in others] + faults
            except LayoutError as error:  # a file of ours that we cannot read is a fault of its own
                same, drc, lvs, faults = False, UNREAD, UNREAD, [str(error)]
        entries.append(
            {
                "format": name,
                "files": [path.name for path in paths],
                "same_as": REFERENCE if same and paths[0] != reference.path else None,
                "violations": drc["violations"],
                "faults": None if lvs["faults"] is None else lvs["faults"] + len(faults),
                "first_faults": [*faults, *lvs["first_faults"]][:SHOWN],
            }
        )
    return entries
