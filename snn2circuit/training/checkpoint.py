"""Weights and unfinished trainings on disk; reading never runs code from a file: torch is told to accept tensors only.

Two kinds of file. A ``state_dict`` is what snnTorch users know: named weights. A *checkpoint* holds a whole training
between two batches (:meth:`~snn2circuit.training.loop.Loop.state`) together with its *identity*: every key of the
recipe, the seed, the dataset's fingerprint and the versions that compute it. A training goes on from a checkpoint of
the same identity only, since no other would end in the same weights; a foreign one is refused, naming what differs.
"""

from __future__ import annotations

import dataclasses
import io
import zipfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from snn2circuit.errors import CheckpointRefused, FileFormatError
from snn2circuit.ir.dataset import Dataset
from snn2circuit.ir.files import atomic, fingerprint
from snn2circuit.training.recipe import Recipe

FORMAT = "snn2circuit-checkpoint/1"
LAST, BEST = "last.pt", "best.pt"  # in the folder of checkpoints: where to go on, and the best epoch's state_dict


def save_state_dict(weights: nn.Module | Mapping[str, Tensor], path: Path) -> None:
    """Write a ``state_dict``, or that of a module, to ``path`` atomically; equal weights give equal bytes.

    Raises:
        OutputError: the file cannot be written.
    """
    _write(weights.state_dict() if isinstance(weights, nn.Module) else weights, path)


def load_state_dict(path: Path) -> dict[str, Tensor]:
    """Read a ``state_dict`` from ``path``, for ``module.load_state_dict``, with the table that torch keeps beside it.

    Raises:
        FileFormatError: the file is missing, damaged, or holds anything but named tensors.
    """
    state = _read(path, "a state_dict")
    if not isinstance(state, dict) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in state.items()
    ):
        raise FileFormatError(f"{path} holds a {type(state).__name__}; a state_dict of named tensors is needed")
    return state


def identity(dataset: Dataset, recipe: Recipe, seed: int) -> dict[str, str]:
    """Everything that decides what a training ends in, in words."""
    return {
        "dataset": f"{dataset.name} ({fingerprint(dataset)})",
        "seed": str(seed),
        **{field.name: repr(getattr(recipe, field.name)) for field in dataclasses.fields(recipe)},
        **{package: _version(package) for package in ("snn2circuit", "snntorch", "torch")},
    }


def save_checkpoint(path: Path, who: Mapping[str, str], state: Mapping[str, Any]) -> None:
    """Write the ``state`` of the training ``who`` to ``path`` atomically.

    Raises:
        OutputError: the file cannot be written; the checkpoint that stood there before still stands.
    """
    _write({"format": FORMAT, "identity": dict(who), "state": dict(state)}, path)


def load_checkpoint(path: Path, who: Mapping[str, str]) -> dict[str, Any]:
    """Read the state of the training ``who`` from ``path``.

    Raises:
        FileFormatError: the file is missing, damaged or no checkpoint.
        CheckpointRefused: it belongs to another training; every key that differs is named.
    """
    content = _read(path, "a checkpoint")
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise FileFormatError(f"{path} is not a {FORMAT} file")
    there, state = content.get("identity"), content.get("state")
    if not isinstance(there, dict) or not isinstance(state, dict):
        raise FileFormatError(f"{path} is damaged: it names no training or holds no state")
    if other := [
        f"{key} is {there.get(key, 'absent')} there and {who.get(key, 'absent')} here"
        for key in {**who, **there}
        if there.get(key) != who.get(key)
    ]:
        raise CheckpointRefused(
            f"{path} belongs to another training: {'; '.join(other)}; "
            "only that one can go on from it, this one has to start anew, or keep its checkpoints in another folder"
        )
    return state


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed as a package"


def _write(content: object, path: Path) -> None:
    # Into memory first: torch puts the file's name into the archive, and the temporary one is random.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with atomic(Path(path)) as temporary:
        temporary.write_bytes(buffer.getvalue())


def _read(path: Path, what: str) -> Any:
    path = Path(path)
    try:
        if zipfile.is_zipfile(path):
            _check_sizes(path)
        return torch.load(path, weights_only=True, map_location="cpu")
    except FileNotFoundError:
        raise FileFormatError(f"{path} does not exist") from None
    except FileFormatError:
        raise
    except Exception as error:
        # Hostile bytes make zipfile, torch's reader and its unpickler raise almost anything.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FileFormatError(f"{path} is damaged or not {what}: {reason}") from error


def _check_sizes(path: Path) -> None:
    """Refuse an archive that unpacks to more than it is: torch stores tensors as they are."""
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
    if any(info.compress_type != zipfile.ZIP_STORED for info in infos):
        raise FileFormatError(f"{path} is compressed; torch never writes such a file, refused")
    if sum(info.file_size for info in infos) > path.stat().st_size:
        raise FileFormatError(f"{path} declares more contents than it has bytes; refused")
