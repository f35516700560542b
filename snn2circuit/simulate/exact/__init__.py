"""The exact solver: neuron circuits are linear between switching events, so they are stepped by exponentials.

::

    Circuit -> wiring    crossbars with the cells on their bit lines, word lines as heights per slot
            -> cell      a cell as latched bits and a linear circuit, and the instants between which it is linear
            -> columns   the cells of a crossbar, which may differ in values and in parts
            -> nodal     w' = A w + B u for every position of the switches, from the elements themselves
            -> propagate matrix exponentials: what a stretch of a slot does, exactly
            -> phases    one affine map per phase, latched state and column
            -> march     the maps applied to all samples

Nothing here knows a neuron: a cell that a user writes works unchanged, or is refused with the reason
(:class:`~snn2circuit.errors.CircuitNotLinear`). ngspice stays the referee; this is what makes ten thousand samples
affordable.
"""

from snn2circuit.simulate.exact.solve import ExactSolver

__all__ = ["ExactSolver"]
