"""What a part must provide: a quantity with its source, a neuron model with its circuit, a memristive device.

A *part* is something a user may bring along: a neuron, a device. The nouns carry parts as values and the stages use
them through the protocols below, so that no stage imports the room a part comes from. A part is a frozen dataclass
with a class variable ``kind``, the word that names it in files; its fields are numbers, strings, nouns or other parts.
"""

from __future__ import annotations

from typing import ClassVar, Literal, Protocol, runtime_checkable

import numpy as np

from snn2circuit.ir.circuit import Subcircuit
from snn2circuit.ir.noun import Bools, Floats, noun
from snn2circuit.ir.timing import Timing

Confidence = Literal["high", "medium", "derived", "assumed"]
State = tuple[Floats, ...]
PerNeuron = float | tuple[float, ...]  # one number for all neurons of a layer, or one for each


@noun
class Quantity:
    """A number that came from somewhere: value in ``unit``, the source it was read in, and how far to trust it.

    ``confidence`` is ``high`` (read in the primary source), ``medium`` (secondary source or a model's default),
    ``derived`` (computed from other values, the formula is the source) or ``assumed`` (no source gives it).
    """

    value: float
    unit: str
    source: str
    confidence: Confidence


@noun
class Electronics:
    """The parts that neurons and drivers are built from; ``None`` stands for an ideal part.

    Every neuron's parts have the same values. An offset is the same in all of them and signed so that each raises the
    membrane: the worst case within a neuron, and no draw that another run would draw otherwise.
    """

    name: str = "ideal"
    technology: str = "ideal parts"
    gain: Quantity | None = None  # op-amp, open loop at 0 Hz
    bandwidth: Quantity | None = None  # Hz, op-amp, product of gain and bandwidth
    offset: Quantity | None = None  # V, op-amp, at the input
    r_out: Quantity | None = None  # ohm, op-amp
    v_low: Quantity | None = None  # V, op-amp, lowest output
    v_high: Quantity | None = None  # V, op-amp, highest output
    slew: Quantity | None = None  # V/s, op-amp
    comparator_offset: Quantity | None = None  # V, raises the membrane at which it switches
    comparator_delay: Quantity | None = None  # s
    gate_threshold: Quantity | None = None  # share of the logic level at which the latch's gate switches
    gate_delay: Quantity | None = None  # s
    r_on: Quantity | None = None  # ohm, of a closed switch
    r_off: Quantity | None = None  # ohm, of an open switch
    r_source: Quantity | None = None  # ohm, output resistance of a current source
    # What a part draws whether it works or not, each of the several in a package; none: not known, or nothing.
    amplifier_current: Quantity | None = None  # A, from rail to rail
    comparator_current: Quantity | None = None  # A, from rail to rail
    switch_current: Quantity | None = None  # A, from rail to rail
    gate_current: Quantity | None = None  # A, from the logic supply
    supply: Quantity | None = None  # V, from rail to rail; none: the design's rails
    gate_supply: Quantity | None = None  # V, of the logic; none: the design's upper rail

    @property
    def ideal_amplifiers(self) -> bool:
        """Whether no property of the op-amp is given."""
        return not self.values.keys() & {"gain", "bandwidth", "offset", "r_out", "v_low", "v_high", "slew"}

    @property
    def values(self) -> dict[str, Quantity]:
        """What is not ideal, by name."""
        fields = ((name, getattr(self, name)) for name in type(self).__annotations__)
        return {name: value for name, value in fields if isinstance(value, Quantity)}


def value_of(quantity: Quantity | None, ideal: float) -> float:
    """The number of a part's property, or ``ideal`` where the part is ideal."""
    return ideal if quantity is None else quantity.value


@noun
class Drive:
    """What a neuron circuit is driven with and must be scaled to; the input of its sizing equations."""

    timing: Timing
    v_read: float  # V, word line amplitude for a spike or an input of 1
    siemens_per_unit: float  # S, what a weight of 1 adds to the difference of its bit lines
    r_feedback: float  # ohm, of the two transimpedance amplifiers
    volts_per_unit: float  # V, membrane voltage that stands for a membrane of 1
    electronics: Electronics = Electronics()
    family: str = "vccs"  # how the neuron is built: with current sources, or with op-amps and resistors only

    @property
    def unit(self) -> float:
        """Output of the column front end for a weighted input of 1, V."""
        return self.r_feedback * self.siemens_per_unit * self.v_read


@noun
class Footprint:
    """Outline of a cell on a sheet, in nm."""

    width_nm: int
    height_nm: int
    source: str
    confidence: Confidence


@runtime_checkable
class Neuron(Protocol):
    """A neuron model with snnTorch's exact update, the circuit that performs it, and the area that circuit takes.

    One part stands for all neurons of a layer. Fields that it names in a class variable ``per_neuron`` may hold one
    number for each of them, see :mod:`snn2circuit.ir.per_neuron`; ``start``, ``advance`` and ``bound`` then take arrays
    whose last axis is the layer's neurons, and ``cell`` is asked of each different neuron alone.
    """

    kind: ClassVar[str]
    snntorch: ClassVar[
        str
    ]  # name of the class in snntorch whose update this is; its arguments are fields of the same name

    @property
    def threshold(self) -> PerNeuron:
        """A neuron spikes in a step whose membrane is strictly greater than this (dimensionless)."""

    def start(self, shape: tuple[int, ...]) -> State:
        """State before the first step; ``state[0]`` is always the membrane."""

    def advance(self, state: State, current: Floats) -> State:
        """State after one step driven by ``current`` (any shape, dimensionless)."""

    def bound(self, low: Floats, high: Floats) -> Floats:
        """Upper bound of every state's magnitude over all times when each step's current lies in ``[low, high]``.

        The bounds are ``(..., neurons)``, of the shape of ``low`` and ``high`` or broadcast from it.
        """

    def cell(self, name: str, drive: Drive) -> Subcircuit:
        """The sized subcircuit of a single neuron, every parameter one number.

        Ports, in order: column current sums ``bit_pos`` and ``bit_neg`` (virtual grounds), the drive clock ``phi``,
        the clocks ``sample``, ``latch`` and ``discharge``, then the outputs ``mem`` (membrane, V) and ``spike``
        (latched, 0 or 1 V).
        """

    def fastest(self, timing: Timing) -> float:
        """Shortest time constant of any neuron, s, that a simulator has to resolve; infinite if nothing relaxes."""

    def footprint(self) -> Footprint:
        """Outline of the neuron cell on a sheet."""


@runtime_checkable
class Device(Protocol):
    """A memristive (or printed-resistor) device: the conductances it can hold and the voltage it may be read with."""

    kind: ClassVar[str]

    @property
    def name(self) -> str:
        """The word that names the preset, e.g. ``printed_resistor_kit``."""

    @property
    def technology(self) -> str:
        """What the device is made of and how, for people."""

    @property
    def g_min(self) -> Quantity:
        """Smallest conductance, S."""

    @property
    def g_max(self) -> Quantity:
        """Largest conductance, S."""

    @property
    def v_read(self) -> Quantity:
        """Read voltage, V: amplitude of a word line that carries a spike or an input of 1."""

    @property
    def by_shape(self) -> bool:
        """Its conductance is fixed and made by the shape that is printed, not programmed afterwards."""


def fires(neuron: Neuron, membrane: Floats) -> Bools:
    """Spikes of membranes ``(..., neurons)``: strictly greater than the threshold, as snnTorch's Heaviside step."""
    fired: Bools = np.greater(membrane, np.asarray(neuron.threshold))
    return fired
