"""Exit statuses: what every command ends with, in one place.

==== ==========================================================================================
0    done; of a judge: no spike differs, no design rule is broken, the masks are this circuit
1    a failure, with its reason in one message
2    a difference: a spike differs, a design rule is broken, or the masks are another circuit
3    could not be judged: the judge that was asked for cannot tell
64   the command line is wrong: an unknown command, option or value, a file that is not there
130  Ctrl-C; 143: SIGTERM
==== ==========================================================================================
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from snn2circuit.cli.console import say, shown
from snn2circuit.errors import AnotherCircuit, CircuitNotLinear, NotJudged, RangeLeft, Snn2CircuitError
from snn2circuit.ir import interrupts
from snn2circuit.ir.interrupts import Terminated
from snn2circuit.ir.outcome import DIFFERENT, EQUAL, NOT_JUDGED

FAILED, WRONG_COMMAND, INTERRUPTED, TERMINATED = 1, 64, 130, 143
MEANINGS = {
    EQUAL: "done; where something is judged: equal, and no design rule broken",
    FAILED: "a failure, with its reason",
    DIFFERENT: "a difference: spikes, a broken design rule, another circuit",
    NOT_JUDGED: "could not be judged",
    WRONG_COMMAND: "a wrong command line: unknown option or value, file not found",
    INTERRUPTED: f"Ctrl-C ({TERMINATED}: SIGTERM)",
}
_OF_ERRORS: dict[type[Snn2CircuitError], int] = {
    AnotherCircuit: DIFFERENT,
    NotJudged: NOT_JUDGED,
    CircuitNotLinear: NOT_JUDGED,
    RangeLeft: NOT_JUDGED,
}


def end_with(good: bool) -> None:
    """End a judging command: with a difference unless all is ``good``."""
    if not good:
        sys.exit(DIFFERENT)


@contextmanager
def statuses() -> Iterator[None]:
    """Give whatever ends a command its exit status and one clear message."""
    try:
        yield
    except click.UsageError as error:
        error.show()
        sys.exit(WRONG_COMMAND)
    except Snn2CircuitError as error:
        click.ClickException(shown(str(error))).show()
        sys.exit(next((code for kind, code in _OF_ERRORS.items() if isinstance(error, kind)), FAILED))
    except (KeyboardInterrupt, Terminated) as signalled:
        say(interrupts.line(), err=True)
        sys.exit(INTERRUPTED if isinstance(signalled, KeyboardInterrupt) else TERMINATED)
