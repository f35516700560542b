"""IDX files made byte by byte, as the format's description says."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np


def idx_bytes(array: np.ndarray, *, shape: tuple[int, ...] | None = None, kind: int = 8) -> bytes:
    """The file of ``array``; ``shape`` and ``kind`` may lie."""
    shape = array.shape if shape is None else shape
    return struct.pack(f">HBB{len(shape)}I", 0, kind, len(shape), *shape) + array.astype(np.uint8).tobytes()


def write_dataset(folder: Path, *, train: int = 20, test: int = 10, suffix: str = "") -> dict[str, np.ndarray]:
    """Four small files of 28x28 images with random content; returns what they hold."""
    random = np.random.default_rng(7)
    arrays = {}
    folder.mkdir(parents=True, exist_ok=True)
    for prefix, count in (("train", train), ("t10k", test)):
        arrays[f"{prefix}-images-idx3-ubyte"] = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        arrays[f"{prefix}-labels-idx1-ubyte"] = random.integers(0, 10, count, dtype=np.uint8)
    for name, array in arrays.items():
        data = idx_bytes(array)
        (folder / (name + suffix)).write_bytes(gzip.compress(data, mtime=0) if suffix else data)
    return arrays
