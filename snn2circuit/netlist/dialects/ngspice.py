"""A folder for ngspice: cells and network in files of their own, a deck per sample that includes them.

``cells.lib`` holds the neuron subcircuits, ``network.lib`` the crossbars and neurons, and each ``sample_*.cir`` one
stimulus; ``ngspice -b -r sample_0.raw sample_0.cir`` there runs. Nothing but the deck changes from sample
to sample.
"""

from __future__ import annotations

from snn2circuit.ir.circuit import Circuit
from snn2circuit.netlist.dialects.elements import (
    analysis_lines,
    block_lines,
    model_lines,
    one_line,
    save_lines,
    subcircuit_lines,
)

CELLS, NETWORK = "cells.lib", "network.lib"


class Ngspice:
    """The dialect of ngspice 39 and later, default mode."""

    name = "ngspice"

    def shared(self, circuit: Circuit) -> dict[str, str]:
        """The libraries."""
        return {CELLS: self.cells(circuit), NETWORK: self.network(circuit)}

    def sample(self, circuit: Circuit, stem: str) -> dict[str, str]:
        """The deck."""
        return {f"{stem}.cir": self.deck(circuit, (CELLS, NETWORK))}

    def cells(self, circuit: Circuit) -> str:
        """Switch models and neuron subcircuits."""
        several = " and set of parameters" if len(circuit.subcircuits) > len(circuit.readout.membranes) else ""
        lines = [f"* cells: one neuron subcircuit per layer{several}, sized for it", "", *model_lines(circuit)]
        for subcircuit in circuit.subcircuits:
            lines += ["", *subcircuit_lines(subcircuit)]
        return "\n".join(lines) + "\n"

    def network(self, circuit: Circuit) -> str:
        """Crossbars, drivers and neuron instances."""
        return "\n".join(["* network: crossbars and neurons", *block_lines(circuit.network)]) + "\n"

    def deck(self, circuit: Circuit, includes: tuple[str, ...]) -> str:
        """The deck that is run; the first line is its title."""
        lines = [
            f"* {one_line(circuit.title)}",
            "",
            *(f'.include "{name}"' for name in includes),
            *block_lines(circuit.stimulus),
            "",
            *analysis_lines(circuit.transient),
            *save_lines(circuit.readout),
            ".end",
        ]
        return "\n".join(lines) + "\n"
