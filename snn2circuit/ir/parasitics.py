"""What the lines of a stack do that nobody wants: resistance and capacitance, layer by layer, each with its source.

A layout gives these numbers, or a designer assumes them. The netlist and the exact solver take the resistances from
here; the capacitances tell how fast a line settles, which the clocked circuit does not depend on as long as that is
short against the slot (:meth:`LayerParasitics.settling`).
"""

from __future__ import annotations

import math

from snn2circuit.errors import NetlistError
from snn2circuit.ir.noun import noun
from snn2circuit.ir.parts import Confidence, Quantity


@noun
class LayerParasitics:
    """Of one layer's crossbar; a segment is the piece of line from one crossing to the next."""

    word_segment: Quantity  # ohm
    bit_segment: Quantity  # ohm
    driver: Quantity  # ohm, output of a word line driver
    via: Quantity  # ohm, of the via through which a word line comes from the sheet below
    crosspoint: Quantity  # F, of a device with the lines that cross there
    neighbour: Quantity  # F, between two neighbouring lines, per segment

    def __post_init__(self) -> None:
        for name, unit in (
            ("word_segment", "ohm"), ("bit_segment", "ohm"), ("driver", "ohm"), ("via", "ohm"),
            ("crosspoint", "F"), ("neighbour", "F"),
        ):  # fmt: skip
            quantity = getattr(self, name)
            if quantity.unit != unit or not 0 <= quantity.value < math.inf:
                raise NetlistError(f"{name} is {quantity.value!r} {quantity.unit}; 0 {unit} or more is needed")

    @property
    def r_driver(self) -> float:
        """Between a word line's source and its first segment, ohm."""
        return self.driver.value + self.via.value

    def settling(self, rows: int, columns: int) -> float:
        """Elmore delay of a word line into its bit line, s, for a crossbar with ``columns`` pairs of bit lines.

        Each segment carries its crossing's and its neighbours' capacitance: ``r_driver n C + r n² C / 2`` for a line of
        ``n`` segments (W. C. Elmore, J. Appl. Phys. 19, 55, 1948).
        """
        farads = self.crosspoint.value + 2 * self.neighbour.value
        lengths = 2 * columns
        word = self.r_driver * lengths * farads + self.word_segment.value * lengths**2 * farads / 2
        return word + self.bit_segment.value * rows**2 * farads / 2


@noun
class Parasitics:
    """Of every layer's crossbar, first layer first."""

    layers: tuple[LayerParasitics, ...]


def uniform_parasitics(
    layers: int,
    *,
    r_word: float = 0.0,
    r_bit: float = 0.0,
    r_driver: float = 0.0,
    source: str,
    confidence: Confidence = "assumed",
) -> Parasitics:
    """The same line and driver resistances (ohm) in every layer, ideal vias, no capacitance."""

    def quantity(value: float, unit: str = "ohm") -> Quantity:
        return Quantity(value=value, unit=unit, source=source, confidence=confidence)

    layer = LayerParasitics(
        word_segment=quantity(r_word),
        bit_segment=quantity(r_bit),
        driver=quantity(r_driver),
        via=quantity(0.0),
        crosspoint=quantity(0.0, "F"),
        neighbour=quantity(0.0, "F"),
    )
    return Parasitics(layers=(layer,) * layers)
