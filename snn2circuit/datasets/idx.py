"""Reader of IDX files, the format MNIST and its relatives come in, plain or gzip-compressed.

An IDX file is a big-endian header and the data, row-major: two zero bytes, one byte for the element type, one byte for
the number of dimensions, four bytes for each dimension. Only the type of these datasets is read, ``0x08`` (unsigned
byte). Source: the format's description on Y. LeCun's MNIST page.

A header is a claim, and nothing is allocated on its word: the size it claims is held against the file's length, or for
a compressed file against the most that its bytes can inflate to, and decompression stops one byte after the claimed
end. A file that is too short or too long is an error either way.
"""

from __future__ import annotations

import gzip
import io
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from snn2circuit.errors import DataError

Bytes = NDArray[np.uint8]

UNSIGNED_BYTE = 0x08
OTHER_TYPES = {0x09: "signed byte", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}
MAX_BYTES = 2**30  # of data in one file; the largest set of this family (EMNIST by class) has 547 MB
DEFLATE_LIMIT = 1032  # the most bytes that one compressed byte can stand for (zlib technical details)
CHUNK = 2**20  # bytes


def read_images(path: Path, shape: tuple[int, ...]) -> Bytes:
    """Images ``(items, *shape)``, 0..255, of an IDX file.

    Raises:
        DataError: the file is missing, damaged, empty, or its images have another shape.
    """
    images = read_idx(path, dimensions=1 + len(shape))
    if images.shape[1:] != shape:
        raise DataError(f"{path}: images are {_times(images.shape[1:])} pixels; this dataset has {_times(shape)}")
    return images


def read_labels(path: Path, classes: int, first: int = 0) -> Bytes:
    """Labels ``(items,)`` of an IDX file, as they stand there: ``first`` and the ``classes - 1`` numbers after it.

    Raises:
        DataError: the file is missing, damaged, empty, or a label is out of range.
    """
    labels = read_idx(path, dimensions=1)
    if (wrong := np.flatnonzero((labels < first) | (labels >= first + classes))).size:
        raise DataError(
            f"{path}: label {int(labels[wrong[0]])} of item {int(wrong[0])} is out of range; "
            f"{classes} classes allow {first}..{first + classes - 1}"
        )
    return labels


def read_idx(path: Path, dimensions: int) -> Bytes:
    """The array of an IDX file of unsigned bytes; a name that ends in ``.gz`` is decompressed.

    Args:
        path: the file.
        dimensions: how many dimensions it must have.

    Raises:
        DataError: the file is missing, not IDX, of another type or dimension, empty, truncated, longer than its header
            says, larger than 1 GiB, or badly compressed.
    """
    path = Path(path)
    try:
        with path.open("rb") as raw:
            length = raw.seek(0, io.SEEK_END)
            raw.seek(0)
            if path.suffix != ".gz":
                return _read_array(raw, path, dimensions, length, exact=True)
            with gzip.open(raw) as stream:
                return _read_array(stream, path, dimensions, length * DEFLATE_LIMIT, exact=False)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except EOFError:
        raise DataError(f"{path}: the compressed data break off; the file is truncated, fetch it again") from None
    except (OSError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def _read_array(stream: BinaryIO | gzip.GzipFile, path: Path, dimensions: int, capacity: int, *, exact: bool) -> Bytes:
    """Check the header against ``capacity``, the most bytes (or exactly the bytes) the stream can give, then read."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in {UNSIGNED_BYTE, *OTHER_TYPES}:
        raise DataError(f"{path} is not an IDX file: it begins with {magic.hex(' ') or 'nothing'}, not 00 00 08 ..")
    if magic[2] != UNSIGNED_BYTE:
        raise DataError(f"{path} holds {OTHER_TYPES[magic[2]]} values; only unsigned bytes (type 08) are read")
    if magic[3] != dimensions:
        raise DataError(
            f"{path} has {magic[3]} dimensions where {dimensions} are needed (images have 3, labels 1): the wrong file"
        )
    header = stream.read(4 * dimensions)
    if len(header) < 4 * dimensions:
        raise DataError(f"{path} is truncated inside its header: {4 + len(header)} bytes of {4 + 4 * dimensions}")
    shape = struct.unpack(f">{dimensions}I", header)
    begin, size = 4 + 4 * dimensions, math.prod(shape)
    claim = f"{path}: the header claims {_times(shape)} bytes"
    if size == 0:
        raise DataError(f"{claim}; a dataset needs at least one item")
    if size > MAX_BYTES:
        raise DataError(f"{claim}, more than the {MAX_BYTES} that are read")
    if begin + size > capacity and not exact:
        raise DataError(f"{claim}, more than its compressed bytes can inflate to; the file is truncated or forged")
    if begin + size != capacity and exact:
        raise DataError(
            f"{claim}, so {begin + size} with itself; the file has {capacity}: {_verdict(begin + size, capacity)}"
        )
    data = _read_at_most(stream, size + 1)
    if len(data) != size:
        found = f"{len(data)}" if len(data) < size else "more"
        raise DataError(f"{claim}; {found} follow: {_verdict(size, len(data))}")
    return np.frombuffer(data, dtype=np.uint8).reshape(shape)


def _read_at_most(stream: BinaryIO | gzip.GzipFile, limit: int) -> bytes:
    # In chunks, so that memory grows with what is really there and not with what the header claims.
    chunks: list[bytes] = []
    while limit > 0 and (chunk := stream.read(min(CHUNK, limit))):
        chunks.append(chunk)
        limit -= len(chunk)
    return b"".join(chunks)


def _verdict(expected: int, actual: int) -> str:
    return "it is truncated, fetch it again" if actual < expected else "it is longer than its header says"


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(str(length) for length in shape)
