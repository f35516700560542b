"""How long ngspice will take and how much memory, told before it starts.

A deck's time grows with its slots and, faster than linearly, with its cards. Three kinds of card follow three laws
``seconds per slot = a · (cards / 1000)^p``: those of ideal crossbars and neurons, whose matrix stays sparse; the meshes
of resistive lines, whose matrix fills up, so that a card counts for the array's shorter side, in units of 16 lines; and
the loads of Norton equivalents, which join every bit line with every other, unless these end at ideal op-amps. That
factor describes 13 meshes, from 25 by 16 lines to 785 by 20, within a factor of 1.8 over three decades of time. Memory
is linear in the cards, and every recorded point of every node counts.

The laws in :data:`REFERENCE` were measured once (docs/benchmarks.md) and are good to a factor of a few on another
machine. :func:`calibrate` measures this one with short runs of small random networks and keeps the result in the user's
cache folder.
"""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from snn2circuit import __version__
from snn2circuit.devices import DEVICES
from snn2circuit.ir.circuit import Amplifier, Block, Circuit, Crossbar, Instance
from snn2circuit.ir.files import write_json
from snn2circuit.ir.layer import Layer
from snn2circuit.ir.lines import LineResistances
from snn2circuit.ir.network import Network, Stimulus
from snn2circuit.ir.noun import noun
from snn2circuit.ir.parasitics import uniform_parasitics
from snn2circuit.ir.scratch import scratch
from snn2circuit.mapping import map_network
from snn2circuit.netlist import crossbar_arrays, write_netlist
from snn2circuit.netlist.build import build_circuit
from snn2circuit.neurons import NEURONS
from snn2circuit.neurons.cells import OPEN_LOOP_GAIN
from snn2circuit.simulate.crossbar import reduce_crossbar
from snn2circuit.simulate.deck import read_deck
from snn2circuit.simulate.jobs import Job, Result, run_jobs

FORM = 2  # of the laws and of what is timed for them; what was measured for another form is measured again
POINTS_PER_SLOT = 170  # that ngspice takes at its usual 20 longest steps a slot, edges included
PROBES = {  # inputs and neurons of the networks that are timed
    "ideal": ((64, 16), (128, 32), (400, 32)),
    "wires": ((24, 8), (200, 4), (48, 16)),
    "norton": ((32, 16), (32, 32), (32, 64)),
}
PROBE_STEPS = 3


@noun
class Law:
    """Cost of one kind of card."""

    seconds: float  # per slot, of 1000 cards
    exponent: float
    bytes_per_card: float


@noun
class Laws:
    """What is known of a machine."""

    kinds: Mapping[str, Law]
    start_seconds: float  # of a worker with next to nothing to simulate
    start_bytes: float
    source: str


# Of "ideal" and "norton" the times were measured at reltol 1e-3, and are given times the 1.34 that 1e-4 takes.
REFERENCE = Laws(
    kinds={
        "ideal": Law(seconds=0.011, exponent=1.75, bytes_per_card=1200.0),
        "wires": Law(seconds=0.1, exponent=1.64, bytes_per_card=1800.0),
        "norton": Law(seconds=0.07, exponent=1.6, bytes_per_card=1000.0),
    },
    start_seconds=0.5,
    start_bytes=4.5e7,
    source="reference machine",
)


@noun
class Cost:
    """What one deck will take."""

    cards: int
    seconds: float
    memory: float  # bytes
    source: str


def estimate(circuit: Circuit, laws: Laws, reduced: Collection[str] = ()) -> Cost:
    """Time and memory of ngspice for a circuit, if equivalents stood in for the crossbars named in ``reduced``."""
    counts = count_cards(circuit, reduced, virtual_grounds(circuit))
    slot = circuit.readout.timing.slot
    slots = circuit.transient.stop / slot
    points = POINTS_PER_SLOT + max(0.0, slot / circuit.transient.max_step - 20)
    efforts = {**counts, "wires": _mesh_effort(circuit, reduced)}
    per_slot = sum(_share(law, efforts[kind]) for kind, law in laws.kinds.items())
    traces = 16 * slots * points * len(circuit.readout.nodes)  # once in ngspice, once in numpy
    return Cost(
        cards=sum(counts.values()),
        seconds=laws.start_seconds + slots * per_slot * points / POINTS_PER_SLOT,
        memory=laws.start_bytes + traces + sum(law.bytes_per_card * counts[kind] for kind, law in laws.kinds.items()),
        source=laws.source,
    )


def count_cards(
    circuit: Circuit, reduced: Collection[str] = (), grounds: frozenset[str] = frozenset()
) -> dict[str, int]:
    """How many cards of each kind a deck has, the insides of every neuron counted.

    The equivalent of a crossbar needs no solving to be counted: a source per device, a load per bit line, and one per
    pair of bit lines if they meet on a word line that is not ideal and do not end at ``grounds``. In a first layer, one
    source drives a bit line.
    """
    cells = {cell.name: _size(cell.blocks) for cell in circuit.subcircuits}
    counts = dict.fromkeys(REFERENCE.kinds, 0)
    blocks = [*circuit.network, *circuit.stimulus]
    if any(name == "l1" or name.startswith("l1_") for name in reduced):
        blocks.pop()  # the input lines
    for block in blocks:
        for element in block.elements:
            match element:
                case Crossbar(name=name, g_pos=g_pos, lines=lines, bits=ends) if name in reduced:
                    bits = 2 * g_pos.shape[1]
                    driven = 1 if name == "l1" or name.startswith("l1_") else len(g_pos)
                    counts["ideal"] += bits * (driven + 1)
                    joined = not (lines.ideal_words or grounds.issuperset(ends))
                    counts["norton"] += bits * (bits - 1) // 2 if joined else 0
                case Crossbar(g_pos=g_pos, lines=lines):
                    counts["wires" if _is_mesh(lines) else "ideal"] += 2 * g_pos.size + lines.pieces
                case Instance(subcircuit=name):
                    counts["ideal"] += cells[name]
                case _:
                    counts["ideal"] += 1
    return counts


def virtual_grounds(circuit: Circuit) -> frozenset[str]:
    """The nodes at the inputs of neuron cells, if these have ideal op-amps: no current flows between such nodes."""
    elements = [each for cell in circuit.subcircuits for block in cell.blocks for each in block.elements]
    faults = [
        each.gain < OPEN_LOOP_GAIN or each.offset or each.r_out or math.isfinite(each.bandwidth)
        for each in elements
        if isinstance(each, Amplifier)
    ]
    if any(faults):
        return frozenset()
    blocks = [each for block in circuit.network for each in block.elements]
    return frozenset(node for each in blocks if isinstance(each, Instance) for node in each.nodes)


def _mesh_effort(circuit: Circuit, reduced: Collection[str] = ()) -> float:
    """Cards of all meshes, each weighted with the fill of its array's matrix."""
    arrays = [each for block in circuit.network for each in block.elements if isinstance(each, Crossbar)]
    effort = 0.0
    for array in arrays:
        if _is_mesh(array.lines) and array.name not in reduced:
            cards = 2 * array.g_pos.size + array.lines.pieces
            effort += cards * min(len(array.g_pos), len(array.bits)) / 16
    return effort


def _is_mesh(lines: LineResistances) -> bool:
    return bool(lines.word_segments.any() or lines.bit_segments.any())


def _share(law: Law, cards: float) -> float:
    """Seconds per slot of that many cards."""
    return float(law.seconds * (cards / 1000) ** law.exponent)


def _size(blocks: tuple[Block, ...]) -> int:
    return sum(len(block.elements) for block in blocks)


def calibrate(folder: Path | None = None) -> Laws:
    """This machine's laws: measured once in about half a minute, then read from ``folder``.

    Args:
        folder: where the measurement is kept; ``None``: ``$XDG_CACHE_HOME/snn2circuit`` or ``~/.cache/snn2circuit``.

    Raises:
        SimulationError: ngspice is missing or does not run.
        OutputError: the folder cannot be written.
    """
    home = os.environ.get("XDG_CACHE_HOME")
    folder = folder or (Path(home) if home else Path.home() / ".cache") / "snn2circuit"
    path = folder / f"ngspice-{__version__}.{FORM}-{platform.node() or 'here'}.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Laws(**{**kept, "kinds": {kind: Law(**kept["kinds"][kind]) for kind in REFERENCE.kinds}})
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        laws = _measure()
    kinds = {
        kind: {"seconds": law.seconds, "exponent": law.exponent, "bytes_per_card": law.bytes_per_card}
        for kind, law in laws.kinds.items()
    }
    rest = {"start_seconds": laws.start_seconds, "start_bytes": laws.start_bytes, "source": laws.source}
    write_json(path, {"kinds": kinds, **rest})
    return laws


def _measure() -> Laws:
    start, _, _ = _time("ideal", 2, 1)
    kinds: dict[str, Law] = {}
    for kind, sizes in PROBES.items():
        runs = [_time(kind, *size) for size in sizes]
        cards = np.array([counts[kind] for _, counts, _ in runs])
        efforts = np.array([effort for _, _, effort in runs]) if kind == "wires" else cards
        seconds = np.array([result.cpu for result, _, _ in runs]) / PROBE_STEPS
        if kind != "ideal":
            neurons = np.array([_share(kinds["ideal"], counts["ideal"]) for _, counts, _ in runs])
            seconds = np.maximum(seconds - neurons, seconds / 10)
        exponent, intercept = np.polyfit(np.log(efforts / 1000), np.log(seconds), 1)
        memory = max(0.0, float(np.polyfit(cards, [result.memory for result, _, _ in runs], 1)[0]))
        kinds[kind] = Law(seconds=math.exp(intercept), exponent=max(1.0, float(exponent)), bytes_per_card=memory)
    return Laws(
        kinds=kinds,
        start_seconds=start.seconds,
        start_bytes=float(start.memory),
        source="measured on this machine",
    )


def _time(kind: str, inputs: int, neurons: int) -> tuple[Result, dict[str, int], float]:
    """A random network with cards of that kind, simulated for :data:`PROBE_STEPS`, its cards and its mesh."""
    rng = np.random.default_rng(0)
    layer = Layer(weight=rng.normal(0, 0.3, (neurons, inputs)), neuron=NEURONS["leaky"]())
    network, values = Network(name="probe", layers=(layer,), steps=PROBE_STEPS), rng.uniform(0, 1, (1, inputs))
    crossbar = map_network(network, DEVICES["printed_resistor_kit"], inputs=values)
    stimulus = Stimulus(inputs=network.encode(values), labels=np.array([-1]), indices=np.array([0]))
    parasitics = None if kind == "ideal" else uniform_parasitics(crossbar, r_word=1, r_bit=1, source="probe")
    arrays = crossbar_arrays(crossbar, parasitics)[0] if kind == "norton" else ()
    reduced = {array.name: reduce_crossbar(array) for array in arrays}
    with scratch() as folder:
        netlist = write_netlist(crossbar, stimulus, folder, parasitics=parasitics, reduced=reduced)
        deck = read_deck(folder / netlist.decks[0])
    stop = netlist.readout.timing.stop(PROBE_STEPS, 1)
    job = Job(deck=deck, nodes=netlist.readout.nodes, stop=stop)
    (result,) = run_jobs([job], workers=1, time_limit=300)
    circuit = build_circuit(crossbar, stimulus.inputs[0], "probe", parasitics=parasitics)
    return result, count_cards(circuit, reduced), _mesh_effort(circuit, reduced)
