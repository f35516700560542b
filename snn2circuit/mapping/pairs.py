r"""Pairs of conductances on values that can be made, with the difference that is asked for.

A printed resistor is a strip of ``N = 1 / (G · Rs)`` squares on a drop grid, so its conductances come in steps of ``G²
· Rs · h``, with ``h`` the squares of a step: percents at the top of the range, millionths at its bottom. Only the
difference of a pair is a weight. So its upper conductance goes to the next printable value at or above, and the lower
one, which is far smaller, is raised as much and goes to the nearest printable value there. With ``U`` and ``L`` the
conductances asked for, the upper one is raised by at most one and a half steps (neighbours are no further apart, see
:mod:`snn2circuit.layout.meander`), so the lower one is wanted at

    L' <= L + 3/2 · h · Rs · U²    (to first order in h · Rs · U, the share of a step)

and the nearest printable value is at most ``3/4 · h`` squares away:

    error of the difference <= 3/4 · h · Rs · L'²    (to first order in h · Rs · L')

At 1000 : 1 in the ink of ``inkjet_resistor`` that is 7e-5 of the largest weight, where the nearest values of both would
leave 2 % of the upper one. The largest weight needs a printable value at or above it within the range, so the layer's
``gain`` gives way a little: its neurons are sized for the pair that spans the printable range.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from snn2circuit.ir.crossbar import CrossbarLayer, CrossbarNetwork
from snn2circuit.ir.noun import Floats

# conductances asked for, S -> the values that can be made next at or below and next at or above each of them, within
# the range of the device
Values = Callable[[Floats], tuple[Floats, Floats]]


def program_pairs(layer: CrossbarLayer, weights: Floats, low: float, high: float) -> CrossbarLayer:
    """Pairs whose difference is ``weights``, as near to it as conductances from ``low`` to ``high`` allow."""
    difference, base = layer.siemens_per_unit * np.abs(weights), np.minimum(layer.g_pos, layer.g_neg)
    upper = np.minimum(base + difference, high)
    return _hold(layer, weights, upper, np.clip(upper - difference, low, base))


def upper_values(layer: CrossbarLayer, weights: Floats, values: Values, slack: float = 0.0) -> Floats:
    """The upper conductance of each pair: the next value at or above what ``weights`` ask for, ``(rows, columns)``, S.

    With ``slack`` every weight may still grow by that share of its own, and by a hundredth of it of the largest.
    """
    difference, (low, _) = layer.siemens_per_unit * np.abs(weights), value_range(values)
    base = np.maximum(np.minimum(layer.g_pos, layer.g_neg), low)
    return values(base + difference + slack * (difference + difference.max() / 100))[1]


def complete_pairs(
    layer: CrossbarLayer, weights: Floats, upper: Floats, values: Values, *, between: bool = False
) -> CrossbarLayer:
    """Pairs of these ``upper`` conductances, ``(rows, columns)``, S, whose difference is ``weights``.

    The lower conductances go to the nearest of ``values``, or anywhere ``between`` them and a little below.
    """
    wanted = upper - layer.siemens_per_unit * np.abs(weights)
    if between:
        return _hold(layer, weights, upper, np.maximum(wanted, value_range(values)[0] / 2))
    below, above = values(np.maximum(wanted, 0.0))
    return _hold(layer, weights, upper, np.where(wanted - below <= above - wanted, below, above))


def value_range(values: Values) -> tuple[float, float]:
    """Least and largest conductance that can be made, S."""
    (low, high), _ = values(np.array([0.0, np.inf]))
    return float(low), float(high)


def print_pairs(crossbar: CrossbarNetwork, values: Sequence[Values]) -> CrossbarNetwork:
    """The same network with every pair on the printable ``values`` of its layer; trims that were there are dropped."""
    return replace(
        crossbar,
        layers=tuple(_print(layer, of_layer) for layer, of_layer in zip(crossbar.layers, values, strict=True)),
    )


def pair_errors(crossbar: CrossbarNetwork) -> tuple[float, ...]:
    """By how much the pairs of each layer miss their weights, at worst, relative to its largest weight."""
    errors = []
    for layer in crossbar.layers:
        pos, neg = layer.programmed
        held = (pos - neg) / (layer.gain * layer.siemens_per_unit)
        errors.append(float(np.abs(held - layer.weights).max() / np.abs(layer.weights).max()))
    return tuple(errors)


def _print(layer: CrossbarLayer, values: Values) -> CrossbarLayer:
    (low, high), largest = value_range(values), layer.siemens_per_unit * float(np.abs(layer.weights).max())
    sized = replace(layer, gain=min(1.0, (high - low) / largest), trim_pos=None, trim_neg=None)
    weights = sized.gain * layer.weights
    return complete_pairs(sized, weights, upper_values(sized, weights, values), values)


def _hold(layer: CrossbarLayer, weights: Floats, upper: Floats, lower: Floats) -> CrossbarLayer:
    pos, neg = np.where(weights >= 0, upper, lower), np.where(weights >= 0, lower, upper)
    return replace(layer, trim_pos=pos - layer.g_pos, trim_neg=neg - layer.g_neg)
