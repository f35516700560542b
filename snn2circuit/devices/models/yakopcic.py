"""Yakopcic's generalised memristor (C. Yakopcic et al., IEEE Electron Device Lett. 32, 1436, 2011).

::

    i = a1 x sinh(b v)  for v >= 0,   a2 x sinh(b v)  for v < 0
    dx/dt = g(v) f(x)
    g(v) =  a_p (exp(v) - exp(v_p))    for v >  v_p
         = -a_n (exp(-v) - exp(v_n))   for v < -v_n,   0 in between
    f(x) = exp(-alpha_p (x - x_p)) w_p(x)      for v >= 0 and x >= x_p,    w_p = (x_p - x)/(1 - x_p) + 1
         = exp(alpha_n (x + x_n - 1)) w_n(x)   for v < 0 and x <= 1 - x_n,  w_n = x / (1 - x_n)
         = 1                                   elsewhere

Default numbers are the ones commonly circulated with the model's SPICE form, thresholds included.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from snn2circuit.ir.formula import Functions


@dataclass(frozen=True, kw_only=True)
class Yakopcic:
    """Threshold device with a sinh current, ``x`` 1 conducts best."""

    kind: ClassVar[str] = "yakopcic"

    a1: float = 0.17  # A
    a2: float = 0.17  # A
    b: float = 0.05  # 1/V
    v_p: float = 0.65  # V
    v_n: float = 0.56  # V
    a_p: float = 4000.0  # 1/s
    a_n: float = 4000.0  # 1/s
    x_p: float = 0.3
    x_n: float = 0.5
    alpha_p: float = 1.0
    alpha_n: float = 5.0

    def current(self, v: Any, x: Any, f: Functions) -> Any:
        """Current, A."""
        forward = f.step(v)
        return (self.a1 * forward + self.a2 * (1.0 - forward)) * x * f.sinh(self.b * v)

    def rate(self, v: Any, x: Any, f: Functions) -> Any:
        """Rate of the state, 1/s."""
        up = self.a_p * f.most(f.exp(v) - f.exp(self.v_p), 0.0)
        down = self.a_n * f.most(f.exp(-v) - f.exp(self.v_n), 0.0)
        # Beyond the knee each window is its own formula, before it 1; clipping the distance to the knee gives both.
        over = f.most(x - self.x_p, 0.0)
        under = f.most(1.0 - self.x_n - x, 0.0)
        falling = f.exp(-self.alpha_p * over) * (1.0 - over / (1.0 - self.x_p))
        rising = f.exp(-self.alpha_n * under) * (1.0 - under / (1.0 - self.x_n))
        return up * falling - down * rising
