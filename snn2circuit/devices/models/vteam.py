"""VTEAM, the voltage threshold adaptive memristor (S. Kvatinsky et al., IEEE Trans. Circuits Syst. II 62, 786, 2015).

The state is the width ``w = d x`` of a barrier: 0 conducts best, 1 least, with a resistance linear in between::

    i = v / (r_on + (r_off - r_on) x)
    dw/dt = k_off (v / v_off - 1)^alpha_off   for v > v_off > 0
          = k_on  (v / v_on  - 1)^alpha_on    for v < v_on < 0
          = 0                                 in between

so a read between the thresholds leaves the state exactly as it is. Default numbers are those of the MemTorch library
(C. Lammie et al., Neurocomputing 485, 124, 2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from snn2circuit.ir.formula import Functions, power


@dataclass(frozen=True, kw_only=True)
class Vteam:
    """Threshold device, ``x`` is the barrier's width: 0 is the on state."""

    kind: ClassVar[str] = "vteam"

    r_on: float = 50.0  # ohm
    r_off: float = 1000.0  # ohm
    d: float = 3e-9  # m
    k_on: float = -10.0  # m/s
    k_off: float = 5e-4  # m/s
    alpha_on: int = 3
    alpha_off: int = 1
    v_on: float = -0.2  # V
    v_off: float = 0.02  # V

    def current(self, v: Any, x: Any, f: Functions) -> Any:
        """Current, A."""
        return v / (self.r_on + (self.r_off - self.r_on) * x)

    def rate(self, v: Any, x: Any, f: Functions) -> Any:
        """Rate of the width over ``d``, 1/s."""
        widens = self.k_off / self.d * power(f.most(v / self.v_off - 1.0, 0.0), self.alpha_off)
        narrows = self.k_on / self.d * power(f.most(v / self.v_on - 1.0, 0.0), self.alpha_on)
        return widens + narrows
