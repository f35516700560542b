"""``snn2circuit run``: all stages."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from snn2circuit.cli.console import (
    IN,
    OUT_FOLDER,
    engine_option,
    read_design,
    say,
    stage_bars,
    table,
    tensorboard_option,
)


@click.command()
@click.argument("design_file", type=IN, required=False, metavar="[DESIGN.toml]")
@click.option("-o", "--out", type=OUT_FOLDER, required=True, help="Folder for the results.")
@click.option("--fresh", is_flag=True, help="Do everything again, even where results in OUT still hold.")
@engine_option
@tensorboard_option
def run(design_file: Path | None, out: Path, fresh: bool, engine: str | None, tensorboard: Path | None) -> None:
    """Run all stages: train, map, layout, sign-off, netlist, simulate, compare, report.

    The verdict is about the circuit as printed: exit status 0 only if none of its spikes differs and no mask breaks a
    rule, 2 if one does, 3 if that could not be judged.
    """
    design = read_design(design_file, engine)
    from snn2circuit import flow
    from snn2circuit.analysis.headline import headline
    from snn2circuit.analysis.verdict import judge

    def warn(stage: str, note: str) -> None:
        say(f"{stage}: {note}", fg="yellow", err=True)

    with stage_bars() as tell:
        summary = flow.run(
            design, out, source=design_file, fresh=fresh, tensorboard=tensorboard, on_progress=tell, on_note=warn
        )
    table(headline(summary))
    colors = {"good": "green", "bad": "red", "warning": "yellow"}
    verdict = judge(summary)
    for text, colour in verdict.steps:
        say(text, fg=colors[colour])
    say(verdict.text, fg=colors[verdict.colour], bold=True)
    say(f"\nreport  {out / 'report.html'}\nviewer  snn2circuit view {out}\ndecks   {out / 'netlist'}")
    sys.exit(verdict.status)
