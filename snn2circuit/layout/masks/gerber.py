"""Masks as Gerber files, one a layer and sheet: with X2 attributes, or as plain RS-274X for readers that know none.

Format: Ucamco, The Gerber Layer Format Specification, revision 2024.05; nothing that it calls deprecated is used.
Coordinates are millimetres with six decimals, so one unit is one nanometre. A box or a circle is a flash of a
rectangular or circular aperture at its centre; a box whose centre falls between two nanometres is drawn as a closed
region instead, a circle as one of 64 corners. In X2, objects carry their net (``%TO.N``). Files hold no creation date,
so equal layouts give equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from snn2circuit.ir.files import write_text
from snn2circuit.ir.layout import Layout
from snn2circuit.layout.masks.drawing import Mask, circle, list_masks

FIRST_APERTURE = 10  # lower numbers are reserved by the format


def write_gerber(layout: Layout, folder: Path, *, attributes: bool = True) -> list[Path]:
    """Write one file a mask into ``folder``, ``.gbr`` with X2 attributes, ``.ger`` without; returns their paths."""
    paths = []
    for mask in list_masks(layout):
        path = folder / f"{mask.name}.{'gbr' if attributes else 'ger'}"
        write_text(path, "\n".join(_lines(mask, layout.nets if attributes else None)) + "\n")
        paths.append(path)
    return paths


def function(sheet: int, layer: str) -> str:
    """What a mask is for, as the attribute ``.FileFunction`` says it."""
    return f"Other,Sheet {sheet} {layer}"


def _lines(mask: Mask, nets: tuple[str, ...] | None) -> Iterator[str]:
    if nets is None:
        yield f"G04 snn2circuit, sheet {mask.sheet}, {mask.layer.name}, in millimetres*"
    else:
        yield "%TF.GenerationSoftware,snn2circuit,snn2circuit*%"
        yield f"%TF.FileFunction,{function(mask.sheet, mask.layer.name)}*%"
        yield "%TF.FilePolarity,Positive*%"
        yield "%TF.SameCoordinates,stack*%"
        yield "%TF.Part,Single*%"
    yield "%FSLAX46Y46*%"
    yield "%MOMM*%"
    yield "%LPD*%"
    shapes = list(zip(mask.boxes.tolist(), mask.round.tolist(), mask.nets.tolist(), strict=True))
    apertures: dict[tuple[int, int, bool], int] = {}
    for (x0, y0, x1, y1), is_round, _ in shapes:
        kind = (x1 - x0, y1 - y0, is_round)
        if kind not in apertures:
            apertures[kind] = FIRST_APERTURE + len(apertures)
            shape = f"C,{kind[0] / 1e6:.6f}" if is_round else f"R,{kind[0] / 1e6:.6f}X{kind[1] / 1e6:.6f}"
            yield f"%ADD{apertures[kind]}{shape}*%"
    yield "G01*"
    current = net_now = -1
    for (x0, y0, x1, y1), is_round, net in shapes:
        if net != net_now and nets is not None:
            yield f"%TO.N,{_attribute(nets[net])}*%" if net >= 0 else "%TD.N*%"
            net_now = net
        if (x0 + x1) % 2 or (y0 + y1) % 2:
            corners = [(x1, y0), (x1, y1), (x0, y1), (x0, y0)]
            if is_round:
                corners = [(point.x, point.y) for point in circle(x0, y0, x1, y1).each_point_hull()]
            yield "G36*"
            yield f"X{corners[-1][0]}Y{corners[-1][1]}D02*"
            yield from (f"X{x}Y{y}D01*" for x, y in corners)
            yield "G37*"
            continue
        aperture = apertures[x1 - x0, y1 - y0, is_round]
        if aperture != current:
            yield f"D{aperture}*"
            current = aperture
        yield f"X{(x0 + x1) // 2}Y{(y0 + y1) // 2}D03*"
    yield "M02*"


def _attribute(text: str) -> str:
    """A text as the value of an attribute: percent, asterisk, comma and backslash mean something there (3.4.3)."""
    return "".join(c if c.isprintable() and c not in "%*,\\" else _escape(ord(c)) for c in text)


def _escape(code: int) -> str:
    return f"\\u{code:04X}" if code < 1 << 16 else f"\\U{code:08X}"
