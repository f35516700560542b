"""The cells at the columns of a crossbar, which may differ: in their values, and in the parts they have.

Neurons with parameters of their own are cells that differ in a resistor, a threshold, or whether there is a leak.
They are solved as one: a state, a node or a switch that has the same name in several cells is the same unknown, and a
cell without it leaves it at 0. What must not differ is when things happen: the clocks, and the latched bits with their
instants, so that all columns pass from phase to phase together. Thresholds of the comparators may.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from snn2circuit.errors import CircuitNotLinear
from snn2circuit.ir.noun import Floats, Ints
from snn2circuit.simulate.exact.cell import Analog, Cell, Hold
from snn2circuit.simulate.exact.clocks import Clock, merge


@dataclass(frozen=True)
class Columns:
    """The different cells, and which of them stands at each column."""

    cells: tuple[Cell, ...]
    kinds: Ints  # (columns,)

    def __post_init__(self) -> None:
        first = self.cells[0]
        for cell in self.cells[1:]:
            if (cell.bits, cell.clocks) != (first.bits, first.clocks):
                raise CircuitNotLinear(
                    f"the columns of one crossbar hold cells of different wirings: {first.name}, {cell.name}"
                )
            if [_course(hold) for hold in cell.holds] != [_course(hold) for hold in first.holds]:
                raise CircuitNotLinear(
                    f"the columns of one crossbar hold cells whose latches differ: {first.name}, {cell.name}; the "
                    "exact solver needs all of them to change at the same instants"
                )

    @property
    def name(self) -> str:
        """Of the cells, for messages: the first one's stands for all."""
        return self.cells[0].name

    @property
    def bits(self) -> tuple[str, ...]:
        """Ports on bit lines."""
        return self.cells[0].bits

    @property
    def slot(self) -> float:
        """Length of a slot, s."""
        return self.cells[0].slot

    @property
    def clocks(self) -> Mapping[str, Clock]:
        """Clocks by node."""
        return self.cells[0].clocks

    @property
    def holds(self) -> tuple[Hold, ...]:
        """Latched bits; their thresholds are those of the first cell, see :meth:`thresholds`."""
        return self.cells[0].holds

    @property
    def elements(self) -> Iterator[Analog]:
        """The linear circuits of all cells, one after the other."""
        return (element for cell in self.cells for element in cell.elements)

    @property
    def active(self) -> tuple[int, ...]:
        """Latched bits that act on the linear circuit of any cell."""
        return tuple(sorted({bit for cell in self.cells for bit in cell.active}))

    @property
    def driving(self) -> dict[str, Clock]:
        """Clocks whose voltage enters the linear circuit of any cell."""
        used = {node for cell in self.cells for node in cell.driving}
        return {node: clock for node, clock in self.clocks.items() if node in used}

    @property
    def instants(self) -> list[float]:
        """Instants of a slot between which every cell is linear and its clocks are straight lines."""
        return merge([instant for cell in self.cells for instant in cell.instants], self.slot)

    def thresholds(self, bits: Sequence[int]) -> Floats:
        """Thresholds of the latched bits ``bits`` in every column, ``(bits, columns)``, V."""
        table = np.array([[cell.holds[bit].threshold for cell in self.cells] for bit in bits])
        return table.reshape(len(bits), len(self.cells))[:, self.kinds]

    def modes(self) -> list[tuple[bool, ...]]:
        """Every state of the latched bits that the cells can tell apart, the first active bit fastest."""
        states = []
        for number in range(2 ** len(self.active)):
            bits = [False] * len(self.holds)
            for place, index in enumerate(self.active):
                bits[index] = bool(number >> place & 1)
            states.append(tuple(bits))
        return states


def _course(hold: Hold) -> Hold:
    """All that two cells must have in common."""
    return replace(hold, threshold=0.0)
