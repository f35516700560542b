"""Mask files that ask for too much are refused before anything is drawn, with the number and the way out."""

from __future__ import annotations

import gzip
import os
import resource
from collections.abc import Callable
from pathlib import Path

import mask_bombs as bombs
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nst
from layout_crossbars import make_crossbar

from snn2circuit.cli import main
from snn2circuit.errors import LayoutError
from snn2circuit.ir.files import save
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.signoff import bounds
from snn2circuit.layout.signoff.crowding import estimate_crossings
from snn2circuit.layout.signoff.stack import read_masks

INKJET = PROCESSES["inkjet"]
TOO_MANY = r"comes to [\d.,e+]+ shapes when it is drawn; the limit is 5,000,000: check its arrays"
TOO_LONG = r"takes more (time|than a file should).*status"


def spread(count: int) -> bytes:
    """A flat cell of ``count`` boxes side by side."""
    return b"".join(bombs.gds_box(x=200 * i) for i in range(count))


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    **{
        f"tower_{levels}_{columns}x{rows}": (lambda size=(levels, columns, rows): bombs.gds_tower(*size), TOO_MANY)
        for levels, columns, rows in [(9, 1000, 1000), (2, 1000, 1000), (1, 32767, 32767), (26, 2, 1), (64, 1, 2)]
    },
    "tower_of_labels": (lambda: bombs.gds_tower(3, 1000, 1000, bombs.gds_text(b"net")), TOO_MANY),
    "labels": (lambda: bombs.gds_tower(1, 2000, 2000, bombs.gds_text(b"x" * 500)), r"corners and letters"),
    "paths": (lambda: bombs.gds_tower(1, 1000, 1000, bombs.gds_path(2000)), r"corners and letters"),
    "same_cell_often": (lambda: bombs.gds_file((b"A", spread(2000)), (b"T", bombs.gds_place(b"A") * 20_000)), TOO_MANY),
    "deep": (lambda: bombs.gds_tower(65, 1, 1), r"comes to 65 levels of cells in cells .* limit is 64"),
    "deeper": (lambda: bombs.gds_tower(4000, 1, 1), r"levels of cells in cells|takes more time"),
    "itself": (lambda: bombs.gds_file((b"A", bombs.gds_box() + bombs.gds_place(b"A"))), "KLayout cannot read it"),
    "ring": (
        lambda: bombs.gds_file((b"A", bombs.gds_box() + bombs.gds_place(b"B")), (b"B", bombs.gds_place(b"A"))),
        "KLayout cannot read it",
    ),
    "far": (lambda: bombs.gds_tower(3, 30_000, 1, bombs.gds_box(size=2**31 - 9)), r"comes to .* (reach|shapes)"),
    "far_away": (
        lambda: bombs.gds_file(
            (b"A", bombs.gds_place(b"B", 2**30)), (b"B", bombs.gds_place(b"C", 2**30)), (b"C", bombs.gds_box())
        ),
        r"comes to 2,147,483,748 database units of reach",
    ),
    "layers": (
        lambda: bombs.gds_file((b"A", b"".join(bombs.gds_box(i % 255, i // 255) for i in range(5000)))),
        "it has 5,000 layers; the limit is 4,096",
    ),
    "sheets": (lambda: bombs.gds_file((b"A", bombs.gds_box(3, 30_000))), "sheet 30000; a stack has at most 512"),
    "oasis_grid": (
        lambda: bombs.oas_file(bombs.oas_cell() + bombs.oas_box(3, 1, 10, 10, bombs.oas_grid(10**6, 10**6, 20, 20))),
        TOO_MANY,
    ),
    "oasis_again": (
        lambda: bombs.oas_file(
            bombs.oas_cell() + bombs.oas_box(3, 1, 9, 9, bombs.oas_row(100_000)) + bombs.OAS_AGAIN * 9999
        ),
        TOO_LONG,
    ),
    "oasis_zeros": (lambda: bombs.oas_file(bombs.oas_cell() + bombs.oas_block(bytes(10**8))), TOO_LONG),
    "oasis_squeezed": (
        lambda: bombs.oas_file(
            bombs.oas_cell() + bombs.oas_box(3, 1, 9, 9, bombs.oas_row(1000)) + bombs.oas_block(bombs.OAS_AGAIN * 10**7)
        ),
        TOO_LONG,
    ),
    "oasis_text": (lambda: bombs.oas_file(bombs.number(14) + bombs.number(2**40) + b"abc"), "KLayout cannot read it"),
    "crossing": (
        lambda: bombs.oas_file(
            bombs.oas_cell()
            + bombs.oas_box(3, 1, 10, 120_000, bombs.oas_grid(3000, 2, 40, 1))
            + bombs.oas_box(3, 1, 120_000, 10, bombs.oas_grid(2, 3000, 1, 40))
        ),
        r"outlines of sheet 1 lie over each other up to [\d,]+ times; the limit is 26,000,000",
    ),
    "gzip": (lambda: gzip.compress(bombs.gds_tower(1, 2, 2)), "neither GDSII nor OASIS"),
    "text": (lambda: b"HEADER 600;\nBGNLIB 1\n", "neither GDSII nor OASIS"),
    "dxf": (lambda: b"0\nSECTION\n2\nHEADER\n", "neither GDSII nor OASIS"),
    "empty": (lambda: b"", "neither GDSII nor OASIS"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_asks_for_too_much_is_refused(name: str, tmp_path: Path) -> None:
    make, text = REFUSED[name]
    path = tmp_path / "stack.gds"
    path.write_bytes(make())
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    with pytest.raises(LayoutError, match=text) as refusal:
        read_masks(path, INKJET)
    assert str(path) in str(refusal.value)
    # Processor time does not depend on how busy the machine is; one second more than the child may take.
    spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    assert spent < 1 + bounds.READING[0] + bounds.READING[1] * path.stat().st_size / 2**20


@pytest.mark.parametrize(
    "data",
    [
        bombs.gds_file((b"A", bombs.gds_box()), (b"B", bombs.gds_array(b"A", 300, 200, 200, 200))),
        bombs.gds_tower(64, 1, 1),
        bombs.gds_file((b"A", bombs.gds_path(8000))),
        bombs.gds_file((b"A", spread(30_000))),
        bombs.oas_file(bombs.oas_cell() + bombs.oas_box(3, 1, 10, 10, bombs.oas_grid(1000, 500, 20, 20))),
    ],
    ids=["arrays", "levels", "path", "flat", "repeated"],
)
def test_what_a_stack_may_hold_is_read(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "stack.gds"
    path.write_bytes(data)
    assert read_masks(path, INKJET).top.shapes(0).size() > 0


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_only_regular_files_are_opened(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "stack.gds")
    with pytest.raises(LayoutError, match="not a regular file"):
        read_masks(tmp_path / "stack.gds", INKJET)


def test_a_file_that_is_too_large_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "stack.gds"
    path.write_bytes(bombs.gds_tower(1, 2, 2))
    with path.open("rb+") as stream:
        stream.truncate(bounds.MAX_BYTES + 1)
    with pytest.raises(LayoutError, match=r"has 1,073,741,825 bytes; the limit is"):
        read_masks(path, INKJET)


def test_the_child_imports_nothing_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stack.gds").write_bytes(bombs.gds_tower(1, 2, 2))
    for name in ("resource", "signal", "klayout", "json", "snn2circuit"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    read_masks(Path("stack.gds"), INKJET)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("command", ["drc", "lvs", "extract"])
def test_the_commands_say_so_in_one_line(command: str, tmp_path: Path) -> None:
    crossbar = make_crossbar(3, 2)
    save(crossbar, tmp_path / "crossbar.npz")
    save(build_layout(crossbar, INKJET), tmp_path / "layout.npz")
    (tmp_path / "stack.gds").write_bytes(bombs.gds_tower(9, 1000, 1000))
    others = ["layout.npz"] if command == "drc" else ["layout.npz", "crossbar.npz"]
    files = [str(tmp_path / name) for name in ["stack.gds", *others]]
    answer = CliRunner().invoke(main, [command, *files, "-o", str(tmp_path / "out")])
    assert answer.exit_code == 1
    assert "cell 'C2', 2 levels above the lowest, comes to 1,000,000,000,000 shapes" in answer.output


@settings(max_examples=60, deadline=None)
@given(nst.arrays(np.int64, st.tuples(st.integers(0, 40), st.just(4)), elements=st.integers(-50, 50)))
def test_the_estimate_of_crossings_is_never_too_low(corners: np.ndarray) -> None:
    boxes = np.hstack([np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:])])
    x0, y0, x1, y1 = boxes.T[:, :, None]
    touching = (x0 <= x1.T) & (x1 >= x0.T) & (y0 <= y1.T) & (y1 >= y0.T)
    assert estimate_crossings(boxes) >= int(touching.sum())
