r"""The lines that may reach a simulator: what our dialects write, and what people add to a deck by hand.

ngspice reads much more than circuits. ``.control`` sections and some comments run commands, a shell among them; code
models (``A``) and options read files, write files and start programs. So this is a list of what passes, by the shape
of a whole logical line: passive elements, sources, behavioural sources with arithmetic, switches, diodes, subcircuits,
and the directives that analyse, record and set numbers. There is no place in any shape for a file's name, for text in
double quotes, or for a character with which ngspice's command language substitutes, redirects or continues
(``$ ` " \ ;`` anywhere, ``> | & !`` outside of arithmetic). Shapes follow the ngspice manual, chapters 2 to 5 and 15.
"""

from __future__ import annotations

import re

NAME = r"\w[\w.]*+"
NODE = r"\w[\w.+\-#\[\]]*+"
NUMBER = r"[+-]?(?:\d++(?:\.\d*+)?+|\.\d++)(?:e[+-]?\d++)?+"
VALUE = rf"(?:{NUMBER}[a-z]*+(?![\w.])|\{{[^{{}}']*+\}}|'[^{{}}']*+')"
SETTINGS = rf"(?:\s++\w+\s*+=\s*+{VALUE})*+"  # name=value
ARITHMETIC = r"[\w\s.+\-*/(),<>=!&|?:^]"
VECTORS = r"[\w\s.+\-(),@\[\]#]*+"

ELEMENTS = {
    **dict.fromkeys("rcl", rf"\s++{NODE}\s++{NODE}(?:\s++{VALUE})?(?:\s++[a-z_]\w*+(?!\s*+=))?{SETTINGS}"),
    **dict.fromkeys(
        "vi",
        rf"\s++{NODE}\s++{NODE}(?:[\s(),]++|(?:dc|ac|pulse|sin|exp|pwl|sffm|am)\b|(?:dc|r|td)\s*+=\s*+|{VALUE})*+",
    ),
    **dict.fromkeys(
        "eg",
        rf"\s++{NODE}\s++{NODE}(?:\s++{NODE}\s++{NODE}\s++{VALUE}|\s++(?:vol|cur|value)\s*+=?\s*+{VALUE}"
        rf"|\s++table\s*+\{{[^{{}}']*+\}}\s*+=?(?:[\s(),]++|{VALUE})*+)",
    ),
    **dict.fromkeys("fh", rf"\s++{NODE}\s++{NODE}\s++{NAME}\s++{VALUE}"),
    "b": rf"\s++{NODE}\s++{NODE}\s++[vi]\s*+=\s*+(?:{ARITHMETIC}|[{{}}'])++",
    "s": rf"(?:\s++{NODE}){{4}}\s++{NAME}(?:\s++(?:on|off))?",
    "w": rf"\s++{NODE}\s++{NODE}\s++{NAME}\s++{NAME}(?:\s++(?:on|off))?",
    "d": rf"\s++{NODE}\s++{NODE}\s++{NAME}(?:\s++{VALUE})?(?:\s++off)?{SETTINGS}",
    "k": rf"\s++{NAME}\s++{NAME}\s++{VALUE}",
    "x": rf"(?:\s++{NODE}(?!\s*+[=:]))++(?:\s++params:)?{SETTINGS}",
}
FLAGS = "acct|noacct|noinit|noopiter|nomod|nopage|list|node|opts|savecurrents|keepopinfo|klu|sparse|interp|autostop"
NUMBERS = (
    "abstol|reltol|vntol|chgtol|trtol|pivtol|pivrel|gmin|gminsteps|srcsteps|itl[1-6]|maxord|xmu|temp|tnom|cshunt|rshunt|"
    "rseries|maxevtiter|maxopalter|minbreak|ltereltol|lteabstol|newtrunc|trytocompact|ramptime|defl|defw|numdgt|"
    "plotwinsize|measdgt|solver"
)
_OPTION = (
    rf"\s++(?:(?:{FLAGS})(?!\w)|(?:{NUMBERS})\s*+=\s*+{NUMBER}[a-z]*+(?!\w)"
    r"|method\s*+=\s*+(?:gear|trap|trapezoidal)(?!\w))"
)
DIRECTIVES = {
    **dict.fromkeys(("option", "options"), rf"(?:{_OPTION})++"),
    **dict.fromkeys(("ic", "nodeset"), rf"(?:\s++v\s*+\(\s*+{NODE}\s*+\)\s*+=\s*+{VALUE})++"),
    **dict.fromkeys(("print", "plot"), rf"(?:\s++(?:tran|ac|dc|op))?\s++{VECTORS}"),
    **dict.fromkeys(("meas", "measure"), rf"\s++(?:tran|ac|dc)\s++{NAME}\s(?:{ARITHMETIC}|[@\[\]#{{}}'])++"),
    "save": rf"\s++{VECTORS}",
    "four": rf"\s++{NUMBER}[a-z]*+\s++{VECTORS}",
    "tran": rf"(?:\s++{VALUE}){{2,4}}(?:\s++uic)?",
    "ac": rf"\s++(?:dec|oct|lin)(?:\s++{VALUE}){{3}}",
    "dc": rf"(?:\s++{NAME}(?:\s++{VALUE}){{3}}){{1,2}}",
    "op": "",
    "temp": rf"(?:\s++{NUMBER}[a-z]*+)++",
    "param": rf"\s++{NAME}\s*+=(?:{ARITHMETIC}|[{{}}'])++",
    "func": rf"\s++{NAME}\s*+\([\w\s,]*+\)\s*+=?\s*+(?:\{{[^{{}}']*+\}}|'[^{{}}']*+')",
    "model": rf"\s++{NAME}\s++(?:sw|csw|d|r|c|l)\b(?:(?:[\s(),]++|\w+\s*+=\s*+{VALUE})*+)",
    "subckt": rf"\s++{NAME}(?:\s++{NODE}(?!\s*+[=:]))*+(?:\s++params:)?{SETTINGS}",
    "ends": rf"(?:\s++{NAME})?",
    "global": rf"(?:\s++{NODE})++",
    "end": "",
}
_MATH = (
    "abs acos acosh asin asinh atan atan2 atanh ceil cos cosh ddt exp fabs floor fmod int ln log log10 max min nint "
    "pow pwr pwl sgn sin sinh sqr sqrt tan tanh ternary_fcn u u2 uramp eq0 ne0 gt0 lt0 ge0 le0 limit"
)
FUNCTIONS = frozenset(_MATH.split()) | {"v", "i", "and", "or"}

_FLAGS = re.IGNORECASE | re.ASCII
_ELEMENTS = {letter: re.compile(rf"{letter}{NODE}{shape}", _FLAGS) for letter, shape in ELEMENTS.items()}
_DIRECTIVES = {word: re.compile(rf"\.{word}{shape}", _FLAGS) for word, shape in DIRECTIVES.items()}
_WORD = re.compile(r"\.([a-z]++)", _FLAGS)
_CALL = re.compile(r"([a-z_]\w*+)\s*+\(", _FLAGS)
_FORMULA = re.compile(r"\{[^{}]*\}|'[^']*'")
_FOREIGN = re.compile(rf"(?!{ARITHMETIC})[^{{}}']", _FLAGS)
_ALLOWED = (
    f"elements {' '.join(sorted(ELEMENTS)).upper()} and the directives .include "
    f"{' '.join(f'.{word}' for word in sorted(DIRECTIVES))} in the ngspice manual's plain forms may stand here"
)
# The bulk of a large deck: whole lines that nothing can continue, as another line begins behind them.
BULK = re.compile(rf"(?:(?:[rc]\w++ \w++ \w++|[eg]\w++ \w++ \w++ \w++ \w++) {NUMBER}\n(?=[a-z.]))++", _FLAGS)


def complaint(line: str) -> str | None:
    """Why a logical line may not reach a simulator; ``None``: it may."""
    if word := _WORD.match(line):
        name = word[1].lower()
        shape = _DIRECTIVES.get(name)
        if shape is None:
            return f".{name} is not among what may be simulated: {_ALLOWED}"
        what = f".{name}"
    else:
        shape = _ELEMENTS.get(line[:1].lower())
        if shape is None:
            return f"it begins with {line[:1]!r}; {_ALLOWED}"
        what = f"element {line[:1].upper()}"
    if not shape.fullmatch(line):
        return f"it is not the plain form of {what} that the ngspice manual gives, with numbers or arithmetic only"
    for formula in _formulas(line):
        if foreign := _FOREIGN.search(formula):
            return f"{foreign[0]!r} has no place in a formula"
    return None


def functions_called(line: str) -> set[str]:
    """Functions that the formulas of a line use and that are not ngspice's own."""
    return {name.lower() for formula in _formulas(line) for name in _CALL.findall(formula)} - FUNCTIONS


def function_defined(line: str) -> str | None:
    """Name of the function that a ``.func`` line defines."""
    found = re.match(rf"\.func\s++({NAME})", line, _FLAGS)
    return found[1].lower() if found else None


def _formulas(line: str) -> list[str]:
    if line[:1] in "bB" or line[:6].lower() == ".param":
        return [line.partition("=")[2]]
    return _FORMULA.findall(line) if "{" in line or "'" in line else []
