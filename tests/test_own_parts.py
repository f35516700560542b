"""A neuron, device, process or map of the user's own is used as the object it is, from training to the stack."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import snn2circuit as s2c
from snn2circuit import steps
from snn2circuit.analysis.materials import list_materials
from snn2circuit.analysis.schematics import write_schematics
from snn2circuit.analysis.verify import verify_circuit
from snn2circuit.errors import FileFormatError, MappingError, NetworkError, TrainingError
from snn2circuit.ir.circuit import Circuit, Subcircuit
from snn2circuit.ir.files import fingerprint
from snn2circuit.ir.layer import ConvLayer
from snn2circuit.ir.linear import Dense, Map, Shape
from snn2circuit.ir.noun import Floats, noun
from snn2circuit.ir.parts import Drive, State
from snn2circuit.netlist.dialects import DIALECTS
from snn2circuit.neurons import NEURONS
from snn2circuit.training import Recipe, read_network
from snn2circuit.training import train as train_module

XOR = s2c.load_dataset("xor")
PLAIN: dict[str, dict[str, Any]] = {kind: {"reset_mechanism": "none"} if kind == "alpha" else {} for kind in NEURONS}


def own_neuron(base: type, kind: str) -> type:
    """A neuron with the update of ``base``, a field more, and a cell that says so."""

    def cell(self: Any, name: str, drive: Drive) -> Subcircuit:
        return replace(base.cell(self, name, drive), comment=f"CANARY {self.canary:g}")  # type: ignore[attr-defined]

    made: type = dataclasses.make_dataclass(
        f"Own{base.__name__}",
        [("canary", float, 0.125)],
        bases=(base,),
        namespace={"kind": kind, "cell": cell},
        frozen=True,
        kw_only=True,
    )
    return made


OWN = {kind: own_neuron(cls, f"Own {kind}!") for kind, cls in NEURONS.items()}


@dataclass(frozen=True, kw_only=True)
class OwnDevice:
    """A device that computes its range."""

    kind: ClassVar[str] = "own_device"
    squares: float = 4.0
    name: str = "canary ink"
    technology: str = "canary"
    by_shape: bool = False

    @property
    def g_min(self) -> s2c.Quantity:
        return s2c.Quantity(value=1e-6 * self.squares, unit="S", source="here", confidence="assumed")

    @property
    def g_max(self) -> s2c.Quantity:
        return s2c.Quantity(value=2e-5 * self.squares, unit="S", source="here", confidence="assumed")

    @property
    def v_read(self) -> s2c.Quantity:
        return s2c.Quantity(value=0.07, unit="V", source="here", confidence="assumed")


@noun
class Blur:
    """Every value and a share of its neighbour, and an offset: affine, with no field called weight or bias."""

    kind: ClassVar[str] = "blur"
    share: float
    offsets: Floats | None = None

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def flops(self, shape: Shape) -> int:
        return 2 * int(np.prod(shape))

    def apply(self, x: Floats, *, bias: bool = True) -> Floats:
        y: Floats = x + self.share * np.roll(x, 1, axis=-1)
        return y if self.offsets is None or not bias else y + self.offsets


@noun
class OwnDense(Dense):
    """A map that inherits from a built-in one and does something else."""

    kind: ClassVar[str] = "own_dense"

    def apply(self, x: Floats, *, bias: bool = True) -> Floats:
        return 2 * Dense.apply(self, x, bias=bias)


@dataclass(frozen=True)
class OwnDialect:
    name: str = "own"

    def shared(self, circuit: Circuit) -> dict[str, str]:
        return {f"own_{name}": text for name, text in DIALECTS["ngspice"].shared(circuit).items()}

    def sample(self, circuit: Circuit, stem: str) -> dict[str, str]:
        return {f"{stem}.own": "CANARY\n"}


# --- neurons, through every stage ------------------------------------------------------------------


@pytest.mark.parametrize("kind", OWN)
def test_an_own_neuron_goes_through_every_stage(kind: str, tmp_path: Path) -> None:
    made = [OWN[kind](canary=canary, capacitance=farads, **PLAIN[kind]) for canary, farads in ((3.5, 1e-8), (7, 22e-8))]
    network = s2c.train(XOR, Recipe(neuron=tuple(made), hidden=(3,), steps=6, epochs=1))
    assert [layer.neuron for layer in network.layers] == made
    parts = [OWN[kind], OwnDevice(squares=2)]
    crossbar = s2c.map_network(network, OwnDevice(squares=3), inputs=XOR.train.inputs)
    for value in (network, crossbar):
        s2c.save(value, tmp_path / "value.npz")
        back = s2c.load(tmp_path / "value.npz", parts=parts)
        assert type(back) is type(value)
        assert fingerprint(back) == fingerprint(value)
        assert [layer.neuron for layer in back.layers] == made  # type: ignore[attr-defined]
        with pytest.raises(FileFormatError, match=r"unknown part 'Own .*pass parts=\[\.\.\.\]"):
            s2c.load(tmp_path / "value.npz", parts=[OwnDevice])
    assert back.device == OwnDevice(squares=3)  # type: ignore[attr-defined]
    assert crossbar.levels[0] == pytest.approx(3e-6)
    stimulus = s2c.choose_samples(crossbar, XOR, count=2)
    s2c.write_netlist(crossbar, stimulus, tmp_path / "netlist")
    cells = (tmp_path / "netlist" / "cells.lib").read_text()
    assert "CANARY 3.5" in cells
    assert "CANARY 7" in cells
    waveforms = steps.simulate_exactly(crossbar, stimulus)
    assert s2c.compare_circuit(crossbar, waveforms).mismatches == 0
    assert steps.judge_with_snntorch(crossbar, waveforms) == 0
    assert steps.inference_energy(crossbar, waveforms).as_dict()
    write_schematics(crossbar, tmp_path / "schematics")
    process = replace(s2c.PROCESSES["inkjet"], name="canary process")
    layout = s2c.build_layout(crossbar, process)
    s2c.save(layout, tmp_path / "layout.npz")
    assert s2c.load(tmp_path / "layout.npz", s2c.Layout).process.name == "canary process"
    s2c.write_glb(layout, tmp_path / "stack.glb")
    assert b"canary process" in (tmp_path / "stack.glb").read_bytes()
    assert any(f"Own {kind}!" in str(row) for row in list_materials(layout, crossbar).cells)


def test_an_own_neuron_is_verified_and_signed_off(tmp_path: Path) -> None:
    network = s2c.train(XOR, Recipe(neuron=OWN["leaky"](), hidden=(3,), steps=6, epochs=1))
    crossbar = s2c.map_network(network, OwnDevice(), inputs=XOR.train.inputs)
    assert verify_circuit(crossbar, XOR, samples=2, referee=1, workers=1).passed
    layout = s2c.build_layout(crossbar, replace(s2c.PROCESSES["inkjet"], name="canary process"))
    found = steps.sign_off(layout, crossbar, tmp_path)
    assert (found.drc["violations"], found.lvs["match"]) == (0, True)
    assert found.drc["process"] == "canary process"


@pytest.mark.parametrize("kind", ["leaky", "synaptic", "alpha"])
def test_what_is_learnt_replaces_only_that(kind: str) -> None:
    part = OWN[kind](canary=9, capacitance=33e-9, **PLAIN[kind])
    recipe = Recipe(
        neuron=part, hidden=(3,), steps=6, epochs=2, learn_beta=True, learn_threshold=True, learning_rate=0.1
    )
    trained = train_module(XOR, recipe)
    for layer, (_, module) in zip(
        read_network(trained.module, recipe, XOR).layers, trained.module.layers(), strict=True
    ):
        neuron: Any = layer.neuron
        assert neuron == replace(part, beta=neuron.beta, threshold=neuron.threshold)
        assert (neuron.beta, neuron.threshold) == (module.beta.clamp(0, 1).item(), module.threshold.item())  # type: ignore[operator, union-attr]
        assert (neuron.beta, neuron.threshold) != (part.beta, part.threshold)


# --- neurons that are not what they say --------------------------------------------------------------


def altered(**changes: Any) -> type:
    """A leaky neuron with another update."""

    def advance(self: Any, state: State, current: Floats) -> State:
        (membrane,) = s2c.Leaky.advance(self, state, changes.get("input", lambda x: x)(current))
        return (changes.get("membrane", lambda x: x)(membrane),)

    return dataclasses.make_dataclass(
        "Altered", [], bases=(s2c.Leaky,), namespace={"kind": "altered", "advance": advance}, frozen=True
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"input": lambda x: 1.0001 * x},
        {"input": lambda x: np.maximum(x, 0)},
        {"membrane": lambda x: np.maximum(x, -0.5)},
        {"membrane": lambda x: np.minimum(x, 10)},
        {"membrane": lambda x: x * np.nan},
    ],
)
def test_a_neuron_that_acts_otherwise_than_its_class_is_refused_before_training(changes: dict[str, Any]) -> None:
    with pytest.raises(NetworkError, match=r"layer 2: Altered names snnTorch's Leaky .* in step \d+ of a test drive"):
        s2c.train(XOR, Recipe(neuron=(s2c.Leaky(), altered(**changes)()), hidden=(3,), epochs=1))


@pytest.mark.parametrize("name", ["Nobody", "surrogate", "RLeaky", "Synaptic", "LeakyParallel", "SLSTM", "Lapicque"])
def test_a_neuron_that_names_another_class_is_refused(name: str) -> None:
    other = dataclasses.make_dataclass(
        "Other", [], bases=(s2c.Leaky,), namespace={"kind": "other", "snntorch": name}, frozen=True
    )
    with pytest.raises(NetworkError, match=r"layer 1: .*Other"):
        s2c.train(XOR, Recipe(neuron=other(), hidden=(3,), epochs=1))


@pytest.mark.parametrize("neuron", ["leaky", s2c.Leaky, None, [s2c.Leaky(), s2c.Leaky()], (s2c.Leaky(), 3)])
def test_what_is_no_neuron_is_no_recipe(neuron: Any) -> None:
    with pytest.raises(TrainingError, match="is not a neuron"):
        Recipe(neuron=neuron)


def test_what_is_no_device_is_not_mapped() -> None:
    network = s2c.Network(name="n", layers=(s2c.Layer(weight=[[1.0]], neuron=s2c.Leaky()),), steps=1)
    with pytest.raises(MappingError, match="is not a device"):
        s2c.map_network(network, "printed_resistor_kit")  # type: ignore[arg-type]


# --- maps ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("maps", "bias"),
    [
        ((Blur(share=0.5),), False),
        ((Blur(share=0.5, offsets=np.arange(6.0).reshape(2, 3) / 8),), True),
        ((Blur(share=0.25), OwnDense(weight=np.arange(12.0).reshape(2, 6) / 12 - 0.4)), False),
        ((s2c.Scale(scale=[[0.5]]), Blur(share=-1.0), OwnDense(weight=np.ones((2, 6)), bias=[0.1, 0.2])), True),
    ],
)
def test_an_own_map_goes_through_every_stage(maps: tuple[Map, ...], bias: bool, tmp_path: Path) -> None:
    layer = ConvLayer(shape=(2, 3), maps=maps, neuron=s2c.Leaky())
    last = s2c.Layer(weight=np.linspace(-1, 1, 2 * layer.outputs).reshape(2, -1), neuron=s2c.Leaky())
    network = s2c.Network(name="own", layers=(layer, last), steps=5)
    s2c.save(network, tmp_path / "network.npz")
    with pytest.raises(FileFormatError, match=r"unknown part .*pass parts"):
        s2c.load(tmp_path / "network.npz")
    back = s2c.load(tmp_path / "network.npz", s2c.Network, parts=[Blur, OwnDense])
    assert fingerprint(back) == fingerprint(network)
    inputs = network.encode(np.random.default_rng(1).random((4, 6)))
    spikes = network.run(inputs).spikes
    assert any(each.any() for each in spikes)
    lowered = s2c.lower_network(network)
    assert [each.rows for each in s2c.unrolled_sizes(network)] == [6 + bias, layer.outputs]
    for activity in (back.run(inputs), lowered.run(inputs), s2c.run_snntorch(network, inputs)):
        assert all(np.array_equal(one, other) for one, other in zip(activity.spikes, spikes, strict=True))
    crossbar = s2c.map_network(network, s2c.DEVICES["foil_memristor"], levels=4096)
    assert crossbar.layers[0].has_bias is bias
    waveforms = steps.simulate_exactly(
        crossbar, s2c.Stimulus(inputs=inputs, labels=np.zeros(4, int), indices=np.arange(4))
    )
    assert s2c.compare_circuit(crossbar, waveforms).mismatches == 0
    s2c.write_glb(s2c.build_layout(crossbar, s2c.PROCESSES["inkjet"]), tmp_path / "stack.glb")


def wrong_map(**methods: Any) -> Any:
    return dataclasses.make_dataclass("Wrong", [], bases=(Blur,), namespace=methods, frozen=True)(share=0.5)


@pytest.mark.parametrize(
    ("methods", "says"),
    [
        ({"apply": lambda self, x, bias=True: np.maximum(x, 0)}, "is not affine"),
        ({"apply": lambda self, x, bias=True: x * x}, "is not affine"),
        ({"apply": lambda self, x, bias=True: x + 1}, "is not affine"),
        ({"apply": lambda self, x, bias=True: x - x.mean(axis=0)}, "beside others"),
        ({"apply": lambda self, x, bias=True: x + (x.sum() if bias else 0)}, "beside others|more than a bias"),
        ({"apply": lambda self, x, bias=True: x / 0.0}, "not finite|fails"),
        ({"apply": lambda self, x, bias=True: x[:, :1]}, "its output_shape says"),
        ({"apply": lambda self, x, bias=True: x.nothing}, "AttributeError"),
        ({"output_shape": lambda self, shape: (0,)}, "at least 1"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_what_is_no_affine_map_is_refused_by_name(methods: dict[str, Any], says: str) -> None:
    with pytest.raises(NetworkError, match=rf"map 2: Wrong.*({says})"):
        ConvLayer(shape=(2, 3), maps=(Blur(share=1.0), wrong_map(**methods)), neuron=s2c.Leaky())


def test_what_is_no_map_is_refused() -> None:
    with pytest.raises(NetworkError, match="map 1: 3 is not a map"):
        ConvLayer(shape=(2, 3), maps=(3,), neuron=s2c.Leaky())  # type: ignore[arg-type]


# --- files --------------------------------------------------------------------------------------------


def layer_with(neuron: Any) -> s2c.Layer:
    return s2c.Layer(weight=[[1.0]], neuron=neuron)


def named(name: str, fields: list[Any], **namespace: Any) -> type:
    return dataclasses.make_dataclass(name, fields, bases=(s2c.Leaky,), namespace=namespace, frozen=True, kw_only=True)


@pytest.mark.parametrize(
    ("part", "says"),
    [
        (named("Heir", [])(), "inherits the kind 'leaky'"),
        (named("Usurper", [], kind="leaky")(), "is that of Leaky, which would be loaded in its place"),
        (named("Lists", [("more", list, (1.0,))], kind="lists")(more=[1.0]), r"cannot save a list in Lists\.more"),
        (named("Wrong", [("more", float, 1.0)], kind="wrong")(more="x"), "more is 'x'; its annotation says"),
        (
            named("Nan", [("more", float, 1.0)], kind="nan_")(more=float("nan")),
            r"cannot save the number nan in Nan\.more",
        ),
        (named("Unread", [("more", "Nowhere", 1.0)], kind="unread")(), "annotations of Unread cannot be read"),
    ],
)
def test_a_part_that_would_not_come_back_is_not_saved(part: Any, says: str, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=says):
        s2c.save(layer_with(part), tmp_path / "layer.npz")
    assert list(tmp_path.iterdir()) == []


def test_fields_that_a_part_computes_are_computed_again(tmp_path: Path) -> None:
    part = named(
        "Derived",
        [("more", tuple[float, ...], ()), ("total", float, dataclasses.field(init=False, default=0.0))],
        kind="derived",
        __post_init__=lambda self: object.__setattr__(self, "total", sum(self.more)),
    )
    s2c.save(layer_with(part(more=(1.0, 2.5))), tmp_path / "layer.npz")
    back = s2c.load(tmp_path / "layer.npz", s2c.Layer, parts=[part])
    assert back.neuron == part(more=(1.0, 2.5))
    assert back.neuron.total == 3.5  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ([named("One", [], kind="same"), named("Two", [], kind="same")], "Two and One have the same kind 'same'"),
        ([named("Usurper", [], kind="leaky")], "Usurper and Leaky have the same kind"),
        ([named("Heir", [])], "Heir cannot be loaded: .* kind of its own"),
        ([int], "int cannot be loaded"),
    ],
)
def test_each_part_needs_a_word_of_its_own(parts: list[Any], says: str, tmp_path: Path) -> None:
    s2c.save(layer_with(s2c.Leaky()), tmp_path / "layer.npz")
    with pytest.raises(FileFormatError, match=says):
        s2c.load(tmp_path / "layer.npz", parts=parts)


def test_load_gives_whatever_is_there_or_the_kind_that_is_asked_for(tmp_path: Path) -> None:
    for value in (XOR, layer_with(s2c.Leaky()), s2c.PROCESSES["inkjet"]):
        s2c.save(value, tmp_path / "value.npz")
        assert fingerprint(s2c.load(tmp_path / "value.npz")) == fingerprint(value)
    with pytest.raises(FileFormatError, match="holds a Process; a Network is needed here"):
        s2c.load(tmp_path / "value.npz", s2c.Network)


def test_an_own_dialect_writes_the_files(tmp_path: Path) -> None:
    network = s2c.Network(name="n", layers=(layer_with(s2c.Leaky()),), steps=2)
    crossbar = s2c.map_network(network, OwnDevice())
    stimulus = s2c.Stimulus(inputs=np.ones((1, 2, 1)), labels=[0], indices=[0])
    netlist = s2c.write_netlist(crossbar, stimulus, tmp_path, dialect=OwnDialect())
    assert netlist.decks == ("sample_0.own",)
    assert (tmp_path / "sample_0.own").read_text() == "CANARY\n"
    assert (tmp_path / "own_cells.lib").exists()
