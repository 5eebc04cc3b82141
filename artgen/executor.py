"""Where work is carried out: `work(task)` for many tasks, here or in other processes.

An executor gives back what became of every task as soon as it is done. A task says all that its
work needs, and both it and the result can be pickled, so that another executor may carry it to
another machine.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol, TypeVar, cast

from artgen.errors import Interrupted, OutputError

__all__ = ["Executor", "Here", "Processes"]

T = TypeVar("T")
R = TypeVar("R")

_LOOK = 0.2
"""How often a wait is broken off to see whether to stop, in seconds."""


class Executor(Protocol):
    """Carries out work."""

    def run(
        self, work: Callable[[T], R], tasks: Sequence[T], stop: Callable[[], bool]
    ) -> Iterator[tuple[T, R | Exception]]:
        """Every task with its result, or with the exception that it ended with.

        Once `stop` says so no task is begun; those that were not are left out, and those that run
        are asked to come to an end.
        """
        ...


class Here:
    """One after the other in this process; whoever wants it to stop asks the work itself."""

    def run(
        self, work: Callable[[T], R], tasks: Sequence[T], stop: Callable[[], bool]
    ) -> Iterator[tuple[T, R | Exception]]:
        """In the order of the tasks."""
        for task in tasks:
            if stop():
                return
            try:
                yield task, work(task)
            except Exception as error:
                yield task, error


class Processes:
    """At most `number` tasks at a time, each in a process of this machine that does several.

    To stop, a process gets SIGTERM. One that dies takes its task with it and is replaced.
    """

    def __init__(self, number: int) -> None:
        # Windows waits for no more than 63 things at once.
        self.number = min(number, 60) if sys.platform == "win32" else number

    def run(
        self, work: Callable[[T], R], tasks: Sequence[T], stop: Callable[[], bool]
    ) -> Iterator[tuple[T, R | Exception]]:
        """In the order in which they are done."""
        waiting, idle, asked = deque(tasks), list[_Worker](), False
        busy: dict[Connection, tuple[_Worker, T]] = {}
        try:
            while waiting or busy:
                if stop() and not asked:
                    asked = True
                    waiting.clear()
                    for worker, _ in busy.values():
                        worker.process.terminate()
                while waiting and len(busy) < self.number:
                    worker = idle.pop() if idle else _Worker(work)
                    task = waiting.popleft()
                    try:
                        worker.connection.send(task)
                    except OSError:
                        yield task, worker.last_words(asked)
                    else:
                        busy[worker.connection] = worker, task
                for ready in wait(list(busy), _LOOK):
                    # On Windows it is of another class.
                    worker, task = busy.pop(cast(Connection, ready))
                    try:
                        result = worker.connection.recv()
                        idle.append(worker)
                    except (EOFError, OSError):
                        result = worker.last_words(asked)
                    yield task, result
        finally:
            for worker in [*idle, *(worker for worker, _ in busy.values())]:
                worker.end()


class _Worker:
    """A process that waits for tasks."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        # A forked copy of a process with threads may hang; a fresh one imports what it needs.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        self.process.start()
        theirs.close()

    def last_words(self, asked: bool) -> Exception:
        """What to say of the task that it died with; `asked` if it was told to."""
        self.process.join()
        if asked:
            return Interrupted("interrupted")
        return OutputError(
            f"its process ended with code {self.process.exitcode}",
            hint="it may have run out of memory: try fewer at a time",
        )

    def end(self) -> None:
        """No more tasks; what it does now is given up."""
        self.connection.close()
        self.process.terminate()
        self.process.join()


def _serve(connection: Connection, work: Callable[[Any], Any]) -> None:
    """The life of a worker."""
    # Ctrl-C in a terminal reaches the whole group; only who started us shall ask us to stop.
    if hasattr(os, "setsid"):
        os.setsid()
    else:  # work that saves what it has listens while it runs
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, OSError):
        while True:
            task = connection.recv()
            try:
                result = work(task)
            except Exception as error:
                result = error
            connection.send(result)
