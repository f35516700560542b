"""Commands for masks and the independent judge: ``masks``, ``drc``, ``lvs``, ``extract``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from snn2circuit.cli.console import IN, OUT_FOLDER, say, table

if TYPE_CHECKING:
    from snn2circuit.ir.layout import Layout

FORMATS = ("gds", "oas", "dxf", "svg", "gerber", "png", "tiff", "bmp", "klayout")
_MASKS = click.argument("masks_file", type=IN, metavar="MASKS.gds")
_LAYOUT = click.argument("layout_file", type=IN, metavar="LAYOUT.npz")
_CROSSBAR = click.argument("crossbar_file", type=IN, metavar="CROSSBAR.npz")
_FOLDER = click.option("-o", "--out", type=OUT_FOLDER, required=True, help="Folder for the results.")


def _read_layout(path: Path) -> Layout:
    from snn2circuit.ir.files import load
    from snn2circuit.ir.layout import Layout

    return load(path, Layout)


@click.command()
@_LAYOUT
@_FOLDER
@click.option(
    "-f", "--format", "formats", type=click.Choice(FORMATS), multiple=True, help="May be given several times; gds."
)
@click.option("--dpi", type=click.FloatRange(min=0, min_open=True), help="Of bitmaps; without it one pixel a drop.")
def masks(layout_file: Path, out: Path, formats: tuple[str, ...], dpi: float | None) -> None:
    """Write the masks of a layout for printers and other tools."""
    from snn2circuit import steps

    for path in steps.draw_masks(_read_layout(layout_file), out, formats or ("gds",), dpi):
        say(f"{path}: {path.stat().st_size:,} bytes")


@click.command()
@_MASKS
@_LAYOUT
@_FOLDER
def drc(masks_file: Path, layout_file: Path, out: Path) -> None:
    """Check masks against the design rules of the layout's process. Exit status 2 if one is broken."""
    from snn2circuit import steps

    found = steps.check_drc(masks_file, _read_layout(layout_file), out)
    table([(name, f"{count:,}") for name, count in found["broken"].items()])
    good = found["violations"] == 0
    text = f"{found['violations']:,} violations of {found['rules']} rules of {found['process']}"
    say(text, fg="green" if good else "red")
    if not good:
        sys.exit(2)


@click.command()
@_MASKS
@_LAYOUT
@_CROSSBAR
@_FOLDER
def lvs(masks_file: Path, layout_file: Path, crossbar_file: Path, out: Path) -> None:
    """Compare the circuit that masks make with a crossbar. Exit status 2 if they differ."""
    from snn2circuit import steps

    crossbar = steps.load_crossbar(crossbar_file)
    found, _, _ = steps.check_lvs(masks_file, _read_layout(layout_file), crossbar, out)
    for text in found["first_faults"]:
        say(text)
    counted = f"{found['nets']:,} nets, {found['devices']:,} devices, {found['cells']:,} cells"
    verdict = "match" if found["match"] else f"{found['faults']:,} differences"
    say(f"{counted}: {verdict}", fg="green" if found["match"] else "red")
    if not found["match"]:
        sys.exit(2)


@click.command()
@_MASKS
@_LAYOUT
@_CROSSBAR
@_FOLDER
def extract(masks_file: Path, layout_file: Path, crossbar_file: Path, out: Path) -> None:
    """Measure resistances and capacitances on masks that match a crossbar. Exit status 2 if they do not match."""
    from snn2circuit import steps
    from snn2circuit.units import engineering

    crossbar = steps.load_crossbar(crossbar_file)
    found, extracted, _ = steps.check_lvs(masks_file, _read_layout(layout_file), crossbar, out)
    if not found["match"]:
        say(f"{found['faults']:,} differences between masks and crossbar; see lvs", fg="red")
        sys.exit(2)
    table(
        [
            (
                f"layer {each['layer']}, tile {each['tile']}",
                each["name"],
                engineering(each["mean"], each["unit"]),
                each["formula"],
            )
            for each in extracted
        ]
    )
