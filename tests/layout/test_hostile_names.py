"""Names from files of strangers, in everything that this package writes: no format takes them for its own words."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import tomllib
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import klayout.db as kdb
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from layout_crossbars import make_crossbar

from snn2circuit.analysis.html import note, table
from snn2circuit.analysis.materials import Bill, Print, write_materials
from snn2circuit.cli import console, main
from snn2circuit.design import Design, parse_design
from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import Layout, Process
from snn2circuit.ir.plain import plain
from snn2circuit.ir.tables import csv_text
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.masks.files import MASK_FORMATS, write_masks
from snn2circuit.layout.printable import write_3mf
from snn2circuit.layout.process_file import parse_process, process_toml
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.viewer.page import embed

PACKAGE = Path(__file__).parents[2] / "snn2circuit"
STARTS = ["=", "+", "-", "@", "|", "%", "\t=", "\r=", "\n=", " =", "  +", '"=', "'=", "\ufeff=", "\xa0-", "\u200b@"]
STARTS += ["\uff1d", "\uff0b", "\uff0d", "\uff20", "\x00=", "\x1b=", "a;=", "a,=", 'a"\t=', "a\n+", "a\r\n@"]
FORMULAS = [f"{start}{rest}" for start in STARTS for rest in ("1+1", "cmd|' /C calc'!A0", 'HYPERLINK("http://x")')]
NAMES = [
    *FORMULAS, "</script><script>alert(1)</script>", "<!--", "]]>", "&lt;", "\"'><img src=x onerror=alert(1)>", "{{7}}",
    "\x1b[2J\x1b]0;title\x07", "\x9b31m", "a\x08\x08b", "\u202eevil", "\u2028.control", "a\nb", "a\r\nb", "a\x00b",
    "a\x7fb", "*%\n%TO.N,x", "a,b*%", "\\u0025", "'; system('x') #", '"""', "\\", "\\n", "x" * 300, "[bold]x[/]",
    "[/x]", ":smile:", "Ω µ",
]  # fmt: skip


def cells(text: str, delimiter: str = ",") -> list[str]:
    return [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) for cell in row]


def is_formula(cell: str) -> bool:
    start = cell.lstrip("\"' \xa0\ufeff\u200b\x00\x1b\n\r")
    is_number = re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", cell, re.ASCII)
    return start[:1] in set("=+-@|%\t\uff1d\uff0b\uff0d\uff20") - {""} and not is_number and cell[:1] != "'"


# --- tables -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_no_cell_becomes_a_formula(name: str, delimiter: str) -> None:
    text = csv_text(["a", name], [[1, name, "b"]])
    assert name[-3:] in text.replace('""', '"')
    assert not [cell for cell in cells(text, delimiter) if is_formula(cell.lstrip("ab"))]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_stay_numbers(number: float) -> None:
    found = cells(csv_text(["x"], [[number, f"{number:.9g}", f"{number:.3e}", int(number), "+", "-"]]))[1:]
    assert found[0] == repr(number)
    assert found[1:] == [f"{number:.9g}", f"{number:.3e}", str(int(number)), "+", "-"]


@given(st.text())
def test_texts_can_be_read_back(text: str) -> None:
    (_, back) = csv.reader(io.StringIO(csv_text(["x"], [[text, 1]]), newline=""))
    assert back[0].replace("'", "") == plain(text).replace("'", "")


def test_there_is_one_way_to_write_a_table_and_one_to_speak() -> None:
    csv_users, speakers = [], []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if "csv" in imported or (isinstance(node, ast.ImportFrom) and node.module == "csv"):
                csv_users.append(path.relative_to(PACKAGE).as_posix())
            if isinstance(node, ast.Attribute) and node.attr in ("echo", "secho"):
                speakers.append(path.relative_to(PACKAGE).as_posix())
    assert csv_users == ["ir/tables.py"]
    assert speakers == ["cli/console.py"]


def test_the_material_of_a_process_file(tmp_path: Path) -> None:
    """The case that was seen: a material that begins with an equals sign."""
    layer = Print(sheet=1, layer="word_lines", mask=3, material="=1+1", shapes=1, area=1e-6, thickness=1e-6)
    bill = Bill(prints=(layer,), size=(1, 1, 1), vias={}, crossovers=(0,), fingers=0, devices=0, cells=())
    write_materials(bill, tmp_path)
    assert "'=1+1" in cells((tmp_path / "materials.csv").read_text())
    assert json.loads((tmp_path / "materials.json").read_text())["prints"][0]["material"] == "=1+1"


# --- masks and solids -------------------------------------------------------------------------------


def named(layout: Layout, name: str) -> Layout:
    """``layout`` with ``name`` wherever a stranger may put a text."""
    layers = tuple(replace(layer, material=name) for layer in layout.process.layers)
    process: Process = replace(layout.process, name=name, technology=name, layers=layers)
    nets = tuple(f"{net}{name}" for net in layout.nets)
    return replace(layout, name=name, process=process, nets=nets)


@pytest.fixture(scope="module")
def layout() -> Layout:
    return build_layout(make_crossbar(2, 1), PROCESSES["inkjet"])


@pytest.mark.parametrize("name", ["=1+1", *NAMES[len(FORMULAS) :]])
def test_masks_keep_their_form(name: str, layout: Layout, tmp_path: Path) -> None:
    hostile = named(layout, name)
    plain_paths = write_masks(layout, tmp_path / "plain", [each for each in MASK_FORMATS if each != "png"])
    paths = write_masks(hostile, tmp_path / "hostile", [each for each in MASK_FORMATS if each != "png"])
    assert [path.name for path in paths] == [path.name for path in plain_paths]
    for path, other in zip(paths, plain_paths, strict=True):
        if path.suffix in (".svg", ".lyp", ".lyd25"):
            tags = [element.tag for element in ET.parse(path).iter()]  # noqa: S314 - our own
            assert tags == [element.tag for element in ET.parse(other).iter()]  # noqa: S314
        elif path.suffix == ".gbr":
            lines, expected = (each.read_text(encoding="utf-8").split("\n") for each in (path, other))
            assert len(lines) == len(expected)
            assert [line[:5] for line in lines] == [line[:5] for line in expected]
            assert all(line.count("%") in (0, 2) and line.count("*") in (0, 1) for line in lines)
        elif path.suffix == ".dxf":
            assert path.read_bytes().count(b"\n") == other.read_bytes().count(b"\n")
        elif path.suffix in (".gds", ".oas"):
            database = kdb.Layout()
            database.read(str(path))
            for index in database.layer_indexes():
                shapes = database.top_cell().begin_shapes_rec(index)
                assert all(each.shape().text_string.isprintable() for each in shapes.each() if each.shape().is_text())
    write_3mf(hostile, tmp_path / "stack.3mf")


@pytest.mark.parametrize("name", ["../../x", "a/b", "", "a b", "x'; y", "a\n", "é", "=1", "x" * 65, "1a", "a\0", "<b>"])
def test_names_of_layers_cannot_be_paths_or_scripts(name: str) -> None:
    layer = PROCESSES["inkjet"].layers[0]
    with pytest.raises(LayoutError, match="letters, digits"):
        replace(layer, name=name)
    with pytest.raises(LayoutError, match="rrggbb"):
        replace(layer, color=name)


# --- texts ------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attributes if name != "class")))


@pytest.mark.parametrize("name", NAMES[len(FORMULAS) :])
def test_pages_keep_their_form(name: str) -> None:
    def page(text: str) -> str:
        return note(text) + table((text, "b"), [(text, text)]) + embed(b"glTF", text, json.dumps({"net": text}))

    assert Tags(page(name)).found == Tags(page("name")).found


@pytest.mark.parametrize("name", NAMES)
def test_toml_can_be_read_back(name: str) -> None:
    process = replace(PROCESSES["inkjet"], name=name, technology=name)
    assert tomllib.loads(process_toml(process))["name"] == name
    if name.strip():
        assert parse_process(process_toml(process)).technology == name
    design = Design()
    changed = replace(design, data=replace(design.data, folder=name))
    assert parse_design(changed.as_toml()).data.folder == name


@given(st.text())
def test_plain_text_is_printable_and_plain_stays(text: str) -> None:
    assert plain(text).isprintable()
    assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize("name", NAMES)
def test_the_terminal_shows_and_does_not_obey(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    console.say(name, fg="red")
    console.say(name, err=True)
    console.table([(name, name)])
    with console.bar("layout") as tell:
        tell(1.0, name)
    out, err = capsys.readouterr()
    assert all(c.isprintable() or c in "\n\t\xa0" for c in re.sub(r"\x1b\[\d*m", "", out) + err)
    assert "\x1b[2J" not in out + err


def test_messages_of_errors_are_plain_too(tmp_path: Path) -> None:
    (tmp_path / "d.toml").write_text('[layout]\n"\\u001b[2Jkey" = 1\n')
    answer = CliRunner().invoke(main, ["train", "-d", str(tmp_path / "d.toml"), "-o", str(tmp_path / "n.npz")])
    assert answer.exit_code == 1
    assert "\x1b" not in answer.output
    assert "\\x1b[2J" in answer.output
