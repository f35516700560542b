"""Plots of model over circuit, and of a device being programmed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from snn2circuit.analysis.compare import circuit_activity
from snn2circuit.analysis.memristors import DeviceTrace, Programming
from snn2circuit.errors import CompareError
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.files import atomic
from snn2circuit.ir.network import Activity
from snn2circuit.ir.per_neuron import value_at
from snn2circuit.ir.waveforms import Waveforms

NEURONS_SHOWN = 2  # per layer


def plot_waveforms(crossbar: CrossbarNetwork, waveforms: Waveforms, path: Path) -> None:
    """Membranes and spikes of a few neurons of the first sample, model over circuit, as a PNG.

    Shown are the neurons of each layer that change most often between spiking and silence. The model has one value a
    step; it is drawn where the circuit is sampled, at the end of the step's slot.

    Raises:
        CompareError: the waveforms hold no full traces of their first sample.
    """
    if not len(waveforms.time):
        raise CompareError("full traces are kept of the first simulated sample only; choose that one first to plot it")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    network = crossbar.network()
    model, circuit = network.run(waveforms.stimulus.inputs[:1]), circuit_activity(waveforms)
    shown = [(layer, neuron) for layer in range(len(network.layers)) for neuron in _liveliest(model, layer)]
    figure = Figure(figsize=(11, 2.1 * len(shown) + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = np.atleast_1d(figure.subplots(len(shown), 1, sharex=True))
    timing, nodes = waveforms.readout.timing, waveforms.readout.nodes
    for axis, (layer, neuron) in zip(axes, shown, strict=True):
        scale = waveforms.readout.volts_per_unit[layer]
        threshold = value_at(network.layers[layer].neuron.threshold, neuron)
        trace = waveforms.traces[nodes.index(waveforms.readout.membranes[layer][neuron])] / scale
        ends = np.array([timing.end(step, layer) for step in range(waveforms.readout.steps)]) * 1e3
        axis.plot(waveforms.time * 1e3, trace, color="#1769aa", linewidth=1.1, label="circuit, V(mem) / V per unit")
        axis.plot(
            ends,
            model.membranes[layer][0, :, neuron],
            "o",
            color="#e2711d",
            markersize=4.5,
            fillstyle="none",
            label="model, end of step",
        )
        axis.axhline(threshold, color="#888888", linewidth=0.8, linestyle="--", label="threshold")
        top = max(trace.max(), threshold)
        step_up = 0.12 * (top - trace.min())
        for activity, height, color, marker, name in (
            (model, 1, "#e2711d", "v", "spikes, model"),
            (circuit, 2, "#1769aa", "|", "spikes, circuit"),
        ):
            times = ends[activity.spikes[layer][0, :, neuron]]
            axis.plot(times, np.full(len(times), top + height * step_up), marker, color=color, markersize=7, label=name)
        axis.set_ylabel(f"layer {layer + 1}\nneuron {neuron}\nmembrane")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].legend(loc="lower left", bbox_to_anchor=(0, 1.02), ncols=5, frameon=False, fontsize=8)
    axes[-1].set_xlabel("time / ms")
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png", metadata={"Software": None})


def _liveliest(model: Activity, layer: int) -> list[int]:
    changes = np.diff(model.spikes[layer][0], axis=0).sum(axis=0)
    return sorted(np.argsort(-changes, kind="stable")[:NEURONS_SHOWN].tolist())


def plot_programming(programming: Programming, trace: DeviceTrace, loop: DeviceTrace, path: Path) -> None:
    """A write-and-verify run as a PNG: waveform and state, the conductance read after each pulse, the device's loop.

    Args:
        programming: the run.
        trace: the device under its waveform.
        loop: the device under a triangle, drawn as current over voltage.
        path: file to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 6), layout="constrained")
    FigureCanvasAgg(figure)
    ((wave, level), (state, pinched)) = figure.subplots(2, 2)
    wave.plot(trace.time * 1e3, trace.voltage, color="#1769aa", linewidth=0.9)
    wave.set(xlabel="time / ms", ylabel="voltage / V")
    state.plot(trace.time * 1e3, trace.state, color="#1769aa")
    state.set(xlabel="time / ms", ylabel="state", ylim=(-0.02, 1.02))
    level.plot(programming.conductances * 1e3, "o-", color="#e2711d", markersize=3.5)
    level.axhline(programming.target * 1e3, color="#888888", linewidth=0.8, linestyle="--")
    level.set(xlabel="pulse", ylabel="conductance read / mS")
    pinched.plot(loop.voltage, loop.current * 1e3, color="#1769aa")
    pinched.set(xlabel="voltage / V", ylabel="current / mA")
    with atomic(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110, metadata={"Software": None})
