"""Commands for the printed stack: ``layout`` and ``view``."""

from __future__ import annotations

from pathlib import Path

import click

from snn2circuit.cli.console import FOLDER, IN, OUT, design_option, read_design


@click.command()
@click.argument("crossbar_file", type=IN, metavar="CROSSBAR.npz")
@design_option
@click.option("-o", "--out", type=OUT, required=True, help="GLB file to write, e.g. stack.glb.")
@click.option("--placement", type=OUT, help="CSV file for the place of every device.")
@click.option("--materials", type=OUT, help="Folder for the bill of materials and the cross-section.")
@click.option("--layout", "layout_file", type=OUT, help="Layout file for `masks`, `drc` and `lvs`, e.g. layout.npz.")
def layout(
    crossbar_file: Path,
    design_file: Path | None,
    out: Path,
    placement: Path | None,
    materials: Path | None,
    layout_file: Path | None,
) -> None:
    """Build the printed stack, check its connectivity, and write it as GLB."""
    design = read_design(design_file)
    from snn2circuit import steps
    from snn2circuit.analysis.cross_section import plot_sections
    from snn2circuit.analysis.materials import list_materials, write_materials
    from snn2circuit.analysis.placement import write_placement
    from snn2circuit.ir.files import save
    from snn2circuit.layout.gltf import write_glb

    crossbar = steps.load_crossbar(crossbar_file)
    stack = steps.build_stack(design, crossbar)
    size = write_glb(stack, out)
    if placement:
        write_placement(crossbar, stack, placement)
    if materials:
        write_materials(list_materials(stack, crossbar), materials)
        plot_sections(stack, materials / "cross_section.svg")
    if layout_file:
        save(stack, layout_file)
    click.echo(
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

    serve(out, port=port, open_browser=browser, announce=lambda url: click.echo(f"{url}   (Ctrl-C to stop)"))
