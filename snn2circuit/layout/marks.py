"""What a sheet carries for people and for the printer: alignment marks and a printed name.

A strip along one near edge, the same on every sheet, has a mark at either end and the sheet's name in between. Two
marks tell shift and turn. In each, a plus is printed with the word lines, a ring around it with the bit lines, one
space away on every side, and four squares in the plus's corners with the dielectric: gaps that differ are the
register's error. Every mark is a net of its own, so that a check finds it if it touches anything.

The name is printed in dielectric, which connects nothing, in the usual 5 by 7 dots; it is cut off where the strip ends.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from snn2circuit.ir.noun import Ints
from snn2circuit.layout.rules import BIT_LINES, DIELECTRIC, WORD_LINES, Rules

DOTS = 7  # height of a letter; it is 5 wide and 1 apart
ADVANCE = 6
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
COLUMNS = (
    "3e5149453e00427f400042615149462141454b311814127f1027454545393c4a49493001710905033649494936064949291e"
    "7e1111117e7f494949363e414141227f4141221c7f494949417f090909013e4149497a7f0808087f00417f41002040413f01"
    "7f081422417f404040407f020c027f7f0408107f3e4141413e7f090909063e4151215e7f0919294646494949310101"
    "7f01013f4040403f1f2040201f3f4038403f6314081463070870080761514945430808080808"
)  # five bytes a letter, a column each, lowest bit on top
FONT = {letter: bytes.fromhex(COLUMNS)[5 * i : 5 * i + 5] for i, letter in enumerate(LETTERS)}


def strip_width(rules: Rules) -> int:
    """Side of an alignment mark, nm, and so the width of the strip it stands in."""
    return 7 * rules.width + 2 * rules.space


def draw_mark(rules: Rules, along: int, across: int) -> Iterator[tuple[str, Ints]]:
    """Boxes of one mark, ``(boxes, 4)`` as low and high corner, for each layer; its corner is at ``along, across``."""
    w, side = rules.width, strip_width(rules)
    inner = w + rules.space  # where the plus begins
    plus = [(0, 2, 5, 3), (2, 0, 3, 2), (2, 3, 3, 5)]
    corners = [(0, 0, 1, 1), (4, 0, 5, 1), (0, 4, 1, 5), (4, 4, 5, 5)]
    ring = [(0, 0, side, w), (0, side - w, side, side), (0, w, w, side - w), (side - w, w, side, side - w)]
    corner = np.array([along, across, along, across])
    yield WORD_LINES, corner + inner + w * np.array(plus)
    yield BIT_LINES, corner + np.array(ring)
    yield DIELECTRIC, corner + inner + w * np.array(corners)


def draw_text(text: str, rules: Rules, along: int, across: int, length: int) -> Ints:
    """Boxes of ``text`` from ``along`` on, no longer than ``length``, its foot at ``across``; ``(boxes, 4)``."""
    dot, boxes = rules.width, []
    letters = text.upper()[: max(0, (length // dot + 1) // ADVANCE)]
    for place, letter in enumerate(letters):
        for column, dots in enumerate(FONT.get(letter, b"")):
            rows = [row for row in range(DOTS) if dots >> row & 1]
            for row in rows:
                if row - 1 not in rows:
                    end = next(each for each in range(row, DOTS + 1) if each not in rows)
                    left = along + (place * ADVANCE + column) * dot
                    boxes.append((left, across + (DOTS - end) * dot, left + dot, across + (DOTS - row) * dot))
    return np.array(boxes, dtype=np.int64).reshape(-1, 4)
