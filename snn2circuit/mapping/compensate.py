r"""Pass 5, for real parts: conductances trimmed until the circuit adds what the network says.

A column of real op-amps, wires and drivers answers to row ``i`` with ``a_ij·w_ij`` instead of ``w_ij``: a finite gain
``A`` takes about ``(1 + R_f·ΣG)/A`` of the sum, wires take more from the cells at their far ends, offsets add a
constant that looks like bias. While no neuron spikes the circuit is linear, so what it adds is measured rather than
derived: drive one row at a time for a slot, and divide the membrane by what a unit of current leaves there in the model
(:func:`response_steps`). The measurement is a callable, so the pass works with any simulator and any neuron.

Two corrections, in this order.

* ``gain`` of the layer. Weights at ``g_max`` cannot grow, so the neuron is sized for the weakest cell's share of the
  sum instead, a matter of one resistor or transconductance that all neurons of the layer share. Every other cell is
  then trimmed *down*.
* Trims, device by device. The pair's lower conductance stays on its level and the upper one moves by the missing
  weight over the measured share of its row and column; rounds of that are mixed until nothing improves. Where the
  upper one would leave the device's range the lower one gives way. Then, and where lines cannot carry the sum however
  it is trimmed, ``gain`` gives way, down to a tenth of what it began with; what still lacks is reported, neuron by
  neuron.

A trim takes a device off its level: it is programmed with verification, or printed a little longer. The report also
says what would remain if the trimmed devices had to stand on levels again, which undoes most trims and is why levels
are not enforced here. What no weight can mend: decays (a leak of the op-amp family), thresholds (a comparator's
offset), rails and slew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from snn2circuit.errors import MappingError
from snn2circuit.ir.crossbar import CrossbarLayer, CrossbarNetwork
from snn2circuit.ir.noun import Floats, noun
from snn2circuit.ir.parts import Neuron
from snn2circuit.mapping.quantize import nearest_level

ROUNDS = 40  # steps at one gain
PATIENCE = 3  # rounds without 5 % less error, after which nothing improves any more
MEMORY = 8  # earlier rounds that the next one is mixed from
LITTLE = 0.03  # of the largest weight; what a row of smaller ones shows is drowned by the rest of the currents
LEAST_GAIN = 0.1  # of the first; with less of the range the levels are no longer told apart
SERVED = 1e-6  # of a layer's largest weight; a neuron whose weights are further off is named
GOOD = 1e-8  # of a layer's largest weight; far below what a spike depends on
CLOSE = 1e-9  # relative; rounding, not a lack of range

# (layer number from 1, that layer alone, inputs (samples, steps, word lines without bias)) -> membranes of the last
# step, (samples, columns), dimensionless
Measure = Callable[[int, CrossbarNetwork, Floats], Floats]


@noun
class LayerCompensation:
    """What trimming did to one layer; errors are relative to its largest weight."""

    layer: int  # from 1
    gain: float  # share of the ideal sum that the neurons are now sized for
    rounds: int
    worst_before: float  # largest error of a weight as the circuit adds it
    worst_after: float
    worst_on_levels: float  # after, if every device stood on its nearest level again
    largest_trim: float  # S
    off_level: int  # devices whose nearest level is another one now
    short: tuple[tuple[int, float], ...]  # neurons that could not be served, with their largest error


def response_steps(neuron: Neuron, neurons: int = 1) -> tuple[int, Floats]:
    """Steps until the membranes ``(neurons,)`` answer to a current held from the first step on, and their answers to 1.

    Nothing spikes before, as the membrane is still 0, so the answer is linear. One step for most neurons, two for one
    whose states cancel at first.

    Raises:
        MappingError: the membrane does not answer within 8 steps.
    """
    state, current = neuron.start((neurons,)), np.full(neurons, 1e-9)
    for step in range(1, 9):
        state = neuron.advance(state, current)
        if (state[0] != 0).all():
            return step, state[0] / 1e-9
    raise MappingError(f"a {neuron.kind} neuron does not answer to its input; it cannot be compensated")


def effective_weights(number: int, alone: CrossbarNetwork, measure: Measure) -> Floats:
    """Weights as the circuit of one layer adds them, ``(rows, columns)``; the bias row, last, holds offsets too."""
    (layer,) = alone.layers
    steps, response = response_steps(layer.neuron, layer.columns)
    drives = np.concatenate([np.zeros((1, layer.inputs)), np.eye(layer.inputs)])
    membranes = measure(number, alone, np.repeat(drives[:, None, :], steps, axis=1)) / response
    constant = membranes[:1]
    weights = membranes[1:] - constant
    return np.concatenate([weights, constant]) if layer.has_bias else weights


def compensate_network(
    crossbar: CrossbarNetwork, measure: Measure
) -> tuple[CrossbarNetwork, tuple[LayerCompensation, ...]]:
    """Trim every layer of ``crossbar``; the network it stands for stays the same.

    Raises:
        MappingError: a column adds nothing, or with the wrong sign.
    """
    done = [_compensate(number, crossbar, layer, measure) for number, layer in enumerate(crossbar.layers, start=1)]
    return replace(crossbar, layers=tuple(layer for layer, _ in done)), tuple(report for _, report in done)


def _compensate(
    number: int, crossbar: CrossbarNetwork, layer: CrossbarLayer, measure: Measure
) -> tuple[CrossbarLayer, LayerCompensation]:
    def effective(trimmed: CrossbarLayer) -> Floats:
        return effective_weights(number, replace(crossbar, layers=(trimmed,)), measure)

    target, low, high = layer.weights, crossbar.device.g_min.value, crossbar.device.g_max.value
    largest = float(np.abs(target).max())
    plain = replace(layer, gain=1.0, trim_pos=None, trim_neg=None)
    before = effective(plain)
    shares = before[np.abs(target) == largest] / (largest * np.sign(target[np.abs(target) == largest]))
    if (shares <= 0).any():
        raise MappingError(f"layer {number}: its largest weight adds nothing, or with the wrong sign")
    gain, rounds, wanted = min(1.0, float(shares.min())), 0, target
    least = LEAST_GAIN * gain
    while True:
        base, held, settled, stale = replace(plain, gain=gain), gain * wanted, np.inf, 0
        history: list[tuple[Floats, Floats]] = []
        for _ in range(ROUNDS):
            found, rounds = effective(_program(base, held, low, np.inf)), rounds + 1
            error = float(np.abs(found - target).max())
            stale = 0 if error < 0.95 * settled else stale + 1
            if error < settled:
                settled, wanted = error, held / gain
            if stale == PATIENCE or settled <= GOOD * largest:
                break
            history = [*history[-MEMORY:], (held, (target - found) / _slope(found, held))]
            held = _mix(history)
        needed = gain * float(np.abs(wanted).max()) * layer.siemens_per_unit / (high - low)
        served = settled <= SERVED * largest
        if (needed <= 1 + CLOSE and served) or gain <= least:
            break
        if not served:  # lines that take more the more conducts through them cannot carry the sum at this gain
            needed, wanted = max(needed, 2.0), target
        gain = max(least, gain / needed)
    best = _program(replace(plain, gain=gain), gain * wanted, low, high)
    after, before = np.abs(effective(best) - target) / largest, np.abs(before - target) / largest
    pos, neg = best.programmed
    on_levels = [nearest_level(crossbar.levels, each) for each in (pos, neg)]
    requantised = replace(
        best, trim_pos=crossbar.levels[on_levels[0]] - best.g_pos, trim_neg=crossbar.levels[on_levels[1]] - best.g_neg
    )
    short = np.flatnonzero(after.max(axis=0) > SERVED)
    return best, LayerCompensation(
        layer=number,
        gain=best.gain,
        rounds=rounds,
        worst_before=float(before.max()),
        worst_after=float(after.max()),
        worst_on_levels=float((np.abs(effective(requantised) - target) / largest).max()),
        largest_trim=float(max(np.abs(pos - best.g_pos).max(), np.abs(neg - best.g_neg).max())),
        off_level=int((on_levels[0] != layer.level_pos).sum() + (on_levels[1] != layer.level_neg).sum()),
        short=tuple((int(column), float(after[:, column].max())) for column in short),
    )


def _slope(found: Floats, held: Floats) -> Floats:
    """Weight that the circuit adds per weight held, ``(rows, columns)``: a share of the row times one of the column.

    Op-amps act on columns, drivers on rows, and wires on both; a cell's own ratio says nothing where its weight is
    small, and a row's or column's nothing where all of its weights are: those are taken to lose nothing.
    """
    little = (LITTLE * np.abs(held).max()) ** 2
    columns = ((found * held).sum(axis=0, keepdims=True) + little) / ((held**2).sum(axis=0, keepdims=True) + little)
    ideal = columns * held
    rows = ((found * ideal).sum(axis=1, keepdims=True) + little) / ((ideal**2).sum(axis=1, keepdims=True) + little)
    slope: Floats = np.maximum(rows, 0.1) * np.maximum(columns, 0.02)
    return slope


def _mix(history: list[tuple[Floats, Floats]]) -> Floats:
    """The next weights to hold, from rounds of (held, step wanted): Anderson's mixing, a secant over all of them.

    Steps alone overshoot where a cell's share is far from those of its row and column, as along a bit line that loses
    half of its current (D. G. Anderson, J. ACM 12, 547, 1965).
    """
    held, step = history[-1]
    if len(history) == 1:
        return held + step
    moved, changed = (np.diff([each[i].ravel() for each in history], axis=0).T for i in (0, 1))
    share = np.linalg.lstsq(changed, step.ravel())[0]
    mixed: Floats = held + step - ((moved + changed) @ share).reshape(held.shape)
    return mixed


def _program(layer: CrossbarLayer, weights: Floats, low: float, high: float) -> CrossbarLayer:
    """Pairs whose difference is ``weights``, as near to it as conductances from ``low`` to ``high`` allow."""
    difference, base = layer.siemens_per_unit * np.abs(weights), np.minimum(layer.g_pos, layer.g_neg)
    upper = np.minimum(base + difference, high)
    lower = np.clip(upper - difference, low, base)
    positive = weights >= 0
    pos, neg = np.where(positive, upper, lower), np.where(positive, lower, upper)
    return replace(layer, trim_pos=pos - layer.g_pos, trim_neg=neg - layer.g_neg)
