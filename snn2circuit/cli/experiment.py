"""Experiments: many trainings, one page of results."""

from __future__ import annotations

from pathlib import Path

import click

from snn2circuit.cli.console import FOLDER, OUT_FOLDER, bar, say

NEURONS = ("leaky", "lapicque", "synaptic", "alpha")
HIDDEN = (10, 15, 20, 25, 30, 50, 80, 100)


@click.group()
def experiment() -> None:
    """Run a published protocol again, with statistics."""


@experiment.command()
@click.option("-o", "--out", type=OUT_FOLDER, required=True, help="Folder for page, table, plots and runs.")
@click.option("--seeds", type=click.IntRange(1, 1000), default=5, show_default=True, help="Trainings of each kind.")
@click.option("--hidden", type=click.IntRange(1), multiple=True, default=HIDDEN, show_default=True, help="Repeatable.")
@click.option("--neuron", type=click.Choice(NEURONS), multiple=True, default=NEURONS, show_default=True)
@click.option("--dataset", default="mnist", show_default=True)
@click.option("--folder", type=FOLDER, help="Data folder; without one, the default.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes side by side.")
def paper(
    out: Path,
    seeds: int,
    hidden: tuple[int, ...],
    neuron: tuple[str, ...],
    dataset: str,
    folder: Path | None,
    workers: int,
) -> None:
    """Run the protocol of the SNNtrainer3D paper; started again, it goes on where it was."""
    from snn2circuit.analysis.paper import Configuration, run_experiment
    from snn2circuit.analysis.paper_table import write_page

    configurations = [
        Configuration(neuron=kind, hidden=size, seed=seed, dataset=dataset, folder=str(folder or ""))
        for seed in range(seeds)
        for size in sorted(set(hidden))
        for kind in NEURONS
        if kind in neuron
    ]
    with bar("paper") as tell:
        runs = run_experiment(configurations, out / "paper_runs.jsonl", workers=workers, on_progress=tell)
    write_page(runs, out, command=f"snn2circuit experiment paper --dataset {dataset} --seeds {seeds}")
    say(f"{out / 'paper.md'}: {len(runs)} trainings")
