"""HDF5 files of strangers, read in a process of their own.

A few bytes of HDF5 can link to other files, contain themselves, or declare an array that no memory holds; a damaged
file can send the C library into an endless loop. HDF5 runs nothing from a file, but it must not take this program down
either. So a child process with limits on its time and memory, which can start no program (:mod:`snn2circuit.confine`),
looks over what the file declares, reads it, and hands plain arrays back. It is this very module, run by name.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from snn2circuit.child import python_command
from snn2circuit.confine import forbid_programs, limit_use
from snn2circuit.errors import FileFormatError
from snn2circuit.ir.files import MAX_FILE
from snn2circuit.ir.scratch import scratch

MAX_RATIO = 200  # of arrays to file
FREE_BYTES = 16 * 2**20  # of arrays that a file of any size may hold
MAX_OBJECTS = 100_000
SECONDS = 60  # of processor time
SPARE_MEMORY = 2 * 2**30  # bytes, beyond the arrays
_REFUSED = 3  # exit status of a child that says why


def read_tree(path: Path) -> dict[str, Any]:
    """Groups as dictionaries, datasets as arrays, numbers or text.

    Raises:
        FileFormatError: the file is missing, damaged, links, loops, holds anything but numbers and text, or is too
            large; the text says where.
    """
    path = Path(path)
    if not path.is_file():
        raise FileFormatError("the file does not exist")
    with scratch() as folder:
        out = folder / "arrays.npz"
        command = python_command(__name__, str(path.resolve()), str(out), str(SECONDS))
        # Without the variable that names folders of HDF5 plug-ins, which a file can ask for.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HDF5_")}
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter on our own module
                command, cwd=folder, env=environment, capture_output=True, text=True, errors="replace", check=False,
                timeout=10 * SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise FileFormatError(f"the file could not be read in {10 * SECONDS} s; it is damaged") from None
        if done.returncode == _REFUSED:
            raise FileFormatError(done.stderr.strip())
        if done.returncode:
            raise FileFormatError(
                f"the file is damaged: the HDF5 library broke off with status {done.returncode} "
                f"(limits: {SECONDS} s, {SPARE_MEMORY / 2**30:g} GiB beyond its arrays)"
            )
        tree: dict[str, Any] = {}
        with np.load(out, allow_pickle=False) as arrays:
            for index, names in enumerate(json.loads(str(arrays["names"]))):
                place = tree
                for name in names[:-1]:
                    place = place.setdefault(name, {})
                value = arrays[f"a{index}"][()]
                # Text as Python's own, alone or in lists, which is what libraries expect.
                place[names[-1]] = np.asarray(value).tolist() if np.asarray(value).dtype.kind == "U" else value
    return tree


def _datasets(path: Path) -> tuple[list[tuple[str, ...]], list[Any]]:
    """Names and contents of everything in the file, after a look at what it declares."""
    limit = min(MAX_FILE, max(FREE_BYTES, MAX_RATIO * path.stat().st_size))
    seen: set[int] = set()
    found: list[tuple[tuple[str, ...], h5py.Dataset]] = []
    total = 0
    with h5py.File(path, "r") as file:
        pending: list[tuple[tuple[str, ...], h5py.Group]] = [((), file)]
        while pending:
            names, group = pending.pop()
            for name in group:
                place = "/".join((*names, name))
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise FileFormatError(f"{place} is a link to another place; refused")
                item = group[name]
                address = h5py.h5o.get_info(item.id).addr
                if address in seen or len(seen) >= MAX_OBJECTS:
                    raise FileFormatError(f"{place} occurs twice, or as more than {MAX_OBJECTS:,} objects; refused")
                seen.add(address)
                if isinstance(item, h5py.Group):
                    pending.append(((*names, name), item))
                    continue
                if isinstance(item, h5py.Dataset) and item.shape is None:
                    continue  # how some programs write that there is nothing
                if not isinstance(item, h5py.Dataset) or item.is_virtual or item.external:
                    raise FileFormatError(f"{place} has its data somewhere else; refused")
                if item.dtype.kind not in "biuf" and h5py.check_string_dtype(item.dtype) is None:
                    raise FileFormatError(f"{place} holds {item.dtype}; only numbers and text are read")
                total += math.prod(item.shape or ()) * item.dtype.itemsize
                if total > limit:
                    raise FileFormatError(f"{place}: the arrays take more than {limit:,} bytes; refused")
                found.append(((*names, name), item))
        text = [item.asstr()[()] if h5py.check_string_dtype(item.dtype) else None for _, item in found]
        values = [
            np.array(one, dtype=str) if one is not None else item[()]
            for one, (_, item) in zip(text, found, strict=True)
        ]
    return [names for names, _ in found], values


def _child(path: Path, out: Path, seconds: int) -> int:
    """Read ``path`` and leave its arrays in ``out``; the exit status."""
    memory = min(MAX_FILE, max(FREE_BYTES, MAX_RATIO * path.stat().st_size)) + SPARE_MEMORY
    limit_use(cpu=seconds, memory=memory, file_size=memory)
    forbid_programs()
    try:
        names, values = _datasets(path)
    except Exception as error:
        # Damaged bytes make the library raise almost anything.
        known = isinstance(error, FileFormatError)
        sys.stderr.write(str(error) if known else f"the file is damaged or not HDF5: {type(error).__name__}: {error}")
        return _REFUSED
    np.savez(out, names=np.array(json.dumps(names)), **{f"a{index}": value for index, value in enumerate(values)})
    return 0


if __name__ == "__main__":
    sys.exit(_child(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
