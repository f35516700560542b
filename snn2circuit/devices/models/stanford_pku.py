"""The Stanford-PKU model of filamentary RRAM (Z. Jiang et al., SISPAD 2014; X. Guan et al., IEEE EDL 33, 1405, 2012).

The state is the gap ``g`` between filament and electrode; ``x = (g_max - g) / (g_max - g_min)``, 1 conducts best::

    i = i0 exp(-g / g0) sinh(v / v0)
    dg/dt = -velocity exp(-q Ea / kT) sinh(gamma (a0 / L) q v / kT)
    gamma = gamma0 - beta (g / 1 nm)^3,   0 while gamma |v| / L < f_min
    T = t_ambient + |v i| r_th

The random part of the published model is left out: a deck has to be reproducible. The current has no limit of its own;
put a resistor or a transistor in series before a set pulse. Default numbers are those of the MemTorch library (C.
Lammie et al., Neurocomputing 485, 124, 2022) with the published model's largest gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from snn2circuit.ir.formula import Functions, power

BOLTZMANN = 8.617333262e-5  # eV/K


@dataclass(frozen=True, kw_only=True)
class StanfordPku:
    """Filament with a gap, heated by its own current, ``x`` 1 is the smallest gap."""

    kind: ClassVar[str] = "stanford_pku"

    g_min: float = 2e-10  # m
    g_max: float = 1.7e-9  # m
    i0: float = 1e-3  # A
    g0: float = 2.5e-10  # m
    v0: float = 0.25  # V
    velocity: float = 10.0  # m/s
    activation: float = 0.6  # eV
    a0: float = 2.5e-10  # m
    thickness: float = 1.2e-8  # m
    gamma0: float = 16.0
    beta: float = 0.8
    f_min: float = 1.4e9  # V/m
    r_th: float = 2.1e3  # K/W
    t_ambient: float = 298.0  # K

    def current(self, v: Any, x: Any, f: Functions) -> Any:
        """Current, A."""
        return self.i0 * f.exp(-self._gap(x) / self.g0) * f.sinh(v / self.v0)

    def rate(self, v: Any, x: Any, f: Functions) -> Any:
        """Rate at which the gap closes, as a share of its range, 1/s."""
        gamma = self.gamma0 - self.beta * power(self._gap(x) / 1e-9, 3)
        gamma = gamma * f.step(gamma * f.absolute(v) / self.thickness - self.f_min)
        thermal = BOLTZMANN * (self.t_ambient + self.r_th * f.absolute(v * self.current(v, x, f)))
        hops = f.exp(-self.activation / thermal) * f.sinh(self.a0 / self.thickness * gamma * v / thermal)
        return self.velocity / (self.g_max - self.g_min) * hops

    def _gap(self, x: Any) -> Any:
        return self.g_max - (self.g_max - self.g_min) * x
