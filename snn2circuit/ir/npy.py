"""Reading one ``.npy`` array of unknown origin: what its header claims is held against the bytes that are there.

Nothing is allocated on a header's word, and nothing is ever unpickled: numbers (and, where asked for, text) are the
only element types. The format is numpy's: magic, version, a literal dictionary with ``descr``, ``fortran_order`` and
``shape``, then the data.
"""

from __future__ import annotations

import math
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from snn2circuit.errors import FileFormatError

NUMBERS = "biuf"  # numpy's kinds: truth values, integers, floating point
TEXT = "U"
LAST_CHARACTER = 0x10FFFF  # of Unicode; numpy does not check


def read_npy(
    stream: IO[bytes], size: int, name: str, *, kinds: str = NUMBERS, limit: int | None = None
) -> NDArray[Any]:
    """The array in ``stream``, which holds ``size`` bytes from here on.

    Args:
        stream: what to read from; ``tell`` is where the array begins.
        size: bytes that the array takes with its header.
        name: of the array, for messages.
        kinds: numpy's letters of the element types that are accepted.
        limit: most elements that are accepted; ``None`` for any.

    Raises:
        FileFormatError: another version or element type, or a claim that the bytes do not bear out.
        ValueError: numpy found no array header.
    """
    begin = stream.tell()
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise FileFormatError(f"array {name} has format version {version}; expected (1, 0) or (2, 0)")
    if dtype.hasobject or dtype.kind not in kinds:
        raise FileFormatError(f"array {name} holds {dtype}; only {'text' if kinds == TEXT else 'numbers'} are read")
    count, left = math.prod(shape), begin + size - stream.tell()
    if count * dtype.itemsize != left or any(length < 0 for length in shape):
        raise FileFormatError(f"array {name} claims shape {shape} of {dtype}, its member holds {left} bytes")
    if limit is not None and count > limit:
        raise FileFormatError(f"array {name} has {count:,} values in shape {shape}; more than {limit:,} are not read")
    data = stream.read(left)
    if len(data) != left:
        raise FileFormatError(f"array {name} breaks off after {len(data)} of {left} bytes; the file is truncated")
    if dtype.kind == TEXT and (np.frombuffer(data, dtype=f"{dtype.byteorder}u4") > LAST_CHARACTER).any():
        raise FileFormatError(f"array {name} holds numbers that are no characters where text should be")
    return np.frombuffer(data, dtype=dtype).reshape(shape, order="F" if fortran else "C")
