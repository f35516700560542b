"""Pieces of HTML: tables, figures and notes, everything in them escaped and embedded."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

NUMBER = re.compile(r"[-+]?[\d.]|-?$")  # a cell that is a number, or holds the place of one


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts, nothing without rows; an empty ``head`` is left out, below another numbers stand right."""
    lines = list(rows)
    if not lines:
        return ""
    numeric = [any(head) and all(map(NUMBER.match, column)) for column in zip(*lines, strict=True)]

    def row(cells: Sequence[str], tag: str) -> str:
        return (
            "<tr>"
            + "".join(
                f"<{tag}{' class=n' if number else ''}>{escape(cell)}</{tag}>"
                for cell, number in zip(cells, numeric, strict=True)
            )
            + "</tr>"
        )

    return (
        "<table>" + (row(head, "th") if any(head) else "") + "".join(row(cells, "td") for cells in lines) + "</table>"
    )


def figure(path: Path, caption: str) -> str:
    """A PNG or SVG file, embedded, with its caption."""
    data = base64.b64encode(path.read_bytes()).decode()
    kind = {".png": "image/png", ".svg": "image/svg+xml"}[path.suffix]
    image = f'<img alt="{escape(caption)}" src="data:{kind};base64,{data}">'
    return f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>"


def note(text: str) -> str:
    """A paragraph of explanation."""
    return f'<p class="note">{escape(text)}</p>'
