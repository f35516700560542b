"""The commands that write masks and judge them, and what they answer to wrong masks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import klayout.db as kdb
import pytest
from click.testing import CliRunner, Result

from snn2circuit.cli import main
from snn2circuit.layout.masks.bitmap import WRITERS
from snn2circuit.layout.masks.files import MASK_FORMATS
from snn2circuit.layout.masks.formats import BITMAPS, FORMATS


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_masks_are_written_and_judged(finished: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    out = finished[0]
    layout, crossbar = out / "layout.npz", out / "crossbar.npz"
    written = call("masks", layout, "-o", tmp_path, "-f", "gds", "-f", "svg", "-f", "png", "--dpi", 600)
    assert written.exit_code == 0, written.output
    assert {"stack.gds", "sheet1.svg", "sheet2_word_lines.png"} <= {path.name for path in tmp_path.iterdir()}
    gds = tmp_path / "stack.gds"
    assert gds.read_bytes() == (out / "masks" / "stack.gds").read_bytes()
    clean = call("drc", gds, layout, "-o", tmp_path / "drc")
    assert clean.exit_code == 0, clean.output
    assert re.search(r"0 violations of \d+ rules of inkjet", clean.output)
    match = call("lvs", gds, layout, crossbar, "-o", tmp_path / "lvs")
    assert match.exit_code == 0, match.output
    assert "1,820 devices, 22 cells: match" in match.output
    extracted = call("extract", gds, layout, crossbar, "-o", tmp_path / "pex")
    assert extracted.exit_code == 0, extracted.output
    assert "word_segments" in extracted.output
    saved = (tmp_path / "pex" / "parasitics.npz").read_bytes()
    assert saved == (out / "masks" / "parasitics.npz").read_bytes()
    measured = tmp_path / "pex" / "parasitics.npz"
    again = call("netlist", crossbar, "--parasitics", measured, "--reduce", "all", "-o", tmp_path / "netlist")
    assert again.exit_code == 0, again.output
    of_the_run, real = (folder / "network.lib" for folder in (out / "netlist", tmp_path / "netlist"))
    assert of_the_run.read_text() == real.read_text() != (out / "netlist_ideal" / "network.lib").read_text()


def test_wrong_masks_are_refused_with_a_picture(finished: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    out = finished[0]
    database = kdb.Layout()
    database.read(str(out / "masks" / "stack.gds"))
    top = database.top_cell()
    top.shapes(database.layer(3, 1)).insert(kdb.Box(1_500_000, 1_500_000, 1_530_000, 3_000_000))  # shorts word lines
    bad = tmp_path / "bad.gds"
    database.write(str(bad))
    layout, crossbar = out / "layout.npz", out / "crossbar.npz"
    found = call("drc", bad, layout, "-o", tmp_path / "drc")
    assert found.exit_code == 2, found.output
    assert "word_lines.space" in found.output
    pictures = list((tmp_path / "drc" / "violations").glob("*.png"))
    lines = (tmp_path / "drc" / "drc.csv").read_text().splitlines()
    assert len(pictures) == len(lines) - 1 > 0
    differs = call("lvs", bad, layout, crossbar, "-o", tmp_path / "lvs")
    assert differs.exit_code == 2, differs.output
    assert "short between wl_l1_r" in differs.output
    assert call("extract", bad, layout, crossbar, "-o", tmp_path / "pex").exit_code == 2


def test_the_mask_formats_offered_are_those_there_are() -> None:
    assert tuple(MASK_FORMATS) == FORMATS
    assert tuple(WRITERS) == BITMAPS


def test_bitmaps_are_written_as_a_printer_asks_and_judged(
    finished: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    layout, crossbar = finished[0] / "layout.npz", finished[0] / "crossbar.npz"
    asked = ("--dpi", "1270x1016", "--mirror", "--scale", "1.002x1.001", "--margin", "2e-3")
    written = call("masks", layout, "-o", tmp_path, "-f", "png", *asked, "--bias", "word_lines=-10e-6")
    assert written.exit_code == 0, written.output
    picture = tmp_path / "sheet1_word_lines.png"
    clean = call("drc", picture, layout, "-o", tmp_path / "drc")
    assert clean.exit_code == 0, clean.output
    assert re.search(r"0 violations of \d+ rules of inkjet, judged within 24\.9\d+ um, one pixel", clean.output)
    match = call("lvs", picture, layout, crossbar, "-o", tmp_path / "lvs")
    assert match.exit_code == 0, match.output
    assert "1,820 devices, 22 cells: match, judged within" in match.output


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-f", "png", "--dpi", "300"), "merges shapes of devices on sheet 1"),
        (("-f", "png", "--dpi", "300"), "every gap and width is 424 dpi"),
        (("-f", "png", "--bias", "devices=40e-6"), "choose a bias below 30 um"),
        (("-f", "png", "--dpi", "600y1200"), "such as 600x1200"),
        (("-f", "png", "--dpi", "0"), "such as 600x1200"),
        (("-f", "png", "--scale", "3"), "between 0.5 and 2"),
        (("-f", "png", "--margin", "-1"), "margin = -1 m"),
        (("-f", "png", "--bias", "devices"), "such as word_lines=-10e-6"),
        (("-f", "gds", "--dpi", "600"), "for bitmaps, and gds is none"),
        (("-f", "gds", "-f", "svg", "--mirror"), "for bitmaps, and gds, svg are none"),
    ],
)
def test_what_bitmaps_cannot_hold_is_refused(
    options: tuple[str, ...], words: str, finished: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    done = call("masks", finished[0] / "layout.npz", "-o", tmp_path, *options)
    assert done.exit_code != 0
    assert words in " ".join((done.output + str(done.exception)).replace("\u2502", " ").split())
    assert not list(tmp_path.glob("*.png"))
