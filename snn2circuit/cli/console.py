"""What the commands share: file arguments, the design option, tables and progress bars on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from snn2circuit.training.recipe import ENGINES

if TYPE_CHECKING:
    from snn2circuit.design import Design
    from snn2circuit.ir.crossbar import CrossbarNetwork
    from snn2circuit.ir.dataset import Dataset
    from snn2circuit.ir.network import Network

D = TypeVar("D", "Dataset", "Dataset | None")

IN = click.Path(exists=True, dir_okay=False, path_type=Path)  # a file that must be there
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)  # a folder that must be there
OUT = click.Path(path_type=Path)  # a file or folder to write


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
        click.echo(f"data: {dataset.title}, as [data] dataset in {design_file} says", err=True)
    return dataset


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
