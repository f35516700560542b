"""What ngspice and LTspice both read, as a whitelist of line shapes; nothing else may stand in an emitted deck.

Written from the two manuals, not from the emitter: numbers are plain or in e-notation (no suffixes, ``M`` differs from
what people think), expressions hold products, sums, ``u``, ``min``, ``max`` and ``tanh`` of node voltages.
"""

from __future__ import annotations

import re

NAME = r"[a-z0-9_]+"
NUMBER = r"-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?"
TERM = rf"(?:V\({NAME}\)|{NUMBER}|u|min|max|tanh|[-+*(),])"
LINES = [
    re.compile(pattern)
    for pattern in (
        r"",
        r"\*[\x20-\x7e]*",
        rf"[RC]{NAME} {NAME} {NAME} {NUMBER}",
        rf"[EG]{NAME} {NAME} {NAME} {NAME} {NAME} {NUMBER}",
        rf"B{NAME} {NAME} {NAME} [VI]={TERM}+",
        rf"S{NAME} {NAME} {NAME} {NAME} {NAME} {NAME}",
        rf"V{NAME} {NAME} {NAME} {NUMBER}",
        rf"V{NAME} {NAME} 0 PULSE\({NUMBER}(?: {NUMBER}){{6}}\)",
        rf"V{NAME} {NAME} 0 PWL\((?: {NUMBER} {NUMBER})+ \)",
        rf"X{NAME}(?: {NAME})+",
        rf"\.model {NAME} SW\(Ron={NUMBER} Roff={NUMBER} Vt={NUMBER} Vh=0\)",
        rf"\.subckt {NAME}(?: {NAME})+",
        rf"\.ends {NAME}",
        r'\.include "?[a-z0-9_]+\.lib"?',
        r"\.options(?: (?:reltol|abstol|vntol|chgtol|plotwinsize|numdgt)=[0-9.e+-]+)+",
        rf"\.tran {NUMBER} {NUMBER} 0 {NUMBER} uic",
        rf"\.save(?: v\({NAME}\))+",
        r"\.end",
    )
]


def foreign_lines(text: str) -> list[str]:
    """Lines, with their continuations, that no shape of the whitelist fits."""
    joined = text.replace("\n+ ", " ").split("\n")
    return [line for line in joined if not any(shape.fullmatch(line) for shape in LINES)]


def doubled_names(text: str) -> set[str]:
    """Element names that occur more than once in the same scope; a simulator would drop or refuse one."""
    seen: set[tuple[str, str]] = set()
    doubled: set[str] = set()
    scope = ""
    for line in text.split("\n"):
        words = line.split()
        if line.startswith(".subckt"):
            scope = words[1]
        elif line.startswith(".ends"):
            scope = ""
        elif words and words[0][0].isalpha():
            key = (scope, words[0].lower())
            doubled |= {words[0]} if key in seen else set()
            seen.add(key)
    return doubled
