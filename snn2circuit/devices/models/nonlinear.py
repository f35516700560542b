"""A fixed state with a current that grows faster than the voltage: ``i = g(x) v0 sinh(v / v0)``.

The hyperbolic sine is the common form of conduction through a thin barrier (J. G. Simmons, J. Appl. Phys. 34, 1793,
1963, for intermediate voltages); for ``v`` far below ``v0`` the device is ohmic with the conductance ``g(x)``. The
excess over Ohm's law at the read voltage, ``sinh(v/v0)/(v/v0) - 1``, is what a crossbar of such devices gets wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from snn2circuit.ir.formula import Functions


@dataclass(frozen=True, kw_only=True)
class Nonlinear:
    """Sinh conduction, ``x`` is the share of the conductance range at small voltages."""

    kind: ClassVar[str] = "nonlinear"

    g_min: float = 1e-6  # S, assumed
    g_max: float = 1e-4  # S, assumed
    v0: float = 0.25  # V, assumed; the value of the Stanford-PKU model's conduction

    def current(self, v: Any, x: Any, f: Functions) -> Any:
        """Current, A."""
        return (self.g_min + (self.g_max - self.g_min) * x) * self.v0 * f.sinh(v / self.v0)

    def rate(self, v: Any, x: Any, f: Functions) -> Any:
        """Nothing moves."""
        return 0.0 * v
