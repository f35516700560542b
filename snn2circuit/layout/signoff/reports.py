"""Sign-off results as files: KLayout's marker database for its own browser, and tables for everyone else."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import klayout.db as kdb
import klayout.rdb as krdb

from snn2circuit.ir.files import atomic, write_json
from snn2circuit.ir.tables import write_csv
from snn2circuit.layout.signoff.drc import DrcReport
from snn2circuit.layout.signoff.lvs import LvsReport
from snn2circuit.layout.signoff.pex import Measured

COLUMNS = ("rule", "sheet", "x0_nm", "y0_nm", "x1_nm", "y1_nm", "measured", "asks_for")


def write_lyrdb(report: DrcReport, masks: str, top: str, path: Path) -> None:
    """Write a report database that KLayout's marker browser opens: a category a rule, an item a violation.

    Args:
        report: what was found.
        masks: name of the mask file, for the reader.
        top: name of its top cell.
        path: file to write, ``*.lyrdb``.
    """
    database = krdb.ReportDatabase("design rule check")
    database.description = f"design rules of process {report.process}"
    database.original_file = masks
    database.top_cell_name = top
    cell = database.create_cell(top)
    categories = {}
    for rule in report.rules:
        categories[rule.name] = database.create_category(rule.name)
        categories[rule.name].description = rule.text
    for violation in report.violations:
        x0, y0, x1, y1 = (value / 1e3 for value in violation.box)
        item = database.create_item(cell.rdb_id(), categories[violation.rule].rdb_id())
        item.add_value(kdb.DBox(x0, y0, x1, y1))
        item.add_value(f"sheet {violation.sheet}")
        if violation.measured is not None:
            item.add_value(violation.measured)
    with atomic(path) as temporary:
        database.save(str(temporary))


def write_violations(report: DrcReport, path: Path) -> None:
    """Write the violations as CSV, one a line; ``measured`` is in nm, or a share for densities."""
    rows = (
        (each.rule, each.sheet, *each.box, "" if each.measured is None else f"{each.measured:.9g}", each.text)
        for each in report.violations
    )
    write_csv(path, COLUMNS, rows)


def parasitics_summary(table: Iterable[Measured]) -> list[dict[str, Any]]:
    """Every parasitic of every tile with its range, as a summary and a file hold it."""
    keys = ("layer", "tile", "name", "unit", "count", "least", "mean", "most", "formula")
    return [{key: getattr(each, key) for key in keys} for each in table]


def drc_summary(report: DrcReport, shown: int = 20) -> dict[str, Any]:
    """What a summary says of a design rule check, with the first ``shown`` violations and their places."""
    counts = report.counts()
    return {
        "process": report.process,
        "rules": len(counts),
        "violations": len(report.violations),
        **_tolerance(report.tolerance),
        "broken": {name: count for name, count in counts.items() if count},
        "first_violations": [
            "{rule}, sheet {sheet}, ({0}, {1}) to ({2}, {3}) nm: {text}".format(
                *each.box, rule=each.rule, sheet=each.sheet, text=each.text
            )
            for each in report.violations[:shown]
        ],
    }


def _tolerance(nm: int) -> dict[str, str]:
    return {"judged_to": f"within {nm / 1e3:g} um, one pixel"} if nm else {}


def lvs_summary(report: LvsReport, shown: int = 20) -> dict[str, Any]:
    """What a summary says of a comparison of masks and circuit, with the first ``shown`` faults."""
    return {
        "match": report.match,
        "nets": report.nets,
        "devices": report.devices,
        "cells": report.cells,
        **({} if report.conductance_error is None else {"largest_conductance_error": report.conductance_error}),
        **_tolerance(report.tolerance),
        "faults": len(report.faults),
        "first_faults": [fault.text for fault in report.faults[:shown]],
    }


def write_lvs(report: LvsReport, path: Path) -> None:
    """Write every fault of a comparison as JSON."""
    keys = ("kind", "text", "sheet", "mask", "box", "layer", "row", "column", "polarity")
    faults = [{key: getattr(fault, key) for key in keys} for fault in report.faults]
    write_json(path, {**lvs_summary(report, 0), "all_faults": faults})
