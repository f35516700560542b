"""Saving and loading nouns: one generic format, no pickle, atomic, deterministic, hostile input refused.

A file is an uncompressed zip: ``header.json`` holds the tree of fields, every array is an ``.npy`` member that the
tree points to. A new field of a noun needs no code here. ``numpy.load`` opens the arrays of such a file too.

Reading never executes anything: class names are looked up in the literal list of nouns below and in the ``parts`` that
the caller passes; array headers are held against the size of their member before memory is taken.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import math
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from snn2circuit.errors import FileFormatError, OutputError, Snn2CircuitError
from snn2circuit.ir.circuit import Readout, Timing
from snn2circuit.ir.crossbar import CrossbarLayer, CrossbarNetwork
from snn2circuit.ir.layout import Devices, Layout, Process, ProcessLayer, Shapes, Sheet
from snn2circuit.ir.network import Layer, Network, Stimulus
from snn2circuit.ir.parts import Quantity
from snn2circuit.ir.waveforms import Netlist, Waveforms

FORMAT = "snn2circuit/1"
NOUNS: dict[str, type] = {
    cls.__name__: cls
    for cls in (
        CrossbarLayer, CrossbarNetwork, Devices, Layer, Layout, Netlist, Network, Process, ProcessLayer, Quantity,
        Readout, Shapes, Sheet, Stimulus, Timing, Waveforms,
    )
}  # fmt: skip
MAX_HEADER = 64 * 2**20  # bytes
MAX_FILE = 4 * 2**30  # bytes, all arrays together

T = TypeVar("T")


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; move it there when the block ends well, remove it when it does not.

    Raises:
        OutputError: the folder or the file cannot be written (no space, no permission); ``path`` is untouched.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}; "
            "free some space or choose another folder, nothing was changed there"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` atomically, as UTF-8."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write ``data`` as indented JSON; a NaN or an infinity is refused, as JSON has neither."""
    write_text(path, json.dumps(data, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def save(value: object, path: Path) -> None:
    """Write a noun to ``path``. Equal contents give equal bytes."""
    arrays: list[np.ndarray[Any, Any]] = []
    header = json.dumps({"format": FORMAT, "value": _encode(value, arrays)}, indent=1, ensure_ascii=False)
    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        _member(archive, "header.json", header.encode())
        for index, array in enumerate(arrays):
            _member(archive, f"{index}.npy", _npy(array))


def load(path: Path, kind: type[T], parts: Mapping[str, type] | None = None) -> T:
    """Read a noun of class ``kind`` from ``path``; ``parts`` maps part kinds (``leaky``, ...) to their classes.

    Raises:
        FileFormatError: the file is missing, damaged, of another kind, too large, or names an unknown part.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(archive, path)
            header = json.loads(archive.read("header.json"))
            if not isinstance(header, dict) or header.get("format") != FORMAT:
                raise FileFormatError(f"{path} is not a {FORMAT} file")
            value = _decode(header["value"], archive, NOUNS, parts or {})
    except Snn2CircuitError as error:
        raise type(error)(f"{path}: {error}") from error
    except FileNotFoundError:
        raise FileFormatError(f"{path} does not exist") from None
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError, RecursionError, NotImplementedError) as error:
        raise FileFormatError(f"{path} is damaged or not one of ours: {error}") from error
    if not isinstance(value, kind):
        raise FileFormatError(f"{path} holds a {type(value).__name__}; a {kind.__name__} is needed here")
    return value


def fingerprint(value: object) -> str:
    """Content hash of a noun, 16 hexadecimal digits: equal contents, equal fingerprint, on any machine."""
    arrays: list[np.ndarray[Any, Any]] = []
    digest = hashlib.sha256(json.dumps(_encode(value, arrays), sort_keys=True).encode())
    for array in arrays:
        digest.update(_npy(array))
    return digest.hexdigest()[:16]


def _encode(value: object, arrays: list[np.ndarray[Any, Any]]) -> Any:
    match value:
        case np.ndarray():
            arrays.append(value)
            return {"array": len(arrays) - 1}
        case None | bool() | int() | str():
            return value
        case float():
            if not math.isfinite(value):
                raise FileFormatError(f"cannot save the number {value}: files hold finite numbers only")
            return value
        case tuple():
            return [_encode(each, arrays) for each in value]
        case _ if dataclasses.is_dataclass(value):
            fields = {field.name: _encode(getattr(value, field.name), arrays) for field in dataclasses.fields(value)}
            name = type(value).__name__
            return (
                {"noun": name, **fields}
                if NOUNS.get(name) is type(value)
                else {"part": getattr(value, "kind", name), **fields}
            )
    raise FileFormatError(f"cannot save a {type(value).__name__}")


def _decode(tree: Any, archive: zipfile.ZipFile, nouns: Mapping[str, type], parts: Mapping[str, type]) -> Any:
    if isinstance(tree, list):
        return tuple(_decode(each, archive, nouns, parts) for each in tree)
    if not isinstance(tree, dict):
        return tree
    if "array" in tree:
        return _read_array(archive, f"{int(tree['array'])}.npy")
    classes, key = (nouns, "noun") if "noun" in tree else (parts, "part")
    name = str(tree.get(key))
    if name not in classes:
        raise FileFormatError(f"unknown {key} {name!r}; known here: {', '.join(sorted(classes)) or 'none'}")
    cls = classes[name]
    known = {field.name for field in dataclasses.fields(cls)}
    given = {field: _decode(each, archive, nouns, parts) for field, each in tree.items() if field != key}
    if unknown := sorted(set(given) - known):
        raise FileFormatError(f"{name} has no field {unknown[0]!r}: the file was written by another version")
    return cls(**given)


def _member(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    # A fixed date keeps equal contents byte-equal.
    archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), data)


def _npy(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def _check_sizes(archive: zipfile.ZipFile, path: Path) -> None:
    infos = archive.infolist()
    if sum(info.file_size for info in infos) > MAX_FILE or any(
        info.filename == "header.json" and info.file_size > MAX_HEADER for info in infos
    ):
        raise FileFormatError(
            f"the file declares more than {MAX_FILE} bytes of arrays or {MAX_HEADER} of header; refused"
        )
    if any(info.compress_type != zipfile.ZIP_STORED for info in infos):
        raise FileFormatError(f"{path.name} is compressed; files of this package never are, refused")


def _read_array(archive: zipfile.ZipFile, name: str) -> np.ndarray[Any, Any]:
    info = archive.getinfo(name)
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        if version != (1, 0):
            raise FileFormatError(f"array {name} has format version {version}; expected (1, 0)")
        start = 10
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        if dtype.hasobject or dtype.kind not in "biuf":
            raise FileFormatError(f"array {name} holds {dtype}; only numbers are read")
        size = math.prod(shape) * dtype.itemsize
        if size > info.file_size - start or any(length < 0 for length in shape):
            raise FileFormatError(
                f"array {name} claims shape {shape} of {dtype}, its member has {info.file_size} bytes"
            )
        data = stream.read(size)
    if len(data) != size:
        raise FileFormatError(f"array {name} is truncated")
    return np.frombuffer(data, dtype=dtype).reshape(shape, order="F" if fortran else "C")
