"""Process files: presets survive being written, and every mistake is named with the numbers that collide."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from layout_crossbars import make_crossbar

from snn2circuit.cli import main
from snn2circuit.design import parse_design
from snn2circuit.errors import DesignError, LayoutError
from snn2circuit.ir.files import fingerprint
from snn2circuit.ir.layout import PRINTING
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.process_file import parse_process, process_toml, read_process
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.rules import read_rules
from snn2circuit.layout.signoff.deck import rule_deck
from snn2circuit.steps import build_stack

INKJET = process_toml(PROCESSES["inkjet"])


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_a_preset_that_is_printed_reads_back_the_same(name: str) -> None:
    assert fingerprint(parse_process(process_toml(PROCESSES[name]))) == fingerprint(PROCESSES[name])


@given(st.text(min_size=1).filter(str.strip))
def test_any_text_survives(text: str) -> None:
    words = text.encode("utf-8", "replace").decode()
    written = re.sub(r"(?m)^technology = .*", "technology = 'x'", INKJET)
    process = parse_process(written)
    assert parse_process(process_toml(replace(process, technology=words))).technology == words


def changed(key: str, value: str | None, text: str = INKJET) -> str:
    """``text`` with the first line of ``key`` replaced or left out."""
    line = "" if value is None else f"{key} = {value}\n"
    result, count = re.subn(rf"(?m)^{key} = .*\n", lambda _: line, text, count=1)
    assert count == 1
    return result


def without_layer(name: str) -> str:
    head, *layers = INKJET.split("[[layers]]")
    return "[[layers]]".join([head, *(each for each in layers if f'name = "{name}"' not in each)])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", ["not valid TOML"]),
        (changed("min_space", None), ["[rules]", "min_space missing", "snn2circuit process inkjet"]),
        (changed("min_width", "1e-4\nmin_with = 3"), ["unknown key 'min_with'", "did you mean 'min_width'"]),
        (changed("min_width", '"wide"'), ["min_width = 'wide'", "a number in m"]),
        (changed("min_width", "-1e-4"), ["min_width is -0.0001 m", "more than 0"]),
        (changed("min_width", "nan"), ["min_width is nan"]),
        (changed("min_width", "{ value = 0.1 }"), ["min_width: unit, source, confidence missing"]),
        (
            changed("min_width", '{ value = 1, unit = "mm", source = "x", confidence = "high" }'),
            ["min_width is given in 'mm'; it must be in 'm'"],
        ),
        (
            changed("min_width", '{ value = 1, unit = "m", source = "x", confidence = "hihg" }'),
            ["confidence of min_width is 'hihg'", "did you mean 'high'"],
        ),
        (
            changed("overlay", "50e-6"),
            ["overlay is 60000 nm and min_space 120000 nm", "min_space to 150000 nm", "at most 30000 nm"],
        ),
        (changed("sheet_width", None), ["sheet_length is given and sheet_width is not"]),
        (changed("sheet_width", "0.5"), ["sheet_length is 0.42 m", "0.5 m is the least that fits"]),
        (changed("density_window", None), ["max_density is given and density_window is not"]),
        (changed("max_density", "0.4"), ["max_density is 0.4", "cover 0.5, which is the least that fits"]),
        (changed("role", '"substrat"'), ["layer 1 (substrate)", "did you mean 'substrate'"]),
        (changed("mask", "1\nmin_width = 1e-4"), ["layer 1 (substrate)", "min_width is for layers of role conductor"]),
        (changed("mask", "1\nmin_width = -1"), ["layer 1 (substrate)", "min_width is -1", "more than 0"]),
        (changed("mask", "1\npasses = 2"), ["layer substrate: passes: for printed layers"]),
        (changed("color", '"blue"'), ["color = 'blue'", "#rrggbb"]),
        (changed("mask", "2"), ["both have mask 2", "the next free number is 1"]),
        (changed("mask", "2.5"), ["mask = 2.5"]),
        (changed("permittivity", None), ["layer 1 (substrate): permittivity is missing"]),
        (changed("sheet_resistance", None), ["(word_lines): sheet_resistance is missing"]),
        (changed("thickness", "1e-4"), ["substrate_vias is 125000 nm thick and substrate 100000 nm"]),
        (without_layer("bit_lines"), ["has no layer 'bit_lines'"]),
        (INKJET.replace('name = "bit_lines"', 'name = "bitlines"'), ["'bitlines' is unknown", "'bit_lines'"]),
        (INKJET + "[[layers]]" + INKJET.split("[[layers]]")[1].replace("mask = 1", "mask = 77"), ["is there twice"]),
        ("layers = 3\nname = 'a'\ntechnology = 'b'\nrules = {}", ["[[layers]]"]),
    ],
)
def test_a_mistake_is_named_with_the_file_and_a_way_out(text: str, words: list[str]) -> None:
    with pytest.raises(LayoutError) as caught:
        parse_process(text, "mine.toml")
    assert str(caught.value).startswith("mine.toml")
    for word in words:
        assert word in str(caught.value)


def test_what_the_message_offers_fits() -> None:
    assert parse_process(changed("min_space", "150e-6", changed("overlay", "50e-6")))
    assert parse_process(changed("overlay", "30e-6"))
    assert parse_process(changed("max_density", "0.5"))


def test_layers_stand_in_printing_order() -> None:
    head, first, *rest = INKJET.split("[[layers]]")
    with pytest.raises(LayoutError, match="bottom to top: substrate, substrate_vias, interlayer"):
        parse_process("[[layers]]".join([head, *rest, "\n" + first]))


def test_a_number_alone_is_marked_as_assumed() -> None:
    width = parse_process(changed("min_width", "80e-6")).min_width
    assert (width.value, width.unit, width.confidence) == (80e-6, "m", "assumed")


def test_a_design_names_a_process_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(changed("min_width", "200e-6").replace('name = "inkjet"', 'name = "mine"', 1))
    design = parse_design(f"[layout]\nprocess = '{path}'")
    layout = build_stack(design, make_crossbar(2, 2, 1))
    assert layout.process.name == "mine"
    assert any("smallest line width 200" in each for each in layout.assumptions)
    with pytest.raises(DesignError, match=r"allowed: inkjet, .*, or a .toml file; did you mean 'inkjet'"):
        parse_design("[layout]\nprocess = 'inkjets'")
    with pytest.raises(LayoutError, match="cannot be read"):
        read_process(tmp_path / "none.toml")


def test_the_command_prints_presets_and_checks_files(tmp_path: Path) -> None:
    shown = CliRunner().invoke(main, ["process", "gravure"])
    assert shown.output == process_toml(PROCESSES["gravure"])
    path = tmp_path / "mine.toml"
    path.write_text(shown.output.replace("4e-05", "8e-05"))
    refused = CliRunner().invoke(main, ["process", str(path)])
    assert refused.exit_code == 1
    assert "overlay is 80000 nm" in refused.output
    assert "no process and no file 'etching'" in CliRunner().invoke(main, ["process", "etching"]).output


def test_a_users_resistive_ink_makes_meanders() -> None:
    text = INKJET.replace('name = "devices"', 'name = "devices"\nsheet_resistance = 2e3')
    layout = build_layout(make_crossbar(2, 2, process="inkjet_resistor"), parse_process(text))
    (told,) = [each for each in layout.assumptions if "squares" in each]
    assert "5 to 5e+03 squares" in told  # 10 kohm to 10 Mohm
    assert "sheet resistance of devices 2 kΩ/sq is assumed" in "".join(layout.assumptions)
    assert not [
        each for each in build_layout(make_crossbar(2, 2), PROCESSES["inkjet"]).assumptions if "squares" in each
    ]


@pytest.mark.parametrize("process", sorted(PROCESSES))
def test_an_isolated_stack_has_one_substrate_and_thin_interlayers(process: str) -> None:
    layout = build_layout(make_crossbar(3, 4, 2, process=process), PROCESSES[process], "isolated")
    assert layout.mode == "isolated"
    bases = [sheet.shapes[0] for sheet in layout.sheets]
    assert [base.layer for base in bases] == ["substrate", "interlayer"]
    below = max(int(shapes.boxes[:, 5].max()) for shapes in layout.sheets[0].shapes)
    assert set(bases[1].boxes[:, 2].tolist()) == {below}
    thickness = round(layout.process.layer("dielectric").thickness.value * 1e9)
    assert set((bases[1].boxes[:, 5] - bases[1].boxes[:, 2]).tolist()) == {thickness}


@pytest.mark.parametrize(
    ("process", "mode", "words"),
    [
        ("inkjet", "shared_electrode", "the currents of both would add up in one neuron"),
        ("inkjet", "pile", "there is no stack mode 'pile'"),
        ("organic_flow", "sheet_per_layer", "has no substrate_vias; stack mode sheet_per_layer needs it: use isolated"),
    ],
)
def test_a_mode_that_makes_no_circuit_is_refused_with_the_reason(process: str, mode: str, words: str) -> None:
    with pytest.raises(LayoutError, match=re.escape(words)):
        build_layout(make_crossbar(2, 2, process=process), PROCESSES[process], mode)


def test_a_layer_may_have_rules_of_its_own() -> None:
    wide = changed("mask", "8\nmin_width = 200e-6\nmin_space = 300e-6", INKJET.split('name = "bit_lines"')[1])
    process = parse_process(f'{INKJET.split(chr(34) + "bit_lines")[0]}"bit_lines"{wide}')
    assert fingerprint(parse_process(process_toml(process))) == fingerprint(process)
    deck = {rule.name: rule.limit for rule in rule_deck(process)}
    assert (deck["bit_lines.width"], deck["bit_lines.space"]) == (200_000, 300_000)
    assert (deck["word_lines.width"], deck["word_lines.space"]) == (100_000, 100_000)
    rules = read_rules(process)
    assert (rules.width, rules.space) == (210_000, 300_000)  # both kinds of line, on the drop grid
    with pytest.raises(LayoutError, match="min_space of bit_lines is"):
        parse_process(process_toml(process).replace("value = 0.0003", "value = 3e-16"))


WORD_LINES = 'name = "word_lines"\n'
PRINTED = """passes = 2
bias = -12e-6
drop_volume = 1e-14
solids = 0.2
cost = { value = 900, unit = "1/l", source = "an offer", confidence = "high" }
"""


def test_how_a_layer_is_printed_reads_back_the_same() -> None:
    process = parse_process(INKJET.replace(WORD_LINES, WORD_LINES + PRINTED))
    layer = process.layer("word_lines")
    values = [getattr(layer, name) for name in PRINTING]
    assert [each.value for each in values] == [-12e-6, 2, 1e-14, 0.2, 900]
    assert [each.unit for each in values] == ["m", "1", "m3", "1", "1/l"]
    assert fingerprint(parse_process(process_toml(process))) == fingerprint(process)
    assert all(getattr(process.layer("bit_lines"), name) is None for name in PRINTING)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("passes = 1.5", "layer word_lines: 1.5 passes; there can be a whole number of 1 to 99"),
        ("passes = 0", "passes is 0 1; it must be a number, more than 0"),
        ("passes = 100", "100 passes"),
        ("bias = 0.1", "bias = 0.1 m; it must lie between -0.001 and 0.001 m"),
        ("bias = -0.1", "bias is -0.1 m; it must be a number, -0.001 or more"),
        ("solids = 1.5", "solids = 1.5; a share is more than 0 and at most 1"),
        ("solids = 0", "solids is 0 1; it must be a number, more than 0"),
        ("drop_volume = -1e-14", "drop_volume is -1e-14 m3"),
        ("cost = nan", "cost is nan 1/l"),
        ('cost = { value = 1, unit = "EUR/l", source = "x", confidence = "high" }', "it must be in '1/l'"),
    ],
)
def test_how_a_layer_cannot_be_printed_is_named(line: str, words: str) -> None:
    with pytest.raises(LayoutError, match=re.escape(words)):
        parse_process(INKJET.replace(WORD_LINES, f"{WORD_LINES}{line}\n"))
