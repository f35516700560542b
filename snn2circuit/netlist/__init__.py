"""Mapped network to circuit, circuit to deck."""

from snn2circuit.netlist.build import build_circuit
from snn2circuit.netlist.crossbars import bit_line_joints, bit_lines, crossbar_arrays, crossbar_parts
from snn2circuit.netlist.dialects import DIALECTS, Dialect
from snn2circuit.netlist.folder import write_netlist

__all__ = [
    "DIALECTS",
    "Dialect",
    "bit_line_joints",
    "bit_lines",
    "build_circuit",
    "crossbar_arrays",
    "crossbar_parts",
    "write_netlist",
]
