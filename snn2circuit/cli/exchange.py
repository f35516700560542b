"""The ways in and out: ``import`` and ``export``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from snn2circuit.cli.console import IN, OUT, say
from snn2circuit.datasets import DATASETS

_FORMATS = ("nir", "snntrainer3d", "snntorch")


def _time_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--approximate", is_flag=True, help="Take the nearest thing where there is no equal one."),
        click.option(
            "--discretisation", type=click.Choice(["exact", "euler"]), help="How time constants are stepped (nir)."
        ),
        click.option("--dt", type=float, help="Length of a step in s (nir); writing: 1 ms unless you say."),
    ):
        command = option(command)
    return command


@click.command("import")
@click.argument("file", type=IN)
@click.option("-o", "--out", type=OUT, required=True, help="Network file to write, e.g. network.npz.")
@click.option("--format", "kind", type=click.Choice(_FORMATS[:2]), help="Otherwise by the file's suffix.")
@click.option("--steps", type=click.IntRange(1), help="Time steps per sample, if the file does not say; 25.")
@click.option("--dataset", type=click.Choice(sorted(DATASETS)), help="Dataset the network was trained on.")
@_time_options
def import_(
    file: Path,
    out: Path,
    kind: str | None,
    steps: int | None,
    dataset: str | None,
    dt: float | None,
    discretisation: str | None,
    approximate: bool,
) -> None:
    """Read a network from a NIR graph (.nir, .h5) or a weights file of SNNtrainer3D (.json)."""
    from snn2circuit.ir.files import save
    from snn2circuit.steps import Protocol, import_network

    protocol = Protocol(steps=steps, dt=dt, discretisation=discretisation, approximate=approximate)
    imported = import_network(file, kind=kind, dataset=dataset, protocol=protocol)
    save(imported.network, out)
    for warning in imported.warnings:
        say(f"warning: {warning}", fg="yellow", err=True)
    network = imported.network
    kinds = ", ".join(sorted({layer.neuron.kind for layer in network.layers}))
    say(f"{out}: {'-'.join(map(str, network.sizes))}, {kinds}, {network.steps} steps")


@click.command()
@click.argument("network_file", type=IN, metavar="NETWORK.npz")
@click.option("-o", "--out", type=OUT, required=True, help="File to write.")
@click.option("--format", "kind", type=click.Choice(_FORMATS), required=True, help="Whose format to write.")
@_time_options
def export(
    network_file: Path, out: Path, kind: str, dt: float | None, discretisation: str | None, approximate: bool
) -> None:
    """Write a network for other programs. What a format cannot hold is refused, unless you allow to approximate it."""
    from snn2circuit.ir.files import load
    from snn2circuit.ir.network import Network
    from snn2circuit.steps import FORMATS, PARTS, Protocol, export_network

    network = load(network_file, Network, PARTS)
    protocol = Protocol(dt=dt, discretisation=discretisation, approximate=approximate)
    remarks = export_network(network, out, kind=kind, protocol=protocol)
    for remark in remarks:
        say(f"approximated: {remark}", fg="yellow", err=True)
    say(f"{out}: {FORMATS[kind].title}")
