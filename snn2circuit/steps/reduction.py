r"""Norton equivalents of crossbars, without the loads that virtual grounds make irrelevant.

An equivalent is exact, since every device and every line is a linear resistor. Where word lines have resistance, its
``load`` joins every two bit lines, and ngspice's matrix fills up: 784-100-10 takes 20,090 resistors and does not end.
Yet bit lines end at the inputs of op-amps of gain ``A``. With their outputs between the rails the ends stay within
``u = v_rail / A`` of ground, so through what joins line ``j`` with the others flow at most ``u · sum_k load[j, k]``.

A weighted input of 1 is a current of ``siemens_per_unit · v_read``. An error of ``i`` in each of a neuron's two lines
is one of ``2 i / (siemens_per_unit · v_read)`` in its input. Held for all steps it moves the membrane by that times the
sum ``S`` of what an input leaves behind, step after step (:func:`memory`). So

    i = UNNOTICED · threshold · siemens_per_unit · v_read / (2 S)

is allowed in a line. With ideal op-amps, ``A`` = 1e10, the mutual loads of printed crossbars are below that. Real
op-amps keep every load: their gain is too low for the bound, and while one settles its input is no ground at all.
"""

from __future__ import annotations

import numpy as np

from snn2circuit.analysis.advisor import REDUCTIONS
from snn2circuit.ir.circuit import NortonCrossbar
from snn2circuit.ir.crossbar import CrossbarLayer, CrossbarNetwork
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.parasitics import Parasitics
from snn2circuit.ir.parts import Neuron
from snn2circuit.ir.per_neuron import numbers
from snn2circuit.netlist import bit_lines, crossbar_arrays
from snn2circuit.neurons.cells import OPEN_LOOP_GAIN
from snn2circuit.simulate.crossbar import drop_mutual_loads, reduce_crossbar

UNNOTICED = 1e-6  # of a threshold
IMPULSE = 1e-9  # of a unit input; nothing spikes


def reduce_crossbars(
    crossbar: CrossbarNetwork, parasitics: Parasitics | None = None, layers: str = "all"
) -> dict[str, NortonCrossbar]:
    """Norton equivalents, by name, of the ``first`` layer's crossbars, of ``all``, or of ``none``.

    They move no membrane by more than :data:`UNNOTICED` of its threshold.
    """
    groups = crossbar_arrays(crossbar, parasitics)[: REDUCTIONS[layers]]
    found = {}
    for number, (layer, group) in enumerate(zip(crossbar.layers, groups, strict=False), start=1):
        ends = {name for lines in bit_lines(number, layer) for name in lines}
        for array in group:
            reduced = reduce_crossbar(array)
            if crossbar.electronics.ideal_amplifiers and ends.issuperset(array.bits):  # joints of tiles are no grounds
                volts = crossbar.v_rail / OPEN_LOOP_GAIN
                reduced = drop_mutual_loads(reduced, volts, allowed_current(crossbar, layer) / len(group))
            found[array.name] = reduced
    return found


def allowed_current(crossbar: CrossbarNetwork, layer: CrossbarLayer) -> float:
    """Error of a bit line's current, A, that moves no membrane of ``layer`` by more than :data:`UNNOTICED`."""
    drive = crossbar.drive(layer)
    share = numbers(layer.neuron.threshold) / memory(layer.neuron, layer.columns, crossbar.steps)
    return float(UNNOTICED * np.min(share) * drive.siemens_per_unit * drive.v_read / 2)


def memory(neuron: Neuron, neurons: int, steps: int) -> Floats:
    """Sum over ``steps`` of the size of a membrane after an input of 1 in the first, ``(neurons,)``."""
    state, total = neuron.start((neurons,)), np.zeros(neurons)
    for step in range(steps):
        state = neuron.advance(state, np.full(neurons, 0.0 if step else IMPULSE))
        total += np.abs(state[0]) / IMPULSE
    return total
