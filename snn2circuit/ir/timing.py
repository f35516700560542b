r"""The clock: slots, the pulses inside them, and what such a pulse leaves on a leaky integrator.

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

from snn2circuit.errors import NetlistError
from snn2circuit.ir.noun import noun


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
