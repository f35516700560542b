"""SPICE dialects: which files each simulator's user opens. One file a dialect, one line here."""

from typing import Protocol

from snn2circuit.ir.circuit import Circuit
from snn2circuit.netlist.dialects.ltspice import Ltspice
from snn2circuit.netlist.dialects.ngspice import Ngspice


class Dialect(Protocol):
    """Writes a circuit as the files of a folder: name -> text."""

    name: str

    def shared(self, circuit: Circuit) -> dict[str, str]:
        """Files that are the same for every stimulus."""

    def sample(self, circuit: Circuit, stem: str) -> dict[str, str]:
        """Files of one stimulus, each named after ``stem``; the first is the deck that runs."""


DIALECTS: dict[str, Dialect] = {Ngspice.name: Ngspice(), Ltspice.name: Ltspice()}
