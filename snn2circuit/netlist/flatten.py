"""A circuit without subcircuits: every cell's elements at the top level, under names that say whose they are.

The element ``leak_mem`` of the instance ``l1_n0`` becomes ``l1_n0_leak_mem``, its inner node ``x`` becomes ``l1_n0_x``;
nodes at the cell's ports take the names of the nodes they are connected to.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator

from snn2circuit.errors import NetlistError
from snn2circuit.ir.circuit import GROUND, Block, Circuit, Element, Instance, Subcircuit

_NOT_NODES = ("name", "subcircuit")  # the text fields of an element that are no nodes


def flatten(circuit: Circuit) -> Circuit:
    """The same circuit with every instance replaced by the elements of its cell.

    Raises:
        NetlistError: an instance names a cell that is not there, or connects another number of ports.
    """
    cells = {cell.name: cell for cell in circuit.subcircuits}
    return dataclasses.replace(
        circuit,
        subcircuits=(),
        network=tuple(_flat(circuit.network, cells)),
        stimulus=tuple(_flat(circuit.stimulus, cells)),
    )


def element_nodes(element: Element) -> tuple[str, ...]:
    """Every node that an element touches or listens to, in the order of its fields."""
    found: list[str] = []

    def note(node: str) -> str:
        found.append(node)
        return node

    _renamed(element, note)
    return tuple(found)


def _flat(blocks: Iterable[Block], cells: dict[str, Subcircuit]) -> Iterator[Block]:
    for block in blocks:
        plain = [element for element in block.elements if not isinstance(element, Instance)]
        if plain:
            yield dataclasses.replace(block, elements=tuple(plain))
        for element in block.elements:
            if isinstance(element, Instance):
                yield from _flat(_expanded(element, cells), cells)


def _expanded(instance: Instance, cells: dict[str, Subcircuit]) -> Iterator[Block]:
    cell = cells.get(instance.subcircuit)
    if cell is None or len(cell.ports) != len(instance.nodes):
        ports = "which is not there" if cell is None else f"which has {len(cell.ports)} ports"
        raise NetlistError(
            f"instance {instance.name} connects {len(instance.nodes)} nodes to {instance.subcircuit}, {ports}"
        )
    outside = {GROUND: GROUND, **dict(zip(cell.ports, instance.nodes, strict=True))}

    def rename(node: str) -> str:
        return outside.get(node) or f"{instance.name}_{node}"

    for block in cell.blocks:
        yield Block(
            comment=f"{instance.name}: {block.comment}",
            elements=tuple(
                dataclasses.replace(_renamed(element, rename), name=f"{instance.name}_{element.name}")
                for element in block.elements
            ),
        )


def _renamed(element: Element, rename: Callable[[str], str]) -> Element:
    changed: dict[str, object] = {}
    for field in dataclasses.fields(element):
        value = getattr(element, field.name)
        if field.name in _NOT_NODES:
            continue
        if isinstance(value, str):
            changed[field.name] = rename(value)
        elif isinstance(value, tuple) and value and all(isinstance(each, str) for each in value):
            changed[field.name] = tuple(map(rename, value))
    return dataclasses.replace(element, **changed)  # type: ignore[arg-type]
