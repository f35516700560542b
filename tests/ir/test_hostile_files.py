"""Files that are broken, forged or meant to harm: each is refused with one of our errors, and costs no memory."""

from __future__ import annotations

import io
import json
import pickle
import random
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import ir_samples as samples
import numpy as np
import pytest

from snn2circuit.errors import FileFormatError, NetworkError, Snn2CircuitError
from snn2circuit.ir.files import FORMAT, NOUNS, load, save
from snn2circuit.ir.network import Layer, Network
from snn2circuit.ir.parts import Quantity
from snn2circuit.ir.timing import Timing

Members = dict[str, bytes]


def members_of(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def pack(path: Path, members: Members, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def npy(array: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, **options)
    return buffer.getvalue()


def npy_claiming(shape: str, descr: str = "<f8", data: bytes = b"\0" * 64) -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def forged(path: Path, value: object, **members: bytes) -> Path:
    """A file with this tree as its value, and members named ``a0`` for ``0.npy`` and so on."""
    header = json.dumps({"format": FORMAT, "value": value}).encode()
    return pack(path, {"header.json": header, **{f"{name[1:]}.npy": data for name, data in members.items()}})


def layer_tree(**fields: Any) -> dict[str, Any]:
    return {"noun": "Layer", "weight": {"array": 0}, "bias": None, "neuron": {"part": "leaky"}, **fields}


@pytest.fixture
def network(tmp_path: Path) -> Path:
    save(samples.network(), tmp_path / "network.npz")
    return tmp_path / "network.npz"


def refuse(path: Path, message: str, kind: type = Network) -> None:
    with pytest.raises(FileFormatError, match=message) as caught:
        load(path, kind, samples.PARTS)
    assert str(path) in str(caught.value)


def test_what_is_no_file_of_ours(tmp_path: Path, network: Path) -> None:
    refuse(tmp_path / "absent.npz", "does not exist")
    refuse(tmp_path, "damaged or not one of ours")
    for name, data in {"empty": b"", "text": b"not a zip\n", "zip": b"PK\x05\x06" + b"\0" * 18}.items():
        (tmp_path / name).write_bytes(data)
        refuse(tmp_path / name, "damaged or not one of ours")
    np.savez(tmp_path / "plain.npz", a=np.ones(3))
    refuse(tmp_path / "plain.npz", "damaged or not one of ours")
    for number, header in enumerate((b"{}", b"[]", b"null", b'{"format": "snn2circuit/999"}', b"{", b"\xff\xfe")):
        refuse(pack(tmp_path / f"{number}.npz", {"header.json": header}), "is not a|damaged or not one of ours")
    refuse(network, "holds a Network; a Timing is needed here", Timing)


def test_compressed_members_are_refused_unread(tmp_path: Path, network: Path) -> None:
    members = members_of(network)
    refuse(pack(tmp_path / "deflated.npz", members, zipfile.ZIP_DEFLATED), "is compressed")
    bomb = pack(tmp_path / "bomb.npz", {**members, "9.npy": b"\0" * 40_000_000}, zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 100_000
    tracemalloc.start()
    refuse(bomb, "is compressed")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize(
    "shape",
    [
        "(1000000000000,)",
        "(1000000, 1000000)",
        "(2, 5)",
        "(-1, -8)",
        "(8,), ",
        "(1e3,)",
        "(99999999999999999999999, 1)",
    ],
)
def test_arrays_that_claim_more_than_they_hold(shape: str, tmp_path: Path) -> None:
    path = forged(tmp_path / "a.npz", layer_tree(), a0=npy_claiming(shape))
    tracemalloc.start()
    refuse(path, "claims shape|damaged or not one of ours", Layer)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_a_small_file_cannot_multiply_itself(tmp_path: Path) -> None:
    """A header that points to one megabyte two thousand times would take two gigabytes."""
    tree = {"noun": "Network", "name": "n", "steps": 1, "layers": [layer_tree()] * 2000}
    path = forged(tmp_path / "many.npz", tree, a0=npy(np.zeros((1, 131_072)), version=(1, 0)))
    tracemalloc.start()
    refuse(path, "used twice")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000_000


def test_members_that_lie_over_each_other(tmp_path: Path) -> None:
    """Central directory entries may all point at the same bytes; together they declare more than the file has."""
    path = forged(tmp_path / "a.npz", layer_tree(), a0=npy(np.ones((1, 10_000)), version=(1, 0)))
    data = path.read_bytes()
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entry_at = data.index(b"PK\x01\x02", start + 1)
    entry = data[entry_at:end]
    directory = data[start:end] + b"".join(entry.replace(b"0.npy", f"{i}.npy".encode()) for i in range(1, 10))
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 11, 11, len(directory), start, 0)
    path.write_bytes(data[:start] + directory + tail)
    refuse(path, "refused|damaged or not one of ours", Layer)


class Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)


def test_nothing_is_ever_unpickled(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    objects = np.empty((1, 1), dtype=object)
    objects[0, 0] = Canary(canary)
    refuse(forged(tmp_path / "a.npz", layer_tree(), a0=npy(objects, allow_pickle=True)), "only numbers are read", Layer)
    refuse(forged(tmp_path / "b.npz", layer_tree(), a0=pickle.dumps(Canary(canary))), "damaged or not one", Layer)
    (tmp_path / "c.npz").write_bytes(pickle.dumps(Canary(canary)))
    refuse(tmp_path / "c.npz", "damaged or not one")
    assert not canary.exists()
    pickle.loads(pickle.dumps(Canary(canary)))  # noqa: S301 - the canary does sing
    assert canary.exists()


@pytest.mark.parametrize("array", [np.array([["a"]]), np.array([[1j]]), np.array([["2020-01-01"]], dtype="M8[D]")])
def test_only_numbers_are_read(array: np.ndarray, tmp_path: Path) -> None:
    refuse(forged(tmp_path / "a.npz", layer_tree(), a0=npy(array)), "only numbers are read", Layer)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"noun": "System"}, "unknown noun 'System'; known here: AvgPool2d"),
        ({"noun": "os.system"}, "unknown noun"),
        ({"noun": ["Network"]}, "unknown noun"),
        ({"part": "synaptic"}, "unknown part 'synaptic'; known here: leaky, ohmic"),
        ({"something": 1}, "unknown part"),
        (layer_tree(neuron={"part": "nobody"}), "unknown part 'nobody'"),
        (layer_tree(surprise=1), "has no field 'surprise'"),
        (layer_tree(weight={"array": 7}), "7.npy"),
        (layer_tree(weight={"array": "../0"}), "damaged"),
        (layer_tree(weight={"array": None}), "damaged"),
        (layer_tree(weight={"array": float("inf")}), "damaged"),
        (layer_tree(weight=3), "weight"),
        (layer_tree(weight="abc"), "weight"),
        (layer_tree(bias=[1, 2]), "bias"),
        (layer_tree(neuron=None), "neuron"),
        ({"noun": "Layer"}, "damaged"),
        ({"noun": "Network", "name": "n", "steps": 2, "layers": [1, 2]}, "layers"),
        ({"noun": "Network", "name": "n", "steps": "2", "layers": [layer_tree()]}, "steps"),
        ({"noun": "Network", "name": "n", "steps": 2.5, "layers": [layer_tree()]}, "steps"),
        ({"noun": "Network", "name": None, "steps": 2, "layers": [layer_tree()]}, "name"),
        ({"noun": "Netlist", "decks": "abc", "stimulus": 1, "readout": True}, "decks|stimulus|readout"),
        (5, "holds a int; a Network is needed"),
        ([], "holds a tuple; a Network is needed"),
    ],
)
def test_headers_that_do_not_describe_a_noun(tree: Any, message: str, tmp_path: Path) -> None:
    refuse(forged(tmp_path / "a.npz", tree, a0=npy(np.ones((1, 2)), version=(1, 0))), message)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_header_holds_finite_numbers_only(number: str, tmp_path: Path) -> None:
    tree = '{"noun": "Quantity", "value": 4711, "unit": "S", "source": "", "confidence": "high"}'
    header = f'{{"format": "{FORMAT}", "value": {tree.replace("4711", number)}}}'.encode()
    refuse(pack(tmp_path / "q.npz", {"header.json": header}), "finite|damaged", Quantity)


@pytest.mark.parametrize("depth", [100, 5_000, 200_000])
@pytest.mark.parametrize("opening", ["[", '{"noun": "Layer", "weight": '])
def test_deep_nesting(depth: int, opening: str, tmp_path: Path) -> None:
    closing = "]" if opening == "[" else "}"
    header = f'{{"format": "{FORMAT}", "value": {opening * depth}0{closing * depth}}}'.encode()
    refuse(pack(tmp_path / "deep.npz", {"header.json": header}), "damaged|weight|is needed here")


def test_a_missing_member_is_named(tmp_path: Path, network: Path) -> None:
    members = members_of(network)
    for name in members:
        rest = {other: data for other, data in members.items() if other != name}
        refuse(pack(tmp_path / "less.npz", rest), name.replace(".", r"\."))


def test_validation_errors_keep_their_kind_and_name_the_file(tmp_path: Path) -> None:
    tree = {"noun": "Network", "name": "n", "steps": 2, "layers": [layer_tree()]}
    path = forged(tmp_path / "nan.npz", tree, a0=npy(np.array([[0, np.nan]]), version=(1, 0)))
    with pytest.raises(NetworkError, match=r"nan\.npz: layer 1: weight at \(0, 1\) is nan"):
        load(path, Network, samples.PARTS)


def test_truncated_files(network: Path) -> None:
    whole = network.read_bytes()
    for length in [*range(0, len(whole), 7), len(whole) - 1]:
        network.write_bytes(whole[:length])
        refuse(network, "damaged or not one of ours|compressed|refused|truncated|unknown|is not a")


@pytest.mark.parametrize("name", sorted(samples.SAMPLES))
def test_flipped_bytes_are_refused_or_harmless(name: str, tmp_path: Path) -> None:
    """Checksums stand behind every byte that carries content, so what still loads equals what was saved."""
    value = samples.SAMPLES[name]()
    path = tmp_path / "value.npz"
    save(value, path)
    whole = path.read_bytes()
    chance = random.Random(name)
    refused = 0
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 1, 2, 8))):
            data[chance.randrange(len(data))] ^= chance.randrange(1, 256)
        path.write_bytes(data)
        try:
            back = load(path, NOUNS[name], samples.PARTS)
        except Snn2CircuitError:
            refused += 1
        else:
            assert samples.differences(value, back) == []
    assert refused >= 20


@pytest.mark.filterwarnings("ignore:Reading `.npy` or `.npz` file required additional header parsing")
@pytest.mark.parametrize("name", [name for name, make in sorted(samples.SAMPLES.items()) if samples.arrays_of(make())])
def test_forged_array_headers_are_refused_or_valid(name: str, tmp_path: Path) -> None:
    """The same with checksums made good again: whatever loads is a noun whose arrays passed its validation."""
    path = tmp_path / "value.npz"
    save(samples.SAMPLES[name](), path)
    members = members_of(path)
    arrays = [member for member in members if member.endswith(".npy")]
    chance = random.Random(name)
    for _ in range(60):
        forgery = dict(members)
        target = chance.choice(arrays)
        data = bytearray(forgery[target])
        for _ in range(chance.choice((1, 1, 2, 8))):
            data[chance.randrange(min(len(data), 90))] = chance.choice(b"0123456789()[]{},:'<>OVfiub \n\x00\xff")
        forgery[target] = bytes(data)
        pack(path, forgery)
        with suppress(Snn2CircuitError):
            assert isinstance(load(path, NOUNS[name], samples.PARTS), NOUNS[name])
