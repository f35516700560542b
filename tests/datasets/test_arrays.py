"""Your own arrays: what is read, and every way in which a folder of them can be wrong or hostile."""

from __future__ import annotations

import io
import random
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from snn2circuit.datasets import array_files, arrays, load_dataset
from snn2circuit.errors import DataError

Arrays = dict[str, np.ndarray]


def good() -> Arrays:
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (12, 3, 4), dtype=np.uint8),
        "y_train": np.arange(12) % 3,
        "x_test": rng.integers(0, 256, (5, 3, 4), dtype=np.uint8),
        "y_test": np.arange(5, dtype=np.uint8) % 3,
    }


def write(folder: Path, content: Arrays) -> Path:
    folder.mkdir(exist_ok=True)
    for name, array in content.items():
        np.save(folder / f"{name}.npy", array)
    return folder


@pytest.mark.parametrize("form", ["npy", "npz", "compressed", "two archives", "file"])
def test_the_arrays_of_a_folder(form: str, tmp_path: Path) -> None:
    content = good() | {"classes": np.array(["cat", "dög", "cow"])}
    place = tmp_path
    match form:
        case "npy":
            write(tmp_path, content)
        case "compressed":
            np.savez_compressed(tmp_path / "data.npz", **content)
        case "two archives":
            for which in ("train", "test"):
                part = {name: array for name, array in content.items() if name.endswith(which)}
                np.savez(tmp_path / f"{which}.npz", **part)
            write(tmp_path, {"classes": content["classes"]})
        case _:
            np.savez(tmp_path / "data.npz", **content)
            place = tmp_path / "data.npz" if form == "file" else tmp_path
    data = load_dataset("arrays", place)
    assert data.shape == (3, 4)
    assert data.classes == ("cat", "dög", "cow")
    for split, which in ((data.train, "train"), (data.test, "test")):
        np.testing.assert_array_equal(split.inputs, content[f"x_{which}"].reshape(-1, 12))
        np.testing.assert_array_equal(split.labels, content[f"y_{which}"])


def test_spikes_given_step_by_step(tmp_path: Path) -> None:
    spikes = np.random.default_rng(0).random((6, 7, 2, 3)) < 0.3
    write(
        tmp_path,
        {"spikes_train": spikes, "spikes_test": spikes[:2], "y_train": np.arange(6) % 2, "y_test": np.array([1, 0])},
    )
    data = load_dataset("arrays", tmp_path)
    assert (data.shape, data.classes) == ((2, 3), ("0", "1"))
    np.testing.assert_array_equal(data.train.inputs, spikes.reshape(6, 7, 6))


def nan_at(place: tuple[int, ...]) -> np.ndarray:
    values = good()["x_train"].astype(float)
    values[place] = np.nan
    return values


WRONG: dict[str, tuple[Arrays, str]] = {
    "NaN": ({"x_train": nan_at((3, 1, 2))}, r"x_train\.npy: value at \(3, 1, 2\) is nan"),
    "infinity": ({"x_test": np.full((5, 3, 4), np.inf)}, r"x_test\.npy: value at \(0, 0, 0\) is inf"),
    "flat": ({"x_train": np.ones(12)}, r"x_train\.npy has shape \(12,\); \(samples, inputs\) or"),
    "empty": ({"x_train": np.ones((0, 3, 4)), "y_train": np.zeros(1, int)}, "each at least 1"),
    "other images": ({"x_test": np.ones((5, 4, 4))}, r"x_test\.npy: samples have shape \(4, 4\)"),
    "label count": ({"y_test": np.zeros(4, int)}, r"y_test\.npy has shape \(4,\), .*x_test\.npy holds 5 samples"),
    "negative label": ({"y_train": np.arange(12) - 1}, r"y_train\.npy: label -1 of item 0 is out of range"),
    "label too high": (
        {"classes": np.array(["a", "b"])}, r"y_train\.npy: label 2 of item 2 is out of range; 2 classes allow 0\.\.1",
    ),
    "label absurd": ({"y_test": np.array([0, 1, 2, 10**12, 0])}, r"label 1000000000000 of item 3"),
    "one-hot": ({"y_train": np.eye(3)[good()["y_train"]]}, "not rows of one-hot"),
    "labels with fractions": ({"y_train": good()["y_train"] / 2}, r"whole numbers \(samples,\) are needed"),
    "no labels": ({"y_train": np.zeros(0, int)}, "whole numbers"),
    "same names": ({"classes": np.array(["a", "a", "b"])}, "different printable names"),
    "control characters": ({"classes": np.array(["a", "b\n.control", "c"])}, "different printable names"),
    "names as numbers": ({"classes": np.arange(3)}, "only text"),
    "complex": ({"x_train": np.ones((12, 3, 4), complex)}, "x_train holds complex128; only numbers"),
    "both kinds": ({"spikes_train": np.ones((12, 2, 3))}, "x_ and spikes_"),
}  # fmt: skip


@pytest.mark.parametrize("fault", WRONG)
def test_arrays_that_are_no_dataset(fault: str, tmp_path: Path) -> None:
    changed, reason = WRONG[fault]
    write(tmp_path, good() | changed)
    with pytest.raises(DataError, match=reason) as caught:
        load_dataset("arrays", tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_missing_and_ambiguous_arrays(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no array x_train\. Looked for x_train\.npy"):
        load_dataset("arrays", tmp_path / "nowhere")
    write(tmp_path, good())
    (tmp_path / "y_test.npy").unlink()
    with pytest.raises(DataError, match="holds no array y_test"):
        load_dataset("arrays", tmp_path)
    write(tmp_path, good())
    np.savez(tmp_path / "more.npz", x_test=good()["x_test"])
    with pytest.raises(DataError, match=r"array x_test is in .*x_test\.npy and in .*more\.npz; keep one"):
        load_dataset("arrays", tmp_path)


def claiming(shape: str, descr: str = "<f8", version: bytes = b"\x01\x00") -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    length = struct.pack("<H" if version == b"\x01\x00" else "<I", len(header))
    return b"\x93NUMPY" + version + length + header + b"\0" * 64


def pickled() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def archive(data: bytes, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as packed:
        packed.writestr("x_train.npy", data)
    return buffer.getvalue()


def bomb() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((100, 50_000)))
    return archive(buffer.getvalue())


HOSTILE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "a terabyte": ("x_train.npy", lambda: claiming("(1000000000000,)"), "claims shape"),
    "overflowing": ("x_train.npy", lambda: claiming("(4611686018427387904, 4)"), "claims shape|damaged"),
    "negative": ("x_train.npy", lambda: claiming("(-2, -4)"), "claims shape"),
    "empty but endless": ("x_train.npy", lambda: claiming("(0, 99999999999999999999)"), "claims shape|damaged"),
    "no width": ("x_train.npy", lambda: claiming("(1000000000000,)", "<U0"), "numbers are read|damaged"),
    "later version": ("x_train.npy", lambda: claiming("(8,)", version=b"\x03\x00"), "format version"),
    "code in the header": ("x_train.npy", lambda: claiming("__import__('os')"), "damaged"),
    "pickle": ("x_train.npy", pickled, "holds object; only numbers"),
    "pickle in an archive": ("all.npz", lambda: archive(pickled()), "holds object; only numbers"),
    "not an array": ("x_train.npy", lambda: b"GIF89a", "damaged or holds no array"),
    "nothing": ("x_train.npy", lambda: b"", "damaged or holds no array"),
    "no archive": ("all.npz", lambda: b"PK\x03\x04 and then nothing", "damaged or holds no array"),
    "bomb": ("all.npz", bomb, "claims to inflate .* more than 200"),
    "lzma": ("all.npz", lambda: archive(claiming("(8,)"), zipfile.ZIP_LZMA), "a way numpy never uses"),
}


@pytest.mark.parametrize("fault", HOSTILE)
def test_hostile_files_cost_nothing(fault: str, tmp_path: Path) -> None:
    name, make, reason = HOSTILE[fault]
    write(tmp_path, {key: array for key, array in good().items() if key != "x_train"})
    (tmp_path / name).write_bytes(make())
    tracemalloc.start()
    with pytest.raises(DataError, match=reason) as caught:
        load_dataset("arrays", tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(tmp_path / name) in str(caught.value)
    assert peak < 8 * 2**20


def test_more_values_than_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_files, "MAX_VALUES", 100)
    with pytest.raises(DataError, match=r"array x_train has 144 values in shape \(12, 3, 4\); more than 100"):
        arrays.load_arrays(write(tmp_path, good()))


@pytest.mark.filterwarnings("ignore:Reading `.npy` or `.npz` file required additional header parsing")
@pytest.mark.filterwarnings("ignore:invalid escape sequence", "ignore:invalid decimal literal")
@pytest.mark.parametrize("form", ["npy", "npz"])
def test_truncated_and_flipped_bytes(form: str, tmp_path: Path) -> None:
    """Whatever happens to the bytes: our error, or a dataset that passed every check."""
    content = good() | {"classes": np.array(["a", "b", "c"])}
    if form == "npz":
        np.savez_compressed(tmp_path / "all.npz", **content)
        paths = [tmp_path / "all.npz"]
    else:
        write(tmp_path, content)
        paths = sorted(tmp_path.iterdir())
    chance, refused = random.Random(form), 0
    for path in paths:
        whole = path.read_bytes()
        for trial in range(60 if form == "npy" else 200):
            data = bytearray(whole)
            if trial % 3:
                for _ in range(chance.choice((1, 1, 3, 9))):
                    data[chance.randrange(len(data))] = chance.randrange(256)
            else:
                del data[chance.randrange(len(data)) :]
            path.write_bytes(data)
            try:
                assert load_dataset("arrays", tmp_path).shape
            except DataError:
                refused += 1
        path.write_bytes(whole)
    assert refused >= 60
