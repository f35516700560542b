"""Bitmaps: what printers ask for is in the pictures, pictures are judged like masks, and lossy ones are not written."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import klayout.db as kdb
import numpy as np
import pytest
from layout_crossbars import make_crossbar, printed
from PIL import Image
from scipy import ndimage

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import Layout, Process
from snn2circuit.ir.parts import Quantity
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.masks.bitmap import draw_rows
from snn2circuit.layout.masks.drawing import Mask, list_masks
from snn2circuit.layout.masks.files import write_masks
from snn2circuit.layout.masks.formats import BITMAPS
from snn2circuit.layout.masks.frame import make_frame
from snn2circuit.layout.masks.raster import Raster
from snn2circuit.layout.masks.resolution import check_resolution
from snn2circuit.layout.masks.spread import spread_mask
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.signoff.drc import DrcReport, check_stack
from snn2circuit.layout.signoff.extract import extract_netlist
from snn2circuit.layout.signoff.lvs import LvsReport, compare_netlist
from snn2circuit.layout.signoff.stack import read_masks

INKJET = PROCESSES["inkjet"]
CROSSBAR = make_crossbar(2, 2, 1, seed=3)
LAYOUT = build_layout(CROSSBAR, INKJET)
SPREAD = {"word_lines": -10e-6, "bit_lines": -5e-6, "devices": 10e-6, "contacts": 8e-6}
DPI = 0.0254 / 15e-6  # a drop a pixel


def judge(path: Path, layout: Layout = LAYOUT) -> tuple[DrcReport, LvsReport]:
    stack = read_masks(path, layout.process, layout)
    return check_stack(stack), compare_netlist(extract_netlist(stack), layout, CROSSBAR)


def findings(path: Path) -> list[str]:
    """What is said of a set of pictures, or why it cannot be judged."""
    try:
        drc, lvs = judge(path)
    except LayoutError as error:
        return [str(error)]
    return [f"{each.rule} on sheet {each.sheet}" for each in drc.violations] + [each.text for each in lvs.faults]


def planned(mask: Mask) -> kdb.Region:
    shapes = zip(mask.boxes.tolist(), mask.round.tolist(), strict=True)
    return kdb.Region(
        [kdb.Polygon.ellipse(kdb.Box(*box), 64) if is_round else kdb.Polygon(kdb.Box(*box)) for box, is_round in shapes]
    ).merged()


def with_layer(process: Process, name: str, **values: Quantity) -> Process:
    layers = tuple(replace(each, **values) if each.name == name else each for each in process.layers)
    return replace(process, layers=layers)


def quantity(value: float, unit: str = "1") -> Quantity:
    return Quantity(value=value, unit=unit, source="a test", confidence="assumed")


# --- what is written, seen by Pillow --------------------------------------------------------------


@pytest.mark.parametrize("kind", BITMAPS)
def test_pictures_carry_their_resolution_and_are_framed_as_asked(kind: str, tmp_path: Path) -> None:
    plain = Raster(dpi_x=600, dpi_y=1200)
    asked = replace(plain, mirror=True, negative=True, margin=1e-3)
    write_masks(LAYOUT, tmp_path / "plain", [kind], plain)
    *pictures, _ = write_masks(LAYOUT, tmp_path / "asked", [kind], asked)
    for path in pictures:
        with Image.open(path) as image, Image.open(tmp_path / "plain" / path.name) as other:
            assert image.info["dpi"] == pytest.approx((600, 1200), rel=1e-4)
            shown, drawn = (np.asarray(each.convert("1")) for each in (image, other))
        x, y = 24, 48  # a millimetre, in whole pixels
        assert shown.shape == (drawn.shape[0] + 2 * y, drawn.shape[1] + 2 * x)
        assert np.array_equal(~shown[y:-y, x:-x][:, ::-1], drawn)
        assert not shown[:y].any()
        assert not shown[:, :x].any()


@pytest.mark.parametrize(("scale_x", "scale_y"), [(1.004, 1.0), (1.0, 0.99), (1.02, 1.01)])
def test_a_scale_makes_pictures_as_much_larger(scale_x: float, scale_y: float, tmp_path: Path) -> None:
    *pictures, sidecar = write_masks(LAYOUT, tmp_path, ["png"], Raster(scale_x=scale_x, scale_y=scale_y))
    size = {mask.name: planned(mask) for mask in list_masks(LAYOUT)}
    told = json.loads(sidecar.read_text())["print"]
    foil = size["sheet1_substrate"].bbox()
    assert told["width_mm"] == pytest.approx(foil.width() / 1e6 * scale_x, abs=0.02)
    assert told["height_mm"] == pytest.approx(foil.height() / 1e6 * scale_y, abs=0.02)
    for path in pictures:
        with Image.open(path) as image:
            ink = int((~np.asarray(image)).sum()) * 15_000**2
        if "contacts" not in path.name and "vias" not in path.name:
            assert ink == pytest.approx(size[path.stem].area() * scale_x * scale_y, rel=0.08)


def test_a_layer_of_several_passes_has_a_file_each(tmp_path: Path) -> None:
    process = with_layer(INKJET, "word_lines", passes=quantity(3), bias=quantity(-15e-6, "m"))
    layout = replace(LAYOUT, process=process)
    paths = write_masks(layout, tmp_path, ["tiff"])
    names = {path.name for path in paths}
    assert {f"sheet1_word_lines_pass{number}.tiff" for number in (1, 2, 3)} <= names
    assert {"sheet1_bit_lines.tiff", "tiff.json"} <= names
    assert "sheet1_word_lines.tiff" not in names
    told = json.loads((tmp_path / "tiff.json").read_text())["pictures"]
    assert {each["file"] for each in told} == names - {"tiff.json"}
    assert {each["bias_nm"] for each in told if each["layer"] == "word_lines"} == {-15_000}
    drc, lvs = judge(paths[0], layout)
    assert drc.clean
    assert lvs.match
    other = (tmp_path / "sheet1_word_lines_pass2.tiff", tmp_path / "sheet2_word_lines_pass2.tiff")
    other[0].write_bytes(other[1].read_bytes())
    with pytest.raises(LayoutError, match=r"sheet1_word_lines_pass2\.tiff: pass 2 differs from pass 1 at"):
        read_masks(paths[0], process, layout)


# --- judged ---------------------------------------------------------------------------------------

FAMILY = [
    Raster(mirror=mirror, negative=negative, scale_x=scale, scale_y=2 - scale, margin=margin, bias=bias, **dpi)
    for index, (mirror, negative, scale, margin, dpi, bias) in enumerate(
        itertools.product(
            (False, True),
            (False, True),
            (1.0, 1.004),
            (0.0, 1.234e-3),
            ({}, {"dpi_x": 700.0, "dpi_y": 811.0}, {"dpi_x": 2540.0, "dpi_y": 1000.0}),
            ({}, SPREAD),
        )
    )
    if index % 5 == 0
]


@pytest.mark.parametrize("number", range(len(FAMILY)))
def test_what_is_written_is_judged_good_whatever_the_printer_asks_for(number: int, tmp_path: Path) -> None:
    raster = FAMILY[number]
    drc, lvs = judge(write_masks(LAYOUT, tmp_path, [BITMAPS[number % 3]], raster)[0])
    assert [(each.rule, each.box, each.measured) for each in drc.violations] == []
    assert [fault.text for fault in lvs.faults] == []
    pixel = max(25.4e6 / (raster.dpi_x or DPI) / raster.scale_x, 25.4e6 / (raster.dpi_y or DPI) / raster.scale_y)
    assert pixel <= drc.tolerance <= pixel + 1
    assert lvs.tolerance == drc.tolerance


@pytest.mark.parametrize("raster", [Raster(), Raster(dpi_x=DPI, dpi_y=2 * DPI, margin=2e-3, mirror=True)])
def test_on_the_drop_grid_shapes_are_exact(raster: Raster, tmp_path: Path) -> None:
    stack = read_masks(write_masks(LAYOUT, tmp_path, ["png"], raster)[0], INKJET, LAYOUT)
    for mask in list_masks(LAYOUT):
        differ = stack.region((mask.sheet, mask.layer.name)) ^ planned(mask)
        if mask.layer.role == "via":
            assert differ.sized(-7_501).is_empty()
            assert stack.slack(mask.layer.name) == 15_000
        else:
            assert differ.is_empty()
            assert stack.slack(mask.layer.name) == 0


def test_printed_resistors_have_the_conductance_that_pixels_give(tmp_path: Path) -> None:
    crossbar = printed(make_crossbar(1, 1, seed=4, process="inkjet_resistor"), "inkjet_resistor")
    layout = build_layout(crossbar, PROCESSES["inkjet_resistor"])

    def compare(raster: Raster) -> LvsReport:
        stack = read_masks(write_masks(layout, tmp_path, ["png"], raster)[0], layout.process, layout)
        return compare_netlist(extract_netlist(stack), layout, crossbar)

    exact = compare(Raster())
    assert exact.match
    coarse = compare(Raster(dpi_x=1270, dpi_y=1270))  # pixels of 20 um, lines of 120, legs at 240 on a grid of 15
    assert coarse.faults
    assert {fault.kind for fault in coarse.faults} == {"conductance"}
    assert all(re.search(r"has [\d.e+]+ squares", fault.text) for fault in coarse.faults)


# --- changed pictures -----------------------------------------------------------------------------

Change = Callable[[np.ndarray], np.ndarray]


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image.convert("1"))


def save(path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(pixels).save(path)


def at_device(number: int = 0) -> tuple[slice, slice]:
    """Rows and columns of a device of the first sheet, at a drop a pixel."""
    frame = make_frame(list(list_masks(LAYOUT)), Raster().for_process(INKJET))
    x0, y0, _, x1, y1, _ = LAYOUT.sheets[0].devices.boxes[number]
    rows = frame.rows(np.array([y1, y0])).tolist()
    columns = frame.columns(np.array([x0, x1])).tolist()
    return slice(*rows), slice(*columns)


def across(pixels: np.ndarray) -> np.ndarray:
    rows, columns = at_device()
    pixels[rows, columns.stop + 2] = True  # one column beyond the device, through its word line
    return pixels


def blank_via(pixels: np.ndarray) -> np.ndarray:
    labels, _ = ndimage.label(~pixels)
    pixels[labels == 1] = True
    return pixels


def move_device(pixels: np.ndarray) -> np.ndarray:
    rows, columns = at_device()
    device = pixels[rows, columns].copy()
    pixels[rows, columns] = True
    pixels[rows, columns.start + 3 : columns.stop + 3] &= device
    return pixels


def narrow_device(pixels: np.ndarray) -> np.ndarray:
    rows, columns = at_device()
    pixels[rows, columns.start] = True
    return pixels


def join(pixels: np.ndarray) -> np.ndarray:
    rows, columns = at_device()
    pixels[rows.start - 8 : rows.stop + 8, columns.stop + 2] = False  # down to the next word line
    pixels[: rows.stop, columns.stop + 2] = False
    return pixels


def ink_in_a_corner(pixels: np.ndarray) -> np.ndarray:
    pixels[:9, :9] = False
    return pixels


MUTATIONS: list[tuple[str, Change, str]] = [
    ("sheet1_word_lines", across, r"is open|conductor without a name"),
    ("sheet1_word_lines", join, r"short between|word_lines\.space on sheet 1"),
    ("sheet1_contacts", blank_via, r"is open|conductor without a name"),
    ("sheet1_contacts", np.ones_like, r"is open|conductor without a name"),
    ("sheet1_devices", move_device, r"device of layer 1, row 0, column 0"),
    ("sheet1_devices", narrow_device, r"devices\.overlap on sheet 1"),
    ("sheet1_devices", np.ones_like, r"devices of sheet 1 is missing"),
    ("sheet1_cells", np.ones_like, r"cell of layer 1, column 0 is missing"),
    ("sheet1_dielectric", np.zeros_like, r"word_lines\.plane\.overlap on sheet 1"),
    ("sheet1_bit_lines", lambda pixels: np.roll(pixels, 16, axis=1), r"layer 1"),
    ("sheet1_bit_lines", ink_in_a_corner, r"bit_lines\.edge on sheet 1"),
    ("sheet2_substrate_vias", np.ones_like, r"is open|conductor without a name"),
]


@pytest.mark.parametrize("number", range(len(MUTATIONS)))
def test_a_changed_picture_is_caught_and_named(number: int, tmp_path: Path) -> None:
    (name, change, words), kind = MUTATIONS[number], BITMAPS[number % 3]
    paths = write_masks(LAYOUT, tmp_path, [kind])
    path = tmp_path / f"{name}.{kind}"
    save(path, change(pixels_of(path)))
    found = findings(paths[0])
    assert any(re.search(words, text) for text in found), found[:10]


@pytest.mark.parametrize(
    ("one", "other"),
    [("word_lines", "bit_lines"), ("devices", "contacts"), ("dielectric", "devices"), ("cells", "bit_lines")],
)
def test_swapped_files_are_caught(one: str, other: str, tmp_path: Path) -> None:
    paths = write_masks(LAYOUT, tmp_path, ["png"])
    first, second = (tmp_path / f"sheet1_{name}.png" for name in (one, other))
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)
    assert findings(paths[0])


# --- resolutions that lose something --------------------------------------------------------------


def holds(masks: list[Mask], raster: Raster) -> str | None:
    """Why a resolution is refused, or nothing."""
    try:
        check_resolution(masks, make_frame(masks, raster), raster)
    except LayoutError as error:
        return str(error)
    return None


def named_by(text: str) -> tuple[float, float]:
    (found,) = re.findall(r"every gap and width is ([\d.x]+) dpi", text)
    x, _, y = found.partition("x")
    return float(x), float(y or x)


@pytest.mark.parametrize(("dpi_x", "dpi_y"), [(300.0, 300.0), (300.0, 1200.0), (DPI, 250.0), (100.0, 180.0)])
@pytest.mark.parametrize("bias", [{}, {"devices": 10e-6}], ids=["plain", "spread"])
def test_the_resolution_that_a_refusal_names_is_taken(
    dpi_x: float, dpi_y: float, bias: dict[str, float], tmp_path: Path
) -> None:
    raster = Raster(dpi_x=dpi_x, dpi_y=dpi_y, scale_x=1.003, bias=bias)
    with pytest.raises(LayoutError, match=r"of (devices|dielectric|\w+) on sheet 1, [\d.]+ um") as error:
        write_masks(LAYOUT, tmp_path, ["png"], raster)
    assert not list(tmp_path.iterdir())
    x, y = named_by(str(error.value))
    assert (x >= dpi_x) & (y >= dpi_y) & ((x > dpi_x) | (y > dpi_y))
    drc, lvs = judge(write_masks(LAYOUT, tmp_path, ["png"], replace(raster, dpi_x=x, dpi_y=y))[0])
    assert lvs.match
    assert drc.clean


@pytest.mark.parametrize(
    ("bias", "words"),
    [
        ({"devices": 30e-6}, r"merges shapes of devices on sheet 1: a gap of 60 um at .* below 30 um"),
        ({"word_lines": -60e-6}, r"loses shapes of word_lines on sheet 1: a shape of 120 um at .* above -60 um"),
        ({"contacts": -50e-6}, r"loses shapes of contacts on sheet 1: a shape of 100 um at .* above -50 um"),
        ({"wires": 1e-6}, "no layer 'wires'"),
        ({"devices": 1.0}, "between -0.001 and 0.001"),
    ],
)
def test_a_bias_that_loses_something_is_refused(bias: dict[str, float], words: str, tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match=words):
        write_masks(LAYOUT, tmp_path, ["png"], Raster(bias=bias))


def pieces(mask: Mask, steps: int) -> tuple[int, int]:
    """Connected pieces and holes of a mask on a fine grid of whole ``steps``, which hold every edge."""
    x0, y0 = mask.boxes[:, :2].min(axis=0) - steps
    x1, y1 = mask.boxes[:, 2:].max(axis=0) + steps
    ink = np.zeros(((y1 - y0) // steps, (x1 - x0) // steps), bool)
    for a, b, c, d in ((mask.boxes - [x0, y0, x0, y0]) // steps).tolist():
        ink[b:d, a:c] = True
    return count(ink)


def count(ink: np.ndarray) -> tuple[int, int]:
    """Pieces joined along edges, which touch at no corner, and holes."""
    corners = np.ones((3, 3))
    touching = ndimage.label(ink, corners)[1]
    alone = ndimage.label(ink)[1]
    return (alone if touching == alone else -1), ndimage.label(np.pad(~ink, 1, constant_values=True), corners)[1] - 1


@pytest.mark.parametrize("seed", range(6))
def test_a_resolution_is_taken_exactly_if_pieces_and_holes_stay(seed: int) -> None:
    """Random crosses, frames and dots against a flood fill of the pixels; refusals that cost nothing are counted."""
    random = np.random.default_rng(seed)
    taken = refused = 0
    layer = INKJET.layer("word_lines")
    for _ in range(60):
        boxes = []
        for at in itertools.product(range(3), range(3)):
            corner = np.array(at) * 100_000 + random.integers(0, 30, 2) * 1000
            width, height = random.integers(20, 80, 2) * 1000
            x, y = corner.tolist()
            if random.random() < 0.4:  # a frame with a hole
                w = int(random.integers(5, 12)) * 1000
                width, height = max(width, 3 * w), max(height, 3 * w)
                boxes += [(x, y, x + width, y + w), (x, y + height - w, x + width, y + height)]
                boxes += [(x, y, x + w, y + height), (x + width - w, y, x + width, y + height)]
            else:
                boxes.append((x, y, x + width, y + height))
        table = np.array(boxes)
        mask = Mask(
            layer=layer,
            sheet=1,
            boxes=table,
            round=np.zeros(len(table), bool),
            nets=np.full(len(table), -1),
            heights=(0, 1),
        )
        raster = Raster(dpi_x=float(random.integers(300, 4000)), dpi_y=float(random.integers(300, 4000)))
        frame = make_frame([mask], raster)
        before = pieces(mask, 1000)
        if before[0] < 0:
            continue
        after = count(draw_rows(mask, frame, 0, frame.height))
        text = holds([mask], raster)
        if text is None:
            assert before == after
            taken += 1
        else:
            refused += 1
            x, y = named_by(text)
            better = replace(raster, dpi_x=x, dpi_y=y)
            assert holds([mask], better) is None
            if before == after:  # then what is lost must be a part of a piece, or a gap within one
                assert "shape" in text
    assert taken > 2
    assert refused > 2


@pytest.mark.parametrize("step", [1, 2, 5])
def test_the_next_lower_resolutions_are_refused_or_hold(step: int) -> None:
    masks = [spread_mask(mask, 0) for mask in list_masks(LAYOUT)]
    low = Raster(dpi_x=300, dpi_y=300)
    x, y = named_by(holds(masks, low) or "")
    assert (x, y) == (424, 424)  # 25.4 mm / 60 um
    below = Raster(dpi_x=x - step, dpi_y=y - step)
    if holds(masks, below) is None:
        frame = make_frame(masks, below)
        for mask in masks:
            shapes = ndimage.label(draw_rows(mask, frame, 0, frame.height))[1]
            assert shapes == len(list(planned(mask).each_merged())) or mask.layer.name == "dielectric"


# --- files of strangers ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    write_masks(LAYOUT, folder, ["png"], Raster(dpi_x=600, dpi_y=600))
    return folder


def edit(**changes: object) -> Callable[[dict[str, object]], object]:
    def change(tree: dict[str, object]) -> object:
        for path, value in changes.items():
            at, keys = tree, path.split("__")
            for key in keys[:-1]:
                at = at[int(key) if key.isdigit() else key]  # type: ignore[assignment,call-overload,index]
            at[keys[-1]] = value
        return tree

    return change


SIDECARS: list[tuple[Callable[[dict[str, object]], object], str]] = [
    (lambda tree: [], "a table is needed"),
    (edit(format="other/2"), "'snn2circuit bitmaps/1' is needed"),
    (edit(frame=3), "frame = 3: a table is needed"),
    (edit(frame__width=2**40), "must lie between 0 and 1,073,741,824"),
    (edit(frame__width=2**20, frame__height=2**20), "1 to 1,073,741,824 pixels"),
    (edit(frame__width=-1), "must lie between"),
    (edit(frame__width=True), "a whole number is needed"),
    (edit(frame__margin_x=10**6), "nothing is left"),
    (edit(frame__step_x_nm=0), "more than 0"),
    (edit(frame__step_y_nm=1e300), "within 2.147 m"),
    (edit(frame__x0_nm=float("nan")), "a number is needed"),
    (edit(frame__y1_nm="0"), "a number is needed"),
    (edit(frame__mirror=1), "true or false is needed"),
    (edit(pictures__0__file="../../etc/passwd"), "'sheet1_word_lines.png' is needed"),
    (edit(pictures__0__sheet=10**6), "between 1 and 512"),
    (edit(pictures__0__layer="wires"), "process inkjet has substrate"),
    (edit(pictures__0__layer="substrate"), "prints substrate"),
    (edit(pictures__0__pass=2), "prints word_lines 1 times"),
    (edit(pictures__0__bias_nm=10**9), "at most 1,000,000 nm"),
    (edit(pictures=[1]), "a list of tables"),
    (edit(pictures=[], foils=[]), "lists no pictures"),
    (edit(foils__0__box_nm=[0, 0, 1]), "four whole numbers"),
    (edit(foils__0__layer="word_lines"), "no substrate"),
]


def copy_of(folder: Path, target: Path) -> Path:
    for path in folder.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target / "sheet1_word_lines.png"


@pytest.mark.parametrize("number", range(len(SIDECARS)))
def test_a_sidecar_that_is_not_ours_is_refused(number: int, written: Path, tmp_path: Path) -> None:
    change, words = SIDECARS[number]
    path = copy_of(written, tmp_path)
    tree = change(json.loads((tmp_path / "png.json").read_text()))
    (tmp_path / "png.json").write_text(json.dumps(tree))
    with pytest.raises(LayoutError, match=re.escape(words)):
        read_masks(path, INKJET, LAYOUT)


def remove(path: Path) -> None:
    path.unlink()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def another_size(path: Path) -> None:
    save(path, np.ones((9, 9), bool))


def bomb(path: Path) -> None:
    Image.new("1", (10_000, 20_000)).save(path)


PICTURES: list[tuple[Callable[[Path], object], str]] = [
    (remove, "No such file"),
    (pipe, "not a regular file"),
    (another_size, r"has 9 x 9 pixels; png\.json says"),
    (bomb, r"has 10000 x 20000 pixels; png\.json says"),
    (lambda path: Image.open(path).convert("LA").save(path), "save it black and white"),
    (lambda path: path.write_bytes(b"GIF89a" + bytes(99)), "damaged or no PNG"),
    (lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]), "damaged or no PNG"),
    (lambda path: path.write_bytes(bytes(10**7)), "the limit is"),
]


@pytest.mark.parametrize("number", range(len(PICTURES)))
@pytest.mark.parametrize("name", ["sheet1_word_lines.png", "sheet2_bit_lines.png"])
def test_a_picture_that_is_not_ours_is_refused_by_name(number: int, name: str, written: Path, tmp_path: Path) -> None:
    spoil, words = PICTURES[number]
    path = copy_of(written, tmp_path)
    spoil(tmp_path / name)
    with pytest.raises(LayoutError, match=words) as error:
        read_masks(path, INKJET, LAYOUT)
    assert name in str(error.value)


@pytest.mark.parametrize("spoil", [remove, pipe, lambda path: path.write_text("[" * 100_000)])
def test_pictures_without_their_sidecar_are_refused(
    spoil: Callable[[Path], object], written: Path, tmp_path: Path
) -> None:
    path = copy_of(written, tmp_path)
    spoil(tmp_path / "png.json")
    with pytest.raises(LayoutError, match=r"png\.json"):
        read_masks(path, INKJET, LAYOUT)


@pytest.mark.parametrize("kind", BITMAPS)
def test_damaged_sets_are_read_or_refused_and_nothing_else(kind: str, tmp_path: Path) -> None:
    paths = write_masks(LAYOUT, tmp_path, [kind], Raster(dpi_x=600, dpi_y=600))
    random = np.random.default_rng(BITMAPS.index(kind))
    refused = 0
    for _ in range(40):
        path = paths[-1] if random.random() < 0.5 else paths[int(random.integers(len(paths)))]
        kept = path.read_bytes()
        changed = bytearray(kept)
        for at in random.integers(0, min(len(kept), 4000), int(random.integers(1, 6))):
            changed[at] = int(random.integers(256))
        path.write_bytes(bytes(changed[: int(random.integers(1, len(kept) + 1))] if random.random() < 0.2 else changed))
        try:
            read_masks(paths[0], INKJET, LAYOUT)
        except LayoutError:
            refused += 1
        path.write_bytes(kept)
    assert refused > 10


def test_a_grey_picture_counts_from_half_on(written: Path, tmp_path: Path) -> None:
    """As tools save pictures that they have touched: 8 bits of grey, or colours."""
    path = copy_of(written, tmp_path)
    for name, mode in (("sheet1_word_lines.png", "L"), ("sheet1_bit_lines.png", "RGB"), ("sheet1_devices.png", "P")):
        with Image.open(tmp_path / name) as image:
            changed = image.convert(mode)
        changed.save(tmp_path / name)
    assert findings(path) == []
