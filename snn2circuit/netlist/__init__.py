"""Mapped network to circuit, circuit to deck."""

from snn2circuit.netlist.build import build_circuit
from snn2circuit.netlist.dialects import DIALECTS, Dialect
from snn2circuit.netlist.folder import write_netlist

__all__ = ["DIALECTS", "Dialect", "build_circuit", "write_netlist"]
