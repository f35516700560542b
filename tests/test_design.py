"""The design file: every default allowed, every mistake named with its line, key and what is allowed."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snn2circuit.datasets import load_dataset
from snn2circuit.design import Design, keys, parse_design, read_design
from snn2circuit.errors import DesignError, NetlistError, NetworkError
from snn2circuit.layout.masks.raster import Raster
from snn2circuit.neurons.alpha import Alpha
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.steps import check_circuit, design_recipe, make_neurons
from snn2circuit.training import Recipe, train


def test_an_empty_file_is_the_default_design() -> None:
    assert parse_design("") == Design()


@pytest.mark.parametrize("documented", [True, False])
def test_a_printed_design_reads_back_the_same(documented: bool) -> None:
    design = replace(Design(), network=replace(Design().network, hidden=(20, 15), beta=0.75, bias=False))
    text = design.as_toml(documented=documented)
    assert parse_design(text) == design
    assert ("#" in text) is documented


def test_every_key_is_documented() -> None:
    for section, value in Design().sections():
        for name, key in keys(type(value)).items():
            assert len(key.doc) > 10, f"[{section}] {name}"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("[network]\nhiden = [3]", 2, "did you mean 'hidden'"),
        ("\n\n[netwrk]\n", 3, "unknown section [netwrk]; did you mean 'network'"),
        ("[network]\nsteps = 5\n\nbeta = 1.5", 4, "beta = 1.5: allowed: at least 0 and at most 1"),
        ("[network]\nsteps = 2.5", 2, "a whole number is needed"),
        ("[network]\nhidden = 32", 2, "a list of whole numbers is needed, such as [32]"),
        ("[network]\nhidden = [32, 0]", 2, "allowed: at least 1"),
        ("[network]\nbias = 1", 2, "true or false is needed"),
        ("[network]\nbias = true\nreset_mechanism = 'half'", 3, "allowed: subtract, zero, none"),
        ("[device]\nlevels = true", 2, "a whole number is needed"),
        ("[device]\npreset = 'rram_mil'", 2, "did you mean 'rram_milo'"),
        ("[data]\ndataset = 'digit'\n[network]\n", 2, "did you mean 'digits'"),
        ("[training]\nlearning_rate = 0", 2, "allowed: more than 0"),
        ("[training]\nlearning_rate = nan", 2, "allowed: more than 0"),
        ("[simulation]\ntime_limit = inf", 2, "allowed: more than 0"),
        ("[circuit]\nslot = 'long'", 2, "a number is needed"),
        ("[layout]\nprocess = 'etching'", 2, "allowed: inkjet"),
        ("seed = 3", 1, "unknown section [seed]"),
        ("network = 3", 1, "must be a section"),
        ("[data]\n[[network]]\nbeta = 0.3", 2, "must be a section"),
        ("# beta = 7\nnetwork.beta = 3.0", 2, "beta = 3.0: allowed"),
        ("network = {steps = 3, beta = 3.0}", 1, "beta = 3.0: allowed"),
        ("[data]\nfolder = 'x'\n[network\n", 3, "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(DesignError) as caught:
        parse_design(text, "mine.toml")
    message = str(caught.value)
    assert message.startswith("mine.toml")
    assert f"line {line}" in message
    assert says in message


def test_a_design_made_in_python_is_checked_too() -> None:
    with pytest.raises(DesignError, match=r"\[device\] levels = 1: allowed: at least 2"):
        replace(Design(), device=replace(Design().device, levels=1))


def test_a_list_has_one_value_for_each_layer() -> None:
    design = parse_design(
        "[network]\nhidden = [5]\nneuron = ['leaky', 'alpha']\nbeta = [0.5, 0.75]\nreset_mechanism = ['none', 'zero']"
    )
    assert parse_design(design.as_toml()) == design
    first, second = make_neurons(design)
    assert first == Leaky(beta=0.5, reset_mechanism="none")
    assert second == Alpha(alpha=0.95, beta=0.75, reset_mechanism="zero")
    assert design_recipe(design, load_dataset("xor")).neurons == (first, second)
    for text, says in (
        ("beta = [0.5]", r"\[network\] beta lists 1 values; 2 layers need one each"),
        ("neuron = ['leaky', 'alfa']", "did you mean 'alpha'"),
        ("beta = [0.5, 'x']", "a number is needed"),
        ("beta = []", "a number is needed, or a list with one for each layer"),
        ("beta = [[0.5], 0.5]", "a number is needed"),
    ):
        with pytest.raises(DesignError, match=says):
            parse_design("[network]\n" + text)


def test_a_layer_without_a_circuit_is_refused_before_training() -> None:
    for lines, says in (
        ("neuron = ['leaky', 'alpha']", "alpha_2: an alpha neuron with reset by subtraction has no circuit"),
        ("neuron = ['lapicque', 'leaky']\nC = 0.5", "lapicque_1: time_step 1 is not below R·C = 0.5"),
    ):
        with pytest.raises(NetlistError, match=says):
            check_circuit(parse_design("[network]\n" + lines))
    with pytest.raises(NetworkError, match="beta of a Lapicque neuron cannot be learnt"):
        train(
            load_dataset("xor"),
            design_recipe(parse_design("[network]\nneuron = 'lapicque'\nlearn_beta = true"), load_dataset("xor")),
        )


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match=r"gone\.toml cannot be read"):
        read_design(tmp_path / "gone.toml")
    (tmp_path / "latin.toml").write_bytes(b"[data]\n# \xe4\n")
    with pytest.raises(DesignError, match=r"latin\.toml cannot be read"):
        read_design(tmp_path / "latin.toml")


def test_the_fingerprint_follows_the_content() -> None:
    design = Design()
    other = replace(design, training=replace(design.training, seed=1))
    assert design.fingerprint() == Design().fingerprint() != other.fingerprint()
    assert design.fingerprint("network") == other.fingerprint("network")


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=200) | st.text(alphabet='[]=."\n network betasteps123', max_size=80))
def test_no_text_gives_anything_but_a_design_or_our_error(text: str) -> None:
    try:
        design = parse_design(text)
    except DesignError:
        return
    assert isinstance(design, Design)


def test_the_training_section_is_the_recipe() -> None:
    """Same keys, same defaults: a design without a training section trains as ``Recipe()`` does."""
    ours = {name: getattr(Design().training, name) for name in keys(type(Design().training)) if name != "seed"}
    # The encoding is made from several keys and the data.
    network = ("neuron", "convolution", "hidden", "steps", "bias", "learn_beta", "learn_threshold", "encoding")
    assert ours == {each.name: each.default for each in fields(Recipe) if each.name not in network}
    assert {name: getattr(Design().network, name) for name in network[1:-1]} == {
        each.name: each.default for each in fields(Recipe) if each.name in network[1:-1]
    }


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("mirror = true", "[masks] mirror = True is for bitmaps"),
        ("dpi_x = 600", "[masks] dpi_x = 600.0 is for bitmaps"),
        ('formats = ["gds", "svg"]\nmargin = 1e-3', "add png, tiff, bmp to it, or leave margin out"),
        ('formats = ["cif"]', "allowed: gds, oas"),
        ('formats = ["png"]\nscale_x = 3.0', "at most 2"),
        ('formats = ["png"]\ndpi_y = -1', "at least 0"),
    ],
)
def test_masks_that_cannot_be_asked_for_are_refused(keys: str, words: str) -> None:
    with pytest.raises(DesignError, match=re.escape(words)):
        parse_design(f"[masks]\n{keys}\n")


def test_bitmaps_get_what_the_design_asks_for() -> None:
    design = parse_design('[masks]\nformats = ["gds", "tiff"]\ndpi_x = 600\nscale_y = 1.002\nnegative = true\n')
    assert design.masks.raster == Raster(dpi_x=600, scale_y=1.002, negative=True)
    assert Design().masks.raster == Raster()
