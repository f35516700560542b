"""Fetch a dataset with torchvision, which knows the mirrors and the checksums.

torchvision is an optional extra (``pip install 'snn2circuit[download]'``) and is imported only here. The wheel that the
package index serves is built for CUDA; beside a CPU-only torch its compiled operators do not load and ``import
torchvision`` stops with "operator torchvision::nms does not exist", although downloading needs none of them.
:func:`import_torchvision` then declares the missing operators, without an implementation, and imports again. Where the
operators exist nothing is declared.

Files are fetched into a temporary folder beside their destination, read with our own reader, and only then moved to
where they belong: a download that fails or is interrupted leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from snn2circuit.datasets.idx_folder import data_folder
from snn2circuit.datasets.source import Source
from snn2circuit.errors import DataError, OutputError
from snn2circuit.ir.files import move
from snn2circuit.ir.scratch import scratch

if TYPE_CHECKING:
    from torch.library import Library

# Operators that torchvision's Python files register functions for without asking whether they were loaded
# (torchvision/_meta_registrations.py, 0.28), with their schemas from its C++ sources.
SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def fetch(source: Source, folder: Path | None = None) -> Path:
    """Download the files of ``source`` into the data folder and return the folder they are in.

    Raises:
        DataError: the dataset needs no files, torchvision is missing, or the download failed.
        OutputError: the folder cannot be written.
    """
    if not source.needs_files:
        raise DataError(f"dataset {source.name} needs no download: {source.origin}")
    if not source.torchvision:
        raise DataError(f"nothing can fetch dataset {source.name}; put its files into the data folder: {source.origin}")
    torchvision = import_torchvision()
    root = data_folder(folder)
    target = root / source.torchvision / "raw"
    created = [place for place in (target, *target.parents) if not place.exists()]
    try:
        target.mkdir(parents=True, exist_ok=True)
        with scratch(target) as temporary:
            _download(torchvision, source, temporary)
            for name in source.files:
                move(temporary / source.torchvision / "raw" / name, target / name, known="")
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        for place in created:
            with contextlib.suppress(OSError):  # not empty: the download succeeded
                place.rmdir()
    return target


def import_torchvision() -> ModuleType:
    """The module ``torchvision``, made importable beside a torch that its compiled operators do not fit.

    Raises:
        DataError: torchvision is not installed, or cannot be imported for another reason.
    """
    try:
        return importlib.import_module("torchvision")
    except ModuleNotFoundError as error:
        if error.name != "torchvision":
            raise DataError(f"torchvision cannot be imported: {error}") from error
        raise DataError("torchvision is not installed; install it with: pip install 'snn2circuit[download]'") from None
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise DataError(f"torchvision cannot be imported: {error}") from error
    declare_missing_operators()
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    try:
        return importlib.import_module("torchvision")
    except (ImportError, RuntimeError) as error:
        raise DataError(f"torchvision does not fit this torch, install a matching pair: {error}") from error


@functools.cache  # keeps the library alive: torch withdraws the declarations together with it
def declare_missing_operators() -> Library:
    """Declare those operators of ``SCHEMAS`` that torch does not have, so that Python code may refer to them."""
    import torch

    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name, schema in SCHEMAS.items():
        if not hasattr(torch.ops.torchvision, name):
            library.define(schema)  # type: ignore[no-untyped-call]
    return library


def _download(torchvision: ModuleType, source: Source, folder: Path) -> None:
    dataset = getattr(importlib.import_module(f"{torchvision.__name__}.datasets"), source.torchvision)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            dataset(folder, download=True, **({"split": source.split} if source.split else {}))
    except Exception as error:  # urllib, gzip, tarfile and torchvision each raise their own
        raise DataError(
            f"dataset {source.name} could not be downloaded: {' '.join(str(error).split())}. Is there a connection to"
            f" the internet? The files {', '.join(source.files)} can also be put into the data folder by hand."
        ) from error
    source.load(folder)
