"""What is saved comes back bit for bit, equal contents give equal bytes, and a fingerprint sees every bit."""

from __future__ import annotations

import dataclasses
import json
import re
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import ir_samples as samples
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from snn2circuit.errors import FileFormatError, Snn2CircuitError
from snn2circuit.ir.files import NOUNS, fingerprint, load, save, write_json, write_text
from snn2circuit.ir.network import Layer, Network
from snn2circuit.ir.parts import Quantity
from snn2circuit.neurons.leaky import Leaky

WEIGHTS = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def neurons(draw: st.DrawFn) -> Leaky:
    return Leaky(
        beta=draw(st.floats(0, 1, width=32)),
        threshold=draw(st.floats(0.125, 1024, width=32)),
        reset_mechanism=draw(st.sampled_from(("subtract", "zero", "none"))),
    )


@st.composite
def networks(draw: st.DrawFn) -> Network:
    sizes = draw(st.lists(st.integers(1, 6), min_size=2, max_size=5))
    layers = tuple(
        Layer(
            weight=draw(arrays(np.float64, (outputs, inputs), elements=WEIGHTS)),
            bias=draw(st.none() | arrays(np.float64, (outputs,), elements=WEIGHTS)),
            neuron=draw(neurons()),
        )
        for inputs, outputs in pairwise(sizes)
    )
    text = st.text(st.characters(codec="utf-8"), max_size=30)
    return Network(name=draw(text), layers=layers, steps=draw(st.integers(1, 10**9)), dataset=draw(text))


def test_every_noun_has_a_sample() -> None:
    assert set(samples.SAMPLES) == set(NOUNS)
    for name, make in samples.SAMPLES.items():
        assert type(make()) is NOUNS[name]


@pytest.mark.parametrize("name", sorted(samples.SAMPLES))
def test_what_is_saved_comes_back(name: str, tmp_path: Path) -> None:
    value = samples.SAMPLES[name]()
    save(value, tmp_path / "value.npz")
    back = load(tmp_path / "value.npz", NOUNS[name], samples.PARTS)
    assert samples.differences(value, back) == []
    assert all(not array.flags.writeable for array in samples.arrays_of(back))
    assert fingerprint(back) == fingerprint(value)


@pytest.mark.parametrize("name", sorted(samples.SAMPLES))
def test_equal_contents_give_equal_bytes(name: str, tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"{i}.npz" for i in range(3))
    save(samples.SAMPLES[name](), first)
    save(samples.SAMPLES[name](), second)
    save(load(first, NOUNS[name], samples.PARTS), third)
    assert first.read_bytes() == second.read_bytes() == third.read_bytes()


@settings(max_examples=60, deadline=None)
@given(network=networks())
def test_any_network_comes_back(network: Network, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("network") / "network.npz"
    save(network, path)
    back = load(path, Network, samples.PARTS)
    assert samples.differences(network, back) == []
    again = path.with_name("again.npz")
    save(back, again)
    assert again.read_bytes() == path.read_bytes()


def test_numpy_opens_the_arrays_too(tmp_path: Path) -> None:
    network = samples.network()
    save(network, tmp_path / "network.npz")
    with np.load(tmp_path / "network.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["0"], network.layers[0].weight)
    with zipfile.ZipFile(tmp_path / "network.npz") as archive:
        assert archive.testzip() is None
        header = json.loads(archive.read("header.json"))
    assert header["value"]["layers"][0]["neuron"]["part"] == "leaky"


@settings(max_examples=60, deadline=None)
@given(network=networks(), data=st.data())
def test_a_fingerprint_sees_every_bit(network: Network, data: st.DataObject) -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", fingerprint(network))
    number = data.draw(st.integers(0, len(network.layers) - 1))
    layer = network.layers[number]
    weight = np.array(layer.weight)
    place = tuple(data.draw(st.integers(0, size - 1)) for size in weight.shape)
    weight[place] = np.nextafter(weight[place], 0) if weight[place] else 5e-324
    other = (*network.layers[:number], dataclasses.replace(layer, weight=weight), *network.layers[number + 1 :])
    assert fingerprint(dataclasses.replace(network, layers=network.layers)) == fingerprint(network)
    assert fingerprint(dataclasses.replace(network, layers=other)) != fingerprint(network)


def test_a_fingerprint_sees_every_field() -> None:
    network = samples.network()
    layer = network.layers[0]
    variants: list[Network] = [
        network,
        dataclasses.replace(network, name="other"),
        dataclasses.replace(network, steps=5),
        dataclasses.replace(network, dataset=""),
        dataclasses.replace(network, layers=network.layers[:1]),
        *(
            dataclasses.replace(network, layers=(dataclasses.replace(layer, **fields), network.layers[1]))
            for fields in (
                {"bias": None},
                {"bias": np.zeros(2)},
                {"neuron": Leaky(beta=0.25)},
                {"neuron": Leaky(beta=0.5, reset_mechanism="zero")},
                {"weight": -layer.weight},
            )
        ),
    ]
    assert len({fingerprint(variant) for variant in variants}) == len(variants)


def test_a_fingerprint_does_not_depend_on_how_the_array_came(tmp_path: Path) -> None:
    weight = np.arange(6.0).reshape(2, 3)
    forms: list[Any] = [weight, weight.tolist(), np.asfortranarray(weight), weight.astype(">f8"), weight.astype("i2")]
    made = {fingerprint(Layer(weight=form, neuron=Leaky())) for form in forms}
    assert len(made) == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_not_saved(value: float, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="finite numbers only"):
        save(Quantity(value=value, unit="S", source="", confidence="high"), tmp_path / "q.npz")
    with pytest.raises((Snn2CircuitError, ValueError)):
        write_json(tmp_path / "q.json", {"value": value})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [object(), {"a": 1}, [1, 2], b"bytes", 1j, np.int64(3)])
def test_what_has_no_place_in_a_file_is_not_saved(value: object, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="cannot save a"):
        save(Quantity(value=value, unit="S", source="", confidence="high"), tmp_path / "q.npz")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_text_is_the_same_bytes_everywhere(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "folder" / "a.txt", "é\n")
    assert (tmp_path / "new" / "folder" / "a.txt").read_bytes() == b"\xc3\xa9\n"
    write_json(tmp_path / "a.json", {"b": 1, "a": "é"})
    assert (tmp_path / "a.json").read_bytes() == '{\n  "b": 1,\n  "a": "é"\n}\n'.encode()
