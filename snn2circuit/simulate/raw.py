"""Waveform files that ngspice or LTspice wrote elsewhere: the "raw" format.

A text header names the variables, then come the values, one point after another. What is written by whom:

============  ==============  =======================================================================
              header          values
============  ==============  =======================================================================
ngspice       8 bit text      ``Binary:`` 64 bit floats, or ``Values:`` numbers as text
LTspice       UTF-16 or 8 bit ``Binary:`` time in 64, the rest in 32 bit floats, or all in 64 with the
                              flag ``double``; variable after variable with the flag ``fastaccess``;
                              or ``Values:``
============  ==============  =======================================================================

LTspice drops points that a parabola restores ("compression") and marks some times by their sign; the sign is taken
off, and what lies between points is interpolated linearly by whoever samples the traces. A size that the header claims
is held against the length of the file before anything is allocated, so a damaged or hostile file costs nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snn2circuit.errors import FileFormatError, FileTruncated
from snn2circuit.ir.noun import Floats

MAX_HEADER = 2**24  # bytes; a header of 100,000 variables takes 4 MB
_MARKERS = (b"Binary:", b"Values:")


@dataclass(frozen=True, kw_only=True)
class Raw:
    """The recorded voltages of one transient analysis."""

    title: str
    time: Floats  # (points,), s, never decreasing
    traces: Floats  # (nodes, points), V, in the order asked for
    program: str  # what wrote it, as far as the header says


@dataclass(frozen=True, kw_only=True)
class _Header:
    fields: dict[str, str]
    variables: tuple[str, ...]
    points: int
    binary: bool
    data: int  # offset of the first value, bytes
    wide: bool  # header in UTF-16

    @property
    def flags(self) -> list[str]:
        return self.fields.get("flags", "").lower().split()


def read_raw(path: Path, nodes: tuple[str, ...]) -> Raw:
    """The voltages of ``nodes`` in the raw file at ``path``.

    Raises:
        FileFormatError: not a raw file of one real transient analysis, damaged, not finite, or lacking a node.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(MAX_HEADER)
    except OSError as error:
        raise FileFormatError(f"{path} cannot be read: {error.strerror or error}") from error
    header = _header(path, start)
    for flag, reason in (
        ("complex", "it holds complex numbers, as of an .ac analysis; a transient (.tran) is needed"),
        ("stepped", "it holds several runs of a .step; remove .step and run once per file"),
    ):
        if flag in header.flags:
            raise FileFormatError(f"{path}: {reason}")
    columns = _columns(path, header, nodes)
    table = _binary(path, header, columns, size) if header.binary else _text(path, header, columns)
    time = np.abs(table[0])
    if not np.isfinite(table).all():
        column, point = (int(each) for each in np.argwhere(~np.isfinite(table))[0])
        name = header.variables[columns[column]]
        raise FileFormatError(f"{path}: {name} is not finite at point {point}; the simulation did not converge")
    if (np.diff(time) < 0).any():
        point = int(np.argmax(np.diff(time) < 0)) + 1
        raise FileFormatError(f"{path}: time goes back at point {point}; the file is damaged or holds several runs")
    return Raw(
        title=header.fields.get("title", "").lstrip("* "),
        time=time,
        traces=table[1:],
        program=_program(header),
    )


def _header(path: Path, start: bytes) -> _Header:
    wide = start[:12] == "Title:".encode("utf-16-le")
    raw = start
    if wide:
        raw = raw[: len(raw) // 2 * 2 : 2]  # the texts we look for are ASCII; values begin after a marker found here
    found = [(at, marker) for marker in _MARKERS if (at := raw.find(b"\n" + marker)) >= 0]
    if raw[:6].lower() != b"title:" or not found:
        raise FileFormatError(
            f"{path} is no raw file: it has no header from 'Title:' to 'Binary:' or 'Values:' "
            f"in its first {MAX_HEADER:,} bytes"
        )
    at, marker = min(found)
    end = raw.find(b"\n", at + 1)
    end = len(raw) if end < 0 else end + 1
    lines = re.split(r"\r?\n", raw[: at + 1].decode("latin-1"))
    fields: dict[str, str] = {}
    names: list[str] = []
    listing = False
    for line in lines:
        key, colon, value = line.partition(":")
        words = line.split()
        if listing and len(words) >= 3 and re.fullmatch("[0-9]{1,9}", words[0]):
            if int(words[0]) != len(names):
                raise FileFormatError(f"{path}: variable {words[0]} stands where variable {len(names)} should")
            names.append(words[1].lower())
        elif colon:
            listing = key.strip().lower() == "variables"
            fields.setdefault(key.strip().lower(), value.strip())
    counts = {}
    for key in ("no. variables", "no. points"):
        text = fields.get(key, "").split()
        if not text or not re.fullmatch(r"[0-9]{1,15}", text[0]):
            raise FileFormatError(f"{path}: the header's {key!r} is {fields.get(key)!r}, not a number")
        counts[key] = int(text[0])
    if counts["no. variables"] != len(names) or len(set(names)) != len(names) or not names:
        raise FileFormatError(
            f"{path}: the header announces {counts['no. variables']} variables and lists {len(names)}, "
            f"{len(set(names))} of them different"
        )
    if names[0] != "time":
        raise FileFormatError(f"{path}: its first variable is {names[0]!r}, not time; a transient (.tran) is needed")
    if counts["no. points"] < 2:
        raise FileFormatError(f"{path}: the header says {counts['no. points']} points; the simulation broke off")
    return _Header(
        fields=fields,
        variables=tuple(names),
        points=counts["no. points"],
        binary=marker == b"Binary:",
        data=2 * end if wide else end,
        wide=wide,
    )


def _columns(path: Path, header: _Header, nodes: tuple[str, ...]) -> list[int]:
    """Columns of time and of each node."""
    index = {name: column for column, name in enumerate(header.variables)}
    missing = [node for node in nodes if f"v({node})" not in index]
    if missing:
        raise FileFormatError(
            f"{path} lacks {len(missing)} of {len(nodes)} voltages, the first is V({missing[0]}); "
            "record membranes and spikes, as the .save line of the deck does, and run the deck of this netlist"
        )
    return [0, *(index[f"v({node})"] for node in nodes)]


def _binary(path: Path, header: _Header, columns: list[int], size: int) -> Floats:
    count, points, held = len(header.variables), header.points, size - header.data
    double, single = points * 8 * count, points * (8 + 4 * (count - 1))
    if held not in (double, single):
        raise FileTruncated(
            f"{path}: {points:,} points of {count} variables take {double:,} bytes (or {single:,} in 32 bit), "
            f"the file holds {held:,} after its header; it is cut short or damaged"
        )
    kind = "<f8" if held == double else "<f4"
    table = np.empty((len(columns), points))
    if "fastaccess" in header.flags:
        width = np.dtype(kind).itemsize
        for row, column in enumerate(columns):
            offset = header.data + (0 if column == 0 else 8 * points + (column - 1) * width * points)
            table[row] = np.fromfile(path, "<f8" if column == 0 else kind, points, offset=offset)
        return table
    record = np.dtype([("time", "<f8"), ("rest", kind, (count - 1,))])
    values = np.memmap(path, record, "r", offset=header.data, shape=(points,))
    table[0] = values["time"]
    if len(columns) > 1:
        table[1:] = values["rest"][:, np.array(columns[1:]) - 1].T
    return table


def _text(path: Path, header: _Header, columns: list[int]) -> Floats:
    """Each point is its number, then a value per variable."""
    count, points = len(header.variables), header.points
    with path.open("rb") as file:
        file.seek(header.data)
        words = file.read().decode("utf-16-le" if header.wide else "latin-1", errors="replace").split()
    if len(words) != points * (count + 1):
        raise FileTruncated(
            f"{path}: {points:,} points of {count} variables are {points * (count + 1):,} numbers, "
            f"the file holds {len(words):,}; it is cut short or damaged"
        )
    table = np.empty((len(columns), points))
    try:
        for row, column in enumerate(columns):
            table[row] = [float(word) for word in words[column + 1 :: count + 1]]
    except ValueError as error:
        raise FileFormatError(f"{path}: {header.variables[column]}: {error}") from error
    return table


def _program(header: _Header) -> str:
    command = header.fields.get("command", "")
    if "ltspice" in command.lower() or header.wide:
        return command or "LTspice"
    return re.sub(r"^version\s+", "ngspice ", command) if command else "ngspice"
