"""Mask files in text, from strangers: bounded, and refused by file and line."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from snn2circuit.errors import LayoutError
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.signoff.readers import drawn
from snn2circuit.layout.signoff.stack import read_masks

INKJET = PROCESSES["inkjet"]
NAMES = ("sheet1.svg", "sheet1_word_lines.gbr", "sheet1_word_lines.ger")
HEAD = "0\nSECTION\n2\nHEADER\n9\n$INSUNITS\n70\n4\n0\nENDSEC\n"
CORNERS = "".join(f"0\nVERTEX\n8\n0\n10\n{x}\n20\n{y}\n" for x, y in ((0, 0), (1, 0), (1, 1), (0, 1)))
BOX = f"0\nPOLYLINE\n8\nsheet1_3_word_lines\n66\n1\n70\n1\n{CORNERS}0\nSEQEND\n"


def insert(name: str, columns: int, rows: int) -> str:
    return f"0\nINSERT\n8\n0\n2\n{name}\n10\n0\n20\n0\n70\n{columns}\n71\n{rows}\n44\n2\n45\n2\n"


def block(name: str, text: str) -> str:
    return f"0\nBLOCK\n8\n0\n2\n{name}\n70\n0\n10\n0\n20\n0\n{text}0\nENDBLK\n"


def dxf(blocks: str, entities: str, head: str = HEAD) -> str:
    sections = (("BLOCKS", blocks), ("ENTITIES", entities))
    return head + "".join(f"0\nSECTION\n2\n{name}\n{text}0\nENDSEC\n" for name, text in sections) + "0\nEOF\n"


SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="1mm" height="1mm" viewBox="0 0 1 1">{}</svg>'
SHEET = '<g id="sheet1" transform="scale(1 -1)">{}</g>'
GERBER = "%FSLAX46Y46*%\n%MOMM*%\n"
REFUSED: dict[str, tuple[str, str, str]] = {
    "dxf grid": ("a.dxf", dxf(block("A", BOX), insert("A", 30000, 30000)), "comes to 900,000,000 shapes"),
    "dxf array": ("a.dxf", dxf(block("A", BOX), insert("A", 2**31 - 1, 2**31 - 1)), "shapes when it is drawn"),
    "dxf itself": ("a.dxf", dxf(block("A", BOX + insert("A", 2, 2)), insert("A", 1, 1)), "KLayout cannot read it"),
    "dxf crowded": ("a.dxf", dxf("", BOX * 9000), "lie over each other"),
    "dxf far": ("a.dxf", dxf("", BOX.replace("10\n1\n", "10\n1e12\n")), "overflow"),
    "dxf no unit": ("a.dxf", dxf("", BOX, ""), r"states no unit; \$INSUNITS must be 4"),
    "dxf two units": ("a.dxf", dxf("", BOX, HEAD + HEAD.replace("4\n0", "1\n0")), "states unit 1, 4; "),
    "dxf binary": ("a.dxf", "AutoCAD Binary DXF\r\n\x1a\0", "no DXF file in text"),
    "dxf in name only": ("a.dxf", "\0\x06\0\x02\0\7", "no DXF file in text"),
    "svg entities": ("sheet1.svg", '<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG, "line 1: a document type"),
    "svg link": ("sheet1.svg", SVG.format('\n<image href="file:///etc/passwd"/>'), "line 2: element 'image'"),
    "svg script": ("sheet1.svg", SVG.format("<script>x</script>"), "element 'script'"),
    "svg nested": ("sheet1.svg", SVG.format("<g>" * 10**5), "transform"),
    "svg far": (
        "sheet1.svg", SVG.format(SHEET.format('<g id="cells"><circle cx="9999" cy="0" r="1"/></g>')), "2.147 m"
    ),
    "svg no numbers": ("sheet1.svg", SVG.replace("1mm", "1e9mm").format(""), "does not state its unit"),
    "svg encoding": ("sheet1.svg", '<?xml version="1.0" encoding="klingon"?>' + SVG, "line 1: "),
    "svg empty": ("sheet1.svg", SVG.format(""), "it holds no shapes"),
    "svg name": ("drawing.svg", SVG.format(""), "is called sheet1.svg"),
    "svg sheet": ("sheet513.svg", SVG.format(""), "there is no sheet 513; a stack has at most 512"),
    "gerber repeat": ("sheet1_cells.gbr", GERBER + "%SRX9999Y9999I1J1*%", "line 3: 'SRX9999Y9999I1J1' is not among"),
    "gerber macro": ("sheet1_cells.gbr", GERBER + "%AMA*1,1,1,0,0*%", "line 2: no command begins"),
    "gerber far": ("sheet1_cells.ger", GERBER + "%ADD10C,1.000000*%D10*X9999999999Y0D03*", "2.147 m"),
    "gerber long": ("sheet1_cells.ger", GERBER + "X" * 10**6, "line 2: no command begins"),
    "gerber unit": ("sheet1_cells.ger", "%FSLAX46Y46*%\n%MOIN*%", "line 2: its unit is 'IN'"),
    "gerber name": ("cells.gbr", GERBER, "is called sheet1_word_lines.gbr"),
    "gerber layer": ("sheet1_copper.gbr", GERBER, "has no layer 'copper'; it has substrate"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_mask_is_refused(name: str, tmp_path: Path) -> None:
    file, text, says = REFUSED[name]
    (tmp_path / file).write_text(text)
    with pytest.raises(LayoutError, match=says) as refusal:
        read_masks(tmp_path / file, INKJET)
    assert str(tmp_path / file) in str(refusal.value)
    assert len(str(refusal.value)) < 1000


@pytest.mark.parametrize("name", [*NAMES, "a.dxf"])
@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_only_regular_files_are_opened(make: Callable[[Path], None], name: str, tmp_path: Path) -> None:
    make(tmp_path / name)
    with pytest.raises(LayoutError, match="not a regular file"):
        read_masks(tmp_path / name, INKJET)


@pytest.mark.parametrize("name", NAMES)
def test_a_set_that_is_too_large_is_not_opened(name: str, tmp_path: Path) -> None:
    with (tmp_path / name).open("wb") as stream:
        stream.truncate(drawn.MAX_TEXT + 1)
    with pytest.raises(LayoutError, match=re.escape(f"the limit is {drawn.MAX_TEXT:,}: write the masks as OASIS")):
        read_masks(tmp_path / name, INKJET)


def test_a_set_with_too_many_shapes_is_not_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "MAX_SHAPES", 100)
    flashes = "".join(f"X{1000 * i}Y0D03*\n" for i in range(101))
    (tmp_path / "sheet1_cells.ger").write_text(f"{GERBER}%ADD10C,1.000000*%\nD10*\n{flashes}M02*\n")
    with pytest.raises(LayoutError, match=r"line 105: more than 100 shapes"):
        read_masks(tmp_path / "sheet1_cells.ger", INKJET)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    for name in (*NAMES, "a.dxf", "a.gds"):
        with pytest.raises(LayoutError, match=r"cannot be read|it holds no shapes"):
            read_masks(tmp_path / "nowhere" / name, INKJET)
