"""Kernels as machine code, kept beside their file or in the user's cache folder, else compiled anew in each process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])
REORDER = {"contract", "reassoc", "nsz", "arcp"}  # sums may be reordered; NaN and infinity keep their meaning


def compiled(function: F) -> F:
    """``function`` in machine code; it must call no compiled function of another file, whose changes go unseen."""
    compiler: Any = numba.njit
    try:
        kernel: F = compiler(cache=True, error_model="numpy", fastmath=REORDER)(function)
    except RuntimeError:  # numba found no folder that it could write its cache to
        kernel = compiler(error_model="numpy", fastmath=REORDER)(function)
    return kernel
