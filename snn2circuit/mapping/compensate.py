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

A round costs a solution of the whole array. A *sketch* of the circuit, cheap and a percent off, saves most of them:
what is missing goes on top of what the sketch adds, and the next conductances are those for which the sketch adds that.
What a step misses is the sketch's error of the step alone, so a few rounds do what twenty did. A gain at which the
sketch cannot be served is not measured at all. At a given gain the trims do not depend on the sketch: rounds end where
the *measured* weights are right.

A trim takes a device off its level: it is programmed with verification, or printed a little longer. What is printed
has values of its own, steps apart (:mod:`snn2circuit.mapping.pairs`). Then the pairs' upper conductances are put on the
next of them once all is trimmed, and stay there while the lower ones are trimmed once more: pairs that are larger by a
step load their lines a little more. At the end each lower one goes to the value nearest to it. The report also
says what would remain if the trimmed devices had to stand on levels again, which undoes most trims and is why levels
are not enforced here. What no weight can mend: decays (a leak of the op-amp family), thresholds (a comparator's
offset), rails and slew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from snn2circuit.errors import MappingError
from snn2circuit.ir.crossbar import CrossbarLayer, CrossbarNetwork
from snn2circuit.ir.noun import Floats, noun
from snn2circuit.ir.parts import Neuron
from snn2circuit.mapping.pairs import Values, complete_pairs, program_pairs, upper_values, value_range
from snn2circuit.mapping.quantize import nearest_level

ROUNDS = 40  # steps at one gain
PATIENCE = 3  # rounds without 5 % less error, after which nothing improves any more
MEMORY = 8  # earlier rounds that the next one is mixed from
LITTLE = 0.03  # of the largest weight; what a row of smaller ones shows is drowned by the rest of the currents
LEAST_GAIN = 0.1  # of the first; with less of the range the levels are no longer told apart
SERVED = 1e-6  # of a layer's largest weight; a neuron whose weights are further off is named
GOOD = 1e-8  # of a layer's largest weight; far below what a spike depends on
SHARE = 1e-3  # of what is missing; a step that is found in the sketch need not be better
CLOSE = 1e-9  # relative; rounding, not a lack of range
SLACK = 2e-3  # of a weight; more than it changes once its upper conductance is printable

# (layer number from 1, that layer alone, inputs (samples, steps, word lines without bias)) -> membranes of the last
# step, (samples, columns), dimensionless
Measure = Callable[[int, CrossbarNetwork, Floats], Floats]

# (layer number from 1, that layer alone) -> about the weights that its circuit adds, (rows, columns), bias row last
Sketch = Callable[[int, CrossbarNetwork], Floats]

Answer = Callable[[Floats], Floats]  # weights held -> weights added, (rows, columns)


@noun
class LayerCompensation:
    """What trimming did to one layer; errors are relative to its largest weight."""

    layer: int  # from 1
    trimmed: bool  # False: weights would be further off than before, so that its devices stay on their levels
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


def weight_error(crossbar: CrossbarNetwork, measure: Measure) -> tuple[float, ...]:
    """Largest error of a weight as the circuit adds it, layer by layer, relative to the layer's largest."""
    pairs = enumerate(crossbar.layers, start=1)
    off = ((_Circuit(number, crossbar, measure).adds(layer) - layer.weights, layer.weights) for number, layer in pairs)
    return tuple(float(np.abs(error).max() / np.abs(weights).max()) for error, weights in off)


def compensate_network(
    crossbar: CrossbarNetwork,
    measure: Measure,
    sketch: Sketch | None = None,
    values: Sequence[Values] | None = None,
) -> tuple[CrossbarNetwork, tuple[LayerCompensation, ...]]:
    """Trim every layer of ``crossbar``; the network it stands for stays the same.

    Args:
        crossbar: with or without trims, which are made again.
        measure: what the circuit of a layer adds.
        sketch: about the same, cheaply.
        values: layer by layer, what devices can be printed with; ``None`` where any conductance can be programmed.

    Raises:
        MappingError: a column adds nothing, or with the wrong sign.
    """
    done = [
        _compensate(_Circuit(number, crossbar, measure, sketch, None if values is None else values[number - 1]), layer)
        for number, layer in enumerate(crossbar.layers, start=1)
    ]
    return replace(crossbar, layers=tuple(layer for layer, _ in done)), tuple(report for _, report in done)


def trim_printed(crossbar: CrossbarNetwork, measure: Measure, values: Sequence[Values]) -> CrossbarNetwork:
    """Trim a compensated network on printable ``values`` once more, against a circuit that differs only a little.

    Upper conductances stay where lower ones have room below them, so that few strips are drawn otherwise.
    """
    trimmed = tuple(
        _print(_Circuit(number, crossbar, measure).adds, layer, np.maximum(*layer.programmed), of_layer)[0]
        for number, (layer, of_layer) in enumerate(zip(crossbar.layers, values, strict=True), start=1)
    )
    return replace(crossbar, layers=trimmed)


@dataclass(frozen=True)
class _Circuit:
    """The circuit of one layer, whatever its devices are made with."""

    number: int
    crossbar: CrossbarNetwork
    measure: Measure
    sketch: Sketch | None = None
    values: Values | None = None  # that devices can be printed with

    @property
    def range(self) -> tuple[float, float]:
        """Lowest and highest conductance to trim with, S; some is left for putting pairs on printable values."""
        if self.values is None:
            return self.crossbar.device.g_min.value, self.crossbar.device.g_max.value
        low, high = value_range(self.values)
        return low, low + (high - low) / (1 + 2 * SLACK)

    def adds(self, made: CrossbarLayer) -> Floats:
        """The effective weights of the layer as ``made``."""
        return effective_weights(self.number, replace(self.crossbar, layers=(made,)), self.measure)

    def measured(self, base: CrossbarLayer) -> Answer:
        """What ``base`` adds with other weights held, in a range without an upper end."""
        low, _ = self.range
        return lambda held: self.adds(program_pairs(base, held, low, np.inf))

    def sketched(self, base: CrossbarLayer) -> Answer | None:
        """About :meth:`measured`, if there is a sketch."""
        sketch, (low, _) = self.sketch, self.range
        if sketch is None:
            return None
        return lambda held: sketch(
            self.number, replace(self.crossbar, layers=(program_pairs(base, held, low, np.inf),))
        )


def _compensate(circuit: _Circuit, layer: CrossbarLayer) -> tuple[CrossbarLayer, LayerCompensation]:
    target, crossbar, values = layer.weights, circuit.crossbar, circuit.values
    largest = float(np.abs(target).max())
    plain = replace(layer, gain=1.0, trim_pos=None, trim_neg=None)
    untrimmed = plain if values is None else layer  # what is printed stays on values that can be printed
    found = circuit.adds(untrimmed)
    shares = found[np.abs(target) == largest] / (largest * np.sign(target[np.abs(target) == largest]))
    if (shares <= 0).any():
        raise MappingError(f"layer {circuit.number}: its largest weight adds nothing, or with the wrong sign")
    best, rounds = _fit(circuit, plain, min(1.0, float(shares.min())))
    made, between = best, best
    if values is not None:
        held = np.subtract(*best.programmed) / best.siemens_per_unit
        made, between, more = _print(circuit.adds, best, upper_values(best, held, values, SLACK), values)
        rounds += more
    before, after = (np.abs(weights - target) / largest for weights in (found, circuit.adds(made)))
    left = after if values is None else np.abs(circuit.adds(between) - target) / largest
    is_trimmed = bool(after.max() <= before.max())
    if not is_trimmed:
        made, after, left = untrimmed, before, before
    pos, neg = made.programmed
    on_levels = [nearest_level(crossbar.levels, each) for each in (pos, neg)]
    requantised = replace(
        made, trim_pos=crossbar.levels[on_levels[0]] - made.g_pos, trim_neg=crossbar.levels[on_levels[1]] - made.g_neg
    )
    short = np.flatnonzero(left.max(axis=0) > SERVED)
    return made, LayerCompensation(
        layer=circuit.number,
        trimmed=is_trimmed,
        gain=made.gain,
        rounds=rounds,
        worst_before=float(before.max()),
        worst_after=float(after.max()),
        worst_on_levels=float((np.abs(circuit.adds(requantised) - target) / largest).max()),
        largest_trim=float(max(np.abs(pos - made.g_pos).max(), np.abs(neg - made.g_neg).max())),
        off_level=int((on_levels[0] != layer.level_pos).sum() + (on_levels[1] != layer.level_neg).sum()),
        short=tuple((int(column), float(left[:, column].max())) for column in short),
    )


def _fit(circuit: _Circuit, plain: CrossbarLayer, gain: float) -> tuple[CrossbarLayer, int]:
    """The layer trimmed at the first gain, from ``gain`` downwards, that its range and its lines can serve; rounds."""
    target, (low, high) = plain.weights, circuit.range
    largest = float(np.abs(target).max())
    rounds, wanted, least = 0, target, LEAST_GAIN * gain
    while True:
        base, start = replace(plain, gain=gain), gain * wanted
        sketched = circuit.sketched(base)
        if sketched:
            guess = _seek(sketched, target, start, GOOD * largest)
            if guess.error > SERVED * largest and gain > least:
                gain = max(least, gain / 2)
                continue
            start = guess.held
        best = _seek(circuit.measured(base), target, start, GOOD * largest, sketched)
        rounds, wanted = rounds + best.rounds, best.held / gain
        needed = gain * float(np.abs(wanted).max()) * plain.siemens_per_unit / (high - low)
        served = best.error <= SERVED * largest
        if (needed <= 1 + CLOSE and served) or gain <= least:
            return program_pairs(base, best.held, low, high), rounds
        if not served:  # lines that take more the more conducts through them cannot carry the sum at this gain
            needed, wanted = max(needed, 2.0), target
        gain = max(least, gain / needed)


def _print(
    effective: Callable[[CrossbarLayer], Floats], trimmed: CrossbarLayer, upper: Floats, values: Values
) -> tuple[CrossbarLayer, CrossbarLayer, int]:
    """The layer trimmed below its ``upper`` conductances, on printable values and just before that; rounds.

    An upper conductance that leaves the lower one no room goes up by a step, and all is trimmed once more.
    """
    target, held = trimmed.weights, np.subtract(*trimmed.programmed) / trimmed.siemens_per_unit
    enough, rounds = GOOD * float(np.abs(target).max()), 0

    def below(upper: Floats) -> Callable[[Floats], Floats]:
        return lambda held: effective(complete_pairs(trimmed, held, upper, values, between=True))

    for _ in range(PATIENCE):
        best = _seek(below(upper), target, held, enough)
        rounds, held = rounds + best.rounds, best.held
        tight = upper_values(trimmed, held, values) > upper * (1 + CLOSE)  # no room for the lower one
        if not tight.any():
            break
        upper = np.where(tight, upper_values(trimmed, held, values, SLACK), upper)
    made, between = (complete_pairs(trimmed, held, upper, values, between=each) for each in (False, True))
    return made, between, rounds


class _Sought(NamedTuple):
    """The best of several rounds."""

    held: Floats
    error: float  # largest
    rounds: int


def _seek(answer: Answer, target: Floats, held: Floats, enough: float, sketched: Answer | None = None) -> _Sought:
    """Weights to hold so that ``answer`` adds ``target`` within ``enough``, or as near to it as rounds come."""
    best, settled, stale, rounds = held, np.inf, 0, 0
    history: list[tuple[Floats, Floats]] = []
    while rounds < ROUNDS:
        found, rounds = answer(held), rounds + 1
        error = float(np.abs(found - target).max())
        stale = 0 if error < 0.95 * settled else stale + 1
        if error < settled:
            settled, best = error, held
        if stale == PATIENCE or settled <= enough:
            break
        near = held if sketched is None else sketched(held)
        step = (target - found) / _slope(found, near)
        if sketched is not None:
            step = _seek(sketched, near + step, held, max(SHARE * error, enough / 10)).held - held
        history = [*history[-MEMORY:], (held, step)]
        held = _mix(history)
    return _Sought(best, settled, rounds)


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
