"""What the commands share: file arguments, the design option, tables and progress bars on the terminal."""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from snn2circuit.training.recipe import ENGINES

if TYPE_CHECKING:
    from snn2circuit.design import Design

IN = click.Path(exists=True, dir_okay=False, path_type=Path)  # a file that must be there
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)  # a folder that must be there
OUT = click.Path(path_type=Path)  # a file or folder to write


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


def design_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the option ``--design``, which a command receives as ``design_file``."""
    return click.option(
        "-d", "--design", "design_file", type=IN, help="Design file; without one, the built-in digits design."
    )(command)


def engine_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the option ``--engine``."""
    return click.option(
        "--engine", type=click.Choice(ENGINES), help="Time loop to train with, instead of the design's."
    )(command)


def tensorboard_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the option ``--tensorboard``."""
    return click.option(
        "--tensorboard", type=OUT, help="Folder for TensorBoard event files (the extra `tensorboard`)."
    )(command)


def table(rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows as columns; the first is never cut."""
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for index in range(max(map(len, rows), default=0)):
        # The first column holds the words to type; they must never be cut.
        table.add_column(no_wrap=index == 0, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(highlight=False).print(table)


@contextmanager
def stage_bars() -> Iterator[Callable[[str, float, str], None]]:
    """A progress bar per stage on a terminal; a line per finished stage elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False)
    bars = Progress(
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=32),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[remark]}"),
        console=console,
        disable=not console.is_terminal,
    )
    tasks: dict[str, Any] = {}

    def tell(stage: str, share: float, remark: str) -> None:
        if not console.is_terminal:
            if share == 1.0:
                console.print(f"{stage:<9} {remark}")
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
    with stage_bars() as tell:
        yield lambda share, remark: tell(stage, share, remark)
