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
import itertools
import json
import math
import os
import secrets
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from snn2circuit.errors import FileFormatError, FileKept, OutputError, Snn2CircuitError
from snn2circuit.ir.circuit import Readout
from snn2circuit.ir.crossbar import CrossbarLayer, CrossbarNetwork
from snn2circuit.ir.dataset import Dataset, Split
from snn2circuit.ir.encoding import Encoding
from snn2circuit.ir.layer import ConvLayer, Layer
from snn2circuit.ir.layout import Devices, Layout, Process, ProcessLayer, Shapes, Sheet
from snn2circuit.ir.linear import AvgPool2d, Conv2d, Dense, Scale, SumPool2d
from snn2circuit.ir.network import Network, Stimulus
from snn2circuit.ir.npy import read_npy
from snn2circuit.ir.parasitics import LayerParasitics, Parasitics, Quantities, TileParasitics
from snn2circuit.ir.parts import Electronics, Quantity
from snn2circuit.ir.record import digest, homes, is_ours, keep_aside, remember
from snn2circuit.ir.scratch import hold, temporary_name
from snn2circuit.ir.targets import check_file
from snn2circuit.ir.timing import Timing
from snn2circuit.ir.waveforms import Netlist, Waveforms

FORMAT = "snn2circuit/1"
NOUNS: dict[str, type] = {
    cls.__name__: cls
    for cls in (
        AvgPool2d, Conv2d, ConvLayer, CrossbarLayer, CrossbarNetwork, Dataset, Dense, Devices, Electronics, Encoding,
        Layer, LayerParasitics, Layout, Netlist, Network, Parasitics, Process, ProcessLayer, Quantities, Quantity,
        Readout, Scale, Shapes, Sheet, Split, Stimulus, SumPool2d, TileParasitics, Timing, Waveforms,
    )
}  # fmt: skip
MAX_HEADER = 64 * 2**20  # bytes
MAX_FILE = 4 * 2**30  # bytes, all arrays together

T = TypeVar("T")


@contextmanager
def atomic(path: Path | str, *, known: str | None = None) -> Iterator[Path]:
    """Give a temporary path beside ``path``; move it there when the block ends well, remove it when it does not.

    A link is followed: the file it names is replaced, and the link stays. In a results folder (see
    :mod:`snn2circuit.ir.record`), a file that is not ours is kept aside, and a ``FileKept`` warning names it. A caller
    who keeps a record of its own gives the SHA-256 of what is ``known`` to stand there, and is served alike anywhere.

    Raises:
        OutputError: ``path`` is something other than a file, or it or its folder cannot be written (no space, no
            permission); what stands there is untouched.
    """
    path = Path(path)
    place = check_file(path)
    temporary = temporary_name(place, secrets.token_hex(8))
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    try:
        with suppress(OSError):  # no locks here, so that nobody sweeps either
            hold(descriptor, temporary)
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        move(temporary, path, known=known)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}; "
            "free some space or choose another folder, nothing was changed there"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
        os.close(descriptor)


def move(finished: Path, path: Path, *, known: str | None = None) -> None:
    """Give the file ``finished`` of the same file system the name ``path``, as :func:`atomic` does."""
    place, kept = check_file(path), None
    if known is not None or homes(path.parent):
        new = digest(finished)
        old = digest(place) if place.exists() else new
        if old in (new, known) or is_ours(path, old):
            remember(path, *{old, new})
        else:
            remember(path, new)
            kept = keep_aside(place)
    finished.replace(place)
    if kept is not None:
        warnings.warn(f"{path} is not as snn2circuit wrote it; it is kept as {kept}", FileKept, stacklevel=2)


def append_text(path: Path | str, text: str) -> None:
    """Append ``text`` to a file in one piece, for those who watch it grow; in a results folder it stays ours.

    Raises:
        OutputError: as for :func:`atomic`.
    """
    path = Path(path)
    place, data = check_file(path), text.encode()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if homes(path.parent):
            before = place.read_bytes() if place.exists() else b""
            old, new = (hashlib.sha256(each).hexdigest() for each in (before, before + data))
            if not place.exists() or is_ours(path, old):
                remember(path, old, new)
        with place.open("ab", buffering=0) as stream:
            if stream.write(data) != len(data):
                raise OutputError(f"cannot write {path}: no space is left; free some, or choose another folder")
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def write_text(path: Path, text: str, *, known: str | None = None) -> None:
    """Write ``text`` to ``path`` atomically, as UTF-8; ``known`` as for :func:`atomic`."""
    with atomic(path, known=known) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write ``data`` as indented JSON; a NaN or an infinity is refused, as JSON has neither."""
    try:
        text = json.dumps(data, indent=2, allow_nan=False, ensure_ascii=False)
    except (ValueError, TypeError) as error:
        raise FileFormatError(f"{path} is not written: {error}") from error
    write_text(path, text + "\n")


def save(value: object, path: Path | str, parts: Mapping[str, type] | None = None) -> None:
    """Write a noun to ``path``. Equal contents give equal bytes.

    ``parts`` maps part kinds that are taken to their classes: no other class is saved under such a word.

    Raises:
        FileFormatError: something in it could not be loaded again; the text names the field.
        OutputError: the file cannot be written.
    """
    arrays: list[np.ndarray[Any, Any]] = []
    tree = _encode(value, arrays, parts or {})
    header = json.dumps({"format": FORMAT, "value": tree}, indent=1, ensure_ascii=False)
    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        _member(archive, "header.json", header.encode())
        for index, array in enumerate(arrays):
            _member(archive, f"{index}.npy", _npy(array))


def load(path: Path | str, kind: type[T], parts: Mapping[str, type] | None = None) -> T:
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
            value = _decode(header["value"], _Arrays(archive), NOUNS, parts or {})
    except Snn2CircuitError as error:
        raise type(error)(f"{path}: {error}") from error
    except FileNotFoundError:
        raise FileFormatError(f"{path} does not exist") from None
    except Exception as error:
        # Hostile bytes make zipfile, numpy's header reader and the validation of nouns raise almost anything.
        raise FileFormatError(f"{path} is damaged or not one of ours: {type(error).__name__}: {error}") from error
    if not isinstance(value, kind):
        raise FileFormatError(f"{path} holds a {type(value).__name__}; a {kind.__name__} is needed here")
    return value


def fingerprint(value: object) -> str:
    """Content hash of a noun, 16 hexadecimal digits: equal contents, equal fingerprint, on any machine."""
    arrays: list[np.ndarray[Any, Any]] = []
    digest = hashlib.sha256(json.dumps(_encode(value, arrays, {}), sort_keys=True).encode())
    for array in arrays:
        digest.update(_npy(array))
    return digest.hexdigest()[:16]


def _encode(value: object, arrays: list[np.ndarray[Any, Any]], parts: Mapping[str, type], where: str = "") -> Any:
    match value:
        case np.ndarray():
            arrays.append(value)
            return {"array": len(arrays) - 1}
        case None | bool() | int() | str():
            return value
        case float():
            if not math.isfinite(value):
                raise FileFormatError(f"cannot save the number {value}{where}: files hold finite numbers only")
            return value
        case tuple():
            return [_encode(each, arrays, parts, where) for each in value]
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            cls = type(value)
            is_noun = NOUNS.get(cls.__name__) is cls
            if is_noun or isinstance(getattr(cls, "kind", None), str):
                word = {"noun": cls.__name__} if is_noun else {"part": _part_kind(value, parts)}
                given = {each.name: getattr(value, each.name) for each in dataclasses.fields(value) if each.init}
                return word | {
                    name: _encode(each, arrays, parts, f" in {cls.__name__}.{name}") for name, each in given.items()
                }
    hint = "" if dataclasses.is_dataclass(type(value)) else "; nouns and parts hold numbers, text, arrays and tuples"
    hint = hint or "; a part needs a class variable kind, the word that names it in files"
    raise FileFormatError(f"cannot save a {type(value).__name__}{where}{hint}")


def _part_kind(part: Any, parts: Mapping[str, type]) -> str:
    """The word for a part, once it is sure that the word and the fields bring this very part back."""
    cls, kind = type(part), str(type(part).kind)
    if "kind" not in vars(cls):
        raise FileFormatError(
            f"cannot save a {cls.__name__}: it inherits the kind {kind!r}, which names another class in files; "
            f"give {cls.__name__} a class variable kind of its own"
        )
    if parts.get(kind, cls) is not cls:
        raise FileFormatError(
            f"cannot save a {cls.__name__}: its kind {kind!r} is that of {parts[kind].__name__}, which would be "
            f"loaded in its place; give {cls.__name__} another kind"
        )
    hints = _hints(cls)
    for field in dataclasses.fields(part):
        if not _fits(getattr(part, field.name), hints[field.name]):
            raise FileFormatError(
                f"cannot save a {cls.__name__}: {field.name} is {getattr(part, field.name)!r:.60}; "
                f"its annotation says {hints[field.name]}"
            )
    return kind


def _hints(cls: type) -> dict[str, Any]:
    try:
        return get_type_hints(cls)
    except NameError as error:
        raise FileFormatError(
            f"the annotations of {cls.__name__} cannot be read: {error}; import what they name in the module of the "
            "class, not under TYPE_CHECKING"
        ) from error


def _decode(tree: Any, arrays: _Arrays, nouns: Mapping[str, type], parts: Mapping[str, type]) -> Any:
    if isinstance(tree, list):
        return tuple(_decode(each, arrays, nouns, parts) for each in tree)
    if isinstance(tree, float) and not math.isfinite(tree):
        raise FileFormatError(f"the header holds the number {tree}; files hold finite numbers only")
    if not isinstance(tree, dict):
        return tree
    if "array" in tree:
        return arrays.read(tree["array"])
    classes, key = (nouns, "noun") if "noun" in tree else (parts, "part")
    name = str(tree.get(key))
    if name not in classes:
        hint = f"; pass parts=[...] to load with the class whose kind is {name!r}" if key == "part" else ""
        raise FileFormatError(f"unknown {key} {name!r}; known here: {', '.join(sorted(classes)) or 'none'}{hint}")
    cls = classes[name]
    hints = _hints(cls)
    known = {field.name for field in dataclasses.fields(cls)}
    given = {field: _decode(each, arrays, nouns, parts) for field, each in tree.items() if field != key}
    for field, value in given.items():
        if field not in known:
            raise FileFormatError(f"{name} has no field {field!r}: the file was written by another version")
        if not _fits(value, hints[field]):
            raise FileFormatError(f"{field} of {name} is {value!r:.60}; it must be {hints[field]}")
    return cls(**given)


def _fits(value: object, hint: Any) -> bool:
    """Whether a value read from a file is what the field's annotation says."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(_fits(value, each) for each in arguments)
    if origin is Literal:
        return value in arguments
    if origin is tuple:
        inner = itertools.repeat(arguments[0]) if arguments[1:] == (...,) else arguments
        return (
            isinstance(value, tuple)
            and (arguments[1:] == (...,) or len(value) == len(arguments))
            and all(_fits(each, one) for each, one in zip(value, inner, strict=False))
        )
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, origin or hint)


def _member(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    # A fixed date keeps equal contents byte-equal.
    archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), data)


def _npy(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def _check_sizes(archive: zipfile.ZipFile, path: Path) -> None:
    infos = archive.infolist()
    if any(info.compress_type != zipfile.ZIP_STORED for info in infos):
        raise FileFormatError(f"{path.name} is compressed; files of this package never are, refused")
    total = sum(info.file_size for info in infos)
    if total > path.stat().st_size:
        raise FileFormatError(f"the file declares {total} bytes of contents and has {path.stat().st_size}; refused")
    if total > MAX_FILE or any(info.filename == "header.json" and info.file_size > MAX_HEADER for info in infos):
        raise FileFormatError(
            f"the file declares more than {MAX_FILE} bytes of arrays or {MAX_HEADER} of header; refused"
        )


class _Arrays:
    """The arrays of an open file, each of which may be read once: a header cannot multiply them in memory."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.used: set[str] = set()

    def read(self, index: object) -> np.ndarray[Any, Any]:
        """The array of this number, after its claims were held against the size of its member."""
        name = f"{index}.npy"
        if name in self.used:
            raise FileFormatError(f"array {name} is used twice")
        self.used.add(name)
        info = self.archive.getinfo(name)
        with self.archive.open(info) as stream:
            return read_npy(stream, info.file_size, name)
