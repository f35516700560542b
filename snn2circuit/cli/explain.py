"""Command ``explain``: why a circuit's spikes differ from its network's."""

from __future__ import annotations

from pathlib import Path

import click

from snn2circuit.cli.console import IN, OUT, choose_circuit, circuit_option, design_option, read_design, say, table


@click.command()
@click.argument("crossbar_file", type=IN, metavar="CROSSBAR.npz")
@click.argument("waveforms_file", type=IN, metavar="WAVEFORMS.npz")
@design_option
@circuit_option
@click.option("-o", "--out", type=OUT, help="JSON file to write, e.g. causes.json.")
def explain(
    crossbar_file: Path, waveforms_file: Path, design_file: Path | None, which: str, measured: Path | None,
    out: Path | None,
) -> None:  # fmt: skip
    """Find out why spikes differ: switch the circuit's faults off one at a time in the exact solver.

    It explains and does not judge: exit status 0 whatever differs, 3 if the exact solver cannot take the circuit.
    """
    design = read_design(design_file)
    from snn2circuit import steps
    from snn2circuit.analysis.causes import explain_mismatches
    from snn2circuit.ir.files import load, write_json
    from snn2circuit.ir.waveforms import Waveforms

    crossbar = steps.load_crossbar(crossbar_file)
    circuit = choose_circuit(design, crossbar, which, measured)
    explanation = explain_mismatches(circuit.crossbar, load(waveforms_file, Waveforms), circuit.parasitics)
    if out:
        write_json(out, explanation.as_dict())
    table([("cause", "differ with it", "without it", "from the network"), *explanation.rows()])
    say(str(explanation), fg="red" if explanation.mismatches else "green")
