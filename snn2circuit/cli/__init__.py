"""The command line: one command per stage, and ``run`` for all of them. No logic of its own.

Each file holds the commands of one part of the flow; :data:`COMMANDS` lists them in the order of the flow. Heavy
libraries are imported inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from snn2circuit import __version__
from snn2circuit.cli import about, advise, circuit, exchange, experiment, explain, run, signoff, stack, training
from snn2circuit.cli.console import replace_what_cannot_be_encoded, say
from snn2circuit.cli.status import MEANINGS, statuses
from snn2circuit.errors import FileKept
from snn2circuit.ir.scratch import sweep

COMMANDS: tuple[click.Command, ...] = (
    run.run,
    training.train,
    exchange.import_,
    exchange.export,
    circuit.map_,
    advise.advise,
    circuit.netlist,
    circuit.simulate,
    circuit.compare,
    circuit.verify,
    explain.explain,
    stack.layout,
    signoff.masks,
    signoff.drc,
    signoff.lvs,
    signoff.extract,
    stack.view,
    experiment.experiment,
    about.list_,
    about.design,
    about.process,
    about.download,
    about.doctor,
)


class _Group(click.Group):
    """Shows the commands in the flow's order, and gives every end its message and exit status.

    A file that was kept aside is named in one line as well.
    """

    def main(self, *args: Any, **extra: Any) -> Any:
        replace_what_cannot_be_encoded()
        return super().main(*args, **extra)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with statuses():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with contextlib.suppress(OSError):  # no folder for temporary files; who needs one will say so
            sweep(Path(tempfile.gettempdir()))
        with statuses(), warnings.catch_warnings():
            warnings.simplefilter("always", FileKept)
            warnings.showwarning = _show(warnings.showwarning)
            return super().invoke(ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Exit statuses"):
            formatter.write_dl([(str(code), meaning) for code, meaning in MEANINGS.items()])


def _show(usual: Callable[..., None]) -> Callable[..., None]:
    """A way to show warnings: that a file was kept in one line, others as usual."""

    def show(message: Warning | str, category: type[Warning], *rest: Any, **named: Any) -> None:
        if issubclass(category, FileKept):
            say(str(message), fg="yellow", err=True)
        else:
            usual(message, category, *rest, **named)

    return show


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__)
def main() -> None:
    """From a trained spiking network to a circuit that spikes the same, and to its printed 3D stack."""


for _command in COMMANDS:
    main.add_command(_command)
