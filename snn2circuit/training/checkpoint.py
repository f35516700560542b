"""Weights on disk as snnTorch users know them: the ``state_dict`` of the module, saved by torch.

Reading never runs code from the file: torch is told to accept tensors only.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import torch
from torch import Tensor, nn

from snn2circuit.errors import FileFormatError
from snn2circuit.ir.files import atomic


def save_state_dict(module: nn.Module, path: Path) -> None:
    """Write the ``state_dict`` of ``module`` to ``path`` atomically; equal weights give equal bytes.

    Raises:
        OutputError: the file cannot be written.
    """
    # Into memory first: torch puts the file's name into the archive, and the temporary one is random.
    buffer = io.BytesIO()
    torch.save(module.state_dict(), buffer)
    with atomic(Path(path)) as temporary:
        temporary.write_bytes(buffer.getvalue())


def load_state_dict(path: Path) -> dict[str, Tensor]:
    """Read a ``state_dict`` from ``path``, for ``module.load_state_dict``.

    Raises:
        FileFormatError: the file is missing, damaged, or holds anything but named tensors.
    """
    path = Path(path)
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
    except FileNotFoundError:
        raise FileFormatError(f"{path} does not exist") from None
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FileFormatError(f"{path} is damaged or not a state_dict: {reason}") from error
    if not isinstance(state, dict) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in state.items()
    ):
        raise FileFormatError(f"{path} holds a {type(state).__name__}; a state_dict of named tensors is needed")
    return dict(state)
