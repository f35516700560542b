"""What parts draw from their supplies: a front end with its rails in ngspice, the balance of energy, and by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from snn2circuit.analysis.energy import Energy, measure_energy
from snn2circuit.analysis.supply import QuiescentEnergy, count_supplies
from snn2circuit.devices import DEVICES
from snn2circuit.electronics import select
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.network import Layer, Network, Stimulus
from snn2circuit.ir.timing import Timing
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.mapping import map_network
from snn2circuit.netlist import build_circuit
from snn2circuit.neurons import NEURONS
from snn2circuit.simulate.deck import CheckedDeck
from snn2circuit.simulate.exact import ExactSolver
from snn2circuit.simulate.jobs import Job, run_jobs
from snn2circuit.steps import inference_energy

PARTS = ("opa2277", "lm311", "dg411le", "74hc")
STEPS = (1.0, -0.6, 0.3, 0.8)


def make(
    parts: tuple[str, ...], family: str = "vccs", slot: float = 2e-2, neurons: int = 1, reset: str = "none"
) -> tuple[CrossbarNetwork, Stimulus]:
    """A layer of neurons with one input, no bias; slots so long that no op-amp slews."""
    layer = Layer(
        weight=np.linspace(0.8, 0.4, neurons)[:, None], bias=None,
        neuron=NEURONS["leaky"](beta=0.9, reset_mechanism=reset),
    )  # fmt: skip
    inputs = np.array(STEPS).reshape(1, -1, 1)
    crossbar = map_network(
        Network(name="one", layers=(layer,), steps=len(STEPS)), DEVICES["printed_resistor_kit"],
        inputs=np.ones((1, 1)), timing=Timing(slot=slot), electronics=select(parts), family=family,
    )  # fmt: skip
    return crossbar, Stimulus(inputs=inputs, labels=np.array([-1]), indices=np.arange(1))


def simulate(crossbar: CrossbarNetwork, stimulus: Stimulus) -> Waveforms:
    return ExactSolver(build_circuit(crossbar, stimulus.inputs[0], "supply")).simulate(stimulus, traces=False)


def op_amp(name: str, minus: str, out: str) -> str:
    """800 uA from rail to rail, gain 5e6 and 1 MHz in one pole, and an output that takes its current from the rails."""
    return f"""
I{name} vp vn 800e-6
G{name} 0 {name}1 0 {minus} 1e-3
R{name} {name}1 0 5e9
C{name} {name}1 0 {1e-3 / (2 * np.pi * 1e6)!r}
E{name} {name}2 0 {name}1 0 1
V{name} {name}2 {out} 0
Bp{name} vp 0 I=max(i(V{name}),0)
Bn{name} 0 vn I=max(-i(V{name}),0)"""


def test_rails_of_a_front_end_give_what_is_counted() -> None:
    """A deck written by hand, with the op-amps' rails, quiescent currents and class B outputs in it."""
    crossbar, stimulus = make(PARTS)
    layer, slot = crossbar.layers[0], crossbar.timing.slot
    energy = measure_energy(crossbar, simulate(crossbar, stimulus))
    (front,) = (block for block in energy.blocks if block.block == "front end")
    points = [(0.0, 0.0)]
    for step, value in enumerate(STEPS):
        volts = value * crossbar.v_read
        points += [
            ((step + share) * slot, level)
            for share, level in ((0.06, 0.0), (0.061, volts), (0.98, volts), (0.981, 0.0))
        ]
    source = " ".join(f"{time!r} {level!r}" for time, level in points)
    stop = (len(STEPS) + 0.01) * slot
    deck = f"""* two op-amps as column front end, fed from +2.5 V and -2.5 V
Vp vp 0 2.5
Vn vn 0 -2.5
Bip ip 0 V=-i(Vp)
Bin in 0 V=i(Vn)
Vwl wl 0 PWL({source})
Rpos wl bp {1 / float(layer.g_pos[0, 0])!r}
Rneg wl bn {1 / float(layer.g_neg[0, 0])!r}
Rfneg bn a {layer.r_feedback!r}
Rfsum a bp {layer.r_feedback!r}
Rfpos bp x {layer.r_feedback!r}
{op_amp("inv", "bn", "a")}
{op_amp("sum", "bp", "x")}
.options reltol=1e-5 abstol=1e-13 vntol=1e-9
.tran {slot / 2000!r} {stop!r} 0 {slot / 2000!r} uic
.end
"""
    (result,) = run_jobs(
        [Job(deck=CheckedDeck(deck, name="rails"), nodes=("ip", "in"), stop=stop)], workers=1, time_limit=120
    )
    delivered = 2.5 * float(np.trapezoid(result.traces.sum(axis=0), result.time))
    quiescent = 2 * 800e-6 * 5.0 * stop
    assert front.quiescent == pytest.approx(quiescent, rel=1e-9)
    assert front.outputs > 0.3 * front.heat
    assert front.heat + front.outputs == pytest.approx(delivered - quiescent, rel=5e-3)


def test_what_op_amps_send_out_is_heat_or_still_there() -> None:
    """Bit lines are virtual grounds, so in this family every joule comes out of an op-amp."""
    crossbar, stimulus = make((), "opamp", slot=1e-3)
    circuit = build_circuit(crossbar, stimulus.inputs[0], "balance")
    (heat,), _ = ExactSolver(circuit).heat(stimulus)
    assert heat.works.keys() == heat.charges.keys() == {"inverter", "summer", "int_mem"}
    # At the end of the last slot, and a hundredth of a slot later when the spike is latched.
    volts = float(simulate(crossbar, stimulus).membranes[0][0, -1, 0]) * 0.9**0.01
    left = crossbar.layers[0].neuron.capacitance * volts**2 / 2
    total = sum(float(each[0]) for each in heat.elements.values()) + left
    assert left > 0.01 * total
    assert sum(float(each[0]) for each in heat.works.values()) == pytest.approx(total, rel=1e-4)


def test_quiescent_currents_are_counted_by_part() -> None:
    crossbar, stimulus = make(PARTS, neurons=3)
    energy = measure_energy(crossbar, simulate(crossbar, stimulus))
    each = 2 * 800e-6 * 5 + 4.6e-3 * 5 + 2 * 3e-9 * 5 + 1e-6 * 4.5  # op-amps, comparator, switches, gate of a neuron
    assert energy.seconds == pytest.approx(4.01 * 2e-2)
    assert energy.total.quiescent == pytest.approx(3 * each * energy.seconds, rel=1e-12)
    assert energy.joules == pytest.approx(energy.total.heat + energy.total.outputs + energy.total.quiescent)
    data = energy.as_dict()
    assert json.loads(json.dumps(data)) == data
    assert data["joules_quiescent"] == energy.total.quiescent
    assert {part["kind"]: part["count"] for part in data["supplies"]["parts"]} == {
        "op-amps": 6, "comparators": 3, "switches": 6, "gates": 3, "ideal sources": 3,
    }  # fmt: skip
    assert "what 3 ideal sources draw" in energy.not_counted
    assert "quiescent" in str(energy)
    # The same parts where op-amps would slew, which the exact solver refuses: what is known is still told.
    fast, stimulus = make(PARTS, slot=1e-3, neurons=3, reset="subtract")
    ideal, _ = make((), slot=1e-3, neurons=3, reset="subtract")
    known = inference_energy(fast, simulate(ideal, stimulus))
    assert isinstance(known, QuiescentEnergy)
    assert "slew" in known.reason
    assert known.joules == pytest.approx(3 * each * 4.01e-3, rel=1e-12)
    assert json.loads(json.dumps(known.as_dict())) == known.as_dict()


def test_ideal_parts_and_parts_without_a_current_count_for_nothing_and_are_named() -> None:
    crossbar, stimulus = make((), slot=1e-3)
    energy = inference_energy(crossbar, simulate(crossbar, stimulus))
    assert isinstance(energy, Energy)
    assert energy.joules == energy.total.heat > 0
    for what in ("2 op-amps", "1 comparators", "2 switches", "1 gates", "1 ideal sources", "lose in their outputs"):
        assert what in energy.not_counted
    assert "op-amps" not in count_supplies(make(("tl072",))[0]).not_counted
    assert "2 switches" in count_supplies(make(("ts5a23166",))[0]).not_counted


def test_rails_are_the_op_amps_own_or_the_designs() -> None:
    assert count_supplies(make(("tl072",))[0]).volts == 30.0
    assert count_supplies(make(("opa2277",))[0]).volts == 5.0
    gates = {draw.kind: draw.volts for draw in count_supplies(make(("74hc",))[0]).draws}
    assert gates["gates"] == 4.5


def test_what_is_not_known_is_not_0() -> None:
    """Ideal parts have no data sheet: neither do they draw nothing, nor do their outputs lose nothing."""
    crossbar, stimulus = make(())
    waveforms = simulate(crossbar, stimulus)
    energy = measure_energy(crossbar, waveforms)
    data = energy.as_dict()
    assert data["joules_quiescent"] is None
    assert all(part["watts"] is None for part in data["supplies"]["parts"])
    assert data["joules_per_inference"] == data["joules_heat"] > 0
    *_, whole = energy.rows()
    assert whole[4] == "not known"
    known = QuiescentEnergy(reason="slew", seconds=1.0, supplies=energy.supplies)
    assert (known.joules, known.as_dict()["watts_quiescent"]) == (None, None)
    assert "take not known per inference" not in str(known)
    assert "quiescent currents are not known" in str(known)
