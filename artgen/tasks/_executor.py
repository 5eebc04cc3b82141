"""The protocol of executors, and the simplest one.

Work is a function of a module, called with a task, an observer of its events and its control.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any, Protocol, TypeAlias, TypeVar

from artgen import events
from artgen.base.errors import ArtgenError
from artgen.base.process import prepare_process as prepare_process
from artgen.tasks._control import RunControl
from artgen.tasks._task import Task

T = TypeVar("T")
R = TypeVar("R")
TaskT = TypeVar("TaskT", bound=Task)

Work: TypeAlias = Callable[[T, events.Observer, RunControl], R]

INTERVAL = 0.2
"""Seconds between two reports of the progress of a run to other processes."""


class Executor(Protocol):
    """Runs tasks."""

    @property
    def number(self) -> int | None:
        """The most tasks that run at a time; None: as many as there is room for."""
        ...

    def session(
        self, work: Work[Any, Any], *, tasks: int, cpus: int = 1
    ) -> AbstractContextManager[None]:
        """Keep what several calls of `run` share for the block: processes, a connection.

        All do the same `work`, of at most `tasks` tasks at a time, which take `cpus` processors
        each. It may be entered in another thread. By default nothing is shared.
        """
        return nullcontext()

    def run(
        self,
        work: Work[TaskT, R],
        tasks: Sequence[TaskT],
        observe: events.Observer,
        control: RunControl,
    ) -> Iterator[tuple[TaskT, R | Exception]]:
        """Yield every task with its result, or with the exception that it ended with.

        `observe` receives the events of the runs. Once `control` requests a stop no task is begun;
        tasks that did not begin are left out, and those that run are asked to end.
        """
        ...


class SerialExecutor(Executor):
    """Runs tasks one after the other in this process."""

    number = 1

    def run(
        self,
        work: Work[TaskT, R],
        tasks: Sequence[TaskT],
        observe: events.Observer,
        control: RunControl,
    ) -> Iterator[tuple[TaskT, R | Exception]]:
        """Yield results in the order of the tasks."""
        for task in tasks:
            if control.stop_requested:
                return
            try:
                yield task, work(task, observe, control)
            except Exception as error:
                yield task, error


class Throttled:
    """An observer that passes on events to another process: no pictures, and not every step."""

    def __init__(self, report: Callable[[events.Event], None]) -> None:
        self.report = report
        self.next = 0.0

    def __call__(self, event: events.Event) -> None:
        """Pass the event on, or drop it."""
        match event:
            case events.Started():
                self.report(replace(event, target=None))
            case (
                events.Evaluated()
                | events.Notice()
                | events.Finished()
                | events.TileFitted()
                | events.Working(done=0)
            ):
                self.report(event)
            case events.Advanced() | events.Working():
                if time.monotonic() >= self.next:
                    self.next = time.monotonic() + INTERVAL
                    self.report(event)


def portable(error: Exception) -> Exception:
    """The error in a form that pickles, with its traceback as a note."""
    import pickle

    trace = "".join(traceback.format_exception(error)).rstrip()
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = ArtgenError(f"{type(error).__name__}: {error}")
    error.add_note(f"It was raised in another process:\n{trace}")
    return error


def share_of_gpu(asked: float | None, device: str) -> float:
    """The graphics processors of a run on `device`: what was `asked`, else 1 for ``cuda``."""
    return float(device.startswith("cuda")) if asked is None else asked
