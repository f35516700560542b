r"""Resistance of a crossbar's lines, piece by piece, as they lie on a sheet.

Bit lines leave at row 0, next to the neuron cells; a word line enters at column 0, or at the far end if that is where
its contact or its via lies::

                          bit 0               bit 1                 bit n-1
    row 1   source --lead--(w)--word_segments--(w)-- ... ------------(w)                      fed at column 0
                            G                   G                     G
                           (b)                 (b)                   (b)
                            |                   |                     |   bit_segments[0]
    row 0                  (w)----------------(w)--- ... ------------(w)--lead-- source       fed at the far end
                            G                   G                     G
                           (b)                 (b)                   (b)
                            |                   |                     |   bit_leads
                           end                 end                   end

Word lines are all alike from one bit line to the next, and bit lines from one row to the next, because both are
straight; their leads are not. Beyond the last row, and at a word line's other end, lines are open.
"""

from __future__ import annotations

import numpy as np

from snn2circuit.errors import NetlistError
from snn2circuit.ir.noun import Bools, Floats, freeze, noun


@noun
class LineResistances:
    """Of all lines of one crossbar, ohm; 0 joins two crossings."""

    word_segments: Floats  # (bit lines - 1,), from one bit line to the next
    bit_segments: Floats  # (rows - 1,), from one row to the next
    word_leads: Floats  # (rows,), from a word line's source to the first crossing that it reaches
    bit_leads: Floats  # (bit lines,), from row 0 to the end of a bit line
    fed_far: Bools  # (rows,), the source is next to the last bit line, not to the first

    def __post_init__(self) -> None:
        pieces = {name: freeze(self, name, np.float64) for name in PIECES}
        freeze(self, "fed_far", np.bool_)
        for name, ohms in pieces.items():
            if not (np.isfinite(ohms) & (ohms >= 0)).all():
                raise NetlistError(f"{name} of a crossbar are {ohms}; finite ohms, 0 or more, are needed")
        rows, bits = self.shape
        shapes = [(bits - 1,), (rows - 1,), (rows,), (bits,), (rows,)]
        found = [getattr(self, name).shape for name in (*PIECES, "fed_far")]
        if rows < 1 or bits < 1 or found != shapes:
            raise NetlistError(f"{', '.join(PIECES)} and fed_far of a crossbar have shapes {found}, not {shapes}")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and bit lines."""
        return len(self.word_leads), len(self.bit_leads)

    @property
    def ideal_words(self) -> bool:
        """Every word line is one node with its source."""
        return not (self.word_segments.any() or self.word_leads.any())

    @property
    def ideal(self) -> bool:
        """No piece of any line has a resistance."""
        return self.ideal_words and not (self.bit_segments.any() or self.bit_leads.any())

    @property
    def pieces(self) -> int:
        """How many pieces of line have a resistance, in the whole crossbar."""
        rows, bits = self.shape
        count = np.count_nonzero
        along = rows * count(self.word_segments) + bits * count(self.bit_segments)
        return int(along + count(self.word_leads) + count(self.bit_leads))


PIECES = ("word_segments", "bit_segments", "word_leads", "bit_leads")


def uniform_lines(
    rows: int, bit_lines: int, *, r_word: float = 0.0, r_bit: float = 0.0, r_driver: float = 0.0
) -> LineResistances:
    """Lines of equal segments (ohm), one more before the first crossing of a word line and after row 0 of a bit line.

    ``r_driver`` stands before every word line, all fed at column 0. Without arguments all lines are ideal.
    """
    return LineResistances(
        word_segments=np.full(bit_lines - 1, r_word),
        bit_segments=np.full(rows - 1, r_bit),
        word_leads=np.full(rows, r_driver + r_word),
        bit_leads=np.full(bit_lines, r_bit),
        fed_far=np.zeros(rows, dtype=bool),
    )
