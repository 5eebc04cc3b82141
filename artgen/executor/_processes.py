"""Tasks in other processes of this machine, started afresh and used for several."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar, cast

from artgen._process import prepare_process
from artgen.errors import Interrupted, OutputError
from artgen.events import Event, Observer
from artgen.executor._protocol import Told, Work, portable
from artgen.runner import Interruption, graceful_signals

__all__ = ["Processes"]

T = TypeVar("T")
R = TypeVar("R")

_LOOK = 0.2
"""How often a wait is broken off to see whether to stop, in seconds."""


class Processes:
    """At most `number` tasks at a time, each in a process that does several.

    To stop, a process gets SIGTERM. One that dies takes its task with it and is replaced.
    """

    def __init__(self, number: int) -> None:
        # Windows waits for no more than 63 things at once.
        self.number = min(number, 60) if sys.platform == "win32" else number

    def run(
        self,
        work: Work[T, R],
        tasks: Sequence[T],
        observe: Observer,
        interruption: Interruption,
    ) -> Iterator[tuple[T, R | Exception]]:
        """In the order in which they are done."""
        waiting, idle, asked = deque(tasks), list[_Worker](), False
        busy: dict[Connection, tuple[_Worker, T]] = {}
        try:
            while waiting or busy:
                if interruption.requested and not asked:
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
                    ready = cast(Connection, ready)
                    worker, task = busy[ready]
                    try:
                        done, message = worker.connection.recv()
                    except (EOFError, OSError):
                        done, message = True, worker.last_words(asked)
                    else:
                        if done:
                            idle.append(worker)
                    if done:
                        del busy[ready]
                        yield task, message
                    else:
                        observe(message)
        finally:
            for worker in [*idle, *(worker for worker, _ in busy.values())]:
                worker.end()


class _Worker:
    """A process that waits for tasks."""

    def __init__(self, work: Work[Any, Any]) -> None:
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
            hint="it may have run out of memory: try fewer at a time; --resume goes on",
        )

    def end(self) -> None:
        """No more tasks; what it does now is given up."""
        self.connection.close()
        self.process.terminate()
        self.process.join()


def _serve(connection: Connection, work: Work[Any, Any]) -> None:
    """The life of a worker, which sends ``(False, event)`` and ``(True, result)``."""
    prepare_process()
    # Ctrl-C in a terminal reaches the whole group; only who started us shall ask us to stop.
    if hasattr(os, "setsid"):
        os.setsid()
    else:  # work that saves what it has listens while it runs
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    tell = partial(_tell, connection)
    with suppress(EOFError, OSError):
        while True:
            task = connection.recv()
            interruption = Interruption()
            try:
                with graceful_signals(interruption):
                    result = work(task, Told(tell), interruption)
            except Exception as error:
                result = portable(error)
            connection.send((True, result))


def _tell(connection: Connection, event: Event) -> None:
    connection.send((False, event))
