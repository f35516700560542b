"""The same function for many tasks in a few processes that live as long as there is work.

For work in which a process is expensive to start (importing torch takes seconds) and a task is not. A process ends when
its pipe closes, so none outlives the one that started it, however that ended. It is this very module, run by
:func:`snn2circuit.child.python_command`; the start methods of :mod:`multiprocessing` would look for modules in the
current folder.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar, cast

from snn2circuit.child import python_command
from snn2circuit.errors import Snn2CircuitError, TrainingError

Task = TypeVar("Task")
Result = TypeVar("Result")


def run_parallel(
    function: Callable[[Task], Result], tasks: Iterable[Task], workers: int
) -> Iterator[tuple[Task, Result]]:
    """Give each task with its result, in the order in which they finish; at most ``workers`` at a time.

    Args:
        function: a function of a module, so that a process can import it; not of a script that is being run.
        tasks: what it is called with; tasks and results travel by pickle between our own processes, so what is said of
            the function holds for their classes.
        workers: number of processes.

    Raises:
        Snn2CircuitError: what the function raised; the others are stopped.
        TrainingError: a process died.
    """
    waiting = deque(tasks)
    running: dict[Connection, tuple[subprocess.Popen[bytes], Task]] = {}
    try:
        for _ in range(min(max(1, workers), len(waiting))):
            ours, process = _start(function)
            running[ours] = process, waiting.popleft()
            ours.send(running[ours][1])
        while running:
            for ready in wait(list(running)):
                pipe = cast("Connection", ready)
                process, task = running[pipe]
                try:
                    result = pipe.recv()
                except (EOFError, ConnectionResetError):
                    raise TrainingError(
                        f"the process that worked on {task} died with exit status {process.wait()}; "
                        "was it out of memory? finished runs are kept, start again with fewer workers"
                    ) from None
                if isinstance(result, Exception):
                    raise result
                if waiting:
                    running[pipe] = process, waiting.popleft()
                    pipe.send(running[pipe][1])
                else:
                    del running[pipe]
                    pipe.close()
                    process.wait()
                yield task, result
    finally:
        for pipe, (process, _) in running.items():
            pipe.close()
            process.terminate()
            process.wait()


def _start(function: Callable[[Any], Any]) -> tuple[Connection, subprocess.Popen[bytes]]:
    """A process that waits for tasks, and our end of its pipe."""
    ours, theirs = Pipe()
    command = python_command(__name__, str(theirs.fileno()))
    # Ctrl-C reaches the whole terminal; a process that still imports would answer with a traceback. We end it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter on our own module
                command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    ours.send(function)
    return ours, process


def _serve(pipe: Connection) -> None:
    try:
        function = pipe.recv()
        while True:
            task = pipe.recv()
            try:
                pipe.send(function(task))
            except Snn2CircuitError as error:
                pipe.send(error)
    except (EOFError, BrokenPipeError):
        return


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])))
