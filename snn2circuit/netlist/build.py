"""From the mapped network to the circuit: crossbars, word line drivers, one neuron cell per column.

Node names say what and where, layers from 1, rows and neurons from 0::

    wl_l1_r5     word line, row 5 of layer 1         bias_l1      its bias row
    bp_l1_n3     positive bit line of neuron 3       bn_l1_n3     negative bit line
    mem_l1_n3    membrane                            spike_l1_n3  latched spike

The neurons of a layer are instances of one cell, ``leaky_l1``. If their parameters differ there is a cell for every set
of them, named after the first neuron that has it: ``leaky_l1_n0``, ``leaky_l1_n3``, ...

The layout gives its nets the same names. A layer's crossbar is called ``l1``; if it is cut into tiles, they are
``l1_t0``, ``l1_t1``, ... row by row. Every tile has word lines of its own, driven by the same sources; bit lines of
tiles above one another meet at the neuron's virtual ground, which keeps the voltage drop along them bounded. Where they
are known to share a piece of line before, ``jp_l1_t1_n3`` is the joint where the positive bit line of tile 1 and neuron
3 meets those of the tiles before.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from snn2circuit.errors import NetlistError
from snn2circuit.ir.circuit import (
    Block,
    Circuit,
    Crossbar,
    GatedVoltage,
    Instance,
    NortonCrossbar,
    Readout,
    Resistor,
    Subcircuit,
    Transient,
)
from snn2circuit.ir.crossbar import CrossbarLayer, CrossbarNetwork
from snn2circuit.ir.lines import PIECES
from snn2circuit.ir.noun import Floats, Ints
from snn2circuit.ir.parasitics import Parasitics
from snn2circuit.ir.per_neuron import distinct_neurons
from snn2circuit.netlist.crossbars import Part, bit_line_joints, bit_lines, crossbar_arrays, crossbar_parts
from snn2circuit.netlist.stimulus import bias_block, clock_block, column_block, input_block

STEPS_PER_SLOT = 20  # at least, so that every pulse is seen
INTEGRATION_ERROR = 1e-5  # of a membrane, per slot


def build_circuit(
    crossbar: CrossbarNetwork,
    inputs: Floats,
    title: str,
    *,
    parasitics: Parasitics | None = None,
    reduced: Mapping[str, NortonCrossbar] | None = None,
) -> Circuit:
    """The whole circuit for one sample.

    Args:
        crossbar: the mapped network.
        inputs: dimensionless drive ``(steps, inputs)``.
        title: first line of the deck.
        parasitics: resistance of lines and drivers; ``None``: ideal ones.
        reduced: equivalents, by name, that stand in for crossbars of :func:`crossbar_arrays`, for whole layers. A
            reduced first layer has no word lines either: the stimulus drives its bit lines.

    Raises:
        NetlistError: the inputs, parasitics or equivalents do not fit the network, or a membrane leaves the rails.
    """
    inputs = np.asarray(inputs, dtype=np.float64)
    if inputs.ndim != 2 or inputs.shape[0] < 1 or inputs.shape[1] != crossbar.sizes[0] or not np.isfinite(inputs).all():
        raise NetlistError(
            f"inputs have shape {inputs.shape}; the circuit takes finite numbers (steps, {crossbar.sizes[0]})"
        )
    check_rails(crossbar, inputs)
    steps, timing = inputs.shape[0], crossbar.timing
    layers = list(enumerate(crossbar.layers, start=1))
    arrays = [_stand_in(group, reduced or {}) for group in crossbar_arrays(crossbar, parasitics)]
    first = [array for array in arrays[0] if isinstance(array, NortonCrossbar)]
    if first:
        arrays[0] = tuple(replace(array, word_lines=(), transfer=array.transfer[:0]) for array in first)
        sources = (bias_block(crossbar, first=2), column_block(crossbar, inputs, first))
    else:
        sources = (bias_block(crossbar), input_block(crossbar, inputs))
    cells = neuron_cells(crossbar)
    readout = Readout(
        timing=timing,
        steps=steps,
        membranes=tuple(tuple(f"mem_l{n}_n{j}" for j in range(layer.columns)) for n, layer in layers),
        spikes=tuple(tuple(f"spike_l{n}_n{j}" for j in range(layer.columns)) for n, layer in layers),
        volts_per_unit=tuple(layer.volts_per_unit for _, layer in layers),
    )
    return Circuit(
        title=title,
        subcircuits=tuple(cell for each in cells for cell in each.cells),
        network=tuple(
            block
            for (n, layer), own, group, joints in zip(
                layers, cells, arrays, bit_line_joints(crossbar, parasitics), strict=True
            )
            for block in _layer_blocks(crossbar, n, layer, own, group, joints, crossbar_parts(n, layer, parasitics))
        ),
        stimulus=(clock_block(timing), *sources),
        transient=Transient(stop=timing.stop(steps, len(layers)), max_step=_longest_step(crossbar)),
        readout=readout,
        inputs=() if first else tuple(f"wl_l1_r{row}" for row in range(crossbar.sizes[0])),
        volts_per_input=crossbar.v_read,
    )


class LayerCells(NamedTuple):
    """The different neuron cells of a layer, and which of them each neuron is."""

    cells: tuple[Subcircuit, ...]
    kinds: Ints  # (neurons,)


def neuron_cells(crossbar: CrossbarNetwork) -> tuple[LayerCells, ...]:
    """The sized neuron cells of each layer."""
    found = []
    for number, layer in enumerate(crossbar.layers, start=1):
        name, drive = _cell_name(layer, number), crossbar.drive(layer)
        neurons, kinds = distinct_neurons(layer.neuron, layer.columns)
        firsts = np.unique(kinds, return_index=True)[1].tolist()
        names = [name] if len(neurons) == 1 else [f"{name}_n{first}" for first in firsts]
        cells = tuple(neuron.cell(own, drive) for own, neuron in zip(names, neurons, strict=True))
        found.append(LayerCells(cells, kinds))
    return tuple(found)


def check_rails(crossbar: CrossbarNetwork, inputs: Floats) -> None:
    """Refuse a sample ``(steps, inputs)`` that would drive a neuron past the rails."""
    peaks = crossbar.network().largest_states(inputs[None])
    for number, (layer, peak) in enumerate(zip(crossbar.layers, peaks, strict=True), start=1):
        if peak * layer.volts_per_unit > crossbar.v_rail:
            raise NetlistError(
                f"layer {number}: this sample drives a neuron to {peak:.4g} units = "
                f"{peak * layer.volts_per_unit:.4g} V, the rails are at {crossbar.v_rail:g} V; map again with this "
                "sample among the calibration data, or with higher rails"
            )


def _longest_step(crossbar: CrossbarNetwork) -> float:
    """Longest time step, s, with which the trapezoidal rule keeps membranes within :data:`INTEGRATION_ERROR`.

    On ``exp(-t/tau)`` a step ``h`` errs by ``(h/tau)³/12``, the rule's local error in any text on numerical
    integration, so a slot ``T`` of ``T/h`` steps errs by ``T h² / (12 tau³)``: ``h = sqrt(12 · error · tau³ / T)``.
    """
    slot = crossbar.timing.slot
    tau = min(layer.neuron.fastest(crossbar.timing) for layer in crossbar.layers)
    return min(slot / STEPS_PER_SLOT, math.sqrt(12 * INTEGRATION_ERROR * tau**3 / slot))


def _stand_in(
    arrays: tuple[Crossbar, ...], reduced: Mapping[str, NortonCrossbar]
) -> tuple[Crossbar | NortonCrossbar, ...]:
    """The arrays of a layer, or the equivalents that stand in for all of them."""
    given = [reduced[array.name] for array in arrays if array.name in reduced]
    if not given:
        return arrays
    for array, equivalent in zip(arrays, given, strict=False):
        if (array.word_lines, array.bits) != (equivalent.word_lines, equivalent.bits):
            raise NetlistError(f"the equivalent of crossbar {array.name} has other word lines or bit lines than it")
    if len(given) < len(arrays):
        raise NetlistError(
            f"crossbar {arrays[0].name}: only {len(given)} of its layer's {len(arrays)} tiles are reduced"
        )
    return tuple(given)


def _layer_blocks(
    crossbar: CrossbarNetwork,
    number: int,
    layer: CrossbarLayer,
    neurons: LayerCells,
    arrays: tuple[Crossbar | NortonCrossbar, ...],
    joints: tuple[Resistor, ...],
    parts: list[Part],
) -> list[Block]:
    blocks = []
    if number > 1:
        drivers = tuple(
            GatedVoltage(
                name=f"drive_l{number}_r{row}",
                out=f"wl_l{number}_r{row}",
                enable=f"spike_l{number - 1}_n{row}",
                gate="phi",
                amplitude=crossbar.v_read,
            )
            for row in range(layer.inputs)
        )
        blocks.append(
            Block(
                name=f"drivers_l{number}",
                comment=f"layer {number}: word line drivers, a spike of layer {number - 1} is {crossbar.v_read:g} V",
                elements=drivers,
            )
        )
    pos, neg = bit_lines(number, layer)
    names = [cell.name for cell in neurons.cells]
    parameters = f" with {len(names)} sets of parameters" if len(names) > 1 else ""
    instances = tuple(
        Instance(
            name=f"l{number}_n{column}",
            subcircuit=names[kind],
            nodes=(
                pos[column],
                neg[column],
                "phi",
                "sample",
                "latch",
                "discharge",
                f"mem_l{number}_n{column}",
                f"spike_l{number}_n{column}",
            ),
        )
        for column, kind in enumerate(neurons.kinds.tolist())
    )
    return [
        *blocks,
        *(
            _array_block(number, layer, index, part, array)
            for index, (part, array) in enumerate(zip(parts, arrays, strict=True))
        ),
        *(
            [Block(name=f"joints_l{number}", comment=f"layer {number}: joints of the tiles", elements=joints)]
            if joints
            else []
        ),
        Block(
            name=f"neurons_l{number}",
            comment=f"layer {number}: {layer.columns} neurons{parameters}",
            elements=instances,
        ),
    ]


def _array_block(number: int, layer: CrossbarLayer, index: int, part: Part, array: Crossbar | NortonCrossbar) -> Block:
    columns = part.columns
    if part.rows.size < layer.rows or columns.stop - columns.start < layer.columns:
        what = (
            f"tile {index}, rows {part.rows.min()} to {part.rows.max()}, neurons {columns.start} to {columns.stop - 1}"
        )
    else:
        what = f"crossbar, {layer.rows} word lines x {layer.columns} pairs of bit lines"
    if isinstance(array, NortonCrossbar):
        what += ", reduced to its Norton equivalent"
    elif not array.lines.ideal:
        what += f"; ohms of {', '.join(f'{name} {_range(getattr(array.lines, name))}' for name in PIECES)}"
    return Block(name=f"crossbar_{array.name}", comment=f"layer {number}: {what}", elements=(array,))


def _range(values: Floats) -> str:
    if not len(values):
        return "none"
    least, most = f"{values.min():.4g}", f"{values.max():.4g}"
    return least if least == most else f"{least} to {most}"


def _cell_name(layer: CrossbarLayer, number: int) -> str:
    """Name of the neuron subcircuit of layer ``number``, whatever word a user's own neuron has for a kind."""
    word = re.sub(r"[^a-z0-9]+", "_", layer.neuron.kind.lower()).strip("_")[:40] or "neuron"
    return f"{word}_l{number}"
