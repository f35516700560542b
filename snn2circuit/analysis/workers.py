"""The same function for many tasks in a few processes that live as long as there is work.

For work in which a process is expensive to start (importing torch takes seconds) and a task is not. A process ends when
its pipe closes, so none outlives the one that started it, however that ended.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar, cast

from snn2circuit.errors import Snn2CircuitError, TrainingError

Task = TypeVar("Task")
Result = TypeVar("Result")


def run_parallel(
    function: Callable[[Task], Result], tasks: Iterable[Task], workers: int
) -> Iterator[tuple[Task, Result]]:
    """Give each task with its result, in the order in which they finish; at most ``workers`` at a time.

    Args:
        function: a function of a module, so that a process can import it.
        tasks: what it is called with; tasks and results travel by pickle between our own processes.
        workers: number of processes.

    Raises:
        Snn2CircuitError: what the function raised; the others are stopped.
        TrainingError: a process died.
    """
    waiting = deque(tasks)
    context = multiprocessing.get_context("spawn")
    running: dict[Connection, tuple[Any, Task]] = {}
    try:
        for _ in range(min(max(1, workers), len(waiting))):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(function, theirs), daemon=True)
            # Ctrl-C reaches the whole terminal; a process that still imports would answer with a traceback. We end it.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                process.start()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()
            running[ours] = process, waiting.popleft()
            ours.send(running[ours][1])
        while running:
            for ready in wait(list(running)):
                pipe = cast("Connection", ready)
                process, task = running[pipe]
                try:
                    result = pipe.recv()
                except EOFError:
                    process.join()
                    raise TrainingError(
                        f"the process that worked on {task} died with exit status {process.exitcode}; "
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
                    process.join()
                yield task, result
    finally:
        for process, _ in running.values():
            process.terminate()
            process.join()


def _serve(function: Callable[[Any], Any], pipe: Connection) -> None:
    try:
        while True:
            task = pipe.recv()
            try:
                pipe.send(function(task))
            except Snn2CircuitError as error:
                pipe.send(error)
    except (EOFError, BrokenPipeError):
        return
