"""From the mapped network to the circuit: crossbars, word line drivers, one neuron cell per column.

Node names say what and where, layers from 1, rows and neurons from 0::

    wl_l1_r5     word line, row 5 of layer 1         bias_l1      its bias row
    bp_l1_n3     positive bit line of neuron 3       bn_l1_n3     negative bit line
    mem_l1_n3    membrane                            spike_l1_n3  latched spike

The layout gives its nets the same names.
"""

from __future__ import annotations

import math

import numpy as np

from snn2circuit.errors import NetlistError
from snn2circuit.ir.circuit import Block, Circuit, Crossbar, GatedVoltage, Instance, Readout, Transient
from snn2circuit.ir.crossbar import CrossbarLayer, CrossbarNetwork
from snn2circuit.ir.noun import Floats
from snn2circuit.netlist.stimulus import bias_block, clock_block, input_block

STEPS_PER_SLOT = 20  # at least, so that every pulse is seen
INTEGRATION_ERROR = 1e-5  # of a membrane, per slot


def build_circuit(crossbar: CrossbarNetwork, inputs: Floats, title: str) -> Circuit:
    """The whole circuit for one sample.

    Args:
        crossbar: the mapped network.
        inputs: dimensionless drive ``(steps, inputs)``.
        title: first line of the deck.

    Raises:
        NetlistError: the inputs do not fit the network, or drive a membrane past the supply rails.
    """
    inputs = np.asarray(inputs, dtype=np.float64)
    if inputs.ndim != 2 or inputs.shape[0] < 1 or inputs.shape[1] != crossbar.sizes[0] or not np.isfinite(inputs).all():
        raise NetlistError(
            f"inputs have shape {inputs.shape}; the circuit takes finite numbers (steps, {crossbar.sizes[0]})"
        )
    check_rails(crossbar, inputs)
    steps, timing = inputs.shape[0], crossbar.timing
    layers = list(enumerate(crossbar.layers, start=1))
    readout = Readout(
        timing=timing,
        steps=steps,
        membranes=tuple(tuple(f"mem_l{n}_n{j}" for j in range(layer.columns)) for n, layer in layers),
        spikes=tuple(tuple(f"spike_l{n}_n{j}" for j in range(layer.columns)) for n, layer in layers),
        volts_per_unit=tuple(layer.volts_per_unit for _, layer in layers),
    )
    return Circuit(
        title=title,
        subcircuits=tuple(
            layer.neuron.cell(f"{layer.neuron.kind}_l{n}", layer.drive(timing, crossbar.v_read)) for n, layer in layers
        ),
        network=tuple(block for n, layer in layers for block in _layer_blocks(crossbar, n, layer)),
        stimulus=(clock_block(timing), bias_block(crossbar), input_block(crossbar, inputs)),
        transient=Transient(stop=timing.stop(steps, len(layers)), max_step=_longest_step(crossbar)),
        readout=readout,
    )


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


def _layer_blocks(crossbar: CrossbarNetwork, number: int, layer: CrossbarLayer) -> list[Block]:
    rows = [f"wl_l{number}_r{row}" for row in range(layer.inputs)]
    blocks = []
    if number > 1:
        drivers = tuple(
            GatedVoltage(
                name=f"drive_l{number}_r{row}",
                out=node,
                enable=f"spike_l{number - 1}_n{row}",
                gate="phi",
                amplitude=crossbar.v_read,
            )
            for row, node in enumerate(rows)
        )
        blocks.append(
            Block(
                comment=f"layer {number}: word line drivers, a spike of layer {number - 1} is {crossbar.v_read:g} V",
                elements=drivers,
            )
        )
    if layer.has_bias:
        rows.append(f"bias_l{number}")
    pos, neg = ([f"b{sign}_l{number}_n{column}" for column in range(layer.columns)] for sign in "pn")
    array = Crossbar(
        name=f"l{number}",
        word_lines=tuple(rows),
        bits_pos=tuple(pos),
        bits_neg=tuple(neg),
        g_pos=layer.g_pos,
        g_neg=layer.g_neg,
    )
    cells = tuple(
        Instance(
            name=f"l{number}_n{column}",
            subcircuit=f"{layer.neuron.kind}_l{number}",
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
        for column in range(layer.columns)
    )
    return [
        *blocks,
        Block(
            comment=f"layer {number}: crossbar, {layer.rows} word lines x {layer.columns} pairs of bit lines",
            elements=(array,),
        ),
        Block(comment=f"layer {number}: {layer.columns} neurons", elements=cells),
    ]
