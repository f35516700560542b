"""A two-terminal device that is ohmic at read voltage: a printed resistor, or a memristor read far below switching.

Its circuit is one resistor ``R = 1/G``. What a preset's sources do not give is marked ``assumed`` in its quantities and
travels from here into every report.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from snn2circuit.errors import MappingError
from snn2circuit.ir.parts import Quantity


@dataclass(frozen=True, kw_only=True)
class OhmicDevice:
    """Conductance range and read voltage of an ohmic device, each with its source."""

    kind: ClassVar[str] = "ohmic"

    name: str
    technology: str
    g_min: Quantity  # S
    g_max: Quantity  # S
    v_read: Quantity  # V
    by_shape: bool = False  # a printed resistor: fixed, and made by the shape that is printed

    def __post_init__(self) -> None:
        if not 0 < self.g_min.value < self.g_max.value < float("inf"):
            raise MappingError(
                f"device {self.name}: g_min {self.g_min.value:g} S and g_max {self.g_max.value:g} S; "
                "a device needs 0 < g_min < g_max"
            )
        if not 0 < self.v_read.value < float("inf"):
            raise MappingError(f"device {self.name}: v_read is {self.v_read.value:g} V; it must be above 0")

    def within(self, g_min: float = 0.0, g_max: float = 0.0) -> OhmicDevice:
        """The same device used from ``g_min`` to ``g_max`` only, S; 0 leaves an end where it is.

        Raises:
            MappingError: the device cannot hold these conductances, or they leave no range.
        """

        def end(name: str, wanted: float, own: Quantity) -> Quantity:
            if not wanted:
                return own
            if not self.g_min.value <= wanted <= self.g_max.value:
                raise MappingError(
                    f"[device] {name} is {wanted:g} S; {self.name} holds {self.g_min.value:g} to "
                    f"{self.g_max.value:g} S, so it must lie there, or be 0 for the whole range"
                )
            return Quantity(value=wanted, unit="S", source=f"the design, [device] {name}", confidence="derived")

        return replace(self, g_min=end("g_min", g_min, self.g_min), g_max=end("g_max", g_max, self.g_max))
