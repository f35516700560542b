"""An ohmic device whose state does not move: ``i = (g_min + (g_max - g_min) x) v``.

A printed resistor, or a memristor read far below its switching voltage; what the crossbars of this package assume.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from snn2circuit.ir.formula import Functions


@dataclass(frozen=True, kw_only=True)
class Linear:
    """Ohmic, ``x`` is the share of the conductance range."""

    kind: ClassVar[str] = "linear"

    g_min: float = 1e-6  # S, assumed
    g_max: float = 1e-4  # S, assumed

    def current(self, v: Any, x: Any, f: Functions) -> Any:
        """Ohm's law, A."""
        return (self.g_min + (self.g_max - self.g_min) * x) * v

    def rate(self, v: Any, x: Any, f: Functions) -> Any:
        """Nothing moves."""
        return 0.0 * v
