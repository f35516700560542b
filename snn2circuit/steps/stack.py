"""From the mapped network to the printed stack."""

from __future__ import annotations

from snn2circuit.design import Design
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.layout import Layout
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.connectivity import check_connectivity
from snn2circuit.layout.processes import PROCESSES


def build_stack(design: Design, crossbar: CrossbarNetwork) -> Layout:
    """Build the printed stack, and make sure that it connects what the crossbar connects."""
    layout = build_layout(crossbar, PROCESSES[design.layout.process])
    check_connectivity(layout, crossbar)
    return layout
