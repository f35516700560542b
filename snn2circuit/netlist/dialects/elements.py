"""Elements as SPICE text that ngspice and LTspice read alike.

Only what both understand: plain exponents (``M`` is milli in both, so no suffixes), ``*`` comments on lines of their
own, no ``.control`` section, linear ``E`` and ``G`` sources with four nodes, expressions of products, ``u()``, ``min``,
``max`` and ``tanh`` only (``^`` is a power in one and XOR in the other, ``if()`` and ``limit()`` differ). Behavioural
sources (``B``) stand for gated, threshold and limited elements, voltage-controlled switches (``S``) share one model per
pair of resistances. ``u(0)`` is 0.5 in ngspice and 0 in LTspice; no node of these circuits stands exactly on a
threshold when it is looked at. Names are checked, so that no name can break out of its line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from snn2circuit.errors import NetlistError
from snn2circuit.ir.circuit import (
    Amplifier,
    Block,
    Capacitor,
    Circuit,
    Comparator,
    Crossbar,
    Element,
    GatedCurrent,
    GatedTransconductance,
    GatedVoltage,
    Instance,
    Memristor,
    NortonCrossbar,
    PiecewiseSource,
    PulseSource,
    Readout,
    Resistor,
    Subcircuit,
    Switch,
    Transconductance,
    Transient,
    VoltageGain,
)
from snn2circuit.ir.formula import SPICE, Text
from snn2circuit.ir.memristor import bounded
from snn2circuit.ir.timing import Pulse
from snn2circuit.netlist.arrays import crossbar_cards, norton_cards
from snn2circuit.units import spice

_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,62}\Z")
_WIDTH = 118  # longest line before a continuation
_STAGE = 0.1  # S, of an amplifier's gain stage; its capacitor is then large against the simulator's charge tolerance
_LAG = 1e3  # ohm, of a comparator's delay
_WIDTH = 118  # longest line before a continuation


def model_lines(circuit: Circuit) -> list[str]:
    """One ``.model`` for every kind of switch in the circuit."""
    return [
        f".model {_model(on, off, threshold)} SW(Ron={spice(on)} Roff={spice(off)} Vt={spice(threshold)} Vh=0)"
        for on, off, threshold in _switches(circuit)
    ]


def analysis_lines(analysis: Transient) -> list[str]:
    """Options and the transient, from discharged capacitors."""
    return [
        "* analysis: from discharged capacitors, one slot per model step",
        # chgtol, in C: far below the membranes' charge, and not so small that the latches dictate the time step.
        f".options reltol={spice(analysis.reltol)} abstol=1e-13 vntol=1e-9 chgtol=1e-12",
        f".tran {spice(analysis.max_step)} {spice(analysis.stop)} 0 {spice(analysis.max_step)} uic",
    ]


def save_lines(readout: Readout) -> list[str]:
    """What to record: membranes and latched spikes."""
    return wrap([".save", *(f"v({checked_name(node)})" for node in readout.nodes)])


def subcircuit_lines(subcircuit: Subcircuit) -> list[str]:
    """A cell from ``.subckt`` to ``.ends``, under its comment."""
    return [
        f"* {one_line(subcircuit.comment)}",
        *wrap([".subckt", checked_name(subcircuit.name), *map(checked_name, subcircuit.ports)]),
        *block_lines(subcircuit.blocks)[1:],
        f".ends {subcircuit.name}",
    ]


def block_lines(blocks: Iterable[Block]) -> list[str]:
    """Each block under its comment, set off by an empty line."""
    lines = []
    for block in blocks:
        if block.elements:
            lines += ["", f"* {one_line(block.comment)}"]
            for element in block.elements:
                lines += _element(element)
    return lines


def _element(element: Element) -> list[str]:
    """The lines of one element; a crossbar has one per device."""
    name = checked_name(element.name)
    match element:
        case Resistor(a=a, b=b, ohms=ohms):
            return [f"R{name} {_node(a)} {_node(b)} {spice(ohms)}"]
        case Capacitor(a=a, b=b, farads=farads):
            return [f"C{name} {_node(a)} {_node(b)} {spice(farads)}"]
        case Amplifier():
            return _amplifier(element)
        case Memristor():
            return _memristor(element)
        case VoltageGain(out=out, plus=plus, minus=minus, gain=gain):
            return [f"E{name} {_node(out)} 0 {_node(plus)} {_node(minus)} {spice(gain)}"]
        case Transconductance(out=out, plus=plus, minus=minus, siemens=siemens):
            return [f"G{name} 0 {_node(out)} {_node(plus)} {_node(minus)} {spice(siemens)}"]
        case GatedTransconductance(out=out, control=control, gate=gate, siemens=siemens):
            return [f"B{name} 0 {_node(out)} I={spice(siemens)}*V({_node(control)})*V({_node(gate)})"]
        case Switch(a=a, b=b, control=control, threshold=threshold, r_on=r_on, r_off=r_off):
            return [f"S{name} {_node(a)} {_node(b)} {_node(control)} 0 {_model(r_on, r_off, threshold)}"]
        case Comparator():
            return _comparator(element)
        case GatedVoltage(out=out, enable=enable, gate=gate, amplitude=amplitude):
            return [f"B{name} {_node(out)} 0 V={spice(amplitude)}*u(V({_node(enable)})-0.5)*V({_node(gate)})"]
        case GatedCurrent(out=out, enable=enable, gate=gate, amplitude=amplitude):
            return [f"B{name} {_node(out)} 0 I={spice(amplitude)}*u(V({_node(enable)})-0.5)*V({_node(gate)})"]
        case PulseSource(out=out, high=high, pulse=pulse):
            return [f"V{name} {_node(out)} 0 {_pulse(high, pulse)}"]
        case PiecewiseSource(out=out, times=times, volts=volts):
            points = [f"{spice(t)} {spice(v)}" for t, v in zip(times.tolist(), volts.tolist(), strict=True)]
            return wrap([f"V{name}", _node(out), "0", "PWL(", *points, ")"])
        case Instance(subcircuit=subcircuit, nodes=nodes):
            return wrap([f"X{name}", *map(_node, nodes), checked_name(subcircuit)])
        case Crossbar(word_lines=words, bits=bits):
            _check_nodes(*words, *bits)
            return crossbar_cards(element)
        case NortonCrossbar(word_lines=words, bits=bits):
            _check_nodes(*words, *bits)
            return norton_cards(element)


def _amplifier(each: Amplifier) -> list[str]:
    """A controlled source; with an offset, a source before it; with a pole, ``gm`` into ``R`` and ``C`` and a follower.

    ``gm·R`` is the gain and ``gm / (2 pi C)`` the bandwidth. A slew rate bounds the current into ``C`` by ``tanh``.
    At a rail a steep conductance takes the current over, so that the stage leaves the rail without delay.
    """
    name, plus, minus, out = checked_name(each.name), _node(each.plus), _node(each.minus), _node(each.out)
    lines = []
    if each.offset:
        lines.append(f"V{name}_os {name}_in {plus} {spice(each.offset)}")
        plus = f"{name}_in"
    if each.r_out:
        lines.append(f"R{name}_out {name}_drv {out} {spice(each.r_out)}")
        out = f"{name}_drv"
    if math.isinf(each.bandwidth):
        return [*lines, f"E{name} {out} 0 {plus} {minus} {spice(each.gain)}"]
    pole, farads = f"{name}_pole", _STAGE / (2 * math.pi * each.bandwidth)
    if math.isinf(each.slew):
        lines.append(f"G{name} 0 {pole} {plus} {minus} {spice(_STAGE)}")
    else:
        most = each.slew * farads
        lines.append(f"B{name} 0 {pole} I={spice(most)}*tanh({spice(_STAGE / most)}*(V({plus})-V({minus})))")
    lines += [
        f"R{name}_pole {pole} 0 {spice(each.gain / _STAGE)}",
        f"C{name}_pole {pole} 0 {spice(farads)}",
    ]
    if math.isfinite(each.low) or math.isfinite(each.high):
        over = f"max(V({pole}){_minus(each.high)},0)" if math.isfinite(each.high) else "0"
        under = f"min(V({pole}){_minus(each.low)},0)" if math.isfinite(each.low) else "0"
        lines.append(f"B{name}_rail {pole} 0 I={spice(1e3 * _STAGE)}*({over}+{under})")
    return [*lines, f"E{name} {out} 0 {pole} 0 1"]


def _comparator(each: Comparator) -> list[str]:
    """A step; with a delay, an RC that reaches half its height after it, and a second step."""
    name, out = checked_name(each.name), _node(each.out)
    above = f"V({_node(each.plus)}){_minus(each.threshold + each.offset)}"
    if not each.delay:
        return [f"B{name} {out} 0 V={spice(each.high)}*u({above})"]
    return [
        f"B{name} {name}_raw 0 V=u({above})",
        f"R{name}_lag {name}_raw {name}_lag {spice(_LAG)}",
        f"C{name}_lag {name}_lag 0 {spice(each.delay / (_LAG * math.log(2)))}",
        f"B{name}_out {out} 0 V={spice(each.high)}*u(V({name}_lag)-0.5)",
    ]


def _memristor(each: Memristor) -> list[str]:
    """The current as a source; the state as the charge of 1 F, driven by its rate and read between 0 and 1."""
    name, a, b, state = checked_name(each.name), _node(each.a), _node(each.b), _node(each.state)
    v, x = Text(f"(V({a})-V({b}))"), Text(f"V({state})")
    return [
        f"B{name} {a} {b} I={each.model.current(v, x, SPICE)}",
        f"B{name}_rate 0 {name}_charge I={bounded(each.model, v, x, SPICE)}",
        f"C{name}_charge {name}_charge 0 1 ic={spice(each.initial)}",
        f"B{name}_state {state} 0 V=min(max(V({name}_charge),0),1)",
    ]


def _minus(value: float) -> str:
    return f"-{spice(value)}" if value >= 0 else f"+{spice(-value)}"


def _pulse(high: float, pulse: Pulse) -> str:
    values = (0.0, high, pulse.delay, pulse.rise, pulse.fall, pulse.width, pulse.period)
    return f"PULSE({' '.join(map(spice, values))})"


def _switches(circuit: Circuit) -> list[tuple[float, float, float]]:
    blocks = [block for subcircuit in circuit.subcircuits for block in subcircuit.blocks]
    elements = [element for block in (*blocks, *circuit.network) for element in block.elements]
    return sorted({(e.r_on, e.r_off, e.threshold) for e in elements if isinstance(e, Switch)})


def _model(r_on: float, r_off: float, threshold: float) -> str:
    return "sw_" + "_".join(
        re.sub(r"[^0-9a-z]", "", f"{value:.6g}".replace(".", "p").replace("-", "m"))
        for value in (r_on, r_off, threshold)
    )


def wrap(words: list[str]) -> list[str]:
    """Words joined to lines of at most _WIDTH characters, continued with ``+``."""
    lines, line = [], ""
    for word in words:
        if line and len(line) + 1 + len(word) > _WIDTH:
            lines.append(line)
            line = "+ " + word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


def checked_name(name: str) -> str:
    """``name`` itself, if it can stand in a deck.

    Raises:
        NetlistError: it could break out of its place.
    """
    if not _NAME.match(name):
        raise NetlistError(
            f"{name!r} cannot be a SPICE name: 1 to 63 of a-z, 0-9 and _, not starting with _; rename the part"
        )
    return name


def _node(name: str) -> str:
    """A node's name, checked; ground is ``0``."""
    return name if name == "0" else checked_name(name)


def _check_nodes(*names: str) -> None:
    for name in names:
        _node(name)


def one_line(text: str) -> str:
    """One printable line, so that no title can carry a directive."""
    return re.sub(r"[^\x20-\x7e]+", " ", text).strip()[:200]
