"""A part of ``make bench-mutations``: a changed file of any kind gives a typed error or a result, and soon."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

import pytest
from harness import change, try_reader
from readers import READERS

PACKAGE = Path(__file__).parents[2] / "snn2circuit"
FILES = 40  # a reader
SLOW_FILES = 3  # of readers that start a process for every file
LIMIT = 1.0  # s of processor time

OPENING = {"read_text", "read_bytes", "open", "fromfile", "memmap", "ZipFile", "File", "read"}
EXEMPT = {
    "analysis/html.py": "pictures that this run has just drawn, not parsed",
    "analysis/ngspice_cost.py": "a cache of our own in the user's home; whatever does not fit is measured again",
    "analysis/report.py": "a style sheet of the package and results of this run, embedded as they are",
    "confine.py": "a folder, for its descriptor",
    "datasets/download.py": "what a server sent, unpacked by torchvision and then read by datasets/idx.py",
    "doctor.py": "a file of an installed library",
    "flow.py": "what this run has just written",
    "ir/claims.py": "the lock of a folder",
    "ir/record.py": "our own record of what was written",
    "ir/scratch.py": "folders and files of our own, for their locks",
    "layout/masks/bitmap.py": "writes only",
    "layout/printable.py": "writes only",
    "layout/signoff/pex.py": "reads masks that are in memory",
    "layout/signoff/readers/database.py": "what layout/signoff/bounds.py has passed",
    "simulate/jobs.py": "pipes and results of our own workers",
    "simulate/netlist.py": "the first line of a deck, for its title",
    "simulate/ngspice.py": "the child's own deck and status",
    "steps/exchange.py": "hands paths to the readers of weights files",
    "steps/circuit.py": "bytes of decks, digested",
    "steps/extractions.py": "bytes of masks, digested",
    "training/memory.py": "what the system says of its memory",
    "viewer/page.py": "files of the package",
    "viewer/server.py": "bytes, sent as they are",
    "frontends/nir_read.py": "reads through frontends/hdf5.py",
}


@pytest.mark.parametrize("name", READERS)
def test_changed_files_give_typed_errors_soon(name: str, tmp_path: Path) -> None:
    reader = READERS[name]
    found = try_reader(name, reader, SLOW_FILES if reader.slow else FILES, tmp_path)
    assert found.escaped == []
    assert found.refused > 0 or name == "stages"  # what does not fit there is made again
    assert found.slowest < LIMIT, f"seed {found.slowest_seed}"


def test_memory_stays_bounded(tmp_path: Path) -> None:
    before = getrusage(RUSAGE_SELF).ru_maxrss
    for name in ("array npz", "idx images", "raw", "SNNtrainer3D", "checkpoint", "design"):
        try_reader(name, READERS[name], FILES, tmp_path, first=1000)
    assert getrusage(RUSAGE_SELF).ru_maxrss - before < 500 * 1024


@pytest.mark.parametrize("name", READERS)
def test_the_files_that_are_changed_are_good(name: str, tmp_path: Path) -> None:
    reader = READERS[name]
    for data in reader.seeds(tmp_path):
        (tmp_path / reader.name).write_bytes(data)
        reader.read(tmp_path / reader.name)


def test_a_seed_gives_the_same_file_every_time(tmp_path: Path) -> None:
    reader = READERS["design"]
    seeds = reader.seeds(tmp_path)
    assert [change(reader, seeds, "x", seed) for seed in range(9)] == [
        change(reader, seeds, "x", seed) for seed in range(9)
    ]


def test_the_harness_sees_what_is_not_ours_and_what_is_slow(tmp_path: Path) -> None:
    def careless(path: Path) -> None:
        json.loads(path.read_bytes())

    from dataclasses import replace

    found = try_reader("stages", replace(READERS["stages"], read=careless), 40, tmp_path)
    assert any("RecursionError" in text for text in found.escaped)
    assert any("JSONDecodeError" in text for text in found.escaped)
    found = try_reader("stages", replace(READERS["stages"], read=lambda _: sum(range(5_000_000))), 2, tmp_path)
    assert found.slowest > 0.01


def opens_files(path: Path) -> bool:
    """Whether a module calls something that opens a file for reading."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        of_library = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") in ("torch", "np")
        writes = any(text.startswith(("w", "x", "a")) for text in texts)
        if (called in OPENING or (called == "load" and of_library)) and not writes:
            return True
    return False


def test_every_module_that_opens_files_is_tried() -> None:
    openers = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if opens_files(path)}
    covered = {reader.covers for reader in READERS.values()}
    assert covered <= openers
    assert openers - covered - set(EXEMPT) == set()
