"""Arrays by name in a folder: ``NAME.npy``, or the member ``NAME`` of any ``.npz`` file there.

Files are held to be hostile until read: no pickles, no array of more than :data:`MAX_VALUES` values, no compressed
member that claims to inflate more than :data:`MAX_RATIO` times, and nothing allocated on a header's word.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from numpy.typing import NDArray

from snn2circuit.errors import DataError, Snn2CircuitError
from snn2circuit.ir.npy import NUMBERS, read_npy

MAX_VALUES = 2**28  # in one array; 2 GiB once they are float64
MAX_RATIO = 200  # of inflated to compressed bytes
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

Found = tuple[str, NDArray[Any]]  # where an array was found, and the array
T = TypeVar("T")


def find_array(root: Path, name: str, kinds: str = NUMBERS) -> Found | None:
    """The one array of this name in the folder ``root`` (or the ``.npz`` file ``root``) and its place, or ``None``.

    Raises:
        DataError: it is there twice, or its file is damaged, too large or holds no array of these ``kinds``.
    """
    plain = root / f"{name}.npy"
    archives = [root] if root.suffix == ".npz" and root.is_file() else sorted(root.glob("*.npz"))
    places = [plain] if plain.is_file() else []
    places += [path for path in archives if f"{name}.npy" in _guarded(path, _members)]
    if len(places) > 1:
        raise DataError(f"array {name} is in {places[0]} and in {places[1]}; keep one of them")
    if not places:
        return None
    if places[0] == plain:
        return str(plain), _guarded(plain, _read_plain, name, kinds)
    return f"{places[0]}, array {name}", _guarded(places[0], _read_member, name, kinds)


def _guarded(path: Path, read: Callable[..., T], *arguments: str) -> T:
    try:
        return read(path, *arguments)
    except Snn2CircuitError as error:
        raise DataError(f"{path}: {error}") from error
    except Exception as error:
        # Hostile bytes make zipfile, zlib and numpy's header reader raise almost anything.
        raise DataError(f"{path} is damaged or holds no array: {type(error).__name__}: {error}") from error


def _members(path: Path) -> frozenset[str]:
    with zipfile.ZipFile(path) as archive:
        return frozenset(archive.namelist())


def _read_plain(path: Path, name: str, kinds: str) -> NDArray[Any]:
    with path.open("rb") as stream:
        return read_npy(stream, path.stat().st_size, name, kinds=kinds, limit=MAX_VALUES)


def _read_member(path: Path, name: str, kinds: str) -> NDArray[Any]:
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(f"{name}.npy")
        if info.compress_type not in COMPRESSIONS:
            raise DataError(f"array {name} is compressed in a way numpy never uses; save it with numpy.savez")
        if info.file_size > MAX_RATIO * max(info.compress_size, 1):
            raise DataError(
                f"array {name} claims to inflate {info.compress_size} bytes to {info.file_size}, more than {MAX_RATIO} "
                "times as much; refused, save honest data uncompressed with numpy.savez"
            )
        with archive.open(info) as stream:
            return read_npy(stream, info.file_size, name, kinds=kinds, limit=MAX_VALUES)
