"""Numbers as text: plain exponents for SPICE, engineering prefixes for people.

SPICE reads ``M`` as milli and ``1k5`` as 1000, so decks carry no suffixes at all; people read ``14.9 kΩ`` faster than
``1.49e+04``. Nothing else in the package formats a physical number.
"""

from __future__ import annotations

import math

_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}


def spice(value: float) -> str:
    """A SPICE number with 12 significant digits and a plain exponent, e.g. ``1.5e-05``."""
    return f"{value:.12g}"


def engineering(value: float, unit: str, digits: int = 3) -> str:
    """A number for people, e.g. ``engineering(14925.4, "ohm")`` gives ``'14.9 kΩ'``; the unit 1 is not written."""
    unit = unit.replace("ohm", "Ω")
    if unit in ("", "1"):
        return f"{value:.{digits}g}"
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}"
    exponent = max(-15, min(12, 3 * math.floor(math.log10(abs(value)) / 3)))
    scaled = f"{value / 10.0**exponent:.{digits}g}"
    if abs(float(scaled)) >= 1000 and exponent < 12:
        exponent += 3
        scaled = f"{value / 10.0**exponent:.{digits}g}"
    return f"{float(scaled):g} {_PREFIXES[exponent]}{unit}"
