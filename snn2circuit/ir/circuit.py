"""The circuit as data: semantic elements, subcircuits, clocks, and which node carries which neuron.

Elements say what a thing *is* (a switch, a comparator, a crossbar), not how one simulator spells it; a dialect turns
them into text. A crossbar is one element that holds its conductance arrays. Units are SI floats throughout.
"""

from __future__ import annotations

import math

import numpy as np

from snn2circuit.errors import NetlistError
from snn2circuit.ir.lines import LineResistances
from snn2circuit.ir.memristor import MemristorModel
from snn2circuit.ir.noun import Floats, freeze, noun
from snn2circuit.ir.timing import Pulse, Timing

GROUND = "0"


# --- elements; every node is a name, "0" is ground -----------------------------------------------------------------


@noun
class Resistor:
    """Ohmic resistor between ``a`` and ``b``."""

    name: str
    a: str
    b: str
    ohms: float


@noun
class Capacitor:
    """Capacitor between ``a`` and ``b``, discharged at time 0."""

    name: str
    a: str
    b: str
    farads: float


@noun
class VoltageGain:
    """``V(out) = gain · (V(plus) - V(minus))``, referred to ground: an ideal amplifier."""

    name: str
    out: str
    plus: str
    minus: str
    gain: float


@noun
class Amplifier:
    """Op-amp with one pole: ``V(out) = gain · (V(plus) - V(minus) + offset) / (1 + s·gain / (2 pi·bandwidth))``.

    Behind the pole, the output is held between the rails and reaches ``out`` through ``r_out``. Rails and a slew rate
    need a pole: an amplifier that is limited and infinitely fast has no single answer in a feedback loop.
    """

    name: str
    out: str
    plus: str
    minus: str
    gain: float  # open loop, at 0 Hz
    bandwidth: float = math.inf  # Hz, product of gain and bandwidth
    offset: float = 0.0  # V, at the input
    r_out: float = 0.0  # ohm
    low: float = -math.inf  # V, lower rail
    high: float = math.inf  # V, upper rail
    slew: float = math.inf  # V/s

    def __post_init__(self) -> None:
        positive = min(self.gain, self.bandwidth, self.slew) > 0 and self.low < 0 < self.high
        if not (positive and math.isfinite(self.gain) and math.isfinite(self.offset) and 0 <= self.r_out < math.inf):
            raise NetlistError(
                f"amplifier {self.name}: gain, bandwidth and slew must be above 0, rails around 0, r_out not below 0"
            )
        limited = math.isfinite(self.low) or math.isfinite(self.high) or math.isfinite(self.slew)
        if limited and math.isinf(self.bandwidth):
            raise NetlistError(f"amplifier {self.name} has rails or a slew rate; give its bandwidth too")


@noun
class Transconductance:
    """Drives the current ``siemens · (V(plus) - V(minus))`` into node ``out``."""

    name: str
    out: str
    plus: str
    minus: str
    siemens: float


@noun
class GatedTransconductance:
    """Drives the current ``siemens · V(control) · V(gate)`` into node ``out``."""

    name: str
    out: str
    control: str
    gate: str
    siemens: float


@noun
class Switch:
    """Resistor between ``a`` and ``b``: ``r_on`` while ``V(control) > threshold``, else ``r_off``."""

    name: str
    a: str
    b: str
    control: str
    threshold: float  # V
    r_on: float  # ohm
    r_off: float  # ohm


@noun
class Comparator:
    """``V(out) = high`` while ``V(plus) > threshold + offset``, else 0 V.

    With a ``delay`` the output follows a step of the input so much later, and swallows pulses shorter than that.
    """

    name: str
    out: str
    plus: str
    threshold: float  # V
    high: float  # V
    offset: float = 0.0  # V, at the input
    delay: float = 0.0  # s
    logic: bool = False  # a logic gate, whose input is a logic level


@noun
class GatedVoltage:
    """``V(out) = amplitude · V(gate)`` while ``V(enable) > half a logic level``, else 0 V."""

    name: str
    out: str
    enable: str
    gate: str
    amplitude: float  # V


@noun
class GatedCurrent:
    """Draws the current ``amplitude · V(gate)`` out of node ``out`` while ``V(enable) > half a logic level``."""

    name: str
    out: str
    enable: str
    gate: str
    amplitude: float  # A


@noun
class Memristor:
    """A device with a moving state between ``a`` and ``b``; its state, 0 to 1, is the voltage of the node ``state``."""

    name: str
    a: str
    b: str
    state: str
    model: MemristorModel
    initial: float  # state at time 0, 0 to 1

    def __post_init__(self) -> None:
        if not 0 <= self.initial <= 1:
            raise NetlistError(f"memristor {self.name}: initial state {self.initial!r}; it must lie between 0 and 1")


@noun
class PulseSource:
    """Voltage source to ground: 0 V, ``high`` during its pulse."""

    name: str
    out: str
    high: float  # V
    pulse: Pulse


@noun
class PiecewiseSource:
    """Voltage source to ground through the points ``(times, volts)``."""

    name: str
    out: str
    times: Floats  # (points,), s, strictly increasing
    volts: Floats  # (points,), V

    def __post_init__(self) -> None:
        times, volts = freeze(self, "times", np.float64), freeze(self, "volts", np.float64)
        if times.ndim != 1 or times.shape != volts.shape or len(times) < 1 or not (np.diff(times) > 0).all():
            raise NetlistError(f"source {self.name}: times must be strictly increasing and as many as volts")


@noun
class Crossbar:
    """Two devices at every crossing of a word line with a neuron's pair of bit lines, joined by resistive lines.

    In space the two bit lines of a neuron lie side by side, and row 0 next to the neurons, as drawn in
    :mod:`snn2circuit.ir.lines`; with ideal lines neither order nor ends matter.
    """

    name: str
    word_lines: tuple[str, ...]  # one node a row
    bits_pos: tuple[str, ...]  # one node a column
    bits_neg: tuple[str, ...]  # one node a column
    g_pos: Floats  # (rows, columns), S
    g_neg: Floats  # (rows, columns), S
    lines: LineResistances

    def __post_init__(self) -> None:
        shape = (len(self.word_lines), len(self.bits_pos))
        for which in ("g_pos", "g_neg"):
            array = freeze(self, which, np.float64)
            if array.shape != shape or len(self.bits_neg) != shape[1]:
                raise NetlistError(f"crossbar {self.name}: {which} has shape {array.shape}, its lines say {shape}")
        if self.lines.shape != (shape[0], 2 * shape[1]):
            raise NetlistError(
                f"crossbar {self.name}: resistances of {self.lines.shape} word and bit lines do not fit "
                f"{shape[0]} rows and {shape[1]} pairs of bit lines"
            )

    @property
    def bits(self) -> tuple[str, ...]:
        """The bit lines' nodes as they lie side by side, ``(2 columns,)``."""
        return tuple(node for pair in zip(self.bits_pos, self.bits_neg, strict=True) for node in pair)

    @property
    def siemens(self) -> Floats:
        """All conductances as they lie side by side, ``(rows, 2 columns)``, S."""
        return np.stack([self.g_pos, self.g_neg], axis=2).reshape(len(self.word_lines), -1)


@noun
class NortonCrossbar:
    """What a crossbar does at its bit lines: ``transfer.T @ V(word_lines) - load @ V(bits)`` flows out of it, in A."""

    name: str
    word_lines: tuple[str, ...]
    bits: tuple[str, ...]
    transfer: Floats  # (word lines, bits), S
    load: Floats  # (bits, bits), S, symmetric

    def __post_init__(self) -> None:
        lines = len(self.bits)
        if freeze(self, "transfer", np.float64).shape != (len(self.word_lines), lines):
            raise NetlistError(f"crossbar {self.name}: transfer has shape {self.transfer.shape}, not that of its lines")
        if freeze(self, "load", np.float64).shape != (lines, lines):
            raise NetlistError(f"crossbar {self.name}: load has shape {self.load.shape}, it has {lines} bit lines")


@noun
class Instance:
    """One use of a subcircuit; ``nodes`` follow its ports in order."""

    name: str
    subcircuit: str
    nodes: tuple[str, ...]


Element = (
    Resistor
    | Capacitor
    | VoltageGain
    | Amplifier
    | Transconductance
    | GatedTransconductance
    | Switch
    | Comparator
    | GatedVoltage
    | GatedCurrent
    | PulseSource
    | PiecewiseSource
    | Crossbar
    | NortonCrossbar
    | Instance
    | Memristor
)


@noun
class Block:
    """Elements that belong together, with the comment that explains them; at the top level it has a name as well."""

    name: str = ""  # what a schematic calls it, e.g. "crossbar_l1"; empty inside a cell
    comment: str
    elements: tuple[Element, ...]


@noun
class Subcircuit:
    """A named cell with ports; inner nodes are private to each instance."""

    name: str
    ports: tuple[str, ...]
    blocks: tuple[Block, ...]
    comment: str  # first line of the cell in a deck


@noun
class Transient:
    """The analysis: from discharged capacitors at time 0 to ``stop``."""

    stop: float  # s
    max_step: float  # s, longest step the simulator may take
    reltol: float = 1e-4  # relative; linear elements owe their accuracy to max_step, decisions of comparators to this


@noun
class Readout:
    """Where the neurons are in the circuit, and how to read them: the map from nodes back to (layer, neuron)."""

    timing: Timing
    steps: int
    membranes: tuple[tuple[str, ...], ...]  # node of each neuron's membrane, per layer
    spikes: tuple[tuple[str, ...], ...]  # node of each neuron's latched spike, per layer
    volts_per_unit: tuple[float, ...]  # V, per layer

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node to record, membranes and spikes layer by layer."""
        return tuple(
            node for layer in zip(self.membranes, self.spikes, strict=True) for group in layer for node in group
        )


@noun
class Circuit:
    """A whole deck as data: cells, the network built of them, the stimulus, and the analysis."""

    title: str
    subcircuits: tuple[Subcircuit, ...]
    network: tuple[Block, ...]  # crossbars and neurons; the same for every stimulus
    stimulus: tuple[Block, ...]  # clocks and input lines
    transient: Transient
    readout: Readout
    inputs: tuple[str, ...] = ()  # nodes that carry the stimulus, in the order of the network's inputs
    volts_per_input: float = 1.0  # V, on such a node for an input of 1
