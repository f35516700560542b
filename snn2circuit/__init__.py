"""From a trained spiking network to a circuit that provably spikes the same, and to its printed 3D stack.

The names below are imported when they are first used, so that ``import snn2circuit`` costs nothing and needs no torch.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "DATASETS": "datasets",
    "DEVICES": "devices",
    "Design": "design",
    "Leaky": "neurons.leaky",
    "NEURONS": "neurons",
    "PROCESSES": "layout.processes",
    "Recipe": "training",
    "Snn2CircuitError": "errors",
    "build_layout": "layout",
    "check_connectivity": "layout",
    "choose_samples": "flow",
    "compare_circuit": "analysis",
    "compare_mapping": "analysis",
    "from_snntorch": "frontends.snntorch",
    "load_dataset": "flow",
    "map_network": "mapping",
    "read_design": "design",
    "run": "flow",
    "run_snntorch": "frontends.snntorch",
    "simulate_netlist": "simulate",
    "to_snntorch": "frontends.snntorch",
    "train": "flow",
    "write_glb": "layout",
    "write_netlist": "netlist",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'snn2circuit' has no attribute {name!r}")
    return getattr(importlib.import_module(f"snn2circuit.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
