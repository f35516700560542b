"""The sections of a design file: a dataclass each, whose annotations carry type, meaning and allowed values."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated

from snn2circuit.datasets import DATASETS
from snn2circuit.design.key import Key
from snn2circuit.devices import DEVICES
from snn2circuit.electronics import ELECTRONICS
from snn2circuit.ir.encoding import ENCODINGS, MAX_SEED
from snn2circuit.layout.masks.formats import BITMAPS, FORMATS
from snn2circuit.layout.masks.raster import MAX_DPI, MAX_MARGIN, SCALES, Raster
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.rules import MODES
from snn2circuit.mapping.lower import MAX_DEVICES
from snn2circuit.mapping.quantize import MAX_LEVELS, SPACINGS
from snn2circuit.neurons import NEURONS
from snn2circuit.neurons.families import FAMILIES
from snn2circuit.neurons.parameters import RESETS
from snn2circuit.training.losses import LOSSES
from snn2circuit.training.recipe import ENGINES, SCHEDULES

PER_LAYER = ("neuron", "beta", "alpha", "R", "C", "time_step", "threshold", "reset_mechanism")  # of [network]
LINES = ("measured", "given")
REDUCE = ("auto", "none", "first", "all")
NORMALIZATIONS = ("none", "standard", "range", "fixed")


@dataclass(frozen=True, kw_only=True)
class Data:
    """What the network learns, and where it lies."""

    dataset: Annotated[str, Key("name of the dataset", tuple(DATASETS))] = "digits"
    folder: Annotated[str, Key("folder that holds the dataset's files; empty: the default data folder")] = ""
    normalize: Annotated[
        str,
        Key(
            "inputs as they are, by mean and deviation of the training inputs, to 0..1, or by offset and scale below",
            NORMALIZATIONS,
        ),
    ] = "none"
    offset: Annotated[float, Key("subtracted from every input (fixed)")] = 0.0
    scale: Annotated[float, Key("what is left is divided by this (fixed)", low=0, above=True)] = 1.0


@dataclass(frozen=True, kw_only=True)
class NetworkSection:
    """Shape of the network and its neurons, in snnTorch's terms."""

    hidden: Annotated[tuple[int, ...], Key("neurons of each hidden layer; [] for none", low=1, high=100_000)] = (32,)
    convolution: Annotated[
        str,
        Key("convolution and pooling before the hidden layers: 8c5-p2 is 8 maps of 5 x 5, then the mean over 2 x 2"),
    ] = ""
    neuron: Annotated[
        str | tuple[str, ...],
        Key(
            "neuron model of every layer, or a list with one for each layer, as for all keys down to reset_mechanism",
            tuple(NEURONS),
        ),
    ] = "leaky"
    beta: Annotated[float | tuple[float, ...], Key("membrane decay per step", low=0, high=1)] = 0.9
    alpha: Annotated[float | tuple[float, ...], Key("decay of the second state (synaptic, alpha)", low=0, high=1)] = (
        0.95
    )
    R: Annotated[float | tuple[float, ...], Key("resistance in the model's units (lapicque)", low=0, above=True)] = 1.0
    C: Annotated[float | tuple[float, ...], Key("capacitance in the model's units (lapicque); 0: from beta", low=0)] = (
        0.0
    )
    time_step: Annotated[
        float | tuple[float, ...], Key("time step in the model's units (lapicque)", low=0, above=True)
    ] = 1.0
    threshold: Annotated[float | tuple[float, ...], Key("a neuron spikes above this membrane", low=0, above=True)] = 1.0
    reset_mechanism: Annotated[str | tuple[str, ...], Key("what a spike does to its membrane", RESETS)] = "subtract"
    steps: Annotated[int, Key("time steps per sample", low=1, high=100_000)] = 25
    bias: Annotated[bool, Key("a bias per neuron, one more word line per layer")] = True
    learn_beta: Annotated[bool, Key("train each layer's beta too, from the value above (not lapicque)")] = False
    learn_threshold: Annotated[bool, Key("train each layer's threshold too, from the value above")] = False
    encoding: Annotated[str, Key("how a sample drives the first layer, step by step", ENCODINGS)] = "constant"
    encoding_seed: Annotated[int, Key("seed of the spikes (rate)", low=0, high=MAX_SEED)] = 0
    latency_threshold: Annotated[
        float, Key("inputs below have no code (latency)", low=0, above=True, high=0.999999)
    ] = 0.01
    latency_linear: Annotated[bool, Key("spike time linear in the input, or else logarithmic (latency)")] = True
    latency_clip: Annotated[bool, Key("inputs without code never spike, or else in the last step (latency)")] = True


@dataclass(frozen=True, kw_only=True)
class Training:
    """Surrogate-gradient training with Adam."""

    epochs: Annotated[int, Key("passes over the training data", low=1, high=100_000)] = 60
    batch: Annotated[int, Key("samples per update", low=1, high=1_000_000)] = 64
    learning_rate: Annotated[float, Key("Adam's first step size", low=0, above=True, high=10)] = 0.01
    schedule: Annotated[str, Key("the step size falls to 0 along a cosine, or stays", SCHEDULES)] = "cosine"
    weight_decay: Annotated[float, Key("L2 penalty's factor", low=0, high=1)] = 0.0
    loss: Annotated[
        str,
        Key("what is minimised; it also decides whether the membrane or the spikes of an output win", tuple(LOSSES)),
    ] = "ce_membrane"
    temperature: Annotated[
        float, Key("divides the summed membranes (ce_membrane); more asks for a larger lead", low=0, above=True)
    ] = 25.0
    correct_rate: Annotated[
        float, Key("share of the steps in which the right output should spike (mse_count)", low=0, high=1)
    ] = 0.8
    incorrect_rate: Annotated[
        float, Key("share of the steps in which another output should spike (mse_count)", low=0, high=1)
    ] = 0.2
    noise: Annotated[float, Key("standard deviation of Gaussian noise on training inputs", low=0, high=10)] = 0.2
    averaging: Annotated[
        float, Key("share of the old value in the running mean of the weights; 0 for none", low=0, high=0.99999)
    ] = 0.99
    validation: Annotated[float, Key("share of the training data that chooses the best epoch", low=0, high=0.9)] = 0.1
    surrogate_slope: Annotated[float, Key("alpha of snnTorch's atan surrogate gradient", low=0, above=True)] = 2.0
    engine: Annotated[
        str, Key("time loop: compiled, or snnTorch's own step by step; the same result up to rounding", ENGINES)
    ] = "fused"
    seed: Annotated[int, Key("seed of initial weights and shuffling", low=0, high=2**32 - 1)] = 0


@dataclass(frozen=True, kw_only=True)
class FineTuning:
    """Training that goes on against the device: with its levels in every batch, and the spread of its conductances."""

    epochs: Annotated[int, Key("passes over the training data; 0 for no fine-tuning", low=0, high=100_000)] = 0
    learning_rate: Annotated[
        float, Key("Adam's first step size; falls to 0 along a cosine", low=0, above=True, high=10)
    ] = 0.001
    variation: Annotated[
        float, Key("lognormal spread of a conductance, over its value, that is trained against", low=0, high=1)
    ] = 0.0
    draws: Annotated[int, Key("sets of devices that the accuracy is measured on if they vary", low=1, high=1000)] = 10


@dataclass(frozen=True, kw_only=True)
class DeviceSection:
    """What stands at each crosspoint, and how weights become conductances."""

    preset: Annotated[str, Key("device preset", tuple(DEVICES))] = "foil_memristor"
    levels: Annotated[int, Key("conductance levels a device can hold", low=2, high=MAX_LEVELS)] = 32
    spacing: Annotated[str, Key("how the levels are spaced between g_min and g_max", SPACINGS)] = "linear"
    g_min: Annotated[float, Key("smallest conductance to use, S; 0: the smallest the preset can hold", low=0)] = 0.0
    g_max: Annotated[float, Key("largest conductance to use, S; 0: the largest the preset can hold", low=0)] = 0.0
    weight_range: Annotated[
        float, Key("weight magnitude that uses the whole conductance range; 0: the largest of each layer", low=0)
    ] = 0.0
    saturate: Annotated[bool, Key("hold weights beyond weight_range at g_max and count them, instead of refusing")] = (
        False
    )
    max_devices: Annotated[int, Key("refuse a network that takes more devices", low=1)] = MAX_DEVICES


@dataclass(frozen=True, kw_only=True)
class CircuitSection:
    """The clocked circuit."""

    slot: Annotated[float, Key("length of the time slot of one step, s", low=1e-5, high=1)] = 1e-3
    v_rail: Annotated[float, Key("supply rails, V; no membrane leaves them", low=0, above=True, high=1000)] = 2.5
    capacitance: Annotated[float, Key("membrane capacitor, F", low=0, above=True, high=1)] = 100e-9
    lines: Annotated[
        str,
        Key(
            "lines to trim against: as measured on the masks of the layout, or as the next three keys give them", LINES
        ),
    ] = "measured"
    r_word: Annotated[float, Key("word line resistance from one crossing to the next, ohm", low=0, high=1e9)] = 0.0
    r_bit: Annotated[float, Key("bit line resistance from one crossing to the next, ohm", low=0, high=1e9)] = 0.0
    r_driver: Annotated[float, Key("output resistance of a word line driver, ohm", low=0, high=1e9)] = 0.0
    tile_rows: Annotated[int, Key("word lines of the largest array; 0: no limit", low=0, high=1_000_000)] = 0
    tile_columns: Annotated[int, Key("neurons of the largest array; 0: no limit", low=0, high=1_000_000)] = 0
    family: Annotated[str, Key("how neurons are built: current sources, or op-amps only", tuple(FAMILIES))] = "vccs"
    electronics: Annotated[
        tuple[str, ...], Key("op-amp, comparator, switch and gate presets, together", tuple(ELECTRONICS))
    ] = ("ideal",)
    compensate: Annotated[bool, Key("trim conductances until the circuit of these parts and lines adds exactly")] = True


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """What is simulated, and in what."""

    samples: Annotated[
        int, Key("test samples, each simulated as the whole network; 0: ten, or all of fewer", low=0, high=1_000_000)
    ] = 0
    first: Annotated[int, Key("index of the first of them in the test split", low=0)] = 0
    solver: Annotated[
        str, Key("ngspice, or the exact solver: thousands of times as fast, linear circuits only", ("ngspice", "exact"))
    ] = "ngspice"
    workers: Annotated[int, Key("simulations side by side; 0: one per processor", low=0, high=1024)] = 0
    time_limit: Annotated[float, Key("seconds one simulation may take", low=0, above=True, high=1e9)] = 600.0
    budget: Annotated[
        float, Key("seconds that all simulations may be estimated at; more is refused; 0: no limit", low=0)
    ] = 3600.0
    reduce: Annotated[
        str,
        Key(
            "layers whose crossbars Norton equivalents stand in for in the decks; auto: all where lines have "
            "resistance, else as few as ngspice needs",
            REDUCE,
        ),
    ] = "auto"


@dataclass(frozen=True, kw_only=True)
class LayoutSection:
    """The printed stack."""

    process: Annotated[
        str, Key("printing process, or a file that `snn2circuit process` can read", tuple(PROCESSES), file=".toml")
    ] = "inkjet"
    mode: Annotated[
        str, Key("how sheets are stacked; auto: sheet_per_layer if the process has vias for it, else isolated", MODES)
    ] = "auto"


@dataclass(frozen=True, kw_only=True)
class MasksSection:
    """What is written to be printed; all keys but the first are for bitmaps, and none of them touches other formats."""

    formats: Annotated[tuple[str, ...], Key("formats, each judged by itself", FORMATS)] = ("gds", "oas", "klayout")
    dpi_x: Annotated[
        float, Key("pixels an inch in x; 0: one a drop of the process, or 1200", low=0, high=MAX_DPI - 1)
    ] = 0.0
    dpi_y: Annotated[
        float, Key("pixels an inch in y; 0: one a drop of the process, or 1200", low=0, high=MAX_DPI - 1)
    ] = 0.0
    mirror: Annotated[bool, Key("left and right change places, to print on the back or through a transfer")] = False
    negative: Annotated[bool, Key("ink and blank change places")] = False
    scale_x: Annotated[
        float, Key("size over that of the layout in x, for a foil that shrinks", low=SCALES[0], high=SCALES[1])
    ] = 1.0
    scale_y: Annotated[
        float, Key("size over that of the layout in y, for a foil that shrinks", low=SCALES[0], high=SCALES[1])
    ] = 1.0
    margin: Annotated[float, Key("without shapes, on every side, m", low=0, high=MAX_MARGIN)] = 0.0

    @property
    def raster(self) -> Raster:
        """What the keys after the first ask of bitmaps; ink spread is the process's."""
        return Raster(
            dpi_x=self.dpi_x,
            dpi_y=self.dpi_y,
            mirror=self.mirror,
            negative=self.negative,
            scale_x=self.scale_x,
            scale_y=self.scale_y,
            margin=self.margin,
        )

    @property
    def idle(self) -> str | None:
        """A key that is for bitmaps although no format is one, or ``None``."""
        if set(BITMAPS) & set(self.formats) or self.raster == Raster():
            return None
        return next(
            each.name for each in fields(self) if getattr(self, each.name) != each.default and each.name != "formats"
        )
