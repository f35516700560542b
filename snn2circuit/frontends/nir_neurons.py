"""Between the continuous neurons of NIR and the discrete ones of snnTorch.

NIR (J. E. Pedersen et al., Nature Communications 15, 8122, 2024) describes a leaky stage by ``τ dv/dt = -v + R·I`` and
holds no time step. With ``I`` held through a step of length ``dt`` such a stage is ``v' = d·v + (1 - d)·R·I`` with

* ``d = exp(-dt/τ)`` for the exact solution (``exact``), so ``τ = -dt / ln d``: the time constant of the RC circuit;
* ``d = 1 - dt/τ`` for one step of forward Euler (``euler``), so ``τ = dt / (1 - d)``: what snnTorch's exporter writes.

Either way ``R = g / (1 - d)`` for an input gain ``g``, which is 1 for Leaky and Synaptic and ``dt/C`` for Lapicque.
Without leak, ``d = 1``, the stage is the integrator ``dv/dt = R·I`` with ``R = g / dt``. Two stages in a row
(``CubaLIF``) are stepped one after the other, the membrane seeing the new synaptic current, as Synaptic does.

NIR's neurons spike where ``v > v_threshold`` and are at ``v_reset`` from then on. In snnTorch the reset acts one step
later, on what the membrane has become by then. What follows for the reset mechanisms:

=========  ==========================================================================================================
none       No reset: ``LI``, ``I`` or ``CubaLI`` and a ``Threshold``. Exact.
zero       Leaky: ``U' = β(1 - r)U + I``, the membrane decays from 0: as if it had been reset at once. ``LIF`` or ``IF``
           with ``v_reset = 0``. Exact. Lapicque and Synaptic also lose the input of the step after a spike, which NIR
           does not: an approximation.
subtract   NIR only resets to a fixed potential: an approximation.
=========  ==========================================================================================================

Alpha is a ``CubaLI`` with its input one step late: an approximation. An approximated node carries the snnTorch neuron
as an annotation, from which it is read back as it was; another program sees the approximation.

*Rest and reset.* A circuit's membrane rests at 0 and is reset to 0. With ``u = v - v_reset`` a NIR neuron does the same
under a constant current: ``τ du/dt = (v_leak - v_reset) - u + R·I``, which adds ``(1 - d)·(v_leak - v_reset)`` to ``u``
in every step, a bias. A ``LI`` without reset keeps ``u = v`` and gets ``(1 - d)·v_leak``. Behind a synapse a bias would
build up first; ``CubaLI`` therefore takes ``u = v - v_leak``, and ``CubaLIF`` is an approximation anyway.

*Start.* NIR gives no initial state, and programs differ: snnTorch starts a membrane at 0, norse at ``v_leak``. A
circuit starts at ``u = 0``, which is ``v_reset`` (0 for ``LI`` and ``I``, ``v_leak`` for ``CubaLI``); where that is not
0, or the neuron would move from there by itself, a warning says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import nir
import numpy as np

from snn2circuit.errors import FileFormatError, NetworkError
from snn2circuit.frontends.nir_fields import fill
from snn2circuit.ir.linear import Shape
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.parts import Neuron, PerNeuron
from snn2circuit.ir.per_neuron import combined, listed

DISCRETISATIONS = ("exact", "euler")


def check_step(dt: float, discretisation: str) -> None:
    """Refuse a step that is none and a rule that is not known."""
    if discretisation not in DISCRETISATIONS or not (math.isfinite(dt) and dt > 0):
        raise NetworkError(
            f"dt is {dt} and the discretisation {discretisation!r}; needed are a step above 0 s (`dt`) and one of "
            f"{', '.join(DISCRETISATIONS)} (`discretisation`)"
        )


def neuron_nodes(
    neuron: Neuron, shape: Shape, dt: float, discretisation: str
) -> tuple[list[tuple[str, nir.NIRNode]], str]:
    """The nodes of a layer of neurons with their names, and what they cannot hold, empty if they are exact.

    Raises:
        NetworkError: a decay has no time constant under this discretisation, or NIR knows no such neuron.
    """
    reset, lost = getattr(neuron, "reset_mechanism", ""), ""
    full = {"v_leak": np.zeros(shape)}

    def full_shape(value: PerNeuron) -> Floats:
        """``value`` in the shape of the layer's neurons."""
        return np.reshape(np.broadcast_to(value, (math.prod(shape),)), shape).copy()

    threshold = full_shape(neuron.threshold)
    match neuron.snntorch:
        case "Leaky" | "Lapicque":
            leaky = neuron.snntorch == "Leaky"
            decay, gain = (neuron.beta, 1.0) if leaky else (neuron.decay, neuron.gain)  # type: ignore[attr-defined]
            if not leaky and reset == "zero":
                lost = "Lapicque's zero reset also loses the input of the step after a spike"
            if decay == 1:
                values, kinds = {"r": full_shape(combined(lambda number: number / dt, gain))}, (nir.I, nir.IF)
                full = {}
            else:
                tau, r = _stage(decay, gain, dt, discretisation)
                values, kinds = {"tau": full_shape(tau), "r": full_shape(r)}, (nir.LI, nir.LIF)
        case "Synaptic" | "Alpha":
            alpha, beta, gain = neuron.alpha, neuron.beta, 1.0  # type: ignore[attr-defined]
            if neuron.snntorch == "Alpha":
                lost = "an Alpha neuron sees its input one step later"
                gain = combined(_alpha_gain, alpha, beta)
            elif reset == "zero":
                lost = "Synaptic's zero reset also loses the input of the step after a spike"
            tau_syn, w_in = _stage(alpha, gain, dt, discretisation)
            tau_mem, r = _stage(beta, 1.0, dt, discretisation)
            numbers = {"tau_syn": tau_syn, "tau_mem": tau_mem, "r": r, "w_in": w_in}
            values = {name: full_shape(value) for name, value in numbers.items()}
            kinds = (nir.CubaLI, nir.CubaLIF)
        case other:
            raise NetworkError(f"NIR has no node for {other} neurons")
    if reset == "none":
        return [
            (kinds[0].__name__, kinds[0](**values, **full)),
            ("Threshold", nir.Threshold(threshold=threshold)),
        ], lost
    if reset == "subtract":
        lost = "the reset subtracts the threshold, one step after the spike; NIR resets to a fixed potential at once"
    node = kinds[1](**values, **full, v_threshold=threshold, v_reset=np.zeros(shape))
    return [(kinds[1].__name__, node)], lost


def _alpha_gain(alpha: float, beta: float) -> float:
    """What an input of 1 adds to an Alpha neuron's membrane at once, one step late."""
    return (alpha - beta) * (math.log(beta) / (math.log(beta) - math.log(alpha)) if beta else 1.0)


def _stage(decay: PerNeuron, gain: PerNeuron, dt: float, discretisation: str) -> tuple[PerNeuron, PerNeuron]:
    """Time constants in s and resistances of a leaky stage."""
    low = 0 if discretisation == "exact" else -math.inf
    for place, number in enumerate(listed(decay)):
        if not low < number < 1:
            which = f" of neuron {place}" if isinstance(decay, tuple) else ""
            way = "; take the euler discretisation" if number < 1 else ""
            raise NetworkError(
                f"a decay{which} of {number:g} per step has no time constant under {discretisation}{way}"
            )
    constant = combined(
        lambda number: -dt / math.log(number) if discretisation == "exact" else dt / (1 - number), decay
    )
    return constant, combined(lambda number, one: one / (1 - number), decay, gain)


@dataclass(frozen=True)
class Reading:
    """The snnTorch neuron nearest to NIR nodes, with the affine map that stands before it."""

    kind: str  # name of the class in snntorch
    parameters: dict[str, PerNeuron | str]
    gain: Floats  # (neurons,), that the input takes
    offset: Floats  # (neurons,), added to it in every step
    losses: tuple[str, ...] = ()  # what the reading approximates
    remarks: tuple[str, ...] = ()  # what a person has to know about an exact one


def read_neuron(name: str, nodes: list[nir.NIRNode], shape: Shape, dt: float, discretisation: str) -> Reading:
    """The neuron of NIR nodes: an integrator with or without its threshold, or a spiking neuron.

    Raises:
        FileFormatError: a field has another number of values than there are neurons, or one that is not finite.
        NetworkError: a time constant is none, or the neurons never rest below their threshold.
    """
    node, tolerance = nodes[0], _tolerance(nodes)
    decays: dict[str, Floats]
    size = math.prod(shape)
    spread = spread_fields(name, nodes, shape)
    if isinstance(node, nir.Threshold):
        decays, gain = {"beta": np.zeros(size)}, np.ones(size)
    elif isinstance(node, (nir.I, nir.IF)):
        decays, gain = {"beta": np.ones(size)}, spread["r"] * dt
    else:
        fields = (
            {"alpha": "tau_syn", "beta": "tau_mem"} if isinstance(node, (nir.CubaLI, nir.CubaLIF)) else {"beta": "tau"}
        )
        decays = {key: _decay(name, field, spread[field], dt, discretisation) for key, field in fields.items()}
        gain = (1 - decays["beta"]) * spread["r"]
        if "alpha" in decays:
            gain = gain * (1 - decays["alpha"]) * spread["w_in"]
    rest = start_potential(nodes, spread)
    push = (1 - decays["beta"]) * (spread.get("v_leak", rest) - rest)
    offset = push * (1 - decays.get("alpha", 0.0))
    losses, remarks = list[str](), list[str]()
    if "v_threshold" in spread:
        threshold, reset = spread["v_threshold"] - rest, "zero"
    elif "threshold" in spread:
        threshold, reset = spread["threshold"] - rest, "none"
    else:
        threshold, reset = np.ones(size), "none"
        remarks.append(f"node {name!r} integrates without spiking; its membrane is the output, its spikes mean nothing")
    if isinstance(node, nir.CubaLIF):
        losses.append(f"node {name!r}: after a spike, snnTorch's Synaptic also loses the input of the next step")
        if push.any():
            losses.append(f"node {name!r}: what v_leak differs from v_reset by builds up behind the synapse first")
    if rest.any() or push.any():
        where = "v_leak" if isinstance(node, nir.CubaLI) else "v_reset" if "v_reset" in spread else "0"
        value = f" = {rest[0]:g}" if where != "0" and (rest == rest[0]).all() else ""
        remarks.append(
            f"node {name!r}: NIR does not say where a membrane starts; here it starts at {where}{value} "
            "(snnTorch starts at 0, norse at v_leak), which decides the first spikes"
        )
    if (threshold <= 0).any():
        raise NetworkError(
            f"node {name!r}: a threshold of {threshold.min():g} above the reset potential; it must be above 0"
        )
    gain = np.where(np.abs(gain - 1) <= tolerance, 1.0, gain)
    numbers = {**decays, "threshold": threshold}
    parameters: dict[str, PerNeuron | str] = {field: tuple(value.tolist()) for field, value in numbers.items()}
    parameters["reset_mechanism"] = reset
    return Reading(
        kind="Synaptic" if "alpha" in decays else "Leaky",
        parameters=parameters,
        gain=gain,
        offset=offset,
        losses=tuple(losses),
        remarks=tuple(remarks),
    )


def spread_fields(name: str, nodes: list[nir.NIRNode], shape: Shape) -> dict[str, Floats]:
    """The parameters of NIR nodes by name, a value for each neuron, ``(neurons,)`` in float64.

    Raises:
        FileFormatError: a field has another number of values, or one that is not finite.
    """
    spread = {
        field: fill(f"node {name!r}: {field}", value, shape).astype(np.float64).ravel()
        for each in nodes
        for field, value in vars(each).items()
        if isinstance(value, np.ndarray) and field not in ("input_type", "output_type")
    }
    for field, values in spread.items():
        if not np.isfinite(values).all():
            raise FileFormatError(f"node {name!r}: {field} holds a number that is not finite")
    return spread


def start_potential(nodes: list[nir.NIRNode], spread: dict[str, Floats]) -> Floats:
    """Where the membrane of each neuron starts: the potential that a circuit's empty capacitor stands for."""
    if isinstance(nodes[0], nir.CubaLI):
        return spread["v_leak"]
    return spread.get("v_reset", np.zeros_like(next(iter(spread.values()))))


def _decay(name: str, field: str, tau: Floats, dt: float, discretisation: str) -> Floats:
    """Share of a stage that a step keeps, for each neuron."""
    if (tau <= 0).any():
        raise NetworkError(f"node {name!r}: {field} is {tau.min():g} s; a time constant is above 0")
    decay: Floats = np.exp(-dt / tau) if discretisation == "exact" else 1 - dt / tau
    if (decay < 0).any():
        raise NetworkError(
            f"node {name!r}: {field} {tau.min():g} s is shorter than the step {dt:g} s; take a shorter dt"
        )
    return decay


def _tolerance(nodes: list[nir.NIRNode]) -> float:
    """How far a gain may be from 1 by rounding alone, in the precision that the file was written with."""
    single = any(
        isinstance(each, np.ndarray) and each.dtype == np.float32 for node in nodes for each in vars(node).values()
    )
    return 1e-6 if single else 1e-12
