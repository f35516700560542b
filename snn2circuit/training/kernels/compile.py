"""Compiling a kernel: once per machine if its cache can be written, else once per process.

Floating point stays strict (no ``fastmath``), so that a kernel rounds where the formula does. numba keeps compiled
code beside the source file or, where that cannot be written, in the user's cache folder (``NUMBA_CACHE_DIR`` chooses
another). It watches the kernel's own file only: a kernel must not call compiled functions of other files, or an old
compilation would outlive their change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numpy.typing import NDArray

Array = NDArray[Any]  # float32 or float64, the same in one call
F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """``function`` as machine code, compiled for its argument types when it is first called."""
    try:
        kernel: Any = numba.njit(cache=True, error_model="numpy")(function)
    except RuntimeError:  # numba found no folder that it could write its cache to
        kernel = numba.njit(error_model="numpy")(function)
    return cast("F", kernel)
