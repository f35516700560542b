"""The ways in and out on the command line: every format there and back, and what is refused leaves nothing behind."""

from __future__ import annotations

import itertools
import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
import snntorch
import torch
from click.testing import CliRunner, Result
from torch import nn

from snn2circuit import (
    FORMATS,
    Encoding,
    Layer,
    Leaky,
    Network,
    Protocol,
    export_network,
    from_snntorch,
    import_network,
    save,
    to_snntorch,
)
from snn2circuit.cli import exchange, main
from snn2circuit.errors import FileFormatError, NetworkError, NetworkWarning, Snn2CircuitError
from snn2circuit.frontends import hdf5
from snn2circuit.frontends.snntorch_file import read_state
from snn2circuit.ir.files import fingerprint, load
from snn2circuit.ir.layer import ConvLayer
from snn2circuit.ir.linear import AvgPool2d, Conv2d, Dense, SumPool2d
from snn2circuit.neurons import NEURONS
from snn2circuit.neurons.parameters import RESETS
from snn2circuit.steps import PARTS


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def network(reset: str = "subtract") -> Network:
    random = np.random.default_rng(0)
    neuron = Leaky(beta=0.9, threshold=0.5, reset_mechanism=reset)
    layers = tuple(
        Layer(weight=np.float32(random.normal(0.3, 0.5, (b, a))), bias=np.float32(random.normal(size=b)), neuron=neuron)
        for a, b in ((2, 4), (4, 2))
    )
    return Network(name="network", layers=layers, steps=25)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save(network(), tmp_path / "network.npz")
    return tmp_path / "network.npz"


@pytest.mark.parametrize(("kind", "name"), [("nir", "network.nir"), ("snntrainer3d", "network.json")])
def test_there_and_back(kind: str, name: str, saved: Path, tmp_path: Path) -> None:
    written = call("export", saved, "--format", kind, "-o", tmp_path / name, "--approximate", "--dt", 2e-3)
    assert written.exit_code == 0, written.output
    back = call("import", tmp_path / name, "-o", tmp_path / "back.npz")
    assert back.exit_code == 0, back.output
    assert "2-4-2, leaky, 25 steps" in back.output
    assert fingerprint(load(tmp_path / "back.npz", Network, PARTS)) == fingerprint(network())


def test_what_the_user_knows_better_than_the_file(saved: Path, tmp_path: Path) -> None:
    call("export", saved, "--format", "snntrainer3d", "-o", tmp_path / "w.json")
    call("import", tmp_path / "w.json", "-o", tmp_path / "back.npz", "--steps", 7, "--dataset", "xor")
    back = load(tmp_path / "back.npz", Network, PARTS)
    assert (back.steps, back.dataset, back.name) == (7, "xor", "w")


def test_a_state_dict_loads_into_snntorch(saved: Path, tmp_path: Path) -> None:
    assert call("export", saved, "--format", "snntorch", "-o", tmp_path / "w.pt").exit_code == 0
    module = nn.Sequential(nn.Linear(2, 4), snntorch.Leaky(beta=0.1), nn.Linear(4, 2), snntorch.Leaky(beta=0.1))
    module.load_state_dict(torch.load(tmp_path / "w.pt", weights_only=True), strict=True)
    assert module[2].weight.dtype == torch.float32
    np.testing.assert_array_equal(module[2].weight.detach().numpy(), network().layers[1].weight)
    assert float(module[3].beta) == network().layers[1].neuron.beta


def test_refusals_say_why_and_leave_nothing(saved: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    refused = call("export", saved, "--format", "nir", "-o", tmp_path / "w.nir")
    assert refused.exit_code == 1
    assert "NIR cannot hold this network exactly" in refused.output
    assert "layer 1: the reset subtracts" in refused.output
    (tmp_path / "x.json").write_text("{")
    for file, reason in ((tmp_path / "x.json", "damaged or not JSON"), (saved, "read from nir (.nir .h5 .hdf5)")):
        refused = call("import", file, "-o", tmp_path / "new.npz")
        assert refused.exit_code == 1
        assert reason in refused.output
    (tmp_path / "x.json").unlink()
    assert sorted(tmp_path.iterdir()) == before


def test_warnings_reach_the_terminal(saved: Path, tmp_path: Path) -> None:
    written = call("export", saved, "--format", "nir", "-o", tmp_path / "w.nir", "--approximate")
    assert "approximated: layer 1: the reset subtracts" in written.output


def test_the_command_line_offers_every_format() -> None:
    assert tuple(FORMATS) == exchange._FORMATS
    with pytest.raises(FileFormatError, match=r"format 'onnx' is not known.*allowed: nir, snntrainer3d, snntorch"):
        export_network(network(), Path("x.onnx"), kind="onnx")


# --- whatever `export` writes, `import` reads ----------------------------------------------------------


def chains() -> dict[str, Network]:
    """Every neuron with every reset, with and without biases, and a convolution, none of it at its default."""
    random = np.random.default_rng(1)
    found = {}
    for (kind, cls), reset, biased in itertools.product(NEURONS.items(), RESETS, (True, False)):
        settings = {"alpha": 0.9, "beta": 0.7} if {"alpha", "beta"} <= {each.name for each in fields(cls)} else {}
        neuron = cls(threshold=0.6, reset_mechanism=reset, capacitance=22e-9, **settings)
        layers = tuple(
            Layer(
                weight=np.float32(random.normal(0.3, 0.5, (b, a))),
                bias=np.float32(random.normal(0, 0.2, b)) if biased else None,
                neuron=neuron,
            )
            for a, b in ((3, 5), (5, 2))
        )
        found[f"{kind} {reset}{' bias' * biased}"] = Network(
            name="n", layers=layers, steps=13, dataset="xor", encoding=Encoding(kind="rate", seed=3), decision="count"
        )
    neuron = Leaky(beta=0.8, threshold=0.4, reset_mechanism="zero")
    maps = (Conv2d(weight=random.normal(0.1, 0.5, (4, 1, 2, 3)), bias=[0.1, 0, -0.1, 0.2], padding=(1, 0), groups=2),
            AvgPool2d(kernel=(2, 1), stride=(2, 1)), SumPool2d(kernel=(2, 2), stride=(1, 1)))  # fmt: skip
    first = ConvLayer(shape=(2, 7, 7), maps=maps, neuron=neuron)
    second = ConvLayer(shape=first.output_shape, maps=(maps[1], Dense(weight=np.ones((2, 16)))), neuron=neuron)
    return {**found, "convolution": Network(name="n", layers=(first, second), steps=9)}


CHAINS = chains()


@pytest.mark.parametrize("case", CHAINS)
def test_what_was_exported_comes_back_identical(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In every format that does not refuse it, with the neurons and the protocol whole."""
    # In this process: the child that reads strangers' HDF5 takes a second to start.
    monkeypatch.setattr("snn2circuit.frontends.nir_read.read_tree", _read_here)
    written = []
    for kind, form in FORMATS.items():
        path = tmp_path / f"n{form.suffixes[0]}"
        try:
            export_network(CHAINS[case], path, kind=kind, protocol=Protocol(approximate=True))
        except NetworkError:
            continue
        imported = import_network(path)
        assert fingerprint(imported.network) == fingerprint(CHAINS[case]), kind
        written.append(kind)
    assert {"nir", "snntorch"} <= set(written)
    usual = "zero" if case.startswith("alpha") else "subtract"
    assert ("snntrainer3d" in written) == (
        (usual in case and "lapicque" not in case) or case.startswith("lapicque sub")
    )


def _read_here(path: Path) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for names, value in zip(*hdf5._datasets(path), strict=True):
        place = tree
        for name in names[:-1]:
            place = place.setdefault(name, {})
        place[names[-1]] = np.asarray(value).tolist() if np.asarray(value).dtype.kind == "U" else value
    return tree


def test_an_exported_state_dict_is_a_plain_one(tmp_path: Path) -> None:
    export_network(CHAINS["convolution"], tmp_path / "w.pt", kind="snntorch")
    module = nn.Sequential(*to_snntorch(CHAINS["convolution"]))
    state = torch.load(tmp_path / "w.pt", weights_only=True)
    assert list(state) == list(module.state_dict())
    module.load_state_dict(state, strict=True)


def test_the_numbers_of_a_state_dict_are_those_of_its_tensors(tmp_path: Path) -> None:
    export_network(network(), tmp_path / "w.pt", kind="snntorch")
    state = torch.load(tmp_path / "w.pt", weights_only=True)
    state["0.weight"] *= 2
    torch.save(state, tmp_path / "changed.pt")
    back = import_network(tmp_path / "changed.pt").network
    np.testing.assert_array_equal(back.layers[0].weight, 2 * network().layers[0].weight)
    state["1.beta"] *= 0.5
    torch.save(state, tmp_path / "changed.pt")
    with pytest.raises(FileFormatError, match=r"changed\.pt: its annotation says beta = 0.89.* the tensor 1.beta says"):
        import_network(tmp_path / "changed.pt")


def test_a_state_dict_without_neurons_is_refused_with_the_way_out(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 3).state_dict(), tmp_path / "w.pt")
    result = call("import", tmp_path / "w.pt", "-o", tmp_path / "n.npz")
    assert result.exit_code == 1
    assert "has weights but no neurons" in result.output
    assert "from_snntorch(module" in result.output


NOTES: dict[str, Any] = {
    "no text": 7, "no JSON": "{", "a list": "[1]", "nothing": "{}", "no layers": '{"layers": 3, "protocol": {}}',
    "layer": '{"layers": [{"neuron": 1}], "protocol": {}}', "kind": '{"layers": [{"neuron": {"kind": "os"}}]}',
}  # fmt: skip


@pytest.mark.parametrize("case", NOTES)
def test_forged_notes_in_a_state_dict_are_refused(case: str, tmp_path: Path) -> None:
    export_network(network(), tmp_path / "w.pt", kind="snntorch")
    state = torch.load(tmp_path / "w.pt", weights_only=True)
    state._metadata["snn2circuit"]["network"] = NOTES[case]
    torch.save(state, tmp_path / "w.pt")
    with pytest.raises(FileFormatError, match=r"w\.pt: "):
        import_network(tmp_path / "w.pt")


def test_random_changes_to_a_note_give_our_errors_or_a_network(tmp_path: Path) -> None:
    """Every value of the note replaced by every junk, one at a time."""
    junk: list[Any] = [None, "x", -1, 1.5, [], {}, [[1]], True, 10**30]
    states = {"w.pt": network(), "w.json": network()}
    refused = 0
    for name, source in states.items():
        export_network(source, tmp_path / name, kind="snntorch" if name == "w.pt" else "snntrainer3d")
    state = torch.load(tmp_path / "w.pt", weights_only=True)
    text = state._metadata["snn2circuit"]["network"]
    tree = json.loads((tmp_path / "w.json").read_text())
    for place, value in itertools.product(_places(json.loads(text)), junk):
        state._metadata["snn2circuit"]["network"] = json.dumps(_with(json.loads(text), place, value))
        refused += _refused(lambda: read_state(state, neurons=NEURONS, name="n"))
    for place, value in itertools.product(_places(tree["snn2circuit"]), junk):
        note = _with(json.loads(json.dumps(tree["snn2circuit"])), place, value)
        (tmp_path / "w.json").write_text(json.dumps({**tree, "snn2circuit": note}))
        refused += _refused(lambda: import_network(tmp_path / "w.json"))
    assert refused > 300


def _places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from _places(value, (*path, key))


def _with(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    holder = tree
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return tree


def _refused(read: Callable[[], object]) -> bool:
    try:
        read()
    except Snn2CircuitError:
        return True
    return False


# --- messages name what to type ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["export", "import"])
def test_messages_name_options_on_the_command_line_and_parameters_in_python(name: str, tmp_path: Path) -> None:
    save(network(), tmp_path / "n.npz")
    arguments = {
        "export": ["export", tmp_path / "n.npz", "--format", "nir", "-o", tmp_path / "w.nir"],
        "import": ["import", tmp_path / "n.npz", "-o", tmp_path / "m.npz"],
    }[name]
    result = call(*arguments)
    assert result.exit_code == 1
    assert ("(--approximate)" if name == "export" else "(--format)") in result.output
    assert "`" not in result.output
    with pytest.raises(Snn2CircuitError, match=r"\(`approximate=True`\)"):
        export_network(network(), tmp_path / "w.nir", kind="nir")
    with pytest.raises(Snn2CircuitError, match=r"\(`kind`\)"):
        import_network(tmp_path / "n.npz")


def test_the_question_for_the_step_is_one_to_type(tmp_path: Path) -> None:
    node = nir.LIF(**{name: np.full(2, 1e-2) for name in ("tau", "r", "v_leak", "v_threshold", "v_reset")})
    node.r = np.full(2, 100.0)
    shape = {"input": np.array([2])}
    edges = [("in", "lif"), ("lif", "out")]
    nir.write(tmp_path / "n.nir", nir.NIRGraph(
        {"in": nir.Input(shape), "lif": node, "out": nir.Output({"output": np.array([2])})}, edges
    ))  # fmt: skip
    result = call("import", tmp_path / "n.nir", "-o", tmp_path / "m.npz")
    assert "--dt 0.0001 with --discretisation euler" in result.output


# --- layers that can never spike -----------------------------------------------------------------------


def quiet() -> Network:
    random = np.random.default_rng(2)
    layers = [
        Layer(
            weight=scale * np.float32(random.uniform(0, 1, (b, a))), neuron=Leaky(beta=0.5, reset_mechanism="subtract")
        )
        for scale, a, b in ((1, 3, 4), (0.125, 4, 3), (1, 3, 2))
    ]
    return Network(name="n", layers=tuple(layers), steps=25)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_layer_that_can_never_spike_is_told_at_import_whatever_the_format(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"n{FORMATS[kind].suffixes[0]}"
    export_network(quiet(), path, kind=kind, protocol=Protocol(approximate=True))
    result = call("import", path, "-o", tmp_path / "m.npz")
    assert result.exit_code == 0, result.output
    share = 2 * float(quiet().layers[1].weight.sum(axis=1).max())
    assert (
        f"warning: layer 2 can never spike: the largest membrane that any spikes can cause in 25 steps is {share:.3g}"
        in (result.output)
    )
    assert result.output.count("can never spike") == 1


def test_a_layer_of_a_module_that_can_never_spike_is_a_warning() -> None:
    with pytest.warns(NetworkWarning, match=r"quiet: layer 2 can never spike"):
        from_snntorch(nn.Sequential(*to_snntorch(quiet())), name="quiet", steps=25)
    with warnings.catch_warnings():
        warnings.simplefilter("error", NetworkWarning)
        from_snntorch(nn.Sequential(*to_snntorch(network())), name="lively", steps=25)


@pytest.mark.parametrize("dt", [1e-4, 1.0])
def test_integrators_that_count_in_steps_are_told_which_step(dt: float, tmp_path: Path) -> None:
    one = np.ones(2)
    nodes = {
        "in": nir.Input({"input": np.array([2])}), "w": nir.Linear(weight=np.eye(2)),
        "if": nir.IF(r=one, v_threshold=one), "out": nir.Output({"output": np.array([2])}),
    }  # fmt: skip
    nir.write(tmp_path / "n.nir", nir.NIRGraph(nodes, list(itertools.pairwise(nodes))))
    result = call("import", tmp_path / "n.nir", "-o", tmp_path / "m.npz", "--dt", dt)
    assert result.exit_code == 0
    assert ("0.0025 of its threshold" in result.output) == (dt < 1)
    assert (
        "another time step? its integrators have r = 1, as sinabs writes them, and count in steps: --dt 1\n"
        in result.output
    ) == (dt < 1)
