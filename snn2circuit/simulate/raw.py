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

A file may hold several such plots, one behind the other: ngspice writes one for every analysis of a deck. The
transient among them is read.

LTspice drops points that a parabola restores ("compression") and marks some times by their sign; the sign is taken
off, and what lies between points is interpolated linearly by whoever samples the traces. A size that a header claims
is held against the length of the file before anything is allocated, so a damaged or hostile file costs nothing.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from snn2circuit.errors import FileFormatError, FileTruncated
from snn2circuit.ir.noun import Floats

MAX_HEADER = 2**24  # bytes; a header of 100,000 variables takes 4 MB
MAX_PLOTS = 1000
_MARKERS = ("Binary:", "Values:")


@dataclass(frozen=True, kw_only=True)
class Raw:
    """The recorded voltages of one transient analysis."""

    title: str
    time: Floats  # (points,), s, never decreasing
    traces: Floats  # (nodes, points), V, in the order asked for
    program: str  # what wrote it, as far as the header says


@dataclass(frozen=True, kw_only=True)
class _Plot:
    """What the header of a plot says, and where its values lie."""

    fields: dict[str, str]
    variables: tuple[str, ...]
    points: int
    binary: bool
    wide: bool  # header in UTF-16
    data: int  # offset of the first value, bytes
    end: int = 0  # offset behind the last one

    @property
    def flags(self) -> list[str]:
        return self.fields.get("flags", "").lower().split()

    @property
    def name(self) -> str:
        return self.fields.get("plotname", "") or "a plot without a name"


def read_raw(path: Path, nodes: tuple[str, ...], *, reach: float = 0.0) -> Raw:
    """The voltages of ``nodes`` in the raw file at ``path``.

    Args:
        path: the file.
        nodes: names of nodes.
        reach: the time (s) that the transient must reach, where the file holds several.

    Raises:
        FileFormatError: not a raw file with one such real transient analysis, damaged, not finite, or lacking a node.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise FileFormatError(f"{path} is no regular file")
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            plots = list(_plots(path, content))
            plot = _transient(path, content, plots, nodes, reach)
            columns = _columns(path, plot, nodes)
            table = _binary(path, plot, columns) if plot.binary else _text(path, content, plot, columns)
    except ValueError as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(f"{path} is no raw file: it is empty") from None
    except OSError as error:
        raise FileFormatError(f"{path} cannot be read: {error.strerror or error}") from error
    time = np.abs(table[0])
    if not np.isfinite(table).all():
        column, point = (int(each) for each in np.argwhere(~np.isfinite(table))[0])
        name = plot.variables[columns[column]]
        raise FileFormatError(f"{path}: {name} is not finite at point {point}; the simulation did not converge")
    if (np.diff(time) < 0).any():
        point = int(np.argmax(np.diff(time) < 0)) + 1
        raise FileFormatError(f"{path}: time goes back at point {point}; the file is damaged or holds several runs")
    return Raw(
        title=plot.fields.get("title", "").lstrip("* "),
        time=time,
        traces=table[1:],
        program=_program(plot),
    )


def _plots(path: Path, content: mmap.mmap) -> Iterator[_Plot]:
    """Every plot of the file, with its end."""
    at = count = 0
    while at < len(content):
        count += 1
        if count > MAX_PLOTS:
            raise FileFormatError(f"{path}: holds more than {MAX_PLOTS} plots; a transient (.tran) is needed")
        plot = _header(path, content, at)
        plot = replace(plot, end=_end(path, content, plot))
        yield plot
        at = plot.end


def _header(path: Path, content: mmap.mmap, at: int) -> _Plot:
    wide = content[at : at + 12] == "Title:".encode("utf-16-le")
    code = "utf-16-le" if wide else "latin-1"
    most = at + MAX_HEADER
    found = [
        (place, marker) for marker in _MARKERS if (place := content.find(f"\n{marker}".encode(code), at, most)) >= 0
    ]
    if not _begins(content, at) or not found:
        raise FileFormatError(
            f"{path} is no raw file: it has no header from 'Title:' to 'Binary:' or 'Values:' "
            f"in its first {MAX_HEADER:,} bytes"
        )
    place, marker = min(found)
    line_feed = "\n".encode(code)
    end = content.find(line_feed, place + len(line_feed))
    lines = re.split(r"\r?\n", content[at:place].decode(code, errors="replace"))
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
    return _Plot(
        fields=fields,
        variables=tuple(names),
        points=counts["no. points"],
        binary=marker == "Binary:",
        wide=wide,
        data=len(content) if end < 0 else end + len(line_feed),
    )


def _begins(content: mmap.mmap, at: int) -> bool:
    """Whether a header begins there."""
    start = content[at : at + 12]
    return start[:6].lower() == b"title:" or start == "Title:".encode("utf-16-le")


def _sizes(plot: _Plot) -> tuple[int, ...]:
    """Bytes that the values may take: all in 64 bit, or all but the first variable in 32."""
    width = 2 if "complex" in plot.flags else 1
    rest = len(plot.variables) - 1
    return 8 * width * plot.points * (1 + rest), plot.points * width * (8 + 4 * rest)


def _end(path: Path, content: mmap.mmap, plot: _Plot) -> int:
    """Where the values end: at the end of the file or where another plot begins."""
    if not plot.binary:
        line_feed, title = (text.encode("utf-16-le" if plot.wide else "latin-1") for text in ("\n", "Title:"))
        found = content.find(line_feed + title, plot.data - len(line_feed))
        return len(content) if found < 0 else found + len(line_feed)
    for size in _sizes(plot):
        end = plot.data + size
        if end == len(content) or (end < len(content) and _begins(content, end)):
            return end
    if {"complex", "stepped"} & set(plot.flags) or not plot.points:
        raise FileFormatError(f"{path}: {_unusable(plot)}")
    double, single = _sizes(plot)
    raise FileTruncated(
        f"{path}: {plot.points:,} points of {len(plot.variables)} variables take {double:,} bytes "
        f"(or {single:,} in 32 bit), the file holds {len(content) - plot.data:,} after its header and no further plot "
        "behind them; it is cut short or damaged"
    )


def _transient(path: Path, content: mmap.mmap, plots: list[_Plot], nodes: tuple[str, ...], reach: float) -> _Plot:
    """The transient analysis among the plots; of several, the one with the right voltages and the right length."""
    reasons = [_unusable(plot) for plot in plots]
    usable = [plot for plot, reason in zip(plots, reasons, strict=True) if not reason]
    if not usable:
        if len(plots) == 1:
            raise FileFormatError(f"{path}: {reasons[0]}")
        listed = "; ".join(f"{plot.name}: {reason}" for plot, reason in zip(plots[:5], reasons, strict=False))
        raise FileFormatError(f"{path}: none of its {len(plots)} plots is a whole transient (.tran): {listed}")
    if len(usable) == 1:
        return usable[0]
    wanted = {f"v({node})" for node in nodes}
    fitting = [plot for plot in usable if wanted <= set(plot.variables)] or usable
    if len(fitting) > 1:
        long = [plot for plot in fitting if _last_time(path, content, plot) >= reach]
        fitting = long or fitting
    if len(fitting) > 1:
        numbers = ", ".join(f"{plots.index(plot) + 1} ({plot.name})" for plot in fitting[:5])
        raise FileFormatError(
            f"{path} holds {len(fitting)} transients that could be meant, plots {numbers}; write one of them to a file"
        )
    return fitting[0]


def _unusable(plot: _Plot) -> str:
    """Why a plot is not what we look for; empty: it is."""
    if "complex" in plot.flags:
        return "it holds complex numbers, as of an .ac analysis; a transient (.tran) is needed"
    if "stepped" in plot.flags:
        return "it holds several runs of a .step; remove .step and run once per file"
    if plot.variables[0] != "time":
        return f"its first variable is {plot.variables[0]!r}, not time; a transient (.tran) is needed"
    if plot.points < 2:
        return f"the header says {plot.points} points; the simulation broke off"
    return ""


def _last_time(path: Path, content: mmap.mmap, plot: _Plot) -> float:
    times = _binary(path, plot, [0]) if plot.binary else _text(path, content, plot, [0])
    return float(np.abs(times[0, -1]))


def _columns(path: Path, plot: _Plot, nodes: tuple[str, ...]) -> list[int]:
    """Columns of time and of each node."""
    index = {name: column for column, name in enumerate(plot.variables)}
    missing = [node for node in nodes if f"v({node})" not in index]
    if missing:
        raise FileFormatError(
            f"{path} lacks {len(missing)} of {len(nodes)} voltages, the first is V({missing[0]}); "
            "record membranes and spikes, as the .save line of the deck does, and run the deck of this netlist"
        )
    return [0, *(index[f"v({node})"] for node in nodes)]


def _binary(path: Path, plot: _Plot, columns: list[int]) -> Floats:
    count, points = len(plot.variables), plot.points
    kind = "<f8" if plot.end - plot.data == _sizes(plot)[0] else "<f4"
    table = np.empty((len(columns), points))
    if "fastaccess" in plot.flags:
        width = np.dtype(kind).itemsize
        for row, column in enumerate(columns):
            offset = plot.data + (0 if column == 0 else 8 * points + (column - 1) * width * points)
            table[row] = np.fromfile(path, "<f8" if column == 0 else kind, points, offset=offset)
        return table
    record = np.dtype([("time", "<f8"), ("rest", kind, (count - 1,))])
    values = np.memmap(path, record, "r", offset=plot.data, shape=(points,))
    table[0] = values["time"]
    if len(columns) > 1:
        table[1:] = values["rest"][:, np.array(columns[1:]) - 1].T
    return table


def _text(path: Path, content: mmap.mmap, plot: _Plot, columns: list[int]) -> Floats:
    """Each point is its number, then a value per variable."""
    count, points = len(plot.variables), plot.points
    words = content[plot.data : plot.end].decode("utf-16-le" if plot.wide else "latin-1", errors="replace").split()
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
        raise FileFormatError(f"{path}: {plot.variables[column]}: {error}") from error
    return table


def _program(plot: _Plot) -> str:
    command = plot.fields.get("command", "")
    if "ltspice" in command.lower() or plot.wide:
        return command or "LTspice"
    return re.sub(r"^version\s+", "ngspice ", command) if command else "ngspice"
