"""HP's linear drift memristor with Biolek's window (Z. Biolek et al., Radioengineering 18, 210, 2009).

::

    i = v / (r_on x + r_off (1 - x))
    dx/dt = (mobility r_on / d^2) i w(x, i),   w = 1 - (x - step(-i))^(2p)

The window vanishes at the end that the state moves towards, not at the one it leaves, so it never sticks. There is no
threshold: every read moves the state, and how far is what :func:`snn2circuit.analysis.memristors.read_disturb` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from snn2circuit.ir.formula import Functions, power


@dataclass(frozen=True, kw_only=True)
class Biolek:
    """Drift device without a threshold, ``x`` is the doped share: 1 conducts best."""

    kind: ClassVar[str] = "biolek"

    r_on: float = 100.0  # ohm
    r_off: float = 1e3  # ohm
    d: float = 1.6e-8  # m
    mobility: float = 4e-14  # m²/(V s)
    p: int = 7

    def current(self, v: Any, x: Any, f: Functions) -> Any:
        """Current, A."""
        return v / (self.r_off + (self.r_on - self.r_off) * x)

    def rate(self, v: Any, x: Any, f: Functions) -> Any:
        """Rate of the doped share, 1/s."""
        square = power(x - f.step(-v), 2)
        window = 1.0 - power(square, self.p)
        return self.mobility * self.r_on / self.d**2 * self.current(v, x, f) * window
