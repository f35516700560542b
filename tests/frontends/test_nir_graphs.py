"""Graphs of NIR files: nested, repeated, recurrent, branched; rest and reset potentials; what is told of a reading."""

from __future__ import annotations

import copy
import itertools
import math
import re
from typing import Any

import nir
import numpy as np
import pytest
from nir_files import Tree, graph, read, step

from snn2circuit.errors import FileFormatError, NetworkError, Snn2CircuitError
from snn2circuit.frontends.nir_read import MAX_DIAGONAL
from snn2circuit.ir.files import fingerprint

RANDOM = np.random.default_rng(7)
FIRST, SECOND = RANDOM.normal(0.4, 0.5, (5, 3)), RANDOM.normal(0.4, 0.5, (2, 5))


def lif(size: int, **more: Any) -> nir.LIF:
    values = {"tau": 8e-3, "r": 2.0, "v_leak": 0.0, "v_threshold": 0.6, "v_reset": 0.0, **more}
    return nir.LIF(**{name: np.broadcast_to(value, size) * 1.0 for name, value in values.items()})


def chain() -> Tree:
    return graph(nir.Linear(weight=FIRST), lif(5), nir.Linear(weight=SECOND), lif(2), shape=(3,), outputs=2)


OPTIONS: dict[str, Any] = {"dt": 1e-3, "discretisation": "exact"}


def nested(inner: Tree, depth: int) -> Tree:
    for _ in range(depth):
        ends = {name: copy.deepcopy(inner["nodes"][name]) for name in ("in", "out")}
        inner = {
            "type": "NIRGraph",
            "nodes": {**ends, "net": inner},
            "edges": [["in", "net"], ["net", "out"]],
        }
    return inner


@pytest.mark.parametrize("depth", [1, 2, 9, 60])
def test_graphs_in_graphs_are_laid_out_flat(depth: int) -> None:
    assert fingerprint(read(nested(chain(), depth), **OPTIONS).network) == fingerprint(read(chain(), **OPTIONS).network)


def test_a_part_of_the_chain_may_be_a_graph_and_its_nodes_bear_its_name() -> None:
    tree = chain()
    inner = graph(nir.Linear(weight=SECOND), lif(2), shape=(5,), outputs=2)
    tree["nodes"] = {"in": tree["nodes"]["in"], "n0": tree["nodes"]["n0"], "n1": tree["nodes"]["n1"], "block": inner,
                     "out": tree["nodes"]["out"]}  # fmt: skip
    tree["edges"] = [["in", "n0"], ["n0", "n1"], ["n1", "block"], ["block", "out"]]
    expected = read(chain(), **OPTIONS).network
    assert fingerprint(read(tree, **OPTIONS).network) == fingerprint(expected)
    tree["edges"][2:] = [["n1", "block.in"], ["block.out", "out"]]
    assert fingerprint(read(tree, **OPTIONS).network) == fingerprint(expected)
    tree["nodes"]["block"]["nodes"]["n1"]["tau"] = np.zeros(2)
    with pytest.raises(NetworkError, match=r"node 'block\.n1': tau is 0 s"):
        read(tree, **OPTIONS)


def test_graphs_that_lie_too_deep_are_refused() -> None:
    with pytest.raises(FileFormatError, match="more than 64 deep"):
        read(nested(chain(), 65), **OPTIONS)


@pytest.mark.parametrize("times", [2, 5])
def test_an_edge_that_is_listed_again_is_the_same_edge(times: int) -> None:
    tree = chain()
    tree["edges"] *= times
    imported = read(tree, **OPTIONS)
    assert fingerprint(imported.network) == fingerprint(read(chain(), **OPTIONS).network)
    assert "read as one: the edges 'in' -> 'n0', 'n0' -> 'n1'" in imported.warnings[0]


def test_edges_by_number() -> None:
    tree = chain()
    numbers = {name: str(index) for index, name in enumerate(tree["nodes"])}
    tree["nodes"] = {numbers[name]: fields for name, fields in tree["nodes"].items()}
    tree["edges"] = np.array([[int(numbers[name]) for name in edge] for edge in tree["edges"]])
    assert fingerprint(read(tree, **OPTIONS).network) == fingerprint(read(chain(), **OPTIONS).network)


RECURRENT = {
    "to itself": [["n1", "n1"]],
    "by a matrix": [["n1", "w"], ["w", "n1"]],
    "over two layers": [["n3", "n0"]],
}


@pytest.mark.parametrize("case", RECURRENT)
@pytest.mark.parametrize("inside", [False, True])
def test_recurrence_is_told_by_its_path_before_anything_else(case: str, inside: bool) -> None:
    tree = chain()
    tree["nodes"]["w"] = {"type": "Linear", "weight": np.eye(5)}
    tree["edges"] += RECURRENT[case]
    if case != "by a matrix":
        del tree["nodes"]["w"]
    tree = nested(tree, 1) if inside else tree
    # Neither a time step nor a neuron that could be one here.
    with pytest.raises(NetworkError, match=r"the network is recurrent: '(net\.)?(n1|w|n0|n2|n3)' -> '") as caught:
        read(tree)
    path = re.findall(r"'([^']+)'", str(caught.value).split("recurrent: ")[1].split(". ")[0])
    assert path[0] == path[-1]
    prefix = "net." if inside else ""
    assert {prefix + name for edge in RECURRENT[case] for name in edge} <= set(path)
    assert "dt" not in str(caught.value)


@pytest.mark.parametrize(
    ("edges", "reason"),
    [
        ([["n1", "n3"]], r"'n1' branches to 'n2', 'n3', and 'n3' joins 'n2', 'n1' \(a residual or skip connection\)"),
        ([["n1", "head"]], r"'n1' branches to 'n2', 'head'; the nodes must form one chain"),
        ([["head", "n2"]], r"'n2' joins two sources or more, 'n1', 'head'"),
        ([], "'head' is not on it"),
    ],
)
def test_branches_and_joins_are_told_by_their_names_first(edges: list[list[str]], reason: str) -> None:
    tree = chain()
    tree["edges"] += edges
    if "head" in str(edges) or not edges:
        tree["nodes"]["head"] = {"type": "Linear", "weight": np.eye(5)}
    with pytest.raises(NetworkError, match=reason):
        read(tree)


def test_several_ends_are_told_by_their_names() -> None:
    for kind, name in (("Input", "in"), ("Output", "out")):
        tree = chain()
        tree["nodes"][f"{name}2"] = {"type": kind, "shape": np.array([3])}
        tree["edges"].append([f"{name}2", "n0"] if kind == "Input" else ["n3", f"{name}2"])
        with pytest.raises(NetworkError, match=rf"2 {kind.lower()}s \('{name}', '{name}2'\)"):
            read(tree)
    with pytest.raises(NetworkError, match="0 inputs"):
        read({"type": "NIRGraph", "nodes": {}, "edges": np.zeros(0)})


# --- rest and reset -----------------------------------------------------------------------------------


def by_equations(tree: Tree, inputs: np.ndarray, rule: str, starts: Any) -> list[np.ndarray]:
    """Spikes of each layer: the nodes of a chain one after the other."""
    signal, found = inputs, []
    nodes = [tree["nodes"][f"n{index}"] for index in range(len(tree["nodes"]) - 2)]
    nodes = [getattr(nir, each["type"])(**{k: v for k, v in each.items() if k != "type"}) for each in nodes]
    starts = iter(starts)
    for index, node in enumerate(nodes):
        match node:
            case nir.Linear() | nir.Affine():
                signal = signal @ node.weight.T + getattr(node, "bias", 0.0)
            case nir.Threshold():
                pass
            case _:
                seen = step(node, signal, OPTIONS["dt"], euler=rule == "euler", start=next(starts))
                fire = node.v_threshold if hasattr(node, "v_threshold") else nodes[index + 1].threshold
                signal = (seen > fire).astype(float)
                found.append(signal > 0)
    return found


def li(size: int, leak: Any) -> list[nir.NIRNode]:
    full = {"tau": np.full(size, 8e-3), "r": np.full(size, 2.0), "v_leak": np.broadcast_to(leak, size) * 1.0}
    return [nir.LI(**full), nir.Threshold(threshold=np.full(size, 0.7))]


def cubali(size: int, leak: Any) -> list[nir.NIRNode]:
    full = {name: np.full(size, value) for name, value in (("tau_syn", 3e-3), ("tau_mem", 8e-3), ("r", 2.0))}
    node = nir.CubaLI(**full, v_leak=np.broadcast_to(leak, size) * 1.0, w_in=np.full(size, 1.5))
    return [node, nir.Threshold(threshold=np.full(size, 0.7))]


LEAKS = {
    "above": 0.4,
    "below": -0.3,
    "beyond the threshold": 0.9,
    "one each": np.array([0.3, -0.2, 0.0, 0.75, 0.1]),
}
BEFORE = {
    "matrix": [nir.Linear(weight=FIRST)],
    "matrix and bias": [nir.Affine(weight=FIRST, bias=RANDOM.normal(0, 0.2, 5))],
    "nothing": [],
}


@pytest.mark.parametrize("rule", ["exact", "euler"])
@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("leak", LEAKS)
@pytest.mark.parametrize("reset", [0.0, 0.2, -0.5])
def test_a_leak_that_is_not_the_reset_becomes_a_bias(rule: str, before: str, leak: str, reset: float) -> None:
    size = 5
    node = lif(size, v_leak=LEAKS[leak], v_reset=reset, v_threshold=[0.6, 0.7, 0.5, 0.8, 0.9], r=[2, 1, 3, 2, 1])
    tree = graph(*BEFORE[before], node, shape=(3,) if BEFORE[before] else (5,), outputs=5)
    imported = read(tree, dt=OPTIONS["dt"], discretisation=rule)
    inputs = np.random.default_rng(3).uniform(-0.2, 1, (6, 60, imported.network.sizes[0]))
    (expected,) = by_equations(tree, inputs, rule, [reset])
    assert 0.02 < expected.mean() < 0.98
    np.testing.assert_array_equal(imported.network.run(inputs).spikes[0], expected)
    assert any("here it starts at v_reset" in text for text in imported.warnings)


@pytest.mark.parametrize("make", [li, cubali])
@pytest.mark.parametrize("leak", [0.4, -0.3])
def test_integrators_with_a_leak_of_their_own(make: Any, leak: float) -> None:
    tree = graph(nir.Linear(weight=FIRST), *make(5, leak), shape=(3,), outputs=5)
    imported = read(tree, **OPTIONS)
    inputs = np.random.default_rng(3).uniform(-0.2, 1, (6, 60, 3))
    (expected,) = by_equations(tree, inputs, "exact", [0.0 if make is li else leak])
    assert 0.02 < expected.mean() < 0.98
    np.testing.assert_array_equal(imported.network.run(inputs).spikes[0], expected)
    assert any("where a membrane starts" in text for text in imported.warnings)


@pytest.mark.parametrize("leak", ["one", "one for each channel", "one for each neuron"])
def test_a_bias_goes_into_a_convolution_or_behind_it(leak: str) -> None:
    kernel = np.random.default_rng(1).normal(0.3, 0.4, (2, 1, 3, 3))
    conv = nir.Conv2d(None, kernel, (1, 1), (1, 1), (1, 1), 1, np.array([0.1, -0.1]))
    values = {
        "one": np.full((2, 4, 4), 0.3),
        "one for each channel": np.array([0.3, -0.2])[:, None, None] * np.ones((2, 4, 4)),
        "one for each neuron": np.random.default_rng(2).uniform(-0.3, 0.4, (2, 4, 4)),
    }[leak]
    full = {"tau": 8e-3, "r": 2.0, "v_threshold": 0.6, "v_reset": 0.0}
    node = nir.LIF(v_leak=values, **{name: np.full((2, 4, 4), value) for name, value in full.items()})
    network = read(graph(conv, node, shape=(1, 4, 4), outputs=32), **OPTIONS).network
    inputs = np.random.default_rng(3).uniform(0, 1, (4, 40, 16))
    # The convolution as a matrix, from where each unit image goes.
    padded = np.pad(np.eye(16).reshape(16, 4, 4), ((0, 0), (1, 1), (1, 1)))
    images = [
        (padded[:, i : i + 3, j : j + 3, None] * kernel[:, 0].transpose(1, 2, 0)).sum((1, 2))
        for i, j in itertools.product(range(4), range(4))
    ]
    matrix = np.stack(images, axis=2).reshape(16, 32)
    current = inputs @ matrix + np.repeat([0.1, -0.1], 16)
    expected = step(node, current, OPTIONS["dt"], euler=False) > 0.6
    assert 0.02 < expected.mean() < 0.98
    np.testing.assert_array_equal(network.run(inputs).spikes[0], expected)


def test_a_bias_that_nothing_can_hold_is_refused() -> None:
    size = MAX_DIAGONAL + 1
    with pytest.raises(NetworkError, match="node 'n0': 4,097 neurons each have a bias of their own"):
        read(graph(lif(size, v_leak=0.1), shape=(size,), outputs=size), **OPTIONS)


# --- what an approximation changes --------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["exact", "euler"])
@pytest.mark.parametrize("scale", [1.5, 4.0])
def test_an_approximation_says_how_many_spikes_it_changes(rule: str, scale: float) -> None:
    values = {"tau_syn": 3e-3, "tau_mem": 8e-3, "r": 2.0, "v_leak": 0.0, "v_threshold": 0.4, "v_reset": 0.0}
    nodes = [nir.CubaLIF(**{n: np.full(size, v) for n, v in values.items()}, w_in=1.0) for size in (5, 2)]
    tree = graph(
        nir.Linear(weight=scale * FIRST), nodes[0], nir.Linear(weight=scale * SECOND), nodes[1], shape=(3,), outputs=2
    )
    options = {"dt": OPTIONS["dt"], "discretisation": rule}
    imported = read(tree, **options, approximate=True)
    inputs = np.repeat(np.random.default_rng(0).uniform(0, 1, (16, 1, 3)), 25, axis=1)
    theirs = by_equations(tree, inputs, rule, [0.0, 0.0])
    ours = imported.network.run(inputs).spikes
    for number, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
        differ, either = (mine != other).sum(), (mine | other).sum()
        text = f"{differ:,} of {either:,} spikes of a generated sample differ ({differ / either:.1%})"
        assert 0 < differ <= either
        assert text in imported.warnings[number]
    with pytest.raises(NetworkError, match=r"spikes of a generated sample differ \(.*`approximate=True`"):
        read(tree, **options)


def test_an_approximation_over_endless_steps_is_counted_over_some() -> None:
    values = {"tau_syn": 3e-3, "tau_mem": 8e-3, "r": 2.0, "v_leak": 0.0, "v_threshold": 0.4, "v_reset": 0.0}
    node = nir.CubaLIF(**{name: np.full(5, value) for name, value in values.items()}, w_in=1.0)
    imported = read(only(node), **OPTIONS, approximate=True, steps=10**12)
    assert imported.network.steps == 10**12
    assert "spikes of a generated sample differ" in imported.warnings[0]


# --- which step ---------------------------------------------------------------------------------------


def only(node: nir.NIRNode, *more: nir.NIRNode) -> Tree:
    return graph(nir.Linear(weight=FIRST), node, *more, shape=(3,), outputs=5)


@pytest.mark.parametrize(
    ("tree", "hint"),
    [
        (only(nir.IF(r=np.ones(5), v_threshold=np.ones(5))), r"r = 1, as sinabs writes them.*`dt=1`"),
        (only(nir.IF(r=np.full(5, 1e3), v_threshold=np.ones(5))), r"in steps of 1 / r: `dt=0.001`"),
        (only(lif(5, tau=2e-3, r=20.0)), r"tau / r is 0.0001 s in every neuron.*`dt=0.0001` with `discretisation='eul"),
        (only(lif(5, tau=5e-3, r=5.0)), r"tau / r is 0.001 s in every neuron.*`dt=0.001`"),
        (only(lif(5, tau=20.0, r=1.0)), r"time constants are 20, which are steps, not seconds: `dt=1`"),
        (only(lif(5, tau=[1e-3, 2e-3, 3e-3, 4e-3, 5e-3], r=1.0)), r"from 0.001 to 0.005 s; snnTorch's .*`dt=1e-4`"),
    ],
)
def test_the_question_for_the_step_says_what_the_values_point_to(tree: Tree, hint: str) -> None:
    with pytest.raises(NetworkError, match=hint):
        read(tree)


def test_a_threshold_needs_no_step() -> None:
    imported = read(only(nir.Threshold(threshold=np.full(5, 0.5))))
    assert imported.network.layers[0].neuron.threshold == 0.5
    assert imported.warnings == ()


@pytest.mark.parametrize(
    "node", [nir.IF(r=np.ones(5), v_threshold=np.ones(5)), lif(5, tau=20.0, r=1.0)], ids=["IF", "LIF in steps"]
)
def test_another_step_than_the_values_point_to_carries_a_hint_for_a_silent_network(node: nir.NIRNode) -> None:
    assert "`dt=1`" in read(only(node), dt=1e-4).if_silent
    assert read(only(node), dt=1.0).if_silent == ""


def test_random_damage_gives_our_errors_or_a_network() -> None:
    random = np.random.default_rng(11)
    junk = [None, "x", [], {}, np.array(["a"]), np.zeros(0), np.array(math.inf), np.array(-1), [["in", "n0"]], 7]
    refused = 0
    for _ in range(400):
        tree = copy.deepcopy(chain())
        places = [(tree, key) for key in tree] + [(tree["nodes"], key) for key in tree["nodes"]]
        places += [(fields, key) for fields in tree["nodes"].values() for key in fields]
        holder, key = places[random.integers(len(places))]
        holder[key] = junk[random.integers(len(junk))]
        try:
            read(tree, **OPTIONS)
        except Snn2CircuitError:
            refused += 1
    assert refused > 300
