"""Commands from network to judged circuit: ``map``, ``netlist``, ``simulate``, ``compare``, ``verify``."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import click

from snn2circuit.cli.console import (
    FOLDER,
    IN,
    OUT,
    OUT_FOLDER,
    bar,
    choose_circuit,
    circuit_option,
    design_option,
    find_data,
    read_data,
    read_design,
    say,
    table,
)
from snn2circuit.cli.status import end_with

REDUCE = ("auto", "none", "first", "all")
_REDUCE = click.option("--reduce", type=click.Choice(REDUCE), help="Instead of the design's [simulation] reduce.")


@click.command("map")
@click.argument("network_file", type=IN, metavar="NETWORK.npz")
@design_option
@click.option("-o", "--out", type=OUT, required=True, help="Crossbar file to write, e.g. crossbar.npz.")
def map_(network_file: Path, design_file: Path | None, out: Path) -> None:
    """Map a trained network onto device conductances, and trim them as the design says.

    The voltage scales are chosen on the dataset that the network names, or that the design file does; without one, on
    the bound that no input between 0 and 1 can exceed.
    """
    design = read_design(design_file)
    from snn2circuit import steps
    from snn2circuit.ir.files import load, save
    from snn2circuit.ir.network import Network
    from snn2circuit.mapping import mapping_cost

    network = load(network_file, Network, steps.PARTS)
    mapped = steps.map_and_trim(design, network, find_data(design, design_file, network))
    crossbar = mapped.crossbar
    for remark in mapped.remarks:
        say(remark)
    save(crossbar, out)
    for cost in mapping_cost(crossbar):
        say(
            f"layer {cost.layer}: {cost.devices:,} devices, RMS error {cost.rms_error:.2%}, "
            f"worst {cost.worst_error:.4g}, {cost.vanished} weights fell to 0, {cost.saturated} out of range"
        )
    say(f"{out}: voltage scales from the {crossbar.scale_basis}")


@click.command()
@click.argument("crossbar_file", type=IN, metavar="CROSSBAR.npz")
@design_option
@click.option("--dialect", type=click.Choice(["ngspice", "ltspice"]), default="ngspice", help="Whose files to write.")
@click.option("-o", "--out", type=OUT_FOLDER, required=True, help="Folder for the decks.")
@_REDUCE
@circuit_option
def netlist(
    crossbar_file: Path, design_file: Path | None, dialect: str, out: Path, reduce: str | None, which: str,
    measured: Path | None,
) -> None:  # fmt: skip
    """Write the circuit as decks for ngspice or LTspice, one per test sample."""
    design = read_design(design_file)
    from snn2circuit import steps

    crossbar = steps.load_crossbar(crossbar_file)
    dataset = read_data(design, design_file, crossbar)
    stimulus = steps.choose_samples(crossbar, dataset, count=design.simulation.samples, first=design.simulation.first)
    chosen = choose_circuit(design, crossbar, which, measured)
    written, _ = steps.write_decks(design, chosen, stimulus, out, dialect=dialect, reduce=reduce or "")
    say(f"{out}: {len(written.decks)} decks; {_by_hand(out, written.decks[0], dialect, crossbar_file)}")


def _by_hand(folder: Path, deck: str, dialect: str, crossbar_file: Path) -> str:
    """What to type, or to open, to run a deck without us, and how to judge and draw what it gives."""
    run = folder / deck
    raw, plot = run.with_suffix(".raw"), run.with_suffix(".png")
    compare = f"snn2circuit compare {_typed(crossbar_file)} --raw {_typed(raw)} --plot {_typed(plot)}"
    if dialect == "ltspice":
        return f"run {run} in LTspice, then: {compare}"
    simulator = "" if shutil.which("ngspice") else " (there is no ngspice command yet: sudo apt-get install ngspice)"
    return f"by hand{simulator}: (cd {_typed(folder)} && ngspice -b -r {raw.name} {deck}) && {compare}"


def _typed(path: Path) -> str:
    """A path as one types it into a shell."""
    return shlex.quote(f"./{path}" if str(path).startswith("-") else str(path))


@click.command()
@click.argument("folder", type=FOLDER, metavar="NETLIST_FOLDER")
@design_option
@click.option("-o", "--out", type=OUT, required=True, help="Waveform file to write, e.g. waveforms.npz.")
@click.option(
    "--sample", "samples", type=click.IntRange(0), multiple=True,
    help="Number of the deck to run, from 0; may be repeated. Without it, every deck.",
)  # fmt: skip
def simulate(folder: Path, design_file: Path | None, out: Path, samples: tuple[int, ...]) -> None:
    """Simulate the decks of a folder in ngspice, exactly as they lie there.

    A deck may be edited before: other values, more elements, .options, .save, .meas. A deck that could do more than
    describe a circuit and its analysis is refused.
    """
    design = read_design(design_file)
    if design.simulation.solver != "ngspice":
        raise click.UsageError(
            "decks are for ngspice; the exact solver takes the circuit itself: use `run` or `verify`"
        )
    from snn2circuit.ir.files import save
    from snn2circuit.simulate import simulate_netlist

    with bar("simulate") as tell:
        waveforms = simulate_netlist(
            folder,
            workers=design.simulation.workers or None,
            time_limit=design.simulation.time_limit,
            samples=list(dict.fromkeys(samples)) or None,
            on_progress=lambda share: tell(share, ""),
        )
    save(waveforms, out)
    say(f"{out}: {waveforms.stimulus.samples} samples, {waveforms.simulator}, {waveforms.seconds.sum():.1f} s")


@click.command()
@click.argument("crossbar_file", type=IN, metavar="CROSSBAR.npz")
@click.argument("waveforms_file", type=IN, required=False, metavar="[WAVEFORMS.npz]")
@click.option("--raw", "raw_files", type=IN, multiple=True, help="Raw file of ngspice or LTspice; may be repeated.")
@click.option("--netlist", "folder", type=FOLDER, help="Folder of the deck; without one, the raw file's own folder.")
@click.option(
    "--sample", "samples", type=click.IntRange(0), multiple=True,
    help="Judge only this sample of the waveform file, counted from 0; may be repeated. With --raw: number of each raw "
    "file's deck, where its name does not tell.",
)  # fmt: skip
@click.option("-o", "--out", type=OUT, help="JSON file to write, e.g. equivalence.json.")
@click.option("--plot", type=OUT, help="PNG file to draw model over circuit into.")
def compare(
    crossbar_file: Path,
    waveforms_file: Path | None,
    raw_files: tuple[Path, ...],
    folder: Path | None,
    samples: tuple[int, ...],
    out: Path | None,
    plot: Path | None,
) -> None:
    """Judge simulated waveforms: does the circuit spike as the network does? Exit status 2 if not.

    The waveforms come from `simulate`, or from raw files that ngspice or LTspice wrote elsewhere.
    """
    if (waveforms_file is None) == (not raw_files):
        raise click.UsageError("give either a waveform file or raw files: compare CROSSBAR.npz --raw FILE.raw")
    from snn2circuit import steps
    from snn2circuit.analysis import compare_circuit
    from snn2circuit.analysis.plots import plot_waveforms
    from snn2circuit.ir.files import load
    from snn2circuit.ir.waveforms import Waveforms
    from snn2circuit.simulate import read_waveforms

    crossbar = steps.load_crossbar(crossbar_file)
    if waveforms_file is not None:
        waveforms = load(waveforms_file, Waveforms)
        if samples:
            waveforms = waveforms.pick(list(dict.fromkeys(samples)))
    else:
        waveforms = read_waveforms(folder or raw_files[0].parent, raw_files, samples=samples or None)
    equivalence = compare_circuit(crossbar, waveforms)
    if out:
        steps.write_equivalence(equivalence, out)
    if plot:
        plot_waveforms(crossbar, waveforms, plot)
    say(str(equivalence), fg="green" if equivalence.equivalent else "red")
    end_with(equivalence.equivalent)


@click.command()
@click.argument("crossbar_file", type=IN, metavar="CROSSBAR.npz")
@design_option
@click.option("-n", "--samples", type=click.IntRange(1), help="Test samples; without it, the whole test split.")
@click.option("--referee", type=click.IntRange(1), default=3, show_default=True, help="How many ngspice runs again.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the draw of those samples.")
@_REDUCE
@circuit_option
@click.option("-o", "--out", type=OUT, help="JSON file to write, e.g. verification.json.")
def verify(
    crossbar_file: Path, design_file: Path | None, samples: int | None, referee: int, seed: int, reduce: str | None,
    which: str, measured: Path | None, out: Path | None,
) -> None:  # fmt: skip
    """Run the test set through the circuit: all of it in the exact solver, a random few again in ngspice.

    Exit status 2 if any spike differs between model, exact solver and ngspice, 3 if the exact solver cannot take it.
    """
    design = read_design(design_file)
    from snn2circuit import steps
    from snn2circuit.analysis.verify import verify_circuit
    from snn2circuit.ir.files import write_json

    crossbar = steps.load_crossbar(crossbar_file)
    dataset = read_data(design, design_file, crossbar)
    with bar("verify") as tell:
        tell(0.0, "lines")
        circuit = choose_circuit(design, crossbar, which, measured)
        tell(0.0, "equivalents of crossbars for ngspice")
        asked, one = reduce or design.simulation.reduce, steps.choose_samples(crossbar, dataset, count=1)
        advice = steps.advise_design(design, circuit.crossbar, one, circuit.parasitics, asked)
        reduced = steps.reduce_crossbars(circuit.crossbar, circuit.parasitics, advice.reduce)
        verification = verify_circuit(
            circuit.crossbar,
            dataset,
            samples=samples,
            referee=referee,
            seed=seed,
            parasitics=circuit.parasitics,
            reduced=reduced,
            workers=design.simulation.workers or None,
            time_limit=design.simulation.time_limit,
            on_progress=tell,
        )
    if out:
        write_json(out, verification.as_dict())
    table(verification.rows())
    say("verified" if verification.passed else "not verified", fg="green" if verification.passed else "red")
    end_with(verification.passed)
