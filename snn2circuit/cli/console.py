"""What the commands share: files and folders, the design option, tables and progress bars on the terminal.

Files and folders to write are looked at when the command line is read, before any work: a place that cannot be written,
or a file that is also read, is refused at once.
"""

from __future__ import annotations

import codecs
import io
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from snn2circuit.ir.claims import claim, lock
from snn2circuit.ir.plain import plain
from snn2circuit.ir.targets import check_file, check_folder
from snn2circuit.training.recipe import ENGINES

if TYPE_CHECKING:
    from snn2circuit.design import Design
    from snn2circuit.ir.crossbar import CrossbarNetwork
    from snn2circuit.ir.dataset import Dataset
    from snn2circuit.ir.network import Network
    from snn2circuit.steps import Wired

D = TypeVar("D", "Dataset", "Dataset | None")

PERIOD = 10.0  # s, between two lines about a stage where there is no terminal


class _Place(click.Path):
    """A path, with a look at what the other paths of the command are."""

    def __init__(self, write: Callable[[Path], AbstractContextManager[None]] | None = None, **options: Any) -> None:
        super().__init__(path_type=Path, **options)
        self.write = write  # what holds while the command writes there; nothing for one that is read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Check the path, and hold it for as long as the command lasts."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if ctx is None or ctx.resilient_parsing:
            return path
        held: list[tuple[Path, bool]] = ctx.meta.setdefault(__name__, [])
        for other, is_written in held:
            if (self.write or is_written) and _same(path, other):
                what = "is written twice" if self.write and is_written else "is read and would be written over"
                raise click.UsageError(f"{path} {what}; choose another file")
        held.append((path, self.write is not None))
        if self.write:
            ctx.with_resource(self.write(path))
        return path


def _same(one: Path, other: Path) -> bool:
    return (one.exists() and other.exists() and one.samefile(other)) or one.absolute() == other.absolute()


@contextmanager
def _file(path: Path) -> Iterator[None]:
    check_file(path)
    with claim(path.parent):
        yield


@contextmanager
def _folder_of_others(path: Path) -> Iterator[None]:
    check_folder(path)
    yield


IN = _Place(exists=True, dir_okay=False)  # a file that must be there
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)  # a folder that must be there
OUT = _Place(_file)  # a file to write
OUT_FOLDER = _Place(lock)  # a folder for results, which nobody else may write at the same time
STORE = _Place(_folder_of_others)  # a folder in which others keep order: of datasets, of TensorBoard


class _Ascii(io.TextIOWrapper):
    """A stream that only takes ASCII, under a name for it that click believes.

    click takes the encoding "ascii" for a mistake and writes UTF-8 instead; Latin-1 it leaves alone.
    """

    def write(self, text: str) -> int:
        return super().write(text.encode("ascii", "replace").decode("ascii"))


def replace_what_cannot_be_encoded() -> None:
    """Let standard output and error show ``?`` for every character that their encoding does not have.

    File names that are no text in the encoding of the file system are such characters too.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if codecs.lookup(stream.encoding).name == "ascii":
            lines, at_once = stream.line_buffering, stream.write_through
            setattr(sys, name, _Ascii(stream.detach(), "latin-1", line_buffering=lines, write_through=at_once))
        else:
            stream.reconfigure(errors="replace")


def read_design(path: Path | None, engine: str | None = None) -> Design:
    """The design in a file, or the built-in one; ``engine`` replaces the one it trains with."""
    from snn2circuit import design

    chosen = design.read_design(path) if path else design.Design()
    return replace(chosen, training=replace(chosen.training, engine=engine)) if engine else chosen


def find_data(design: Design, design_file: Path | None, network: Network | CrossbarNetwork) -> Dataset | None:
    """The data that ``network`` names, or that the design file does; it is said which if the network does not.

    Raises:
        DataError: the data do not fit the network.
    """
    from snn2circuit import steps

    return _tell(steps.find_dataset(design, network, chosen=_names_data(design_file)), design_file, network)


def read_data(design: Design, design_file: Path | None, network: Network | CrossbarNetwork) -> Dataset:
    """As :func:`find_data`, where there is no going on without.

    Raises:
        DataError: also if nobody names any data.
    """
    from snn2circuit import steps

    return _tell(steps.needed_dataset(design, network, chosen=_names_data(design_file)), design_file, network)


def _names_data(design_file: Path | None) -> bool:
    from snn2circuit.design import names_key

    return design_file is not None and names_key(design_file, "data", "dataset")


def _tell(dataset: D, design_file: Path | None, network: Network | CrossbarNetwork) -> D:
    if dataset is not None and dataset.name != network.dataset:
        say(f"data: {dataset.title}, as [data] dataset in {design_file} says", err=True)
    return dataset


def design_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the option ``--design``, which a command receives as ``design_file``."""
    return click.option(
        "-d", "--design", "design_file", type=IN, help="Design file; without one, the built-in digits design."
    )(command)


def circuit_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options ``--circuit`` and ``--parasitics``, which :func:`choose_circuit` takes."""
    command = click.option(
        "--parasitics",
        "measured",
        type=IN,
        help="Lines as measured on the masks before, instead of measuring them now.",
    )(command)
    return click.option(
        "--circuit", "which", type=click.Choice(["printed", "reference"]), default="printed", show_default=True,
        help="As printed, with the lines and conductances of the masks; or with ideal lines, or the design file's.",
    )(command)  # fmt: skip


def choose_circuit(design: Design, crossbar: CrossbarNetwork, which: str, measured: Path | None) -> Wired:
    """The circuit of ``crossbar`` that the options ask for."""
    from snn2circuit import steps
    from snn2circuit.ir.files import load
    from snn2circuit.ir.parasitics import Parasitics

    if which == "reference":
        if measured:
            raise click.UsageError("--parasitics are of the circuit as printed; leave out --circuit reference")
        return steps.reference_circuit(design, crossbar)
    if measured:
        return steps.Wired(crossbar=crossbar, parasitics=load(measured, Parasitics))
    return steps.printed_circuit(design, crossbar)


def engine_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the option ``--engine``."""
    return click.option(
        "--engine", type=click.Choice(ENGINES), help="Time loop to train with, instead of the design's."
    )(command)


def tensorboard_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the option ``--tensorboard``."""
    return click.option(
        "--tensorboard", type=STORE, help="Folder for TensorBoard event files (the extra `tensorboard`)."
    )(command)


def shown(text: str) -> str:
    """``text`` without what a terminal would obey: it may hold names from files of strangers."""
    return plain(text, keep="\n\t\xa0\u2009\u202f")


def say(text: str, *, err: bool = False, nl: bool = True, **style: Any) -> None:
    """Print a line; the one way in which commands speak. ``style`` is click's."""
    click.secho(shown(text), err=err, nl=nl, **style)


def table(rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows as columns; the first is never cut."""
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for index in range(max(map(len, rows), default=0)):
        # The first column holds the words to type; they must never be cut.
        table.add_column(no_wrap=index == 0, overflow="fold")
    for row in rows:
        table.add_row(*map(shown, row))
    Console(highlight=False, markup=False, emoji=False).print(table)


@contextmanager
def stage_bars(*, at_once: bool = False) -> Iterator[Callable[[str, float, str], None]]:
    """A progress bar per stage on a terminal.

    Elsewhere a line per finished stage, and one every :data:`PERIOD` of a stage that takes longer, the first of them
    ``at_once`` if asked for.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    bars = Progress(
        TextColumn("{task.description:<14}"),
        BarColumn(bar_width=32),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[remark]}", markup=False),
        console=console,
        disable=not console.is_terminal,
    )
    tasks: dict[str, Any] = {}
    told: dict[str, float] = {}  # when the last line of a stage was written, s

    def tell(stage: str, share: float, remark: str) -> None:
        remark = shown(remark)
        if not console.is_terminal:
            now = time.monotonic()
            due = now - told.setdefault(stage, -math.inf if at_once else now) >= PERIOD
            if share == 1.0:
                console.print(f"{stage:<14} {remark}")
            elif due and remark:
                console.print(f"{stage:<14} {share:.0%}, {remark}")
                told[stage] = now
            return
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=1.0, remark="")
        bars.update(tasks[stage], completed=share, remark=remark)
        if share == 1.0:
            bars.stop_task(tasks[stage])

    with bars:
        yield tell


@contextmanager
def bar(stage: str) -> Iterator[Callable[[float, str], None]]:
    """The bar of a single stage."""
    with stage_bars(at_once=True) as tell:
        yield lambda share, remark: tell(stage, share, remark)
