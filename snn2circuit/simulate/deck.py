"""Reading a deck before a simulator does: one flat text of lines that :mod:`.grammar` lets pass.

A deck may have been edited by anyone. It is read here as ngspice would read it: the first line is a title, lines that
begin with ``*`` and ends of lines behind ``;``, ``$`` or ``//`` are comments, ``+`` continues a line, ``.include``
puts another file in its place, ``.end`` ends. Every logical line is checked, and what the simulator gets is written
from the checked lines alone: it has no title, comment, continuation, include or character beyond printable ASCII in
it, so that there is nothing left that a simulator could read in another way.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import InitVar, dataclass, field
from pathlib import Path

from snn2circuit.errors import DeckRejected, IncludeMissing
from snn2circuit.simulate import grammar

MAX_BYTES = 2**30  # of a deck with all that it includes
MAX_FILES = 1000
MAX_DEPTH = 8

_COMMENT = re.compile(r";|//|(?:^|(?<=[\s,]))\$(?=\s|$)")
_INCLUDE = re.compile(r"""\.include\s++(?:"([^"']+)"|'([^"']+)'|([^\s"']+))""", re.IGNORECASE)
_ODD = re.compile(r"[^\x20-\x7e\t\n]")


@dataclass(frozen=True)
class CheckedDeck:
    """A deck that a simulator may see; making one is checking it.

    Raises:
        DeckRejected: a line is not among those that may be simulated, or a file it includes is missing, not a regular
            file of the deck's own folder, not text, or too large; the text says which line of which file.
    """

    source: InitVar[str]
    name: str  # what messages call it: a file's path, or words
    folder: InitVar[Path | None] = None  # where its includes lie; None: it includes nothing
    text: str = field(init=False, repr=False)  # what the simulator gets

    def __post_init__(self, source: str, folder: Path | None) -> None:
        """Check every line of ``source``."""
        title, _, rest = source.replace("\r\n", "\n").partition("\n")
        _check_characters(title, self.name, 1)
        reader = _Reader(None if folder is None else folder.resolve())
        lines = list(reader.read(rest, self.name, first=2, folder=reader.root, depth=0))
        reader.check_functions()
        object.__setattr__(self, "text", "\n".join(["* deck", *lines, ".end", ""]))


def read_deck(path: Path) -> CheckedDeck:
    """The deck at ``path`` with its includes in place.

    Raises:
        DeckRejected: as for :class:`CheckedDeck`.
    """
    path = Path(path)
    try:
        text = read_inside(path.parent, path.name)
    except IncludeMissing as error:
        raise DeckRejected(str(error)) from None
    return CheckedDeck(text, name=str(path), folder=path.parent)


def read_inside(folder: Path, name: str, most: int = MAX_BYTES) -> str:
    """The text of a regular file in ``folder`` or in a folder within it, reached without any link.

    Raises:
        DeckRejected: it is somewhere or something else, too large or not text.
        IncludeMissing: it does not exist.
    """
    folder = Path(folder).resolve()
    path = folder / name
    if not name.isprintable() or Path(name).is_absolute() or ".." in Path(name).parts:
        raise DeckRejected(f"{name!r} lies outside the deck's folder {folder}; put the file into it")
    try:
        if path.resolve() != path:
            raise DeckRejected(f"{path} is a link, or lies behind one; put the file itself into the deck's folder")
        if not stat.S_ISREG(path.stat().st_mode):
            raise DeckRejected(f"{path} is no regular file")
        # Without waiting and without following: the file may have been replaced by a pipe or a link just now.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW), "rb") as file:
            if os.fstat(file.fileno()).st_size > most:
                raise DeckRejected(f"{path}: a deck may have {MAX_BYTES:,} bytes with all it includes; this is more")
            return (file.read() or b"").decode("utf-8")
    except DeckRejected:
        raise
    except FileNotFoundError:
        raise IncludeMissing(f"{path} does not exist") from None
    except UnicodeDecodeError as error:
        raise DeckRejected(f"{path} is not text in ASCII or UTF-8 (byte {error.start:,}); save it as such") from None
    except (OSError, RuntimeError) as error:
        raise DeckRejected(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


class _Reader:
    """Goes through a deck and what it includes, and keeps count."""

    def __init__(self, root: Path | None) -> None:
        self.root = root
        self.bytes = self.files = 0
        self.ended = False
        self.called: dict[str, str] = {}  # function: place of its first call
        self.defined: set[str] = set()

    def read(self, text: str, name: str, *, first: int, folder: Path | None, depth: int) -> Iterator[str]:
        """Checked logical lines of a file, with the files that it includes."""
        for number, line in _logical_lines(text.replace("\r\n", "\n"), name, first):
            if self.ended:
                raise DeckRejected(f"{name} line {number}: something stands behind .end; remove it")
            if line.endswith("\n"):
                yield line[:-1]
            elif included := _INCLUDE.fullmatch(line):
                yield from self._include(next(filter(None, included.groups())), f"{name} line {number}", folder, depth)
            else:
                self._check(line, f"{name} line {number}")
                if not self.ended:
                    yield line

    def _check(self, line: str, place: str) -> None:
        if reason := grammar.complaint(line):
            raise DeckRejected(f"{place}: {line[:60]!r} is not simulated: {reason}; remove or rewrite it")
        for function in grammar.functions_called(line):
            self.called.setdefault(function, f"{place}: {line[:60]!r}")
        if defined := grammar.function_defined(line):
            self.defined.add(defined)
        self.ended = line.lower() == ".end"

    def _include(self, target: str, place: str, folder: Path | None, depth: int) -> Iterator[str]:
        self.files += 1
        if folder is None or self.root is None:
            raise DeckRejected(f"{place}: includes {target[:60]!r}, but this deck has no folder")
        if depth >= MAX_DEPTH or self.files > MAX_FILES:
            raise DeckRejected(
                f"{place}: includes are nested deeper than {MAX_DEPTH} or more than {MAX_FILES}, is there a circle?"
            )
        try:
            inside = (folder / target).relative_to(self.root)
            text = read_inside(self.root, str(inside), MAX_BYTES - self.bytes)
        except ValueError:
            raise DeckRejected(f"{place}: includes {target[:60]!r} outside the deck's folder") from None
        except DeckRejected as error:
            raise type(error)(f"{place}: {error}") from None
        self.bytes += len(text)
        path = self.root / inside
        yield from self.read(text, str(path), first=1, folder=path.parent, depth=depth + 1)

    def check_functions(self) -> None:
        """Every function that is called must be known; ``.func`` may stand behind the call."""
        for name in self.called.keys() - self.defined:
            raise DeckRejected(f"{self.called[name]} calls {name}(), which neither ngspice nor a .func line defines")


def _logical_lines(text: str, name: str, first: int) -> Iterator[tuple[int, str]]:
    """Lines with their continuations and without comments, each with its number.

    A run of plain elements comes as one text that ends in a line feed: checked already.
    """
    number, position, begun = first, 0, first
    parts: list[str] = []
    while position < len(text):
        if bulk := grammar.BULK.match(text, position):
            if parts:
                yield begun, " ".join(parts)
                parts = []
            yield number, bulk[0]
            number += bulk[0].count("\n")
            position = bulk.end()
            continue
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        line = _without_comment(text[position:end], name, number)
        if line.startswith("+"):
            if not parts:
                raise DeckRejected(f"{name} line {number}: {line[:60]!r} continues no line")
            parts.append(line[1:].strip())
        elif line:
            if parts:
                yield begun, " ".join(parts)
            parts, begun = [line], number
        number, position = number + 1, end + 1
    if parts:
        yield begun, " ".join(parts)


def _without_comment(line: str, name: str, number: int) -> str:
    """A line without its comment and the blanks around it, in printable ASCII."""
    _check_characters(line, name, number)
    line = line.replace("\t", " ").strip(" ")
    if line.startswith("*"):
        return ""
    if comment := _COMMENT.search(line):
        line = line[: comment.start()].rstrip(" ")
    if odd := _ODD.search(line):
        raise DeckRejected(f"{name} line {number}: {odd[0]!r} may stand in comments only; use ASCII")
    return line


def _check_characters(line: str, name: str, number: int) -> None:
    """Comments and titles may be in any language, but nothing may end a line or hide in it."""
    if not line.replace("\t", " ").isprintable():
        odd = next(each for each in line if each != "\t" and not each.isprintable())
        raise DeckRejected(f"{name} line {number}: holds {odd!r}, which does not print; remove it")
