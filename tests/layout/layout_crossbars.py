"""Crossbars with random conductances, made by hand so that the layout is tested without the mapping."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from snn2circuit.devices import DEVICES
from snn2circuit.ir.crossbar import CrossbarLayer, CrossbarNetwork
from snn2circuit.ir.timing import Timing
from snn2circuit.layout.build import printable_conductances
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.mapping import print_pairs
from snn2circuit.neurons.leaky import Leaky

LEVELS = 32
FREE_INKJET = replace(PROCESSES["inkjet"], drop_grid=None)  # round sizes, for geometry worked out by hand


def make_crossbar(
    *sizes: int,
    bias: bool = True,
    seed: int = 0,
    neuron: Leaky | None = None,
    tile_rows: int = 0,
    process: str = "inkjet",
) -> CrossbarNetwork:
    """Layers ``sizes[i] -> sizes[i + 1]``, every conductance a random level of a device that ``process`` can make.

    With ``tile_rows`` every layer is cut before each row that is a multiple of it.
    """
    device = DEVICES["printed_resistor_kit" if is_shaped(process) else "foil_memristor"]
    levels = np.linspace(device.g_min.value, device.g_max.value, LEVELS)
    random = np.random.default_rng(seed)
    layers = []
    for inputs, columns in itertools.pairwise(sizes):
        shape = (inputs + int(bias), columns)
        level_pos, level_neg = random.integers(0, LEVELS, shape), random.integers(0, LEVELS, shape)
        layers.append(
            CrossbarLayer(
                trained=(levels[level_pos] - levels[level_neg]) / 1e-4,
                target_pos=levels[level_pos],
                target_neg=levels[level_neg],
                level_pos=level_pos,
                level_neg=level_neg,
                g_pos=levels[level_pos],
                g_neg=levels[level_neg],
                has_bias=bias,
                row_cuts=tuple(range(tile_rows, shape[0], tile_rows)) if tile_rows else (),
                siemens_per_unit=1e-4,
                volts_per_unit=0.1,
                r_feedback=1e4,
                neuron=neuron or Leaky(),
            )
        )
    return CrossbarNetwork(
        name="-".join(map(str, sizes)),
        layers=tuple(layers),
        device=device,
        levels=levels,
        spacing="linear",
        steps=5,
        timing=Timing(),
        v_rail=10.0,
        scale_basis="data",
    )


def is_shaped(process: str) -> bool:
    """Whether the devices of ``process`` get their values from their shapes."""
    return PROCESSES[process].layer("devices").sheet_resistance is not None


def printed(crossbar: CrossbarNetwork, process: str, mode: str = "auto") -> CrossbarNetwork:
    """``crossbar`` with the values that ``process`` can print, where it makes devices by their shapes."""
    values = printable_conductances(crossbar, PROCESSES[process], mode)
    return crossbar if values is None else print_pairs(crossbar, values)


def mode_of(crossbar: CrossbarNetwork, process: str, *, shared: bool) -> str:
    """``shared_electrode`` where it is wanted, there are row tiles for it and devices are no resistors in the plane."""
    can = any(layer.row_cuts for layer in crossbar.layers) and not is_shaped(process)
    return "shared_electrode" if shared and can else "auto"
