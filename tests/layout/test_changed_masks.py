"""A written file that was changed is never taken for the masks that were judged, whatever its format and the change."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from layout_crossbars import make_crossbar

from snn2circuit.cli import main
from snn2circuit.errors import LayoutError
from snn2circuit.ir.claims import claim
from snn2circuit.ir.files import save
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.masks.files import write_masks
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.signoff.same import differences
from snn2circuit.layout.signoff.stack import MaskStack, read_masks
from snn2circuit.steps import sign_off
from snn2circuit.steps.signoff import judge_formats, read_stack

CROSSBAR = make_crossbar(4, 3, 2)
LAYOUT = build_layout(CROSSBAR, PROCESSES["inkjet"])
KINDS = ("oas", "dxf", "svg", "gerber", "rs274x")
Change = Callable[[Path], None]  # of a folder with the files of one format


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    folder = tmp_path_factory.mktemp("masks")
    return {kind: write_masks(LAYOUT, folder / kind, [kind]) for kind in ("gds", *KINDS)}


@pytest.fixture(scope="module")
def reference(written: dict[str, list[Path]]) -> MaskStack:
    return read_masks(written["gds"][0], LAYOUT.process)


def edit(name: str, pattern: str, replacement: str, count: int = 1) -> Change:
    """Another text for what fits ``pattern`` in a file, which must be there."""

    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        changed, found = re.subn(pattern, replacement, text, count=count, flags=re.MULTILINE)
        assert found
        assert changed != text
        (folder / name).write_text(changed)

    return change


def scale(name: str, pattern: str, decimals: int) -> Change:
    """Every number after ``pattern`` a thousandth larger."""

    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        changed = re.sub(
            rf"({pattern})(-?[\d.]+)", lambda found: f"{found[1]}{float(found[2]) * 1.001:.{decimals}f}", text,
            flags=re.MULTILINE,
        )  # fmt: skip
        assert changed != text
        (folder / name).write_text(changed)

    return change


def swap(one: str, other: str) -> Change:
    def change(folder: Path) -> None:
        data = (folder / one).read_bytes()
        shutil.copy(folder / other, folder / one)
        (folder / other).write_bytes(data)

    return change


def put(target: str, source: str) -> Change:
    return lambda folder: shutil.copy(folder / source, folder / target) and None


def drop(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


def cut(name: str) -> Change:
    return lambda folder: (folder / name).write_text((folder / name).read_text()[:-200])


INSERT = r"0\nINSERT\n8\n{layer}\n2\n\w+\n10\n"
SVG_LAYER = r'(?s)<g id="{layer}" .*?</g>\n'
DXF: dict[str, Change] = {
    "shapes removed": edit("stack.dxf", INSERT.format(layer="sheet1_8_bit_lines"), "0\nPOINT\n8\n0\n10\n"),
    "shape moved": edit("stack.dxf", rf"({INSERT.format(layer='sheet1_4_devices')})-?[\d.]+", r"\g<1>9.5"),
    "encapsulation moved": edit("stack.dxf", rf"({INSERT.format(layer='sheet2_11_encapsulation')})-?[\d.]+", r"\g<1>9"),
    "layer missing": edit("stack.dxf", INSERT.format(layer="sheet1_5_dielectric"), "0\nPOINT\n8\n0\n10\n", 0),
    "layer of another sheet": edit("stack.dxf", r"^sheet1_6_contacts$", "sheet2_6_contacts", 0),
    "layer unknown": edit("stack.dxf", r"^sheet1_6_contacts$", "sheet1_6_contact", 0),
    "sheet unknown": edit("stack.dxf", r"^sheet1_6_contacts$", "sheet999_6_contacts", 0),
    "inches": edit("stack.dxf", r"INSUNITS\n70\n4", "INSUNITS\n70\n1"),
    "centimetres": edit("stack.dxf", r"INSUNITS\n70\n4", "INSUNITS\n70\n5"),
    "no unit": edit("stack.dxf", r"9\n\$INSUNITS\n70\n4\n", ""),
    "unit that is none": edit("stack.dxf", r"INSUNITS\n70\n4", "INSUNITS\n70\n0"),
    "numbers scaled": scale("stack.dxf", r"^[12]0\n", 6),
    "polygon cut": edit("stack.dxf", r"0\nVERTEX\n8\nsheet1_8_bit_lines\n10\n\S+\n20\n\S+\n30\n0.0\n", ""),
    "polygon open": edit("stack.dxf", r"(8\nsheet1_8_bit_lines\n66\n1\n10\n0\n20\n0\n30\n0.0\n70\n)1", r"\g<1>0"),
    "array shorter": edit("stack.dxf", r"^71\n(\d+)$", "71\n1"),
    "net renamed": edit("stack.dxf", r"^1\nwl_l1_r0$", "1\nwl_l1_r1"),
    "net unnamed": edit("stack.dxf", r"^1\nwl_l1_r0$", "1\n"),
    "cut short": cut("stack.dxf"),
}
SVG: dict[str, Change] = {
    "shape removed": edit("sheet1.svg", r"^<path .*\n", ""),
    "circle removed": edit("sheet1.svg", r"^<circle .*\n", ""),
    "circle smaller": edit("sheet1.svg", r' r="0.05"', ' r="0.049"'),
    "shape moved": edit("sheet1.svg", r'd="M\S+ ', 'd="M1.234 '),
    "layer missing": edit("sheet1.svg", SVG_LAYER.format(layer="dielectric"), ""),
    "encapsulation missing": edit("sheet2.svg", SVG_LAYER.format(layer="encapsulation"), ""),
    "layer renamed": edit("sheet1.svg", '<g id="word_lines"', '<g id="bit_lines"'),
    "layer unknown": edit("sheet1.svg", '<g id="word_lines"', '<g id="words"'),
    "inches": edit("sheet1.svg", r'(width|height)="([\d.]+)mm"', r'\1="\2in"', 2),
    "pixels": edit("sheet1.svg", r'(width|height)="([\d.]+)mm"', r'\1="\2"', 2),
    "wider": edit("sheet1.svg", r'width="\d', 'width="2'),
    "no size": edit("sheet1.svg", r' width="[\d.]+mm"', ""),
    "numbers scaled": scale("sheet1.svg", r"[MHV]", 6),
    "polygon cut": edit("sheet1.svg", r'(<g id="bit_lines".*\n<path d="M\S+ \S+?)H\S+?(V\S+?)H', r"\1\2H"),
    "polygon open": edit("sheet1.svg", r'Z"/>', '"/>'),
    "mirrored": edit("sheet1.svg", r"scale\(1 -1\)", "scale(-1 1)"),
    "turned": edit("sheet1.svg", '<g id="bit_lines"', '<g transform="rotate(1)" id="bit_lines"'),
    "hidden": edit("sheet1.svg", '<g id="bit_lines"', '<g display="none" id="bit_lines"'),
    "another element": edit("sheet1.svg", r"^<circle", '<rect x="0" y="0" width="1" height="1"/>\n<circle'),
    "the other sheet": put("sheet1.svg", "sheet2.svg"),
    "sheets swapped": swap("sheet1.svg", "sheet2.svg"),
    "sheet missing": drop("sheet2.svg"),
    "cut short": cut("sheet1.svg"),
    "an entity": edit("sheet1.svg", "<svg", '<!DOCTYPE svg [<!ENTITY a "b">]>\n<svg'),
}


def gerber(ending: str) -> dict[str, Change]:
    first, second = f"sheet1_word_lines.{ending}", f"sheet2_word_lines.{ending}"
    return {
        "shape removed": edit(first, r"^X.*D03\*\n", ""),
        "shape moved": edit(first, r"^X\d+", "X1234567"),
        "shape added": edit(first, r"^(X(\d+)Y.*D03\*\n)", r"\1X1\2Y0D03*\n"),
        "device removed": edit(f"sheet1_devices.{ending}", r"^X.*D03\*\n", ""),
        "dielectric removed": edit(f"sheet1_dielectric.{ending}", r"^X.*D03\*\n", ""),
        "encapsulation moved": edit(f"sheet2_encapsulation.{ending}", r"^X\d+", "X1"),
        "aperture narrower": edit(first, r"(R,[\d.]+X0.1)2", r"\g<1>1"),
        "circle smaller": edit(f"sheet1_contacts.{ending}", r"C,0.1", "C,0.09"),
        "inches": edit(first, "%MOMM", "%MOIN"),
        "no unit": edit(first, r"%MOMM\*%\n", ""),
        "fewer decimals": edit(first, "X46Y46", "X45Y45"),
        "negative": edit(first, "%LPD", "%LPC"),
        "numbers scaled": scale(first, r"^X", 0),
        "layer missing": drop(f"sheet1_dielectric.{ending}"),
        "sheet missing": lambda folder: [path.unlink() for path in folder.glob(f"sheet2_*.{ending}")] and None,
        "the other sheet": put(first, second),
        "sheets swapped": swap(first, second),
        "layer of no process": lambda folder: (folder / first).rename(folder / f"sheet1_words.{ending}") and None,
        "sheet of no stack": lambda folder: (folder / first).rename(folder / f"sheet0_word_lines.{ending}") and None,
        "cut short": cut(first),
        "more after the end": lambda folder: (folder / first).write_text((folder / first).read_text() * 2) and None,
        "stroke": edit(first, r"D03\*", "D01*"),
        "region open": edit(first, r"^X.*D03\*", "G36*\nX0Y0D02*\nX9Y0D01*\nX9Y9D01*\nG37*"),
        "aperture unknown": edit(first, r"^D10\*", "D99*"),
        "repeated": edit(first, r"^D10\*", "%SRX2Y1I9.0J0*%\nD10*"),
    }


CHANGES = {
    "dxf": DXF,
    "svg": SVG,
    "gerber": {
        **gerber("gbr"),
        "net renamed": edit("sheet1_word_lines.gbr", r"TO\.N,wl_l1_r0\*", "TO.N,wl_l1_r1*"),
        "net unnamed": edit("sheet1_word_lines.gbr", r"%TO\.N,wl_l1_r0\*%", "%TD.N*%"),
        "of another mask": edit("sheet1_word_lines.gbr", "Sheet 1", "Sheet 2"),
        "polarity negative": edit("sheet1_word_lines.gbr", "Polarity,Positive", "Polarity,Negative"),
    },
    "rs274x": gerber("ger"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_reads_back_as_the_masks_that_are_judged(
    kind: str, written: dict[str, list[Path]], reference: MaskStack
) -> None:
    for path in {written[kind][0], written[kind][-1]}:  # any of a set stands for all
        stack = read_masks(path, LAYOUT.process, LAYOUT)
        assert stack.tolerance == 0
        assert list(differences(stack, reference, LAYOUT)) == []


@pytest.mark.parametrize(("kind", "how"), [(kind, how) for kind, changes in CHANGES.items() for how in changes])
def test_a_changed_file_is_seen_and_its_place_named(
    kind: str, how: str, written: dict[str, list[Path]], reference: MaskStack, tmp_path: Path
) -> None:
    folder = shutil.copytree(written[kind][0].parent, tmp_path / kind)
    CHANGES[kind][how](folder)
    path = next(path for path in (folder / each.name for each in written[kind]) if path.exists())
    found = read_or_say(path, reference)
    assert found
    named = re.compile(rf"sheet \d, \w+: against stack\.gds, .*(at|from) \(|{re.escape(str(folder))}/.*")
    assert all(named.match(text) for text in found), found


def read_or_say(path: Path, reference: MaskStack) -> list[str]:
    try:
        return list(differences(read_masks(path, LAYOUT.process, LAYOUT), reference, LAYOUT))
    except LayoutError as error:
        return [str(error)]


@pytest.mark.parametrize(
    ("kind", "how"),
    [("dxf", "net renamed"), ("svg", "encapsulation missing"), ("gerber", "net renamed"), ("rs274x", "inches")],
)
def test_what_differs_is_judged_by_itself_and_found_at_fault(
    kind: str, how: str, written: dict[str, list[Path]], tmp_path: Path
) -> None:
    folder = shutil.copytree(written[kind][0].parent, tmp_path / kind)
    CHANGES[kind][how](folder)
    verdict = {"violations": 0}, {"faults": 0, "first_faults": []}
    paths = [folder / path.name for path in written[kind]]
    (entry,) = judge_formats(
        {kind: paths}, read_stack(written["gds"][0], LAYOUT), LAYOUT, CROSSBAR, tmp_path / "found", verdict
    )
    assert entry["format"] == kind
    assert entry["same_as"] is None
    assert entry["violations"] + entry["faults"] > 0
    assert entry["first_faults"]


@pytest.mark.parametrize("formats", [("oas", "gds", "klayout"), KINDS])
def test_sign_off_judges_every_format_that_is_asked_for(formats: tuple[str, ...], tmp_path: Path) -> None:
    """Also without GDSII among them: then it is judged and thrown away."""
    signoff = sign_off(LAYOUT, CROSSBAR, tmp_path, formats)
    assert signoff.lvs["match"]
    assert [entry["format"] for entry in signoff.masks] == [name for name in formats if name != "klayout"]
    for entry in signoff.masks:
        assert entry["same_as"] == (None if entry["format"] == "gds" else "gds")
        assert (entry["violations"], entry["faults"], entry["first_faults"]) == (0, 0, [])
        assert all((tmp_path / name).exists() for name in entry["files"])
    assert (tmp_path / "stack.gds").exists() == ("gds" in formats)


@pytest.mark.parametrize("command", ["drc", "lvs", "extract"])
@pytest.mark.parametrize("kind", ["dxf", "svg", "rs274x"])
def test_the_commands_take_every_format(
    command: str, kind: str, written: dict[str, list[Path]], tmp_path: Path
) -> None:
    save(CROSSBAR, tmp_path / "crossbar.npz")
    save(LAYOUT, tmp_path / "layout.npz")
    files = [written[kind][-1], tmp_path / "layout.npz", *([tmp_path / "crossbar.npz"] * (command != "drc"))]
    answer = CliRunner().invoke(main, [command, *map(str, files), "-o", str(tmp_path / "out")])
    assert answer.exit_code == 0, answer.output
    assert {"drc": "0 violations of", "lvs": ": match", "extract": "word_segments"}[command] in answer.output


@pytest.mark.parametrize("kind", ["svg", "gerber", "rs274x"])
def test_files_of_a_larger_stack_before_do_not_stay(kind: str, tmp_path: Path) -> None:
    """Those that we wrote are removed, in a results folder, where that is known; others are named."""
    smaller = build_layout(make_crossbar(4, 3), PROCESSES["inkjet"])
    with claim(tmp_path):
        before = write_masks(LAYOUT, tmp_path / "masks", [kind])
        edited = next(path for path in before if path.name.startswith("sheet2"))
        edited.write_text(edited.read_text() + "\n")
        paths = write_masks(smaller, tmp_path / "masks", [kind])
    assert {path.name for path in (tmp_path / "masks").iterdir()} == {path.name for path in [*paths, edited]}
    reference = write_masks(smaller, tmp_path / "reference", ["gds"])[0]
    verdict = {"violations": 0}, {"faults": 0, "first_faults": []}
    (entry,) = judge_formats(
        {kind: paths}, read_stack(reference, smaller), smaller, make_crossbar(4, 3), tmp_path / "found", verdict
    )
    assert entry["same_as"] is None
    assert entry["first_faults"][0] == f"{edited} is of no mask of this stack: remove it"
