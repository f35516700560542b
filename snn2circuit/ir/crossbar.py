"""The mapped network: one crossbar of differential device pairs per layer, and the electrical scale of each.

Row ``i`` of a crossbar is the word line of input ``i``; a layer with bias has one more row, driven in every step.
Column ``j`` is the pair of bit lines of neuron ``j``. A weight ``w`` is the pair ``g_pos - g_neg = siemens_per_unit ·
w``.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from snn2circuit.errors import MappingError
from snn2circuit.ir.encoding import CONSTANT, Encoding
from snn2circuit.ir.network import Layer, Network
from snn2circuit.ir.noun import Floats, Ints, freeze, noun
from snn2circuit.ir.parts import Device, Drive, Electronics, Neuron
from snn2circuit.ir.per_neuron import wrong_count
from snn2circuit.ir.timing import Timing


class Tile(NamedTuple):
    """A part of a layer's crossbar that is an array of its own."""

    rows: slice
    columns: slice


def even_cuts(length: int, limit: int) -> tuple[int, ...]:
    """Where parts begin, but the first, when ``length`` is cut into the fewest parts of at most ``limit``; 0: one."""
    parts = -(-length // limit) if limit else 1
    return tuple(length * part // parts for part in range(1, parts))


@noun
class CrossbarLayer:
    """The devices of one layer and the electrical values its neurons are sized from."""

    trained: Floats  # (rows, columns), weight before mapping, bias row last; dimensionless
    target_pos: Floats  # (rows, columns), S, before quantisation
    target_neg: Floats  # (rows, columns), S
    level_pos: Ints  # (rows, columns), index into the network's `levels`
    level_neg: Ints  # (rows, columns)
    g_pos: Floats  # (rows, columns), S
    g_neg: Floats  # (rows, columns), S
    has_bias: bool
    siemens_per_unit: float  # S
    volts_per_unit: float  # V
    r_feedback: float  # ohm
    saturated: int = 0  # weights beyond what the device range can hold at this scale
    row_cuts: tuple[int, ...] = ()  # first row of every array but the first
    column_cuts: tuple[int, ...] = ()  # first column of every array but the first
    gain: float = 1.0  # share of the ideal sum that reaches the neurons, which are sized for it
    trim_pos: Floats | None = None  # (rows, columns), S, on top of g_pos when a device is made; None: nothing
    trim_neg: Floats | None = None  # (rows, columns), S
    neuron: Neuron

    def __post_init__(self) -> None:
        shape = freeze(self, "trained", np.float64).shape
        for name in ("target_pos", "target_neg", "g_pos", "g_neg"):
            values = freeze(self, name, np.float64)
            if values.shape != shape or not np.isfinite(values).all() or (values <= 0).any():
                raise MappingError(f"{name} must be finite, positive and of shape {shape}; it has shape {values.shape}")
        for name in ("level_pos", "level_neg"):
            if freeze(self, name, np.int64).shape != shape:
                raise MappingError(f"{name} must have shape {shape}")
        for name, base in (("trim_pos", self.g_pos), ("trim_neg", self.g_neg)):
            if getattr(self, name) is not None:
                trim = freeze(self, name, np.float64)
                if trim.shape != shape or not np.isfinite(trim).all() or (trim + base <= 0).any():
                    raise MappingError(f"{name} must have shape {shape} and leave every conductance above 0")
        for name in ("siemens_per_unit", "volts_per_unit", "r_feedback", "gain"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise MappingError(f"{name} is {value!r}; it must be finite and positive")
        for name, length in (("row_cuts", shape[0]), ("column_cuts", shape[1])):
            edges = [0, *getattr(self, name), length]
            if any(b <= a for a, b in itertools.pairwise(edges)):
                raise MappingError(f"{name} are {getattr(self, name)}; they must increase, between 1 and {length - 1}")

    @property
    def rows(self) -> int:
        """Word lines, the bias row included."""
        return int(self.trained.shape[0])

    @property
    def columns(self) -> int:
        """Neurons."""
        return int(self.trained.shape[1])

    @property
    def inputs(self) -> int:
        """Word lines without the bias row."""
        return self.rows - int(self.has_bias)

    @property
    def weights(self) -> Floats:
        """Weights that the conductances stand for, ``(rows, columns)``, bias row last; dimensionless."""
        return (self.g_pos - self.g_neg) / self.siemens_per_unit

    @property
    def programmed(self) -> tuple[Floats, Floats]:
        """Conductances that the devices are made with, positive and negative, ``(rows, columns)`` each, S."""
        pos, neg = self.trim_pos, self.trim_neg
        return self.g_pos if pos is None else self.g_pos + pos, self.g_neg if neg is None else self.g_neg + neg

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """The arrays that the layer is made of, row by row; one unless it was cut."""
        rows, columns = (0, *self.row_cuts, self.rows), (0, *self.column_cuts, self.columns)
        return tuple(
            Tile(slice(top, bottom), slice(left, right))
            for top, bottom in itertools.pairwise(rows)
            for left, right in itertools.pairwise(columns)
        )


@noun
class CrossbarNetwork:
    """All crossbars of a network on one device, one clock and one pair of supply rails."""

    name: str
    layers: tuple[CrossbarLayer, ...]
    device: Device
    levels: Floats  # (levels,), S, increasing
    spacing: str  # "linear" or "geometric"
    steps: int
    encoding: Encoding = CONSTANT
    decision: str = "membrane"  # as in the network
    dataset: str = ""
    timing: Timing
    v_rail: float  # V; no membrane leaves [-v_rail, v_rail]
    scale_basis: str  # what volts_per_unit was chosen from: "data" or "bound"
    electronics: Electronics = Electronics()  # the parts that neurons are built from
    family: str = "vccs"  # how neurons are built from them

    def __post_init__(self) -> None:
        levels = freeze(self, "levels", np.float64)
        if levels.ndim != 1 or len(levels) < 2 or not (np.diff(levels) > 0).all():
            raise MappingError("levels must be at least two increasing conductances")
        for number, layer in enumerate(self.layers, start=1):
            if number > 1 and layer.inputs != self.layers[number - 2].columns:
                raise MappingError(
                    f"crossbar {number} has {layer.inputs} input rows, "
                    f"but layer {number - 1} has {self.layers[number - 2].columns} neurons"
                )
            if wrong := wrong_count(layer.neuron, layer.columns):
                raise MappingError(f"crossbar {number}: {wrong}")
            for name in ("level_pos", "level_neg"):
                indices = getattr(layer, name)
                if indices.min() < 0 or indices.max() >= len(levels):
                    raise MappingError(f"crossbar {number}: {name} points outside the {len(levels)} levels")

    @property
    def v_read(self) -> float:
        """Word line amplitude for a spike or an input of 1, V."""
        return self.device.v_read.value

    @property
    def sizes(self) -> tuple[int, ...]:
        """Inputs, then the neurons of each layer."""
        return (self.layers[0].inputs, *(layer.columns for layer in self.layers))

    @property
    def devices(self) -> int:
        """Number of devices: two for each weight and bias."""
        return sum(2 * layer.rows * layer.columns for layer in self.layers)

    def drive(self, layer: CrossbarLayer) -> Drive:
        """The values a neuron circuit of ``layer`` is sized from."""
        return Drive(
            timing=self.timing,
            v_read=self.v_read,
            siemens_per_unit=layer.gain * layer.siemens_per_unit,
            r_feedback=layer.r_feedback,
            volts_per_unit=layer.volts_per_unit,
            electronics=self.electronics,
            family=self.family,
        )

    def network(self) -> Network:
        """The network that the conductances stand for; what the circuit is judged against."""
        layers = tuple(
            Layer(
                weight=layer.weights[: layer.inputs].T,
                bias=layer.weights[-1] if layer.has_bias else None,
                neuron=layer.neuron,
            )
            for layer in self.layers
        )
        return Network(
            name=self.name,
            layers=layers,
            steps=self.steps,
            dataset=self.dataset,
            encoding=self.encoding,
            decision=self.decision,
        )
