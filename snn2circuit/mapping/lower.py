"""Pass 1: every layer becomes one matrix with word lines as rows, the bias as one more row driven in every step.

A convolution shares each of its weights among all places of the image. A crossbar shares nothing: unrolled, every place
gets devices of its own, and every pair of an input and a neuron that the kernel does not connect gets a pair of equal
conductances. Pooling after a spiking layer is linear in its spikes, so it merges into the weights of the layer after it
and costs no device. What unrolling needs is therefore counted before it is done, and refused above a limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from snn2circuit.errors import MappingError
from snn2circuit.ir.layer import AnyLayer, Layer
from snn2circuit.ir.network import Network
from snn2circuit.ir.noun import Floats, noun

MAX_DEVICES = 20_000_000
BYTES_PER_WEIGHT = 56  # five arrays of conductances and weights, two of level indices, 8 bytes each


@noun
class Unrolled:
    """What one layer takes as a crossbar."""

    layer: int  # from 1
    rows: int  # word lines, the bias row included
    columns: int  # neurons

    @property
    def devices(self) -> int:
        """Two for each crosspoint."""
        return 2 * self.rows * self.columns

    @property
    def bytes(self) -> int:
        """Memory that the mapped layer takes."""
        return BYTES_PER_WEIGHT * self.rows * self.columns


def unrolled_sizes(network: Network) -> tuple[Unrolled, ...]:
    """What every layer of ``network`` takes as a crossbar; nothing is unrolled to find out."""
    sizes = []
    for number, layer in enumerate(network.layers, start=1):
        sizes.append(Unrolled(layer=number, rows=layer.inputs + layer.has_bias, columns=layer.outputs))
    return tuple(sizes)


def lower_network(network: Network, *, max_devices: int = MAX_DEVICES) -> Network:
    """The same network with every layer as one matrix; it spikes as ``network`` does.

    Raises:
        MappingError: the crossbars would take more than ``max_devices`` devices.
    """
    check_devices(unrolled_sizes(network), max_devices)
    layers = (Layer(weight=each.weight, bias=each.bias, neuron=each.neuron) for each in network.layers)
    return replace(network, layers=tuple(layers))


def check_devices(sizes: Sequence[Unrolled], max_devices: int) -> None:
    """Refuse layers that take more than ``max_devices`` devices together.

    Raises:
        MappingError: with the numbers and the largest layer.
    """
    devices = sum(each.devices for each in sizes)
    if devices > max_devices:
        largest = max(sizes, key=lambda each: each.devices)
        raise MappingError(
            f"the network takes {devices:,} devices and {sum(each.bytes for each in sizes) / 2**30:.1f} GiB, "
            f"{largest.devices:,} of them in layer {largest.layer} ({largest.rows:,} word lines x {largest.columns:,} "
            f"neurons); the limit is {max_devices:,}. Take fewer or smaller layers (a larger stride, fewer channels, "
            "pooling before the convolution), or raise max_devices"
        )


def lower_layer(layer: AnyLayer) -> Floats:
    """Weights of ``layer`` as ``(rows, columns)``: row ``i`` is input ``i``, the last row the bias if there is one."""
    rows = layer.weight.T
    return rows.copy() if layer.bias is None else np.vstack([rows, layer.bias])
