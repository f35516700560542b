"""``snn2circuit`` and ``python -m snn2circuit``: the command line, its signals handled from the first moment on."""

from __future__ import annotations

import sys

from snn2circuit.child import search_path

# `python -m` looks in the current folder first, where somebody else's json.py may lie.
sys.path[:] = search_path()

from snn2circuit.ir.interrupts import handle_interrupts, leave, leave_silently, on_signals  # noqa: E402


def main() -> None:
    """Run the command line."""
    handle_interrupts()
    from snn2circuit.cli import main as commands  # loads for a while, and may be interrupted already

    try:
        commands(prog_name="snn2circuit")
    except SystemExit as end:
        # The interpreter still has to wind up, which an exception would end in a traceback.
        on_signals(leave_silently if end.code in (130, 143) else leave)
        raise


if __name__ == "__main__":
    main()
