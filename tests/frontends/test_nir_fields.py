"""Every numeric field of every NIR node, stored in every way that programs store numbers: the same network."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import nir
import numpy as np
import pytest
from nir_files import graph, read

from snn2circuit.errors import FileFormatError, NetworkError, Snn2CircuitError
from snn2circuit.frontends.nir_fields import MAPS, NEURONS
from snn2circuit.ir.network import Network

NUMBER = 2.0  # of most fields: a whole number that half precision holds too
SPECIAL = {"v_reset": 0.0, "v_leak": 0.0, "stride": 1, "padding": 1, "dilation": 1, "groups": 1, "start_dim": 0,
           "end_dim": -1, "bias": 1.0, "weight": 1.0, "scale": 3.0}  # fmt: skip
ENDS = ("input_type", "output_type", "input_shape", "metadata")


def numeric(cls: type) -> list[str]:
    return [field.name for field in dataclasses.fields(cls) if field.name not in ENDS]


def make(cls: type) -> nir.NIRNode:
    """A node of two neurons, or of an image of 2 x 4 x 4."""
    many = {"weight": (2, 2, 3, 3) if cls is nir.Conv2d else (2, 3), "bias": (2,), "scale": (3,)}
    pair = ("stride", "padding", "dilation", "kernel_size")
    values: dict[str, Any] = {}
    for name in numeric(cls):
        number = SPECIAL.get(name, NUMBER)
        single = name in ("groups", "start_dim", "end_dim")
        shape = (2,) if name in pair else () if single else many.get(name, (2,))
        values[name] = int(number) if single else np.full(shape, number if name not in pair else int(number))
    if "padding" in values and cls in (nir.SumPool2d, nir.AvgPool2d):
        values["stride"] = np.array([2, 2])
    ends = {"input_type": None} if cls is nir.Flatten else {"input_shape": None} if cls is nir.Conv2d else {}
    return cls(**values, **ends)


def holding(cls: type) -> dict[str, Any]:
    """A graph in which a node ``n1`` (or ``n0``) of the class stands where it belongs."""
    last = nir.LIF(**{name: np.full(2, SPECIAL.get(name, NUMBER)) for name in numeric(nir.LIF)})
    linear = nir.Linear(weight=np.array([[1.0, 2.0, -1.0], [0.5, 1.0, 3.0]]))
    node = make(cls)
    if cls in NEURONS:
        after = [nir.Threshold(threshold=np.full(2, 2.0))] if cls in (nir.LI, nir.I, nir.CubaLI) else []
        return graph(linear, node, *after, shape=(3,), outputs=2)
    if cls is nir.Scale:
        return graph(nir.Linear(weight=np.eye(3)), node, linear, last, shape=(3,), outputs=2)
    if cls in (nir.Affine, nir.Linear):
        return graph(nir.Scale(scale=np.ones(3)), node, last, shape=(3,), outputs=2)
    size = {nir.Conv2d: 32, nir.Flatten: 32, nir.SumPool2d: 18, nir.AvgPool2d: 18}[cls]
    rest = nir.Linear(weight=np.full((2, size), 0.125))
    return graph(nir.Scale(scale=np.ones((2, 4, 4))), node, rest, last, shape=(2, 4, 4), outputs=2)


def same(one: Network, other: Network) -> None:
    inputs = np.random.default_rng(0).uniform(0, 2, (3, 20, one.sizes[0]))
    assert one.sizes == other.sizes
    for mine, theirs in zip(one.layers, other.layers, strict=True):
        assert mine.neuron == theirs.neuron
        np.testing.assert_allclose(mine.weight, theirs.weight, rtol=1e-6)
    for mine, theirs in zip(one.run(inputs).spikes, other.run(inputs).spikes, strict=True):
        np.testing.assert_array_equal(mine, theirs)


FIELDS = [(cls, name) for cls in (*NEURONS, *MAPS) for name in numeric(cls)]
STORED = {
    "alone": lambda value: value.ravel()[0],
    "alone, 0-d": lambda value: np.array(value.ravel()[0]),
    "list of one": lambda value: value.ravel()[:1],
    "two dimensions": lambda value: value.reshape(1, *value.shape),
    "float16": lambda value: value.astype(np.float16),
    "float32": lambda value: value.astype(np.float32),
    "float64": lambda value: value.astype(np.float64),
    "int8": lambda value: value.astype(np.int8),
    "int64, alone": lambda value: np.int64(value.ravel()[0]),
    "uint8 of the magnitude": lambda value: np.abs(value).astype(np.uint8) * np.sign(value).astype(np.int16),
    "big-endian": lambda value: value.astype(">f8"),
}


@pytest.mark.parametrize(("cls", "field"), FIELDS, ids=lambda each: getattr(each, "__name__", each))
def test_every_way_to_store_a_number_gives_the_same_network(cls: type, field: str) -> None:
    tree = holding(cls)
    options = {"dt": 0.25, "discretisation": "exact", "approximate": True, "steps": 20}
    expected = read(tree, **options).network
    value = np.asarray(tree["nodes"]["n1"][field])
    # Weights and a two-dimensional anything else are what they are; a weight alone is no matrix of six.
    usable = [name for name in STORED if field != "weight" or not any(word in name for word in ("alone", "one", "two"))]
    assert len(usable) >= 5
    for name in usable:
        changed = copy.deepcopy(tree)
        changed["nodes"]["n1"][field] = STORED[name](value)
        try:
            same(read(changed, **options).network, expected)
        except Snn2CircuitError as error:
            raise AssertionError(f"{cls.__name__}.{field} stored as {name}: {error}") from error


@pytest.mark.parametrize("cls", [*NEURONS, *MAPS], ids=lambda cls: cls.__name__)
def test_all_fields_of_a_node_alone(cls: type) -> None:
    tree = holding(cls)
    options = {"dt": 0.25, "discretisation": "exact", "approximate": True, "steps": 20}
    expected = read(tree, **options).network
    for name in numeric(cls):
        if name != "weight":
            tree["nodes"]["n1"][name] = np.asarray(tree["nodes"]["n1"][name]).ravel()[0]
    same(read(tree, **options).network, expected)


@pytest.mark.parametrize(("cls", "field"), FIELDS, ids=lambda each: getattr(each, "__name__", each))
def test_what_is_no_number_is_refused_by_its_name(cls: type, field: str) -> None:
    for bad in ("magic", {}, np.array([np.nan, 1.0, 2.0, 3.0, 4.0]), np.zeros(0)):
        tree = holding(cls)
        tree["nodes"]["n1"][field] = bad
        with pytest.raises(Snn2CircuitError, match=rf"n1.*{field}|layer 1|n1.*(bias|weight)"):
            read(tree, dt=0.25, discretisation="exact", approximate=True)


@pytest.mark.parametrize("cls", [nir.LIF, nir.IF, nir.CubaLIF], ids=lambda cls: cls.__name__)
def test_an_old_file_without_a_reset_potential_resets_to_zero(cls: type) -> None:
    tree = holding(cls)
    options = {"dt": 0.25, "discretisation": "exact", "approximate": True}
    expected = read(tree, **options).network
    del tree["nodes"]["n1"]["v_reset"]
    same(read(tree, **options).network, expected)


@pytest.mark.parametrize("shape", [(), (1,), (2, 1, 1), (2, 4, 4), (32,), (1, 2, 4, 4)])
def test_neurons_of_an_image(shape: tuple[int, ...]) -> None:
    """A number for all, one for each channel, and one for each neuron."""

    def build(shape: tuple[int, ...]) -> dict[str, Any]:
        full = np.ones((2, 4, 4))
        tree = graph(
            nir.Scale(scale=full),
            nir.IF(r=full, v_threshold=full),
            nir.Linear(weight=np.full((2, 32), 0.25)),
            nir.IF(r=np.ones(2), v_threshold=np.ones(2)),
            shape=(2, 4, 4),
            outputs=2,
        )
        values = np.arange(1.0, 3.0)[:, None, None] * (full if np.prod(shape) == 32 else np.ones((2, 1, 1)))
        tree["nodes"]["n1"]["r"] = np.full(shape, 1.5) if np.prod(shape) == 1 else values.reshape(shape)
        return tree

    same(read(build(shape), dt=1.0).network, read(build((1,) if np.prod(shape) == 1 else (2, 4, 4)), dt=1.0).network)


def test_a_number_for_each_row_is_not_taken_for_one_each_neuron() -> None:
    tree = graph(nir.IF(r=np.ones((2, 4, 4)), v_threshold=np.ones((2, 4, 4))), shape=(2, 4, 4), outputs=32)
    tree["nodes"]["n0"]["r"] = np.arange(4.0)
    with pytest.raises(FileFormatError, match=r"node 'n0': r has 4 values \(4,\) for 32 places \(2, 4, 4\)"):
        read(tree, dt=1.0)


def test_text_alone_and_in_a_list() -> None:
    for text in ("same", ["same"], [["same"]]):
        tree = holding(nir.Conv2d)
        expected = read(tree, dt=0.25).network
        tree["nodes"]["n1"]["padding"] = text
        tree["nodes"]["n1"]["type"] = ["Conv2d"]
        same(read(tree, dt=0.25).network, expected)


@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        ({"stride": 1.5}, FileFormatError, r"node 'n1': stride is \[1.5, 1.5\]; whole numbers"),
        ({"padding": "magic"}, FileFormatError, "node 'n1': padding is 'magic'; it must be numbers, 'same' or 'valid'"),
        ({"groups": [1, 1]}, FileFormatError, "node 'n1': groups has 2 values; 1 are needed"),
        ({"bias": np.ones(3)}, FileFormatError, "node 'n1': bias has 3 values"),
        ({"spare": 1.0}, FileFormatError, "node 'n1': a Conv2d has no field 'spare'"),
        ({"type": "Conv9d"}, FileFormatError, "node 'n1' is of a type 'Conv9d' that NIR does not know"),
        ({"type": "Delay"}, NetworkError, "node 'n1': a Delay cannot become part"),
        ({"weight": None}, FileFormatError, "node 'n1': the Conv2d lacks its weight"),
    ],
)
def test_fields_that_are_wrong_are_named(change: dict[str, Any], error: type[Exception], reason: str) -> None:
    tree = holding(nir.Conv2d)
    tree["nodes"]["n1"] |= change
    tree["nodes"]["n1"] = {key: value for key, value in tree["nodes"]["n1"].items() if value is not None}
    with pytest.raises(error, match=reason):
        read(tree, dt=0.25)


@pytest.mark.parametrize("shape", [3, np.array(3), np.array([3]), np.array([3.0]), np.int16(3)])
def test_shapes_of_inputs(shape: Any) -> None:
    tree = holding(nir.LIF)
    tree["nodes"]["in"]["shape"] = shape
    assert read(tree, dt=0.25).network.sizes == (3, 2)


@pytest.mark.parametrize("shape", [np.array([]), 0, -1, 2.5, "three", np.array([2**20, 2**20])])
def test_shapes_that_are_none(shape: Any) -> None:
    tree = holding(nir.LIF)
    tree["nodes"]["in"]["shape"] = shape
    with pytest.raises(FileFormatError, match=r"shape|places"):
        read(tree, dt=0.25)
