"""Commands that tell and fetch: ``list``, ``download``, ``design``, ``process``, ``doctor``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from snn2circuit.cli.console import IN, STORE, read_design, say, table


@click.command("list")
@click.argument("what", type=click.Choice(["devices", "models", "electronics", "neurons", "datasets", "processes"]))
def list_(what: str) -> None:
    """List what can be chosen in a design file."""
    from snn2circuit import catalogue

    table(catalogue.rows(what))


@click.command()
@click.argument("dataset")
@click.option("--folder", type=STORE, help="Data folder; without one, $SNN2CIRCUIT_DATA or ~/.cache/snn2circuit.")
def download(dataset: str, folder: Path | None) -> None:
    """Fetch a dataset with torchvision (the extra `download`) into the data folder."""
    from snn2circuit.datasets import DATASETS, download_dataset

    if dataset not in DATASETS:
        raise click.BadParameter(f"there is no dataset {dataset!r}; there are {', '.join(DATASETS)}")
    say(f"{dataset}: {download_dataset(dataset, folder)}")


@click.command()
@click.argument("design_file", type=IN, required=False, metavar="[DESIGN.toml]")
def design(design_file: Path | None) -> None:
    """Print a design file in full: every key, its meaning, its allowed values."""
    say(read_design(design_file).as_toml(), nl=False)


@click.command()
@click.argument("name", metavar="NAME|FILE.toml")
def process(name: str) -> None:
    """Print a printing process in full, as a file to start your own from; a FILE.toml is checked."""
    from snn2circuit.layout.process_file import process_toml
    from snn2circuit.layout.processes import PROCESSES
    from snn2circuit.steps.stack import find_process

    if name not in PROCESSES and not (name.endswith(".toml") and Path(name).is_file()):
        raise click.BadParameter(f"there is no process and no file {name!r}; there are {', '.join(PROCESSES)}")
    say(process_toml(find_process(name)), nl=False)


@click.command()
def doctor() -> None:
    """Say what is installed, what is missing, and the command that installs it."""
    from snn2circuit.doctor import diagnose, format_report

    checks = diagnose()
    say(format_report(checks))
    if not all(check.ok for check in checks if check.required):
        sys.exit(1)
