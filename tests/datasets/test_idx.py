"""The IDX reader against good files, lying headers, bombs and random damage."""

from __future__ import annotations

import contextlib
import gzip
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from idx_files import idx_bytes

from snn2circuit.datasets import idx
from snn2circuit.datasets.idx import read_idx, read_images, read_labels
from snn2circuit.errors import DataError

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_reads_what_is_there(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"images{suffix}"
    data = idx_bytes(IMAGES)
    path.write_bytes(gzip.compress(data) if suffix else data)
    np.testing.assert_array_equal(read_images(path, (3, 4)), IMAGES)


def refuse(path: Path, data: bytes, reason: str, *, dimensions: int = 3) -> None:
    """``data`` is refused for ``reason``, and reading it never takes much more memory than it has bytes."""
    path.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(DataError, match=reason) as caught:
        read_idx(path, dimensions)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(path) in str(caught.value)
    assert peak < 8 * 2**20 + 4 * len(data)


HUGE = (2**32 - 1, 28, 28)
FAULTS = {
    "empty": (b"", "begins with nothing"),
    "not IDX": (b"\x89PNG\r\n\x1a\n", "begins with 89 50 4e 47"),
    "magic cut": (b"\0\0\x08", "begins with 00 00 08,"),
    "unknown type": (b"\0\0\x07\x03", "begins with 00 00 07 03"),
    "float64": (idx_bytes(IMAGES, kind=0x0E), "float64 values; only unsigned bytes"),
    "labels for images": (idx_bytes(IMAGES[:, 0, 0]), "has 1 dimensions where 3 are needed"),
    "header cut": (idx_bytes(IMAGES)[:13], "inside its header: 13 bytes of 16"),
    "no items": (idx_bytes(IMAGES, shape=(0, 28, 28)), "0 x 28 x 28 bytes; a dataset needs"),
    "2^32-1 items": (idx_bytes(IMAGES, shape=HUGE), "4294967295 x 28 x 28 bytes, more than the"),
    "one byte short": (idx_bytes(IMAGES)[:-1], "so 40 with itself; the file has 39: it is truncated"),
    "one byte long": (idx_bytes(IMAGES) + b"x", "so 40 with itself; the file has 41: it is longer"),
    "claims 1 GB": (idx_bytes(IMAGES, shape=(2**20, 32, 32)), "the file has 40: it is truncated"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_plain_faults(tmp_path: Path, fault: str) -> None:
    refuse(tmp_path / "images", *FAULTS[fault])


COMPRESSED_FAULTS = {
    "not gzip": (idx_bytes(IMAGES), "Not a gzipped file"),
    "2^32-1 items": (gzip.compress(idx_bytes(IMAGES, shape=HUGE)), "4294967295 x 28 x 28 bytes, more than the"),
    "claims 1 GB": (gzip.compress(idx_bytes(IMAGES, shape=(2**20, 32, 32))), "can inflate to"),
    "one byte short": (gzip.compress(idx_bytes(IMAGES)[:-1]), "23 follow: it is truncated"),
    "one byte long": (gzip.compress(idx_bytes(IMAGES) + b"x"), "more follow: it is longer than"),
    "bomb": (gzip.compress(idx_bytes(IMAGES) + bytes(400 * 2**20), 9), "more follow: it is longer than"),
    "cut off": (gzip.compress(idx_bytes(IMAGES))[:-12], "compressed data break off"),
    "wrong checksum": (gzip.compress(idx_bytes(IMAGES))[:-8] + bytes(8), "CRC check failed"),
    "garbled": (gzip.compress(idx_bytes(IMAGES))[:10] + b"\xff" * 40, "cannot be read"),
}


@pytest.mark.parametrize("fault", COMPRESSED_FAULTS)
def test_compressed_faults(tmp_path: Path, fault: str) -> None:
    refuse(tmp_path / "images.gz", *COMPRESSED_FAULTS[fault])


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_idx(tmp_path / "images", 3)
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(tmp_path, 3)


def test_other_shape_and_label_out_of_range(tmp_path: Path) -> None:
    (tmp_path / "images").write_bytes(idx_bytes(IMAGES))
    with pytest.raises(DataError, match="images are 3 x 4 pixels; this dataset has 28 x 28"):
        read_images(tmp_path / "images", (28, 28))
    (tmp_path / "labels").write_bytes(idx_bytes(np.array([9, 0, 10, 11])))
    with pytest.raises(DataError, match=r"label 10 of item 2 is out of range; 10 classes allow 0\.\.9"):
        read_labels(tmp_path / "labels", 10)
    assert read_labels(tmp_path / "labels", 12).tolist() == [9, 0, 10, 11]


def test_a_header_may_not_claim_more_than_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "labels"
    path.write_bytes(idx_bytes(np.zeros(100)))
    monkeypatch.setattr(idx, "MAX_BYTES", 99)
    with pytest.raises(DataError, match="claims 100 bytes, more than the 99 that are read"):
        read_labels(path, 10)


@given(
    position=st.integers(0, 10**6),
    replacement=st.binary(max_size=12),
    cut=st.integers(0, 10**6),
    compressed=st.booleans(),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_gives_our_error_or_a_whole_array(
    tmp_path: Path, position: int, replacement: bytes, cut: int, compressed: bool
) -> None:
    data = gzip.compress(idx_bytes(IMAGES), mtime=0) if compressed else idx_bytes(IMAGES)
    start = position % len(data)
    data = (data[:start] + replacement + data[start + len(replacement) :])[: 1 + cut % (2 * len(data))]
    path = tmp_path / ("images.gz" if compressed else "images")
    path.write_bytes(data)
    with contextlib.suppress(DataError):
        array = read_idx(path, 3)
        assert idx_bytes(array) == (gzip.decompress(data) if compressed else data)
