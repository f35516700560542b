"""The design file: what to train, on which device, with which circuit, simulation and process.

TOML with one table per section of :mod:`snn2circuit.design.sections`; every key has a default, so a file holds only
what differs, and ``snn2circuit design`` prints them all.
"""

from snn2circuit.design.file import Design, names_key, parse_design, read_design
from snn2circuit.design.key import Key, keys
from snn2circuit.design.sections import (
    CircuitSection,
    Data,
    DeviceSection,
    FineTuning,
    LayoutSection,
    MasksSection,
    NetworkSection,
    Simulation,
    Training,
)

__all__ = [
    "CircuitSection",
    "Data",
    "Design",
    "DeviceSection",
    "FineTuning",
    "Key",
    "LayoutSection",
    "MasksSection",
    "NetworkSection",
    "Simulation",
    "Training",
    "keys",
    "names_key",
    "parse_design",
    "read_design",
]
