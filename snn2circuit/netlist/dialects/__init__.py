"""SPICE dialects: how each simulator spells the elements. One file a dialect, one line here."""

from typing import Protocol

from snn2circuit.ir.circuit import Circuit
from snn2circuit.netlist.dialects.ngspice import Ngspice


class Dialect(Protocol):
    """Writes the three parts of a circuit as text."""

    name: str

    def cells(self, circuit: Circuit) -> str:
        """The subcircuits and models."""

    def network(self, circuit: Circuit) -> str:
        """Crossbars and neurons, the same for every stimulus."""

    def deck(self, circuit: Circuit, includes: tuple[str, ...]) -> str:
        """The top-level deck for one stimulus, which includes the other two by file name."""


DIALECTS: dict[str, Dialect] = {Ngspice.name: Ngspice()}
