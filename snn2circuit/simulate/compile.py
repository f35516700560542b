"""Kernels as machine code, kept beside their file or in the user's cache folder, else compiled anew in each process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])
REORDER = {"contract", "reassoc", "nsz", "arcp"}  # sums may be reordered; NaN and infinity keep their meaning


def compiled(function: F, *, parallel: bool = False) -> F:
    """``function`` in machine code; it must call no compiled function of another file, whose changes go unseen.

    With ``parallel``, loops over ``numba.prange`` run on as many threads as :func:`use_threads` has set.
    """
    compiler: Any = numba.njit
    try:
        kernel: F = compiler(cache=True, error_model="numpy", fastmath=REORDER, parallel=parallel)(function)
    except RuntimeError:  # numba found no folder that it could write its cache to
        kernel = compiler(error_model="numpy", fastmath=REORDER, parallel=parallel)(function)
    return kernel


def use_threads(count: int) -> None:
    """Let parallel kernels run on ``count`` threads, or on as many as there are processors, if that is less."""
    library: Any = numba
    library.set_num_threads(max(1, min(count, library.config.NUMBA_NUM_THREADS)))
