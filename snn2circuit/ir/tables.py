"""Tables as CSV, for people and their spreadsheets.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-``, ``@``, ``|`` or ``%``, plain or full-width, for a
formula, which may call other programs. Names and sources come from files of strangers, so such a text gets a single
quote in front, as OWASP describes under "CSV Injection"; the same where one stands behind what another program may take
for the end of a cell. Tabs, line ends and whatever else cannot be printed are written as escapes. Numbers stay numbers,
and a sign alone is no formula.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from snn2circuit.ir.files import write_text
from snn2circuit.ir.plain import plain

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_SIGN = re.compile("[-+]?")
_FORMULA = re.compile(
    r"(^|[;,])([ \"'`]*)(?=[=+\-@|%\uff1d\uff0b\uff0d\uff20\uff5c\uff05\u2212\ufe62\ufe63\ufe66\ufe6a\ufe6b])"
)


def csv_text(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """The table as CSV, a line end after every row."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([_cell(name) for name in columns])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return stream.getvalue()


def write_csv(path: Path, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write the table to ``path``."""
    write_text(path, csv_text(columns, rows))


def _cell(value: Any) -> Any:
    if not isinstance(value, str) or _NUMBER.fullmatch(value) or _SIGN.fullmatch(value):
        return value
    return _FORMULA.sub(r"\1'\2", plain(value))
