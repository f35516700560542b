"""What a memristor model must provide, and how its state is kept between 0 and 1.

A model gives the current ``i(v, x)`` and the rate ``dx/dt(v, x)``. Windows of the literature let the state leave its
range by rounding, or stick to its edge; here every model is bounded in the same way: within :data:`EDGE` of the end
that the state moves towards its rate falls linearly to zero, elsewhere it is untouched.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, runtime_checkable

from snn2circuit.ir.formula import Functions

EDGE = 1e-3  # share of the range at each end in which the rate is tapered


@runtime_checkable
class MemristorModel(Protocol):
    """A two-terminal device with one state ``x`` from 0 to 1."""

    kind: ClassVar[str]

    def current(self, v: Any, x: Any, f: Functions) -> Any:
        """Current in A at the voltage ``v`` (V) and the state ``x``."""

    def rate(self, v: Any, x: Any, f: Functions) -> Any:
        """How fast the state moves, 1/s, before :func:`bounded`."""


def bounded(model: MemristorModel, v: Any, x: Any, f: Functions) -> Any:
    """The model's rate, 1/s, tapered at the end of the range towards which it points."""
    rate = model.rate(v, x, f)
    up = f.least(f.most((1.0 - x) / EDGE, 0.0), 1.0)
    down = f.least(f.most(x / EDGE, 0.0), 1.0)
    return f.most(rate, 0.0) * up + f.least(rate, 0.0) * down
