"""Commands for the printed stack: ``layout`` and ``view``."""

from __future__ import annotations

from pathlib import Path

import click

from snn2circuit.cli.console import FOLDER, IN, OUT, OUT_FOLDER, design_option, read_design, say

FORMATS = ("glb", "stl", "3mf")


@click.command()
@click.argument("crossbar_file", type=IN, metavar="CROSSBAR.npz")
@design_option
@click.option("-o", "--out", type=OUT, required=True, help="File to write: stack.glb, stack.stl or stack.3mf.")
@click.option("--format", "kind", type=click.Choice(FORMATS), help="Format, if the ending does not say.")
@click.option("--height", type=float, default=1.0, help="Factor of all heights in STL and 3MF.")
@click.option("--plain", is_flag=True, help="A GLB without GPU instances, for tools that do not know them; larger.")
@click.option("--placement", type=OUT, help="CSV file for the place of every device.")
@click.option("--materials", type=OUT_FOLDER, help="Folder for the bill of materials and the cross-section.")
@click.option("--layout", "layout_file", type=OUT, help="Layout file for `masks`, `drc` and `lvs`, e.g. layout.npz.")
def layout(
    crossbar_file: Path,
    design_file: Path | None,
    out: Path,
    kind: str | None,
    height: float,
    plain: bool,
    placement: Path | None,
    materials: Path | None,
    layout_file: Path | None,
) -> None:
    """Build the printed stack, check its connectivity, and write it as GLB, STL or 3MF."""
    kind = kind or out.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise click.UsageError(f"{out} ends in no known format; end it in .glb, .stl or .3mf, or say --format")
    if kind == "glb" and height != 1:
        raise click.UsageError("a GLB is true to scale, the viewer stretches it; --height is for STL and 3MF")
    if plain and kind != "glb":
        raise click.UsageError("--plain is for a GLB; STL and 3MF are plain anyway")
    design = read_design(design_file)
    from snn2circuit import steps
    from snn2circuit.analysis.cross_section import plot_sections
    from snn2circuit.analysis.materials import list_materials, write_materials
    from snn2circuit.analysis.placement import write_placement
    from snn2circuit.ir.files import save
    from snn2circuit.layout.gltf import write_glb
    from snn2circuit.layout.printable import WRITERS

    crossbar = steps.load_crossbar(crossbar_file)
    stack = steps.build_stack(design, crossbar)
    size = write_glb(stack, out, instanced=False) if plain else WRITERS[kind](stack, out, height)
    if placement:
        write_placement(crossbar, stack, placement)
    if materials:
        write_materials(list_materials(stack, crossbar), materials)
        plot_sections(stack, materials / "cross_section.svg")
    if layout_file:
        save(stack, layout_file)
    say(
        f"{out}: {crossbar.devices:,} devices in {len(stack.sheets)} sheets, {size:,} bytes; "
        "its connectivity equals the crossbar's"
    )


@click.command()
@click.argument("out", type=FOLDER)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; 0 picks a free one.")
@click.option("--browser/--no-browser", default=True, help="Open the browser.")
def view(out: Path, port: int, browser: bool) -> None:
    """Show the stack of a results folder in the browser; Ctrl-C ends it."""
    from snn2circuit.viewer.server import serve

    serve(out, port=port, open_browser=browser, announce=lambda url: say(f"{url}   (Ctrl-C to stop)"))
