r"""The circuit as data: semantic elements, subcircuits, clocks, and which node carries which neuron.

Elements say what a thing *is* (a switch, a comparator, a crossbar), not how one simulator spells it; a dialect turns
them into text. A crossbar is one element that holds its conductance arrays. Units are SI floats throughout.

Time is cut into slots of length ``T``. Layer ``l`` (counted from 0) performs step ``t`` of the model in slot ``t +
l``: a spike latched at the end of a slot drives the next layer, and its own neuron's reset, in the slot after. Every
drive is a return-to-zero pulse ``phi`` inside the slot; the membrane is sampled at the slot's end and the latched
spike appears just after it.

Within a slot that begins at 0::

      latch   discharge                  phi                            sample
    |--====--|==========|----/=================================\------|===|
    0      T/100     6T/100                                 98T/100      T
"""

from __future__ import annotations

import math

import numpy as np

from snn2circuit.errors import NetlistError
from snn2circuit.ir.noun import Floats, freeze, noun

GROUND = "0"


@noun
class Pulse:
    """A periodic trapezoid: low, and ``high`` from ``delay + rise`` for ``width``; every ``period``."""

    delay: float  # s
    rise: float  # s
    fall: float  # s
    width: float  # s, flat top
    period: float  # s


@noun
class Timing:
    """The slot and the instants inside it, all derived from the slot length.

    The edges are 1/1000 of the slot: short against every interval and long against the simulator's smallest step. A
    spike is latched within the first 1/100 of the slot, the capacitor may be discharged until 6/100, the drive pulse
    lies between 6/100 and 98/100, and the comparator is sampled in the last 8/1000. Nothing drives the membrane while
    it is sampled or discharged.
    """

    slot: float = 1e-3  # s

    def __post_init__(self) -> None:
        if not (math.isfinite(self.slot) and 1e-5 <= self.slot <= 1):
            raise NetlistError(f"slot is {self.slot!r} s; allowed are 1e-5 to 1 s")

    @property
    def edge(self) -> float:
        """Rise and fall time of every clock, s."""
        return self.slot / 1000

    @property
    def latched(self) -> float:
        """Time into the next slot after which the latched spike of the last one is valid, s."""
        return self.slot / 100

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Instants in the slot where the drive pulse starts and ends rising and starts and ends falling, s."""
        return 0.06 * self.slot, 0.06 * self.slot + self.edge, 0.98 * self.slot, 0.98 * self.slot + self.edge

    @property
    def phi(self) -> Pulse:
        """The drive clock."""
        a, b, c, _ = self.corners
        return Pulse(delay=a, rise=self.edge, fall=self.edge, width=c - b, period=self.slot)

    @property
    def sample(self) -> Pulse:
        """Closes the master latch's switch; its falling edge crosses half height exactly at the slot's end."""
        aperture = 8 * self.edge
        return Pulse(
            delay=self.slot - aperture - self.edge / 2,
            rise=self.edge,
            fall=self.edge,
            width=aperture - self.edge,
            period=self.slot,
        )

    @property
    def latch(self) -> Pulse:
        """Closes the slave latch's switch after the master has been cut off."""
        return Pulse(
            delay=self.slot + 1.5 * self.edge, rise=self.edge, fall=self.edge, width=6 * self.edge, period=self.slot
        )

    @property
    def discharge(self) -> Pulse:
        """Lets a latched spike short the membrane before the drive pulse begins, so that the slot's input survives."""
        start = self.latched + self.edge
        return Pulse(
            delay=start, rise=self.edge, fall=self.edge, width=self.corners[0] - start - 4 * self.edge, period=self.slot
        )

    def charge(self, tau: float) -> float:
        """What a unit drive pulse leaves on a leaky integrator: ``K = ∫ phi(s) exp(-(T-s)/tau) ds`` over the slot, s.

        With ``E(s) = exp(-(T-s)/tau)`` and linear edges ``[a, b]`` and ``[c, d]`` of length ``e``, integration by
        parts gives ``K = tau²/e · [(E(d) - E(c)) - (E(b) - E(a))]``; without leak (``tau`` infinite) it is the pulse's
        area, and with an integrated slope it stays exact for any ``tau``. ``expm1`` keeps the differences accurate for
        ``tau`` much longer than the edges.
        """
        a, b, c, d = self.corners
        if math.isinf(tau):
            return (c + d) / 2 - (a + b) / 2
        falling = math.exp(-(self.slot - c) / tau) * math.expm1((d - c) / tau)
        rising = math.exp(-(self.slot - a) / tau) * math.expm1((b - a) / tau)
        return tau * tau * (falling / (d - c) - rising / (b - a))

    def rise(self, tau: float, s: float) -> float:
        """Unit drive pulse on a leaky integrator, at the instant ``s`` of the slot: ``∫ phi(u) exp(-(s-u)/tau) du``, s.

        On a segment that starts at ``u0`` with value ``p`` and slope ``m`` the integral up to ``s`` is
        ``tau p w + m tau ((s-u0) - tau w)`` with ``w = 1 - exp(-(s-u0)/tau)``; without leak ``p (s-u0) + m (s-u0)²/2``.
        """
        a, b, c, d = self.corners
        total = 0.0
        for start, end, level, slope in ((a, b, 0.0, 1 / (b - a)), (b, c, 1.0, 0.0), (c, d, 1.0, -1 / (d - c))):
            length = min(end, s) - start
            if length > 0:
                if math.isinf(tau):
                    total += level * length + slope * length**2 / 2
                else:
                    weight = -math.expm1(-length / tau)
                    grown = tau * level * weight + slope * tau * (length - tau * weight)
                    total += grown * math.exp(-(s - start - length) / tau)
        return total

    def end(self, step: int, layer: int) -> float:
        """Instant at which layer ``layer`` (from 0) has finished model step ``step`` (from 0), s."""
        return (step + layer + 1) * self.slot

    def stop(self, steps: int, layers: int) -> float:
        """How long a deck must run so that the last layer's last spike is latched, s."""
        return self.end(steps - 1, layers - 1) + self.latched


@noun
class Drive:
    """What a neuron circuit is driven with and must be scaled to; the input of its sizing equations."""

    timing: Timing
    v_read: float  # V, word line amplitude for a spike or an input of 1
    siemens_per_unit: float  # S, g_pos - g_neg of a weight of 1
    r_feedback: float  # ohm, of the two transimpedance amplifiers
    volts_per_unit: float  # V, membrane voltage that stands for a membrane of 1

    @property
    def unit(self) -> float:
        """Output of the column front end for a weighted input of 1, V."""
        return self.r_feedback * self.siemens_per_unit * self.v_read


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
    """``V(out) = high`` while ``V(plus) > threshold``, else 0 V."""

    name: str
    out: str
    plus: str
    threshold: float  # V
    high: float  # V


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
    """Two devices at every crossing of a word line with a neuron's pair of bit lines."""

    name: str
    word_lines: tuple[str, ...]  # one node a row
    bits_pos: tuple[str, ...]  # one node a column
    bits_neg: tuple[str, ...]  # one node a column
    g_pos: Floats  # (rows, columns), S
    g_neg: Floats  # (rows, columns), S

    def __post_init__(self) -> None:
        shape = (len(self.word_lines), len(self.bits_pos))
        for which in ("g_pos", "g_neg"):
            array = freeze(self, which, np.float64)
            if array.shape != shape or len(self.bits_neg) != shape[1]:
                raise NetlistError(f"crossbar {self.name}: {which} has shape {array.shape}, its lines say {shape}")


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
    | Transconductance
    | GatedTransconductance
    | Switch
    | Comparator
    | GatedVoltage
    | GatedCurrent
    | PulseSource
    | PiecewiseSource
    | Crossbar
    | Instance
)


@noun
class Block:
    """Elements that belong together, with the comment that explains them."""

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
    reltol: float = 1e-3  # relative; max_step, not this, is what keeps linear elements accurate


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
