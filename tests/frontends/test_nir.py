"""NIR graphs: written, they mean what NIR's own equations say; read, they run as they were written, or are refused."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest

from snn2circuit.errors import FileFormatError, NetworkError, Snn2CircuitError
from snn2circuit.frontends.imported import Imported
from snn2circuit.frontends.nir_read import read_nir
from snn2circuit.frontends.nir_write import write_nir
from snn2circuit.ir.encoding import Encoding
from snn2circuit.ir.files import fingerprint
from snn2circuit.ir.layer import ConvLayer, Layer
from snn2circuit.ir.linear import AvgPool2d, Conv2d, Dense, Scale, SumPool2d
from snn2circuit.ir.network import Network
from snn2circuit.neurons import NEURONS
from snn2circuit.neurons.alpha import Alpha
from snn2circuit.neurons.lapicque import Lapicque
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.neurons.synaptic import Synaptic

DT = 2e-3


def dense(neuron: Any, sizes: tuple[int, ...] = (4, 6, 3), gain: float = 1.0, seed: int = 0) -> Network:
    random = np.random.default_rng(seed)
    layers = [
        Layer(
            weight=gain * random.normal(0.2, 0.6, (b, a)),
            bias=gain * random.normal(0.1, 0.1, b) if index else None,
            neuron=neuron,
        )
        for index, (a, b) in enumerate(itertools.pairwise(sizes))
    ]
    encoding = Encoding(offset=0.1, scale=0.5)
    return Network(name="näme", layers=tuple(layers), steps=17, dataset="xor", encoding=encoding, decision="count")


def convolution() -> Network:
    """Two groups, a kernel that is not square, stride, padding, dilation, both poolings, a scale, a matrix."""
    random = np.random.default_rng(1)
    neuron = Leaky(beta=0.8, threshold=0.4, reset_mechanism="zero")
    first = (
        Scale(scale=random.uniform(0.5, 1.5, (2, 7, 7))),
        Conv2d(weight=random.normal(0.1, 0.5, (4, 1, 2, 3)), padding=(1, 0), dilation=(1, 2), groups=2),
    )
    second = (
        SumPool2d(kernel=(2, 1), stride=(2, 1)),
        Conv2d(weight=random.normal(0.1, 0.4, (3, 4, 2, 2)), bias=[0.1, -0.1, 0.05], stride=(2, 1)),
    )
    third = (AvgPool2d(kernel=(2, 2), stride=(1, 1)), Dense(weight=random.normal(0.5, 1, (3, 3)), bias=[0.1, 0, 0]))
    layers = (
        ConvLayer(shape=(2, 7, 7), maps=first, neuron=neuron),
        ConvLayer(shape=(4, 8, 3), maps=second, neuron=neuron),
        ConvLayer(shape=(3, 2, 2), maps=third, neuron=neuron),
    )
    return Network(name="conv", layers=layers, steps=15)


def drive(network: Network, samples: int = 3, steps: int = 40) -> np.ndarray:
    return np.random.default_rng(5).uniform(-0.5, 1.5, (samples, steps, network.sizes[0]))


def read(path: Path, **options: Any) -> Imported:
    return read_nir(path, neurons=NEURONS, **options)


def same_spikes(one: Network, other: Network) -> None:
    inputs = drive(one)
    for mine, theirs in zip(one.run(inputs).spikes, other.run(inputs).spikes, strict=True):
        assert 0.01 < mine.mean() < 0.99
        np.testing.assert_array_equal(mine, theirs)


# --- what is written, judged by NIR's equations ------------------------------------------------------


def by_equations(path: Path, inputs: np.ndarray, euler: bool) -> np.ndarray:
    """Spikes of the last layer: the graph's differential equations solved step by step with held inputs."""
    graph = nir.read(path)
    following = dict(graph.edges)
    name, signal = following["input"], inputs

    def stage(tau: np.ndarray) -> np.ndarray:
        return 1 - DT / tau if euler else np.exp(-DT / tau)

    while not isinstance(node := graph.nodes[name], nir.Output):
        if isinstance(node, (nir.Linear, nir.Affine)):
            signal = signal @ node.weight.T + getattr(node, "bias", 0.0)
        elif isinstance(node, nir.Threshold):
            signal = (signal > node.threshold).astype(float)
        else:
            v = np.zeros((len(signal), signal.shape[2]))
            syn, out = v.copy(), np.empty_like(signal)
            for step in range(signal.shape[1]):
                current = signal[:, step]
                if isinstance(node, (nir.CubaLI, nir.CubaLIF)):
                    keep = stage(node.tau_syn)
                    syn = keep * syn + (1 - keep) * node.w_in * current
                    current = syn
                if isinstance(node, (nir.I, nir.IF)):
                    v = v + DT * node.r * current
                else:
                    keep = stage(node.tau_mem if hasattr(node, "tau_mem") else node.tau)
                    v = keep * v + (1 - keep) * (node.v_leak + node.r * current)
                out[:, step] = v
                if hasattr(node, "v_threshold"):
                    out[:, step] = v > node.v_threshold
                    v = np.where(v > node.v_threshold, node.v_reset, v)
            signal = out
        name = following[name]
    return signal > 0


EXACT = {
    "Leaky zero": (Leaky(beta=0.9, threshold=0.8, reset_mechanism="zero"), 0.5, ["LIF"]),
    "Leaky without leak": (Leaky(beta=1.0, threshold=2.0, reset_mechanism="zero"), 1.0, ["IF"]),
    "Leaky none": (Leaky(beta=0.7, reset_mechanism="none"), 0.7, ["LI", "Threshold"]),
    "Leaky without leak or reset": (Leaky(beta=1.0, threshold=9.0, reset_mechanism="none"), 1.0, ["I", "Threshold"]),
    "Lapicque none": (Lapicque(R=5.0, C=1.5, threshold=0.6, reset_mechanism="none"), 0.5, ["LI", "Threshold"]),
    "Synaptic none": (Synaptic(alpha=0.6, beta=0.9, reset_mechanism="none"), 0.1, ["CubaLI", "Threshold"]),
}


@pytest.mark.parametrize("rule", ["exact", "euler"])
@pytest.mark.parametrize("case", EXACT)
def test_what_nir_holds_exactly_means_the_same_there(case: str, rule: str, tmp_path: Path) -> None:
    neuron, gain, kinds = EXACT[case]
    network = dense(neuron, gain=gain)
    assert write_nir(network, tmp_path / "n.nir", dt=DT, discretisation=rule) == ()
    graph = nir.read(tmp_path / "n.nir")  # with the library's own type check
    names = [type(node).__name__ for node in graph.nodes.values()]
    assert sorted(names) == sorted(["Input", "Linear", *kinds, "Affine", *kinds, "Output"])
    inputs = drive(network)
    spikes = network.run(inputs).spikes[-1]
    assert 0.02 < spikes.mean() < 0.98
    np.testing.assert_array_equal(by_equations(tmp_path / "n.nir", inputs, rule == "euler"), spikes)


def test_time_constants_are_those_of_the_circuit(tmp_path: Path) -> None:
    write_nir(dense(Leaky(beta=0.9, reset_mechanism="zero")), tmp_path / "n.nir", dt=1e-3)
    node = next(each for each in nir.read(tmp_path / "n.nir").nodes.values() if isinstance(each, nir.LIF))
    beta = float(np.float32(0.9))
    np.testing.assert_allclose(node.tau, -1e-3 / math.log(beta), rtol=1e-15)
    np.testing.assert_allclose(node.r, 1 / (1 - beta), rtol=1e-15)


APPROXIMATE = {
    "Leaky subtract": (Leaky(beta=0.9), 0.5),
    "Lapicque subtract": (Lapicque(beta=0.9), 4.0),
    "Lapicque zero": (Lapicque(R=5.0, C=1.5, threshold=0.6, reset_mechanism="zero"), 0.5),
    "Synaptic subtract": (Synaptic(alpha=0.7, beta=0.85), 0.2),
    "Synaptic zero": (Synaptic(alpha=0.7, beta=0.85, reset_mechanism="zero"), 0.2),
    "Alpha zero": (Alpha(alpha=0.9, beta=0.75, threshold=0.5), 0.5),
    "Alpha none": (Alpha(alpha=0.9, beta=0.75, threshold=0.7, reset_mechanism="none"), 0.5),
}


@pytest.mark.parametrize("case", APPROXIMATE)
def test_what_nir_cannot_hold_is_refused_or_annotated_and_comes_back_unchanged(case: str, tmp_path: Path) -> None:
    neuron, gain = APPROXIMATE[case]
    network = dense(neuron, gain=gain)
    path = tmp_path / "n.nir"
    with pytest.raises(NetworkError, match=r"cannot hold this network exactly. layer 1: .*layer 2: .*approximation"):
        write_nir(network, path)
    assert not list(tmp_path.iterdir())
    remarks = write_nir(network, path, approximate=True)
    assert len(remarks) == 2
    imported = read(path)
    assert imported.warnings == ()
    assert fingerprint(imported.network) == fingerprint(network)
    same_spikes(network, imported.network)


@pytest.mark.parametrize("rule", ["exact", "euler"])
@pytest.mark.parametrize("case", EXACT)
def test_round_trip(case: str, rule: str, tmp_path: Path) -> None:
    neuron, gain, _ = EXACT[case]
    network = dense(neuron, gain=gain)
    write_nir(network, tmp_path / "n.nir", dt=DT, discretisation=rule)
    assert fingerprint(read(tmp_path / "n.nir").network) == fingerprint(network)


def test_round_trip_of_a_convolution(tmp_path: Path) -> None:
    network = convolution()
    write_nir(network, tmp_path / "n.nir")
    imported = read(tmp_path / "n.nir")
    assert fingerprint(imported.network) == fingerprint(network)
    same_spikes(network, imported.network)


def test_equal_networks_give_equal_bytes(tmp_path: Path) -> None:
    write_nir(convolution(), tmp_path / "a.nir")
    write_nir(convolution(), tmp_path / "b.nir")
    assert (tmp_path / "a.nir").read_bytes() == (tmp_path / "b.nir").read_bytes()


def without_annotations(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file["node/metadata"]
        for node in file["node/nodes"].values():
            if "metadata" in node:
                del node["metadata"]


@pytest.mark.parametrize("rule", ["exact", "euler"])
@pytest.mark.parametrize("case", [*EXACT, "convolution"])
def test_the_values_alone_give_the_same_spikes(case: str, rule: str, tmp_path: Path) -> None:
    network = convolution() if case == "convolution" else dense(EXACT[case][0], gain=EXACT[case][1])
    write_nir(network, tmp_path / "n.nir", dt=DT, discretisation=rule)
    without_annotations(tmp_path / "n.nir")
    imported = read(tmp_path / "n.nir", dt=DT, discretisation=rule)
    assert imported.warnings == ()
    same_spikes(network, imported.network)


# --- files of other programs -------------------------------------------------------------------------


def write(path: Path, *nodes: nir.NIRNode, shape: tuple[int, ...] = (3,), outputs: int = 2, **more: Any) -> Path:
    names = ["in", *(f"n{index}" for index in range(len(nodes))), "out"]
    every = [nir.Input(input_type=np.array(shape)), *nodes, nir.Output(output_type=np.array([outputs]))]
    graph = nir.NIRGraph(
        nodes=dict(zip(reversed(names), reversed(every), strict=True)),
        edges=more.get("edges", list(itertools.pairwise(names))),
        type_check=False,
    )
    nir.write(path, graph)
    return path


WEIGHT = np.random.default_rng(0).normal(0.3, 0.5, (2, 3))


def lif(tau: Any = 1e-2, r: Any = 1.0, size: int = 2, **more: Any) -> nir.LIF:
    full = {"v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0, **more}
    return nir.LIF(tau=np.full(size, tau), r=np.full(size, r), **{k: np.full(size, v) for k, v in full.items()})


def only(imported: Imported) -> Any:
    (layer,) = imported.network.layers
    return layer


def test_a_file_as_snntorch_writes_it(tmp_path: Path) -> None:
    """tau = dt / (1 - beta), r = tau / dt, all in float32."""
    beta = np.full(2, 0.95, dtype=np.float32)
    tau = np.float32(1e-4) / (1 - beta)
    node = nir.LIF(tau=tau, r=tau / np.float32(1e-4), v_leak=0 * beta, v_threshold=0 * beta + 1, v_reset=0 * beta)
    path = write(tmp_path / "n.nir", nir.Affine(weight=np.float32(WEIGHT), bias=np.zeros(2, np.float32)), node)
    layer = only(read(path, dt=1e-4, discretisation="euler"))
    assert layer.neuron.beta == pytest.approx(0.95, rel=1e-6)
    np.testing.assert_array_equal(layer.weight, np.float32(WEIGHT))


def test_the_gain_folds_into_the_weights_and_thresholds_stay(tmp_path: Path) -> None:
    node = lif(tau=5e-3, r=[2.0, 3.0], v_threshold=[1.5, 0.5], v_reset=0.25, v_leak=0.25)
    layer = only(read(write(tmp_path / "n.nir", nir.Linear(weight=WEIGHT), node), dt=1e-3, steps=4))
    beta = math.exp(-0.2)
    # By hand: u = v - 0.25 over the thresholds 1.25 and 0.25.
    assert layer.neuron == Leaky(beta=beta, threshold=(1.25, 0.25), reset_mechanism="zero")
    expected = (1 - beta) * np.array([2.0, 3.0])[:, None] * WEIGHT
    np.testing.assert_allclose(layer.weight, expected, rtol=1e-12)


@pytest.mark.parametrize("discretisation", ["exact", "euler"])
def test_every_neuron_has_its_own_time_constants(discretisation: str, tmp_path: Path) -> None:
    """A foreign file, stepped by hand in the continuous stages' own discretisation."""
    tau, threshold = np.array([2e-3, 1e-2, 5e-2]), np.array([0.4, 0.6, 0.5])
    weight, dt = np.random.default_rng(1).normal(0.5, 0.8, (3, 2)), 1e-3
    node = lif(tau=tau, r=[1.0, 2.0, 3.0], size=3, v_threshold=threshold)
    network = read(
        write(tmp_path / "n.nir", nir.Linear(weight=weight), node, outputs=3, shape=(2,)),
        dt=dt, discretisation=discretisation, steps=30,
    ).network  # fmt: skip
    decay = np.exp(-dt / tau) if discretisation == "exact" else 1 - dt / tau
    np.testing.assert_array_equal(network.layers[0].neuron.beta, np.float32(decay))
    inputs = np.random.default_rng(2).uniform(0, 4, (5, 30, 2))
    v, found = np.zeros((5, 3)), network.run(inputs).spikes[0]
    expected = np.empty((5, 30, 3), dtype=bool)
    for step in range(30):
        v = decay * v + (1 - decay) * np.array([1.0, 2.0, 3.0]) * (inputs[:, step] @ weight.T)
        expected[:, step] = v > threshold
        v = np.where(v > threshold, 0.0, v)
    assert (expected.mean(axis=(0, 1)) > 0.02).all()
    np.testing.assert_array_equal(found, expected)


def test_neurons_without_weights_get_the_identity(tmp_path: Path) -> None:
    layer = only(read(write(tmp_path / "n.nir", lif(tau=1e-3, r=1 / (1 - math.exp(-1)), size=3), outputs=3), dt=1e-3))
    np.testing.assert_array_equal(layer.weight, np.eye(3))


def test_an_integrator_at_the_end_is_read_out(tmp_path: Path) -> None:
    node = nir.LI(tau=np.full(2, 1e-2), r=np.ones(2), v_leak=np.zeros(2))
    imported = read(write(tmp_path / "n.nir", nir.Linear(weight=WEIGHT), node), dt=1e-3, discretisation="exact")
    assert only(imported).neuron.reset_mechanism == "none"
    assert "without spiking" in imported.warnings[0]


def test_a_threshold_alone_is_a_neuron_without_memory(tmp_path: Path) -> None:
    path = write(tmp_path / "n.nir", nir.Linear(weight=WEIGHT), nir.Threshold(threshold=np.full(2, 0.5)))
    assert only(read(path, dt=1e-3)).neuron == Leaky(beta=0, threshold=0.5, reset_mechanism="none")


def test_current_based_neurons_are_an_approximation(tmp_path: Path) -> None:
    values = {"tau_syn": 5e-3, "tau_mem": 1e-2, "r": 2.0, "v_leak": 0.0, "v_threshold": 1.0, "w_in": 3.0}
    node = nir.CubaLIF(**{name: np.full(2, value) for name, value in values.items()})
    path = write(tmp_path / "n.nir", nir.Linear(weight=WEIGHT), node)
    with pytest.raises(NetworkError, match=r"node 'n1': after a spike.*allow the approximation"):
        read(path, dt=1e-3)
    imported = read(path, dt=1e-3, discretisation="exact", approximate=True)
    assert "after a spike" in imported.warnings[0]
    alpha, beta = math.exp(-0.2), math.exp(-0.1)
    assert only(imported).neuron == Synaptic(alpha=alpha, beta=beta, reset_mechanism="zero")
    np.testing.assert_allclose(only(imported).weight, (1 - alpha) * 3 * (1 - beta) * 2 * WEIGHT, rtol=1e-12)


def test_scalars_nothing_and_a_nested_graph_in_a_real_file(tmp_path: Path) -> None:
    inner = nir.NIRGraph(
        {"in": nir.Input(np.array([3])), "w": nir.Linear(weight=WEIGHT), "n": lif(), "out": nir.Output(np.array([2]))},
        [("in", "w"), ("w", "n"), ("n", "out")],
    )
    names = ["in", "block", "out"]
    nodes = dict(zip(names, (nir.Input(np.array([3])), inner, nir.Output(np.array([2]))), strict=True))
    edges = [*itertools.pairwise(names)] * 2
    path = tmp_path / "n.nir"
    nir.write(path, nir.NIRGraph(nodes, edges, type_check=False))
    with h5py.File(path, "r+") as file:
        group = file["node/nodes/block/nodes/n"]
        for name in ("tau", "r", "v_leak", "v_threshold", "v_reset"):
            value = group[name][0]
            del group[name]
            group[name] = np.float32(value) if name == "r" else value
        del group["v_reset"]
        group["v_reset"] = h5py.Empty("f8")
    expected = only(read(write(tmp_path / "plain.nir", LINEAR, lif()), dt=1e-3))
    imported = read(path, dt=1e-3)
    assert only(imported).neuron == expected.neuron
    np.testing.assert_allclose(only(imported).weight, expected.weight, rtol=1e-6)
    assert "read as one: the edges 'in' -> 'block.in', 'block.out' -> 'out'" in imported.warnings[0]


def test_same_padding_and_scalar_parameters(tmp_path: Path) -> None:
    kernel = np.random.default_rng(0).normal(size=(1, 1, 3, 3))
    conv = nir.Conv2d(
        input_shape=(4, 4), weight=kernel, stride=1, padding="same", dilation=1, groups=1, bias=np.zeros(1)
    )
    node = lif(tau=1e-2, size=1)
    flat = nir.Flatten(input_type={"input": np.array([1, 4, 4])})
    last = (nir.Linear(weight=np.ones((2, 16))), lif())
    path = write(tmp_path / "n.nir", conv, node, flat, *last, shape=(1, 4, 4))
    first, second = read(path, dt=1e-3).network.layers
    assert isinstance(first, ConvLayer)
    assert first.output_shape == (1, 4, 4)
    assert first.maps[0].padding == (1, 1)  # type: ignore[union-attr]
    assert isinstance(second, Layer)


LINEAR = nir.Linear(weight=WEIGHT)
REFUSED: dict[str, tuple[list[nir.NIRNode], dict[str, Any], type[Exception], str]] = {
    "no dt": ([LINEAR, lif()], {"dt": None}, NetworkError, "say which `dt` .*1e-4"),
    "dt": ([LINEAR, lif()], {"dt": -1.0}, NetworkError, "dt is -1"),
    "rule": ([LINEAR, lif()], {"discretisation": "magic"}, NetworkError, "discretisation 'magic'"),
    "no time": ([LINEAR, lif(tau=0.0)], {}, NetworkError, "node 'n1': tau is 0 s"),
    "too fast": ([LINEAR, lif(tau=1e-4)], {"discretisation": "euler"}, NetworkError, "tau 0.0001 s is shorter"),
    "threshold": ([LINEAR, lif(v_threshold=-1.0)], {}, NetworkError, "node 'n1': a threshold of -1"),
    "NaN in a neuron": ([LINEAR, lif(r=[1.0, np.nan])], {}, FileFormatError, "node 'n1': r holds a number"),
    "NaN weight": ([nir.Linear(weight=WEIGHT * np.nan), lif()], {}, NetworkError, "layer 1: weight at .0, 0. is nan"),
    "size": ([LINEAR, lif(size=3)], {}, FileFormatError, r"node 'n1': tau has 3 values \(3,\) for 2 places"),
    "sizes": ([nir.Linear(weight=np.ones((2, 5))), lif()], {}, NetworkError, "node 'n0': a Dense with 5 inputs"),
    "nothing spikes": ([LINEAR], {}, NetworkError, "no neuron after it"),
    "analog between layers": (
        [LINEAR, nir.LI(tau=np.ones(2), r=np.ones(2), v_leak=np.zeros(2)), nir.Linear(weight=np.ones((2, 2))), lif()],
        {},
        NetworkError,
        "node 'n1': its membrane drives the next layer",
    ),
    "delay": ([LINEAR, nir.Delay(delay=np.ones(2)), lif()], {}, NetworkError, "node 'n1': a Delay cannot"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_node(case: str, tmp_path: Path) -> None:
    nodes, options, error, reason = REFUSED[case]
    with pytest.raises(error, match=reason) as caught:
        read(write(tmp_path / "n.nir", *nodes), **{"dt": 1e-3, **options})
    assert "n.nir" in str(caught.value)


@pytest.mark.parametrize(
    ("edges", "reason"),
    [
        ([("in", "n0"), ("n0", "n1"), ("n1", "n0"), ("n1", "out")], r"recurrent: 'n1' -> 'n0' -> 'n1'\."),
        ([("in", "n0"), ("n0", "out")], "'n1' is not on it"),
        ([("in", "n0"), ("n0", "n1"), ("n1", "n7")], "leads to a node that is not there"),
        ([("in", "n0"), ("n1", "out")], "do not form one chain"),
        ([("n0", "n1"), ("n1", "n0")], "recurrent: 'n1' -> 'n0' -> 'n1'"),
    ],
)
def test_graphs_that_are_no_chain_are_refused(edges: list[tuple[str, str]], reason: str, tmp_path: Path) -> None:
    with pytest.raises(Snn2CircuitError, match=reason):
        read(write(tmp_path / "n.nir", LINEAR, lif(), edges=edges), dt=1e-3)


def test_what_is_written_must_have_a_time_constant(tmp_path: Path) -> None:
    network = dense(Leaky(beta=0.0, reset_mechanism="zero"))
    with pytest.raises(NetworkError, match=r"layer 1: a decay of 0 .*euler"):
        write_nir(network, tmp_path / "n.nir")
    write_nir(network, tmp_path / "n.nir", discretisation="euler")
    same_spikes(network, read(tmp_path / "n.nir").network)
    with pytest.raises(NetworkError, match="layer 1: a decay of 1 per step"):
        write_nir(dense(Synaptic(alpha=1.0, reset_mechanism="none")), tmp_path / "n.nir")


# --- files that mean harm ----------------------------------------------------------------------------


def test_an_annotation_that_contradicts_its_node_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "n.nir"
    write_nir(dense(Leaky(beta=0.9, reset_mechanism="zero")), path)
    with h5py.File(path, "r+") as file:
        file["node/nodes/1_lif_1/tau"][...] *= 2
    with pytest.raises(FileFormatError, match=r"node '1_lif_1': its annotation says Leaky.*its values say otherwise"):
        read(path)


@pytest.mark.parametrize(
    ("place", "text", "reason"),
    [
        ("node/metadata/snn2circuit", "[1]", "annotation of the graph is no table"),
        ("node/metadata/snn2circuit", "{", "JSONDecodeError"),
        ("node/metadata/snn2circuit", json.dumps({"layers": []}), "TypeError"),
        ("node/nodes/1_lif_1/metadata/snn2circuit", json.dumps({"kind": "os.system"}), "names no known neuron"),
        ("node/nodes/1_lif_1/metadata/snn2circuit", json.dumps({"kind": "leaky", "x": 1}), "TypeError"),
    ],
)
def test_forged_annotations_are_refused(place: str, text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "n.nir"
    write_nir(dense(Leaky(beta=0.9, reset_mechanism="zero")), path)
    with h5py.File(path, "r+") as file:
        del file[place]
        file[place] = text
    with pytest.raises(Snn2CircuitError, match=reason):
        read(path)


def test_bombs_links_and_loops_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "n.nir", LINEAR, lif())
    sound = path.read_bytes()
    (tmp_path / "secret").write_bytes(b"\0" * 64)

    def bomb(file: h5py.File) -> None:
        file.create_dataset("node/nodes/n0/x", shape=(2**32,), chunks=(2**20,), dtype="f8", compression="gzip")

    def link(file: h5py.File) -> None:
        file["node/nodes/n0/x"] = h5py.ExternalLink("/etc/passwd", "/")

    def soft(file: h5py.File) -> None:
        file["node/nodes/n0/x"] = h5py.SoftLink("/node")

    def loop(file: h5py.File) -> None:
        file["node/nodes/n0/x"] = file["node"]

    def outside(file: h5py.File) -> None:
        file.create_dataset("node/x", shape=(8,), dtype="f8", external=[(str(tmp_path / "secret"), 0, 64)])

    def compound(file: h5py.File) -> None:
        file.create_dataset("node/x", data=np.zeros(2, dtype=[("a", "f8"), ("b", "i4")]))

    cases = {
        bomb: "n0/x: the arrays take more than", link: "a link to another place", soft: "a link to another place",
        loop: "occurs twice", outside: "its data somewhere else", compound: "only numbers and text",
    }  # fmt: skip
    for change, reason in cases.items():
        path.write_bytes(sound)
        with h5py.File(path, "r+") as file:
            change(file)
        with pytest.raises(FileFormatError, match=reason):
            read(path, dt=1e-3)


def test_files_that_are_not_hdf5_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="does not exist"):
        read(tmp_path / "none.nir")
    for content in (b"", b"\x80\x04K\x01.", b"\x89HDF\r\n\x1a\n" + b"\xff" * 100):
        (tmp_path / "n.nir").write_bytes(content)
        with pytest.raises(FileFormatError, match=r"n\.nir: the file is damaged"):
            read(tmp_path / "n.nir")


def test_damaged_files_give_our_errors_or_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Among them one that sends the HDF5 library into an endless loop."""
    monkeypatch.setattr("snn2circuit.frontends.hdf5.SECONDS", 2)
    sound = write(tmp_path / "n.nir", LINEAR, lif()).read_bytes()
    random = np.random.default_rng(3)
    refused = 0
    for _ in range(6):
        damaged = bytearray(sound[: random.integers(1, len(sound))] if random.random() < 0.3 else sound)
        for _ in range(10):
            damaged[random.integers(0, len(damaged))] = random.integers(0, 256)
        (tmp_path / "d.nir").write_bytes(bytes(damaged))
        try:
            read(tmp_path / "d.nir", dt=1e-3)
        except Snn2CircuitError:
            refused += 1
    assert refused > 1
