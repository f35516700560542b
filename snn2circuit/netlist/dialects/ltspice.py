"""A folder that a person opens in LTspice, and that any SPICE reading the portable subset runs as well.

For every sample there is ``NAME.net``, the whole circuit flat and complete in one file; ``NAME.asc``, the same circuit
as a schematic of blocks, with ``NAME.lib`` for its stimulus; and ``NAME.plt``, which shows the right traces when the
run ends. ``models.lib`` and the symbols (``*.asy``) serve all samples. ``README.txt`` says where to look.

LTspice compresses waveforms with loss and stores them as 32 bit floats unless told otherwise: ``plotwinsize=0`` keeps
every time point, ``numdgt=7`` asks for 64 bits (help pages ".OPTIONS" and "Compression"). ngspice passes over both.
"""

from __future__ import annotations

import dataclasses

from snn2circuit.ir.circuit import Circuit
from snn2circuit.netlist.dialects.elements import (
    analysis_lines,
    block_lines,
    model_lines,
    one_line,
    save_lines,
    subcircuit_lines,
)
from snn2circuit.netlist.dialects.schematic import block_cells, schematic, symbols
from snn2circuit.netlist.flatten import flatten

MODELS, GUIDE = "models.lib", "README.txt"
LOSSLESS = ".options plotwinsize=0 numdgt=7"
SHOWN = 10  # neurons of the last layer in the plot


class Ltspice:
    """The dialect of LTspice XVII and later."""

    name = "ltspice"

    def shared(self, circuit: Circuit) -> dict[str, str]:
        """Models, symbols and the guide."""
        cells = (*circuit.subcircuits, *block_cells(circuit, circuit.network))
        lines = ["* models of the schematics: switches, neuron cells, drivers and crossbars", "", *model_lines(circuit)]
        for cell in cells:
            lines += ["", *subcircuit_lines(cell)]
        return {MODELS: "\n".join(lines) + "\n", GUIDE: _guide(circuit), **symbols(circuit)}

    def sample(self, circuit: Circuit, stem: str) -> dict[str, str]:
        """Flat netlist, schematic with its stimulus, and plot settings."""
        stimulus = ["* stimulus of the schematic: clocks, bias and input lines"]
        for cell in block_cells(circuit, circuit.stimulus):
            stimulus += ["", *subcircuit_lines(cell)]
        directives = [
            f".include {MODELS}",
            f".include {stem}.lib",
            LOSSLESS,
            *analysis_lines(circuit.transient)[1:],
            *save_lines(circuit.readout),
        ]
        return {
            f"{stem}.net": _netlist(circuit),
            f"{stem}.lib": "\n".join(stimulus) + "\n",
            f"{stem}.asc": schematic(circuit, directives),
            f"{stem}.plt": _plot_settings(circuit),
        }


def _netlist(circuit: Circuit) -> str:
    flat = flatten(circuit)
    models = model_lines(flat)
    lines = [
        f"* {one_line(circuit.title)}",
        *(["", "* switches", *models] if models else []),
        *block_lines((*flat.stimulus, *flat.network)),
        "",
        *analysis_lines(circuit.transient),
        LOSSLESS,
        *save_lines(circuit.readout),
        ".end",
    ]
    return "\n".join(lines) + "\n"


def _plot_settings(circuit: Circuit) -> str:
    """Two panes: membranes above, latched spikes below, of the last layer's first neurons."""
    stop = circuit.transient.stop
    panes = []
    for nodes in (circuit.readout.membranes[-1][:SHOWN], circuit.readout.spikes[-1][:SHOWN]):
        # The low half of the number is the trace's colour, the high half says that it is a voltage.
        traces = " ".join(f'{{{0x80002 + index},0,"V({node})"}}' for index, node in enumerate(nodes))
        panes.append(
            "   {\n"
            f"      traces: {len(nodes)} {traces}\n"
            f"      X: ('m',0,0,{stop / 10:.6g},{stop:.6g})\n"
            "      Y[0]: (' ',1,1e+308,0.1,-1e+308)\n"
            "      Y[1]: ('_',0,1e+308,0,-1e+308)\n"
            "      Volts: (' ',0,0,1,0,0.1,1)\n"
            "      Log: 0 0 0\n"
            "      GridStyle: 1\n"
            "   }"
        )
    body = ",\n".join(panes)
    return f"[Transient Analysis]\n{{\n   Npanes: 2\n{body}\n}}\n"


def _guide(circuit: Circuit) -> str:
    readout = circuit.readout
    layers = len(readout.membranes)
    scales = "\n".join(
        f"  layer {layer}: V(mem_l{layer}_n0) to V(mem_l{layer}_n{len(nodes) - 1}), {volts:.6g} V stand for 1; "
        f"spikes V(spike_l{layer}_n...), 0 or 1 V"
        for layer, (nodes, volts) in enumerate(zip(readout.membranes, readout.volts_per_unit, strict=True), start=1)
    )
    slot = dataclasses.astuple(readout.timing)[0]
    return f"""\
A spiking network as a circuit, for LTspice.

Open    sample_0.asc (schematic) or sample_0.net (the same circuit, flat), and press Run.
Look at V(mem_l{layers}_n0) and V(spike_l{layers}_n0), the first output neuron; sample_0.plt shows the output layer.

The circuit is clocked in slots of {slot:g} s. Layer l (from 1) performs step t (from 0) of the network in the slot that
begins at (t + l - 1) * {slot:g} s. At the end of that slot its membranes stand at
{scales}
and just after it the spike of that step is latched, and stays for one slot.

The run takes {readout.steps} steps and ends at {circuit.transient.stop:g} s. To judge the waveforms:

  snn2circuit compare CROSSBAR.npz --raw sample_0.raw

The circuit starts from discharged capacitors (uic). Keep plotwinsize=0: LTspice's compression moves the samples.
"""
