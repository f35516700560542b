"""Pieces of HTML: tables, figures and notes, everything in them escaped and embedded."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts; an empty ``head`` is left out, and more than two columns stand right-aligned."""

    def row(cells: Sequence[str], tag: str) -> str:
        numeric = len(cells) > 2
        return (
            "<tr>"
            + "".join(f"<{tag}{' class=n' if numeric else ''}>{escape(cell)}</{tag}>" for cell in cells)
            + "</tr>"
        )

    return "<table>" + (row(head, "th") if any(head) else "") + "".join(row(cells, "td") for cells in rows) + "</table>"


def figure(path: Path, caption: str) -> str:
    """A PNG or SVG file, embedded, with its caption."""
    data = base64.b64encode(path.read_bytes()).decode()
    kind = {".png": "image/png", ".svg": "image/svg+xml"}[path.suffix]
    image = f'<img alt="{escape(caption)}" src="data:{kind};base64,{data}">'
    return f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>"


def note(text: str) -> str:
    """A paragraph of explanation."""
    return f'<p class="note">{escape(text)}</p>'
