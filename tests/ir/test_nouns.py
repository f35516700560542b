"""Nouns refuse what cannot become a circuit and say where it is wrong; their arrays are private and read-only."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from pathlib import Path
from typing import Any

import ir_samples as samples
import numpy as np
import pytest

from snn2circuit.errors import (
    CompareError,
    DataError,
    FileFormatError,
    LayoutError,
    MappingError,
    NetlistError,
    NetworkError,
)
from snn2circuit.ir.circuit import Crossbar, PiecewiseSource
from snn2circuit.ir.dataset import Dataset, Split
from snn2circuit.ir.files import load
from snn2circuit.ir.lines import LineResistances, uniform_lines
from snn2circuit.ir.network import Activity, Layer, Network, Stimulus
from snn2circuit.ir.parasitics import Parasitics
from snn2circuit.neurons.leaky import Leaky


def changed(value: Any, **fields: Any) -> Any:
    return dataclasses.replace(value, **fields)


def poisoned(array: Any, place: tuple[int, ...], value: float) -> np.ndarray:
    copy = np.array(array, dtype=float)
    copy[place] = value
    return copy


def split(count: int = 4, inputs: int = 6, classes: int = 2) -> Split:
    return Split(inputs=np.ones((count, inputs)), labels=np.arange(count) % classes)


def dataset(**fields: Any) -> Dataset:
    given: dict[str, Any] = {
        "name": "toy",
        "title": "Toy",
        "source": "made up",
        "shape": (2, 3),
        "classes": ("a", "b"),
        "train": split(),
        "test": split(2),
    }
    return Dataset(**{**given, **fields})


def crossbar(**fields: Any) -> Crossbar:
    given: dict[str, Any] = {
        "name": "x1",
        "word_lines": ("w0", "w1"),
        "bits_pos": ("p0",),
        "bits_neg": ("n0",),
        "g_pos": np.ones((2, 1)),
        "g_neg": np.ones((2, 1)),
        "lines": uniform_lines(2, 2),
    }
    return Crossbar(**{**given, **fields})


# --- immutability ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(samples.SAMPLES))
def test_arrays_are_read_only_and_fields_frozen(name: str) -> None:
    value = samples.SAMPLES[name]()
    for array in samples.arrays_of(value):
        assert not array.flags.writeable
        assert array.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    field = dataclasses.fields(value)[0].name  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, field, None)
    with pytest.raises((AttributeError, TypeError)):
        value.surprise = 1  # type: ignore[attr-defined]


def test_arrays_are_copies() -> None:
    weight = np.array([[1.0, 2.0], [3.0, 4.0]])
    layer = Layer(weight=weight, neuron=Leaky())
    view = layer.weight
    weight[0, 0] = 99
    assert view[0, 0] == 1
    assert not np.shares_memory(weight, layer.weight)
    membranes = np.zeros((1, 2, 3))
    activity = Activity(membranes=(membranes,), spikes=(np.zeros((1, 2, 3), dtype=bool),))
    membranes[:] = 5
    assert (activity.membranes[0] == 0).all()


def test_nouns_compare_by_identity_and_replace_validates_again() -> None:
    network = samples.network()
    assert network == network
    assert network != samples.network()
    assert changed(network, steps=9).steps == 9
    with pytest.raises(NetworkError, match="steps is 0"):
        changed(network, steps=0)


# --- network ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_non_finite_weight_is_named(bad: float) -> None:
    first, second = samples.network().layers
    spoiled = changed(second, weight=poisoned(second.weight, (0, 1), bad))
    with pytest.raises(NetworkError, match=rf"layer 2: weight at \(0, 1\) is {bad}"):
        Network(name="n", layers=(first, spoiled), steps=3)


def test_a_non_finite_bias_is_named() -> None:
    layer = Layer(weight=np.ones((3, 2)), bias=np.array([0, 1, np.nan]), neuron=Leaky())
    with pytest.raises(NetworkError, match=r"layer 1: bias at \(2,\) is nan"):
        Network(name="n", layers=(layer,), steps=3)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"weight": np.ones(3)}, r"shape \(3,\); it needs \(outputs, inputs\)"),
        ({"weight": np.ones((0, 3))}, r"both >= 1"),
        ({"weight": np.ones((2, 2, 2))}, r"shape \(2, 2, 2\)"),
        ({"bias": np.ones(3)}, r"bias has shape \(3,\); a layer with 2 outputs needs \(2,\)"),
        ({"bias": np.ones((2, 1))}, r"bias has shape \(2, 1\)"),
        ({"neuron": "leaky"}, r"'leaky' is not a neuron"),
        ({"neuron": object()}, r"is not a neuron"),
    ],
)
def test_layers_refuse(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        changed(samples.layer(), **fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"layers": ()}, "at least one layer"),
        ({"steps": 0}, "steps is 0"),
        ({"steps": -5}, "steps is -5"),
        ({"encoding": "rate"}, "encoding is 'rate'; an Encoding is needed"),
        ({"decision": "first"}, "decision 'first' is not known; allowed: membrane, count"),
        ({"layers": (samples.layer(4, 3), samples.layer(1, 2))}, "layer 2 takes 2 inputs,? but layer 1 has 4 neurons"),
    ],
)
def test_networks_refuse(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        changed(samples.network(), **fields)


def test_runs_refuse_inputs_of_another_shape() -> None:
    network = samples.network()
    for inputs in (np.ones((2, 4)), np.ones((2, 4, 5))):
        with pytest.raises(NetworkError, match=r"the network takes \(samples, steps, 3\)"):
            network.run(inputs)
    with pytest.raises(NetworkError, match=r"the network takes \(samples, 3\)"):
        network.encode(np.ones((2, 5)))


def test_stimuli_refuse() -> None:
    good = samples.stimulus()
    with pytest.raises(NetworkError, match="sample 1, step 2, input 0"):
        changed(good, inputs=poisoned(good.inputs, (1, 2, 0), np.nan))
    with pytest.raises(NetworkError, match=r"expected \(samples, steps, inputs\)"):
        changed(good, labels=np.zeros(3, dtype=int))
    with pytest.raises(NetworkError, match=r"expected \(samples, steps, inputs\)"):
        Stimulus(inputs=np.ones((2, 3)), labels=np.zeros(2), indices=np.zeros(2))


def test_activities_refuse_spikes_of_another_shape() -> None:
    with pytest.raises(NetworkError, match="differ in shape"):
        Activity(membranes=(np.zeros((1, 2, 3)),), spikes=(np.zeros((1, 2, 2), dtype=bool),))


def test_ties_go_to_the_lowest_class() -> None:
    membranes = np.array([[[1.0, 3.0, 3.0]], [[2.0, 2.0, 2.0]]])
    activity = Activity(membranes=(membranes,), spikes=(membranes < 1.5,))
    assert activity.predictions("membrane").tolist() == [1, 0]
    assert activity.predictions("count").tolist() == [0, 0]


# --- data ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Split(inputs=np.ones((2, 3)), labels=np.zeros(3)), r"inputs \(2, 3\) and labels \(3,\) do not fit"),
        (lambda: Split(inputs=np.ones(3), labels=np.zeros(3)), r"inputs \(3,\)"),
        (
            lambda: Split(inputs=poisoned(np.ones((2, 3)), (1, 2), np.inf), labels=np.zeros(2)),
            "input 2 of sample 1 is inf",
        ),
        (lambda: dataset(shape=(2, 4)), "train samples have 6 inputs"),
        (lambda: dataset(test=split(2, inputs=5)), "test samples have 5 inputs"),
        (
            lambda: dataset(test=split(4, classes=3)),
            r"test labels run from 0 to 2; with 2 classes they must lie in 0\.\.1",
        ),
    ],
)
def test_data_refuse(make: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        make()


# --- crossbars -------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["g_pos", "g_neg", "target_pos", "target_neg"])
@pytest.mark.parametrize("bad", [0.0, -1e-6, np.nan, np.inf])
def test_conductances_must_be_finite_and_positive(field: str, bad: float) -> None:
    good = samples.crossbar_layer()
    with pytest.raises(MappingError, match=f"{field} must be finite, positive"):
        changed(good, **{field: poisoned(getattr(good, field), (2, 1), bad)})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"g_pos": np.ones((2, 2))}, r"g_pos must be .* of shape \(3, 2\); it has shape \(2, 2\)"),
        ({"level_neg": np.zeros((3, 1))}, r"level_neg must have shape \(3, 2\)"),
        ({"siemens_per_unit": 0.0}, r"siemens_per_unit is 0\.0"),
        ({"volts_per_unit": float("nan")}, "volts_per_unit is nan"),
        ({"r_feedback": -1.0}, "r_feedback is -1"),
    ],
)
def test_crossbar_layers_refuse(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(MappingError, match=message):
        changed(samples.crossbar_layer(), **fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"levels": np.array([1e-6])}, "at least two increasing"),
        ({"levels": np.array([1e-6, 3e-6, 2e-6])}, "at least two increasing"),
        ({"levels": np.array([1e-6, 2e-6])}, r"crossbar 1: level_\w+ points outside the 2 levels"),
        (
            {"layers": (samples.crossbar_layer(), samples.crossbar_layer(5, 1))},
            "crossbar 2 has 4 input rows,? but layer 1 has 2 neurons",
        ),
    ],
)
def test_crossbar_networks_refuse(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(MappingError, match=message):
        changed(samples.crossbar_network(), **fields)


def test_the_network_of_a_crossbar_is_its_conductances() -> None:
    """``weights · siemens_per_unit`` is the difference of the conductances; the bias row becomes the bias."""
    crossbars = samples.crossbar_network()
    network = crossbars.network()
    assert network.sizes == crossbars.sizes == (2, 2, 1)
    assert crossbars.devices == 2 * (3 * 2 + 2 * 1)
    for mapped, layer in zip(crossbars.layers, network.layers, strict=True):
        rows = np.vstack([layer.weight.T, layer.bias]) if layer.bias is not None else layer.weight.T
        np.testing.assert_allclose(rows * mapped.siemens_per_unit, mapped.g_pos - mapped.g_neg, rtol=1e-12, atol=1e-20)


# --- circuit, waveforms, layout --------------------------------------------------------------------


def test_sources_refuse() -> None:
    assert PiecewiseSource(name="v", out="a", times=[0, 1], volts=[0, 1]).times.dtype == np.float64
    for times, volts in (([0, 0], [0, 1]), ([1, 0], [0, 1]), ([0, 1], [0]), ([], []), ([[0, 1]], [[0, 1]])):
        with pytest.raises(NetlistError, match="source v: times must be strictly increasing"):
            PiecewiseSource(name="v", out="a", times=times, volts=volts)


def test_crossbar_elements_refuse() -> None:
    assert crossbar().g_pos.shape == (2, 1)
    with pytest.raises(NetlistError, match=r"crossbar x1: g_neg has shape \(1, 2\), its lines say \(2, 1\)"):
        crossbar(g_neg=np.ones((1, 2)))
    with pytest.raises(NetlistError, match="crossbar x1"):
        crossbar(bits_neg=("n0", "n1"))
    with pytest.raises(NetlistError, match=r"crossbar x1: resistances of \(2, 4\) word and bit lines do not fit"):
        crossbar(lines=uniform_lines(2, 4))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"word_leads": [1.0, -1.0]}, "word_leads of a crossbar are .* 0 or more"),
        ({"bit_segments": [np.inf]}, "bit_segments of a crossbar are .* finite"),
        ({"word_segments": [1.0]}, r"have shapes \[\(1,\)"),
        ({"fed_far": [True]}, "not .*"),
    ],
)
def test_lines_refuse_what_no_crossbar_has(fields: dict[str, Any], words: str) -> None:
    given = {"word_segments": [1, 2, 1], "bit_segments": [3], "word_leads": [0, 1], "bit_leads": [1, 1, 1, 1]}
    assert LineResistances(**given, fed_far=[True, False]).pieces == 2 * 3 + 4 + 1 + 4
    with pytest.raises(NetlistError, match=words):
        LineResistances(**{**given, "fed_far": [True, False], **fields})


def test_netlists_refuse_decks_outside_their_folder() -> None:
    good = samples.netlist()
    for name in ("../deck.cir", "/deck.cir", "a/b.cir", "", ".", ".."):
        with pytest.raises(NetlistError, match="must be a file name without a folder"):
            changed(good, decks=("image_0.cir", name))
    with pytest.raises(NetlistError, match="1 decks for 2 samples"):
        changed(good, decks=("image_0.cir",))


def test_waveforms_refuse() -> None:
    good = samples.waveforms()
    for fields, message in (
        ({"seconds": np.ones(3)}, "one number per sample"),
        ({"traces": np.ones((6, 4))}, r"traces have shape \(6, 4\); expected \(6, 5\)"),
        ({"membranes": (good.membranes[0], good.membranes[0])}, r"membranes of layer 2 have shape \(2, 4, 2\)"),
        ({"spikes": (good.spikes[0][:, :3], good.spikes[1])}, r"spikes of layer 1 have shape \(2, 3, 2\)"),
    ):
        with pytest.raises(CompareError, match=message):
            changed(good, **fields)


def test_layouts_refuse() -> None:
    good = samples.shapes()
    flat = np.array(good.boxes)
    flat[1, 5] = flat[1, 2]
    with pytest.raises(LayoutError, match="shape 1 on silver is empty or inside out"):
        changed(good, boxes=flat)
    with pytest.raises(LayoutError, match=r"do not fit \(n, 6\)"):
        changed(good, nets=np.zeros(3))
    with pytest.raises(LayoutError, match="conductance must have one entry per device"):
        changed(samples.devices(), conductance=np.ones(3))
    with pytest.raises(LayoutError, match=r"boxes must be \(devices, 6\)"):
        changed(samples.devices(), boxes=np.zeros((1, 6)))
    with pytest.raises(LayoutError, match="no layer 'gold'; it has silver"):
        samples.process().layer("gold")


def test_bounds_enclose_every_shape() -> None:
    assert samples.layout().bounds.tolist() == [0, 0, 0, 1500, 1500, 1500]


def test_parasitics_of_an_earlier_version_are_refused(tmp_path: Path) -> None:
    """They held one mean a layer, under other names."""
    kept = {"value": 1.0, "unit": "ohm", "source": "x", "confidence": "derived"}
    layer = {"noun": "LayerParasitics", "word_segment": {"noun": "Quantity", **kept}}
    header = {"format": "snn2circuit/1", "value": {"noun": "Parasitics", "layers": [layer]}}
    with zipfile.ZipFile(tmp_path / "old.npz", "w") as archive:
        archive.writestr("header.json", json.dumps(header))
    with pytest.raises(
        FileFormatError, match="LayerParasitics has no field 'word_segment': the file was written by anot"
    ):
        load(tmp_path / "old.npz", Parasitics)
