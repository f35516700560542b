"""Reading a deck before a simulator does: one flat text, nothing that runs commands.

ngspice executes ``.control`` sections of a deck and of everything it includes, a shell among them. A deck that is
simulated here may have been edited by anyone, so it is read, its includes are resolved inside its own folder, and what
could run a command is refused.
"""

from __future__ import annotations

import re
from pathlib import Path

from snn2circuit.errors import DeckRejected, IncludeMissing

_FORBIDDEN = re.compile(r"^\s*\.(control|endc|lib|exec|shell|csparam|inc\b(?!lude))", re.IGNORECASE)
_INCLUDE = re.compile(r"""^\s*\.include\s+["']?([^"'\s]+)["']?\s*$""", re.IGNORECASE)
MAX_BYTES = 2**30


def read_deck(path: Path) -> str:
    """The text of the deck at ``path`` with its includes in place.

    Raises:
        DeckRejected: a file is missing, not text, outside the folder, too large, or holds what runs commands.
    """
    return "\n".join(_lines(Path(path), Path(path).resolve().parent, depth=0)) + "\n"


def _lines(path: Path, folder: Path, depth: int) -> list[str]:
    if depth > 8:
        raise DeckRejected(f"{path}: includes are nested deeper than 8, is there a circle?")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DeckRejected(f"{path} has more than {MAX_BYTES} bytes")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise (IncludeMissing if depth else DeckRejected)(f"{path} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DeckRejected(f"{path} cannot be read as text: {error}") from error
    lines: list[str] = []
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text.rstrip("\r\n")), start=1):
        if _FORBIDDEN.match(line) or "\0" in line:
            raise DeckRejected(
                f"{path} line {number}: {line.strip()[:60]!r} could run commands or is not read here; remove it"
            )
        if (included := _INCLUDE.match(line)) and not (number == 1 and depth == 0):
            target = (folder / included[1]).resolve()
            if target.parent != folder:
                raise DeckRejected(f"{path} line {number}: includes {included[1]!r} outside the deck's folder")
            lines += _lines(target, folder, depth + 1)
        else:
            lines.append(line)
    return lines
