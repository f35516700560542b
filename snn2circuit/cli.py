"""The command line: one command per stage, and ``run`` for all of them. No logic of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from snn2circuit import __version__
from snn2circuit.errors import Snn2CircuitError

if TYPE_CHECKING:
    from snn2circuit.design import Design

_IN = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_OUT = click.Path(path_type=Path)


class _Group(click.Group):
    """Turns our own errors into one clear message and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Snn2CircuitError as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            click.echo("\ninterrupted; finished stages are kept, run the same command to go on", err=True)
            sys.exit(130)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__)
def main() -> None:
    """From a trained spiking network to a circuit that spikes the same, and to its printed 3D stack."""


def _design(path: Path | None) -> Design:
    from snn2circuit.design import Design, read_design

    return read_design(path) if path else Design()


def _design_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "-d", "--design", "design_file", type=_IN, help="Design file; without one, the built-in digits design."
    )(command)


@main.command()
@click.argument("design_file", type=_IN, required=False, metavar="[DESIGN.toml]")
@click.option("-o", "--out", type=_OUT, required=True, help="Folder for the results.")
@click.option("--fresh", is_flag=True, help="Do everything again, even where results in OUT still hold.")
def run(design_file: Path | None, out: Path, fresh: bool) -> None:
    """Run all stages: train, map, netlist, simulate, compare, layout, report."""
    design = _design(design_file)
    from snn2circuit import flow
    from snn2circuit.analysis.report import headline

    with _stage_bars() as tell:
        summary = flow.run(design, out, fresh=fresh, on_progress=tell)
    _table(headline(summary))
    good = summary["equivalent"]
    click.secho(
        f"{summary['spike_mismatches']:,} of {summary['spikes_compared']:,} spikes differ between network and circuit",
        fg="green" if good else "red",
        bold=True,
    )
    click.echo(f"\nreport  {out / 'report.html'}\nviewer  snn2circuit view {out}\ndecks   {out / 'netlist'}")
    if not good:
        sys.exit(2)


@main.command()
@_design_option
@click.option("-o", "--out", type=_OUT, required=True, help="Network file to write, e.g. network.npz.")
@click.option("--state-dict", type=_OUT, help="File for snnTorch's own state_dict, e.g. weights.pt.")
@click.option("--history", type=_OUT, help="File that gets one line of JSON per epoch as it ends.")
def train(design_file: Path | None, out: Path, state_dict: Path | None, history: Path | None) -> None:
    """Train a network with snnTorch and write it. Ctrl-C ends the training and keeps the best so far."""
    design = _design(design_file)
    from snn2circuit import flow
    from snn2circuit.datasets import load_dataset
    from snn2circuit.ir.files import save

    with _bar("train") as tell:
        dataset = load_dataset(design.data.dataset, flow.data_folder(design))
        recipe = flow.design_recipe(design)
        trained = flow.train_module(dataset, recipe, seed=design.training.seed, history=history, on_progress=tell)
    network = flow.read_trained(trained, dataset)
    save(network, out)
    if trained.interrupted:
        click.echo(flow.interruption(trained))
    if state_dict:
        from snn2circuit.training import save_state_dict

        save_state_dict(trained.module, state_dict)
    from snn2circuit.training import accuracy

    share = accuracy(network.predict(dataset.test.inputs), dataset.test.labels)
    click.echo(f"{out}: {'-'.join(map(str, network.sizes))}, test accuracy {share:.2%}")


@main.command("map")
@click.argument("network_file", type=_IN, metavar="NETWORK.npz")
@_design_option
@click.option("-o", "--out", type=_OUT, required=True, help="Crossbar file to write, e.g. crossbar.npz.")
def map_(network_file: Path, design_file: Path | None, out: Path) -> None:
    """Map a trained network onto device conductances.

    The voltage scales are chosen on the dataset the network names; for a network without one, on the bound that no
    input between 0 and 1 can exceed.
    """
    design = _design(design_file)
    from snn2circuit import flow
    from snn2circuit.datasets import load_dataset
    from snn2circuit.ir.files import load, save
    from snn2circuit.ir.network import Network
    from snn2circuit.mapping import mapping_cost

    network = load(network_file, Network, flow.PARTS)
    dataset = load_dataset(network.dataset, flow.data_folder(design)) if network.dataset else None
    crossbar = flow.map_crossbar(design, network, dataset)
    save(crossbar, out)
    for cost in mapping_cost(crossbar):
        click.echo(
            f"layer {cost.layer}: {cost.devices:,} devices, RMS error {cost.rms_error:.2%}, "
            f"worst {cost.worst_error:.4g}, {cost.vanished} weights fell to 0, {cost.saturated} out of range"
        )
    click.echo(f"{out}: voltage scales from the {crossbar.scale_basis}")


@main.command()
@click.argument("crossbar_file", type=_IN, metavar="CROSSBAR.npz")
@_design_option
@click.option("-o", "--out", type=_OUT, required=True, help="Folder for the decks.")
def netlist(crossbar_file: Path, design_file: Path | None, out: Path) -> None:
    """Write the circuit as ngspice decks, one per test sample."""
    design = _design(design_file)
    from snn2circuit import flow
    from snn2circuit.datasets import load_dataset
    from snn2circuit.netlist import write_netlist

    crossbar = flow.load_crossbar(crossbar_file)
    dataset = load_dataset(crossbar.dataset or design.data.dataset, flow.data_folder(design))
    stimulus = flow.choose_samples(crossbar, dataset, count=design.simulation.samples, first=design.simulation.first)
    written = write_netlist(crossbar, stimulus, out)
    click.echo(f"{out}: {len(written.decks)} decks; try: cd {out} && ngspice {written.decks[0]}")


@main.command()
@click.argument("folder", type=_FOLDER, metavar="NETLIST_FOLDER")
@_design_option
@click.option("-o", "--out", type=_OUT, required=True, help="Waveform file to write, e.g. waveforms.npz.")
def simulate(folder: Path, design_file: Path | None, out: Path) -> None:
    """Simulate the decks of a folder in ngspice, exactly as they lie there."""
    design = _design(design_file)
    from snn2circuit.ir.files import save
    from snn2circuit.simulate import simulate_netlist

    with _bar("simulate") as tell:
        waveforms = simulate_netlist(
            folder,
            workers=design.simulation.workers or None,
            time_limit=design.simulation.time_limit,
            on_progress=lambda share: tell(share, ""),
        )
    save(waveforms, out)
    click.echo(f"{out}: {waveforms.stimulus.samples} samples, {waveforms.simulator}, {waveforms.seconds.sum():.1f} s")


@main.command()
@click.argument("crossbar_file", type=_IN, metavar="CROSSBAR.npz")
@click.argument("waveforms_file", type=_IN, metavar="WAVEFORMS.npz")
@click.option("-o", "--out", type=_OUT, help="JSON file to write, e.g. equivalence.json.")
@click.option("--plot", type=_OUT, help="PNG file to draw model over circuit into.")
def compare(crossbar_file: Path, waveforms_file: Path, out: Path | None, plot: Path | None) -> None:
    """Judge simulated waveforms: does the circuit spike as the network does? Exit status 2 if not."""
    from snn2circuit import flow
    from snn2circuit.analysis import compare_circuit
    from snn2circuit.analysis.plots import plot_waveforms
    from snn2circuit.ir.files import load
    from snn2circuit.ir.waveforms import Waveforms

    crossbar, waveforms = flow.load_crossbar(crossbar_file), load(waveforms_file, Waveforms)
    equivalence = compare_circuit(crossbar, waveforms)
    if out:
        flow.write_equivalence(equivalence, out)
    if plot:
        plot_waveforms(crossbar, waveforms, plot)
    click.secho(str(equivalence), fg="green" if equivalence.equivalent else "red")
    if not equivalence.equivalent:
        sys.exit(2)


@main.command()
@click.argument("crossbar_file", type=_IN, metavar="CROSSBAR.npz")
@_design_option
@click.option("-o", "--out", type=_OUT, required=True, help="GLB file to write, e.g. stack.glb.")
@click.option("--placement", type=_OUT, help="CSV file for the place of every device.")
def layout(crossbar_file: Path, design_file: Path | None, out: Path, placement: Path | None) -> None:
    """Build the printed stack, check its connectivity, and write it as GLB."""
    design = _design(design_file)
    from snn2circuit import flow
    from snn2circuit.analysis.placement import write_placement
    from snn2circuit.layout.gltf import write_glb

    crossbar = flow.load_crossbar(crossbar_file)
    stack = flow.build_stack(design, crossbar)
    size = write_glb(stack, out)
    if placement:
        write_placement(crossbar, stack, placement)
    click.echo(
        f"{out}: {crossbar.devices:,} devices in {len(stack.sheets)} sheets, {size:,} bytes; "
        "its connectivity equals the crossbar's"
    )


@main.command()
@click.argument("out", type=_FOLDER)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; 0 picks a free one.")
@click.option("--browser/--no-browser", default=True, help="Open the browser.")
def view(out: Path, port: int, browser: bool) -> None:
    """Show the stack of a results folder in the browser; Ctrl-C ends it."""
    from snn2circuit.viewer.server import serve

    serve(out, port=port, open_browser=browser, announce=lambda url: click.echo(f"{url}   (Ctrl-C to stop)"))


@main.command("list")
@click.argument("what", type=click.Choice(["devices", "neurons", "datasets", "processes"]))
def list_(what: str) -> None:
    """List what can be chosen in a design file."""
    from snn2circuit import catalogue

    _table(catalogue.rows(what))


@main.command()
@click.argument("dataset")
@click.option("--folder", type=_OUT, help="Data folder; without one, $SNN2CIRCUIT_DATA or ~/.cache/snn2circuit.")
def download(dataset: str, folder: Path | None) -> None:
    """Fetch a dataset with torchvision (the extra `download`) into the data folder."""
    from snn2circuit.datasets import download_dataset

    click.echo(f"{dataset}: {download_dataset(dataset, folder)}")


@main.command()
@click.argument("design_file", type=_IN, required=False, metavar="[DESIGN.toml]")
def design(design_file: Path | None) -> None:
    """Print a design file in full: every key, its meaning, its allowed values."""
    click.echo(_design(design_file).as_toml(), nl=False)


@main.command()
def doctor() -> None:
    """Say what is installed, what is missing, and the command that installs it."""
    from snn2circuit.doctor import diagnose, format_report

    checks = diagnose()
    click.echo(format_report(checks))
    if not all(check.ok for check in checks if check.required):
        sys.exit(1)


def _table(rows: Sequence[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for index in range(max(map(len, rows), default=0)):
        # The first column holds the words to type; they must never be cut.
        table.add_column(no_wrap=index == 0, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(highlight=False).print(table)


@contextmanager
def _stage_bars() -> Iterator[Callable[[str, float, str], None]]:
    """A progress bar per stage on a terminal; a line per finished stage elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False)
    bars = Progress(
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=32),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[remark]}"),
        console=console,
        disable=not console.is_terminal,
    )
    tasks: dict[str, Any] = {}

    def tell(stage: str, share: float, remark: str) -> None:
        if not console.is_terminal:
            if share == 1.0:
                console.print(f"{stage:<9} {remark}")
            return
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=1.0, remark="")
        bars.update(tasks[stage], completed=share, remark=remark)
        if share == 1.0:
            bars.stop_task(tasks[stage])

    with bars:
        yield tell


@contextmanager
def _bar(stage: str) -> Iterator[Callable[[float, str], None]]:
    """The bar of a single stage."""
    with _stage_bars() as tell:
        yield lambda share, remark: tell(stage, share, remark)
