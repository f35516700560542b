"""Commands for masks and the independent judge: ``masks``, ``drc``, ``lvs``, ``extract``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from snn2circuit.cli.console import IN, OUT_FOLDER, say, table
from snn2circuit.cli.status import end_with
from snn2circuit.layout.masks.formats import FORMATS

if TYPE_CHECKING:
    from snn2circuit.ir.layout import Layout

_MASKS = click.argument("masks_file", type=IN, metavar="MASKS")
_LAYOUT = click.argument("layout_file", type=IN, metavar="LAYOUT.npz")
_CROSSBAR = click.argument("crossbar_file", type=IN, metavar="CROSSBAR.npz")
_FOLDER = click.option("-o", "--out", type=OUT_FOLDER, required=True, help="Folder for the results.")


def _pair(text: str) -> tuple[float, float]:
    """A number above 0 for both axes, or one each: ``600``, ``600x1200``."""
    x, _, y = text.partition("x")
    try:
        numbers = float(x), float(y or x)
    except ValueError:
        numbers = math.nan, math.nan
    if not all(0 < number < math.inf for number in numbers):
        raise click.BadParameter(f"{text!r} is neither a number above 0 nor two of them, such as 600x1200")
    return numbers


def _bias(text: str) -> tuple[str, float]:
    """A process layer and a length: ``word_lines=-10e-6``."""
    layer, _, length = text.partition("=")
    try:
        return layer, float(length)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a layer and a length in m, such as word_lines=-10e-6") from None


def _judged(found: dict[str, Any]) -> str:
    return f", judged {found['judged_to']}" if "judged_to" in found else ""


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
@click.option(
    "--dpi", type=_pair, metavar="X[xY]", help="Of bitmaps: 600, or 600x1200. Default: one pixel a drop, or 1200."
)
@click.option("--mirror", is_flag=True, help="Left and right of bitmaps change places.")
@click.option("--negative", is_flag=True, help="Ink and blank of bitmaps change places.")
@click.option(
    "--scale", type=_pair, metavar="X[xY]", help="Size of bitmaps for a foil that shrinks: 1.002, or 1.002x1.001."
)
@click.option("--margin", type=float, default=0.0, metavar="M", help="Without shapes, on every side of bitmaps, m.")
@click.option(
    "--bias",
    type=_bias,
    multiple=True,
    metavar="LAYER=M",
    help="Drawn on every side of a layer's shapes in bitmaps, m: word_lines=-10e-6. Default: what the process says.",
)
def masks(
    layout_file: Path,
    out: Path,
    formats: tuple[str, ...],
    dpi: tuple[float, float] | None,
    mirror: bool,
    negative: bool,
    scale: tuple[float, float] | None,
    margin: float,
    bias: tuple[tuple[str, float], ...],
) -> None:
    """Write the masks of a layout for printers and other tools."""
    from snn2circuit import steps
    from snn2circuit.layout.masks.raster import Raster

    (dpi_x, dpi_y), (scale_x, scale_y) = dpi or (0, 0), scale or (1, 1)
    raster = Raster(
        dpi_x=dpi_x,
        dpi_y=dpi_y,
        mirror=mirror,
        negative=negative,
        scale_x=scale_x,
        scale_y=scale_y,
        margin=margin,
        bias=dict(bias),
    )
    for path in steps.draw_masks(_read_layout(layout_file), out, formats or ("gds",), raster):
        say(f"{path}: {path.stat().st_size:,} bytes")


@click.command()
@_MASKS
@_LAYOUT
@_FOLDER
def drc(masks_file: Path, layout_file: Path, out: Path) -> None:
    """Check masks against the design rules of the layout's process and its plan. Exit status 2 if one is broken."""
    from snn2circuit import steps

    found = steps.check_drc(masks_file, _read_layout(layout_file), out)
    for text in found["first_violations"]:
        say(text)
    table([(name, f"{count:,}") for name, count in found["broken"].items()])
    good = found["violations"] == 0
    text = f"{found['violations']:,} violations of {found['rules']} rules of {found['process']}"
    say(text + _judged(found), fg="green" if good else "red")
    end_with(good)


@click.command()
@_MASKS
@_LAYOUT
@_CROSSBAR
@_FOLDER
def lvs(masks_file: Path, layout_file: Path, crossbar_file: Path, out: Path) -> None:
    """Compare the circuit that masks make with a crossbar. Exit status 2 if they differ, 3 if LVS cannot tell."""
    from snn2circuit import steps

    crossbar = steps.load_crossbar(crossbar_file)
    found, *_ = steps.check_lvs(masks_file, _read_layout(layout_file), crossbar, out)
    for text in found["first_faults"]:
        say(text)
    counted = f"{found['nets']:,} nets, {found['devices']:,} devices, {found['cells']:,} cells"
    verdict = "match" if found["match"] else f"{found['faults']:,} differences"
    say(f"{counted}: {verdict}{_judged(found)}", fg="green" if found["match"] else "red")
    end_with(found["match"])


@click.command()
@_MASKS
@_LAYOUT
@_CROSSBAR
@_FOLDER
def extract(masks_file: Path, layout_file: Path, crossbar_file: Path, out: Path) -> None:
    """Measure resistances and capacitances on masks that match a crossbar.

    Exit status 2 if they do not match, 3 if that or the resistances cannot be told.
    """
    from snn2circuit import steps
    from snn2circuit.units import engineering

    crossbar = steps.load_crossbar(crossbar_file)
    found, extracted, *_ = steps.check_lvs(masks_file, _read_layout(layout_file), crossbar, out)
    if not found["match"]:
        say(
            f"{found['faults']:,} differences between masks and crossbar, the first: {found['first_faults'][0]}",
            fg="red",
        )
        end_with(False)
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
