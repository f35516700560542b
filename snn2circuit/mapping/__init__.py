"""Trained weights to devices: ordered passes, one file each; :func:`map_network` runs them all."""

from snn2circuit.mapping.compensate import (
    LayerCompensation,
    Measure,
    Sketch,
    compensate_network,
    trim_printed,
    weight_error,
)
from snn2circuit.mapping.cost import LayerCost, mapping_cost
from snn2circuit.mapping.hold import held_weights
from snn2circuit.mapping.lower import Unrolled, check_devices, lower_network, unrolled_sizes
from snn2circuit.mapping.pairs import Values, pair_errors, print_pairs
from snn2circuit.mapping.passes import map_network
from snn2circuit.mapping.tiling import cut_tiles

__all__ = [
    "LayerCompensation",
    "LayerCost",
    "Measure",
    "Sketch",
    "Unrolled",
    "Values",
    "check_devices",
    "compensate_network",
    "cut_tiles",
    "held_weights",
    "lower_network",
    "map_network",
    "mapping_cost",
    "pair_errors",
    "print_pairs",
    "trim_printed",
    "unrolled_sizes",
    "weight_error",
]
