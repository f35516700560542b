"""Text of unknown origin, made harmless for whoever reads it next.

A name may hold escape sequences that a terminal obeys, characters that turn the direction of writing, or control
characters that no XML file may hold. Names are kept as they are in the nouns; what shows or writes them makes them
plain.
"""

from __future__ import annotations


def plain(text: str, keep: str = "") -> str:
    r"""``text`` with every character that cannot be printed, such as ESC, as its escape, such as ``\x1b``.

    Args:
        text: any text.
        keep: characters that stay although they cannot be printed, such as line ends.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode("ascii") for c in text)
