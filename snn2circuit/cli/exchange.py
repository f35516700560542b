"""The ways in and out: ``import`` and ``export``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from snn2circuit.cli.console import IN, OUT, say
from snn2circuit.datasets import DATASETS
from snn2circuit.errors import Snn2CircuitError

_FORMATS = ("nir", "snntrainer3d", "snntorch")
# Messages name the parameters of the Python functions; here they are the options of the commands.
_OPTIONS = {"kind": "--format", "approximate": "--approximate"} | {
    name: f"--{name}" for name in ("dt", "discretisation", "steps", "dataset")
}


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


def _as_options(text: str) -> str:
    """A message with `dt=1` written as --dt 1, `approximate=True` as --approximate."""

    def option(found: re.Match[str]) -> str:
        value = (found[2] or "").strip("'")
        return _OPTIONS[found[1]] + f" {value}" * (value not in ("", "True"))

    return re.sub(rf"`({'|'.join(_OPTIONS)})(?:=([^`]*))?`", option, text)


@contextmanager
def _in_options() -> Iterator[None]:
    """Errors raised inside name options instead of parameters."""
    try:
        yield
    except Snn2CircuitError as error:
        raise type(error)(_as_options(str(error))) from error


@click.command("import")
@click.argument("file", type=IN)
@click.option("-o", "--out", type=OUT, required=True, help="Network file to write, e.g. network.npz.")
@click.option("--format", "kind", type=click.Choice(_FORMATS), help="Otherwise by the file's suffix.")
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
    """Read a network from a NIR graph (.nir, .h5), a weights file of SNNtrainer3D (.json), or what `export` wrote."""
    from snn2circuit.ir.files import save
    from snn2circuit.steps import Protocol, import_network

    protocol = Protocol(steps=steps, dt=dt, discretisation=discretisation, approximate=approximate)
    with _in_options():
        imported = import_network(file, kind=kind, dataset=dataset, protocol=protocol)
    save(imported.network, out)
    for warning in imported.warnings:
        say(f"warning: {_as_options(warning)}", fg="yellow", err=True)
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
    with _in_options():
        remarks = export_network(network, out, kind=kind, protocol=protocol)
    for remark in remarks:
        say(f"approximated: {remark}", fg="yellow", err=True)
    say(f"{out}: {FORMATS[kind].title}")
