"""Circuits to be solved twice: exactly and in ngspice; and ways to change what is in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from snn2circuit.devices import DEVICES
from snn2circuit.ir.circuit import Amplifier, Circuit, Element
from snn2circuit.ir.files import save
from snn2circuit.ir.network import Layer, Network, Stimulus
from snn2circuit.ir.parasitics import uniform_parasitics
from snn2circuit.ir.parts import Neuron
from snn2circuit.ir.waveforms import Netlist, Waveforms
from snn2circuit.mapping import map_network
from snn2circuit.netlist import DIALECTS, build_circuit
from snn2circuit.simulate import simulate_netlist


def two_layers(
    neuron: Neuron, drive: float, *, steps: int = 20, wires: dict[str, float] | None = None, seed: int = 3
) -> tuple[Circuit, Stimulus]:
    """A 2-4-1 network whose inputs change in every step, and the stimulus its circuit was built for."""
    rng = np.random.default_rng(seed)
    layers = tuple(
        Layer(
            weight=rng.normal(0.3, 0.8, (outputs, inputs)) * drive * neuron.threshold,
            bias=rng.normal(0.2, 0.2, outputs) * drive * neuron.threshold,
            neuron=neuron,
        )
        for inputs, outputs in ((2, 4), (4, 1))
    )
    inputs = rng.uniform(-0.3, 1.3, (1, steps, 2))
    crossbar = map_network(
        Network(name="two", layers=layers, steps=steps),
        DEVICES["printed_resistor_kit"],
        v_rail=10.0,
        inputs=inputs.reshape(-1, 2),
    )
    stimulus = Stimulus(inputs=inputs, labels=np.array([-1]), indices=np.array([0]))
    parasitics = uniform_parasitics(crossbar, **wires, source="a test") if wires else None
    return build_circuit(crossbar, inputs[0], "two layers", parasitics=parasitics), stimulus


def in_ngspice(circuit: Circuit, folder: Path, *, finer: float = 1.0) -> Waveforms:
    """The referee's waveforms, with time steps ``finer`` times as short as the circuit asks for."""
    analysis = replace(circuit.transient, max_step=circuit.transient.max_step / finer)
    circuit = replace(circuit, transient=analysis)
    writer = DIALECTS["ngspice"]
    files = {**writer.shared(circuit), **writer.sample(circuit, "sample_0")}
    for name, text in files.items():
        (folder / name).write_text(text)
    steps = circuit.readout.steps
    stimulus = Stimulus(inputs=np.zeros((1, steps, 1)), labels=np.array([-1]), indices=np.array([0]))
    save(Netlist(decks=("sample_0.cir",), stimulus=stimulus, readout=circuit.readout), folder / "netlist.npz")
    return simulate_netlist(folder, time_limit=120)


def change(circuit: Circuit, edit: Callable[[Element], Element | None]) -> Circuit:
    """The circuit with every element of its cells and network edited; ``None`` removes it."""

    def edited(blocks: tuple) -> tuple:  # type: ignore[type-arg]
        return tuple(
            replace(block, elements=tuple(new for each in block.elements if (new := edit(each)) is not None))
            for block in blocks
        )

    cells = tuple(replace(each, blocks=edited(each.blocks)) for each in circuit.subcircuits)
    return replace(circuit, subcircuits=cells, network=edited(circuit.network))


def with_amplifiers(circuit: Circuit, **part: float) -> Circuit:
    """Every ideal amplifier of the column front ends replaced by a real one."""

    def edit(element: Element) -> Element:
        if isinstance(element, Amplifier) and element.name in ("inverter", "summer"):
            return Amplifier(name=element.name, out=element.out, plus=element.plus, minus=element.minus, **part)
        return element

    return change(circuit, edit)


def differences(one: Waveforms, other: Waveforms) -> tuple[int, float]:
    """Spikes that differ, and the largest difference of a membrane in its layer's units."""
    spikes = sum(int((a != b).sum()) for a, b in zip(one.spikes, other.spikes, strict=True))
    scales = one.readout.volts_per_unit
    return spikes, max(
        float(np.abs(a - b).max()) / scale for a, b, scale in zip(one.membranes, other.membranes, scales, strict=True)
    )
