"""Which time step the neurons of a NIR file without one were made for, as far as their values tell."""

from __future__ import annotations

from collections.abc import Sequence

import nir
import numpy as np

from snn2circuit.ir.noun import Floats

_SAME = 1e-3  # relative difference of numbers that are meant to be the same


def advise_step(nodes: Sequence[nir.NIRNode]) -> str:
    """What the values of the nodes say of their time step, in words, with the ``dt`` to try."""
    taus, resistances = _collect(nodes, ("tau", "tau_mem")), _collect(nodes, ("r",))
    if not resistances.size:
        return "its neurons have no memory, and any step is the same to them: `dt=1`"
    if not taus.size:
        first = resistances[0]
        if (resistances == 1).all():
            return "its integrators have r = 1, as sinabs writes them, and count in steps: `dt=1`"
        if first > 0 and np.ptp(resistances) <= _SAME * first:
            return f"its integrators add their input as it is in steps of 1 / r: `dt={1 / first:.3g}`"
        return f"the resistances of its integrators {_range(resistances)}, and r dt of an input is added in a step"
    if taus.min() >= 1:
        return f"its time constants {_range(taus)}, which are steps, not seconds: `dt=1`"
    steps = _unit_steps(nodes)
    if steps.size and np.ptp(steps) <= _SAME * abs(steps[0]):
        return (
            f"tau / r is {steps[0]:.3g} s in every neuron, the step of a program that adds its input as it is, such as "
            f"snnTorch (1e-4): `dt={steps[0]:.3g}` with `discretisation='euler'`"
        )
    return (
        f"its time constants {_range(taus)} s; snnTorch's exporter uses `dt=1e-4` with "
        "`discretisation='euler'`, norse steps `dt=1e-3`"
    )


def _range(values: Floats) -> str:
    low, high = values.min(), values.max()
    return f"run from {low:.3g} to {high:.3g}" if low < high else f"are {low:.3g}"


def _unit_steps(nodes: Sequence[nir.NIRNode]) -> Floats:
    """The steps at which leaky neurons add their input as it is under forward Euler; empty if r says nothing of it."""
    leaky = [node for node in nodes if hasattr(node, "tau") or hasattr(node, "tau_mem")]
    if not all(np.all(node.r > 0) and np.any(node.r != 1) for node in leaky):
        return np.empty(0)
    steps = [np.ravel(getattr(node, "tau", getattr(node, "tau_mem", 0.0)) / node.r) for node in leaky]
    return np.concatenate(steps).astype(np.float64)


def _collect(nodes: Sequence[nir.NIRNode], fields: tuple[str, ...]) -> Floats:
    found = [np.ravel(getattr(node, field)) for node in nodes for field in fields if hasattr(node, field)]
    return np.concatenate(found).astype(np.float64) if found else np.empty(0)
