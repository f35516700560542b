"""The viewer as HTML: the page that the server hands out, and the same viewer inside a self-contained report.

Both use one script and one style sheet, built from ``app/`` into ``static/``. Served, the page loads them and the stack
from its own origin. Embedded, everything is inline and the stack is base64 text, so the report opens from disk with no
server and no network.
"""

from __future__ import annotations

import base64
import html
import json
import re
from importlib.resources import files

COLOURS = ("good", "warning", "bad")  # of a verdict
STATIC = files("snn2circuit.viewer") / "static"

_PLACE = '<div id="snn2circuit-viewer" class="s2c s2c-embedded" aria-label="{title}"></div>'
_CLOSING_TAG = re.compile(r"</(script|style)|<(!--)", re.IGNORECASE)


def asset(name: str) -> str:
    """A built file: ``viewer.js``, ``viewer.css`` or ``index.html``."""
    return (STATIC / name).read_text(encoding="utf-8")


def viewer_page(summary: bytes | None = None) -> str:
    """The page the server hands out; it loads its script, style and stack from its own origin.

    Args:
        summary: what ``summary.json`` holds; its verdict stands above the stack. None, or anything else: no verdict.
    """
    return asset("index.html").replace("<main", f"{_banner(summary)}<main", 1)


def _banner(summary: bytes | None) -> str:
    try:
        verdict = json.loads(summary or b"null")["verdict"]
        text, colour = verdict["text"], verdict["colour"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    if not isinstance(text, str) or colour not in COLOURS:
        return ""
    return f'<p class="s2c-verdict s2c-{colour}" role="status">{html.escape(text)}</p>\n    '


def embed(glb: bytes, title: str, activity: str | None = None) -> str:
    """The viewer as an HTML fragment that needs nothing else: style, place, stack and script, in this order.

    Args:
        glb: the stack as ``snn2circuit layout`` writes it.
        title: what the stack is called for people who hear the page; any text.
        activity: JSON of what a simulated sample did, as ``snn2circuit run`` writes it; None for nothing.
    """
    recorded = f'<script type="application/json" id="stack-activity">{_harmless(activity)}</script>' if activity else ""
    return "\n".join(
        [
            f"<style>{_harmless(asset('viewer.css'))}</style>",
            _PLACE.format(title=html.escape(title, quote=True)),
            f'<script type="application/octet-stream;base64" id="stack-glb">{base64.b64encode(glb).decode()}</script>',
            recorded,
            f"<script>{_harmless(asset('viewer.js'))}</script>",
        ]
    )


def _harmless(text: str) -> str:
    """``text`` of a script or style, without what HTML would take for its end or for a comment."""
    return _CLOSING_TAG.sub(lambda match: f"<\\/{match[1]}" if match[1] else "<\\!--", text)
