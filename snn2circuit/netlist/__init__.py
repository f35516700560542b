"""Mapped network to circuit, circuit to deck."""

from snn2circuit.netlist.build import build_circuit, crossbar_arrays
from snn2circuit.netlist.dialects import DIALECTS, Dialect
from snn2circuit.netlist.folder import write_netlist

__all__ = ["DIALECTS", "Dialect", "build_circuit", "crossbar_arrays", "write_netlist"]
