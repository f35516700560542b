"""The command line: one command per stage, and ``run`` for all of them. No logic of its own.

Each file holds the commands of one part of the flow; :data:`COMMANDS` lists them in the order of the flow. Heavy
libraries are imported inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from snn2circuit import __version__
from snn2circuit.cli import about, advise, circuit, exchange, experiment, explain, run, signoff, stack, training
from snn2circuit.cli.console import say, shown
from snn2circuit.errors import Snn2CircuitError

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
    """Shows the commands in the flow's order; turns our own errors into one clear message and exit status 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Snn2CircuitError as error:
            raise click.ClickException(shown(str(error))) from error
        except KeyboardInterrupt:
            say(
                "\ninterrupted; what is finished is kept: `run` goes on when started again, `train` with --resume",
                err=True,
            )
            sys.exit(130)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__)
def main() -> None:
    """From a trained spiking network to a circuit that spikes the same, and to its printed 3D stack."""


for _command in COMMANDS:
    main.add_command(_command)
