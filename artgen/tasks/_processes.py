"""Tasks in other processes of this machine, each of which runs several."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from multiprocessing.connection import Connection, wait
from typing import Any, cast

from artgen.base.errors import Interrupted, OutputError
from artgen.base.process import prepare_process
from artgen.events import Observer
from artgen.tasks._control import RunControl, graceful_signals
from artgen.tasks._executor import R, T, Throttled, Work, portable

_POLL_SECONDS = 0.2
"""Seconds between two looks at whether a stop was requested."""


class ProcessExecutor:
    """Runs at most `number` tasks at a time, each in a process that is reused.

    A stop sends SIGTERM to the processes. One that dies fails its task and is replaced.
    """

    def __init__(self, number: int) -> None:
        # Windows waits for no more than 63 things at once.
        self.number = min(number, 60) if sys.platform == "win32" else number
        self._idle, self._kept = list[_Worker](), False

    def start(self, module: str) -> None:
        """Start processes that import `module`, for a session to come; they end with this one."""
        self._idle += [_Worker(module) for _ in range(min(self.number, os.cpu_count() or 1))]

    @contextmanager
    def session(self, work: Work[Any, Any], *, tasks: int, cpus: int = 1) -> Iterator[None]:
        """Start processes, which import what `work` needs, and keep them for the block."""
        self._kept = True
        try:
            wanted = min(self.number, tasks)
            self._end_idle(wanted)
            self._idle += [_Worker(work) for _ in range(wanted - len(self._idle))]
            yield
        finally:
            self._kept = False
            self._end_idle()

    def _end_idle(self, left: int = 0) -> None:
        while len(self._idle) > left:
            self._idle.pop().end()

    def run(
        self,
        work: Work[T, R],
        tasks: Sequence[T],
        observe: Observer,
        control: RunControl,
    ) -> Iterator[tuple[T, R | Exception]]:
        """Yield results in the order in which they are done."""
        waiting, idle, asked = deque(tasks), self._idle, False
        busy: dict[Connection, tuple[_Worker, T]] = {}
        try:
            while waiting or busy:
                if control.stop_requested and not asked:
                    asked = True
                    waiting.clear()
                    for worker, _ in busy.values():
                        worker.process.terminate()
                while waiting and len(busy) < self.number:
                    worker = idle.pop() if idle else _Worker(work)
                    task = waiting.popleft()
                    try:
                        worker.connection.send((work, task))
                    except OSError:
                        yield task, worker.failure(asked)
                    else:
                        busy[worker.connection] = worker, task
                for ready in wait(list(busy), _POLL_SECONDS):
                    # On Windows it is of another class.
                    ready = cast(Connection, ready)
                    worker, task = busy[ready]
                    try:
                        done, message = worker.connection.recv()
                    except (EOFError, OSError):
                        done, message = True, worker.failure(asked)
                    else:
                        if done:
                            idle.append(worker)
                    if done:
                        del busy[ready]
                        yield task, message
                    else:
                        observe(message)
        finally:
            for worker, _ in busy.values():
                worker.end()
            if not self._kept:
                self._end_idle()


class _Worker:
    """A process that waits for work and its tasks, and first imports a module or that of a work."""

    def __init__(self, needed: str | Work[Any, Any]) -> None:
        # A forked copy of a process with threads may hang; a fresh one imports what it needs.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.connection.send(needed)

    def failure(self, asked: bool) -> Exception:
        """The error of a task whose process ended; `asked` if a stop was requested."""
        self.process.join()
        if asked:
            return Interrupted("interrupted")
        return OutputError(
            f"its process ended with code {self.process.exitcode}",
            hint="it may have run out of memory: run fewer at a time",
        )

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self.connection.close()
        self.process.terminate()
        self.process.join()


def _serve(connection: Connection) -> None:
    """Receive ``(work, task)``; send ``(False, event)`` and ``(True, result)``."""
    # Before torch is imported, as `main` does: what is received imports it.
    prepare_process()
    # Ctrl-C in a terminal reaches the whole group; only the parent may stop this process.
    if hasattr(os, "setsid"):
        os.setsid()
    else:  # work that saves what it has listens while it runs
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, OSError):
        needed = connection.recv()
        if isinstance(needed, str):
            import_module(needed)
        while True:
            work, task = connection.recv()
            control = RunControl()
            try:
                with graceful_signals(control):
                    report = Throttled(lambda event: connection.send((False, event)))
                    result = work(task, report, control)
            except Exception as error:
                result = portable(error)
            connection.send((True, result))
