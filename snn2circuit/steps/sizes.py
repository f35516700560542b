"""Sizes are refused from the design alone, before anything is trained and before memory is asked for.

How large every layer will be follows from the design and the shape of the samples. So a stand-in of the same sizes, its
weights all alike, goes through the very checks that the trained network would meet hours later: those of the mapper, of
the advisor and of the floor plan.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from snn2circuit.analysis.advisor import advise
from snn2circuit.analysis.ngspice_cost import REFERENCE
from snn2circuit.design import Design
from snn2circuit.electronics import select
from snn2circuit.errors import DesignError, MappingError, SimulationError, Snn2CircuitError
from snn2circuit.ir.crossbar import CrossbarLayer, CrossbarNetwork
from snn2circuit.ir.dataset import Dataset
from snn2circuit.ir.network import Stimulus
from snn2circuit.ir.parasitics import uniform_parasitics
from snn2circuit.ir.timing import Timing
from snn2circuit.layout.build import plan_layout
from snn2circuit.mapping import Unrolled, check_devices, cut_tiles
from snn2circuit.mapping.quantize import device_levels
from snn2circuit.steps.circuit import count_samples, design_device
from snn2circuit.steps.stack import find_process
from snn2circuit.steps.training import design_recipe
from snn2circuit.training.architecture import layer_sizes
from snn2circuit.training.memory import available_memory, check_memory, gib

STAND_IN = 2_000_000  # devices that a stand-in may have; more would take seconds and hundreds of megabytes to look at


def check_sizes(design: Design, dataset: Dataset, *, whole: bool = True) -> None:
    """Refuse a design whose sizes cannot be trained, mapped, simulated or printed.

    Args:
        design: what is wanted.
        dataset: whose samples set the outer sizes.
        whole: whether everything will be done; without it, nothing is held against the simulation's budget and the
            printing process, which a network that is only trained may never meet.

    Raises:
        DesignError: several checks fail; each is named with its key, the value, the limit and the way out.
        Snn2CircuitError: one does, with the error that its own stage would raise.
    """
    layers, section = unrolled_design(design, dataset), design.simulation
    found = _failures(
        lambda: check_memory(dataset, design_recipe(design, dataset)),
        lambda: check_devices(layers, design.device.max_devices),
        lambda: _check_mapped_memory(layers),
        lambda: count_samples(dataset, section.samples, section.first),
    )
    if whole and not found:
        samples = count_samples(dataset, section.samples, section.first)
        design = replace(design, simulation=replace(section, samples=samples))
    if whole:
        found += _failures(lambda: _check_many_cards(design, layers))
    if whole and not found and sum(each.devices for each in layers) <= STAND_IN:
        crossbar = stand_in(design, dataset, layers)
        found = _failures(
            lambda: plan_layout(crossbar, find_process(design.layout.process), design.layout.mode),
            lambda: _check_budget(design, crossbar),
        )
    if len(found) == 1:
        raise found[0]
    if found:
        raise DesignError("the design asks for too much: " + "; and ".join(map(str, found)))


def unrolled_design(design: Design, dataset: Dataset) -> tuple[Unrolled, ...]:
    """What every layer of the design takes as a crossbar.

    Raises:
        TrainingError: the convolution does not fit the samples.
    """
    network = design.network
    widths = (*network.hidden, len(dataset.classes))
    sizes = layer_sizes(dataset.shape, network.convolution, widths, bias=network.bias)
    return tuple(
        Unrolled(layer=number, rows=size.inputs + network.bias, columns=size.outputs)
        for number, size in enumerate(sizes, start=1)
    )


def stand_in(design: Design, dataset: Dataset, layers: tuple[Unrolled, ...]) -> CrossbarNetwork:
    """A mapped network of the design's sizes whose devices lie at the two ends of the range."""
    device, section = design_device(design), design.device
    levels = device_levels(device, section.levels, section.spacing)
    recipe = design_recipe(design, dataset)
    made = []
    for size, neuron in zip(layers, recipe.neurons, strict=True):
        low, high = (np.full((size.rows, size.columns), level) for level in (levels[0], levels[-1]))
        zero = np.zeros((size.rows, size.columns), dtype=np.int64)
        made.append(
            CrossbarLayer(
                trained=np.zeros((size.rows, size.columns)),
                target_pos=high,
                target_neg=low,
                level_pos=zero + len(levels) - 1,
                level_neg=zero,
                g_pos=high,
                g_neg=low,
                has_bias=design.network.bias,
                siemens_per_unit=float(levels[-1]) * size.rows * 1e6,
                volts_per_unit=1e-9,
                r_feedback=1.0,
                neuron=neuron,
            )
        )
    crossbar = CrossbarNetwork(
        name=dataset.name,
        layers=tuple(made),
        device=device,
        levels=levels,
        spacing=section.spacing,
        steps=design.network.steps,
        dataset=dataset.name,
        timing=Timing(slot=design.circuit.slot),
        v_rail=design.circuit.v_rail,
        scale_basis="bound",
        electronics=select(design.circuit.electronics),
        family=design.circuit.family,
    )
    return cut_tiles(crossbar, rows=design.circuit.tile_rows, columns=design.circuit.tile_columns)


def _failures(*checks: Callable[[], object]) -> list[Snn2CircuitError]:
    found = []
    for check in checks:
        try:
            check()
        except Snn2CircuitError as error:
            found.append(error)
    return found


def _check_mapped_memory(layers: tuple[Unrolled, ...]) -> None:
    needed, available = sum(each.bytes for each in layers), available_memory()
    if needed > available:
        raise MappingError(
            f"the mapped network takes {gib(needed)} of memory for its conductances and levels, {gib(available)} are "
            "free here: take fewer or smaller layers"
        )


def _check_many_cards(design: Design, layers: tuple[Unrolled, ...]) -> None:
    """Refuse what is beyond any machine: each device is a card at least, whatever else a deck holds."""
    section, law = design.simulation, REFERENCE.kinds["ideal"]
    cards = sum(each.devices for each in layers)
    if section.solver != "ngspice" or not section.budget or section.reduce != "none" or cards <= STAND_IN:
        return
    seconds = law.seconds * (cards / 1000) ** law.exponent * (design.network.steps + len(layers)) * section.samples
    workers = section.workers or os.cpu_count() or 1
    if seconds / workers > section.budget:
        raise SimulationError(
            f"ngspice would take about {seconds / workers / 3600:,.0f} h for {section.samples:,} samples of "
            f"{cards:,} devices and {design.network.steps:,} steps, the [simulation] budget is {section.budget:g} s; "
            'choose solver = "exact", fewer samples or a smaller network'
        )


def _check_budget(design: Design, crossbar: CrossbarNetwork) -> None:
    """Refuse a simulation beyond the budget, as the advisor would once the network is mapped."""
    section, circuit = design.simulation, design.circuit
    if section.solver != "ngspice" or not section.budget:
        return
    # The circuit as printed has resistances, and that it has them decides the time, not how large they are.
    given = (circuit.r_word, circuit.r_bit, circuit.r_driver)
    steps = design.network.steps
    stimulus = Stimulus(inputs=np.zeros((1, steps, crossbar.sizes[0])), labels=np.array([-1]), indices=np.array([0]))
    for r_word, r_bit, r_driver in {(1.0, 1.0, 1.0), given}:
        lines = uniform_parasitics(crossbar, r_word=r_word, r_bit=r_bit, r_driver=r_driver, source="the design")
        advice = advise(
            crossbar,
            stimulus,
            parasitics=lines if r_word or r_bit or r_driver else None,
            reduce=section.reduce,
            workers=section.workers or os.cpu_count() or 1,
            budget=section.budget,
            samples=section.samples,
            wires=False,
        )
        advice.check(section.budget, section.time_limit)
