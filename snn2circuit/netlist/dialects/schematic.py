"""LTspice schematics: the blocks and cells of a circuit as symbols, joined by net names.

Every block of the network or the stimulus (clocks, drivers, a crossbar) becomes a subcircuit with the nodes that others
see as its pins; every neuron is a symbol of its own. Pins stand on LTspice's grid of 16 units, inputs left and outputs
right, each with a short wire that carries the name of its net: nothing is joined by crossing lines, so a net is read by
its name. Columns run from left to right as the signal does.

A schematic (``.asc``) and a symbol (``.asy``) are text files of one record a line: ``WIRE x1 y1 x2 y2``, ``FLAG x y
net``, ``SYMBOL name x y R0``, ``PIN x y side offset``; for a symbol with the prefix X LTspice writes ``X<name> <nets in
SpiceOrder> <value>``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from snn2circuit.ir.circuit import GROUND, Block, Circuit, Crossbar, Instance, Subcircuit
from snn2circuit.netlist.dialects.elements import one_line
from snn2circuit.netlist.flatten import element_nodes

GRID = 16
PITCH = 2 * GRID  # from pin to pin
HALF_WIDTH = 9 * GRID
STUB = 3 * GRID  # wire from a pin to its net's name
COLUMN = 2 * (HALF_WIDTH + STUB) + 16 * GRID  # from one column of symbols to the next
CELL_OUTPUTS = 2  # the last ports of a neuron cell: mem, spike


@dataclass(frozen=True, kw_only=True)
class _Symbol:
    """Pins of a symbol: port name, place relative to the centre, and side."""

    name: str
    pins: tuple[tuple[str, int, int, str], ...]  # (port, x, y, "LEFT" or "RIGHT"), in the order of the ports
    half_height: int


def block_cells(circuit: Circuit, blocks: Iterable[Block]) -> list[Subcircuit]:
    """A subcircuit for each of ``blocks`` that is not made of instances, with the nodes that others see as ports."""
    return [
        Subcircuit(
            name=block.name, ports=_ports(circuit, block), blocks=(block,), comment=one_line(block.comment)
        )
        for block in blocks
        if not _placed_singly(block) and block.elements
    ]  # fmt: skip


def symbols(circuit: Circuit) -> dict[str, str]:
    """Symbol files of the cells and blocks of ``circuit``: file name -> text."""
    return {f"{symbol.name}.asy": _symbol_text(symbol) for symbol in _all_symbols(circuit).values()}


def schematic(circuit: Circuit, directives: list[str]) -> str:
    """The top level of ``circuit`` as a schematic, with SPICE ``directives`` as text below it."""
    drawn = _all_symbols(circuit)
    wires: list[str] = []
    flags: list[str] = []
    placed: list[str] = []
    lowest, x = 0, 0
    for block in (*circuit.stimulus, *circuit.network):
        if not block.elements:
            continue
        y = 0
        for name, kind, nets in _placements(circuit, block):
            symbol = drawn[kind]
            y += symbol.half_height
            for (_, dx, dy, side), net in zip(symbol.pins, nets, strict=True):
                end = x + dx + (STUB if side == "RIGHT" else -STUB)
                wires.append(f"WIRE {x + dx} {y + dy} {end} {y + dy}")
                flags.append(f"FLAG {end} {y + dy} {net}")
            placed += [f"SYMBOL {kind} {x} {y} R0", f"SYMATTR InstName X{name}"]
            y += symbol.half_height + 4 * GRID
        lowest = max(lowest, y)
        x += COLUMN
    text = "\\n".join(directives)
    head = f"Version 4\nSHEET 1 {x} {lowest + 20 * GRID}"
    notes = [
        f"TEXT 0 {lowest + 4 * GRID} Left 2 !{text}",
        f"TEXT 0 {-4 * GRID} Left 4 ;{one_line(circuit.title)}",
    ]
    return "\n".join([head, *wires, *flags, *placed, *notes]) + "\n"


def _placed_singly(block: Block) -> bool:
    return any(isinstance(element, Instance) for element in block.elements)


def _placements(circuit: Circuit, block: Block) -> list[tuple[str, str, tuple[str, ...]]]:
    """``(instance name, symbol name, nets)`` of everything that stands for ``block``."""
    if not _placed_singly(block):
        return [(block.name, block.name, _ports(circuit, block))]
    instances = [element for element in block.elements if isinstance(element, Instance)]
    return [(each.name, each.subcircuit, each.nodes) for each in instances]


def _ports(circuit: Circuit, block: Block) -> tuple[str, ...]:
    """Nodes of ``block`` that another block touches or that are recorded, in the order of first use."""
    uses = Counter(
        node
        for each in (*circuit.stimulus, *circuit.network)
        for node in {node for element in each.elements for node in element_nodes(element)}
    )
    seen = dict.fromkeys(node for element in block.elements for node in element_nodes(element))
    recorded = set(circuit.readout.nodes)
    return tuple(node for node in seen if node != GROUND and (uses[node] > 1 or node in recorded))


def _all_symbols(circuit: Circuit) -> dict[str, _Symbol]:
    found = {cell.name: _symbol(cell.name, cell.ports, set(cell.ports[-CELL_OUTPUTS:])) for cell in circuit.subcircuits}
    blocks = {block.name: block for block in (*circuit.stimulus, *circuit.network)}
    for cell in block_cells(circuit, blocks.values()):
        found[cell.name] = _symbol(cell.name, cell.ports, _driven(blocks[cell.name]))
    return found


def _driven(block: Block) -> set[str]:
    """Nodes that a block gives to others: outputs of its sources, and a crossbar's bit lines."""
    outputs = {getattr(element, "out", GROUND) for element in block.elements}
    for element in block.elements:
        if isinstance(element, Crossbar):
            outputs |= {*element.bits_pos, *element.bits_neg}
    return outputs


def _symbol(name: str, ports: tuple[str, ...], right: set[str]) -> _Symbol:
    count = {"LEFT": sum(port not in right for port in ports), "RIGHT": sum(port in right for port in ports)}
    rows = max(count.values())
    half_height = (rows * PITCH) // 2 + GRID
    taken = {"LEFT": 0, "RIGHT": 0}
    pins = []
    for port in ports:
        side = "RIGHT" if port in right else "LEFT"
        y = -half_height + 2 * GRID + taken[side] * PITCH
        taken[side] += 1
        pins.append((port, HALF_WIDTH if side == "RIGHT" else -HALF_WIDTH, y, side))
    return _Symbol(name=name, pins=tuple(pins), half_height=half_height + GRID)


def _symbol_text(symbol: _Symbol) -> str:
    edge = symbol.half_height - GRID // 2
    lines = [
        "Version 4",
        "SymbolType BLOCK",
        f"RECTANGLE Normal {-HALF_WIDTH} {-edge} {HALF_WIDTH} {edge}",
        f"WINDOW 0 0 {-edge} Bottom 2",
        f"WINDOW 3 0 {edge} Top 2",
        f"SYMATTR Value {symbol.name}",
        "SYMATTR Prefix X",
    ]
    for order, (port, x, y, side) in enumerate(symbol.pins, start=1):
        lines += [f"PIN {x} {y} {side} 8", f"PINATTR PinName {port}", f"PINATTR SpiceOrder {order}"]
    return "\n".join(lines) + "\n"
