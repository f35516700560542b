"""Ctrl-C and SIGTERM: one line, exit status 130 or 143, no traceback, at any moment.

The first signal unwinds the program as ``KeyboardInterrupt`` does, so that everything temporary is removed and every
child is ended. Where that cannot work, the process leaves at once, which costs nothing: whatever a killed process
leaves is removed at the next start. That is so while a library is being loaded (an exception through a half-loaded C++
library aborts), where somebody swallows the exception, when unwinding takes too long, and at the second signal.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import NoReturn, Protocol

LINE = "interrupted; what is finished is kept: `run` goes on when started again, `train` with --resume"
PATIENCE = 10.0  # s, for unwinding


class Terminated(BaseException):
    """SIGTERM was received."""


class _Unraisable(Protocol):
    exc_type: type[BaseException]
    exc_value: BaseException | None
    exc_traceback: TracebackType | None


def handle_interrupts() -> None:
    """Handle Ctrl-C and SIGTERM in this process from now on."""
    on_signals(unwind)
    sys.unraisablehook = _leave_if_swallowed


def on_signals(handler: Callable[[int, FrameType | None], object]) -> None:
    """Let ``handler`` take Ctrl-C and SIGTERM, unless whoever started this process wants them ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def unwind(number: int, frame: FrameType | None) -> None:
    """Handler of the first signal: raise ``KeyboardInterrupt`` or :class:`Terminated` in the main thread."""
    on_signals(leave)
    if _loads(frame):
        leave(number, frame)
    threading.Thread(target=_leave_later, args=(number,), daemon=True).start()
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated


def leave(number: int, frame: FrameType | None = None) -> NoReturn:
    """Say so and end the process at once."""
    with contextlib.suppress(OSError):
        os.write(2, f"{line()}\n".encode())
    os._exit(128 + number)


def leave_silently(number: int, frame: FrameType | None = None) -> NoReturn:
    """Handler after the line was printed: end the process at once."""
    os._exit(128 + number)


def line() -> str:
    """The line to print; a terminal has echoed ``^C`` before it."""
    return f"\n{LINE}" if os.isatty(2) else LINE


def _loads(frame: FrameType | None) -> bool:
    """Whether a module is being imported in this frame or one that called it."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _leave_later(number: int) -> None:
    time.sleep(PATIENCE)
    leave(number)


def _leave_if_swallowed(unraisable: _Unraisable) -> None:
    """What a destructor or a callback of C raised goes nowhere; that of a signal must."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt | Terminated):
        leave(signal.SIGTERM if issubclass(unraisable.exc_type, Terminated) else signal.SIGINT)
    sys.__unraisablehook__(unraisable)  # type: ignore[arg-type]
