"""What the parts of a circuit draw from their supplies whether they work or not, counted from the cells' own elements.

``P = Σ parts · current · supply``: every op-amp, comparator, switch and gate in the elements of every neuron, times
what its data sheet says one of a package draws, times the voltage it is fed with, all through an inference. All
analogue parts hang on one pair of rails, symmetrical about ground: those that the op-amp's preset names (``supply``),
else the design's, ``±v_rail``. Gates hang on ``gate_supply``, else between ground and the upper rail.

A data sheet's current holds at the sheet's own supply; at lower rails bipolar parts draw somewhat less.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from snn2circuit.ir.circuit import (
    Amplifier,
    Comparator,
    Element,
    GatedCurrent,
    GatedTransconductance,
    GatedVoltage,
    Switch,
    Transconductance,
    VoltageGain,
)
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.noun import noun
from snn2circuit.ir.parts import Quantity, value_of
from snn2circuit.ir.per_neuron import distinct_neurons
from snn2circuit.units import engineering

SOURCES = "ideal sources"  # elements that stand for no part


@noun
class Draw:
    """All parts of one kind in a circuit."""

    kind: str
    count: int
    amperes: float | None  # A, of one; None: no preset says it
    volts: float  # V, that it is fed with

    @property
    def watts(self) -> float | None:
        """Of all of them, W; ``None``: not known."""
        return None if self.amperes is None else self.count * self.amperes * self.volts


@noun
class Supplies:
    """The rails of a circuit and what its parts draw from them."""

    volts: float  # V, from rail to rail, symmetrical about ground
    chosen: str  # where that is from
    draws: tuple[Draw, ...]

    @property
    def amplifiers_known(self) -> bool:
        """Whether op-amps are parts with a supply, so that what their outputs lose can be told."""
        return any(each.kind == "op-amps" and each.amperes is not None for each in self.draws)

    def watts(self, elements: Iterable[Element]) -> float | None:
        """What those of ``elements`` draw whose current is known, W; ``None``: some draw, and of none it is known."""
        each = {draw.kind: None if draw.watts is None else draw.watts / draw.count for draw in self.draws}
        return known_sum(each[kind] for kind in map(kind_of, elements) if kind)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        parts = [{**dataclasses.asdict(each), "watts": each.watts} for each in self.draws]
        return {"volts": self.volts, "chosen": self.chosen, "parts": parts}

    def rows(self) -> list[tuple[str, ...]]:
        """A table for people: parts, how many, current of one, supply, power of all."""
        return [
            (
                each.kind,
                f"{each.count:,}",
                written(each.amperes, "A"),
                engineering(each.volts, "V"),
                written(each.watts, "W"),
            )
            for each in self.draws
        ]

    @property
    def not_counted(self) -> str:
        """What is missing, in words."""
        unknown = [f"{each.count:,} {each.kind}" for each in self.draws if each.amperes is None]
        parts = f"what {', '.join(unknown)} draw, for which no preset in use gives a current; " if unknown else ""
        outputs = "" if self.amplifiers_known else "what op-amps lose in their outputs; "
        return (
            f"{parts}{outputs}the drivers of clocks and word lines, pull-up resistors of open collectors, and the "
            "charge that gates and switches take to switch"
        )


@noun
class QuiescentEnergy:
    """What is known of an inference whose waveforms the exact solver cannot tell."""

    reason: str  # why it cannot
    seconds: float  # s, an inference from its first slot to its last latched spike
    supplies: Supplies

    @property
    def joules(self) -> float | None:
        """What all parts of known current draw whether they work or not, J; ``None``: it is known of none."""
        watts = known_sum(each.watts for each in self.supplies.draws)
        return None if watts is None else self.seconds * watts

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "reason": self.reason,
            "joules_quiescent": self.joules,
            "watts_quiescent": None if self.joules is None else self.joules / self.seconds,
            "seconds": self.seconds,
            "supplies": self.supplies.as_dict(),
            "not_counted": f"heat of resistors, switches and devices; {self.supplies.not_counted}",
        }

    def __str__(self) -> str:
        drawn = "are not known" if self.joules is None else f"take {engineering(self.joules, 'J')}"
        return (
            f"quiescent currents {drawn} per inference of "
            f"{engineering(self.seconds, 's')}; heat is not known, the exact solver cannot take this circuit: "
            f"{self.reason}"
        )


def known_sum(values: Iterable[float | None]) -> float | None:
    """The sum of the values that are known; ``None`` if some are not and the others add up to nothing."""
    listed = list(values)
    total = sum(each for each in listed if each is not None)
    return None if None in listed and not total else total


def written(value: float | None, unit: str) -> str:
    """A value with its unit, or that it is not known."""
    return "not known" if value is None else engineering(value, unit)


def kind_of(element: Element) -> str | None:
    """What has to be bought for an element and draws from a supply; ``None``: nothing does."""
    match element:
        case Amplifier():
            return "op-amps"
        case Comparator(logic=logic):
            return "gates" if logic else "comparators"
        case Switch():
            return "switches"
        case VoltageGain() | Transconductance() | GatedTransconductance() | GatedVoltage() | GatedCurrent():
            return SOURCES
        case _:
            return None


def count_supplies(crossbar: CrossbarNetwork) -> Supplies:
    """The rails of ``crossbar`` and what the parts of its neurons' circuits draw from them."""
    parts = crossbar.electronics
    volts = value_of(parts.supply, 2 * crossbar.v_rail)
    currents: dict[str, tuple[Quantity | None, float]] = {
        "op-amps": (parts.amplifier_current, volts),
        "comparators": (parts.comparator_current, volts),
        "switches": (parts.switch_current, volts),
        "gates": (parts.gate_current, value_of(parts.gate_supply, crossbar.v_rail)),
        SOURCES: (None, volts),
    }
    counts: Counter[str] = Counter()
    for layer in crossbar.layers:
        neurons, kinds = distinct_neurons(layer.neuron, layer.columns)
        for neuron, columns in zip(neurons, np.bincount(kinds).tolist(), strict=True):
            cell = neuron.cell("cell", crossbar.drive(layer))
            own = Counter(kind for block in cell.blocks for kind in map(kind_of, block.elements) if kind)
            counts.update({kind: columns * count for kind, count in own.items()})
    return Supplies(
        volts=volts,
        chosen="the design's rails" if parts.supply is None else "the supply of the op-amp's data sheet values",
        draws=tuple(
            Draw(kind=kind, count=counts[kind], amperes=None if current is None else current.value, volts=volts)
            for kind, (current, volts) in currents.items()
            if counts[kind]
        ),
    )
