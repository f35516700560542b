"""Changes to files as accidents and attackers make them; each is a function of (chance, data) and gives new data."""

from __future__ import annotations

import io
import random
import re
import struct
import zipfile
from collections.abc import Callable

Mutator = Callable[[random.Random, bytes], bytes]

NUMBERS = [b"0", b"-1", b"1e999", b"-1e999", b"nan", b"NaN", b"Infinity", b"1e-320", b"4294967295", b"-2147483649"]
NUMBERS += [b"18446744073709551616", b"1" * 5000, b"0x10", b"1e5000", b'"1"', b"true", b"null", b"[]", b"{}", b"1.5"]
WIDTHS = [struct.pack(form, value) for form in ("<I", ">I", "<q", "<H") for value in (0, 1)]
WIDTHS += [
    b"\xff" * 4,
    b"\xff" * 8,
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\x80\0\0\0",
    b"\0\0\xf8\x7f",
    b"\xff" * 2,
]
TOKENS = [
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\n",
    b"\r",
    b'"',
    b"'",
    b"[",
    b"]",
    b"{",
    b"}",
    b"=",
    b"\\",
    b"\x1b[2J",
]
TOKENS += ["\u2028\u202e\ud7ff".encode(), b"../../x", b"inf", b"*", b"<!--", b"\xc0\xaf", b"#", b";", b"," * 50]


def flip(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8))):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(chance: random.Random, data: bytes) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def remove(chance: random.Random, data: bytes) -> bytes:
    start, end = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    return data[:start] + data[end:]


def repeat(chance: random.Random, data: bytes) -> bytes:
    start = chance.randrange(len(data) + 1)
    piece = data[start : start + chance.choice((1, 8, 100, 1000))]
    return data[:start] + piece * chance.choice((2, 3, 50)) + data[start:]


def splice(chance: random.Random, data: bytes) -> bytes:
    one, other = (chance.randrange(len(data) + 1) for _ in range(2))
    return data[:one] + data[other:]


def shuffle_lines(chance: random.Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    for _ in range(3):
        if lines:
            lines.insert(chance.randrange(len(lines) + 1), lines[chance.randrange(len(lines))])
            del lines[chance.randrange(len(lines))]
    return b"".join(lines)


def insert(chance: random.Random, data: bytes) -> bytes:
    place = chance.randrange(len(data) + 1)
    return data[:place] + chance.choice(TOKENS) + data[place:]


def renumber(chance: random.Random, data: bytes) -> bytes:
    """Another number in a text."""
    found = list(re.finditer(rb"-?\d[\d.]*(?:[eE][-+]?\d+)?", data[:20_000]))
    if not found:
        return flip(chance, data)
    one = chance.choice(found)
    return data[: one.start()] + chance.choice(NUMBERS) + data[one.end() :]


def resize(chance: random.Random, data: bytes) -> bytes:
    """Another number in a header."""
    place, width = chance.randrange(min(len(data), 400) + 1), chance.choice(WIDTHS)
    return data[:place] + width + data[place + len(width) :]


def nest(chance: random.Random, data: bytes) -> bytes:
    """Brackets in brackets, where something stands, or instead of everything."""
    depth, opening = chance.choice((50, 2_000, 100_000)), chance.choice((b"[", b'{"a":', b"("))
    closing = {b"[": b"]", b"(": b")"}.get(opening, b"}")
    nested = opening * depth + b"0" + closing * chance.choice((depth, 0))
    found = list(re.finditer(rb"(?<=[:=] )[^\s,]+", data[:20_000]))
    if not found or chance.random() < 0.3:
        return nested
    one = chance.choice(found)
    return data[: one.start()] + nested + data[one.end() :]


def retell(chance: random.Random, data: bytes) -> bytes:
    """A text in another encoding."""
    text = data.decode("latin-1")
    return chance.choice(
        (b"\xef\xbb\xbf" + data, text.encode("utf-16"), text.encode("utf-32"), b"\xff\xfe" + data, b"")
    )


GENERAL: tuple[Mutator, ...] = (flip, cut, remove, repeat, splice, insert, resize)
TEXT: tuple[Mutator, ...] = (*GENERAL, shuffle_lines, renumber, renumber, nest, retell)


def in_zip(inner: tuple[Mutator, ...]) -> Mutator:
    """A change inside of a member, with checksums made good again, so that readers believe it."""

    def change(chance: random.Random, data: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(info.filename, archive.read(info)) for info in archive.infolist()]
        index = chance.randrange(len(members))
        name, content = members[index]
        how = chance.random()
        if how < 0.8:
            members[index] = (name, chance.choice(inner)(chance, content))
        elif how < 0.85:
            members.append((name, content[::-1]))
        elif how < 0.9:
            del members[index]
        else:
            members[index] = (chance.choice(("/etc/passwd", "../x", "header.json", name + "\n", "a" * 5000)), content)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", chance.choice((zipfile.ZIP_STORED,) * 9 + (zipfile.ZIP_DEFLATED,))) as archive:
            for member, content in members:
                archive.writestr(zipfile.ZipInfo(member), content)
        return out.getvalue()

    return change


def zip_directory(chance: random.Random, data: bytes) -> bytes:
    """Lies in the headers of a zip: flags (encryption), method, checksum, sizes, offsets, counts."""
    signature, length = chance.choice(((b"PK\x01\x02", 46), (b"PK\x03\x04", 30), (b"PK\x05\x06", 22)))
    places = [match.start() for match in re.finditer(re.escape(signature), data)]
    if not places:
        return flip(chance, data)
    place = chance.choice(places) + chance.randrange(4, length)
    width = chance.choice(WIDTHS)
    return data[:place] + width + data[place + len(width) :]
