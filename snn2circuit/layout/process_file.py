"""A printing process as a TOML file, so that users can bring their own.

The file is the noun :class:`~snn2circuit.ir.layout.Process` written down: ``name`` and ``technology``, a table
``[rules]``, and one ``[[layers]]`` a layer, bottom to top. Every number is a table ``{value, unit, source,
confidence}``; a number alone is short for one in the key's own unit, marked as assumed. ``snn2circuit process inkjet``
prints a preset to start from. How a layer is printed (ink spread, passes, wet ink and its cost) may be left out; then
files and bills say nothing of it.

A process that is read is whole: every rule and layer a stack needs is there, and no two rules contradict each other.
"""

from __future__ import annotations

import difflib
import math
import tomllib
import typing
from pathlib import Path
from typing import Any

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import MAX_BIAS, PRINTING, Process, ProcessLayer, Role
from snn2circuit.ir.parts import Confidence, Quantity
from snn2circuit.layout.rules import INTERLAYER, LAYERS, SUBSTRATE, read_rules

UNITS = {
    "min_width": "m",
    "min_space": "m",
    "overlay": "m",
    "via_diameter": "m",
    "contact_pitch": "m",
    "drop_grid": "m",
    "sheet_length": "m",
    "sheet_width": "m",
    "max_density": "1",
    "density_window": "m",
    "thickness": "m",
    "sheet_resistance": "ohm/sq",
    "permittivity": "1",
    "bias": "m",
    "passes": "1",
    "drop_volume": "m3",
    "solids": "1",
    "cost": "1/l",
}
OWN = {"min_width": ("conductor",), "min_space": ("conductor", "via")}  # rules that layers of these roles may have
LEAST = {"permittivity": 1.0, "overlay": 0.0, "bias": -MAX_BIAS}  # of the others any value above 0
TOP = ("name", "technology", "rules", "layers")
NEEDED = ("min_width", "min_space", "overlay", "via_diameter")
RULES = tuple(UNITS)[: list(UNITS).index("thickness")]
LAYER_NEEDS = ("name", "role", "material", "thickness", "color", "mask")
LAYER_KEYS = (*LAYER_NEEDS, "sheet_resistance", "permittivity", *OWN, *PRINTING)


def read_process(path: Path) -> Process:
    """Read and check a process file.

    Raises:
        LayoutError: it cannot be read, or lacks or contradicts something; the text says what, and a value that fits.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LayoutError(f"process file {path} cannot be read: {error}") from error
    return parse_process(text, str(path))


def parse_process(text: str, source: str = "process") -> Process:
    """Check the text of a process file; ``source`` names it in messages."""
    try:
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits and deep nesting, too
        raise LayoutError(f"{source}: not valid TOML: {error}") from error
    _check_keys(tree, TOP, TOP, source)
    rules, layers = tree["rules"], tree["layers"]
    tables = [rules, *layers] if isinstance(layers, list) else [None]
    if not all(isinstance(each, dict) for each in tables):
        raise LayoutError(f"{source}: rules must be a table, written [rules], and every layer one, written [[layers]]")
    _check_keys(rules, RULES, NEEDED, f"{source}, [rules]")
    try:
        process = Process(
            name=_text(tree, "name", source),
            technology=_text(tree, "technology", source),
            layers=tuple(_layer(layer, number, source) for number, layer in enumerate(layers, start=1)),
            **{key: _quantity(value, key, f"{source}, [rules]") for key, value in rules.items()},
        )
        names = [layer.name for layer in process.layers]
        for name in names:
            if name not in LAYERS or names.count(name) > 1:
                how = "is there twice" if name in LAYERS else f"is unknown; {_suggest(name, tuple(LAYERS))}"
                raise LayoutError(f"layer {name!r} {how}")
        if names != [name for name in LAYERS if name in names]:
            raise LayoutError(f"layers must stand bottom to top: {', '.join(name for name in LAYERS if name in names)}")
        read_rules(process)
    except LayoutError as error:
        raise error if str(error).startswith(source) else LayoutError(f"{source}: {error}") from error
    return process


def process_toml(process: Process) -> str:
    """``process`` as a process file; :func:`parse_process` reads back an equal one."""
    lines = [
        "# A printing process: lengths in m, sheet resistance in ohm/sq. confidence: high, medium, derived or assumed.",
        f"name = {_quoted(process.name)}",
        f"technology = {_quoted(process.technology)}",
        "",
        "[rules]",
    ]
    rules = ((key, getattr(process, key)) for key in RULES)
    lines += [f"{key} = {_table(quantity)}" for key, quantity in rules if quantity is not None]
    for layer in process.layers:
        lines += ["", "[[layers]]"]
        for key in LAYER_KEYS:
            value = getattr(layer, key)
            if isinstance(value, Quantity):
                lines.append(f"{key} = {_table(value)}")
            elif value is not None:
                lines.append(f"{key} = {value if isinstance(value, int) else _quoted(value)}")
    return "\n".join([*lines, ""])


def _layer(table: dict[str, Any], number: int, source: str) -> ProcessLayer:
    where = f"{source}, layer {number}"
    _check_keys(table, LAYER_KEYS, LAYER_NEEDS, where)
    name, role, color = (_text(table, key, where) for key in ("name", "role", "color"))
    where += f" ({name})"
    if role not in typing.get_args(Role):
        raise LayoutError(f"{where}: role = {role!r}; {_suggest(role, typing.get_args(Role))}")
    if len(color) != 7 or color[0] != "#" or not set(color[1:].lower()) <= set("0123456789abcdef"):
        raise LayoutError(f'{where}: color = {color!r}; it must be written "#rrggbb"')
    mask = table["mask"]
    if not isinstance(mask, int) or isinstance(mask, bool):
        raise LayoutError(f"{where}: mask = {mask!r}; it must be a whole number from 1 to 255")
    values = {key: _quantity(table[key], key, where) for key in LAYER_KEYS if key in UNITS and key in table}
    for key, roles in OWN.items():
        if key in values and role not in roles:
            raise LayoutError(f"{where}: {key} is for layers of role {' or '.join(roles)}, this one has role {role}")
    if role == "conductor" and "sheet_resistance" not in values:
        raise LayoutError(f"{where}: sheet_resistance is missing; a conductor needs one, in ohm/sq")
    if name in (SUBSTRATE, INTERLAYER, "dielectric") and "permittivity" not in values:
        raise LayoutError(f"{where}: permittivity is missing; capacitances are computed from it")
    return ProcessLayer(
        name=name,
        role=typing.cast("Role", role),
        material=_text(table, "material", where),
        color=color,
        mask=mask,
        **values,
    )


def _quantity(value: Any, key: str, where: str) -> Quantity:
    unit = UNITS[key]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = {"value": value, "unit": unit, "source": "process file, no source given", "confidence": "assumed"}
    if not isinstance(value, dict):
        raise LayoutError(f"{where}: {key} = {value!r}; a number in {unit} is needed, or a table with value and source")
    keys = ("value", "unit", "source", "confidence")
    _check_keys(value, keys, keys, f"{where}, {key}")
    number, confidence, levels = value["value"], value["confidence"], typing.get_args(Confidence)
    if value["unit"] != unit:
        raise LayoutError(f"{where}: {key} is given in {value['unit']!r}; it must be in {unit!r}")
    if confidence not in levels:
        raise LayoutError(f"{where}: confidence of {key} is {confidence!r}; {_suggest(str(confidence), levels)}")
    least = LEAST.get(key, 0.0)
    is_number = isinstance(number, (int, float)) and not isinstance(number, bool) and math.isfinite(number)
    if not is_number or number < least or (number == 0 and key not in LEAST):
        limit = f"{least:g} or more" if key in LEAST else "more than 0"
        raise LayoutError(f"{where}: {key} is {number!r} {unit}; it must be a number, {limit}")
    return Quantity(value=float(number), unit=unit, source=_text(value, "source", where), confidence=confidence)


def _check_keys(table: dict[str, Any], known: tuple[str, ...], needed: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            raise LayoutError(f"{where}: unknown key {key!r}; {_suggest(key, known)}")
    missing = [key for key in needed if key not in table]
    if missing:
        raise LayoutError(
            f"{where}: {', '.join(missing)} missing; `snn2circuit process inkjet` prints a complete file to start from"
        )


def _text(table: dict[str, Any], key: str, where: str) -> str:
    value = table[key]
    if not isinstance(value, str) or not value.strip():
        raise LayoutError(f"{where}: {key} = {value!r}; a text in quotes is needed")
    return value


def _suggest(word: str, allowed: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(word, allowed, n=1)
    return (f"did you mean {near[0]!r}? " if near else "") + f"allowed: {', '.join(allowed)}"


def _table(quantity: Quantity) -> str:
    return (
        f"{{ value = {quantity.value!r}, unit = {_quoted(quantity.unit)}, source = {_quoted(quantity.source)}, "
        f"confidence = {_quoted(quantity.confidence)} }}"
    )


def _quoted(text: str) -> str:
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return '"' + "".join(escapes.get(c, c if c.isprintable() else f"\\U{ord(c):08x}") for c in text) + '"'
