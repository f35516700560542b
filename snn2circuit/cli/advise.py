"""The command that looks before a deck is written."""

from __future__ import annotations

from pathlib import Path

import click

from snn2circuit.cli.console import (
    IN,
    OUT,
    choose_circuit,
    circuit_option,
    design_option,
    read_data,
    read_design,
    table,
)


@click.command()
@click.argument("crossbar_file", type=IN, metavar="CROSSBAR.npz")
@design_option
@circuit_option
@click.option("--max-loss", type=click.FloatRange(0, 1), default=0.01, help="Current that a bit line may lose; 0.01.")
@click.option("-o", "--out", type=OUT, help="JSON file for the numbers.")
def advise(
    crossbar_file: Path, design_file: Path | None, which: str, measured: Path | None, max_loss: float,
    out: Path | None,
) -> None:  # fmt: skip
    """Say what wires cost, how large an array may be, and how long ngspice will take.

    Times this machine with short simulations the first time, and keeps the result.
    """
    design = read_design(design_file)
    from snn2circuit import steps
    from snn2circuit.ir.files import write_json

    crossbar = steps.load_crossbar(crossbar_file)
    dataset = read_data(design, design_file, crossbar)
    stimulus = steps.choose_samples(crossbar, dataset, count=design.simulation.samples, first=design.simulation.first)
    circuit = choose_circuit(design, crossbar, which, measured)
    reduce = design.simulation.reduce
    advice = steps.advise_design(design, circuit.crossbar, stimulus, circuit.parasitics, reduce, max_loss, measure=True)
    table(advice.rows())
    if out:
        write_json(out, advice.as_dict())
