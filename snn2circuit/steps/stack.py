"""From the mapped network to the printed stack."""

from __future__ import annotations

from pathlib import Path

from snn2circuit.design import Design
from snn2circuit.devices import DEVICES
from snn2circuit.errors import LayoutError
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.layout import Layout, Process
from snn2circuit.layout.build import build_layout, printable_conductances
from snn2circuit.layout.connectivity import check_connectivity
from snn2circuit.layout.process_file import read_process
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.resistors import check_shaped
from snn2circuit.layout.rules import TILED, read_rules
from snn2circuit.mapping import Values, pair_errors


def find_process(name: str) -> Process:
    """The preset called ``name``, or the process in the file ``name`` if that ends in ``.toml``.

    Raises:
        LayoutError: there is no such preset, or the file is not a process that can be printed in.
    """
    if name.endswith(".toml"):
        return read_process(Path(name))
    if name not in PROCESSES:
        raise LayoutError(f"there is no process {name!r}; there are {', '.join(PROCESSES)}, or name a .toml file")
    return PROCESSES[name]


def check_process(design: Design) -> None:
    """Make sure that the design's process can be read, makes its device and knows the stack mode, before all else.

    Raises:
        LayoutError: as :func:`find_process`, a rule is missing or contradicts another, the device is made by its shape
            and the process does not shape it, or the mode needs row tiles.
    """
    process = find_process(design.layout.process)
    rules = read_rules(process, design.layout.mode)
    check_shaped(DEVICES[design.device.preset], process)
    if rules.mode in TILED and not design.circuit.tile_rows:
        raise LayoutError(
            f"[layout] mode = {rules.mode!r} is about row tiles, and no layer is cut into any: set tile_rows in "
            "[circuit], to half of the largest layer's word lines for instance, or use isolated"
        )


def printable_values(design: Design, crossbar: CrossbarNetwork) -> tuple[Values, ...] | None:
    """Layer by layer, what the devices of ``crossbar`` can be printed with; nothing where they are programmed.

    Raises:
        LayoutError: the process makes devices by their shapes, and cannot print the stack.
    """
    return printable_conductances(crossbar, find_process(design.layout.process), design.layout.mode)


def describe_values(crossbar: CrossbarNetwork) -> str:
    """How near the pairs of ``crossbar``, printed and not trimmed, come to their weights, in words."""
    error, gain = max(pair_errors(crossbar)), min(layer.gain for layer in crossbar.layers)
    return (
        f"every device is on a value that can be printed: pairs miss their weights by at most {error:.1e} of the "
        f"layer's largest, and neurons are sized for {gain:.1%} of the range"
    )


def build_stack(design: Design, crossbar: CrossbarNetwork) -> Layout:
    """Build the printed stack, and make sure that it connects what the crossbar connects."""
    layout = build_layout(crossbar, find_process(design.layout.process), design.layout.mode)
    check_connectivity(layout, crossbar)
    return layout
