"""From a trained spiking network to a circuit that provably spikes the same, and to its printed 3D stack.

The names below are imported when they are first used, so that ``import snn2circuit`` costs nothing and needs no torch.
"""

# Python loads this before anything else of `python -m snn2circuit`, while it still looks for modules in the current
# folder: only what is in memory by then may be imported.
import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from snn2circuit.analysis import (
        Equivalence as Equivalence,
    )
    from snn2circuit.analysis import (
        compare_circuit as compare_circuit,
    )
    from snn2circuit.analysis import (
        compare_mapping as compare_mapping,
    )
    from snn2circuit.datasets import DATASETS as DATASETS
    from snn2circuit.datasets import load_dataset as load_dataset
    from snn2circuit.design import Design as Design
    from snn2circuit.design import read_design as read_design
    from snn2circuit.devices import DEVICES as DEVICES
    from snn2circuit.devices.ohmic import OhmicDevice as OhmicDevice
    from snn2circuit.errors import Snn2CircuitError as Snn2CircuitError
    from snn2circuit.flow import run as run
    from snn2circuit.frontends.snntorch import run_snntorch as run_snntorch
    from snn2circuit.frontends.snntorch import to_snntorch as to_snntorch
    from snn2circuit.ir.crossbar import CrossbarNetwork as CrossbarNetwork
    from snn2circuit.ir.dataset import Dataset as Dataset
    from snn2circuit.ir.dataset import Split as Split
    from snn2circuit.ir.encoding import Encoding as Encoding
    from snn2circuit.ir.layer import ConvLayer as ConvLayer
    from snn2circuit.ir.layout import Layout as Layout
    from snn2circuit.ir.linear import AvgPool2d as AvgPool2d
    from snn2circuit.ir.linear import Conv2d as Conv2d
    from snn2circuit.ir.linear import Dense as Dense
    from snn2circuit.ir.linear import Scale as Scale
    from snn2circuit.ir.linear import SumPool2d as SumPool2d
    from snn2circuit.ir.network import Activity as Activity
    from snn2circuit.ir.network import Layer as Layer
    from snn2circuit.ir.network import Network as Network
    from snn2circuit.ir.network import Stimulus as Stimulus
    from snn2circuit.ir.parts import Quantity as Quantity
    from snn2circuit.ir.waveforms import Netlist as Netlist
    from snn2circuit.ir.waveforms import Waveforms as Waveforms
    from snn2circuit.layout.build import build_layout as build_layout
    from snn2circuit.layout.connectivity import check_connectivity as check_connectivity
    from snn2circuit.layout.gltf import write_glb as write_glb
    from snn2circuit.layout.processes import PROCESSES as PROCESSES
    from snn2circuit.mapping import lower_network as lower_network
    from snn2circuit.mapping import map_network as map_network
    from snn2circuit.mapping import unrolled_sizes as unrolled_sizes
    from snn2circuit.netlist import write_netlist as write_netlist
    from snn2circuit.neurons import NEURONS as NEURONS
    from snn2circuit.neurons.alpha import Alpha as Alpha
    from snn2circuit.neurons.lapicque import Lapicque as Lapicque
    from snn2circuit.neurons.leaky import Leaky as Leaky
    from snn2circuit.neurons.synaptic import Synaptic as Synaptic
    from snn2circuit.simulate import simulate_netlist as simulate_netlist
    from snn2circuit.steps import FORMATS as FORMATS
    from snn2circuit.steps import Protocol as Protocol
    from snn2circuit.steps import choose_samples as choose_samples
    from snn2circuit.steps import export_network as export_network
    from snn2circuit.steps import from_snntorch as from_snntorch
    from snn2circuit.steps import import_network as import_network
    from snn2circuit.steps import load as load
    from snn2circuit.steps import save as save
    from snn2circuit.steps import train as train
    from snn2circuit.training import Recipe as Recipe

__version__ = "0.1.0"

_PUBLIC: dict[str, tuple[str, ...]] = {
    "analysis": (
        "Equivalence",
        "compare_circuit",
        "compare_mapping",
    ),
    "datasets": ("DATASETS", "load_dataset"),
    "design": (
        "Design",
        "read_design",
    ),
    "devices": ("DEVICES",),
    "devices.ohmic": ("OhmicDevice",),
    "errors": ("Snn2CircuitError",),
    "flow": ("run",),
    "frontends.snntorch": (
        "run_snntorch",
        "to_snntorch",
    ),
    "ir.crossbar": ("CrossbarNetwork",),
    "ir.dataset": (
        "Dataset",
        "Split",
    ),
    "ir.encoding": ("Encoding",),
    "ir.layer": ("ConvLayer",),
    "ir.layout": ("Layout",),
    "ir.linear": ("AvgPool2d", "Conv2d", "Dense", "Scale", "SumPool2d"),
    "ir.network": (
        "Activity",
        "Layer",
        "Network",
        "Stimulus",
    ),
    "ir.parts": ("Quantity",),
    "ir.waveforms": (
        "Netlist",
        "Waveforms",
    ),
    "layout.build": ("build_layout",),
    "layout.connectivity": ("check_connectivity",),
    "layout.gltf": ("write_glb",),
    "layout.processes": ("PROCESSES",),
    "mapping": ("lower_network", "map_network", "unrolled_sizes"),
    "netlist": ("write_netlist",),
    "neurons": ("NEURONS",),
    "neurons.alpha": ("Alpha",),
    "neurons.lapicque": ("Lapicque",),
    "neurons.leaky": ("Leaky",),
    "neurons.synaptic": ("Synaptic",),
    "simulate": ("simulate_netlist",),
    "steps": (
        "FORMATS",
        "Protocol",
        "choose_samples",
        "export_network",
        "from_snntorch",
        "import_network",
        "load",
        "save",
        "train",
    ),
    "training": ("Recipe",),
}
_HOMES = {name: module for module, names in _PUBLIC.items() for name in names}


def __getattr__(name: str) -> "Any":
    if name not in _HOMES:
        raise AttributeError(f"module 'snn2circuit' has no attribute {name!r}")
    return getattr(importlib.import_module(f"snn2circuit.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(["__version__", *_HOMES])
